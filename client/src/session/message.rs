//! What members tell each other inside MLS application messages, as JSON.

use media::transport::{Fingerprint, Signal};
use serde::{Deserialize, Serialize};
use signaling::protocol::Opaque;
use zeroize::Zeroizing;

use super::view::SourceState;
use crate::private::Private;

/// A longer message of a member is not read: session descriptions take 8 KiB at most.
const LONGEST: usize = 24 * 1024;
/// A longer name of a member is cut off.
const LONGEST_NAME: usize = 100;

/// One message of a member. Who sent it is known from MLS alone; nothing in it is believed about the sender.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum CallMessage {
    /// First words after joining, and the answer of those who were there.
    Hello {
        /// Name that a guest gives itself; a staff member's comes from its certificate.
        name: Option<Private>,
        /// What it sends.
        sources: Sources,
    },
    /// What the member sends changed.
    Sources(Sources),
    /// Transport negotiation with one member.
    Signal(SignalMessage),
    /// A signed statement of what the sender sees of the group.
    Heartbeat {
        /// Made and read by `crypto`.
        body: Opaque,
    },
    /// Bytes of a spoken check.
    Safety {
        /// Made and read by `crypto`.
        body: Opaque,
    },
    /// What a member found on comparing the words.
    SafetyAnswer {
        /// Whether the words were the same.
        matches: bool,
    },
    /// The member's address changed: who offers makes the association anew.
    Moved,
    /// The member leaves and asks to be removed.
    Leaving {
        /// Signed by its leaf: where no host takes it out, others may. Made and read by `crypto`.
        request: Opaque,
    },
}

/// What a member sends, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sources {
    /// Its microphone.
    pub microphone: SourceState,
    /// Its camera.
    pub camera: SourceState,
    /// A window of it.
    pub screen: SourceState,
}

/// A session description or candidate, bound to both leaves and to one DTLS certificate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalMessage {
    /// Signature key of the sender's leaf.
    pub from: Opaque,
    /// Signature key of the receiver's leaf.
    pub to: Opaque,
    /// Names this negotiation; made by the offering side.
    pub negotiation: Opaque,
    /// Certificate that the sender shows in this association.
    pub fingerprint: Fingerprint,
    /// What the transport says.
    pub signal: Signal,
}

impl CallMessage {
    /// Wire form, `None` when it is too long to be sent.
    pub(super) fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Zeroizing::new).filter(|bytes| bytes.len() <= LONGEST)
    }

    /// Reads a member's message, `None` when it is none of ours.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let mut message = serde_json::from_slice(bytes).ok()?;
        if let Self::Hello { name: Some(name), .. } = &mut message
            && name.len() > LONGEST_NAME
        {
            *name = name.chars().take(LONGEST_NAME / 4).collect::<String>().into();
        }
        Some(message)
    }
}

/// What passes between guest and host before admission: a kind byte, then bytes.
///
/// ```text
/// +------+-----------------------------+
/// | kind | message of the exchange … |
/// +------+-----------------------------+
/// ```
/// Kinds 1 to 5 are the five messages of the invitation exchange, 6 is that of a member who lost its group, 7 a host's to a
/// colleague (the group's id, 16 bytes), 8 the colleague's answer (key package and certificate), 9 the record of an
/// invitation for who hosts now: all authenticated by themselves but 7, which can only lead to a refusal.
/// The others are advice without proof: the server could have made them, so they only change a notice, or begin an
/// exchange anew that the server could have made begin anew by saying that the host was away.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RelayMessage<'a> {
    /// Message 1 to 9.
    Exchange(u8, &'a [u8]),
    /// Host to guest: the knock was refused, with a code as text.
    Refused(&'a str),
    /// Guest to host: message 2 said that the code is wrong.
    CodeFailed,
    /// Host to guest: another device answers from now on, so knock again.
    KnockAgain,
}

impl<'a> RelayMessage<'a> {
    const REFUSED: u8 = 0x20;
    const CODE_FAILED: u8 = 0x21;
    const KNOCK_AGAIN: u8 = 0x22;

    /// Reads the bytes of a relay.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            number @ 1..=9 => Some(Self::Exchange(number, rest)),
            Self::REFUSED if rest.len() <= 8 => std::str::from_utf8(rest).ok().map(Self::Refused),
            Self::CODE_FAILED if rest.is_empty() => Some(Self::CodeFailed),
            Self::KNOCK_AGAIN if rest.is_empty() => Some(Self::KnockAgain),
            _ => None,
        }
    }

    /// Wire form.
    pub(super) fn encode(&self) -> Opaque {
        let (kind, rest) = match self {
            Self::Exchange(number, bytes) => (*number, *bytes),
            Self::Refused(code) => (Self::REFUSED, code.as_bytes()),
            Self::CodeFailed => (Self::CODE_FAILED, [].as_slice()),
            Self::KnockAgain => (Self::KNOCK_AGAIN, [].as_slice()),
        };
        Opaque::new([&[kind], rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relayed_messages_read_back() {
        for message in [
            RelayMessage::Exchange(3, b"abc"),
            RelayMessage::Refused("INV-08"),
            RelayMessage::CodeFailed,
            RelayMessage::KnockAgain,
        ] {
            assert_eq!(RelayMessage::decode(message.encode().as_bytes()), Some(message));
        }
        for wrong in [&b""[..], b"\x00x", b"\x0ax", b"\x20far too long for a code", b"\x21x", b"\x22x"] {
            assert_eq!(RelayMessage::decode(wrong), None);
        }
    }

    #[test]
    fn a_long_name_of_a_member_is_cut_off() {
        let hello = CallMessage::Hello {
            name: Some("x".repeat(5_000).into()),
            sources: Sources { microphone: SourceState::On, camera: SourceState::Missing, screen: SourceState::Off },
        };
        let Some(CallMessage::Hello { name: Some(name), .. }) = CallMessage::decode(&hello.encode().unwrap()) else {
            panic!("a hello")
        };
        assert!(name.len() <= LONGEST_NAME);
    }

    #[test]
    fn unknown_or_oversized_messages_are_not_read() {
        assert!(CallMessage::decode(br#"{"type":"whisper"}"#).is_none());
        assert!(CallMessage::decode(&vec![b' '; LONGEST + 1]).is_none());
    }
}
