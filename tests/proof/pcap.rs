//! Packets from a capture file, and the UDP or TCP payload in each.
//!
//! ```text
//! file   = magic u32 | version 2 × u16 | reserved 2 × u32 | snap length u32 | link type u32 | record*
//! record = seconds u32 | micro- or nanoseconds u32 | captured u32 | original u32 | frame
//! ```
//!
//! The classic format of tcpdump, in either byte order. Nothing is skipped: what cannot be taken apart comes back as
//! [`Content::Other`] with the reason, so that the caller can refuse to explain it.

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

/// Longest frame that is taken, in bytes: tcpdump's own limit. One that claims more ends the reading.
const MAX_FRAME: usize = 262_144;

/// Extension headers of IPv6 that are followed, and VLAN tags.
const MAX_NESTED: usize = 8;

/// Why a file cannot be read on.
#[derive(Debug)]
pub enum PcapError {
    /// Not the classic format. The newer one begins with 0x0a0d0d0a: `tcpdump -r old -w new` or `editcap -F pcap` convert it.
    NotPcap,
    /// A link type that this reader does not know.
    LinkType(u32),
    /// The file ends in the middle of a record.
    CutShort,
    /// A record claims more than 262,144 bytes.
    TooLong(u32),
    /// The file cannot be read.
    Read(io::Error),
}

impl fmt::Display for PcapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPcap => f.write_str("not a capture in the classic pcap format"),
            Self::LinkType(number) => write!(f, "link type {number} is not known"),
            Self::CutShort => f.write_str("the capture ends in the middle of a packet"),
            Self::TooLong(bytes) => write!(f, "a packet claims {bytes} bytes"),
            Self::Read(_) => f.write_str("reading the capture failed"),
        }
    }
}

impl std::error::Error for PcapError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            _ => None,
        }
    }
}

/// How frames are wrapped, by their numbers at tcpdump.org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// 0 and 108: an address family of four bytes.
    Loopback,
    /// 1.
    Ethernet,
    /// 101.
    Ip,
    /// 113.
    LinuxCooked,
    /// 276.
    LinuxCooked2,
}

/// Reads a capture record by record; holds one at a time.
#[derive(Debug)]
pub struct Capture<R> {
    file: R,
    big_endian: bool,
    fraction: u32,
    link: Link,
    number: u64,
}

/// One record of a capture.
#[derive(Debug)]
pub struct Packet {
    /// Counted from 1, as other tools do.
    pub number: u64,
    /// Since 1970.
    pub at: Duration,
    /// What it holds.
    pub content: Content,
    /// Length on the wire.
    pub wire_len: usize,
    frame: Vec<u8>,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A UDP datagram.
    Udp(Ends),
    /// A TCP segment: who, and where in the stream its payload stands.
    Tcp(Ends, Segment),
    /// Something else; the phrase is fixed and says what.
    Other(&'static str),
}

/// Place of a TCP segment in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number of the first byte.
    pub sequence: u32,
    /// A connection begins: the next byte has the next sequence number.
    pub syn: bool,
}

/// Who sends to whom, and where in the frame the payload lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Address and port of the sender.
    pub source: SocketAddr,
    /// Address and port of the receiver.
    pub destination: SocketAddr,
    payload: Range<usize>,
}

impl Packet {
    /// The payload of UDP or TCP; of anything else the whole frame.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match &self.content {
            Content::Udp(ends) | Content::Tcp(ends, _) => self.frame.get(ends.payload.clone()).unwrap_or_default(),
            Content::Other(_) => &self.frame,
        }
    }
}

impl<R: Read> Capture<R> {
    /// Reads the head of the file.
    ///
    /// # Errors
    /// [`PcapError::NotPcap`], [`PcapError::LinkType`], [`PcapError::Read`].
    pub fn open(mut file: R) -> Result<Self, PcapError> {
        let mut head = [0; 24];
        if !fill(&mut file, &mut head)? {
            return Err(PcapError::NotPcap);
        }
        let (big_endian, fraction) = match head[..4] {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1_000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1_000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            _ => return Err(PcapError::NotPcap),
        };
        // The upper bits tell of a checksum at the end of frames, which no sound capture here has.
        let link = match word(&head[20..24], big_endian) {
            0 | 108 => Link::Loopback,
            1 => Link::Ethernet,
            101 => Link::Ip,
            113 => Link::LinuxCooked,
            276 => Link::LinuxCooked2,
            other => return Err(PcapError::LinkType(other)),
        };
        Ok(Self { file, big_endian, fraction, link, number: 0 })
    }

    /// The next record, or `None` at the end of the file.
    ///
    /// # Errors
    /// [`PcapError::CutShort`], [`PcapError::TooLong`], [`PcapError::Read`]; nothing more can be read then.
    pub fn packet(&mut self) -> Result<Option<Packet>, PcapError> {
        let mut head = [0; 16];
        if !fill(&mut self.file, &mut head)? {
            return Ok(None);
        }
        let [seconds, fraction, captured, original] = [0, 4, 8, 12].map(|at| word(&head[at..at + 4], self.big_endian));
        let length = usize::try_from(captured).ok().filter(|length| *length <= MAX_FRAME);
        let mut frame = vec![0; length.ok_or(PcapError::TooLong(captured))?];
        if !frame.is_empty() && !fill(&mut self.file, &mut frame)? {
            return Err(PcapError::CutShort);
        }
        self.number += 1;
        let at =
            Duration::from_secs(seconds.into()) + Duration::from_nanos(u64::from(fraction) * u64::from(self.fraction));
        let content = if original > captured {
            Content::Other("cut short by the capture")
        } else {
            taken_apart(self.link, &frame).unwrap_or_else(Content::Other)
        };
        Ok(Some(Packet { number: self.number, at, content, wire_len: original as usize, frame }))
    }
}

