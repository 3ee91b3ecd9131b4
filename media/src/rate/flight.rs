//! What is under way without a report, and what is made of reports that do not come: there is no time to wait for the proof that a path
//! is full, or gone.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;

/// Packets remembered: more than 2 s of 8 Mbit/s.
const MAX_SENT: usize = 2_048;
/// The least round trip is the one of this long, and of as long before.
const ROUND_TRIP_KEPT: Duration = Duration::from_secs(5);
/// What may be under way beyond the round trip: reports come every 30 ms, and get lost. If more seldom, longer.
const UNREPORTED: Duration = Duration::from_millis(80);
/// What may be under way at least, and before the first report, in bytes.
const LEAST: f64 = 6_000.0;
const AT_FIRST: u64 = 30_000;
/// A packet leaves this long after the last one, whatever is under way: or nothing would ever be reported again.
const LONELY: Duration = Duration::from_millis(100);
/// A report is overdue after so many times of what reports deviate from their beat, within bounds: to hold for nothing costs a moment,
/// to go on costs all that the queue cannot take.
const DEVIATIONS: u32 = 4;
const OVERDUE: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(45));
/// Reports this late tell of a path that may not be the same any more: pictures wait for those of now. Not for ever, since a queue on
/// the way back alone is none of theirs; and the less is sent, the less the queue takes if the estimate is wrong.
const STALE: Duration = Duration::from_millis(30);
const MOST_STALE: Duration = Duration::from_millis(250);
/// A queue that fills on the way back stretches the beat of reports for so long, though not each gap as much.
const STRETCHED: Duration = Duration::from_millis(200);
/// From this rate on, in bit/s, they wait as long as that.
const FAST: f64 = 1.5e6;
/// Packets of so many bytes are of pictures.
const PICTURE: u64 = 400;
/// While a queue is emptied the voice enters it.
const VOICE_ON_TOP: f64 = 1.15;
/// Without a report for this long, beyond the round trip, the path counts as cut.
const CUT: Duration = Duration::from_millis(400);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Flight {
    sent: VecDeque<(MediaTime, u64)>,
    bytes: u64,
    /// The least of the time since then, and of the time before.
    least_round_trip: Option<(Duration, MediaTime)>,
    least_before: Option<Duration>,
    round_trip: Duration,
    reported: Option<MediaTime>,
    /// When the last packet left that is longer than those of the voice.
    last_picture: Option<MediaTime>,
    /// Smoothed time between reports.
    every: Duration,
    /// Smoothed deviation from it.
    deviation: Duration,
    /// No pictures until then.
    held_until: MediaTime,
    /// Since when reports stand in a queue on their way.
    stale_since: Option<MediaTime>,
    /// The path loses reports by chance.
    lossy: bool,
    /// When a report came that was overdue.
    overdue_at: Option<MediaTime>,
    /// How long the latest packet that was told of stood in queues.
    queued: Duration,
}

impl Flight {
    /// A packet left.
    pub(super) fn on_sent(&mut self, now: MediaTime, bytes: u64) {
        self.sent.push_back((now, bytes));
        self.bytes += bytes;
        if bytes >= PICTURE {
            self.last_picture = Some(now);
        }
        if self.sent.len() > MAX_SENT
            && let Some((_, bytes)) = self.sent.pop_front()
        {
            self.bytes -= bytes;
        }
    }

    /// Whether the path loses packets by chance, and reports as well.
    pub(super) fn expect_losses(&mut self, lossy: bool) {
        self.lossy = lossy;
    }

