//! The counters behind [`MediaStats`](super::MediaStats): pure, `now` handed in.

use std::collections::VecDeque;
use std::time::Duration;

use super::Latency;
use crate::time::MediaTime;

/// Delays in steps of half a millisecond up to two seconds; what is longer falls into the last step.
#[derive(Debug)]
pub(crate) struct Histogram {
    steps: Vec<u32>,
    count: u64,
    max: Duration,
}

/// Steps of a histogram and the width of one.
const STEPS: usize = 4_000;
const STEP_MICROS: u128 = 500;

impl Histogram {
    pub(crate) fn add(&mut self, delay: Duration) {
        let step = usize::try_from(delay.as_micros() / STEP_MICROS).unwrap_or(usize::MAX);
        if let Some(count) = self.steps.get_mut(step.min(STEPS - 1)) {
            *count += 1;
        }
        self.count += 1;
        self.max = self.max.max(delay);
    }

    pub(crate) fn summary(&self) -> Latency {
        Latency {
            count: self.count,
            p50: self.percentile(50),
            p95: self.percentile(95),
            max: self.max.as_secs_f64() * 1_000.0,
        }
    }

    /// Upper edge of the step in which the percentile lies, in milliseconds.
    fn percentile(&self, percent: u64) -> f64 {
        let rank = (self.count * percent).div_ceil(100);
        let mut passed = 0;
        for (step, count) in self.steps.iter().enumerate() {
            passed += u64::from(*count);
            if passed >= rank && passed > 0 {
                return (step + 1) as f64 * STEP_MICROS as f64 / 1_000.0;
            }
        }
        0.0
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { steps: vec![0; STEPS], count: 0, max: Duration::ZERO }
    }
}

/// Frames and bytes over time.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) frames: u64,
    bytes: u64,
    first: Option<MediaTime>,
    last: MediaTime,
}

impl Flow {
    pub(crate) fn add(&mut self, bytes: usize, now: MediaTime) {
        self.frames += 1;
        self.bytes += bytes as u64;
        self.first.get_or_insert(now);
        self.last = now;
    }

    /// Frames a second: intervals between first and last, so that the window's edges do not matter.
    pub(crate) fn per_second(&self) -> f64 {
        self.frames.saturating_sub(1) as f64 / self.seconds()
    }

    /// Kilobits a second. The last frame stands for the interval after it, so it is left out.
    pub(crate) fn kbps(&self) -> f64 {
        let share = self.frames.saturating_sub(1) as f64 / self.frames.max(1) as f64;
        self.bytes as f64 * share * 8.0 / 1_000.0 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        let first = self.first.unwrap_or(self.last);
        self.last.since(first).as_secs_f64().max(1e-3)
    }
}

/// Gaps between shown pictures that a person sees as a freeze: longer than `max(3 × mean, mean + 150 ms)` of the last 30
/// gaps (W3C webrtc-stats, `freezeCount`).
#[derive(Debug, Default)]
pub(crate) struct Freezes {
    pub(crate) count: u64,
    pub(crate) frozen: Duration,
    last: Option<MediaTime>,
    gaps: VecDeque<Duration>,
}

/// Gaps that the mean is taken of.
const GAPS: usize = 30;

/// What is always allowed above the mean.
const ALLOWED: Duration = Duration::from_millis(150);

impl Freezes {
    pub(crate) fn shown(&mut self, now: MediaTime) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let gap = now.since(last);
        let known = u32::try_from(self.gaps.len()).unwrap_or(u32::MAX);
        if known > 0 {
            let mean = self.gaps.iter().sum::<Duration>() / known;
            if gap > (mean * 3).max(mean + ALLOWED) {
                self.count += 1;
                self.frozen += gap;
            }
        }
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// The pictures paused on purpose: the time until the next is no freeze.
    pub(crate) fn pause(&mut self) {
        self.last = None;
    }

    /// Begins a new count but remembers the rhythm, so that a freeze across the mark is seen.
    pub(crate) fn mark(&mut self) {
        self.count = 0;
        self.frozen = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    #[test]
    fn percentiles_are_the_upper_edges_of_their_steps() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.summary().p50, 0.0);
        for millis in 1..=100 {
            histogram.add(Duration::from_millis(millis));
        }
        let summary = histogram.summary();
        assert_eq!((summary.p50, summary.p95, summary.max), (50.5, 95.5, 100.0));
        histogram.add(Duration::MAX);
        assert_eq!(histogram.summary().count, 101);
    }

    #[test]
    fn rates_come_from_intervals() {
        let mut flow = Flow::default();
        assert_eq!((flow.per_second(), flow.kbps()), (0.0, 0.0));
        for frame in 0..31 {
            flow.add(500, at(frame * 100));
        }
        assert!((flow.per_second() - 10.0).abs() < 1e-9);
        assert!((flow.kbps() - 40.0).abs() < 1e-9);
    }

    #[test]
    fn a_gap_is_a_freeze_only_when_it_is_far_above_the_rhythm() {
        let mut freezes = Freezes::default();
        for frame in 0..30 {
            freezes.shown(at(frame * 33));
        }
        // 33 + 150 ms is the limit at 30 pictures a second.
        freezes.shown(at(29 * 33 + 170));
        assert_eq!(freezes.count, 0);
        freezes.shown(at(29 * 33 + 170 + 300));
        assert_eq!((freezes.count, freezes.frozen), (1, Duration::from_millis(300)));
        freezes.pause();
        freezes.shown(at(60_000));
        assert_eq!(freezes.count, 1);
    }
}
