//! What came, and how much a path carries that is full.

use std::time::Duration;

use super::throughput::Throughput;
use crate::time::{Bitrate, MediaTime};

/// A packet this late stood in a queue all its way.
const QUEUED: Duration = Duration::from_millis(30);
/// What came in so long shows what a path carries that is suddenly full; otherwise twice that.
const SHORT: Duration = Duration::from_millis(100);
/// Where too little came in that time to tell of more than a collapse.
const LONG: Duration = Duration::from_millis(1_000);
/// A path that carries less than this share of what was thought has collapsed.
pub(super) const COLLAPSE: f64 = 0.5;

/// What a full path carries, in bit/s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub(super) rate: f64,
    /// Measured behind a queue; otherwise it is what came, and no more may have been sent.
    pub(super) certain: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    all: Throughput,
    /// What came behind a queue: nothing but the narrowest link says how fast.
    queued: Throughput,
}

impl Arrivals {
    /// Nothing is known of the time until the next arrival.
    pub(super) fn skip(&mut self) {
        self.all.skip();
        self.queued.skip();
    }

    /// Bytes that came, and how long they stood in queues.
    pub(super) fn add(&mut self, arrived: MediaTime, bytes: u64, stood: Duration) {
        self.all.add(arrived, bytes);
        if stood > QUEUED {
            self.queued.add(arrived, bytes);
        } else {
            self.queued.clear();
        }
    }

    /// What the path carries, that was thought to carry `estimate` bit/s and is full now: suddenly, or for some time.
    pub(super) fn carried(&self, estimate: f64, suddenly: bool) -> Carried {
        let window = if suddenly { SHORT } else { SHORT * 2 };
        let collapse = |rate: &f64| *rate < estimate * COLLAPSE;
        let behind_queue = self.queued.span(window).map(bits).or_else(|| self.carried_for_long().filter(collapse));
        let rate = behind_queue.or_else(|| self.all.over(window).map(bits)).unwrap_or(estimate);
        Carried { rate, certain: behind_queue.is_some() }
    }

    /// Whether enough came behind a queue that begins to be one to say how fast it goes.
    pub(super) fn tell_of_a_queue(&self) -> bool {
        self.queued.span(SHORT).is_some()
    }

    /// The same as [`Self::carried`], measured for longer, if a queue stands for long.
    pub(super) fn carried_for_long(&self) -> Option<f64> {
        self.queued.span(LONG).map(bits)
    }

    /// What came in the last half second, in bit/s.
    pub(super) fn lately(&self) -> Option<f64> {
        self.all.over(Duration::from_millis(500)).map(bits)
    }
}

fn bits(rate: Bitrate) -> f64 {
    rate.as_bps() as f64
}
