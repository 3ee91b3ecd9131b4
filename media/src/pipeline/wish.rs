//! What the owner wishes of a source of pictures, and how the thread that owns the source waits for it.

use std::sync::{Condvar, Mutex, PoisonError};

use super::shared::lock;
use crate::source::VideoSourceSpec;

/// The wish for one source: the camera, or the shared window.
pub(crate) struct SourceWish {
    wish: Mutex<Wish>,
    changed: Condvar,
}

struct Wish {
    on: bool,
    source: Option<VideoSourceSpec>,
    /// Grows with every wish.
    number: u64,
    stopped: bool,
}

impl SourceWish {
    /// On from the start, if there is a source.
    pub(crate) fn new(source: Option<VideoSourceSpec>) -> Self {
        Self { wish: Mutex::new(Wish { on: true, source, number: 1, stopped: false }), changed: Condvar::new() }
    }

    /// Switches it without forgetting the source.
    pub(crate) fn switch(&self, on: bool) {
        self.change(|wish| {
            let changed = std::mem::replace(&mut wish.on, on) != on;
            wish.number += u64::from(changed);
        });
    }

    /// Another source, or the same one again after it failed.
    pub(crate) fn set(&self, source: Option<VideoSourceSpec>) {
        self.change(|wish| {
            wish.source = source;
            wish.number += 1;
        });
    }

    /// What was wished under that number is gone: nothing is wished, unless something else was in the meantime.
    pub(crate) fn give_up(&self, number: u64) {
        self.change(|wish| {
            if wish.number == number {
                wish.source = None;
                wish.number += 1;
            }
        });
    }

    /// Nothing is wished any more, for good.
    pub(crate) fn stop(&self) {
        self.change(|wish| wish.stopped = true);
    }

    /// Whether a source is wished at all.
    pub(crate) fn is_wanted(&self) -> bool {
        let wish = lock(&self.wish);
        wish.on && wish.source.is_some() && !wish.stopped
    }

    /// Whether the wish of that number is still the newest.
    pub(crate) fn stands(&self, number: u64) -> bool {
        let wish = lock(&self.wish);
        wish.number == number && !wish.stopped
    }

    /// Waits for a wish after that number to open a source, and gives it with its number; `None` when it is stopped.
    pub(crate) fn next(&self, last: u64) -> Option<(VideoSourceSpec, u64)> {
        let mut wish = lock(&self.wish);
        loop {
            if wish.stopped {
                return None;
            }
            if wish.on
                && wish.number > last
                && let Some(source) = &wish.source
            {
                return Some((source.clone(), wish.number));
            }
            wish = self.changed.wait(wish).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Wish)) {
        change(&mut lock(&self.wish));
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERN: VideoSourceSpec = VideoSourceSpec::TestPattern { variant: 1 };

    #[test]
    fn a_wish_is_answered_once_and_again_when_it_is_repeated() {
        let wish = SourceWish::new(Some(PATTERN));
        let (source, number) = wish.next(0).unwrap();
        assert_eq!((source, wish.stands(number)), (PATTERN, true));
        wish.switch(true);
        assert!(wish.stands(number), "it was on already");
        wish.set(Some(PATTERN));
        assert!(!wish.stands(number));
        assert!(wish.next(number).is_some());
    }

    #[test]
    fn off_and_on_again_opens_the_same_source_anew() {
        let wish = SourceWish::new(Some(PATTERN));
        let (_, number) = wish.next(0).unwrap();
        wish.switch(false);
        assert!(!wish.is_wanted() && !wish.stands(number));
        wish.switch(true);
        assert_eq!(wish.next(number).unwrap().0, PATTERN);
    }

    #[test]
    fn giving_up_what_is_gone_leaves_a_newer_wish_alone() {
        let wish = SourceWish::new(Some(PATTERN));
        let (_, gone) = wish.next(0).unwrap();
        wish.set(Some(PATTERN));
        wish.give_up(gone);
        let (_, number) = wish.next(gone).unwrap();
        wish.give_up(number);
        assert!(!wish.is_wanted() && !wish.stands(number));
    }

    #[test]
    fn whoever_waits_is_woken_by_the_end() {
        let wish = std::sync::Arc::new(SourceWish::new(None));
        let waiting = std::sync::Arc::clone(&wish);
        let waiting = std::thread::Builder::new().spawn(move || waiting.next(0).is_none()).unwrap();
        wish.stop();
        assert!(waiting.join().unwrap());
    }
}
