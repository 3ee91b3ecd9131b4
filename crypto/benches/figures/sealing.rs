//! Seal and open by size, against AES-256-GCM of ring by itself.

use std::time::Duration;

use crypto::{KeyRing, LeafIndex, MediaContext, SealedFrame};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{figure, group::Call, median, timed};

const ROUNDS: usize = 25;
/// Payload bytes of a round: enough for a clock, little enough for the cache.
const BYTES_PER_ROUND: usize = 4_000_000;

/// Seconds for one frame.
#[derive(Default)]
pub(crate) struct Costs {
    pub(crate) voice_seal: f64,
    pub(crate) voice_open: f64,
    pub(crate) picture_seal: f64,
    pub(crate) picture_open: f64,
}

pub(crate) fn figures() -> Costs {
    let mut costs = Costs::default();
    for (size, most) in [(80, Some(0.4)), (160, None), (1_200, Some(1.0)), (6_250, None), (8_000, None), (50_000, None)]
    {
        let [seal, raw_seal, open, raw_open] = measure(size);
        for (name, ours, raw) in [("seal", seal, raw_seal), ("open", open, raw_open)] {
            figure("P20", &format!("{name} {size} B"), ours * 1e9, "ns", None);
            figure("P20", &format!("{name} {size} B, AES-256-GCM of ring alone"), raw * 1e9, "ns", None);
            figure("P20", &format!("{name} {size} B, above AES-256-GCM"), (ours - raw) * 1e6, "us", most);
        }
        match size {
            80 => (costs.voice_seal, costs.voice_open) = (seal, open),
            6_250 => (costs.picture_seal, costs.picture_open) = (seal, open),
            _ => {}
        }
    }
    costs
}

/// Seconds a frame: our seal, the cipher's, our open, the cipher's.
fn measure(size: usize) -> [f64; 4] {
    let count = (BYTES_PER_ROUND / size).clamp(64, 10_000);
    let (mut key, mut ring) = keys();
    let raw = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key of 32 bytes"));
    let sender = LeafIndex::new(0).expect("below 16");
    let mut rounds = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let payloads = buffers(size, count);
        let mut seal = |payload| key.seal(payload).expect("the key is fresh");
        let (seconds, frames) = timed(|| payloads.into_iter().map(&mut seal).collect::<Vec<SealedFrame>>());
        rounds[0].push(seconds / count as f64);

        let mut payloads = buffers(size, count);
        let (seconds, ()) = timed(|| {
            for (number, payload) in payloads.iter_mut().enumerate() {
                raw.seal_in_place_append_tag(nonce(number), Aad::empty(), payload).expect("ring seals");
            }
        });
        rounds[1].push(seconds / count as f64);

        let frames: Vec<_> = frames.into_iter().map(SealedFrame::into_vec).collect();
        let mut open = |frame| ring.open(sender, MediaContext::Video, frame, Duration::ZERO).expect("it opens");
        let (seconds, opened) = timed(|| frames.into_iter().map(&mut open).collect::<Vec<_>>());
        rounds[2].push(seconds / count as f64);
        drop(opened);

        let (seconds, ()) = timed(|| {
            for (number, payload) in payloads.iter_mut().enumerate() {
                raw.open_in_place(nonce(number), Aad::empty(), payload).expect("ring opens");
            }
        });
        rounds[3].push(seconds / count as f64);
    }
    rounds.map(median)
}

/// Payloads with room for header and tag, as the pipeline hands them over.
fn buffers(size: usize, count: usize) -> Vec<Vec<u8>> {
    let buffer = || {
        let mut payload = Vec::with_capacity(size + 64);
        payload.resize(size, 0x5a);
        payload
    };
    std::iter::repeat_with(buffer).take(count).collect()
}

fn nonce(number: usize) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[4..].copy_from_slice(&(number as u64).to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// The host's camera key, and the ring of the only guest.
fn keys() -> (crypto::SealingKey, KeyRing) {
    let mut members = Call::of(2).members;
    let (sender, _) = members[0].media_keys().expect("keys of a new epoch").into_parts();
    let mut ring = KeyRing::new();
    let (_, opening) = members[1].media_keys().expect("keys of a new epoch").into_parts();
    ring.install(opening, Duration::ZERO, Duration::ZERO);
    (sender.video, ring)
}
