//! Parsers of what a peer or a relay sends, as functions of any bytes: for the fuzzer and its corpus (`tests/fuzz`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::ice::candidate::unmarshal_candidate;
use rtc::interceptor::{AttributedPacket, Interceptor, Packet, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::marshal::Unmarshal;
use rtc::{rtcp, rtp};

use super::relay::frames;
use super::task::without_related_address;
use super::{chain, sdp, shared::Shared, signal::fingerprint_of};
use crate::jitter::{Assembled, Assembly};
use crate::packet::{Chunk, MAX_CHUNKS};
use crate::time::MediaTime;

type Target = (&'static str, fn(&[u8]));

/// Name and function of each.
pub const FUZZ_TARGETS: &[Target] = &[
    ("candidate", candidate),
    ("relay_stream", relay_stream),
    ("rtcp", rtcp_packets),
    ("rtp", rtp_packets),
    ("rtp_descriptor", rtp_descriptor),
    ("sdp", session_description),
];

/// Packets that a run hands on at most: the input says how often each comes.
const MAX_RECORDS: usize = 256;

fn rtp_descriptor(bytes: &[u8]) {
    if let Ok(chunk) = Chunk::parse(Bytes::copy_from_slice(bytes)) {
        assert!(chunk.index < chunk.count && chunk.count <= MAX_CHUNKS, "a place in a frame of bounded length");
        assert!(!chunk.data.is_empty() && bytes.ends_with(&chunk.data), "the rest of the payload");
        let groups = chunk.parity.map_or(1, |parity| u16::from(parity.groups));
        assert!((1..=chunk.count).contains(&groups), "no more groups than chunks");
    }
}

fn session_description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if sdp::check(&text).is_ok() {
        assert!(fingerprint_of(&text).is_ok(), "what is accepted names one certificate");
    }
}

fn candidate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    unmarshal_candidate(&text).ok();
    let hidden = without_related_address(&text);
    let words: Vec<&str> = hidden.split(' ').collect();
    for pair in words.windows(2) {
        assert!(pair[0] != "raddr" || pair[1] == "0.0.0.0", "the address that it was gathered from is gone");
    }
}

fn relay_stream(bytes: &[u8]) {
    for message in frames(bytes) {
        assert!(message.len() <= 2_048, "no longer than a datagram");
    }
}

/// Records of an input: a byte of length, a byte of milliseconds before it, and so many bytes.
fn records(bytes: &[u8]) -> impl Iterator<Item = (Duration, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&[length, millis], after) = rest.split_first_chunk()?;
        // Long packets count as well: the unit is eight bytes.
        let length = (usize::from(length) * 8).min(after.len());
        let (record, after) = after.split_at(length);
        rest = after;
        Some((Duration::from_millis(millis.into()), record))
    })
    .take(MAX_RECORDS)
}

/// A chain as an association has it, with its two tracks, to which what was read is handed.
fn through_the_chain(bytes: &[u8], parse: impl Fn(&[u8]) -> Option<Packet>) {
    let mut stages = chain::registry(&Arc::new(Shared::default())).build();
    for (ssrc, mime_type) in [(1, "video/sframe"), (3, "audio/sframe")] {
        let info = chain::stream(ssrc, mime_type);
        stages.bind_local_stream(&info);
        stages.bind_remote_stream(&info);
    }
    let (mut now, mut assembly) = (Instant::now(), Assembly::new());
    let begun = now;
    let tagged = |now, packet| TaggedPacket {
        now,
        transport: TransportContext::default(),
        message: AttributedPacket::new(packet),
    };
    // Something is under way that the peer can speak of.
    for sequence_number in 0..32 {
        let header =
            rtp::header::Header { version: 2, ssrc: 1, payload_type: 96, sequence_number, ..Default::default() };
        let packet = rtp::Packet { header, payload: vec![7; 600].into() };
        stages.handle_write(tagged(now, Packet::Rtp(packet))).ok();
    }
    for (wait, record) in records(bytes) {
        now += wait;
        if let Some(packet) = parse(record) {
            stages.handle_read(tagged(now, packet)).ok();
        }
        stages.handle_timeout(now).ok();
        let mut out = 0;
        while stages.poll_write().is_some() {
            out += 1;
            assert!(out < 4_096, "one packet makes no flood");
        }
        let time = MediaTime::from_micros(1 + u64::try_from((now - begun).as_micros()).unwrap_or(u64::MAX));
        while let Some(read) = stages.poll_read() {
            if let Packet::Rtp(packet) = read.message.packet
                && let Ok(chunk) = Chunk::parse(packet.payload)
            {
                assembly.handle_chunk(time, chunk);
            }
        }
        assembly.handle_timeout(time);
        while let Some(out) = assembly.poll() {
            if let Assembled::Frame { bytes, .. } = out {
                assert!(!bytes.is_empty(), "a frame has content");
            }
        }
        // A timer that is due is served at once: none may ask for the past for ever.
        for _ in 0..8 {
            match stages.poll_timeout() {
                Some(due) if due <= now => stages.handle_timeout(now).ok(),
                _ => break,
            };
        }
    }
}

fn rtp_packets(bytes: &[u8]) {
    through_the_chain(bytes, |mut record| rtp::Packet::unmarshal(&mut record).ok().map(Packet::Rtp));
}

fn rtcp_packets(bytes: &[u8]) {
    through_the_chain(bytes, |mut record| rtcp::packet::unmarshal(&mut record).ok().map(Packet::Rtcp));
}
