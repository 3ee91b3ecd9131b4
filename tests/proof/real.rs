//! What the capture of a real call shows without any key: form, order, sizes, and no trace of what is known to be shown.
//!
//! SFrame lies under SRTP, so key ids, counters and epochs are not to be seen here: only a call in assessor mode shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use super::classify::{Class, classify, client_random};
use super::icmp::Recent;
use super::pcap::{Content, Ends, Packet, Segment};
use super::report::Finding;
use super::stun::is_check;
use super::tls::TlsStream;
use crate::search::Search;

/// Findings that are kept in full; the others are counted.
const MAX_FINDINGS: usize = 1_000;
/// Header of a part, of a frame, one byte, tag of a frame, tag of SRTP.
const LEAST_PAYLOAD: usize = 3 + 2 + 1 + 16 + 16;
/// Longest part, tag of SRTP, and the number in front of a retransmission.
const MOST_PAYLOAD: usize = 1_190 + 16 + 2;
/// How far a sequence number may lie from the newest one.
const FAR: u16 = 2_048;
/// Fewer bytes than these say nothing of their distribution.
const ENOUGH: u64 = 100_000;
/// Of evenly distributed bytes chi-square lies at 255 ± 23: this is 10 deviations away. H.264 and Opus in clear are
/// thousands.
const MOST_CHI_SQUARE: f64 = 480.0;
/// Pieces of known content that are looked for.
const PIECES: usize = 500;
const PIECE: usize = 16;

/// What `--real` reports.
#[derive(Debug)]
pub struct RealReport {
    /// Packets of the capture.
    pub packets: usize,
    /// Packets by kind: STUN, DTLS, SRTP, SRTCP, TLS, ICMP that repeats one of them.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Packets that are not explained by their form.
    pub findings: Vec<Finding>,
    /// Chi-square of the bytes of SRTP, by sender, where there were enough of them.
    pub evenness: Vec<(SocketAddr, f64)>,
    /// Pieces of known content that were looked for, and in how many packets one was found.
    pub known: (usize, usize),
}

/// See the module.
pub struct Real {
    server: Option<SocketAddr>,
    search: Option<Search>,
    recent: Recent,
    flows: BTreeSet<(SocketAddr, SocketAddr)>,
    /// Newest sequence number of a stream, and those seen.
    streams: BTreeMap<(SocketAddr, u32), (u16, BTreeSet<u16>)>,
    bytes: BTreeMap<SocketAddr, [u64; 256]>,
    tls: BTreeMap<(SocketAddr, SocketAddr), TlsStream>,
    report: RealReport,
}

impl Real {
    /// `known` is content that was shown or played in the call, as it was before it was encoded.
    #[must_use]
    pub fn new(server: Option<SocketAddr>, known: &[u8]) -> Self {
        let pieces = pieces(known);
        let report = RealReport {
            packets: 0,
            kinds: BTreeMap::new(),
            findings: Vec::new(),
            evenness: Vec::new(),
            known: (pieces.len(), 0),
        };
        let search = (!pieces.is_empty()).then(|| Search::new(pieces.iter().copied()));
        Self {
            server,
            search,
            recent: Recent::default(),
            flows: BTreeSet::new(),
            streams: BTreeMap::new(),
            bytes: BTreeMap::new(),
            tls: BTreeMap::new(),
            report,
        }
    }

    /// Takes the next packet.
    pub fn packet(&mut self, packet: &Packet) {
        self.report.packets += 1;
        let payload = packet.payload();
        if self.search.as_ref().is_some_and(|search| search.find(payload).next().is_some()) {
            self.report.known.1 += 1;
            return self.refuse(packet, "holds known content in clear");
        }
        let kind = match &packet.content {
            Content::Udp(ends) => self.udp(ends, payload),
            Content::Tcp(ends, segment) => self.tcp(ends, *segment, payload),
            Content::Other("ICMP") if self.recent.quoted_by(payload) => Ok("ICMP"),
            Content::Other(why) => Err(*why),
        };
        match kind {
            Ok(kind) => *self.report.kinds.entry(kind).or_default() += 1,
            Err(why) => self.refuse(packet, why),
        }
    }

