//! Bounded reading and writing of our own encodings: big-endian numbers, fixed arrays, and byte
//! strings with a two-byte length.

/// Reads an MLS structure (RFC 9420 §2.1) that fills the bytes exactly.
///
/// By the reader, not by the slice: for a length that reaches past the end, the slice functions
/// of `tls_codec` assert in a debug build where they should return an error.
pub(crate) fn read_tls<T: tls_codec::Deserialize>(bytes: &[u8]) -> Option<T> {
    T::tls_deserialize_exact(bytes).ok()
}

/// Reads from the front of a slice; every read is checked.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A byte string of at most `most` bytes.
    pub(crate) fn bytes(&mut self, most: usize) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        if length > most {
            return None;
        }
        self.take(length)
    }

    /// A UTF-8 string of at most `most` bytes.
    pub(crate) fn text(&mut self, most: usize) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(most)?).ok()
    }

    /// Succeeds when nothing is left over.
    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Appends to a byte vector; the caller wraps it in `Zeroizing` where the content is secret.
pub(crate) trait Write {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    /// A byte string with its length; longer than 65,535 bytes is a defect of the caller and is
    /// cut, which the peer's parser refuses.
    fn put_bytes(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.put_u16(length);
        self.put(bytes.get(..usize::from(length)).unwrap_or_default());
    }
}

impl Write for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        bytes.put_u8(1);
        bytes.put_u32(2);
        bytes.put_u64(3);
        bytes.put_bytes(b"abc");
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u8(), Some(1));
        assert_eq!(reader.u32(), Some(2));
        assert_eq!(reader.u64(), Some(3));
        assert_eq!(reader.text(3), Some("abc"));
        assert_eq!(reader.end(), Some(()));
        assert_eq!(reader.u8(), None);
    }

    #[test]
    fn a_length_past_the_end_is_no_panic() {
        for bytes in [&[0x40][..], &[0x32, 1, 2], &[0xbf, 0xff, 0xff, 0xff, 0], &[0xff; 9]] {
            assert!(read_tls::<tls_codec::VLBytes>(bytes).is_none());
        }
        assert!(read_tls::<tls_codec::VLBytes>(&[1, 7]).is_some());
    }

    #[test]
    fn a_string_over_its_bound_is_refused() {
        let mut bytes = Vec::new();
        bytes.put_bytes(b"abcd");
        assert_eq!(Reader::new(&bytes).bytes(3), None);
    }
}
