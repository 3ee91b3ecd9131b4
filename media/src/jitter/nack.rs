//! What to ask for again, and when (RFC 4585 section 6.2.1).

use std::collections::BTreeMap;
use std::time::Duration;

use super::number::Unwrapper;
use crate::time::MediaTime;

/// Packets remembered as missing. A larger gap is an outage: its packets are too old to be of use when they could come.
const MAX_MISSING: usize = 400;
/// Bounds of the wait for a packet that may only be late. The lower one is paid by every loss, the upper one lets a path
/// with 40 ms of reordering keep silent.
const REORDER_WAIT: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(40));
/// Assumed until the first measurement.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Bounds of what is added to the round trip before a packet is asked for again: four mean deviations of it.
const RETRY_MARGIN: (Duration, Duration) = (Duration::from_millis(6), Duration::from_millis(60));
/// Least time between two requests for a packet, for round trips near zero.
const LEAST_RETRY: Duration = Duration::from_millis(20);
/// Each request goes out twice, so that a lost one does not cost a round trip; the sender answers requests that come this
/// close together once.
const SECOND_COPY: Duration = Duration::from_millis(8);
/// Least silence in the middle of a frame before the rest of it counts as missing. Shorter mistakes the pauses of a pacer for
/// loss; longer delays frames whose last packet is lost, which else shows with the next frame alone.
const LEAST_SILENCE: Duration = Duration::from_millis(6);
/// The same until a frame of several packets was seen to its end: a call begins slowly.
const FIRST_SILENCE: Duration = Duration::from_millis(40);

/// A packet that should have come.
#[derive(Clone, Copy, Debug)]
struct Missing {
    /// When a later one came.
    since: MediaTime,
    /// Of no use from then on: it left long before.
    until: MediaTime,
    asked: u32,
    /// When it was asked for last.
    last: MediaTime,
    /// When to ask next.
    due: MediaTime,
}

/// Packets that must follow, by the chunk count of the latest one.
#[derive(Clone, Copy, Debug)]
struct Tail {
    /// Number of the last packet of the frame.
    end: u64,
    /// When the latest packet came.
    since: MediaTime,
    /// When the rest counts as missing.
    due: MediaTime,
}

