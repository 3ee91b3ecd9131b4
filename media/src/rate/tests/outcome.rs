//! What came of a call.

use std::collections::BTreeMap;
use std::time::Duration;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Capture to complete of each frame that came whole, and when it did, in ms.
    pub frames: Vec<(u64, u64)>,
    /// Voice packets: captured at ms, and how late.
    pub voice: Vec<(u64, Option<u64>)>,
    /// Estimate by ms.
    pub estimates: Vec<(u64, u64)>,
    /// Bytes that came, by 100 ms.
    pub came: BTreeMap<u64, u64>,
    pub longest_pacer: Duration,
    pub sent_bytes: u64,
    pub filler_bytes: u64,
}

impl Outcome {
    /// Longest time without a newly complete picture, in ms, between two times.
    pub(super) fn longest_stall(&self, from: u64, to: u64) -> u64 {
        let mut times: Vec<u64> = self.frames.iter().map(|(_, at)| *at).filter(|at| (from..=to).contains(at)).collect();
        times.sort_unstable();
        let edges = [from].into_iter().chain(times).chain([to]);
        let edges: Vec<u64> = edges.collect();
        edges.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Greatest latency of a picture captured between two times, in ms.
    pub(super) fn worst_latency(&self, from: u64, to: u64) -> u64 {
        let within = self.frames.iter().filter(|(at, _)| (from..=to).contains(at));
        within.map(|(at, came)| came.saturating_sub(*at)).max().unwrap_or_default()
    }

    /// Share of voice packets that did not come within 250 ms.
    pub(super) fn voice_missed(&self, from: u64, to: u64) -> f64 {
        let within: Vec<_> = self.voice.iter().filter(|(at, _)| (from..to).contains(at)).collect();
        let missed = within.iter().filter(|(_, late)| late.is_none_or(|late| late > 250)).count();
        missed as f64 / within.len().max(1) as f64
    }

    /// Rate that came, in kbit/s.
    pub(super) fn rate(&self, from: u64, to: u64) -> u64 {
        let bytes: u64 = self.came.range(from / 100..to / 100).map(|(_, bytes)| bytes).sum();
        bytes * 8 / (to - from).max(1)
    }

    /// First time from `from` on at which the estimate is at least this, in ms after it.
    pub(super) fn reached(&self, from: u64, kbps: u64) -> Option<u64> {
        self.estimates.iter().find(|(at, estimate)| *at >= from && *estimate >= kbps).map(|(at, _)| at - from)
    }

    /// Pictures a second.
    pub(super) fn fps(&self, from: u64, to: u64) -> f64 {
        let within = self.frames.iter().filter(|(at, _)| (from..to).contains(at)).count();
        within as f64 * 1_000.0 / (to - from) as f64
    }
}
