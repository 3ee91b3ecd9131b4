//! Our SFrame against the `sframe` crate, frame by frame and both ways.
//!
//! A few thousand frames in the normal tests; a million by
//! `cargo run -p crypto --release --features lab --example sframe_differential -- 1000000`, which
//! compiles this very file.

use sframe::{
    CipherSuite,
    frame::{EncryptedFrame, MediaFrame, SingleUseCounter},
    key::{DecryptionKey, EncryptionKey},
};

use crate::lab::RawFrameKey;

/// What was compared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    /// Frames that both sealed to the same bytes and each opened.
    pub(crate) agreed: u64,
    /// Altered or cut frames that both refused.
    pub(crate) refused: u64,
    /// Payload bytes.
    pub(crate) bytes: u64,
    /// Base keys and key ids.
    pub(crate) keys: u64,
}

/// A small generator (splitmix64), so that a run is the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Every length in bits is as likely: headers of all sizes.
    fn number(&mut self) -> u64 {
        self.next() >> (self.next() % 64)
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        let words = (0..length.div_ceil(8)).flat_map(|_| self.next().to_be_bytes()).collect::<Vec<_>>();
        words.into_iter().take(length as usize).collect()
    }

    /// Mostly as short as a voice frame, now and then empty or as long as a picture.
    fn payload(&mut self) -> Vec<u8> {
        let length = match self.next() % 100 {
            0 => 0,
            1 => self.next() % 20_000,
            2..=20 => self.next() % 1_300,
            _ => self.next() % 200,
        };
        self.bytes(length)
    }
}

/// Compares `frames` frames, a new key every 50.
///
/// # Panics
/// At the first frame on which the two disagree.
pub(crate) fn compare(frames: u64, seed: u64) -> Compared {
    let mut random = Random(seed);
    let mut compared = Compared::default();
    while compared.agreed < frames {
        let base_key: [u8; 32] = random.bytes(32).try_into().expect("32 bytes were asked for");
        let key_id = random.number();
        let suite = CipherSuite::AesGcm256Sha512;
        let ours = RawFrameKey::derive(&base_key, key_id).expect("ring derives");
        let seals = EncryptionKey::derive_from(suite, key_id, base_key).expect("sframe derives");
        let opens = DecryptionKey::derive_from(suite, key_id, base_key).expect("sframe derives");
        compared.keys += 1;
        for _ in 0..50.min(frames - compared.agreed) {
            let (counter, payload) = (random.number(), random.payload());
            compared.bytes += payload.len() as u64;
            let sealed = ours.seal(counter, payload.clone()).expect("ours seals");
            let mut single = SingleUseCounter::new(counter);
            let frame = MediaFrame::try_new(&mut single, &payload).expect("sframe takes any payload");
            let theirs = frame.encrypt(&seals).expect("sframe seals");
            assert_eq!(AsRef::<[u8]>::as_ref(&theirs), sealed, "key id {key_id}, counter {counter}");
            let opened = EncryptedFrame::try_new(&sealed).expect("sframe parses").decrypt(&opens);
            assert_eq!(opened.expect("sframe opens").payload(), payload);
            assert_eq!(ours.open(sealed.clone()).expect("ours opens"), payload);
            compared.agreed += 1;
            if random.next().is_multiple_of(4) {
                let changed = alter(&mut random, sealed);
                let opened = EncryptedFrame::try_new(&changed).and_then(|frame| frame.decrypt(&opens).map(|_| ()));
                assert!(opened.is_err() && ours.open(changed).is_err(), "an altered frame was opened");
                compared.refused += 1;
            }
        }
    }
    compared
}

/// Flips one bit, or cuts the end off. A bit of the key id is no matter of the tag alone: neither
/// side opens by another key than that of the header.
fn alter(random: &mut Random, mut frame: Vec<u8>) -> Vec<u8> {
    let at = (random.next() % frame.len() as u64) as usize;
    if random.next().is_multiple_of(4) {
        frame.truncate(at);
    } else if let Some(byte) = frame.get_mut(at) {
        *byte ^= 1 << (random.next() % 8);
    }
    frame
}

#[cfg(test)]
#[test]
fn two_thousand_random_frames_agree_with_the_sframe_crate() {
    let compared = compare(2_000, 9605);
    assert_eq!((compared.agreed, compared.keys), (2_000, 40));
    assert!(compared.refused > 400 && compared.bytes > 200_000, "{compared:?}");
}
