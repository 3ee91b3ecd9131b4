//! RFC 9605 vectors and hostile frames.

use std::time::Duration;

use serde_json::Value;

use super::{header::Header, key::Suite, *};
use crate::error::{OpenError, SealError};

const VECTORS: &str = include_str!("../../data/sframe-test-vectors.json");
const NOW: Duration = Duration::from_secs(100);
const SOON: Duration = Duration::from_secs(101);
const OLD_KEYS_LIVE: Duration = Duration::from_secs(2);

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn leaf(index: u32) -> LeafIndex {
    LeafIndex::new(index).unwrap()
}

/// Media keys as two members of one epoch derive them: leaf 0 and leaf 1.
fn pair(epoch: u64) -> (MediaKeys, MediaKeys) {
    let base_key = Secret::from_slice(&[epoch as u8; 32]).unwrap();
    let keys = |own, other| {
        let others = [(leaf(other), [other as u8; 32])];
        MediaKeys::derive(&base_key, epoch, leaf(own), &others).unwrap()
    };
    (keys(0, 1), keys(1, 0))
}

/// Leaf 0 as sender, leaf 1's ring.
fn call(epoch: u64) -> (SenderKeys, KeyRing) {
    let (sender, receiver) = pair(epoch);
    let mut ring = KeyRing::new();
    ring.install(receiver.into_parts().1, NOW, OLD_KEYS_LIVE);
    (sender.into_parts().0, ring)
}

#[test]
fn all_289_headers_of_the_rfc_match() {
    let vectors = vectors();
    let headers = vectors["header"].as_array().unwrap();
    assert_eq!(headers.len(), 289);
    for vector in headers {
        let header = Header { key_id: vector["kid"].as_u64().unwrap(), counter: vector["ctr"].as_u64().unwrap() };
        let encoded = hex(&vector["encoded"]);
        assert_eq!(header.encode().as_bytes(), encoded);
        assert_eq!(Header::decode(&encoded), Some((header, encoded.len())));
    }
}

#[test]
fn the_layout_of_key_ids_is_frozen() {
    let frozen = crate::vectors::frozen("key_ids");
    assert_eq!(frozen.as_array().unwrap().len(), 6);
    for case in frozen.as_array().unwrap() {
        let number = |at: usize| case[at].as_u64().unwrap();
        let context = MediaContext::ALL[number(0) as usize];
        assert_eq!(key_id(context, leaf(number(1) as u32), number(2)), number(3), "{case}");
    }
}

#[test]
fn suites_4_and_5_of_the_rfc_match_in_both_directions() {
    let vectors = vectors();
    let mut checked = 0;
    for vector in vectors["sframe"].as_array().unwrap() {
        let suite = match vector["cipher_suite"].as_u64().unwrap() {
            4 => Suite::Aes128GcmSha256,
            5 => Suite::Aes256GcmSha512,
            _ => continue,
        };
        let key_id = vector["kid"].as_u64().unwrap();
        let counter = vector["ctr"].as_u64().unwrap();
        let (metadata, plain) = (hex(&vector["metadata"]), hex(&vector["pt"]));
        let sealed = hex(&vector["ct"]);
        let key = FrameKey::derive(suite, &hex(&vector["base_key"]), key_id).unwrap();
        assert_eq!(key.seal(counter, &metadata, plain.clone()).unwrap(), sealed);
        let (header, length) = Header::decode(&sealed).unwrap();
        assert_eq!(header, Header { key_id, counter });
        assert_eq!(key.open(header, length, &metadata, sealed).unwrap(), plain);
        checked += 1;
    }
    assert_eq!(checked, 2);
}

#[test]
fn a_frame_travels_on_every_stream_of_a_member() {
    let (keys, mut ring) = call(3);
    for mut key in [keys.audio, keys.video, keys.screen, keys.data] {
        let context = key.context();
        let sealed = key.seal(b"payload".to_vec()).unwrap();
        assert!(!sealed.as_bytes().windows(7).any(|window| window == b"payload"));
        assert!((7 + 17..=7 + 23).contains(&sealed.len()));
        let opened = ring.open(leaf(0), context, sealed.into_vec(), NOW).unwrap();
        assert_eq!(opened.as_bytes(), b"payload");
        assert_eq!(key.sealed(), 1);
    }
}

#[test]
fn the_same_frame_opens_once() {
    let (mut keys, mut ring) = call(1);
    let frame = keys.audio.seal(vec![1; 40]).unwrap().into_vec();
    assert!(ring.open(leaf(0), MediaContext::Audio, frame.clone(), NOW).is_ok());
    let again = ring.open(leaf(0), MediaContext::Audio, frame, NOW);
    assert_eq!(again.unwrap_err(), OpenError::Replayed);
}

#[test]
fn every_altered_byte_is_refused_and_does_not_move_the_window() {
    let (mut keys, mut ring) = call(1);
    let frame = keys.video.seal(b"a picture".to_vec()).unwrap().into_vec();
    for at in 0..frame.len() {
        let mut altered = frame.clone();
        altered[at] ^= 0x10;
        assert!(ring.open(leaf(0), MediaContext::Video, altered, NOW).is_err(), "byte {at}");
    }
    for length in 0..frame.len() {
        let cut = frame[..length].to_vec();
        assert!(ring.open(leaf(0), MediaContext::Video, cut, NOW).is_err(), "{length} bytes");
    }
    assert!(ring.open(leaf(0), MediaContext::Video, frame, NOW).is_ok());
}

