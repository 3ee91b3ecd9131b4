//! Accounts for every packet of a capture: each is put into one row, or named as unexplained.
//!
//! | packet | explained when |
//! | --- | --- |
//! | STUN | a connectivity check, its attributes and nothing else |
//! | DTLS | records to the last byte; the association is one of the key files'; its data channel is too slow for sound |
//! | SRTP | opens, its frame is whole and opens under exactly one key of who owns the association, no counter twice |
//! | SRTCP | opens, holds reports and feedback and nothing of an application |
//! | TCP | to or from the server, TLS records from the first byte to the last |
//! | ICMP | repeats the beginning of a packet that was seen |

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::classify::{Class, classify, client_random};
use super::frame::Part;
use super::icmp::Recent;
use super::keys::{KeyFiles, Place, Stream};
use super::pcap::{Content, Ends, Packet, Segment};
use super::report::{Finding, Kind, Report, Row};
use super::srtp::{Opener, Rtp, Sender};
use super::stream::{Outcome, StreamId, Streams};
use super::stun::is_check;
use super::tls::TlsStream;

/// Findings that are kept in full; the others are counted.
const MAX_FINDINGS: usize = 1_000;
/// Bytes that one side may send over an association's data channel in [`WINDOW`]: heartbeats take some 1,500. The slowest
/// speech that is still understood needs 750 bytes a second.
const MAX_DATA: usize = 5_000;
const WINDOW: Duration = Duration::from_secs(10);

/// What is remembered of a packet until it is explained.
#[derive(Clone, Debug)]
struct Seen {
    finding: Finding,
    kind: Kind,
}

/// See the module.
pub struct Audit {
    files: KeyFiles,
    server: Option<SocketAddr>,
    streams: Streams<Seen>,
    openers: BTreeMap<[u8; 32], Opener>,
    /// Which association two addresses carry, and which of them sent the ClientHello.
    flows: BTreeMap<(SocketAddr, SocketAddr), ([u8; 32], SocketAddr)>,
    tls: BTreeMap<(SocketAddr, SocketAddr), TlsStream>,
    data: BTreeMap<(SocketAddr, SocketAddr, u64), usize>,
    recent: Recent,
    opened: BTreeSet<Place>,
    report: Report,
}

impl Audit {
    /// With the key files of the call, and the server's address where the capture holds its connections too.
    #[must_use]
    pub fn new(mut files: KeyFiles, server: Option<SocketAddr>) -> Self {
        let hold = files.check_commitments();
        let mut report = Report { commitments: hold, ..Report::default() };
        for said in files.contradictions.drain(..) {
            report.contradictions.push(said);
        }
        let mut openers = BTreeMap::new();
        for (random, keys) in &files.associations {
            let (client, server) = (&keys.client, &keys.server);
            match Opener::new(keys.profile, (&client.0, &client.1), (&server.0, &server.1)) {
                Ok(opener) => drop(openers.insert(*random, opener)),
                Err(error) => report.contradictions.push(format!("an association of the key files: {error}")),
            }
        }
        Self {
            streams: Streams::new(&files),
            files,
            server,
            openers,
            flows: BTreeMap::new(),
            tls: BTreeMap::new(),
            data: BTreeMap::new(),
            recent: Recent::default(),
            opened: BTreeSet::new(),
            report,
        }
    }

    /// Takes the next packet.
    pub fn packet(&mut self, packet: &Packet) {
        self.report.packets += 1;
        self.report.bytes += packet.payload().len();
        let seen = |kind| Seen { finding: Finding::of(packet), kind };
        match &packet.content {
            Content::Udp(ends) => self.udp(packet, ends, &seen),
            Content::Tcp(ends, segment) => match self.tcp(ends, *segment, packet.payload()) {
                Ok(()) => self.count(seen(Kind::Tls)),
                Err(why) => self.refuse(seen(Kind::Tls), why),
            },
            Content::Other("ICMP") if self.recent.quoted_by(packet.payload()) => self.count(seen(Kind::Icmp)),
            Content::Other(why) => self.refuse(seen(Kind::Tls), why),
        }
    }

