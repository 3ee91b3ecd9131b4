//! How much one path carries, from what the receiver reports of each packet.
//!
//! | sign | what it means | what is done |
//! | --- | --- | --- |
//! | a queue that never empties ([`Delay`]) | too much is sent | down to what came through, less until the queue is gone |
//! | reports do not come, or come late ([`Flight`]) | the path stopped, or got narrow both ways | no pictures until they tell of now |
//! | loss beyond the path's own ([`Loss`]) | a policer, or chance | lowered for a moment: what stays was chance |
//! | neither | room | up by a quarter each second, near the last limit by a twentieth |
//! | a burst that came as it left ([`Prober`]) | room, certainly | up to the burst's rate at once |
//!
//! Pure: the caller brings the time, hands in reports in the order in which packets left, and asks for bursts.

use std::time::Duration;

use super::arrivals::{Arrivals, COLLAPSE, Carried};
use super::delay::Delay;
use super::drain::{self, Drain, Others};
use super::flight::Flight;
use super::history::Report;
use super::loss::{Loss, Verdict};
use super::probe::{Burst, Finding, Prober};
use crate::time::{Bitrate, MediaTime};

/// A queue that stands this long is ours to empty, with three quarters of the path's jitter on top.
const QUEUE: Duration = Duration::from_millis(15);
/// The last packet this late, and packets lost: the queue fills faster than the window of the standing queue shows.
const SUDDEN: Duration = Duration::from_millis(60);
/// Share of the reported packets that must be lost for it.
const SUDDEN_LOSS: f64 = 0.2;
/// What came through while the path was full, less this, is the new estimate.
const BACK_OFF: f64 = 0.95;
/// While others are known to share it, what came is our share of it and says little: the estimate is lowered to this at most.
const SHARED: f64 = 0.85;
/// But not in a queue that the voice cannot pass in time.
const TOLERABLE: Duration = Duration::from_millis(200);
/// Where what came was not measured behind a queue, or behind one that overflows or that others fill to more than that, it looks less
/// than the path carries: the estimate is lowered to this at most.
const OVERFLOWS: f64 = 0.6;
/// Growth a second with room, and near the last limit.
const GROWTH: f64 = 0.25;
const GROWTH_NEAR: f64 = 0.05;
/// Packets leave so many times faster than the estimate, and where it is at least that share of the path's limit.
const FREE: f64 = 2.5;
const NEAR_LIMIT: f64 = 1.25;
const SHARE_OF_LIMIT: f64 = 0.8;
/// How near is near, and how long a limit is remembered.
const NEAR: f64 = 0.12;
const LIMIT_KEPT: Duration = Duration::from_secs(15);
/// A test of the loss lasts this long, at this share of what came through, and needs so many packets that would be lost.
const TEST: Duration = Duration::from_millis(1_200);
const TEST_RATE: f64 = 0.85;
const LEAST_LOST: f64 = 8.0;
/// A policer is remembered this long.
const POLICED: Duration = Duration::from_secs(30);
/// The estimate grows up to this many times of what came, and so many bit/s: on a narrow path with a known limit, and elsewhere. What
/// is beyond the voice there is found by bursts alone, since a picture that does not fit in takes the voice its path.
const PROVEN: f64 = 1.5;
const SPARE: (f64, f64) = (4_000.0, 30_000.0);
/// From this share of lost packets on the path loses by chance.
const BY_CHANCE: f64 = 0.02;
/// Where it carries so many bit/s there is room for copies.
const ROOM_FOR_COPIES: f64 = 500_000.0;
/// On a path with a known limit below this, in bit/s, there are no bursts while that limit is fresh: what is too much of them delays
/// the voice.
const NARROW: f64 = 200_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing is in the way.
    Free,
    /// The queue is being emptied.
    Drain(Drain),
    /// The rate is lowered to see whether the loss goes with it.
    Test { since: MediaTime, before: f64, share: f64, sent: u32, lost: u32 },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Estimator {
    bounds: (f64, f64),
    estimate: f64,
    state: State,
    delay: Delay,
    arrivals: Arrivals,
    loss: Loss,
    prober: Prober,
    /// What came through when the path was full, and when that was.
    limit: Option<(f64, MediaTime)>,
    /// A policer lets bursts through that it would not carry for long: they prove nothing until then.
    policed_until: MediaTime,
    flight: Flight,
    standing: Duration,
    /// What was made for the path as it was does not fit it any more.
    collapsed: bool,
    was_cut: bool,
    others: Others,
}

