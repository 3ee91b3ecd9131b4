//! A queue that is being emptied: whether it goes, whether it was ours, and what is allowed for if it was not.

use std::time::Duration;

use crate::time::MediaTime;

/// A queue that gets to this many times of what it was when the estimate was lowered asks for less still.
const WIDENS: f64 = 1.2;
/// A queue that shrank by less than this share of what it must have, after this time and once it must have by so much, is not
/// ours.
const SHARE: f64 = 0.3;
const LEAST_TIME: Duration = Duration::from_millis(800);
const LEAST_EXPECTED: Duration = Duration::from_millis(120);
/// A queue that loses this share of what comes overflows, once so many packets were told of.
const OVERFLOW: f64 = 0.25;
const LEAST_TOLD: u32 = 20;

/// Queue that halves the sending rate while it is emptied.
const HALVES: Duration = Duration::from_millis(400);

/// Share of the estimate that is sent while so much of a queue is being emptied.
pub(super) fn share(standing: Duration) -> f64 {
    (1.0 - standing.as_secs_f64() / (2.0 * HALVES.as_secs_f64())).clamp(0.5, 1.0)
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drain {
    /// When the estimate was lowered, and the queue that stood then.
    since: MediaTime,
    standing: Duration,
    /// What came through then, in bit/s, and what was sent since, in bits.
    carried: f64,
    sent: f64,
    /// Of the packets that left since, how many were told of, and how many of those were lost.
    told: (u32, u32),
    /// Share that the path loses anyway.
    usual: f64,
}

impl Drain {
    /// Begins when the estimate is lowered to less than the path carries.
    pub(super) fn new(since: MediaTime, standing: Duration, carried: f64, usual: f64) -> Self {
        Self { since, standing, carried, sent: 0.0, told: (0, 0), usual }
    }

    /// What came through of what was sent before, measured for longer.
    pub(super) fn carries(&mut self, carried: f64) {
        self.carried = carried;
    }

    /// A packet left.
    pub(super) fn on_sent(&mut self, bytes: u64) {
        self.sent += bytes as f64 * 8.0;
    }

    /// What became of a packet.
    pub(super) fn on_told(&mut self, sent: MediaTime, lost: bool) {
        if sent > self.since {
            self.told.0 += 1;
            self.told.1 += u32::from(lost);
        }
    }

    /// Whether the queue overflows although less is sent: then the path carries less than was thought. What others lose of theirs, and
    /// we of ours beside them, is a packet now and then.
    pub(super) fn overflows(&self) -> bool {
        let (told, lost) = self.told;
        told >= LEAST_TOLD && f64::from(lost) >= f64::from(told) * (OVERFLOW + 2.0 * self.usual)
    }

    /// Whether what comes was still sent before it began.
    pub(super) fn is_new(&self, now: MediaTime, patience: Duration) -> bool {
        now.since(self.since) < patience
    }

    /// Whether the path got narrower still. Until `patience` is over nothing shows of what is done.
    pub(super) fn widens(&self, now: MediaTime, standing: Duration, patience: Duration) -> bool {
        now.since(self.since) >= patience && standing >= self.standing.mul_f64(WIDENS)
    }

    /// Whether somebody else keeps the queue full, or the path itself got longer: less was sent than it carries for long enough that
    /// the queue must have shrunk, and it did not.
    pub(super) fn is_foreign(&self, now: MediaTime, standing: Duration, patience: Duration) -> bool {
        let (time, expected, gone) = (now.since(self.since), self.expected(now), self.gone(standing));
        // All of it must be gone, and some is.
        let rest = time > patience && expected > self.standing + LEAST_EXPECTED && gone > self.standing.mul_f64(SHARE);
        let stays = time > patience + LEAST_TIME
            && expected > LEAST_EXPECTED
            && gone < expected.min(self.standing).mul_f64(SHARE);
        rest || (stays && !self.overflows())
    }

    /// Whether the queue stays because as much is sent as the path carries: it was thought to carry more than it does.
    pub(super) fn is_fed(&self, now: MediaTime, standing: Duration, patience: Duration) -> bool {
        now.since(self.since) > patience + LEAST_TIME
            && self.expected(now) <= LEAST_EXPECTED
            && self.gone(standing) < self.standing.mul_f64(SHARE)
    }

    /// By how much the queue must have shrunk, if it is ours.
    fn expected(&self, now: MediaTime) -> Duration {
        let time = now.since(self.since).as_secs_f64();
        Duration::from_secs_f64((time - self.sent / self.carried.max(1.0)).max(0.0))
    }

    fn gone(&self, standing: Duration) -> Duration {
        self.standing.saturating_sub(standing)
    }
}

/// A queue that others keep is remembered this long, and tolerated up to so many times its length, when it is found first and when
/// it is found again: who alone gives way to a download gets nothing.
const KEPT: Duration = Duration::from_secs(20);
const ROOM: (f64, f64) = (0.35, 1.25);
/// More lowerings than this in such a time, each for a queue no longer than that, are likely not for one of ours.
const OFTEN: (Duration, u32) = (Duration::from_secs(3), 4);
const SHORT: Duration = Duration::from_millis(70);
/// But not beyond this: the voice has to pass it as well.
const MOST_ROOM: Duration = Duration::from_millis(150);

/// Others who share the path, as far as their queue tells of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Others {
    /// What their queue is allowed for, and when it was found last.
    found: Option<(Duration, MediaTime)>,
    /// Whether that was proven, or is only likely.
    proven: bool,
    /// When the first of some lowerings was, and how many there were since.
    lowered: (MediaTime, u32),
}

