//! How much came through, on the receiver's clock.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// Arrivals remembered: more than 8 Mbit/s bring in the longest window.
const MAX_ARRIVALS: usize = 1_024;
/// Fewer packets than this are no rate.
const LEAST_PACKETS: usize = 6;
/// Fewer than this behind a queue are none either.
const LEAST_QUEUED: u64 = 4;
/// Holes remembered: one for each lost report of the last second.
const MAX_HOLES: usize = 32;
/// Arrivals of less time than this are no rate either.
const LEAST_SPAN: Duration = Duration::from_millis(10);
/// Longest window that may be asked for.
const LONGEST: Duration = Duration::from_secs(1);

/// Arrivals of the last second.
#[derive(Debug, Default)]
pub(crate) struct Throughput {
    arrivals: VecDeque<(MediaTime, u64)>,
    newest: MediaTime,
    /// Times of which nothing is known, because their reports were lost.
    holes: VecDeque<(MediaTime, MediaTime)>,
    in_hole: bool,
}

impl Throughput {
    /// Nothing is known of the time until the next arrival.
    pub(crate) fn skip(&mut self) {
        self.in_hole = true;
    }

    /// Bytes that came.
    pub(crate) fn add(&mut self, arrived: MediaTime, bytes: u64) {
        let mut bytes = bytes;
        if std::mem::take(&mut self.in_hole) && arrived > self.newest {
            self.holes.push_back((self.newest, arrived));
            // It came in that time.
            bytes = 0;
        }
        while self.holes.front().is_some_and(|(_, end)| arrived.since(*end) > LONGEST) || self.holes.len() > MAX_HOLES {
            self.holes.pop_front();
        }
        self.newest = self.newest.max(arrived);
        self.arrivals.push_back((arrived, bytes));
        while self.arrivals.len() > MAX_ARRIVALS
            || self.arrivals.front().is_some_and(|(at, _)| self.newest.since(*at) > LONGEST)
        {
            self.arrivals.pop_front();
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.arrivals.clear();
        self.holes.clear();
    }

    /// What came from the first arrival in the last `window` to the last one. `None` while that is too little to tell. Of these two one
    /// half each counts: a link may let a packet go when its time begins, or when it is over.
    pub(crate) fn span(&self, window: Duration) -> Option<Bitrate> {
        let from = self.newest - window;
        let arrivals = || self.arrivals.iter().filter(|(at, _)| *at >= from);
        let (first, last) = (arrivals().next()?, self.arrivals.back()?);
        let (count, bytes) = arrivals().fold((0, 0), |(count, sum), (_, bytes)| (count + 1, sum + bytes));
        let bytes = bytes as f64 - (first.1 + last.1) as f64 / 2.0;
        let unknown: Duration = self.holes.iter().map(|(begin, end)| end.since((*begin).max(first.0))).sum();
        let span = self.newest.since(first.0).saturating_sub(unknown);
        (count > LEAST_QUEUED && span >= LEAST_SPAN).then(|| Bitrate::bps((bytes * 8.0 / span.as_secs_f64()) as u64))
    }

    /// What came in the last `window`, or in a longer time if that was less than `LEAST_PACKETS`. `None` before anything that
    /// long was seen.
    pub(crate) fn over(&self, window: Duration) -> Option<Bitrate> {
        let oldest = self.arrivals.front()?.0;
        let window = window.min(LONGEST);
        if self.newest.since(oldest) + Duration::from_millis(20) < window {
            return None;
        }
        let nth = self.arrivals.iter().rev().nth(LEAST_PACKETS).map_or(oldest, |(at, _)| *at);
        let from = nth.min(self.newest - window);
        let unknown: Duration = self.holes.iter().map(|(begin, end)| end.since((*begin).max(from))).sum();
        let bytes: u64 = self.arrivals.iter().filter(|(at, _)| *at > from).map(|(_, bytes)| bytes).sum();
        let span = self.newest.since(from).saturating_sub(unknown).max(LEAST_SPAN);
        Some(Bitrate::bps((bytes as f64 * 8.0 / span.as_secs_f64()) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(1_000_000 + millis * 1_000)
    }

    #[test]
    fn a_lost_report_makes_the_path_no_slower() {
        let mut throughput = Throughput::default();
        for millis in (0..400).step_by(10) {
            // 1 Mbit/s; of 100 ms nothing is known.
            if (300..400).contains(&millis) {
                throughput.skip();
            } else {
                throughput.add(at(millis), 1_250);
            }
        }
        throughput.add(at(400), 1_250);
        let rate = throughput.over(Duration::from_millis(200)).unwrap().as_kbps();
        assert!((900..1_150).contains(&rate), "{rate}");
    }

    #[test]
    fn silence_makes_it_slower() {
        let mut throughput = Throughput::default();
        for millis in (0..300).step_by(10) {
            throughput.add(at(millis), 1_250);
        }
        throughput.add(at(400), 1_250);
        let rate = throughput.over(Duration::from_millis(200)).unwrap().as_kbps();
        assert!(rate < 600, "{rate}");
    }
}
