//! What to ask for again, and when (RFC 4585 section 6.2.1).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::number::Unwrapper;

/// Packets remembered as missing. A larger gap is an outage: its packets are too old to be of use when they could come.
const MAX_MISSING: usize = 400;
/// Bounds of the wait for a packet that may only be late. The lower one is paid by every loss, the upper one lets a path
/// with 40 ms of reordering keep silent.
const REORDER_WAIT: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(40));
/// Assumed until the first measurement.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Least time between two requests for a packet, for round trips near zero.
const LEAST_RETRY: Duration = Duration::from_millis(20);

/// A packet that should have come.
#[derive(Clone, Copy, Debug)]
struct Missing {
    /// When a later one came.
    since: Instant,
    asked: u32,
    /// When it was asked for last.
    last: Instant,
}

/// Tracks one RTP stream: which packets are missing, which of them to ask for now.
///
/// A packet is asked for after the wait for reordering, then once per round trip and a quarter, until it comes or is older
/// than it can be useful. Bounded by 400 packets.
#[derive(Debug)]
pub(crate) struct NackList {
    useful: Duration,
    unwrapper: Unwrapper,
    highest: Option<u64>,
    missing: BTreeMap<u64, Missing>,
    reorder_wait: Duration,
    round_trip: Option<Duration>,
    due: Option<Instant>,
    lost: u64,
    requested: u64,
    recovered: u64,
}

impl NackList {
    /// A list for a stream whose packets are of no use when they are later than `useful`.
    pub(crate) fn new(useful: Duration) -> Self {
        Self {
            useful,
            unwrapper: Unwrapper::default(),
            highest: None,
            missing: BTreeMap::new(),
            reorder_wait: REORDER_WAIT.0,
            round_trip: None,
            due: None,
            lost: 0,
            requested: 0,
            recovered: 0,
        }
    }

    /// A packet with this sequence number came, by itself or because it was asked for.
    pub(crate) fn handle_arrival(&mut self, now: Instant, sequence: u16, retransmitted: bool) {
        let number = self.unwrapper.unwrap(sequence);
        let Some(highest) = self.highest else {
            self.highest = Some(number);
            return;
        };
        if number > highest {
            self.highest = Some(number);
            self.note_gap(now, highest + 1, number);
        } else if let Some(missing) = self.missing.remove(&number) {
            let late = now.saturating_duration_since(missing.since);
            if retransmitted {
                self.recovered += 1;
                if missing.asked == 1 {
                    self.note_round_trip(now.saturating_duration_since(missing.last));
                }
            } else {
                // It was only late: wait a little longer than that next time.
                self.reorder_wait = self
                    .reorder_wait
                    .max(late.mul_f32(1.25))
                    .clamp(REORDER_WAIT.0, REORDER_WAIT.1);
            }
        }
    }