    fn udp(&mut self, packet: &Packet, ends: &Ends, seen: &impl Fn(Kind) -> Seen) {
        let payload = packet.payload();
        self.recent.add(ends, payload);
        match classify(payload) {
            Class::Stun if is_check(payload) => self.count(seen(Kind::Stun)),
            Class::Stun => self.refuse(seen(Kind::Stun), "STUN with something else inside"),
            Class::Dtls => match self.dtls(packet.at, ends, payload) {
                Ok(()) => self.count(seen(Kind::Dtls)),
                Err(why) => self.refuse(seen(Kind::Dtls), why),
            },
            Class::Rtcp => match self.rtcp(ends, payload) {
                Ok(()) => self.count(seen(Kind::Rtcp)),
                Err(why) => self.refuse(seen(Kind::Rtcp), why),
            },
            Class::Rtp => self.rtp(ends, payload, seen),
            Class::TurnChannel => self.refuse(seen(Kind::Stun), "data through a relay"),
            Class::Unknown => self.refuse(seen(Kind::Stun), "neither STUN, DTLS, RTP nor RTCP"),
        }
    }

    fn dtls(&mut self, at: Duration, ends: &Ends, payload: &[u8]) -> Result<(), &'static str> {
        let pair = pair(ends);
        if let Some(random) = client_random(payload) {
            if !self.openers.contains_key(&random) {
                return Err("an association that no key file knows");
            }
            self.flows.insert(pair, (random, ends.source));
        } else if !self.flows.contains_key(&pair) {
            return Err("DTLS without the beginning of its association");
        }
        let window = at.as_secs() / WINDOW.as_secs();
        let sent = self.data.entry((ends.source, ends.destination, window)).or_default();
        *sent += application_data(payload);
        self.report.most_data = self.report.most_data.max(*sent);
        if *sent > MAX_DATA { Err("a data channel as fast as speech") } else { Ok(()) }
    }

    fn sender(&self, ends: &Ends) -> Result<([u8; 32], Sender), &'static str> {
        let (random, client) = self.flows.get(&pair(ends)).ok_or("between addresses that have no association")?;
        Ok((*random, if *client == ends.source { Sender::Client } else { Sender::Server }))
    }

    fn rtcp(&mut self, ends: &Ends, payload: &[u8]) -> Result<(), &'static str> {
        let (random, sender) = self.sender(ends)?;
        let opener = self.openers.get_mut(&random).ok_or("an association without keys")?;
        let compound = opener.rtcp(sender, payload).map_err(|_refused| "SRTCP that does not open")?;
        if is_control(&compound) { Ok(()) } else { Err("RTCP with something else inside") }
    }

    fn rtp(&mut self, ends: &Ends, payload: &[u8], seen: &impl Fn(Kind) -> Seen) {
        let opened = self.sender(ends).and_then(|(random, sender)| {
            let opener = self.openers.get_mut(&random).ok_or("an association without keys")?;
            let rtp = opener.rtp(sender, payload).map_err(|_refused| "SRTP that does not open")?;
            Ok((StreamId { association: random, client: sender == Sender::Client, stream: Stream::Audio }, rtp))
        });
        let (id, rtp) = match opened {
            Ok(opened) => opened,
            Err(why) => return self.refuse(seen(Kind::Sound), why),
        };
        let (stream, again) = match rtp.payload_type {
            111 => (Stream::Audio, false),
            112 => (Stream::Audio, true),
            96 => (Stream::Video, false),
            97 => (Stream::Video, true),
            _ => return self.refuse(seen(Kind::Sound), "a payload type that nobody agreed on"),
        };
        if !plain_header(&rtp) {
            return self.refuse(seen(Kind::Sound), "something in the RTP header that is not expected there");
        }
        let kind = match (again, stream) {
            (true, _) => Kind::Again,
            (false, Stream::Audio) => Kind::Sound,
            (false, _) => Kind::Picture,
        };
        // RFC 4588 section 4: the original's sequence number stands in front.
        let part = if again { rtp.payload.get(2..).and_then(Part::parse) } else { Part::parse(&rtp.payload) };
        let Some(part) = part else {
            return self.refuse(seen(kind), "RTP whose payload is no part of a frame");
        };
        match self.streams.part(StreamId { stream, ..id }, &part, seen(kind)) {
            Outcome::Waits => {}
            Outcome::Repeat(seen) => self.count(Seen { kind: Kind::Again, ..seen }),
            Outcome::Opened(place, all) => {
                *self.report.frames.entry((place.sender, place.stream)).or_default() += 1;
                self.opened.insert(place);
                all.into_iter().for_each(|seen| self.count(seen));
            }
            Outcome::Refused(why, all) => all.into_iter().for_each(|seen| self.refuse(seen, why)),
        }
    }

    fn tcp(&mut self, ends: &Ends, segment: Segment, payload: &[u8]) -> Result<(), &'static str> {
        if self.server.is_none_or(|server| server != ends.source && server != ends.destination) {
            return Err("TCP that is not the server's");
        }
        self.tls.entry((ends.source, ends.destination)).or_default().segment(segment, payload)
    }

    /// No more packets: what waits now was never whole.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let streams = std::mem::replace(&mut self.streams, Streams::new(&KeyFiles::default()));
        let (last, others) = streams.unfinished();
        last.into_iter().for_each(|seen| self.count(Seen { kind: Kind::Cut, ..seen }));
        others.into_iter().for_each(|seen| self.refuse(seen, "part of a frame that never was whole"));
        for ((from, to), stream) in &self.tls {
            if !stream.is_whole() {
                self.report.contradictions.push(format!("TCP from {from} to {to} ends inside a record"));
            }
        }
        let committed = |place: &&Place| {
            let Place { group, epoch, sender, .. } = place;
            self.files.commitments.iter().any(|(g, e, s, _)| (g, e, s) == (group, epoch, sender))
        };
        self.report.keys_used = self.opened.len();
        self.report.keys_committed = self.opened.iter().filter(committed).count();
        self.report
    }

    fn count(&mut self, seen: Seen) {
        let row: &mut Row = self.report.rows.entry(seen.kind).or_default();
        row.packets += 1;
        row.bytes += seen.finding.length;
    }

    fn refuse(&mut self, seen: Seen, why: &'static str) {
        self.count(Seen { kind: Kind::Unexplained, ..seen.clone() });
        if self.report.findings.len() < MAX_FINDINGS {
            self.report.findings.push(Finding { why, ..seen.finding });
        }
    }
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audit")
    }
}

