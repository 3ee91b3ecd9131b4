//! How long packets stand in the path's queues.
//!
//! The clocks of the two ends differ by an unknown constant, so only differences of one-way times count. The least of the last
//! ten seconds is the path itself; what even the quickest packet of the last tenth of a second needs beyond it is a queue that
//! never empties. Jitter and the bursts of a frame move single packets, not that least one.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;

/// Looks back for the quickest packet of now. Three frames at 30 a second: between two frames a queue that is not ours empties.
const STANDING: Duration = Duration::from_millis(100);
/// Fewer packets than this say nothing yet; then older ones count as well. Where packets come unevenly it takes more of them, or a
/// longer queue: the quickest of a few slow ones is none.
const LEAST_PACKETS: (usize, usize) = (5, 12);
/// Packets that deviate so much come unevenly, in microseconds: more than our own pictures make them on a path for some of them.
const UNEVEN: f64 = 20_000.0;
/// Looks back that far at most, when little is sent.
const LONGEST: Duration = Duration::from_millis(800);
/// The path's own time is the least of this many seconds. Longer believes in a path that is gone, shorter takes a queue for it.
const BASE_SECONDS: usize = 10;
/// Packets that the jitter is the mean of.
const MEMORY: u32 = 64;
/// Packets remembered: more than 4 Mbit/s bring in the longest window.
const MAX_RECENT: usize = 512;

/// One-way times of one direction, in microseconds, with an unknown constant in them.
#[derive(Debug, Default)]
pub(crate) struct Delay {
    recent: VecDeque<(MediaTime, i64)>,
    /// The least of each second, newest last.
    seconds: VecDeque<(u64, i64)>,
    /// Mean deviation of single packets from the quickest of their window: the path's jitter.
    jitter: f64,
    seen: u32,
}

impl Delay {
    /// A packet that left at `sent` on the one clock and came at `arrived` on the other.
    pub(crate) fn add(&mut self, sent: MediaTime, arrived: MediaTime) {
        let way = micros(arrived) - micros(sent);
        let second = arrived.as_micros() / 1_000_000;
        match self.seconds.back_mut() {
            Some((newest, least)) if *newest >= second => *least = (*least).min(way),
            _ => self.seconds.push_back((second, way)),
        }
        while self.seconds.len() > BASE_SECONDS {
            self.seconds.pop_front();
        }
        self.recent.push_back((arrived, way));
        while self.recent.len() > MAX_RECENT
            || self
                .recent
                .front()
                .is_some_and(|(at, _)| arrived.since(*at) > LONGEST && self.recent.len() > LEAST_PACKETS.1)
        {
            self.recent.pop_front();
        }
        if let Some(least) = self.least(LEAST_PACKETS.0) {
            self.seen = (self.seen + 1).min(MEMORY);
            self.jitter += ((way - least) as f64 - self.jitter) / f64::from(self.seen);
        }
    }

    /// What the quickest packet of now needs beyond the path itself.
    pub(crate) fn standing(&self) -> Duration {
        let few = self.beyond_base(self.least(LEAST_PACKETS.0));
        if self.jitter <= UNEVEN || !self.is_sparse() {
            return few;
        }
        self.beyond_base(self.least(LEAST_PACKETS.1)).max(few.saturating_sub(self.jitter()))
    }

    /// The same of the packet that came last: the first to show a queue that fills at once.
    pub(crate) fn latest(&self) -> Duration {
        self.beyond_base(self.recent.back().map(|(_, way)| *way))
    }

    /// Mean deviation of single packets from the quickest ones.
    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_micros(self.jitter.max(0.0) as u64)
    }

    /// What stands is not ours: it counts as the path's own time from now on.
    pub(crate) fn accept(&mut self) {
        let Some(least) = self.least(LEAST_PACKETS.0) else { return };
        for (_, second) in &mut self.seconds {
            *second = (*second).max(least);
        }
    }

    /// Of the last packets: those of the window, but so many at least.
    fn least(&self, enough: usize) -> Option<i64> {
        let newest = self.recent.back()?.0;
        let mut seen = 0;
        let window = self.recent.iter().rev().take_while(|(at, _)| {
            seen += 1;
            seen <= enough || newest.since(*at) <= STANDING
        });
        window.map(|(_, way)| *way).min()
    }

    /// Whether the window holds less than the least packets.
    fn is_sparse(&self) -> bool {
        let Some((newest, _)) = self.recent.back() else { return true };
        self.recent.iter().rev().nth(LEAST_PACKETS.0).is_none_or(|(at, _)| newest.since(*at) > STANDING)
    }

    fn beyond_base(&self, way: Option<i64>) -> Duration {
        let base = self.seconds.iter().map(|(_, least)| *least).min();
        match (way, base) {
            (Some(way), Some(base)) => Duration::from_micros((way - base).max(0).unsigned_abs()),
            _ => Duration::ZERO,
        }
    }
}

fn micros(time: MediaTime) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}