/// Fills `bytes`, or says that the file ended before the first.
fn fill(file: &mut impl Read, bytes: &mut [u8]) -> Result<bool, PcapError> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(PcapError::CutShort),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(PcapError::Read(error)),
        }
    }
    Ok(true)
}

fn word(bytes: &[u8], big_endian: bool) -> u32 {
    let fold = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
    if big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
}

type Taken = Result<Content, &'static str>;

const SHORT: &str = "shorter than its headers";
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;

fn taken_apart(link: Link, frame: &[u8]) -> Taken {
    let (mut protocol, mut at) = match link {
        Link::Ethernet => (u16_at(frame, 12)?, 14),
        Link::LinuxCooked => (u16_at(frame, 14)?, 16),
        Link::LinuxCooked2 => (u16_at(frame, 0)?, 20),
        // The family is written in the byte order of the machine that captured, and differs between systems; the version of the
        // packet says the same.
        Link::Loopback => (by_version(frame, 4)?, 4),
        Link::Ip => (by_version(frame, 0)?, 0),
    };
    for _ in 0..MAX_NESTED {
        if protocol != VLAN {
            break;
        }
        (protocol, at) = (u16_at(frame, at + 2)?, at + 4);
    }
    match protocol {
        IPV4 => ipv4(frame, at),
        IPV6 => ipv6(frame, at),
        0x0806 => Err("ARP"),
        _ => Err("neither IPv4 nor IPv6"),
    }
}

fn by_version(frame: &[u8], at: usize) -> Result<u16, &'static str> {
    match frame.get(at).map(|byte| byte >> 4) {
        Some(4) => Ok(IPV4),
        Some(6) => Ok(IPV6),
        Some(_) => Err("neither IPv4 nor IPv6"),
        None => Err(SHORT),
    }
}

fn ipv4(frame: &[u8], at: usize) -> Taken {
    let head: &[u8; 20] = frame.get(at..).and_then(<[u8]>::first_chunk).ok_or(SHORT)?;
    let header = usize::from(head[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if head[0] >> 4 != 4 || header < 20 || total < header {
        return Err("malformed IPv4");
    }
    // More fragments, or not the first one.
    if u16::from_be_bytes([head[6], head[7]]) & 0x3fff != 0 {
        return Err("a fragment of IPv4");
    }
    let [source, destination] = [12, 16].map(|at| Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]));
    carried(frame, head[9], at + header..at + total, source.into(), destination.into())
}

fn ipv6(frame: &[u8], at: usize) -> Taken {
    let head: &[u8; 40] = frame.get(at..).and_then(<[u8]>::first_chunk).ok_or(SHORT)?;
    if head[0] >> 4 != 6 {
        return Err("malformed IPv6");
    }
    let address = |from: usize| -> Result<IpAddr, &'static str> {
        let bytes: [u8; 16] = head.get(from..from + 16).and_then(|bytes| bytes.try_into().ok()).ok_or(SHORT)?;
        Ok(Ipv6Addr::from(bytes).into())
    };
    let end = at + 40 + usize::from(u16::from_be_bytes([head[4], head[5]]));
    let (mut next, mut start) = (head[6], at + 40);
    for _ in 0..MAX_NESTED {
        match next {
            0 | 43 | 60 => {
                let extension = frame.get(start..end).ok_or(SHORT)?;
                let [following, length, ..] = *extension else {
                    return Err(SHORT);
                };
                (next, start) = (following, start + 8 + usize::from(length) * 8);
            }
            44 => return Err("a fragment of IPv6"),
            _ => break,
        }
    }
    carried(frame, next, start..end, address(8)?, address(24)?)
}

/// What an IP packet carries; `range` is where in the frame.
fn carried(frame: &[u8], protocol: u8, range: Range<usize>, source: IpAddr, destination: IpAddr) -> Taken {
    let segment = frame.get(range.clone()).ok_or(SHORT)?;
    let ends = |header: usize| -> Result<Ends, &'static str> {
        Ok(Ends {
            source: SocketAddr::new(source, u16_at(segment, 0)?),
            destination: SocketAddr::new(destination, u16_at(segment, 2)?),
            payload: range.start + header..range.end,
        })
    };
    match protocol {
        17 if usize::from(u16_at(segment, 4)?) == segment.len() && segment.len() >= 8 => Ok(Content::Udp(ends(8)?)),
        17 => Err("malformed UDP"),
        6 => {
            let header = usize::from(segment.get(12).ok_or(SHORT)? >> 4) * 4;
            if header < 20 || header > segment.len() {
                return Err("malformed TCP");
            }
            let sequence = segment.get(4..8).map(|bytes| word(bytes, true)).ok_or(SHORT)?;
            let syn = segment.get(13).is_some_and(|flags| flags & 0x02 != 0);
            Ok(Content::Tcp(ends(header)?, Segment { sequence, syn }))
        }
        1 | 58 => Err("ICMP"),
        2 => Err("IGMP"),
        _ => Err("neither UDP nor TCP"),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, &'static str> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(SHORT)?;
    Ok(u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests;
