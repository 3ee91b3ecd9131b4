//! STUN messages and channel data one after the other on a stream (RFC 8656 section 12.5, RFC 8489 section 6.2.2).

use bytes::{Buf, Bytes, BytesMut};

/// A message must not be longer: datagrams fit into one packet of the network below, and our own are shorter.
const LONGEST: usize = 2_048;
/// Header of a STUN message.
const STUN_HEADER: usize = 20;
/// Header of channel data: number and length.
const CHANNEL_HEADER: usize = 4;

/// What came on the stream is no sequence of such messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay sent what is neither STUN nor channel data, or is too long")]
pub(super) struct NotFramed;

/// Cuts a stream into messages; holds one unfinished message at most.
#[derive(Debug, Default)]
pub(super) struct Framer {
    held: BytesMut,
}

impl Framer {
    /// Takes what was read, at most [`LONGEST`] bytes at a time.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole message, without padding.
    ///
    /// # Errors
    /// [`NotFramed`]; the stream is of no use any more.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, NotFramed> {
        let Some(&[first, _, high, low]) = self.held.first_chunk() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (message, on_stream) = match first >> 6 {
            0 => (STUN_HEADER + length, STUN_HEADER + length),
            1 => (CHANNEL_HEADER + length, CHANNEL_HEADER + length.next_multiple_of(4)),
            _ => return Err(NotFramed),
        };
        if on_stream > LONGEST {
            return Err(NotFramed);
        }
        if self.held.len() < on_stream {
            return Ok(None);
        }
        let bytes = self.held.split_to(message).freeze();
        self.held.advance(on_stream - message);
        Ok(Some(bytes))
    }
}

/// Writes a message as the stream has it: channel data is padded. What is no such message, or too long, is dropped.
pub(super) fn put(message: &[u8], out: &mut Vec<u8>) {
    let known = message.first().is_some_and(|first| first >> 6 <= 1);
    if known && message.len() <= LONGEST {
        out.extend_from_slice(message);
        out.resize(out.len() + (message.len().next_multiple_of(4) - message.len()), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(body: u16) -> Vec<u8> {
        let mut message = vec![0; STUN_HEADER + usize::from(body)];
        message[2..4].copy_from_slice(&body.to_be_bytes());
        message
    }

    fn channel(length: u16) -> Vec<u8> {
        let mut message = vec![7; CHANNEL_HEADER + usize::from(length)];
        message[..2].copy_from_slice(&0x4001_u16.to_be_bytes());
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    #[test]
    fn messages_come_back_whole_however_the_stream_is_cut() {
        let messages = [stun(8), channel(5), channel(0), stun(0), channel(1_200)];
        let mut stream = Vec::new();
        messages.iter().for_each(|message| put(message, &mut stream));
        assert_eq!(stream.len() % 4, 0);
        for piece in [1, 3, 7, 64, stream.len()] {
            let mut framer = Framer::default();
            let mut read = Vec::new();
            for bytes in stream.chunks(piece) {
                framer.push(bytes);
                while let Some(message) = framer.next().unwrap() {
                    read.push(message.to_vec());
                }
            }
            assert_eq!(read, messages, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_message_or_too_long_ends_the_stream() {
        for bytes in [[0x80, 0, 0, 0], [0xFF, 0, 0, 0], [0, 1, 0xFF, 0xFC], [0x40, 1, 0x08, 0x00]] {
            let mut framer = Framer::default();
            framer.push(&bytes);
            assert_eq!(framer.next(), Err(NotFramed), "{bytes:?}");
        }
        let mut out = Vec::new();
        put(&[0x80; 30], &mut out);
        put(&vec![0x40; LONGEST + 1], &mut out);
        put(&[], &mut out);
        assert!(out.is_empty());
    }
}
