//! Frame numbers of 16 bits, unwrapped, and which of them came before.

/// Unwrapped numbers start here, so that reordered first ones may lie below.
const BASE: u64 = 1 << 32;

/// Unwraps numbers of 16 bits: each is taken as the one nearest to the highest so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// The unwrapped number. Never goes below 2^31: 2^17 wraps backwards do not happen, since the highest never falls.
    pub(crate) fn unwrap(&mut self, number: u16) -> u64 {
        let Some(highest) = self.highest else {
            let first = BASE + u64::from(number);
            self.highest = Some(first);
            return first;
        };
        // The low 16 bits of the highest as a number, then the signed way to the new one.
        let way = number.wrapping_sub(highest as u16).cast_signed();
        let unwrapped = highest.saturating_add_signed(i64::from(way));
        self.highest = Some(highest.max(unwrapped));
        unwrapped
    }
}

/// Tells numbers that come for the first time from repeated ones, over the latest 128.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeenWindow {
    unwrapper: Unwrapper,
    highest: u64,
    /// Bit `n` says that `highest - n` was seen.
    seen: u128,
    stale: u32,
}

/// A sender that was silent for half of the number space seems to count backwards: so many stale numbers in a row start anew.
const STALE_BEFORE_RESET: u32 = 64;

impl SeenWindow {
    /// Whether this number is new. A number older than the window counts as repeated.
    pub(crate) fn is_new(&mut self, number: u16) -> bool {
        let unwrapped = self.unwrapper.unwrap(number);
        if unwrapped > self.highest {
            let by = u32::try_from(unwrapped - self.highest).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(by).unwrap_or(0) | 1;
            self.highest = unwrapped;
            self.stale = 0;
            return true;
        }
        let Some(bit) = u32::try_from(self.highest - unwrapped).ok().and_then(|back| 1_u128.checked_shl(back)) else {
            self.stale += 1;
            if self.stale > STALE_BEFORE_RESET {
                *self = Self::default();
            }
            return false;
        };
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_unwrap_across_the_end_both_ways() {
        let mut unwrapper = Unwrapper::default();
        let first = unwrapper.unwrap(65_534);
        assert_eq!(unwrapper.unwrap(1), first + 3);
        assert_eq!(unwrapper.unwrap(65_535), first + 1);
        assert_eq!(unwrapper.unwrap(2), first + 4);
    }

    #[test]
    fn a_repeated_number_is_not_new() {
        let mut window = SeenWindow::default();
        assert!([65_535, 1, 0].into_iter().all(|number| window.is_new(number)));
        assert!([65_535, 1, 0].into_iter().all(|number| !window.is_new(number)));
        assert!(window.is_new(130));
        assert!(!window.is_new(1), "too old to tell");
        assert!(window.is_new(3));
    }

    #[test]
    fn a_sender_that_restarts_its_count_is_heard_again() {
        let mut window = SeenWindow::default();
        assert!(window.is_new(40_000));
        let heard = (20_000..20_100).filter(|number| window.is_new(*number)).count();
        assert!(heard >= 35, "{heard}");
    }
}
