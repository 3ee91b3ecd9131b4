//! The chain of one association, between SRTP and the tracks.
//!
//! | slot | what | on the way out | on the way in |
//! | --- | --- | --- | --- |
//! | 500 | [`Counters`] | counts | counts |
//! | 2,000 | TWCC sender | numbers each packet | |
//! | 3,000 | [`PacerStage`] | holds video back | |
//! | 4,000 | NACK responder | keeps 1,024 packets a stream | answers requests by RTX |
//! | 7,000 | [`NackStage`] | | unwraps RTX, asks for what is missing |
//! | 8,000 | TWCC receiver | | reports arrival times |
//! | 10,000, 11,000 | receiver and sender reports | | |
//! | 12,500 | [`KeyFrameTap`] | | hears PLI and FIR |
//!
//! 1,000 is free for the bandwidth estimator, 5,000 and 6,000 for forward error correction.

mod counters;
mod nack;
mod pacer;
mod tap;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{
    NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot, TaggedPacket,
    TwccReceiverBuilder, TwccSenderBuilder,
};

pub(crate) use self::counters::Counters;
use self::nack::NackStage;
use self::pacer::PacerStage;
use self::tap::KeyFrameTap;
use super::shared::Shared;
use crate::time::{Bitrate, MediaTime};

/// Packets of each stream that can be sent again: 2 s of 5 Mbit/s. Must be a power of two.
const SENT_PACKETS_KEPT: u16 = 1_024;

/// Most media that one peer gets. Video leaves at 2.5 times of it: a key frame of 100 KB within 80 ms. Higher fills the queues
/// of slow links; lower adds to the delay of key frames.
const MEDIA_RATE: Bitrate = Bitrate::kbps(4_000);

/// The stages of one association. They report to `shared`.
pub(crate) fn registry(shared: &Arc<Shared>) -> Registry {
    Registry::new()
        .with(Slot::from(500), Counters::new(Arc::clone(shared)))
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::Pacer, PacerStage::new(Arc::clone(shared), MEDIA_RATE))
        .with(Slot::NackResponder, NackResponderBuilder::new().with_size(SENT_PACKETS_KEPT).build())
        .with(Slot::NackGenerator, NackStage::new(Arc::clone(shared)))
        .with(Slot::TwccReceiver, TwccReceiverBuilder::new().build())
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, SenderReportBuilder::new().build())
        .with(Slot::from(12_500), KeyFrameTap::new(Arc::clone(shared)))
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