impl Estimator {
    /// Starts at `start` and stays within `least` and `most`.
    pub(crate) fn new(start: Bitrate, least: Bitrate, most: Bitrate) -> Self {
        Self {
            bounds: (least.as_bps() as f64, most.as_bps() as f64),
            estimate: start.as_bps() as f64,
            state: State::Free,
            delay: Delay::default(),
            arrivals: Arrivals::default(),
            loss: Loss::default(),
            prober: Prober::new(),
            limit: None,
            policed_until: MediaTime::default(),
            flight: Flight::default(),
            standing: Duration::ZERO,
            collapsed: false,
            was_cut: false,
            others: Others::default(),
        }
    }

    /// A packet left.
    pub(crate) fn on_sent(&mut self, now: MediaTime, bytes: u64) {
        if let State::Drain(drain) = &mut self.state {
            drain.on_sent(bytes);
        }
        self.flight.on_sent(now, bytes);
        self.prober.on_sent(now, bytes);
    }

    /// What the receiver said, in the order in which the packets left; with a `hole` if reports before this one were lost.
    pub(crate) fn on_reports(&mut self, now: MediaTime, reports: &[Report], hole: bool) {
        if hole {
            self.arrivals.skip();
        }
        let Some(newest) = reports.iter().filter(|report| report.arrived.is_some()).map(|report| report.sent).max()
        else {
            return;
        };
        self.flight.expect_losses(self.loss.usual() >= BY_CHANCE);
        self.others.forget(now);
        let mut lost = 0_u32;
        for report in reports {
            if let State::Test { since, sent, lost, .. } = &mut self.state
                && report.sent > *since + Duration::from_millis(100)
            {
                *sent += 1;
                *lost += u32::from(report.arrived.is_none());
            }
            if let State::Drain(drain) = &mut self.state {
                drain.on_told(report.sent, report.arrived.is_none());
            }
            if let Some(arrived) = report.arrived {
                self.delay.add(report.sent, arrived);
                self.arrivals.add(arrived, report.bytes, self.delay.latest());
            } else {
                lost += 1;
            }
            self.prober.add(report.sent, report.arrived, report.bytes);
        }
        let since = self.flight.on_report(now, newest, self.delay.latest());
        let sent = u32::try_from(reports.len()).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut self.standing, self.delay.standing());
        let late = self.flight.was_overdue() || self.flight.is_late(now);
        let sudden = self.delay.latest() > SUDDEN + self.others.room()
            && (late || f64::from(lost) > f64::from(sent) * SUDDEN_LOSS);
        let full = self.standing > self.queue_limit() && self.standing + Duration::from_millis(2) >= before;
        // Of reports that come late the next ones are close behind: better judged once they say how fast it goes.
        let waits = self.flight.is_held(now, self.estimate) && !self.arrivals.tell_of_a_queue();
        if (full || sudden) && !waits {
            self.on_full(now);
        } else {
            self.on_room(now, since, (sent, lost));
        }
        self.on_burst(now, newest);
        self.estimate = self.estimate.clamp(self.bounds.0, self.bounds.1);
    }

    /// What may be sent in all: the estimate, or less while a queue is emptied.
    pub(crate) fn target(&self) -> Bitrate {
        let drain = if self.is_draining() { drain::share(self.standing) } else { 1.0 };
        Bitrate::bps((self.estimate * drain).max(self.bounds.0) as u64)
    }

    /// What the path carries, as far as is known.
    pub(crate) fn estimate(&self) -> Bitrate {
        Bitrate::bps(self.estimate as u64)
    }

    /// Whether more pictures may be put on their way: what is under way without a report stays bounded.
    pub(crate) fn may_send(&self, now: MediaTime) -> bool {
        self.flight.may_send(now, self.estimate, self.is_draining())
    }

    /// Whether, since this was asked last, the path came to carry less than half, or came back after a cut: what waits was made
    /// for another path, or is too old.
    pub(crate) fn take_break(&mut self, now: MediaTime) -> bool {
        let cut = self.flight.is_cut(now);
        let back = std::mem::replace(&mut self.was_cut, cut) && !cut;
        std::mem::take(&mut self.collapsed) || back
    }

    /// The burst to send now, if one is due.
    pub(crate) fn poll_burst(&mut self, now: MediaTime) -> Option<Burst> {
        let (_, most) = self.bounds;
        if now < self.bursts_from() || !self.has_room() {
            return None;
        }
        if self.flight.is_cut(now) {
            self.prober.put_off(now);
            return None;
        }
        let factor = if self.limit.is_none() { 3.0 } else { 2.0 };
        self.prober.poll(now, Bitrate::bps((self.estimate * factor).min(most * 1.1) as u64))
    }

    /// When [`Self::poll_burst`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<MediaTime> {
        self.has_room().then(|| self.prober.poll_timeout().max(self.bursts_from()))
    }

    fn bursts_from(&self) -> MediaTime {
        match self.limit {
            Some((_, at)) if self.estimate < NARROW => self.policed_until.max(at + LIMIT_KEPT),
            _ => self.policed_until,
        }
    }

    /// Whether more would be sent if the path were known to carry it.
    fn has_room(&self) -> bool {
        self.state == State::Free && self.estimate < self.bounds.1 && self.standing <= self.queue_limit() / 2
    }

    /// Queue that stands on the path now.
    pub(crate) fn queue(&self) -> Duration {
        self.standing
    }

    /// How much later than the quickest ones packets come, beside that queue.
    pub(crate) fn jitter(&self) -> Duration {
        self.delay.jitter()
    }

    /// Whether what must not be lost is to be sent twice: each packet of the voice, behind the next one, since that comes sooner than
    /// what is asked for, and each packet of a picture that is asked for once more. With less loss Opus' own correction and requests do;
    /// on a narrow path the picture would pay for it.
    pub(crate) fn has_copies(&self) -> bool {
        self.loss() >= BY_CHANCE && self.estimate >= ROOM_FOR_COPIES
    }

    /// Share of packets lost in the last half second.
    pub(crate) fn loss(&self) -> f64 {
        self.loss.share()
    }

    /// How many times faster than the estimate packets may leave: a picture is there sooner if its packets go quickly, but where the
    /// path carries no more they would only wait in its queue, and the voice behind them.
    pub(crate) fn headroom(&self, now: MediaTime) -> f64 {
        match self.limit {
            _ if self.is_draining() => 1.0,
            Some((limit, at)) if now.since(at) < LIMIT_KEPT && self.estimate > limit * SHARE_OF_LIMIT => NEAR_LIMIT,
            _ => FREE,
        }
    }

    /// Whether a queue is being emptied.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.state, State::Drain(_))
    }

    fn queue_limit(&self) -> Duration {
        QUEUE + self.delay.jitter().mul_f64(0.75) + self.others.room()
    }

    fn on_full(&mut self, now: MediaTime) {
        let Carried { rate: came, certain } = self.arrivals.carried(self.estimate, self.delay.latest() > SUDDEN);
        // Less is sent already: what stands gets less, or is not ours, unless the path got narrower still.
        let collapses = came < self.estimate * COLLAPSE;
        if let State::Drain(drain) = self.state {
            let (standing, patience) = (self.standing, self.flight.patience());
            let less = drain.overflows()
                || drain.widens(now, standing, patience)
                || drain.is_fed(now, standing, patience)
                || (collapses && drain.is_new(now, patience) && !self.others.are_there());
            if !less || self.is_foreign(now, drain) {
                return self.on_drain(now);
            }
        }
        self.others.lowered(now, self.standing);
        self.limit = (!self.others.are_there()).then_some((came, now));
        if collapses {
            self.collapsed = true;
            self.flight.restart(now, self.flight.empty_in(now));
        }
        let overflows = matches!(self.state, State::Drain(drain) if drain.overflows());
        let least = if certain && (self.flight.is_late(now) || !self.others.are_there()) && !overflows {
            0.0
        } else if self.others.are_there() && !overflows && !collapses && self.standing <= TOLERABLE {
            self.estimate * SHARED
        } else {
            self.estimate * OVERFLOWS
        };
        let before = self.estimate;
        self.estimate = (came.min(before) * BACK_OFF).max(least);
        self.prober.start_over(now);
        let carried = if certain { came } else { before };
        self.state = State::Drain(Drain::new(now, self.standing, carried, self.loss.usual()));
    }

    /// Watches the queue shrink. What does not shrink was not made by us, or the path itself got longer.
    fn on_drain(&mut self, now: MediaTime) {
        let State::Drain(mut drain) = self.state else { return };
        if drain.is_new(now, self.flight.patience())
            && let Some(carried) = self.arrivals.carried_for_long()
        {
            drain.carries(carried);
            self.state = State::Drain(drain);
        }
        if self.standing <= self.queue_limit() / 2 {
            self.state = State::Free;
            self.loss.look_anew();
        } else if self.is_foreign(now, drain) {
            let again = self.others.found(now, self.standing);
            // The second time it cannot be the path itself that got longer.
            if !again {
                self.delay.accept();
            }
            self.flight.accept_round_trip(now);
            self.limit = None;
            self.prober.hurry(now);
            self.state = State::Free;
            self.loss.look_anew();
        }
    }

    /// Whether the queue is not ours. While reports come late nothing is known of now.
    fn is_foreign(&self, now: MediaTime, drain: Drain) -> bool {
        !self.flight.is_late(now) && drain.is_foreign(now, self.standing, self.flight.patience())
    }

    fn on_room(&mut self, now: MediaTime, since: Duration, (sent, lost): (u32, u32)) {
        match self.state {
            State::Drain(_) => return self.on_drain(now),
            State::Test { since, before, share, sent, lost } => {
                let enough = f64::from(sent) * share >= LEAST_LOST;
                if now.since(since) < TEST || (!enough && now.since(since) < TEST * 3) {
                    return;
                }
                if !enough || !self.loss.tested(now, share, sent, lost) {
                    self.estimate = before;
                } else {
                    if self.limit.is_some_and(|(_, at)| now.since(at) < POLICED) {
                        self.policed_until = now + POLICED;
                    }
                    self.limit = Some((self.estimate, now));
                    self.prober.start_over(now);
                }
                self.state = State::Free;
                return;
            }
            State::Free => {}
        }
        if self.loss.add(now, sent, lost) == Verdict::Suspicious {
            let came = self.arrivals.lately().unwrap_or(self.estimate);
            // Little came also because little was sent.
            let came = came.max(self.estimate * (1.0 - self.loss.under_test()));
            self.state =
                State::Test { since: now, before: self.estimate, share: self.loss.under_test(), sent: 0, lost: 0 };
            self.estimate = came.min(self.estimate) * TEST_RATE;
            return;
        }
        if self.standing > self.queue_limit() / 2 {
            return;
        }
        let came = self.arrivals.lately().unwrap_or_default();
        let near = self
            .limit
            .is_some_and(|(limit, at)| now.since(at) < LIMIT_KEPT && (self.estimate / limit - 1.0).abs() < NEAR);
        let growth = if near { GROWTH_NEAR } else { GROWTH };
        let grown = self.estimate * (1.0 + growth * since.as_secs_f64().min(0.2));
        // What is not sent proves nothing: the estimate stays within reach of what came.
        let spare = if self.limit.is_some() && self.estimate < NARROW { SPARE.0 } else { SPARE.1 };
        self.estimate = grown.min((came * PROVEN + spare).max(self.estimate));
    }

    fn on_burst(&mut self, now: MediaTime, newest: MediaTime) {
        match self.prober.finding(now, newest, self.delay.jitter()) {
            Some(Finding::AtLeast(rate)) if self.state == State::Free => {
                self.estimate = self.estimate.max(rate.as_bps() as f64 * BACK_OFF);
            }
            Some(Finding::Limit(rate)) if self.state == State::Free => {
                let rate = rate.as_bps() as f64;
                self.limit = Some((rate, now));
                self.estimate = self.estimate.max(rate * 0.85);
            }
            _ => {}
        }
    }
}
