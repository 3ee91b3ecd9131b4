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

use crate::codec::VideoCodec;
use crate::frame::EncodedVideo;
use crate::time::MediaTime;

/// Bytes the header adds to a codec's frame.
pub(crate) const HEADER_LEN: usize = 15;

/// Version written by this build; another version is refused.
const VERSION: u8 = 1;

/// Key-frame bit of a picture's flags byte; all other bits are zero.
const FLAG_KEY: u8 = 1;

/// Opus packets in one payload at most: 60 ms.
const MAX_OPUS: u8 = 3;

/// What the codec bytes are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PayloadKind {
    /// So many Opus packets of 20 ms, one to three, in equal parts of the codec bytes. The flags byte tells how many follow the
    /// first.
    Opus(u8),
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
    /// The header of an encoded picture.
    pub(crate) fn of(picture: &EncodedVideo) -> Self {
        let kind = match picture.codec {
            VideoCodec::H264 => PayloadKind::H264,
            VideoCodec::Av1 => PayloadKind::Av1,
        };
        Self { kind, key: picture.key, number: picture.number, captured: picture.captured }
    }

    /// Writes the header and the codec's bytes into one buffer with room for the seal.
    #[must_use]
    pub(crate) fn wrap(&self, codec_bytes: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(HEADER_LEN + codec_bytes.len() + SEAL_ROOM);
        payload.push(VERSION);
        let picture = if self.key { FLAG_KEY } else { 0 };
        let (kind, flags) = match self.kind {
            PayloadKind::Opus(packets) => (0, packets.saturating_sub(1)),
            PayloadKind::H264 => (1, picture),
            PayloadKind::Av1 => (2, picture),
        };
        payload.extend_from_slice(&[kind, flags]);
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
        let (kind, key) = match (kind, flags) {
            (0, 0..MAX_OPUS) => (PayloadKind::Opus(flags + 1), false),
            (1, 0 | FLAG_KEY) => (PayloadKind::H264, flags == FLAG_KEY),
            (2, 0 | FLAG_KEY) => (PayloadKind::Av1, flags == FLAG_KEY),
            _ => return Err(PayloadError::Kind),
        };
        if codec_bytes.is_empty() {
            return Err(PayloadError::Short);
        }
        let header = Self {
            kind,
            key,
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
        for header in [
            header(PayloadKind::Opus(1), false),
            header(PayloadKind::Opus(3), false),
            header(PayloadKind::H264, true),
            header(PayloadKind::Av1, false),
        ] {
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
        let sound = header(PayloadKind::Opus(3), false).wrap(b"abc");
        let longer = [&sound[..2], &[3], &sound[3..]].concat();
        assert_eq!(PayloadHeader::parse(&longer), Err(PayloadError::Kind), "80 ms of sound");
    }
}
