//! Whether everybody is in the same group: heartbeats over the log and over every peer's own association (E2EE 5).
//!
//! | what is seen | nothing is sent | what ends it |
//! | --- | --- | --- |
//! | another secret or roster for the same epoch | at once | leaving |
//! | a host in a later epoch, for 1 s | from then on | reaching that epoch |
//! | no heartbeat of any host for 15 s | from then on | a host's heartbeat |
//! | an own Remove without its echo for 300 ms | from then on | its merge |
//!
//! A host does not wait for itself. Whoever is no host can only make the others ask the log: a member may lie.

use std::time::Duration;

use crypto::HeartbeatVerdict;

use crate::session::view::Held;

/// Time between two own heartbeats.
const BEAT: Duration = Duration::from_secs(5);
/// How long a host's later epoch may be unreached: a commit takes the way over the server, a heartbeat does not.
const WITHHELD: Duration = Duration::from_secs(1);
/// Three heartbeats.
const SILENT: Duration = Duration::from_secs(15);
/// How long an own Remove may be without its echo.
const REMOVING: Duration = Duration::from_millis(300);

/// What one member has seen of the others' heartbeats.
#[derive(Debug)]
pub(super) struct Watch {
    beat_at: Duration,
    host_heard: Duration,
    later: Option<(u64, Duration)>,
    removing: Option<Duration>,
    split: bool,
    held: Option<Held>,
}

impl Watch {
    /// Nothing seen yet; the first own heartbeat is due at once.
    pub(super) fn new(now: Duration) -> Self {
        Self { beat_at: now, host_heard: now, later: None, removing: None, split: false, held: None }
    }

    /// Why nothing is sent.
    pub(super) fn held(&self) -> Option<Held> {
        self.held
    }

    /// A member's heartbeat. True when the log must be asked for what is missing.
    pub(super) fn on_beat(&mut self, now: Duration, verdict: HeartbeatVerdict, by_host: bool) -> bool {
        if by_host {
            self.host_heard = now;
        }
        match verdict {
            HeartbeatVerdict::Agrees | HeartbeatVerdict::Older(_) => false,
            HeartbeatVerdict::Newer(epoch) => {
                if by_host {
                    let (known, _) = self.later.get_or_insert((epoch, now));
                    *known = epoch.max(*known);
                }
                true
            }
            HeartbeatVerdict::Partition => {
                self.split = true;
                false
            }
        }
    }

    /// The group reached an epoch; `removed` when somebody went with it.
    pub(super) fn on_epoch(&mut self, epoch: u64, removed: bool) {
        self.later = self.later.filter(|(later, _)| *later > epoch);
        if removed {
            self.removing = None;
            // Who has not heard of the Remove hears of its epoch at once, past the server.
            self.beat_at = Duration::ZERO;
        }
    }

    /// This side ran the consultation, and listened for no host until now.
    pub(super) fn on_handed_over(&mut self, now: Duration) {
        self.host_heard = now;
    }

    /// This host takes somebody out.
    pub(super) fn on_remove(&mut self, now: Duration) {
        self.removing.get_or_insert(now);
    }

    /// Somebody else took that member out first.
    pub(super) fn on_removed_already(&mut self) {
        self.removing = None;
    }

    /// Whether an own heartbeat is due; the next one then is 5 s later. None while an own Remove is without its echo: the
    /// old epoch must not look alive, and without a host's heartbeat the others stop as well.
    pub(super) fn take_beat(&mut self, now: Duration) -> bool {
        let due = now >= self.beat_at && self.held != Some(Held::Removing);
        if due {
            self.beat_at = now + BEAT;
        }
        due
    }

    /// Decides anew whether anything may be sent. Gives the new state when it changed.
    pub(super) fn decide(&mut self, now: Duration, host: bool) -> Option<Option<Held>> {
        let over = |since: Duration, limit: Duration| now.saturating_sub(since) >= limit;
        let held = if self.split {
            Some(Held::Split)
        } else if self.later.is_some_and(|(_, since)| over(since, WITHHELD)) {
            Some(Held::Withheld)
        } else if !host && over(self.host_heard, SILENT) {
            Some(Held::Silent)
        } else if self.removing.is_some_and(|since| over(since, REMOVING)) {
            Some(Held::Removing)
        } else {
            None
        };
        let changed = held != self.held;
        self.held = held;
        changed.then_some(held)
    }

