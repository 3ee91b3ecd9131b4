//! Window of counters that were opened already.

/// How far a frame may lie behind the newest one, in frames.
///
/// Larger keeps more state per key; smaller drops frames that a network reordered.
const WINDOW: u64 = 1024;

const WORDS: usize = WINDOW as usize / 64;

/// The newest counter and one bit for each of the [`WINDOW`] counters up to it.
pub(crate) struct ReplayWindow {
    newest: Option<u64>,
    seen: [u64; WORDS],
}

impl ReplayWindow {
    pub(crate) const fn new() -> Self {
        Self { newest: None, seen: [0; WORDS] }
    }

    /// Whether a frame with this counter may be opened.
    pub(crate) fn allows(&self, counter: u64) -> bool {
        let Some(newest) = self.newest else {
            return true;
        };
        if counter > newest {
            return true;
        }
        newest - counter < WINDOW && !self.bit(counter)
    }

    /// Records a counter. Only for frames whose tag was checked: otherwise anybody could make
    /// the window jump and shut the sender out.
    pub(crate) fn record(&mut self, counter: u64) {
        match self.newest {
            Some(newest) if counter > newest => {
                if counter - newest >= WINDOW {
                    self.seen = [0; WORDS];
                } else {
                    (newest + 1..=counter).for_each(|passed| self.set(passed, false));
                }
                self.newest = Some(counter);
            }
            None => self.newest = Some(counter),
            Some(_) => {}
        }
        self.set(counter, true);
    }

    fn bit(&self, counter: u64) -> bool {
        let (word, mask) = place(counter);
        self.seen.get(word).is_some_and(|word| word & mask != 0)
    }

    fn set(&mut self, counter: u64, seen: bool) {
        let (word, mask) = place(counter);
        if let Some(word) = self.seen.get_mut(word) {
            if seen {
                *word |= mask;
            } else {
                *word &= !mask;
            }
        }
    }
}

fn place(counter: u64) -> (usize, u64) {
    let bit = counter % WINDOW;
    ((bit / 64) as usize, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_opens_once() {
        let mut window = ReplayWindow::new();
        assert!(window.allows(5));
        window.record(5);
        assert!(!window.allows(5));
        assert!(window.allows(4) && window.allows(6));
    }

    #[test]
    fn the_window_reaches_1024_frames_back() {
        let mut window = ReplayWindow::new();
        window.record(5000);
        assert!(window.allows(5000 - 1023));
        assert!(!window.allows(5000 - 1024));
    }

    #[test]
    fn a_jump_forgets_nothing_inside_the_window() {
        let mut window = ReplayWindow::new();
        for counter in 0..100 {
            window.record(counter);
        }
        window.record(1000);
        assert!((0..100).all(|counter| !window.allows(counter)));
        assert!((100..1000).all(|counter| window.allows(counter)));
        window.record(1123);
        assert!(!window.allows(99), "too old");
        assert!(window.allows(100), "the last that the window holds");
        window.record(1_000_000);
        assert!(window.allows(1_000_000 - 1) && !window.allows(1_000_000));
    }

    #[test]
    fn the_end_of_the_counter_does_not_overflow() {
        let mut window = ReplayWindow::new();
        window.record(u64::MAX);
        assert!(window.allows(u64::MAX - 1) && !window.allows(u64::MAX));
        window.record(u64::MAX - 1);
        assert!(!window.allows(u64::MAX - 1));
    }
}
