//! Everything that leaves: paced, numbered, sent again when asked for, and what the peer reports of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::sdp::extmap::TRANSPORT_CC_URI;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::kept::{Asked, Kept};
use super::{Belt, Timeline, feedback, hand_on};
use crate::rate::{Class, Estimator, History, Pacer};
use crate::time::{Bitrate, MediaTime};
use crate::transport::shared::{Count, Shared};
use crate::transport::track::is_audio;

/// A packet sent again is not sent a third time within this or half a round trip: a second request crossed it. The voice answers
/// both copies of a request: there is little time for another one.
const LEAST_QUIET: Duration = Duration::from_millis(15);
const QUIET_OF_VOICE: Duration = Duration::from_millis(5);
/// Bytes of a header with its extension, for packets that are measured before they have one.
const HEADER: usize = 20;
/// Retransmissions begin with the number of the packet that they repeat (RFC 4588 section 4).
const ORIGINAL: usize = 2;
/// Estimate to begin with, least and most. Most is what a picture of 720p makes use of, with its voice and repairs.
const ESTIMATE: (Bitrate, Bitrate, Bitrate) = (Bitrate::kbps(300), Bitrate::kbps(20), Bitrate::kbps(4_000));

/// On a path that carries less, the voice is not sent again: what was lost there was too much, and more of it would be lost.
const ROOM_FOR_REPAIRS: Bitrate = Bitrate::kbps(60);

/// What waits in the pacer.
enum Item {
    First(Box<TaggedPacket>),
    Again { ssrc: u32, sequence: u16 },
}

/// One of our streams.
struct Stream {
    audio: bool,
    /// Flow and payload type of its retransmissions.
    repair: Option<(u32, u8)>,
    /// Of the transport-wide number in the header, where it was negotiated.
    extension: Option<u8>,
    kept: Kept,
}

/// See the module.
pub(crate) struct Outgoing {
    shared: Arc<Shared>,
    belt: Belt,
    timeline: Timeline,
    streams: HashMap<u32, Stream>,
    /// The next number of each retransmission flow.
    next_repairs: HashMap<u32, u16>,
    pacer: Pacer<Item>,
    estimator: Estimator,
    history: History,
    expired: u64,
}

