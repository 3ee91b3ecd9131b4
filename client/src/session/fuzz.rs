//! Parsers of what other members, guests and hosts send, as functions of any bytes: for the fuzzer and its corpus
//! (`tests/fuzz`).

use super::message::{CallMessage, RelayMessage};

type Target = (&'static str, fn(&[u8]));

/// Name and function of each.
pub const FUZZ_TARGETS: &[Target] = &[("call_message", call_message), ("relay_message", relay_message)];

fn call_message(bytes: &[u8]) {
    if let Some(encoded) = CallMessage::decode(bytes).and_then(|message| message.encode()) {
        assert!(CallMessage::decode(&encoded).is_some(), "what we write we read");
    }
}

fn relay_message(bytes: &[u8]) {
    if let Some(message) = RelayMessage::decode(bytes) {
        assert_eq!(message.encode().as_bytes(), bytes, "one message has one spelling");
    }
}