fn pair(ends: &Ends) -> (SocketAddr, SocketAddr) {
    (ends.source.min(ends.destination), ends.source.max(ends.destination))
}

/// Bytes of DTLS records that carry data, in a datagram that is known to be whole records.
fn application_data(mut payload: &[u8]) -> usize {
    let mut sum = 0;
    while let [content_type, _, _, _, _, _, _, _, _, _, _, high, low, rest @ ..] = payload {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        sum += if *content_type == 23 { length } else { 0 };
        payload = rest.get(length..).unwrap_or_default();
    }
    sum
}

/// Nothing but the fixed header and the transport-wide sequence number, in two bytes.
fn plain_header(rtp: &Rtp) -> bool {
    let extension = match rtp.header.get(12..) {
        Some([]) => true,
        Some([0xbe, 0xde, 0, 1, element, _, _, 0]) => element & 0x0f == 1,
        _ => false,
    };
    extension && !rtp.padding && rtp.header.first().is_some_and(|first| first & 0x0f == 0)
}

/// Reports, descriptions, farewells and feedback (RFC 3550, RFC 4585), to the last byte; nothing application-defined.
fn is_control(mut compound: &[u8]) -> bool {
    while !compound.is_empty() {
        let [first, 200..=203 | 205 | 206, high, low, ..] = *compound else { return false };
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let Some(rest) = compound.get(length..).filter(|_| first >> 6 == 2) else { return false };
        compound = rest;
    }
    true
}

#[cfg(test)]
mod tests;
