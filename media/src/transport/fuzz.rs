//! Parsers of what a peer sends, as functions of any bytes: for the fuzzer and its corpus (`tests/fuzz`).

use bytes::Bytes;

use super::{sdp, signal::fingerprint_of};
use crate::packet::{Chunk, MAX_CHUNKS};

type Target = (&'static str, fn(&[u8]));

/// Name and function of each.
pub const FUZZ_TARGETS: &[Target] = &[("rtp_descriptor", rtp_descriptor), ("sdp", session_description)];

fn rtp_descriptor(bytes: &[u8]) {
    if let Ok(chunk) = Chunk::parse(Bytes::copy_from_slice(bytes)) {
        assert!(chunk.index < chunk.count && chunk.count <= MAX_CHUNKS, "a place in a frame of bounded length");
        assert!(!chunk.data.is_empty() && bytes.ends_with(&chunk.data), "the rest of the payload");
    }
}

fn session_description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if sdp::check(&text).is_ok() {
        assert!(fingerprint_of(&text).is_ok(), "what is accepted names one certificate");
    }
}
