//! Two calls in both directions of one path: what each receiver tells goes between the media of the other one.

use std::time::Duration;

use super::call::{Call, REPORT, REPORTS, STEP};
use super::outcome::Outcome;
use super::path::Link;
use crate::time::Bitrate;

/// What is told goes by numbers from here on over the way of the other call.
const TELLING: u64 = 1 << 60;
/// Share of that way's rate for reports.
const REPORTS_SHARE: f64 = 0.06;

/// See the module.
pub(super) struct Both(pub [Call; 2]);

impl Both {
    pub(super) fn new(link: Link, start: Bitrate, most: Bitrate, seed: u64) -> Self {
        Self([seed, seed + 1_000].map(|seed| {
            let mut call = Call::new(link, start, most, seed);
            call.other = true;
            call
        }))
    }

    pub(super) fn change(&mut self, link: Link) {
        self.0.iter_mut().for_each(|call| call.change(link));
    }

    pub(super) fn run(&mut self, time: Duration) {
        let until = self.0[0].now + time;
        while self.0[0].now < until {
            for one in 0..2 {
                self.0[one].run(STEP);
                let [first, second] = &mut self.0;
                let (call, other) = if one == 0 { (first, second) } else { (second, first) };
                call.tell_by(other);
            }
        }
    }

    pub(super) fn finish(mut self) -> [Outcome; 2] {
        self.run(Duration::from_secs(1));
        self.0.map(Call::finish)
    }
}

impl Call {
    /// Lets the call in the other direction carry what is told here, and takes what came of what it was given.
    fn tell_by(&mut self, other: &mut Self) {
        let now = self.now;
        for (bytes, told) in self.outbox.drain(..) {
            other.tellings += 1;
            let number = TELLING + other.tellings;
            other.carried.insert(number, told);
            other.path.send(now, number, bytes);
        }
        for (arrived, told) in other.delivered.drain(..) {
            self.tellings += 1;
            self.told_to.insert((arrived, self.tellings), told);
        }
        let rate = other.estimator.target().as_bps() as f64 * REPORTS_SHARE;
        self.reports_every = REPORTS.max(Duration::from_secs_f64((REPORT * 8) as f64 / rate));
    }
}
