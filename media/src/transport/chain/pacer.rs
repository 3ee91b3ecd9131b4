//! The pacer in its slot, and the filter against sending the same packet again twice.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::{Belt, Timeline, hand_on};
use crate::rate::{Class, Pacer};
use crate::time::Bitrate;
use crate::transport::shared::{Count, Shared};
use crate::transport::track::is_audio;

/// A packet sent again is not sent a third time within this or half a round trip: a second request crossed it.
const LEAST_QUIET: Duration = Duration::from_millis(15);
/// Retransmissions remembered.
const MAX_RECENT: usize = 256;

/// A retransmission: its flow, and the original sequence number in it.
type Repeat = (u32, u16);

/// Holds video back to the paced rate. Audio and RTCP pass.
pub(crate) struct PacerStage {
    shared: Arc<Shared>,
    belt: Belt,
    timeline: Timeline,
    pacer: Pacer<TaggedPacket>,
    audio: HashSet<u32>,
    recent: VecDeque<(Repeat, Instant)>,
    expired: u64,
}

impl PacerStage {
    pub(crate) fn new(shared: Arc<Shared>, media_rate: Bitrate) -> Self {
        Self {
            shared,
            belt: Belt::default(),
            timeline: Timeline::default(),
            pacer: Pacer::new(media_rate),
            audio: HashSet::new(),
            recent: VecDeque::new(),
            expired: 0,
        }
    }

    fn release(&mut self, now: Instant) {
        while let Some(mut msg) = self.pacer.poll(self.timeline.time(now)) {
            // Stages nearer to the wire record when a packet left, not when it was queued.
            msg.now = now;
            if let Some(repeat) = repeat_of(&msg) {
                self.remember(repeat, now);
            }
            self.belt.outward.push_back(msg);
        }
        self.shared.count(Count::PacketsExpired, self.pacer.expired() - self.expired);
        self.expired = self.pacer.expired();
    }

    fn remember(&mut self, repeat: Repeat, now: Instant) {
        self.recent.push_back((repeat, now));
        if self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
    }

    fn is_repeated(&self, repeat: Repeat, now: Instant) -> bool {
        let quiet = LEAST_QUIET.max(self.shared.round_trip().unwrap_or_default() / 2);
        self.recent.iter().any(|(other, at)| *other == repeat && now.saturating_duration_since(*at) < quiet)
            || self.pacer.holds_retransmission(|msg| repeat_of(msg) == Some(repeat))
    }
}

/// Which packet this one repeats, `None` for packets sent for the first time.
fn repeat_of(msg: &TaggedPacket) -> Option<Repeat> {
    match &msg.message.packet {
        Packet::Rtp(packet) if msg.message.has(&Attribute::Retransmission) => {
            let original = packet.payload.get(..2).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok())?;
            Some((packet.header.ssrc, u16::from_be_bytes(original)))
        }
        _ => None,
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for PacerStage {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.belt.inward.push_back(msg);
        Ok(())
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &msg.message.packet else {
            self.belt.outward.push_back(msg);
            return Ok(());
        };
        let now = msg.now;
        let bits = packet.marshal_size() as u64 * 8;
        let audio = self.audio.contains(&packet.header.ssrc);
        let repeat = repeat_of(&msg);
        if let Some(repeat) = repeat {
            if self.is_repeated(repeat, now) {
                return Ok(());
            }
            if audio {
                self.remember(repeat, now);
            }
        }
        let class = match (audio, repeat) {
            (true, _) => Class::Audio,
            (false, Some(_)) => Class::Retransmission,
            (false, None) => Class::Video,
        };
        if let Some(msg) = self.pacer.push(self.timeline.time(now), class, bits, msg) {
            self.belt.outward.push_back(msg);
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
        self.pacer.poll_timeout().and_then(|due| self.timeline.instant(due))
    }
}

impl Interceptor for PacerStage {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        if is_audio(&info.mime_type) {
            self.audio.extend([Some(info.ssrc), info.ssrc_rtx].into_iter().flatten());
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.audio.remove(&info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
