//! Whether what a TCP connection carries is TLS records from its first byte to its last (RFC 8446 section 5.1).

use std::collections::BTreeMap;

use super::pcap::Segment;

/// Longest record of TLS 1.2 with its additions.
const MAX_RECORD: usize = (1 << 14) + 2_048;
/// Segments that may wait for one that is missing.
const MAX_WAITING: usize = 256;

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct TlsStream {
    next: Option<u32>,
    waiting: BTreeMap<u32, Vec<u8>>,
    head: Vec<u8>,
    /// Bytes of the present record that are still to come.
    rest: usize,
}

impl TlsStream {
    /// A segment came. Gives why its bytes are not explained.
    ///
    /// # Errors
    /// A phrase.
    pub fn segment(&mut self, segment: Segment, payload: &[u8]) -> Result<(), &'static str> {
        if segment.syn {
            *self = Self { next: Some(segment.sequence.wrapping_add(1)), ..Self::default() };
        }
        if payload.is_empty() {
            return Ok(());
        }
        let next = *self.next.get_or_insert(segment.sequence);
        match segment.sequence.wrapping_sub(next) as i32 {
            0 => self.take(payload)?,
            ahead @ 1.. => {
                if self.waiting.len() >= MAX_WAITING {
                    return Err("TCP with a gap");
                }
                // By distance: numbers wrap.
                self.waiting.insert(next.wrapping_add(ahead as u32), payload.to_vec());
            }
            // Sent again, all of it or its beginning.
            behind => {
                let known = behind.unsigned_abs() as usize;
                self.take(payload.get(known..).unwrap_or_default())?;
            }
        }
        while let Some(next) = self.next
            && let Some(payload) = self.waiting.remove(&next)
        {
            self.take(&payload)?;
        }
        Ok(())
    }

    /// Whether it ended between two records and nothing waits.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.waiting.is_empty() && self.head.is_empty() && self.rest == 0
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        self.next = self.next.map(|next| next.wrapping_add(bytes.len() as u32));
        while !bytes.is_empty() {
            let inside = self.rest.min(bytes.len());
            self.rest -= inside;
            bytes = bytes.get(inside..).unwrap_or_default();
            let Some((byte, after)) = bytes.split_first() else { break };
            self.head.push(*byte);
            bytes = after;
            if let [content_type, major, minor, high, low] = *self.head {
                self.rest = usize::from(u16::from_be_bytes([high, low]));
                if !(20..=23).contains(&content_type)
                    || major != 3
                    || !(1..=3).contains(&minor)
                    || self.rest > MAX_RECORD
                {
                    return Err("not TLS");
                }
                self.head.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<u8> {
        [[22, 3, 1, 0, 4, 1, 2, 3, 4].as_slice(), &[23, 3, 3, 0, 1, 9], &[21, 3, 3, 0, 2, 1, 0]].concat()
    }

    fn at(sequence: u32) -> Segment {
        Segment { sequence, syn: false }
    }

    #[test]
    fn records_are_known_however_they_are_cut_reordered_or_repeated() {
        let whole = records();
        for cut in 1..whole.len() {
            let (head, tail) = whole.split_at(cut);
            let mut stream = TlsStream::default();
            let start = u32::MAX - 3;
            stream.segment(Segment { sequence: start, syn: true }, &[]).unwrap();
            let first = start.wrapping_add(1);
            stream.segment(at(first.wrapping_add(cut as u32)), tail).unwrap();
            assert!(!stream.is_whole());
            stream.segment(at(first), head).unwrap();
            stream.segment(at(first), &whole).unwrap();
            assert!(stream.is_whole(), "{cut}");
        }
    }

    #[test]
    fn anything_else_is_refused_also_behind_a_record() {
        assert!(TlsStream::default().segment(at(1), b"GET / HTTP/1.1\r\n").is_err());
        assert!(TlsStream::default().segment(at(1), &[records(), b"smuggled".to_vec()].concat()).is_err());
        for head in [[24, 3, 3, 0, 1], [22, 2, 3, 0, 1], [22, 3, 4, 0, 1], [22, 3, 3, 0xff, 1]] {
            assert!(TlsStream::default().segment(at(1), &head).is_err(), "{head:?}");
        }
        let mut stream = TlsStream::default();
        stream.segment(at(1), &records()[..7]).unwrap();
        assert!(!stream.is_whole());
    }
}