impl Others {
    /// A queue that stands so long is not ours. Whether that was known already.
    pub(super) fn found(&mut self, now: MediaTime, standing: Duration) -> bool {
        let again = self.are_there();
        let room = standing.mul_f64(if again { ROOM.1 } else { ROOM.0 });
        self.found = Some((room.min(MOST_ROOM), now));
        self.proven = true;
        again
    }

    /// The estimate is lowered for a queue of this length. If that happens often, others are likely there, since a short queue of
    /// ours goes when less is sent.
    pub(super) fn lowered(&mut self, now: MediaTime, standing: Duration) {
        if now.since(self.lowered.0) > OFTEN.0 || standing > SHORT {
            self.lowered = (now, 0);
        }
        self.lowered.1 += 1;
        if self.lowered.1 > OFTEN.1 && self.found.is_none() {
            self.found = Some((standing.mul_f64(ROOM.0), now));
            self.proven = false;
        }
    }

    /// Forgets those who were not found for long.
    pub(super) fn forget(&mut self, now: MediaTime) {
        self.found.take_if(|(_, at)| now.since(*at) > KEPT);
    }

    pub(super) fn are_there(&self) -> bool {
        self.proven && self.found.is_some()
    }

    /// What their queue is allowed for.
    pub(super) fn room(&self) -> Duration {
        self.found.map_or(Duration::ZERO, |(room, _)| room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(150);

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(1_000_000 + millis * 1_000)
    }

    /// A path of 1 Mbit/s with 200 ms of queue, sent to at this rate for so long.
    fn drain(kbps: u64, millis: u64) -> Drain {
        let mut drain = Drain::new(at(0), Duration::from_millis(200), 1e6, 0.0);
        drain.on_sent(kbps * millis / 8);
        drain
    }

    #[test]
    fn a_queue_of_ours_goes_and_one_of_others_stays() {
        assert!(!drain(800, 1_200).is_foreign(at(1_200), Duration::from_millis(20), PATIENCE));
        assert!(drain(800, 1_200).is_foreign(at(1_200), Duration::from_millis(190), PATIENCE));
        assert!(!drain(800, 700).is_foreign(at(700), Duration::from_millis(190), PATIENCE), "too soon");
        assert!(!drain(990, 1_200).is_foreign(at(1_200), Duration::from_millis(190), PATIENCE), "nothing was spared");
    }

    #[test]
    fn what_is_left_of_a_queue_that_must_be_gone_is_the_path_itself() {
        // 500 ms at a fifth of what it carries would empty 400 ms of queue, and 200 stood.
        assert!(drain(200, 500).is_foreign(at(500), Duration::from_millis(60), PATIENCE));
        assert!(!drain(200, 200).is_foreign(at(200), Duration::from_millis(60), PATIENCE), "it is on its way out");
    }

    #[test]
    fn a_queue_that_is_fed_as_much_as_it_loses_asks_for_less() {
        assert!(drain(990, 1_200).is_fed(at(1_200), Duration::from_millis(190), PATIENCE));
        assert!(!drain(800, 1_200).is_fed(at(1_200), Duration::from_millis(190), PATIENCE), "others feed it");
        assert!(!drain(990, 1_200).is_fed(at(1_200), Duration::from_millis(50), PATIENCE), "it goes");
    }

    #[test]
    fn short_queues_again_and_again_are_likely_of_others_but_not_proven() {
        let mut others = Others::default();
        for second in 0..5 {
            assert!(others.room().is_zero());
            others.lowered(at(second * 500), Duration::from_millis(40));
        }
        assert!(!others.room().is_zero() && !others.are_there());
        let mut ours = Others::default();
        for second in 0..9 {
            ours.lowered(at(second * 500), Duration::from_millis(100));
        }
        assert!(ours.room().is_zero(), "long ones are not");
    }

    #[test]
    fn a_queue_that_overflows_is_ours_however_long_it_stands() {
        let mut full = drain(800, 1_200);
        for packet in 1..41 {
            full.on_told(at(packet), packet % 3 == 0);
        }
        assert!(full.overflows() && !full.is_foreign(at(1_200), Duration::from_millis(200), PATIENCE));
        let mut shared = drain(800, 1_200);
        for packet in 1..100 {
            shared.on_told(at(packet), packet % 33 == 0);
        }
        assert!(!shared.overflows() && shared.is_foreign(at(1_200), Duration::from_millis(200), PATIENCE));
    }

    #[test]
    fn a_queue_that_grows_asks_for_less_still_once_that_can_show() {
        assert!(drain(800, 200).widens(at(200), Duration::from_millis(260), PATIENCE));
        assert!(!drain(800, 100).widens(at(100), Duration::from_millis(260), PATIENCE));
        assert!(!drain(800, 200).widens(at(200), Duration::from_millis(210), PATIENCE));
    }
}