    /// When to look again, beside every tick: a Remove and a withheld commit do not wait for one.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        let removing = self.removing.map(|since| since + REMOVING).filter(|_| self.held.is_none());
        let later = self.later.map(|(_, since)| since + WITHHELD).filter(|_| self.held.is_none());
        [removing, later].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_host_in_a_later_epoch_stops_the_sending_after_a_second_until_it_is_reached() {
        let mut watch = Watch::new(at(0));
        assert!(watch.on_beat(at(100), HeartbeatVerdict::Newer(3), true), "the log is asked");
        assert_eq!(watch.decide(at(1_099), false), None);
        assert_eq!(watch.wake_at(), Some(at(1_100)));
        assert_eq!(watch.decide(at(1_100), false), Some(Some(Held::Withheld)));
        watch.on_epoch(2, false);
        assert_eq!(watch.decide(at(1_200), false), None);
        watch.on_epoch(3, false);
        assert_eq!(watch.decide(at(1_300), false), Some(None));
    }

    #[test]
    fn a_guest_that_claims_a_later_epoch_only_makes_the_log_be_asked() {
        let mut watch = Watch::new(at(0));
        assert!(watch.on_beat(at(0), HeartbeatVerdict::Newer(9), false));
        assert_eq!(watch.decide(at(5_000), false), None);
    }

    #[test]
    fn a_split_group_stays_stopped_whatever_comes() {
        let mut watch = Watch::new(at(0));
        watch.on_beat(at(0), HeartbeatVerdict::Partition, false);
        assert_eq!(watch.decide(at(0), true), Some(Some(Held::Split)));
        watch.on_beat(at(1), HeartbeatVerdict::Agrees, true);
        watch.on_epoch(5, true);
        assert_eq!(watch.decide(at(2), true), None);
        assert_eq!(watch.held(), Some(Held::Split));
    }

    #[test]
    fn three_missed_heartbeats_of_all_hosts_stop_a_guest_and_one_lets_it_go_on() {
        let mut watch = Watch::new(at(0));
        watch.on_beat(at(10_000), HeartbeatVerdict::Agrees, false);
        assert_eq!(watch.decide(at(14_999), false), None);
        assert_eq!(watch.decide(at(15_000), true), None, "a host does not wait for itself");
        assert_eq!(watch.decide(at(15_000), false), Some(Some(Held::Silent)));
        watch.on_beat(at(16_000), HeartbeatVerdict::Agrees, true);
        assert_eq!(watch.decide(at(16_000), false), Some(None));
    }

    #[test]
    fn a_remove_without_its_echo_stops_the_sending_after_300_ms() {
        let mut watch = Watch::new(at(0));
        watch.on_remove(at(1_000));
        assert_eq!(watch.wake_at(), Some(at(1_300)));
        assert_eq!(watch.decide(at(1_299), true), None);
        assert_eq!(watch.decide(at(1_300), true), Some(Some(Held::Removing)));
        watch.on_epoch(7, false);
        assert_eq!(watch.decide(at(1_400), true), None, "another commit is not this one");
        watch.on_epoch(8, true);
        assert_eq!(watch.decide(at(1_500), true), Some(None));
    }

    #[test]
    fn a_second_remove_behind_the_first_stops_the_sending_as_well() {
        let mut watch = Watch::new(at(0));
        watch.on_remove(at(1_000));
        watch.on_epoch(2, true);
        watch.on_remove(at(1_100));
        assert_eq!(watch.decide(at(1_399), true), None);
        assert_eq!(watch.decide(at(1_400), true), Some(Some(Held::Removing)));
    }

    #[test]
    fn no_heartbeat_speaks_for_an_epoch_that_a_remove_has_not_ended_and_one_does_at_once_after_it() {
        let mut watch = Watch::new(at(0));
        assert!(watch.take_beat(at(0)));
        watch.on_remove(at(1_000));
        watch.decide(at(1_300), true);
        assert!(!watch.take_beat(at(60_000)));
        watch.on_epoch(4, true);
        watch.decide(at(60_100), true);
        assert!(watch.take_beat(at(60_100)));
        assert!(!watch.take_beat(at(60_200)));
    }

    #[test]
    fn heartbeats_are_five_seconds_apart() {
        let mut watch = Watch::new(at(0));
        let sent = (0..=20_000).step_by(250).filter(|millis| watch.take_beat(at(*millis))).count();
        assert_eq!(sent, 5);
    }
}
