//! The header inside every sealed payload: what the frame is, its number and its capture time.
//!
//! ```text
//!  byte  0        1      2         3..7          7..15                15..
//!      ┌────────┬──────┬───────┬─────────────┬────────────────────┬──────────────
//!      │version │ kind │ flags │ number (BE) │ capture time µs(BE)│ codec bytes
//!      └────────┴──────┴───────┴─────────────┴────────────────────┴──────────────
//! ```
//!
//! It is encrypted with the frame, so the path sees neither codec nor key flag nor time.

use crate::time::MediaTime;

/// Bytes the header adds to a codec's frame.
pub(crate) const HEADER_LEN: usize = 15;

/// Version written by this build; another version is refused.
const VERSION: u8 = 1;

/// Key-frame bit of the flags byte; all other bits are zero.
const FLAG_KEY: u8 = 1;

/// What the codec bytes are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PayloadKind {
    /// One 20 ms Opus packet.
    Opus,
    /// One H.264 access unit, Annex B.
    H264,
    /// One AV1 temporal unit, low-overhead format.
    Av1,
}

/// The parsed header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PayloadHeader {
    /// What the codec bytes are.
    pub(crate) kind: PayloadKind,
    /// Decodable without earlier frames. Always false for sound.
    pub(crate) key: bool,
    /// Counts the frames of one sender and medium; wraps. For video the number of the source picture.
    pub(crate) number: u32,
    /// When the sender captured it, on the sender's monotonic clock.
    pub(crate) captured: MediaTime,
}

/// Why a payload that opened is still refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum PayloadError {
    /// Shorter than the header, or nothing behind it.
    #[error("payload is too short")]
    Short,
    /// Another version of the header.
    #[error("payload version is unknown")]
    Version,
    /// A kind or flag this build does not know.
    #[error("payload kind is unknown")]
    Kind,
}

impl PayloadHeader {
    /// Writes the header and the codec's bytes into one buffer with room for the seal.
    #[must_use]
    pub(crate) fn wrap(&self, codec_bytes: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(HEADER_LEN + codec_bytes.len() + SEAL_ROOM);
        payload.push(VERSION);
        payload.push(match self.kind {
            PayloadKind::Opus => 0,
            PayloadKind::H264 => 1,
            PayloadKind::Av1 => 2,
        });
        payload.push(if self.key { FLAG_KEY } else { 0 });
        payload.extend_from_slice(&self.number.to_be_bytes());
        payload.extend_from_slice(&self.captured.as_micros().to_be_bytes());
        payload.extend_from_slice(codec_bytes);
        payload
    }

    /// Reads the header of an opened payload; the rest are the codec's bytes, never empty.
    ///
    /// # Errors
    /// When it is short, of another version, or of an unknown kind.
    pub(crate) fn parse(payload: &[u8]) -> Result<(Self, &[u8]), PayloadError> {
        let (header, codec_bytes) = payload.split_first_chunk::<HEADER_LEN>().ok_or(PayloadError::Short)?;
        let [version, kind, flags, n0, n1, n2, n3, t0, t1, t2, t3, t4, t5, t6, t7] = *header;
        if version != VERSION {
            return Err(PayloadError::Version);
        }
        let kind = match kind {
            0 => PayloadKind::Opus,
            1 => PayloadKind::H264,
            2 => PayloadKind::Av1,
            _ => return Err(PayloadError::Kind),
        };
        if flags & !FLAG_KEY != 0 || (kind == PayloadKind::Opus && flags != 0) {
            return Err(PayloadError::Kind);
        }
        if codec_bytes.is_empty() {
            return Err(PayloadError::Short);
        }
        let header = Self {
            kind,
            key: flags & FLAG_KEY != 0,
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            captured: MediaTime::from_micros(u64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7])),
        };
        Ok((header, codec_bytes))
    }
}

/// Room for the SFrame header and tag, so that sealing in place does not move the buffer.
const SEAL_ROOM: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: PayloadKind, key: bool) -> PayloadHeader {
        PayloadHeader { kind, key, number: 0xfedc_ba98, captured: MediaTime::from_micros(0x0102_0304_0506_0708) }
    }

    #[test]
    fn a_header_survives_the_way() {
        for header in
            [header(PayloadKind::Opus, false), header(PayloadKind::H264, true), header(PayloadKind::Av1, false)]
        {
            let payload = header.wrap(b"codec");
            assert_eq!(PayloadHeader::parse(&payload), Ok((header, &b"codec"[..])));
        }
    }

    #[test]
    fn short_unknown_and_contradictory_payloads_are_refused() {
        let good = header(PayloadKind::H264, true).wrap(b"x");
        for cut in 0..good.len() {
            assert_eq!(PayloadHeader::parse(&good[..cut]), Err(PayloadError::Short));
        }
        let changed = |at: usize, value: u8| {
            let mut payload = good.clone();
            payload[at] = value;
            PayloadHeader::parse(&payload).map(|_| ())
        };
        assert_eq!(changed(0, 2), Err(PayloadError::Version));
        assert_eq!(changed(1, 3), Err(PayloadError::Kind));
        assert_eq!(changed(2, 2), Err(PayloadError::Kind));
        // Sound has no key frames.
        assert_eq!(changed(1, 0), Err(PayloadError::Kind));
    }
}
