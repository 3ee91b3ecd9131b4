//! Asks for missing packets, and turns retransmissions back into what they repeat (RFC 4588).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;

use super::{Belt, Timeline, hand_on};
use crate::jitter::NackList;
use crate::packet::Chunk;
use crate::transport::shared::{Count, Shared};
use crate::transport::track::is_audio;

/// Voice later than this is concealed already. Longer asks for what nobody will hear.
const AUDIO_USEFUL: Duration = Duration::from_millis(250);
/// Video later than this was given up by the reassembly, unless its frame kept coming.
const VIDEO_USEFUL: Duration = Duration::from_millis(600);

struct Stream {
    list: NackList,
    payload_type: u8,
    /// What was added to the shared counters so far: lost, requested, recovered.
    counted: (u64, u64, u64),
}

/// The stage in the NACK generator's slot. It unwraps RTX itself, so that a recovered packet counts as arrived: the crate's
/// own generator, in front of the unwrapping, asks for it again.
pub(crate) struct NackStage {
    shared: Arc<Shared>,
    belt: Belt,
    timeline: Timeline,
    streams: HashMap<u32, Stream>,
    /// Retransmission flow → the flow that it repairs.
    repairs: HashMap<u32, u32>,
    /// Any flow that we send: feedback names its sender.
    own_ssrc: u32,
}

impl NackStage {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            belt: Belt::default(),
            timeline: Timeline::default(),
            streams: HashMap::new(),
            repairs: HashMap::new(),
            own_ssrc: 0,
        }
    }

    /// Notes the arrival of a packet, unwrapped in place if it is a retransmission. `None` drops it: padding, which has
    /// no original sequence number, or a repetition of what is here, which only fills a burst.
    fn take(&mut self, now: Instant, packet: &mut rtc::rtp::Packet) -> Option<()> {
        let retransmitted = match self.repairs.get(&packet.header.ssrc) {
            Some(repaired) => {
                let stream = self.streams.get(repaired)?;
                let original = packet.payload.get(..2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok())?;
                packet.header.sequence_number = u16::from_be_bytes(original);
                packet.header.ssrc = *repaired;
                packet.header.payload_type = stream.payload_type;
                packet.payload = packet.payload.slice(2..);
                true
            }
            None => false,
        };
        if let Some(stream) = self.streams.get_mut(&packet.header.ssrc) {
            let sequence = packet.header.sequence_number;
            let following = Chunk::parse(packet.payload.clone()).map_or(0, |chunk| chunk.count - 1 - chunk.index);
            let news = stream.list.handle_arrival(self.timeline.time(now), sequence, retransmitted, following);
            return (news || !retransmitted).then_some(());
        }
        Some(())
    }

    fn ask(&mut self, now: Instant) {
        let round_trip = self.shared.round_trip();
        for (ssrc, stream) in &mut self.streams {
            let missing = stream.list.poll_requests(self.timeline.time(now), round_trip);
            let (lost, requested, recovered) = stream.list.counts();
            self.shared.count(Count::PacketsLost, lost - stream.counted.0);
            self.shared.count(Count::PacketsRequested, requested - stream.counted.1);
            self.shared.count(Count::RetransmissionsReceived, recovered - stream.counted.2);
            stream.counted = (lost, requested, recovered);
            if missing.is_empty() {
                continue;
            }
            let nack = TransportLayerNack {
                sender_ssrc: self.own_ssrc,
                media_ssrc: *ssrc,
                nacks: nack_pairs_from_sequence_numbers(&missing),
            };
            self.belt.outward.push_back(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(nack)])),
            });
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for NackStage {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &mut msg.message.packet
            && self.take(msg.now, packet).is_none()
        {
            return Ok(());
        }
        self.belt.inward.push_back(msg);
        Ok(())
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.belt.outward.push_back(msg);
        Ok(())
    }

    hand_on!();

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.ask(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let due = self.streams.values().filter_map(|stream| stream.list.poll_timeout()).min();
        due.and_then(|due| self.timeline.instant(due))
    }
}

impl Interceptor for NackStage {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.own_ssrc = info.ssrc;
    }

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    /// Retransmission flows are bound in their own right as well: they come without a flow that repairs them.
    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let Some(repair) = info.ssrc_rtx else {
            return;
        };
        let useful = if is_audio(&info.mime_type) { AUDIO_USEFUL } else { VIDEO_USEFUL };
        let list = NackList::new(useful);
        self.streams.insert(info.ssrc, Stream { list, payload_type: info.payload_type, counted: (0, 0, 0) });
        self.repairs.insert(repair, info.ssrc);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        self.repairs.retain(|_, repaired| *repaired != info.ssrc);
    }
}
