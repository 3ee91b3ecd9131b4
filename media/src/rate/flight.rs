//! What is under way without a report, and what is made of reports that do not come: there is no time to wait for the proof that a path
//! is full, or gone.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;

/// Packets remembered: more than 2 s of 8 Mbit/s.
const MAX_SENT: usize = 2_048;
/// The least round trip is looked for anew after this.
const ROUND_TRIP_KEPT: Duration = Duration::from_secs(10);
/// What may be under way beyond the round trip: reports come every 30 ms, and get lost. If more seldom, longer.
const UNREPORTED: Duration = Duration::from_millis(80);
/// What may be under way at least, and before the first report, in bytes.
const LEAST: f64 = 6_000.0;
const AT_FIRST: u64 = 30_000;
/// A packet leaves this long after the last one, whatever is under way: or nothing would ever be reported again.
const LONELY: Duration = Duration::from_millis(100);
/// A report is overdue this long after three more should have come.
const OVERDUE: Duration = Duration::from_millis(30);
/// Without a report for this long, beyond the round trip, the path counts as cut.
const CUT: Duration = Duration::from_millis(400);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Flight {
    sent: VecDeque<(MediaTime, u64)>,
    bytes: u64,
    /// With the time at which it was seen.
    least_round_trip: Option<(Duration, MediaTime)>,
    round_trip: Duration,
    reported: Option<MediaTime>,
    /// Smoothed time between reports.
    every: Duration,
    /// No pictures until then.
    held_until: MediaTime,
}

impl Flight {
    /// A packet left.
    pub(super) fn on_sent(&mut self, now: MediaTime, bytes: u64) {
        self.sent.push_back((now, bytes));
        self.bytes += bytes;
        if self.sent.len() > MAX_SENT
            && let Some((_, bytes)) = self.sent.pop_front()
        {
            self.bytes -= bytes;
        }
    }

    /// A report came; the latest packet that it says to have come left at `newest`. The time since the report before.
    pub(super) fn on_report(&mut self, now: MediaTime, newest: MediaTime) -> Duration {
        let since = self.reported.replace(now).map_or(Duration::ZERO, |last| now.since(last));
        self.every = (self.every * 7 + since.min(CUT)) / 8;
        while let Some((_, bytes)) = self.sent.pop_front_if(|(at, _)| *at <= newest) {
            self.bytes -= bytes;
        }
        self.round_trip = now.since(newest);
        let still = self.least_round_trip.filter(|(_, at)| now.since(*at) < ROUND_TRIP_KEPT);
        if still.is_none_or(|(least, _)| self.round_trip <= least) {
            self.accept_round_trip(now);
        }
        since
    }

    /// The round trip of now is the path's own.
    pub(super) fn accept_round_trip(&mut self, now: MediaTime) {
        self.least_round_trip = Some((self.round_trip, now));
    }

    /// The path collapsed: what is under way fills its queue or is lost. Pictures wait for so long, so that the next ones fit in.
    pub(super) fn restart(&mut self, now: MediaTime, wait: Duration) {
        self.sent.clear();
        self.bytes = 0;
        self.held_until = now + wait;
    }

    /// Whether more pictures may be put on their way, at this rate in bit/s. While a queue is emptied reports are late as well.
    pub(super) fn may_send(&self, now: MediaTime, rate: f64, draining: bool) -> bool {
        if now < self.held_until {
            return false;
        }
        if self.sent.back().is_some_and(|(at, _)| now.since(*at) >= LONELY) {
            return true;
        }
        if self.is_overdue(now) {
            return false;
        }
        let Some((least, _)) = self.least_round_trip else { return self.bytes < AT_FIRST };
        let round_trip = if draining { least.max(self.round_trip.min(CUT)) } else { least };
        let window = (round_trip + UNREPORTED.max(self.every * 2)).as_secs_f64() * rate / 8.0;
        (self.bytes as f64) < window.max(LEAST)
    }

    /// Reports do not come as they did: either way may be full.
    pub(super) fn is_overdue(&self, now: MediaTime) -> bool {
        self.is_silent(now, OVERDUE + self.every * 3)
    }

    /// Nothing was reported for long, though packets are under way.
    pub(super) fn is_cut(&self, now: MediaTime) -> bool {
        let own = self.least_round_trip.map_or(CUT, |(least, _)| least);
        self.is_silent(now, CUT.max(self.every * 3) + own)
    }

    /// Until what is done shows in a report.
    pub(super) fn patience(&self) -> Duration {
        self.least_round_trip.map_or(Duration::ZERO, |(least, _)| least) + Duration::from_millis(100)
    }

    fn is_silent(&self, now: MediaTime, limit: Duration) -> bool {
        let since = |at: MediaTime| now.since(at) > limit;
        self.sent.front().is_some_and(|(at, _)| since(*at)) && self.reported.is_some_and(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(1_000_000 + millis * 1_000)
    }

    /// A packet each 10 ms, reported 60 ms later in reports that come every 30 ms, until `end`.
    fn steady(end: u64) -> Flight {
        let mut flight = Flight::default();
        for millis in (0..=end).step_by(10) {
            flight.on_sent(at(millis), 1_000);
            if millis % 30 == 0 && millis >= 60 {
                flight.on_report(at(millis), at(millis - 60));
            }
        }
        flight
    }

    #[test]
    fn reports_that_come_let_pictures_go_and_missing_ones_stop_them_before_the_queue_overflows() {
        let mut flight = steady(3_000);
        assert!(flight.may_send(at(3_001), 1e6, false));
        assert!(!flight.is_overdue(at(3_090)) && flight.is_overdue(at(3_130)) && !flight.is_cut(at(3_130)));
        flight.on_sent(at(3_125), 1_000);
        assert!(!flight.may_send(at(3_130), 1e9, false), "whatever the rate");
        assert!(flight.is_cut(at(3_600)));
        assert!(flight.may_send(at(3_226), 1e6, false), "one packet asks whether the path is back");
    }

    #[test]
    fn what_is_under_way_is_bounded_by_the_rate() {
        let mut flight = steady(3_000);
        for _ in 0..20 {
            flight.on_sent(at(3_000), 1_000);
        }
        assert!(!flight.may_send(at(3_001), 1e6, false));
        assert!(flight.may_send(at(3_001), 4e6, false));
        flight.restart(at(3_001), Duration::from_millis(50));
        assert!(!flight.may_send(at(3_040), 4e6, false));
        assert!(flight.may_send(at(3_052), 1e6, false));
    }

    #[test]
    fn a_path_that_is_silent_from_the_start_gets_little() {
        let mut flight = Flight::default();
        for _ in 0..10_000 {
            flight.on_sent(at(0), 1_000);
        }
        assert!(!flight.may_send(at(1), 1e6, false) && !flight.is_cut(at(10_000)));
        assert_eq!(flight.sent.len(), MAX_SENT);
    }
}