    fn note_gap(&mut self, now: Instant, from: u64, to: u64) {
        if to - from > MAX_MISSING as u64 {
            self.lost += to - from + self.missing.len() as u64;
            self.missing.clear();
            return;
        }
        for number in from..to {
            self.missing.insert(
                number,
                Missing {
                    since: now,
                    asked: 0,
                    last: now,
                },
            );
        }
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
            self.lost += 1;
        }
        if to > from {
            let due = now + self.reorder_wait;
            self.due = Some(self.due.map_or(due, |other| other.min(due)));
        }
    }

    fn note_round_trip(&mut self, sample: Duration) {
        self.round_trip = Some(self.round_trip.map_or(sample, |old| (old * 7 + sample) / 8));
    }

    /// Sequence numbers to ask for now, ascending. `round_trip` is another measurement, used until there is an own one.
    pub(crate) fn poll_requests(&mut self, now: Instant, round_trip: Option<Duration>) -> Vec<u16> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        // Forget reordering slowly, so that one late packet does not slow every request of the call.
        self.reorder_wait = self.reorder_wait.mul_f32(0.99).max(REORDER_WAIT.0);
        let round_trip = self.round_trip.or(round_trip).unwrap_or(FIRST_ROUND_TRIP);
        let retry = (round_trip + round_trip / 4).max(LEAST_RETRY);
        let (useful, wait) = (self.useful, self.reorder_wait);
        let before = self.missing.len();
        self.missing
            .retain(|_, missing| now < missing.since + useful);
        self.lost += (before - self.missing.len()) as u64;

        let mut requests = Vec::new();
        let mut next_due: Option<Instant> = None;
        for (number, missing) in &mut self.missing {
            let ask_at = if missing.asked == 0 {
                missing.since + wait
            } else {
                missing.last + retry
            };
            let mut due = ask_at;
            if ask_at <= now {
                self.requested += u64::from(missing.asked == 0);
                missing.asked += 1;
                missing.last = now;
                requests.push(*number as u16);
                due = now + retry;
            }
            let due = due.min(missing.since + useful);
            next_due = Some(next_due.map_or(due, |other| other.min(due)));
        }
        self.due = next_due;
        requests
    }

    /// When [`Self::poll_requests`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Packets that never came, packets asked for, packets that came because of it.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.lost, self.requested, self.recovered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn list() -> (NackList, Instant) {
        (NackList::new(ms(600)), Instant::now())
    }

    #[test]
    fn a_missing_packet_is_asked_for_after_the_reorder_wait_and_once_per_round_trip() {
        let (mut list, start) = list();
        list.handle_arrival(start, 10, false);
        list.handle_arrival(start, 12, false);
        assert!(list.poll_requests(start, Some(ms(40))).is_empty());
        assert_eq!(list.poll_timeout(), Some(start + ms(3)));
        assert_eq!(list.poll_requests(start + ms(3), Some(ms(40))), [11]);
        assert!(list.poll_requests(start + ms(52), Some(ms(40))).is_empty());
        assert_eq!(list.poll_requests(start + ms(53), Some(ms(40))), [11]);
        list.handle_arrival(start + ms(95), 11, true);
        assert!(list.poll_requests(start + ms(300), Some(ms(40))).is_empty());
        assert_eq!((list.counts(), list.poll_timeout()), ((0, 1, 1), None));
    }

    #[test]
    fn a_late_packet_makes_the_list_more_patient() {
        let (mut list, start) = list();
        for step in 0..40_u16 {
            // Every other packet is 16 ms behind its successor.
            let at = start + ms(20) * u32::from(step);
            list.handle_arrival(at, 2 * step + 1, false);
            let early = list.poll_requests(at + ms(15), Some(ms(40)));
            assert!(
                step < 2 || early.is_empty(),
                "asked for a packet that was only late: {early:?}"
            );
            list.handle_arrival(at + ms(16), 2 * step, false);
        }
        assert!(list.counts().1 <= 2, "{:?}", list.counts());
    }

    #[test]
    fn a_packet_too_old_to_be_useful_is_lost_and_not_asked_for() {
        let (mut list, start) = list();
        list.handle_arrival(start, 65_535, false);
        list.handle_arrival(start, 1, false);
        let mut asked = 0;
        let mut now = start;
        while let Some(due) = list.poll_timeout() {
            now = due;
            asked += list.poll_requests(now, Some(ms(100))).len();
        }
        assert_eq!((asked, now - start, list.counts()), (5, ms(600), (1, 1, 0)));
    }

    #[test]
    fn an_outage_is_not_asked_for() {
        let (mut list, start) = list();
        list.handle_arrival(start, 0, false);
        list.handle_arrival(start, 1_000, false);
        assert!(list.poll_requests(start + ms(100), None).is_empty());
        assert_eq!(list.counts(), (999, 0, 0));
    }

    #[test]
    fn the_round_trip_is_learned_from_answers() {
        let (mut list, start) = list();
        list.handle_arrival(start, 0, false);
        list.handle_arrival(start, 2, false);
        assert_eq!(list.poll_requests(start + ms(3), None), [1]);
        list.handle_arrival(start + ms(203), 1, true);
        list.handle_arrival(start + ms(300), 4, false);
        assert_eq!(list.poll_requests(start + ms(303), None), [3]);
        assert_eq!(list.poll_timeout(), Some(start + ms(553)));
    }

    #[test]
    fn hostile_sequence_numbers_keep_the_list_bounded() {
        let (mut list, start) = list();
        let mut random = 3_u32;
        for step in 0..50_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let now = start + Duration::from_micros(step * 50);
            list.handle_arrival(now, (random >> 16) as u16, random & 1 == 0);
            assert!(list.missing.len() <= MAX_MISSING);
            assert!(list.poll_requests(now, None).len() <= MAX_MISSING);
        }
    }
}
