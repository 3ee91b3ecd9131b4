//! The chain of one association, between SRTP and the tracks.
//!
//! | slot | what | on the way out | on the way in |
//! | --- | --- | --- | --- |
//! | 500 | [`Counters`] | counts | counts |
//! | 3,000 | [`Outgoing`] | paces, numbers, keeps 1,024 packets a stream | answers requests by RTX; hears what arrived, and estimates the path |
//! | 6,500 | [`Reports`] | | tells what arrived, also of what the next one drops |
//! | 7,000 | [`NackStage`] | | unwraps RTX, asks for what is missing, drops repetitions |
//! | 10,000, 11,000 | receiver and sender reports | | |
//! | 12,500 | [`KeyFrameTap`] | | hears PLI and FIR |

mod counters;
mod feedback;
mod kept;
mod nack;
mod outgoing;
mod reports;
mod tap;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{ReceiverReportBuilder, Registry, SenderReportBuilder, Slot, TaggedPacket};

pub(crate) use self::counters::Counters;
use self::nack::NackStage;
use self::outgoing::Outgoing;
use self::reports::Reports;
use self::tap::KeyFrameTap;
use super::shared::Shared;
use crate::time::MediaTime;

/// Time between sender and receiver reports. Nobody here reads more of them than that they are there; each second they took a sixth
/// of a path of 32 kbit/s.
const RTCP: Duration = Duration::from_secs(5);

/// The stages of one association. They report to `shared`.
pub(crate) fn registry(shared: &Arc<Shared>) -> Registry {
    Registry::new()
        .with(Slot::from(500), Counters::new(Arc::clone(shared)))
        .with(Slot::Pacer, Outgoing::new(Arc::clone(shared)))
        .with(Slot::from(6_500), Reports::new(Arc::clone(shared)))
        .with(Slot::NackGenerator, NackStage::new(Arc::clone(shared)))
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().with_interval(RTCP).build())
        .with(Slot::SenderReport, SenderReportBuilder::new().with_interval(RTCP).build())
        .with(Slot::from(12_500), KeyFrameTap::new(Arc::clone(shared)))
}

/// A track with its retransmissions, as the crate describes it to the stages.
#[cfg(any(test, feature = "lab"))]
pub(super) fn stream(ssrc: u32, mime_type: &str) -> rtc::interceptor::StreamInfo {
    use rtc::interceptor::{RTCPFeedback, RTPHeaderExtension, StreamInfo};
    let uri = rtc::sdp::extmap::TRANSPORT_CC_URI.to_owned();
    StreamInfo {
        ssrc,
        ssrc_rtx: Some(ssrc + 1),
        payload_type: 96,
        payload_type_rtx: Some(97),
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        rtp_header_extensions: vec![RTPHeaderExtension { uri, id: 3 }],
        rtcp_feedback: vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }],
        ..StreamInfo::default()
    }
}

/// Turns the crate's instants into the times of the pure cores and back. It begins with the first instant that it is shown:
/// only differences count.
#[derive(Default)]
struct Timeline(Option<Instant>);

impl Timeline {
    fn time(&mut self, instant: Instant) -> MediaTime {
        let start = *self.0.get_or_insert(instant);
        MediaTime::default() + instant.saturating_duration_since(start)
    }

    /// `None` before the first instant, when nothing can be due.
    fn instant(&self, time: MediaTime) -> Option<Instant> {
        self.0.map(|start| start + time.as_duration())
    }
}

/// What a stage hands on, both ways. Emptied after each packet by the chain that feeds it, so it needs no bound of its own.
#[derive(Default)]
struct Belt {
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

/// The parts of `Protocol` and `Interceptor` that are the same for every stage: hand on what lies on `self.belt`.
macro_rules! hand_on {
    () => {
        fn poll_read(&mut self) -> Option<TaggedPacket> {
            self.belt.inward.pop_front()
        }

        fn poll_write(&mut self) -> Option<TaggedPacket> {
            self.belt.outward.pop_front()
        }
    };
}
use hand_on;
