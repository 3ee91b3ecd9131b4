//! Codec-blind packetization: one sealed frame ↔ several RTP payloads.
//!
//! RTP carries nothing that says what a payload is: no codec byte, no audio level. RTX packets lose their header
//! extensions, so what reassembly needs stands in a payload header of ours:
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+---------------+---------------+
//! | V |K|S|F|0|0 0|         frame number          |   S = 1: the whole frame, 3 bytes of header
//! +-+-+-+-+-+-+-+-+---------------+---------------+---------------+---------------+
//! | V |K|0|F|0|0 0|         frame number          |  chunk index  |  chunk count  |   2 bytes each
//! +-+-+-+-+-+-+-+-+---------------+---------------+---------------+---------------+
//! | V |K|0|F|1|0 0|         frame number          |  group        |  chunk count  | groups | lengths |   parity
//! +-+-+-+-+-+-+-+-+---------------+---------------+---------------+---------------+--------+---------+
//! ```
//!
//! `V` is 1. `K` says that a receiver can start decoding here; sizes say the same to anyone who watches. `F` says that it can
//! be decoded without the frame right before it. Numbers are big endian and count the frames of one track, wrapping. All chunks
//! of a frame but the last have the same size, so the kernel can send them as one segmented datagram. Parity is that of
//! [`parity`].

use bytes::{BufMut, Bytes, BytesMut};

mod parity;

pub(crate) use parity::{Parity, groups, parity, restore};

/// Longest RTP payload, header of ours included, in bytes.
///
/// 1,280 (the least MTU of IPv6) less 40 (IPv6), 8 (UDP), 4 (TURN channel), 20 (RTP with the transport sequence number),
/// 2 (RTX), 16 (SRTP tag) leaves 1,190. Larger breaks relayed paths over IPv6; smaller costs headers.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 1_190;
/// Most chunks of one frame: 1.2 MB. Larger lets a peer hold more memory; smaller limits key frames.
pub(crate) const MAX_CHUNKS: u16 = 1_024;

const VERSION: u8 = 0b0100_0000;
const VERSION_MASK: u8 = 0b1100_0000;
const KEY: u8 = 0b0010_0000;
const SINGLE: u8 = 0b0001_0000;
const FREE: u8 = 0b0000_1000;
const PARITY: u8 = 0b0000_0100;
const RESERVED: u8 = 0b0000_0011;
const SINGLE_HEADER_BYTES: usize = 3;
const CHUNK_HEADER_BYTES: usize = 7;
const PARITY_HEADER_BYTES: usize = 10;
/// Most bytes of a frame in one chunk: parity of it takes one packet as well.
const MAX_DATA: usize = MAX_PAYLOAD_BYTES - PARITY_HEADER_BYTES;

/// What is told of a frame in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tag {
    /// A receiver can start decoding here.
    pub(crate) key: bool,
    /// It can be decoded without the frame right before it.
    pub(crate) free: bool,
}

impl Tag {
    const fn bits(self) -> u8 {
        VERSION | if self.key { KEY } else { 0 } | if self.free { FREE } else { 0 }
    }
}

/// The frame needs more than [`MAX_CHUNKS`] packets, or is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {bytes} bytes cannot be packetized")]
pub(crate) struct FrameSizeError {
    /// Length of the sealed frame.
    pub(crate) bytes: usize,
}

/// Packets that a frame of so many bytes takes.
///
/// # Errors
///
/// [`FrameSizeError`] when the frame is empty or longer than about 1.2 MB.
pub(crate) fn packets(bytes: usize) -> Result<u16, FrameSizeError> {
    let count = u16::try_from(bytes.div_ceil(MAX_DATA)).ok();
    count.filter(|count| (1..=MAX_CHUNKS).contains(count)).ok_or(FrameSizeError { bytes })
}

