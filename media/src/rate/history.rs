//! What left, by transport-wide number, joined with what the receiver says of it
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! A packet that came is reported at once. One that a report leaves out is lost only when the next report does not bring it
//! either: it may be late. One that no report speaks of, because reports got lost, is neither.

use std::collections::VecDeque;

use crate::time::MediaTime;

/// Packets remembered: more than 2 s of 8 Mbit/s. A path that is silent for longer begins anew.
const MAX_SENT: usize = 2_048;
/// Reports from the one that leaves a packet out to the one after which it is lost.
const LATE: u8 = 2;
/// Reports after which a packet that none spoke of is forgotten.
const PASSED: u8 = 8;

/// What the receiver said of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// When it left.
    pub(crate) sent: MediaTime,
    /// When it came, on the receiver's clock; `None` if it did not.
    pub(crate) arrived: Option<MediaTime>,
    /// On the wire.
    pub(crate) bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: MediaTime,
    bytes: u64,
    reported: bool,
    missed: bool,
    passed: u8,
}

/// Packets whose fate is not known yet.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Number of the oldest one.
    first: u64,
    sent: VecDeque<Sent>,
    /// The highest number that came.
    highest: Option<u64>,
    /// The number after the last one that a report spoke of.
    told: u64,
    hole: bool,
}

impl History {
    /// A packet leaves; the number to write on it.
    pub(crate) fn push(&mut self, now: MediaTime, bytes: u64) -> u16 {
        let number = self.first + self.sent.len() as u64;
        self.sent.push_back(Sent { at: now, bytes, reported: false, missed: false, passed: 0 });
        if self.sent.len() > MAX_SENT {
            self.sent.pop_front();
            self.first += 1;
        }
        number as u16
    }

    /// A report of consecutive packets from the number `base` on: when each came, on the receiver's clock, `None` for those that
    /// did not. Gives what is known now and was not before, in the order in which the packets left.
    pub(crate) fn on_feedback(&mut self, base: u16, fates: impl IntoIterator<Item = Option<MediaTime>>) -> Vec<Report> {
        let mut reports = Vec::new();
        let Some(base) = self.unwrap(base) else { return reports };
        self.hole |= self.told > 0 && base > self.told;
        for (number, arrived) in (base..).zip(fates) {
            let Some(sent) = number.checked_sub(self.first).and_then(|at| self.sent.get_mut(usize::try_from(at).ok()?))
            else {
                continue;
            };
            self.told = self.told.max(number + 1);
            if sent.reported {
                continue;
            }
            match arrived {
                Some(_) => {
                    self.highest = self.highest.max(Some(number));
                    sent.reported = true;
                    reports.push(Report { sent: sent.at, arrived, bytes: sent.bytes });
                }
                None => sent.missed = true,
            }
        }
        let passed = self.highest.map_or(0, |highest| (highest + 1).saturating_sub(self.first));
        for sent in self.sent.iter_mut().take(usize::try_from(passed).unwrap_or(MAX_SENT)) {
            sent.passed = sent.passed.saturating_add(1);
            if !sent.reported && sent.missed && sent.passed >= LATE {
                sent.reported = true;
                reports.push(Report { sent: sent.at, arrived: None, bytes: sent.bytes });
            }
        }
        while self.sent.front().is_some_and(|sent| sent.reported || sent.passed > PASSED) {
            self.sent.pop_front();
            self.first += 1;
        }
        reports.sort_by_key(|report| report.sent);
        reports
    }

    /// Whether reports were lost since this was asked last: packets lie between those that were told of.
    pub(crate) fn take_hole(&mut self) -> bool {
        std::mem::take(&mut self.hole)
    }

    /// The number under way that ends with these 16 bits.
    fn unwrap(&self, number: u16) -> Option<u64> {
        let next = self.first + self.sent.len() as u64;
        let behind = (next as u16).wrapping_sub(number);
        next.checked_sub(u64::from(behind)).filter(|_| behind <= i16::MAX as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    fn sent(count: u64) -> History {
        let mut history = History::default();
        for number in 0..count {
            assert_eq!(history.push(at(number), 100), number as u16);
        }
        history
    }

    #[test]
    fn what_came_is_reported_once_and_at_once() {
        let mut history = sent(3);
        let reports = history.on_feedback(0, [Some(at(50)), Some(at(51))]);
        assert_eq!(reports.len(), 2);
        assert_eq!(reports[1], Report { sent: at(1), arrived: Some(at(51)), bytes: 100 });
        assert!(history.on_feedback(0, [Some(at(50)), Some(at(51))]).is_empty());
    }

    #[test]
    fn a_late_packet_is_not_lost_and_one_that_the_next_report_does_not_bring_is() {
        let mut history = sent(4);
        assert_eq!(history.on_feedback(0, [Some(at(50)), None, None, Some(at(53))]).len(), 2);
        let reports = history.on_feedback(1, [Some(at(60))]);
        let fates: Vec<_> = reports.iter().map(|report| (report.sent, report.arrived)).collect();
        assert_eq!(fates, [(at(1), Some(at(60))), (at(2), None)]);
        assert!(history.sent.is_empty());
    }

    #[test]
    fn a_packet_that_no_report_speaks_of_is_neither() {
        let mut history = sent(30);
        for number in 10..30 {
            assert!(history.on_feedback(number, [Some(at(90))]).iter().all(|report| report.arrived.is_some()));
        }
        assert!(history.sent.is_empty(), "forgotten");
    }

    #[test]
    fn numbers_wrap() {
        let mut history = History::default();
        for number in 0..200_000_u64 {
            let wire = history.push(at(number), 100);
            assert_eq!(history.on_feedback(wire, [Some(at(number))]).len(), 1);
        }
    }

    #[test]
    fn hostile_reports_find_nothing_and_grow_nothing() {
        let mut history = sent(3_000);
        assert_eq!(history.sent.len(), MAX_SENT);
        assert!(history.on_feedback(5_000, [Some(at(1)); 10]).is_empty());
        assert!(history.on_feedback(0, [Some(at(1)); 10]).is_empty());
        assert!(History::default().on_feedback(0, [Some(at(1))]).is_empty());
        let everything = std::iter::repeat_n(Some(at(u64::MAX / 1_000)), 65_536);
        assert!(history.on_feedback(952, everything).len() <= MAX_SENT);
    }
}
