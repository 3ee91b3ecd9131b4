//! How many tries one key (an account, an invitation) gets. Pure; the store keeps the numbers.

/// Tries before a lock. Lower hurts people who mistype, higher helps guessers.
const MAX_TRIES: u32 = 5;

/// First lock; each further one without a success between doubles, up to the longest.
const FIRST_LOCK_S: u64 = 5 * 60;
const LONGEST_LOCK_S: u64 = 60 * 60;

/// Tries are forgotten after this time without one.
const FORGET_S: u64 = 24 * 60 * 60;

/// What is remembered of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) tries: u32,
    pub(crate) locks: u32,
    pub(crate) locked_until: u64,
    pub(crate) last_try: u64,
}

/// Too many tries; wait this many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock(pub(crate) u32);

impl Tries {
    /// Spends a try before the work is done, so that parallel guesses all count. A success deletes the record.
    pub(crate) fn spend(self, now: u64) -> Result<Self, Lock> {
        if now < self.locked_until {
            return Err(Lock(u32::try_from(self.locked_until - now).unwrap_or(u32::MAX)));
        }
        let before = if now.saturating_sub(self.last_try) >= FORGET_S { Self::default() } else { self };
        let spent = Self { tries: before.tries + 1, last_try: now, ..before };
        if spent.tries < MAX_TRIES {
            return Ok(spent);
        }
        // The last try is still made; the lock stands behind it.
        let lock = (FIRST_LOCK_S << before.locks.min(8)).min(LONGEST_LOCK_S);
        Ok(Self { tries: 0, locks: before.locks.saturating_add(1), locked_until: now + lock, last_try: now })
    }

    /// Moment from which the record says nothing any more.
    pub(crate) const fn stale_before(now: u64) -> u64 {
        now.saturating_sub(FORGET_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend(mut tries: Tries, times: u32, now: u64) -> Tries {
        for _ in 0..times {
            tries = tries.spend(now).unwrap();
        }
        tries
    }

    #[test]
    fn the_sixth_try_waits_five_minutes() {
        let tries = spend(Tries::default(), 5, 1000);
        assert_eq!(tries.spend(1000), Err(Lock(300)));
        assert_eq!(tries.spend(1299), Err(Lock(1)));
        assert!(tries.spend(1300).is_ok());
    }

    #[test]
    fn locks_double_up_to_an_hour() {
        let mut tries = Tries::default();
        let mut now = 1000;
        for expected in [300, 600, 1200, 2400, 3600, 3600] {
            tries = spend(tries, 5, now);
            assert_eq!(tries.locked_until - now, expected);
            now = tries.locked_until;
        }
    }

    #[test]
    fn a_day_of_peace_forgets() {
        let tries = spend(Tries::default(), 4, 0);
        assert_eq!(tries.spend(FORGET_S).unwrap().tries, 1);
    }
}