    /// A report came; the latest packet that it says to have come left at `newest`, and stood in queues for `queued`. The time since
    /// the report before.
    pub(super) fn on_report(&mut self, now: MediaTime, newest: MediaTime, queued: Duration) -> Duration {
        if self.is_overdue(now) {
            self.overdue_at = Some(now);
        }
        let since = self.reported.replace(now).map_or(Duration::ZERO, |last| now.since(last));
        let beat = since.min(CUT);
        self.deviation = (self.deviation * 7 + beat.abs_diff(self.every)) / 8;
        self.every = (self.every * 7 + beat) / 8;
        while let Some((_, bytes)) = self.sent.pop_front_if(|(at, _)| *at <= newest) {
            self.bytes -= bytes;
        }
        self.round_trip = now.since(newest);
        self.least_round_trip = match self.least_round_trip {
            Some((least, begin)) if now.since(begin) < ROUND_TRIP_KEPT => Some((least.min(self.round_trip), begin)),
            before => {
                self.least_before = before.map(|(least, _)| least);
                Some((self.round_trip, now))
            }
        };
        self.queued = queued;
        // A queue on the way back that grows slowly is no sign.
        let own = self.own_round_trip().unwrap_or_default();
        let stale = self.age() > own / 2 + STALE + self.every;
        let stretched = self.overdue_at.is_some_and(|at| now.since(at) < STRETCHED);
        self.stale_since = self.stale_since.or_else(|| stretched.then_some(now)).filter(|_| stale);
        since
    }

    /// How long ago the latest packet that was told of came.
    fn age(&self) -> Duration {
        self.round_trip.saturating_sub(self.own_round_trip().unwrap_or_default() / 2 + self.queued)
    }

    /// What the path itself takes, there and back.
    fn own_round_trip(&self) -> Option<Duration> {
        self.least_round_trip.map(|(least, _)| self.least_before.map_or(least, |before| before.min(least)))
    }

    /// How long the queue takes to be empty: it is no longer than what the latest packet stood in, and is fed by the voice alone since
    /// pictures are held.
    pub(super) fn empty_in(&self, now: MediaTime) -> Duration {
        self.last_picture.map_or(Duration::ZERO, |at| self.queued.mul_f64(VOICE_ON_TOP).saturating_sub(now.since(at)))
    }

    /// The round trip of now is the path's own.
    pub(super) fn accept_round_trip(&mut self, now: MediaTime) {
        self.least_round_trip = Some((self.round_trip, now));
        self.least_before = None;
    }

    /// The path collapsed: what is under way fills its queue or is lost. Pictures wait for so long, so that the next ones fit in.
    pub(super) fn restart(&mut self, now: MediaTime, wait: Duration) {
        self.sent.clear();
        self.bytes = 0;
        self.held_until = now + wait;
        // What was waited for is known.
        if self.stale_since.is_some() {
            self.stale_since = Some(MediaTime::default());
        }
    }

    /// Whether more pictures may be put on their way, at this rate in bit/s. While a queue is emptied reports are late as well.
    pub(super) fn may_send(&self, now: MediaTime, rate: f64, draining: bool) -> bool {
        if now < self.held_until {
            return false;
        }
        if self.sent.back().is_some_and(|(at, _)| now.since(*at) >= LONELY) {
            return true;
        }
        if self.is_overdue(now) || self.is_held(now, rate) {
            return false;
        }
        let Some(least) = self.own_round_trip() else { return self.bytes < AT_FIRST };
        let ours = if draining { Duration::ZERO } else { self.queued };
        let round_trip = least.max(self.round_trip.saturating_sub(ours).min(CUT));
        // While reports come late, no more than was known to be carried.
        let slack = if self.was_overdue() { self.every } else { UNREPORTED.max(self.every * 2) };
        let window = (round_trip + slack).as_secs_f64() * rate / 8.0;
        (self.bytes as f64) < window.max(LEAST)
    }

    /// Reports do not come as they did: either way may be full. Where one in a while is lost by chance, the next one is awaited.
    pub(super) fn is_overdue(&self, now: MediaTime) -> bool {
        let next = if self.lossy { self.every.min(OVERDUE.1) } else { Duration::ZERO };
        self.is_silent(now, self.every + next + (self.deviation * DEVIATIONS).clamp(OVERDUE.0, OVERDUE.1))
    }

    /// Whether the last report was, when it came.
    pub(super) fn was_overdue(&self) -> bool {
        self.overdue_at.is_some() && self.overdue_at == self.reported
    }

