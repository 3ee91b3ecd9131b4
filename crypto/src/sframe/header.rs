//! The SFrame header (RFC 9605 §4.3): a config byte, then key id and counter in as few bytes as
//! they need.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+------------------+------------------+
//! |X|  K  |Y|  C  | key id, K+1 bytes| counter, C+1 B   |
//! +-+-+-+-+-+-+-+-+------------------+------------------+
//!  X = 0: K is the key id itself, no bytes follow; Y and C likewise for the counter.
//! ```

/// Key id and counter of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) key_id: u64,
    pub(crate) counter: u64,
}

/// Longest header: config byte, eight bytes of key id, eight of counter.
const MAX_LENGTH: usize = 17;

/// An encoded header on the stack.
pub(crate) struct Encoded {
    bytes: [u8; MAX_LENGTH],
    length: usize,
}

impl Encoded {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Header {
    /// The one shortest encoding.
    pub(crate) fn encode(self) -> Encoded {
        let (key_flag, key_bytes) = field(self.key_id);
        let (counter_flag, counter_bytes) = field(self.counter);
        let mut out = Encoded { bytes: [0; MAX_LENGTH], length: 0 };
        let config = [(key_flag << 4) | counter_flag];
        let key_id = self.key_id.to_be_bytes();
        let counter = self.counter.to_be_bytes();
        let parts =
            config.iter().chain(key_id.iter().skip(8 - key_bytes)).chain(counter.iter().skip(8 - counter_bytes));
        for (to, from) in out.bytes.iter_mut().zip(parts) {
            *to = *from;
            out.length += 1;
        }
        out
    }

    /// Reads a header from the front of a frame and gives its length.
    ///
    /// A header that is not in its shortest form is refused, so that a frame has one spelling.
    pub(crate) fn decode(frame: &[u8]) -> Option<(Self, usize)> {
        let (&config, rest) = frame.split_first()?;
        let (key_id, rest) = value(config >> 4, rest)?;
        let (counter, rest) = value(config & 0x0f, rest)?;
        Some((Self { key_id, counter }, frame.len() - rest.len()))
    }
}

/// The four flag bits of a value and the number of bytes that follow.
fn field(value: u64) -> (u8, usize) {
    if value < 8 {
        return (value as u8, 0);
    }
    let bytes = 8 - value.leading_zeros() as usize / 8;
    (0x08 | (bytes as u8 - 1), bytes)
}

/// The value that four flag bits and the following bytes say.
fn value(flags: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    if flags & 0x08 == 0 {
        return Some((u64::from(flags), rest));
    }
    let length = usize::from(flags & 0x07) + 1;
    let (bytes, rest) = rest.split_at_checked(length)?;
    let value = bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
    (field(value).1 == length).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_of_our_key_ids_costs_two_bytes_of_header() {
        let header = Header { key_id: 0x1f, counter: 3 };
        assert_eq!(header.encode().as_bytes(), [0x83, 0x1f]);
        let header = Header { key_id: 0x1ff, counter: 300 };
        assert_eq!(header.encode().as_bytes(), [0x99, 0x01, 0xff, 0x01, 0x2c]);
    }

    #[test]
    fn a_long_spelling_is_refused() {
        assert_eq!(Header::decode(&[0x80, 0x07]), None);
        assert_eq!(Header::decode(&[0x90, 0x00, 0x20]), None);
    }

    #[test]
    fn every_truncation_is_refused() {
        let encoded = Header { key_id: u64::MAX, counter: u64::MAX }.encode();
        let bytes = encoded.as_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Header::decode(&bytes[..length]), None);
        }
        assert!(Header::decode(bytes).is_some());
    }
}