    fn udp(&mut self, ends: &Ends, payload: &[u8]) -> Result<&'static str, &'static str> {
        self.recent.add(ends, payload);
        let pair = (ends.source.min(ends.destination), ends.source.max(ends.destination));
        match classify(payload) {
            Class::Stun if is_check(payload) => Ok("STUN"),
            Class::Stun => Err("STUN with something else inside"),
            Class::Dtls if client_random(payload).is_some() => {
                self.flows.insert(pair);
                Ok("DTLS")
            }
            Class::Dtls | Class::Rtp | Class::Rtcp if !self.flows.contains(&pair) => {
                Err("between addresses that agreed on no keys")
            }
            Class::Dtls => Ok("DTLS"),
            Class::Rtcp => Ok("SRTCP"),
            Class::Rtp => self.rtp(ends.source, payload).map(|()| "SRTP"),
            Class::TurnChannel => Err("data through a relay"),
            Class::Unknown => Err("neither STUN, DTLS, RTP nor RTCP"),
        }
    }

    fn rtp(&mut self, source: SocketAddr, packet: &[u8]) -> Result<(), &'static str> {
        let [first, second, high, low, _, _, _, _, a, b, c, d, rest @ ..] = packet else { return Err("too short") };
        // Version 2, nothing but perhaps the one extension of transport-wide sequence numbers.
        let payload = match (first, rest) {
            (0x80, rest) => rest,
            (0x90, [0xbe, 0xde, 0, 1, element, _, _, 0, rest @ ..]) if element & 0x0f == 1 => rest,
            _ => return Err("something in the RTP header that is not expected there"),
        };
        if !matches!(second & 0x7f, 96 | 97 | 111 | 112) {
            return Err("a payload type that nobody agreed on");
        }
        if !(LEAST_PAYLOAD..=MOST_PAYLOAD).contains(&payload.len()) {
            return Err("an SRTP payload of a size that no sealed frame has");
        }
        let sequence = u16::from_be_bytes([*high, *low]);
        let ssrc = u32::from_be_bytes([*a, *b, *c, *d]);
        let (newest, seen) = self.streams.entry((source, ssrc)).or_insert_with(|| (sequence, BTreeSet::new()));
        let ahead = sequence.wrapping_sub(*newest);
        if ahead.min(ahead.wrapping_neg()) > FAR {
            return Err("a sequence number far from those before");
        }
        if !seen.insert(sequence) {
            return Err("a sequence number that was there before");
        }
        if ahead <= FAR {
            *newest = sequence;
            seen.retain(|old| newest.wrapping_sub(*old) <= 2 * FAR);
        }
        let counts = self.bytes.entry(source).or_insert([0; 256]);
        payload.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        Ok(())
    }

    fn tcp(&mut self, ends: &Ends, segment: Segment, payload: &[u8]) -> Result<&'static str, &'static str> {
        if self.server.is_none_or(|server| server != ends.source && server != ends.destination) {
            return Err("TCP that is not the server's");
        }
        self.tls.entry((ends.source, ends.destination)).or_default().segment(segment, payload)?;
        Ok("TLS")
    }

    fn refuse(&mut self, packet: &Packet, why: &'static str) {
        *self.report.kinds.entry("UNEXPLAINED").or_default() += 1;
        if self.report.findings.len() < MAX_FINDINGS {
            self.report.findings.push(Finding { why, ..Finding::of(packet) });
        }
    }

    /// No more packets.
    #[must_use]
    pub fn finish(mut self) -> RealReport {
        for (source, counts) in self.bytes {
            let sum: u64 = counts.iter().sum();
            if sum >= ENOUGH {
                let expected = sum as f64 / 256.0;
                let chi_square = counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum();
                self.report.evenness.push((source, chi_square));
            }
        }
        self.report
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Real")
    }
}

impl RealReport {
    /// Whether nothing speaks against it; SRTP must have been there.
    #[must_use]
    pub fn passes(&self) -> bool {
        let even = self.evenness.iter().all(|(_, chi_square)| *chi_square <= MOST_CHI_SQUARE);
        self.findings.is_empty() && even && self.kinds.contains_key("SRTP")
    }
}