    /// Pictures wait for reports of now.
    pub(super) fn is_held(&self, now: MediaTime, rate: f64) -> bool {
        self.stale_since.is_some_and(|since| now.since(since) < MOST_STALE.mul_f64((rate / FAST).min(1.0)))
    }

    /// Reports came late, or did not come.
    pub(super) fn is_late(&self, now: MediaTime) -> bool {
        self.stale_since.is_some() || self.is_overdue(now)
    }

    /// Nothing was reported for long, though packets are under way.
    pub(super) fn is_cut(&self, now: MediaTime) -> bool {
        let own = self.own_round_trip().unwrap_or(CUT);
        self.is_silent(now, CUT.max(self.every * 3) + own)
    }

    /// Until what is done shows in a report.
    pub(super) fn patience(&self) -> Duration {
        let own = self.own_round_trip().unwrap_or_default();
        own + self.age().saturating_sub(own / 2) + Duration::from_millis(100)
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
                flight.on_report(at(millis), at(millis - 60), Duration::ZERO);
            }
        }
        flight
    }

    #[test]
    fn reports_that_come_let_pictures_go_and_missing_ones_stop_them_before_the_queue_overflows() {
        let mut flight = steady(3_000);
        assert!(flight.may_send(at(3_001), 1e6, false));
        assert!(!flight.is_overdue(at(3_050)) && flight.is_overdue(at(3_060)) && !flight.is_cut(at(3_130)));
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
    fn a_report_that_comes_late_lets_nothing_go_until_one_tells_of_now_or_long_enough_has_passed() {
        let late = || {
            let mut flight = steady(3_000);
            flight.on_report(at(3_200), at(3_000), Duration::ZERO);
            flight.on_sent(at(3_200), 1_000);
            flight
        };
        assert!(late().is_late(at(3_201)) && !late().may_send(at(3_201), 2e6, false));
        assert!(late().may_send(at(3_220), 1e5, false), "where little is sent little can go wrong");
        let mut told = late();
        told.on_report(at(3_230), at(3_170), Duration::ZERO);
        assert!(!told.is_late(at(3_231)) && told.may_send(at(3_231), 2e6, false));
        let mut goes_on = late();
        for millis in (3_230..3_500).step_by(30) {
            goes_on.on_report(at(millis), at(millis - 200), Duration::ZERO);
            goes_on.on_sent(at(millis), 1_000);
        }
        assert!(goes_on.may_send(at(3_501), 2e6, false), "the way back alone is full");
    }

    #[test]
    fn where_reports_are_lost_by_chance_the_next_one_is_awaited() {
        let mut flight = steady(3_000);
        flight.expect_losses(true);
        assert!(!flight.is_overdue(at(3_080)) && flight.is_overdue(at(3_090)));
        flight.expect_losses(false);
        assert!(flight.is_overdue(at(3_080)));
    }

    #[test]
    fn a_gap_that_is_not_too_long_tells_of_a_full_path_if_one_before_was_and_the_report_is_old() {
        let stretched = |gap: u64| {
            let mut flight = steady(3_000);
            flight.on_report(at(3_000 + gap), at(2_960), Duration::ZERO);
            assert!(!flight.is_late(at(3_000 + gap)), "not so old yet");
            flight.on_report(at(3_050 + gap), at(2_970), Duration::ZERO);
            flight.is_late(at(3_050 + gap))
        };
        assert!(stretched(60) && !stretched(50), "the first one was overdue after 55 ms");
    }

    #[test]
    fn a_queue_on_the_way_back_does_not_become_the_paths_own_time() {
        let mut flight = steady(9_900);
        for millis in (9_930..12_000).step_by(30) {
            flight.on_sent(at(millis), 1_000);
            flight.on_report(at(millis), at(millis - 300), Duration::ZERO);
        }
        assert_eq!(flight.own_round_trip(), Some(Duration::from_millis(60)));
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
