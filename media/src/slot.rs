//! A place for one value where the newest wins: how pictures move between threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Holds at most one value; a new one replaces an old one that nobody took.
///
/// The writer never blocks. One reader takes ([`Slot::take_timeout`]) or several look ([`Slot::latest`]); a slot used
/// both ways loses values for the lookers, so each consumer gets its own.
/// Closing wakes everyone and drops the value, so that no picture outlives its call.
pub struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Option<T>,
    version: u64,
    closed: bool,
}

impl<T> Slot<T> {
    /// An empty, open slot.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: Mutex::new(State { value: None, version: 0, closed: false }), changed: Condvar::new() }
    }

    /// Stores `value` and returns the one it pushed out, if nobody took that. A closed slot gives `value` back.
    pub fn put(&self, value: T) -> Option<T> {
        let mut state = self.lock();
        if state.closed {
            return Some(value);
        }
        let dropped = state.value.replace(value);
        state.version += 1;
        drop(state);
        self.changed.notify_all();
        dropped
    }

    /// Takes the value, waiting for one up to `timeout`. `None` after the time, or at once when closed.
    pub fn take_timeout(&self, timeout: Duration) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(value) = state.value.take() {
                return Some(value);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Counts the values put so far: a changed count means a new value to look at.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Drops the value, refuses further ones and wakes all waiting.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let value = state.value.take();
        drop(state);
        self.changed.notify_all();
        drop(value);
    }

    /// Drops the value but stays open, as when a camera is switched off.
    pub fn clear(&self) {
        let mut state = self.lock();
        let value = state.value.take();
        state.version += 1;
        drop(state);
        drop(value);
    }

    /// Whether [`Slot::close`] was called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// No operation leaves the state half changed, so a panic elsewhere does not make it unusable.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Slot<T> {
    /// A copy of the value, which stays. For frames this copies a pointer, not pixels.
    #[must_use]
    pub fn latest(&self) -> Option<T> {
        self.lock().value.clone()
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Slot").field("full", &state.value.is_some()).field("version", &state.version).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn newest_value_wins() {
        let slot = Slot::new();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(slot.latest(), Some(2));
        assert_eq!(slot.version(), 2);
        assert_eq!(slot.take_timeout(Duration::ZERO), Some(2));
        assert_eq!(slot.take_timeout(Duration::ZERO), None);
    }

    #[test]
    fn closing_wakes_the_reader_and_drops_the_value() {
        let slot = Arc::new(Slot::<u8>::new());
        let reader = {
            let slot = Arc::clone(&slot);
            std::thread::Builder::new().spawn(move || slot.take_timeout(Duration::from_secs(60))).unwrap()
        };
        slot.close();
        assert_eq!(reader.join().unwrap(), None);
        assert_eq!(slot.put(3), Some(3));
        assert_eq!(slot.latest(), None);
        assert!(slot.is_closed());
    }

    #[test]
    fn a_waiting_reader_gets_the_value() {
        let slot = Arc::new(Slot::new());
        let reader = {
            let slot = Arc::clone(&slot);
            std::thread::Builder::new().spawn(move || slot.take_timeout(Duration::from_secs(60))).unwrap()
        };
        slot.put(7);
        assert_eq!(reader.join().unwrap(), Some(7));
    }
}