/// Cuts a sealed frame into RTP payloads. They share one allocation; one copy of the frame's bytes is made.
///
/// # Errors
///
/// [`FrameSizeError`] when the frame is empty or longer than about 1.2 MB.
pub(crate) fn packetize(bytes: &[u8], number: u16, tag: Tag) -> Result<Vec<Bytes>, FrameSizeError> {
    let count = packets(bytes.len())?;
    let descriptor = tag.bits();
    if count == 1 {
        let mut payload = BytesMut::with_capacity(SINGLE_HEADER_BYTES + bytes.len());
        payload.put_u8(descriptor | SINGLE);
        payload.put_u16(number);
        payload.put_slice(bytes);
        return Ok(vec![payload.freeze()]);
    }
    // Equal chunks instead of full ones and a rest: the last may come out shorter, never empty, since a chunk is far
    // longer than the number of chunks.
    let size = bytes.len().div_ceil(usize::from(count));
    let mut buffer = BytesMut::with_capacity(bytes.len() + usize::from(count) * CHUNK_HEADER_BYTES);
    let mut payloads = Vec::with_capacity(usize::from(count));
    for (index, chunk) in (0..count).zip(bytes.chunks(size)) {
        buffer.put_u8(descriptor);
        buffer.put_u16(number);
        buffer.put_u16(index);
        buffer.put_u16(count);
        buffer.put_slice(chunk);
        payloads.push(buffer.split().freeze());
    }
    Ok(payloads)
}

/// One parsed payload: a part of a sealed frame and its place in it, or what restores one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Number of the frame within its track.
    pub(crate) number: u16,
    /// What is told of the frame.
    pub(crate) tag: Tag,
    /// Place of this part, below `count`.
    pub(crate) index: u16,
    /// Number of parts, 1 to [`MAX_CHUNKS`].
    pub(crate) count: u16,
    /// Bytes of the sealed frame, at least one.
    pub(crate) data: Bytes,
    /// There if this is no part, but the parity of some.
    pub(crate) parity: Option<Parity>,
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, tag, index, count, data, parity } = self;
        write!(f, "Chunk(frame {number}, {tag:?}, {index} of {count}, {} B, {parity:?})", data.len())
    }
}

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    /// Shorter than its header and one byte.
    #[error("too short")]
    TooShort,
    /// Longer than [`MAX_PAYLOAD_BYTES`].
    #[error("too long")]
    TooLong,
    /// Another version, or reserved bits set.
    #[error("unknown version")]
    Version,
    /// No chunks, too many, fewer than two in the long form, or an index outside them.
    #[error("chunk index or count out of range")]
    Range,
}

