//! What two transports tell each other before they can talk: descriptions and candidates, and the checks on them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest session description taken from a peer, in bytes. Ours are about 2 KiB.
pub(crate) const MAX_SDP_BYTES: usize = 8 * 1024;
/// Longest candidate line taken from a peer, in bytes.
pub(crate) const MAX_CANDIDATE_BYTES: usize = 512;

/// One message of the negotiation, carried to the peer inside an MLS message.
///
/// Its `Debug` prints lengths only: descriptions hold addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Signal {
    /// Session description of the offering side.
    Offer {
        /// SDP, RFC 8866.
        sdp: String,
    },
    /// Session description of the answering side.
    Answer {
        /// SDP, RFC 8866.
        sdp: String,
    },
    /// One more ICE candidate (trickle ICE, RFC 8838).
    Candidate {
        /// The candidate attribute, RFC 8839 section 5.1.
        candidate: String,
        /// Media section it belongs to, by `mid`.
        mid: Option<String>,
        /// Media section it belongs to, by index.
        index: Option<u16>,
    },
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offer { sdp } => write!(f, "Offer({} B)", sdp.len()),
            Self::Answer { sdp } => write!(f, "Answer({} B)", sdp.len()),
            Self::Candidate { candidate, .. } => write!(f, "Candidate({} B)", candidate.len()),
        }
    }
}

/// SHA-256 of a DTLS certificate, as a session description names it (RFC 8122 section 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Why a session description of a peer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// Longer than 8 KiB.
    #[error("too long")]
    TooLong,
    /// No `a=sframe` in its audio or a video section: it does not promise end-to-end encryption.
    #[error("no a=sframe in a media section")]
    NoSframe,
    /// No SHA-256 fingerprint, or more than one certificate.
    #[error("not exactly one SHA-256 fingerprint")]
    Fingerprint,
    /// Other media sections than one audio, two video and one data channel section.
    #[error("not one audio, two video and one data channel section")]
    Sections,
    /// Not a session description at all.
    #[error("malformed")]
    Malformed,
}

/// Fingerprint that a session description names.
///
/// # Errors
///
/// [`SdpError::TooLong`], [`SdpError::Fingerprint`] when there is none, or several that differ.
pub fn fingerprint_of(sdp: &str) -> Result<Fingerprint, SdpError> {
    if sdp.len() > MAX_SDP_BYTES {
        return Err(SdpError::TooLong);
    }
    let mut found = None;
    for line in sdp.lines() {
        let Some(value) = line.strip_prefix("a=fingerprint:") else {
            continue;
        };
        let fingerprint = parse_fingerprint(value).ok_or(SdpError::Fingerprint)?;
        if found.is_some_and(|other| other != fingerprint) {
            return Err(SdpError::Fingerprint);
        }
        found = Some(fingerprint);
    }
    found.ok_or(SdpError::Fingerprint)
}

/// `sha-256 AB:CD:…`, RFC 8122 section 5.
fn parse_fingerprint(value: &str) -> Option<Fingerprint> {
    let (hash, hex) = value.trim().split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut bytes = [0; 32];
    let mut parts = hex.trim().split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Fingerprint(bytes))
}
