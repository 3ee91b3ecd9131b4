//! Loss by chance told apart from loss by congestion.
//!
//! A radio link loses the same share whatever is sent, though in runs; a full queue or a policer loses what is too much. So the
//! path's own share and its spread are learned, and what goes far beyond both is put to the test: the rate is lowered, and if
//! the share stays, it was chance.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;

/// One look at the share of lost packets. Shorter is noise at low rates.
const LOOK: Duration = Duration::from_millis(500);
/// A look needs this many packets, and one that is cut short three times as many.
const LEAST_PACKETS: u32 = 20;
/// Looks that tell the path's own share.
const LOOKS: usize = 20;
/// Beyond the path's own share by this, or by two of its deviations, is suspicious. Lower takes bad luck for congestion, higher
/// lets a policer drop that much.
const SUSPICIOUS: f64 = 0.06;
/// Looks in a row that must be.
const IN_A_ROW: u32 = 2;
/// A mean share beyond this is put to the test now and then, whatever its past: a policer that was always there looks like chance.
const WORTH_A_TEST: f64 = 0.015;
/// From one test of chance to the next: first, and at most.
const TESTS: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(60));
/// So much of a look's packets lost does not wait for its end, nor for another one.
const SEVERE: f64 = 0.4;

/// Less than this share of the loss is left at a lower rate: it went with the rate.
const GONE: f64 = 0.4;

/// What the share of lost packets says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing new.
    Usual,
    /// More than the path's own share is lost.
    Suspicious,
}

/// Counts per look.
#[derive(Debug, Default)]
pub(crate) struct Loss {
    started: Option<MediaTime>,
    sent: u32,
    lost: u32,
    looks: VecDeque<f64>,
    suspicious: u32,
    last: f64,
    tested: Option<MediaTime>,
    wait: Duration,
}

impl Loss {
    /// The fate of packets. A verdict comes with each full look.
    pub(crate) fn add(&mut self, now: MediaTime, sent: u32, lost: u32) -> Verdict {
        let started = *self.started.get_or_insert(now);
        self.sent += sent;
        self.lost += lost;
        let share = f64::from(self.lost) / f64::from(self.sent.max(1));
        let severe = share > SEVERE && self.sent >= 3 * LEAST_PACKETS;
        if (now.since(started) < LOOK && !severe) || self.sent < LEAST_PACKETS {
            return Verdict::Usual;
        }
        (self.started, self.sent, self.lost) = (Some(now), 0, 0);
        self.last = share;
        let (mean, deviation) = self.own();
        if !self.looks.is_empty() && share > mean + SUSPICIOUS.max(2.0 * deviation) {
            self.suspicious += 1;
            if severe || self.suspicious >= IN_A_ROW {
                self.suspicious = 0;
                return Verdict::Suspicious;
            }
            return Verdict::Usual;
        }
        self.suspicious = 0;
        self.learn(share);
        let wait = self.wait.max(TESTS.0);
        let waited = now.since(*self.tested.get_or_insert(now)) > wait;
        if waited && mean > WORTH_A_TEST { Verdict::Suspicious } else { Verdict::Usual }
    }

    /// What was counted since the last look was congestion, and says nothing about chance.
    pub(crate) fn look_anew(&mut self) {
        (self.started, self.sent, self.lost) = (None, 0, 0);
    }

    /// The rate was lowered, and so much was lost of what was sent then. Whether it was congestion: the loss went with the rate.
    pub(crate) fn tested(&mut self, now: MediaTime, before: f64, sent: u32, lost: u32) -> bool {
        let share = f64::from(lost) / f64::from(sent.max(1));
        self.tested = Some(now);
        if share < before * GONE {
            self.wait = TESTS.0;
            self.looks.clear();
            return true;
        }
        self.wait = (self.wait.max(TESTS.0) * 2).min(TESTS.1);
        for _ in 0..LOOKS / 2 {
            self.learn(share);
        }
        false
    }

    /// Share that the test compares with: what is usual lately, or the last look if it was far beyond.
    pub(crate) fn under_test(&self) -> f64 {
        self.last.max(self.own().0)
    }

    /// Share that the path loses by itself, as far as is known.
    pub(crate) fn usual(&self) -> f64 {
        self.own().0
    }

    /// Share of the last look.
    pub(crate) fn share(&self) -> f64 {
        self.last
    }

    fn learn(&mut self, share: f64) {
        self.looks.push_back(share);
        if self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
    }

    /// Mean and deviation of the path's own share.
    fn own(&self) -> (f64, f64) {
        let count = self.looks.len().max(1) as f64;
        let mean = self.looks.iter().sum::<f64>() / count;
        let variance = self.looks.iter().map(|look| (look - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
    }
}