/// Tracks one RTP stream: which packets are missing, which of them to ask for now.
///
/// A packet is asked for after the wait for reordering, then once per round trip and four deviations of it, until it comes or
/// is older than it can be useful. Bounded by 400 packets.
#[derive(Debug)]
pub(crate) struct NackList {
    useful: Duration,
    unwrapper: Unwrapper,
    highest: Option<u64>,
    /// When that one came.
    reached: MediaTime,
    missing: BTreeMap<u64, Missing>,
    reorder_wait: Duration,
    /// Smoothed, and its mean deviation (RFC 6298 section 2).
    round_trip: Option<(Duration, Duration)>,
    /// Smoothed time between packets of one frame.
    gap: Duration,
    /// Whether a frame of several packets was seen to its end.
    paced: bool,
    tail: Option<Tail>,
    due: Option<MediaTime>,
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
            reached: MediaTime::default(),
            missing: BTreeMap::new(),
            reorder_wait: REORDER_WAIT.0,
            round_trip: None,
            gap: Duration::ZERO,
            paced: false,
            tail: None,
            due: None,
            lost: 0,
            requested: 0,
            recovered: 0,
        }
    }

    /// A packet with this sequence number came, by itself or because it was asked for. `following` packets belong to the
    /// same frame and come after it. Whether it is news: neither there already nor given up.
    pub(crate) fn handle_arrival(
        &mut self,
        now: MediaTime,
        sequence: u16,
        retransmitted: bool,
        following: u16,
    ) -> bool {
        let number = self.unwrapper.unwrap(sequence);
        if self.highest.is_none_or(|highest| number > highest) {
            let silence = now.since(self.reached);
            self.note_gap(now, silence, self.highest.map_or(number, |highest| highest + 1), number);
            self.note_tail(now, number, following);
            (self.highest, self.reached) = (Some(number), now);
            return true;
        }
        let missing = self.missing.remove(&number);
        if let Some(missing) = missing {
            if retransmitted {
                self.recovered += 1;
                if missing.asked == 1 {
                    self.note_round_trip(now.since(missing.last));
                }
            } else {
                // It was only late: wait a little longer than that next time, and for the end of a frame as well.
                let late = now.since(missing.since);
                self.gap = self.gap.max(late.min(REORDER_WAIT.1));
                self.reorder_wait = self.reorder_wait.max(late.mul_f32(1.25)).min(REORDER_WAIT.1);
            }
        }
        missing.is_some()
    }

    /// Packets from here to there are missing. They left evenly over the silence before. After an outage none of them is of use: to ask
    /// for them would fill the path that has just come back, and what comes of it would be heard instead of what is said now.
    fn note_gap(&mut self, since: MediaTime, silence: Duration, from: u64, to: u64) {
        if to <= from {
            return;
        }
        if to - from > MAX_MISSING as u64 || silence >= self.useful {
            self.lost += to - from + self.missing.len() as u64;
            self.missing.clear();
            return;
        }
        let due = since + self.reorder_wait;
        for number in from..to {
            let age = silence.mul_f64((to - number) as f64 / (to - from + 1) as f64);
            let missing = Missing { since, until: since + self.useful.saturating_sub(age), asked: 0, last: since, due };
            self.missing.insert(number, missing);
        }
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
            self.lost += 1;
        }
        self.due = Some(self.due.map_or(due, |other| other.min(due)));
    }

    fn note_tail(&mut self, now: MediaTime, number: u64, following: u16) {
        if let Some(tail) = self.tail.filter(|tail| tail.end >= number) {
            let gap = now.since(tail.since);
            self.gap = (self.gap * 7 + gap) / 8;
            self.paced |= number == tail.end;
        }
        let least = if self.paced { LEAST_SILENCE } else { FIRST_SILENCE };
        let silence = (self.gap * 4).max(least).max(self.reorder_wait);
        self.tail =
            (following > 0).then(|| Tail { end: number + u64::from(following), since: now, due: now + silence });
    }

    fn note_round_trip(&mut self, sample: Duration) {
        self.round_trip = Some(match self.round_trip {
            None => (sample, sample / 4),
            Some((mean, deviation)) => ((mean * 7 + sample) / 8, (deviation * 3 + sample.abs_diff(mean)) / 4),
        });
    }

    /// Time from a request to the next one for the same packet.
    fn retry(&self, round_trip: Option<Duration>) -> Duration {
        let (mean, deviation) = self.round_trip.unwrap_or_else(|| {
            let mean = round_trip.unwrap_or(FIRST_ROUND_TRIP);
            (mean, mean / 8)
        });
        let margin = (deviation * 4).clamp(RETRY_MARGIN.0, RETRY_MARGIN.1);
        (mean + margin).max(LEAST_RETRY)
    }

    /// Sequence numbers to ask for now, ascending. `round_trip` is another measurement, used until there is an own one.
    pub(crate) fn poll_requests(&mut self, now: MediaTime, round_trip: Option<Duration>) -> Vec<u16> {
        if let Some(tail) = self.tail.take_if(|tail| tail.due <= now) {
            let highest = self.highest.unwrap_or(tail.end);
            self.note_gap(tail.since, Duration::ZERO, highest + 1, tail.end + 1);
            self.highest = Some(highest.max(tail.end));
        }
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        // Forget reordering slowly, so that one late packet does not slow every request of the call.
        self.reorder_wait = self.reorder_wait.mul_f32(0.99).max(REORDER_WAIT.0);
        let retry = self.retry(round_trip);
        let before = self.missing.len();
        self.missing.retain(|_, missing| now < missing.until);
        self.lost += (before - self.missing.len()) as u64;

        let mut requests = Vec::new();
        let mut next_due: Option<MediaTime> = None;
        for (number, missing) in &mut self.missing {
            if missing.due <= now && round_trip.is_some_and(|round_trip| now + round_trip > missing.until) {
                // It could not be here in time, and the request would only add to what is in its way.
                missing.due = missing.until;
            } else if missing.due <= now {
                requests.push(*number as u16);
                let first_copy = missing.asked == 0 || missing.due >= missing.last + retry;
                if first_copy {
                    self.requested += u64::from(missing.asked == 0);
                    missing.asked += 1;
                    missing.last = now;
                }
                let second_copy = missing.last + SECOND_COPY;
                missing.due = if first_copy && retry > SECOND_COPY * 3 { second_copy } else { missing.last + retry };
            }
            let due = missing.due.min(missing.until);
            next_due = Some(next_due.map_or(due, |other| other.min(due)));
        }
        self.due = next_due;
        requests
    }

    /// When [`Self::poll_requests`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<MediaTime> {
        let tail = self.tail.map(|tail| tail.due);
        [tail, self.due].into_iter().flatten().min()
    }

    /// Packets that never came, packets asked for, packets that came because of it.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.lost, self.requested, self.recovered)
    }
}

#[cfg(test)]
mod tests;
