//! When the next picture of a synthetic source is due.

use std::time::Duration;

use crate::time::MediaTime;

/// Numbers pictures by time: a source that was held up skips numbers, it never plays slow or in a burst.
#[derive(Debug)]
pub(super) struct Pace {
    rate: u32,
    scale: u32,
    start: Option<MediaTime>,
    next: u32,
}

/// The next picture, or the wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Number of the picture and the moment it stands for.
    Now(u32, MediaTime),
    In(Duration),
}

impl Pace {
    /// `rate / scale` pictures per second, both above zero.
    pub(super) const fn new(rate: u32, scale: u32) -> Self {
        Self { rate, scale, start: None, next: 0 }
    }

    pub(super) fn due(&mut self, now: MediaTime) -> Due {
        let start = *self.start.get_or_insert(now);
        let (rate, scale) = (u128::from(self.rate), u128::from(self.scale));
        let elapsed = u128::from(now.as_micros().saturating_sub(start.as_micros()));
        let current = u32::try_from(elapsed * rate / (scale * 1_000_000)).unwrap_or(u32::MAX);
        let number = current.max(self.next);
        // Rounded up: rounded down, the number of that very moment would still be the one before.
        let offset = (u128::from(number) * scale * 1_000_000).div_ceil(rate);
        let offset = Duration::from_micros(u64::try_from(offset).unwrap_or(u64::MAX));
        let moment = start + offset;
        if moment > now {
            return Due::In(moment.since(now));
        }
        self.next = number.saturating_add(1);
        Due::Now(number, moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: MediaTime = MediaTime::from_micros(1_000);

    #[test]
    fn pictures_come_at_their_rate() {
        let mut pace = Pace::new(30, 1);
        let mut now = START;
        let mut shown = Vec::new();
        while now < START + Duration::from_secs(1) {
            match pace.due(now) {
                Due::Now(number, _) => shown.push(number),
                Due::In(wait) => now = now + wait,
            }
        }
        assert_eq!(shown, (0..30).collect::<Vec<_>>());
    }

    #[test]
    fn a_late_source_skips_and_keeps_its_beat() {
        let mut pace = Pace::new(30, 1);
        assert_eq!(pace.due(START), Due::Now(0, START));
        let late = START + Duration::from_millis(250);
        assert_eq!(pace.due(late), Due::Now(7, START + Duration::from_micros(233_334)));
        assert_eq!(pace.due(late), Due::In(Duration::from_micros(16_667)));
    }

    #[test]
    fn absurd_rates_neither_panic_nor_divide_by_zero() {
        let mut pace = Pace::new(u32::MAX, 1);
        assert_eq!(pace.due(START), Due::Now(0, START));
        let mut pace = Pace::new(1, u32::MAX);
        assert_eq!(pace.due(START), Due::Now(0, START));
        assert!(matches!(pace.due(MediaTime::from_micros(u64::MAX)), Due::Now(4_294, _)));
    }
}
