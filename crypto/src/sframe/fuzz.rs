//! Frames as they come from the network. See [`crate::fuzz`].

use std::time::Duration;

use super::{
    header::Header,
    key::{FrameKey, Suite},
    *,
};

pub(crate) fn header(bytes: &[u8]) {
    if let Some((header, length)) = Header::decode(bytes) {
        assert_eq!(bytes.get(..length), Some(header.encode().as_bytes()), "a header has one spelling");
    }
}

/// A frame as it is, and one that was sealed with the input as header and payload.
pub(crate) fn frame(bytes: &[u8]) {
    let leaf = |index| LeafIndex::new(index).expect("below 16");
    let base_key = Secret::from_slice(&[7; 32]).expect("32 bytes");
    let keys = MediaKeys::derive(&base_key, 3, leaf(1), &[(leaf(0), [0; 32])]).expect("ring derives");
    let mut ring = KeyRing::new();
    ring.install(keys.into_parts().1, Duration::ZERO, Duration::ZERO);
    for context in MediaContext::ALL {
        ring.open(leaf(0), context, bytes.to_vec(), Duration::ZERO).ok();
    }
    let Some((header, length)) = Header::decode(bytes) else { return };
    let key = FrameKey::derive(Suite::Aes256GcmSha512, base_key.expose(), header.key_id).expect("ring derives");
    key.open(header, length, &[], bytes.to_vec()).ok();
    let payload = bytes.get(length..).unwrap_or_default();
    let sealed = key.seal(header.counter, &[], payload.to_vec()).expect("ring seals");
    assert_eq!(key.open(header, length, &[], sealed.clone()).as_deref(), Ok(payload));
    let context = MediaContext::ALL.into_iter().find(|context| *context as u64 == header.key_id >> 8);
    let Some(context) = context else { return };
    let ours = header.key_id & 0xff == 0x03;
    let opened = ring.open(leaf(0), context, sealed.clone(), Duration::ZERO);
    assert_eq!(opened.is_ok(), ours, "only frames of leaf 0 in epoch 3 open");
    assert!(ring.open(leaf(0), context, sealed, Duration::ZERO).is_err(), "a frame opens once");
}