impl fmt::Display for RealReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, packets) in &self.kinds {
            writeln!(f, "{kind:<14}{packets:>10} packets")?;
        }
        writeln!(f, "{:<14}{:>10} packets", "all", self.packets)?;
        for (source, chi_square) in &self.evenness {
            let fits = if *chi_square <= MOST_CHI_SQUARE { "even" } else { "NOT EVEN" };
            writeln!(f, "bytes of SRTP from {source}: {fits} (chi-square {chi_square:.0}, expected 255)")?;
        }
        let (pieces, hits) = self.known;
        writeln!(f, "known content: {pieces} pieces looked for, found in {hits} packets")?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        writeln!(
            f,
            "Without keys this shows that every packet has the form of an encrypted one and none holds known content."
        )?;
        writeln!(f, "It cannot show who holds the keys, nor key ids, counters and epochs, which lie inside SRTP.")?;
        writeln!(f, "For those, capture a call in assessor mode.")?;
        f.write_str(if self.passes() { "PASS, as far as a capture alone can tell" } else { "FAIL" })
    }
}

/// Pieces of content that do not occur by chance, spread over all of it.
fn pieces(known: &[u8]) -> Vec<&[u8]> {
    let telling = |piece: &&[u8]| piece.iter().collect::<BTreeSet<_>>().len() >= PIECE / 2;
    let all: Vec<_> = known.chunks_exact(PIECE).filter(telling).collect();
    let step = all.len().div_ceil(PIECES).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::super::keys::Stream;
    use super::super::pcap::Capture;
    use super::super::sample::{Call, Wire, stun};
    use super::*;

    const CARD: &[u8] = b"the test card that everybody knows by heart";

    fn report(wire: &Wire) -> RealReport {
        let mut real = Real::new(None, CARD);
        let mut capture = Capture::open(wire.capture()).unwrap();
        while let Some(packet) = capture.packet().unwrap() {
            real.packet(&packet);
        }
        real.finish()
    }

    fn call() -> Wire {
        let (call, mut wire) = (Call::new(), Wire::new());
        for number in 0..150 {
            let frame = call.seal(1, 1, Stream::Video, u64::from(number), &[5; 1_000]);
            wire.frame(true, 96, number, &frame);
        }
        wire.rtcp(true, 201);
        // The end: nobody is there any more.
        let quoted = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &[0x45; 20], &[3, 0xe9, 3, 0xea, 0, 28, 0, 0], &stun()].concat();
        wire.from(true, &stun());
        wire.ip(1, &quoted);
        wire
    }

    #[test]
    fn a_call_passes_without_keys_and_says_what_that_does_not_show() {
        let report = report(&call());
        assert!(report.passes(), "{report}");
        assert_eq!((report.kinds["SRTP"], report.kinds["ICMP"], report.evenness.len()), (150, 1, 1));
        assert!(report.to_string().contains("It cannot show who holds the keys"));
    }

    #[test]
    fn what_is_not_encrypted_is_found_by_its_form_its_content_or_its_bytes() {
        let added = |add: &dyn Fn(&mut Wire)| {
            let mut wire = call();
            add(&mut wire);
            report(&wire)
        };
        let why = |report: RealReport| report.findings[0].why;
        let rtp = |sequence: u16, payload: &[u8]| {
            [&[0x80, 96], &sequence.to_be_bytes()[..], &[0; 4], &1_096_u32.to_be_bytes(), payload].concat()
        };
        assert_eq!(why(added(&|wire| wire.from(true, b"foreign"))), "neither STUN, DTLS, RTP nor RTCP");
        assert_eq!(why(added(&|wire| wire.from(true, &rtp(151, CARD)))), "holds known content in clear");
        assert_eq!(
            why(added(&|wire| wire.from(true, &rtp(151, &[0; 20])))),
            "an SRTP payload of a size that no sealed frame has"
        );
        assert_eq!(
            why(added(&|wire| wire.from(true, &rtp(9_000, &[0; 60])))),
            "a sequence number far from those before"
        );
        assert_eq!(why(added(&|wire| wire.from(true, &rtp(77, &[0; 60])))), "a sequence number that was there before");
        let plain = added(&|wire| (151..251).for_each(|sequence| wire.from(true, &rtp(sequence, &[0; 900]))));
        assert!(plain.findings.is_empty() && !plain.passes(), "bytes of one value");
    }
}
