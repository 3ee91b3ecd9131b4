//! What the tool found, as a table that a security officer can read.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use super::keys::Stream;
use super::pcap::{Content, Packet};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// RFC 8489.
    Stun,
    /// RFC 6347.
    Dtls,
    /// Parts of opened frames of sound.
    Sound,
    /// Parts of opened frames of the picture.
    Picture,
    /// Parts sent again.
    Again,
    /// Parts of the last frame of a stream, which its end cut.
    Cut,
    /// RFC 3711.
    Rtcp,
    /// The server's connections.
    Tls,
    /// "Nobody is there", with the beginning of a packet that was counted.
    Icmp,
    /// Everything else.
    Unexplained,
}

impl Kind {
    const ALL: [(Self, &str); 10] = [
        (Self::Stun, "STUN: looking for a path"),
        (Self::Dtls, "DTLS: agreeing on keys, heartbeats"),
        (Self::Sound, "SRTP: sound, opened"),
        (Self::Picture, "SRTP: picture, opened"),
        (Self::Again, "SRTP: sent again, as it was"),
        (Self::Cut, "SRTP: last frame, cut by the end"),
        (Self::Rtcp, "SRTCP: reports, opened"),
        (Self::Tls, "TLS: to and from the server"),
        (Self::Icmp, "ICMP: repeats a packet above"),
        (Self::Unexplained, "UNEXPLAINED"),
    ];
}

/// Packets of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// How many.
    pub packets: usize,
    /// Their payloads.
    pub bytes: usize,
}

/// A packet that is not explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Counted from 1.
    pub number: u64,
    /// Since 1970.
    pub at: Duration,
    /// Who sent it.
    pub source: Option<SocketAddr>,
    /// To whom.
    pub destination: Option<SocketAddr>,
    /// Bytes of its payload.
    pub length: usize,
    /// First bytes, hex.
    pub first: String,
    /// Why.
    pub why: &'static str,
}

/// The whole account.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Packets of the capture.
    pub packets: usize,
    /// Bytes of their payloads.
    pub bytes: usize,
    /// The table.
    pub rows: BTreeMap<Kind, Row>,
    /// Frames that opened, by sender and stream.
    pub frames: BTreeMap<(u8, Stream), usize>,
    /// Packets that are not explained, the first 1,000 of them.
    pub findings: Vec<Finding>,
    /// What else does not fit.
    pub contradictions: Vec<String>,
    /// Commitments that were heard during the call and hold.
    pub commitments: usize,
    /// Keys that opened a frame.
    pub keys_used: usize,
    /// Those of them that were committed to while the call ran.
    pub keys_committed: usize,
    /// Most bytes of one side's data channel in 10 s.
    pub most_data: usize,
}

impl Finding {
    /// What is to be said of a packet but why.
    pub(super) fn of(packet: &Packet) -> Self {
        let (source, destination) = match &packet.content {
            Content::Udp(ends) | Content::Tcp(ends, _) => (Some(ends.source), Some(ends.destination)),
            Content::Other(_) => (None, None),
        };
        let mut first = String::new();
        for byte in packet.payload().iter().take(16) {
            // Writing to a text cannot fail.
            write!(first, "{byte:02x}").ok();
        }
        let length = packet.payload().len();
        Self { number: packet.number, at: packet.at, source, destination, length, first, why: "" }
    }
}

impl Report {
    /// Whether everything is explained, and there was something to explain: sound or picture of two senders.
    #[must_use]
    pub fn passes(&self) -> bool {
        let senders = self.frames.keys().map(|(sender, _)| sender).collect::<std::collections::BTreeSet<_>>();
        let accounted: usize = self.rows.values().map(|row| row.packets).sum();
        self.findings.is_empty() && self.contradictions.is_empty() && senders.len() >= 2 && accounted == self.packets
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<38}{:>10}{:>14}", "what", "packets", "bytes")?;
        for (kind, name) in Kind::ALL {
            if let Some(row) = self.rows.get(&kind) {
                writeln!(f, "{name:<38}{:>10}{:>14}", row.packets, row.bytes)?;
            }
        }
        writeln!(f, "{:<38}{:>10}{:>14}", "all of the capture", self.packets, self.bytes)?;
        writeln!(f)?;
        for ((sender, stream), frames) in &self.frames {
            writeln!(f, "sender {sender}: {frames} frames of {stream} opened, each under exactly one key")?;
        }
        writeln!(f, "{} of {} keys in use were committed to during the call", self.keys_committed, self.keys_used)?;
        writeln!(f, "{} commitments hold", self.commitments)?;
        writeln!(f, "the data channels carried at most {} bytes in 10 s", self.most_data)?;
        for said in &self.contradictions {
            writeln!(f, "CONTRADICTION: {said}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let verdict = match self.passes() {
            true => "PASS: every byte is accounted for",
            false if self.frames.is_empty() => "FAIL: no frame of the call opened",
            false => "FAIL: not everything is accounted for",
        };
        f.write_str(verdict)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, at, length, first, why, .. } = self;
        write!(f, "UNEXPLAINED: packet {number}, at {}.{:06}", at.as_secs(), at.subsec_micros())?;
        if let (Some(source), Some(destination)) = (self.source, self.destination) {
            write!(f, ", {source} to {destination}")?;
        }
        write!(f, ", {length} bytes, first {first}: {why}")
    }
}