#[test]
fn a_forged_far_counter_does_not_shut_the_sender_out() {
    let (mut keys, mut ring) = call(1);
    let header = Header { key_id: key_id(MediaContext::Audio, leaf(0), 1), counter: 1 << 40 };
    let mut forged = header.encode().as_bytes().to_vec();
    forged.extend_from_slice(&[0; 40]);
    let refused = ring.open(leaf(0), MediaContext::Audio, forged, NOW);
    assert_eq!(refused.unwrap_err(), OpenError::BadTag);
    let frame = keys.audio.seal(vec![0; 20]).unwrap().into_vec();
    assert!(ring.open(leaf(0), MediaContext::Audio, frame, NOW).is_ok());
}

#[test]
fn a_frame_from_another_association_or_stream_is_refused() {
    let (mut keys, mut ring) = call(1);
    let frame = keys.audio.seal(vec![0; 20]).unwrap().into_vec();
    let other = ring.open(leaf(1), MediaContext::Audio, frame.clone(), NOW);
    assert_eq!(other.unwrap_err(), OpenError::WrongSender);
    let stream = ring.open(leaf(0), MediaContext::Video, frame, NOW);
    assert_eq!(stream.unwrap_err(), OpenError::WrongContext);
}

#[test]
fn a_plain_payload_never_opens() {
    let (_, mut ring) = call(1);
    for payload in [&b""[..], &[0; 1200], b"OggS plain audio that nobody sealed"] {
        assert!(ring.open(leaf(0), MediaContext::Audio, payload.to_vec(), NOW).is_err());
    }
}

#[test]
fn an_old_epoch_lives_until_its_end() {
    let (mut old, mut ring) = call(1);
    let (new, receiver) = pair(2);
    ring.install(receiver.into_parts().1, SOON, OLD_KEYS_LIVE);
    let mut new = new.into_parts().0;
    let mut open = |frame: SealedFrame, now| ring.open(leaf(0), MediaContext::Audio, frame.into_vec(), now).map(|_| ());
    let late = SOON + OLD_KEYS_LIVE;
    assert_eq!(open(old.audio.seal(vec![0; 9]).unwrap(), SOON), Ok(()));
    assert_eq!(open(new.audio.seal(vec![0; 9]).unwrap(), SOON), Ok(()));
    assert_eq!(open(old.audio.seal(vec![0; 9]).unwrap(), late), Err(OpenError::UnknownKey));
    assert_eq!(open(new.audio.seal(vec![0; 9]).unwrap(), late), Ok(()));
}

#[test]
fn a_removed_member_and_a_reused_leaf_lose_their_keys_at_once() {
    let (mut old, mut ring) = call(1);
    let base_key = Secret::from_slice(&[2; 32]).unwrap();
    // Leaf 0 is somebody else in epoch 2: the same index, another signature key.
    let keys = MediaKeys::derive(&base_key, 2, leaf(1), &[(leaf(0), [77; 32])]).unwrap();
    ring.install(keys.into_parts().1, NOW, OLD_KEYS_LIVE);
    let frame = old.audio.seal(vec![0; 9]).unwrap().into_vec();
    let refused = ring.open(leaf(0), MediaContext::Audio, frame, NOW);
    assert_eq!(refused.unwrap_err(), OpenError::UnknownKey);
}

#[test]
fn a_key_id_that_comes_round_again_selects_the_new_key() {
    let (mut old, mut ring) = call(1);
    let (_, receiver) = pair(17);
    ring.install(receiver.into_parts().1, NOW, OLD_KEYS_LIVE);
    let frame = old.audio.seal(vec![0; 9]).unwrap().into_vec();
    let refused = ring.open(leaf(0), MediaContext::Audio, frame, NOW);
    assert_eq!(refused.unwrap_err(), OpenError::BadTag);
}

#[test]
fn a_dropped_sender_is_silent_before_the_commit() {
    let (mut keys, mut ring) = call(1);
    ring.drop_sender(leaf(0));
    let frame = keys.audio.seal(vec![0; 9]).unwrap().into_vec();
    let refused = ring.open(leaf(0), MediaContext::Audio, frame, NOW);
    assert_eq!(refused.unwrap_err(), OpenError::UnknownKey);
}

#[test]
fn a_used_up_key_is_an_error_not_a_wrap() {
    let (mut keys, _) = call(1);
    keys.audio.skip_to((1 << 31) - 1);
    assert!(keys.audio.seal(vec![0; 9]).is_ok());
    assert_eq!(keys.audio.seal(vec![0; 9]).unwrap_err(), SealError::Exhausted);
}

#[test]
fn a_buffer_with_room_is_not_replaced() {
    let (mut keys, mut ring) = call(1);
    let mut payload = Vec::with_capacity(1000);
    payload.extend_from_slice(&[5; 900]);
    let before = payload.as_ptr();
    let frame = keys.video.seal(payload).unwrap().into_vec();
    assert_eq!(frame.as_ptr(), before);
    let opened = ring.open(leaf(0), MediaContext::Video, frame, NOW).unwrap();
    assert_eq!(opened.as_bytes().as_ptr(), before);
}
