//! Sealing keys on their way to the thread that owns them, and how much they sealed.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crypto::SealingKey;

use super::shared::lock;
use crate::engine::EpochSwitch;
use crate::time::MediaTime;

/// The keys of one stream that wait for their switch, each with its time.
#[derive(Default)]
pub(crate) struct KeyInbox {
    waiting: Mutex<VecDeque<(MediaTime, SealingKey)>>,
    /// Frames sealed with the key that was taken last.
    sealed: AtomicU64,
}

/// Epochs that may wait at once; a call that changes faster skips some.
const INBOX: usize = 8;

/// A switch is never put off longer than the old keys live at the receivers, less the way there.
const LATEST_SWITCH: Duration = Duration::from_millis(1_500);

/// When the switch of an epoch is due.
pub(crate) fn switch_time(now: MediaTime, switch: EpochSwitch) -> MediaTime {
    match switch {
        EpochSwitch::Now => now,
        EpochSwitch::Within(time) => now + time.min(LATEST_SWITCH),
    }
}

impl KeyInbox {
    pub(crate) fn put(&self, switch_at: MediaTime, key: SealingKey) {
        let mut waiting = lock(&self.waiting);
        // A newer epoch that switches earlier makes the waiting ones pointless.
        waiting.retain(|(at, _)| *at < switch_at);
        if waiting.len() == INBOX {
            waiting.pop_front();
        }
        waiting.push_back((switch_at, key));
    }

    /// The newest key whose time has come; older ones are dropped, and the count begins anew.
    pub(crate) fn take_due(&self, now: MediaTime) -> Option<SealingKey> {
        let mut waiting = lock(&self.waiting);
        let mut due = None;
        while waiting.front().is_some_and(|(at, _)| *at <= now) {
            due = waiting.pop_front().map(|(_, key)| key);
        }
        if due.is_some() {
            self.sealed.store(0, Ordering::Release);
        }
        due
    }

    /// Notes what the key that was taken last has sealed. Called by the thread that owns it.
    pub(crate) fn note_sealed(&self, key: &SealingKey) {
        self.sealed.store(key.sealed(), Ordering::Release);
    }

    /// Frames sealed with the newest key: none as long as it waits.
    pub(crate) fn sealed(&self) -> u64 {
        let waiting = lock(&self.waiting);
        if waiting.is_empty() { self.sealed.load(Ordering::Acquire) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::members::Members;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    /// The host's voice keys of so many epochs; each has sealed as many frames as the number of its epoch.
    fn voice_keys(epochs: u64) -> Vec<SealingKey> {
        let mut members = Members::admitted().unwrap();
        let keys = (0..epochs).map(|epoch| {
            members.renew().unwrap();
            let mut key = members.keys().unwrap().0.into_parts().0.audio;
            (0..epoch).for_each(|_| drop(key.seal(vec![0]).unwrap()));
            key
        });
        keys.collect()
    }

    #[test]
    fn a_switch_is_due_at_its_time_and_not_before() {
        let inbox = KeyInbox::default();
        let keep = Duration::from_millis(500);
        let [first, second] = <[SealingKey; 2]>::try_from(voice_keys(2)).unwrap();
        inbox.put(switch_time(at(0), EpochSwitch::Now), first);
        assert_eq!(inbox.take_due(at(0)).unwrap().sealed(), 0);
        inbox.put(switch_time(at(1_000), EpochSwitch::Within(keep)), second);
        assert!(inbox.take_due(at(1_499)).is_none());
        assert_eq!(inbox.take_due(at(1_500)).unwrap().sealed(), 1);
        assert!(inbox.take_due(at(9_000)).is_none());
    }

    #[test]
    fn a_switch_now_is_due_at_once_and_passes_over_what_waits() {
        let inbox = KeyInbox::default();
        let [first, second, third] = <[SealingKey; 3]>::try_from(voice_keys(3)).unwrap();
        inbox.put(switch_time(at(0), EpochSwitch::Now), first);
        inbox.put(switch_time(at(100), EpochSwitch::Within(Duration::from_millis(500))), second);
        inbox.put(switch_time(at(200), EpochSwitch::Now), third);
        assert_eq!(inbox.take_due(at(200)).unwrap().sealed(), 2);
        // What waited for longer must not come back after it.
        assert!(inbox.take_due(at(9_000)).is_none());
    }

    #[test]
    fn a_switch_is_never_put_off_until_the_others_forget_the_old_keys() {
        let late = switch_time(at(0), EpochSwitch::Within(Duration::from_secs(60)));
        assert_eq!(late, at(1_500));
    }

    #[test]
    fn the_count_is_that_of_the_newest_epoch_alone() {
        let inbox = KeyInbox::default();
        let [first, second] = <[SealingKey; 2]>::try_from(voice_keys(2)).unwrap();
        inbox.put(at(0), first);
        let mut key = inbox.take_due(at(0)).unwrap();
        key.seal(vec![0]).unwrap();
        inbox.note_sealed(&key);
        assert_eq!(inbox.sealed(), 1);
        inbox.put(at(500), second);
        key.seal(vec![0]).unwrap();
        inbox.note_sealed(&key);
        assert_eq!(inbox.sealed(), 0);
        inbox.take_due(at(500)).unwrap();
        assert_eq!(inbox.sealed(), 0);
    }
}