impl Outgoing {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (start, least, most) = ESTIMATE;
        Self {
            shared,
            belt: Belt::default(),
            timeline: Timeline::default(),
            streams: HashMap::new(),
            next_repairs: HashMap::new(),
            pacer: Pacer::new(start),
            estimator: Estimator::new(start, least, most),
            history: History::default(),
            expired: 0,
        }
    }

    /// Lets go what may leave now.
    fn release(&mut self, now: Instant) {
        let time = self.timeline.time(now);
        if self.estimator.take_break(time) {
            // A small key frame shows a face sooner than the rest of what was made for a better path.
            self.pacer.purge();
            for stream in self.streams.values_mut().filter(|stream| !stream.audio) {
                stream.kept.forget();
            }
            self.shared.note_break();
        }
        if self.filler().is_some()
            && let Some(burst) = self.estimator.poll_burst(time)
        {
            self.pacer.burst(time, burst.rate, burst.bytes);
        }
        self.pacer.set_rate(self.estimator.estimate(), self.estimator.headroom(time));
        loop {
            self.pacer.hold(!self.estimator.may_send(time));
            let Some(item) = self.pacer.poll(time) else { break };
            match item {
                Item::First(msg) => self.leave(now, *msg),
                Item::Again { ssrc, sequence } => {
                    self.leave_again(now, ssrc, sequence, true);
                }
            }
        }
        while self.pacer.wants_filler(time) {
            if !self.fill(now) {
                self.pacer.end_burst();
            }
        }
        self.shared.count(Count::PacketsExpired, self.pacer.expired() - self.expired);
        self.expired = self.pacer.expired();
        self.shared.set_budget(self.estimator.target(), self.pacer.backlog(time));
        self.shared.set_path(&self.estimator);
    }

    /// A packet leaves for the first time.
    fn leave(&mut self, now: Instant, mut msg: TaggedPacket) {
        // Stages nearer to the wire, and the estimate, go by when a packet left, not by when it was queued.
        msg.now = now;
        let time = self.timeline.time(now);
        if let Packet::Rtp(packet) = &mut msg.message.packet {
            let Some(stream) = self.streams.get_mut(&packet.header.ssrc) else {
                return self.belt.outward.push_back(msg);
            };
            if stream.repair.is_some() {
                stream.kept.put(time, packet.clone());
            }
            let extension = stream.extension;
            self.number(time, packet, extension);
        }
        self.belt.outward.push_back(msg);
    }

    /// A packet leaves again, in its stream's repair flow. Its size in bytes, if it was still kept.
    fn leave_again(&mut self, now: Instant, ssrc: u32, sequence: u16, asked: bool) -> Option<usize> {
        let time = self.timeline.time(now);
        let stream = self.streams.get_mut(&ssrc)?;
        let (flow, payload_type) = stream.repair?;
        let original = stream.kept.again(time, sequence)?;
        let next = self.next_repairs.entry(flow).or_default();
        let mut payload = Vec::with_capacity(ORIGINAL + original.payload.len());
        payload.extend_from_slice(&sequence.to_be_bytes());
        payload.extend_from_slice(&original.payload);
        let header = rtp::header::Header {
            version: 2,
            ssrc: flow,
            payload_type,
            sequence_number: *next,
            timestamp: original.header.timestamp,
            marker: original.header.marker,
            ..Default::default()
        };
        // Each number is used once for this flow, also when it is bound anew: SRTP makes its nonce of it.
        *next = next.wrapping_add(1);
        let extension = stream.extension;
        let mut packet = rtp::Packet { header, payload: payload.into() };
        let size = packet.marshal_size();
        self.number(time, &mut packet, extension);
        let message = AttributedPacket::new(Packet::Rtp(packet));
        // What fills up a burst is no retransmission: nobody lacks it.
        let message = if asked { message.with(Attribute::Retransmission) } else { message };
        self.belt.outward.push_back(TaggedPacket { now, transport: TransportContext::default(), message });
        Some(size)
    }

    /// Writes the transport-wide number on a packet, and remembers that it left.
    fn number(&mut self, time: MediaTime, packet: &mut rtp::Packet, extension: Option<u8>) {
        let Some(extension) = extension else { return };
        let bytes = (packet.marshal_size() + HEADER) as u64;
        let number = self.history.push(time, bytes);
        packet.header.set_extension(extension, number.to_be_bytes().to_vec().into()).ok();
        self.estimator.on_sent(time, bytes);
    }

    /// What a burst can be filled up with. Without any there is none: the first packets of a call show little of the path.
    fn filler(&self) -> Option<(u32, u16)> {
        let mut pictures = self.streams.iter().filter(|(_, stream)| !stream.audio && stream.repair.is_some());
        // The camera's or those of a shared window: whichever were sent.
        pictures.find_map(|(ssrc, stream)| Some((*ssrc, stream.kept.newest()?)))
    }

    /// Fills up a burst with what the peer has already: of a picture, since the voice's packets are too small.
    fn fill(&mut self, now: Instant) -> bool {
        let found = self.filler().and_then(|(ssrc, sequence)| self.leave_again(now, ssrc, sequence, false));
        let Some(bytes) = found else { return false };
        self.pacer.charge_extra(self.timeline.time(now), (bytes + HEADER) as u64 * 8);
        true
    }

    fn on_request(&mut self, now: Instant, nack: &TransportLayerNack) {
        let time = self.timeline.time(now);
        let quiet = LEAST_QUIET.max(self.shared.round_trip().unwrap_or_default() / 2);
        let Some(stream) = self.streams.get_mut(&nack.media_ssrc).filter(|stream| stream.repair.is_some()) else {
            return;
        };
        if stream.audio && self.estimator.estimate() < ROOM_FOR_REPAIRS {
            return;
        }
        let (class, quiet) = if stream.audio { (Class::Audio, QUIET_OF_VOICE) } else { (Class::Retransmission, quiet) };
        let copies = !stream.audio && self.estimator.has_copies();
        let mut at_once = Vec::new();
        for sequence in nack.nacks.iter().flat_map(|pair| pair.packet_list()) {
            let Some(Asked { bytes, before }) = stream.kept.ask(time, sequence, quiet) else { continue };
            // A picture that lacks a packet twice is nearly too late.
            for _ in 0..if before && copies { 2 } else { 1 } {
                let item = Item::Again { ssrc: nack.media_ssrc, sequence };
                at_once.extend(self.pacer.push(time, class, (bytes + HEADER) as u64 * 8, item));
            }
        }
        for item in at_once {
            if let Item::Again { ssrc, sequence } = item {
                self.leave_again(now, ssrc, sequence, true);
            }
        }
    }

    fn on_feedback(&mut self, now: Instant, feedback: &TransportLayerCc) {
        let reports = self.history.on_feedback(feedback.base_sequence_number, feedback::fates(feedback));
        let hole = self.history.take_hole();
        self.estimator.on_reports(self.timeline.time(now), &reports, hole);
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Outgoing {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &msg.message.packet {
            for packet in packets {
                if let Some(nack) = packet.as_any().downcast_ref::<TransportLayerNack>() {
                    self.on_request(msg.now, nack);
                } else if let Some(feedback) = packet.as_any().downcast_ref::<TransportLayerCc>() {
                    self.on_feedback(msg.now, feedback);
                }
            }
            self.release(msg.now);
        }
        self.belt.inward.push_back(msg);
        Ok(())
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &msg.message.packet else {
            self.belt.outward.push_back(msg);
            return Ok(());
        };
        let now = msg.now;
        let bits = (packet.marshal_size() + HEADER) as u64 * 8;
        let audio = self.streams.get(&packet.header.ssrc).is_some_and(|stream| stream.audio);
        let class = if audio { Class::Audio } else { Class::Video };
        let time = self.timeline.time(now);
        let (ssrc, sequence) = (packet.header.ssrc, packet.header.sequence_number);
        if let Some(Item::First(msg)) = self.pacer.push(time, class, bits, Item::First(Box::new(msg))) {
            self.leave(now, *msg);
            if audio && self.estimator.has_copies() {
                let bytes = self.leave_again(now, ssrc, sequence.wrapping_sub(1), false);
                self.pacer.charge_extra(time, bytes.map_or(0, |bytes| (bytes + HEADER) as u64 * 8));
            }
        }
        self.release(now);
        Ok(())
    }

    hand_on!();

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.release(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let burst = self.estimator.poll_timeout().filter(|_| self.filler().is_some());
        let due = [self.pacer.poll_timeout(), burst].into_iter().flatten().min();
        due.and_then(|due| self.timeline.instant(due))
    }
}

impl Interceptor for Outgoing {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let extension = info.rtp_header_extensions.iter().find(|extension| extension.uri == TRANSPORT_CC_URI);
        let extension = extension.and_then(|extension| u8::try_from(extension.id).ok()).filter(|id| *id != 0);
        // The crate below leaves the voice's repair flow out.
        let flow = info.ssrc_rtx.or_else(|| self.shared.repair_of(info.ssrc));
        let repair = flow.zip(info.payload_type_rtx);
        let audio = is_audio(&info.mime_type);
        self.streams.insert(info.ssrc, Stream { audio, repair, extension, kept: Kept::default() });
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