impl Chunk {
    /// Parses an RTP payload. The chunk shares the payload's memory.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] for anything that [`packetize`] would not have made.
    pub(crate) fn parse(mut payload: Bytes) -> Result<Self, PayloadError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(PayloadError::TooLong);
        }
        let (descriptor, number) = match *payload {
            [descriptor, high, low, _, ..] => (descriptor, u16::from_be_bytes([high, low])),
            _ => return Err(PayloadError::TooShort),
        };
        if descriptor & VERSION_MASK != VERSION || descriptor & RESERVED != 0 {
            return Err(PayloadError::Version);
        }
        let tag = Tag { key: descriptor & KEY != 0, free: descriptor & FREE != 0 };
        if descriptor & SINGLE != 0 {
            if descriptor & PARITY != 0 {
                return Err(PayloadError::Version);
            }
            let data = payload.split_off(SINGLE_HEADER_BYTES);
            return Ok(Self { number, tag, index: 0, count: 1, data, parity: None });
        }
        let (index, count) = match *payload {
            [_, _, _, i0, i1, c0, c1, _, ..] => (u16::from_be_bytes([i0, i1]), u16::from_be_bytes([c0, c1])),
            _ => return Err(PayloadError::TooShort),
        };
        if index >= count || count > MAX_CHUNKS {
            return Err(PayloadError::Range);
        }
        if descriptor & PARITY == 0 {
            if count < 2 {
                return Err(PayloadError::Range);
            }
            let data = payload.split_off(CHUNK_HEADER_BYTES);
            return Ok(Self { number, tag, index, count, data, parity: None });
        }
        let parity = match *payload {
            [_, _, _, _, _, _, _, groups, l0, l1, _, ..] => Parity { groups, lengths: u16::from_be_bytes([l0, l1]) },
            _ => return Err(PayloadError::TooShort),
        };
        if u16::from(parity.groups) > count || index >= u16::from(parity.groups) {
            return Err(PayloadError::Range);
        }
        let data = payload.split_off(PARITY_HEADER_BYTES);
        Ok(Self { number, tag, index, count, data, parity: Some(parity) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Payloads of a frame that was never sealed: for tests of what comes after, which cannot tell.
    pub(crate) fn payloads_of(bytes: &[u8], number: u16, key: bool) -> Vec<Bytes> {
        packetize(bytes, number, Tag { key, free: false }).unwrap()
    }

    #[test]
    fn a_small_frame_takes_one_packet_with_three_bytes_of_header() {
        let payloads = payloads_of(&[7; 80], 0x1234, false);
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0].len(), 83);
        assert_eq!(&payloads[0][..3], &[0b0101_0000, 0x12, 0x34]);
    }

    #[test]
    fn all_chunks_but_the_last_have_one_size_and_none_is_too_long() {
        for length in [1_180, 1_181, 2_360, 2_361, 50_000, 1_180 * 1_024] {
            let payloads = payloads_of(&vec![1; length], 9, true);
            assert!(payloads.iter().all(|payload| payload.len() <= MAX_PAYLOAD_BYTES));
            assert!(payloads.windows(2).all(|pair| pair[1].len() <= pair[0].len()));
            assert!(payloads[..payloads.len() - 1].iter().all(|payload| payload.len() == payloads[0].len()));
            assert!(payloads.last().unwrap().len() > CHUNK_HEADER_BYTES);
        }
    }

    #[test]
    fn an_empty_and_an_oversized_frame_are_refused() {
        assert_eq!(packetize(&[], 0, Tag::default()), Err(FrameSizeError { bytes: 0 }));
        let bytes = 1_180 * 1_024 + 1;
        assert_eq!(packetize(&vec![0; bytes], 0, Tag::default()), Err(FrameSizeError { bytes }));
    }

    #[test]
    fn hostile_payloads_are_refused() {
        let refused = |payload: &'static [u8]| Chunk::parse(Bytes::from_static(payload)).unwrap_err();
        assert_eq!(refused(&[]), PayloadError::TooShort);
        assert_eq!(refused(&[0x50, 0, 0]), PayloadError::TooShort);
        assert_eq!(refused(&[0x40, 0, 0, 0, 0, 0, 2]), PayloadError::TooShort);
        assert_eq!(refused(&[0x90, 0, 0, 1]), PayloadError::Version);
        assert_eq!(refused(&[0x51, 0, 0, 1]), PayloadError::Version);
        assert_eq!(refused(&[0x40, 0, 0, 0, 0, 0, 0, 1]), PayloadError::Range);
        assert_eq!(refused(&[0x40, 0, 0, 0, 0, 0, 1, 1]), PayloadError::Range);
        assert_eq!(refused(&[0x40, 0, 0, 0, 2, 0, 2, 1]), PayloadError::Range);
        assert_eq!(refused(&[0x40, 0, 0, 0, 0, 4, 1, 1]), PayloadError::Range);
        assert_eq!(refused(&[0x50; MAX_PAYLOAD_BYTES + 1]), PayloadError::TooLong);
        assert_eq!(refused(&[0x54, 0, 0, 1]), PayloadError::Version, "parity in one piece");
        assert_eq!(refused(&[0x44, 0, 0, 0, 0, 0, 2, 1, 0, 0]), PayloadError::TooShort);
        assert_eq!(refused(&[0x44, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), PayloadError::Range, "no groups");
        assert_eq!(refused(&[0x44, 0, 0, 0, 0, 0, 2, 3, 0, 0, 1]), PayloadError::Range, "more groups than chunks");
        assert_eq!(refused(&[0x44, 0, 0, 0, 1, 0, 2, 1, 0, 0, 1]), PayloadError::Range, "a group outside of them");
    }

    proptest! {
        #[test]
        fn what_was_cut_is_put_together_again(length in 1_usize..40_000, number: u16, key: bool) {
            let frame: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut whole = Vec::new();
            for (index, payload) in payloads_of(&frame, number, key).into_iter().enumerate() {
                let chunk = Chunk::parse(payload).unwrap();
                prop_assert_eq!((chunk.number, chunk.tag.key, usize::from(chunk.index)), (number, key, index));
                whole.extend_from_slice(&chunk.data);
            }
            prop_assert_eq!(whole, frame);
        }

        #[test]
        fn no_payload_makes_the_parser_panic(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(chunk) = Chunk::parse(Bytes::from(payload)) {
                prop_assert!(chunk.index < chunk.count && !chunk.data.is_empty());
            }
        }
    }
}
