//! How a picture is sent with what the path carries: first fewer bits, then smaller and slower, then not at all.
//!
//! | rung | size | pictures | enters at | leaves below |
//! | --- | --- | --- | --- | --- |
//! | full | as captured | all | 600 kbit/s | 330 kbit/s |
//! | half | half of each side | all | 160 kbit/s | 110 kbit/s |
//! | quarter | a quarter | two of three | 60 kbit/s | 45 kbit/s |
//! | slow | a quarter | one of three | 30 kbit/s | 16 kbit/s |
//! | none | – | none: the voice alone | | |
//!
//! Down at once, since what is too much becomes delay; up only after the rate has held for a while, one rung at a time. A still
//! face at 720p and 300 kbit/s looks better than at 360p scaled up, so the first step down comes late. After a break of
//! the path the picture is a quarter for a moment.

use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// A rate must have held this long before the picture gets larger. Shorter flaps, longer keeps the picture poor.
const HELD: Duration = Duration::from_secs(2);

/// How the picture is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    /// The voice alone.
    None,
    /// A quarter of each side, one of three pictures.
    Slow,
    /// A quarter of each side, two of three pictures.
    Quarter,
    /// Half of each side.
    Half,
    /// As captured.
    Full,
}

impl Rung {
    /// What each side of the picture is divided by; 0 for no picture.
    pub(crate) const fn divisor(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Slow | Self::Quarter => 4,
            Self::Half => 2,
            Self::Full => 1,
        }
    }

    /// How many of three pictures are sent.
    pub(crate) const fn of_three(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Slow => 1,
            Self::Quarter => 2,
            Self::Half | Self::Full => 3,
        }
    }

    /// The rate that it is entered at, and the one below which it is left.
    const fn bounds(self) -> (Bitrate, Bitrate) {
        match self {
            Self::None => (Bitrate::ZERO, Bitrate::ZERO),
            Self::Slow => (Bitrate::kbps(30), Bitrate::kbps(16)),
            Self::Quarter => (Bitrate::kbps(60), Bitrate::kbps(45)),
            Self::Half => (Bitrate::kbps(160), Bitrate::kbps(110)),
            Self::Full => (Bitrate::kbps(600), Bitrate::kbps(330)),
        }
    }

    const fn above(self) -> Option<Self> {
        match self {
            Self::None => Some(Self::Slow),
            Self::Slow => Some(Self::Quarter),
            Self::Quarter => Some(Self::Half),
            Self::Half => Some(Self::Full),
            Self::Full => None,
        }
    }

    const fn below(self) -> Option<Self> {
        match self {
            Self::None => None,
            Self::Slow => Some(Self::None),
            Self::Quarter => Some(Self::Slow),
            Self::Half => Some(Self::Quarter),
            Self::Full => Some(Self::Half),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ladder {
    rung: Rung,
    /// Since when the rate is enough for the rung above.
    enough_since: Option<MediaTime>,
}

impl Ladder {
    /// Begins on this rung.
    pub(crate) const fn new(rung: Rung) -> Self {
        Self { rung, enough_since: None }
    }

    /// Everything waits for a key frame now, perhaps behind what fills the path's queue: a small one is there soonest.
    pub(crate) fn collapse(&mut self) {
        self.rung = self.rung.min(Rung::Quarter);
        self.enough_since = None;
    }

    /// The rung for this rate of video.
    pub(crate) fn step(&mut self, now: MediaTime, rate: Bitrate) -> Rung {
        while rate < self.rung.bounds().1
            && let Some(below) = self.rung.below()
        {
            self.rung = below;
            self.enough_since = None;
        }
        match self.rung.above() {
            Some(above) if rate >= above.bounds().0 => {
                let since = *self.enough_since.get_or_insert(now);
                if now.since(since) >= HELD {
                    self.rung = above;
                    // The rung after that needs to be earned as well, but sooner: the rate has held already.
                    self.enough_since = Some(now - HELD * 3 / 4);
                }
            }
            _ => self.enough_since = None,
        }
        self.rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(10_000_000 + millis * 1_000)
    }

    #[test]
    fn it_goes_down_at_once_and_as_far_as_needed() {
        let mut ladder = Ladder::new(Rung::Full);
        assert_eq!(ladder.step(at(0), Bitrate::kbps(340)), Rung::Full);
        assert_eq!(ladder.step(at(33), Bitrate::kbps(200)), Rung::Half);
        assert_eq!(ladder.step(at(50), Bitrate::kbps(100)), Rung::Quarter);
        assert_eq!(ladder.step(at(66), Bitrate::kbps(15)), Rung::None);
    }

    #[test]
    fn after_a_break_the_picture_is_small_until_the_rate_has_held() {
        let mut ladder = Ladder::new(Rung::Full);
        ladder.step(at(0), Bitrate::kbps(2_400));
        ladder.collapse();
        assert_eq!(ladder.step(at(33), Bitrate::kbps(350)), Rung::Quarter);
        assert_eq!(ladder.step(at(1_900), Bitrate::kbps(350)), Rung::Quarter);
        assert_eq!(ladder.step(at(2_100), Bitrate::kbps(350)), Rung::Half);
    }

    #[test]
    fn it_goes_up_rung_by_rung_once_the_rate_has_held() {
        let mut ladder = Ladder::new(Rung::None);
        let mut changes = Vec::new();
        let mut last = Rung::None;
        for tick in 0..300 {
            let rung = ladder.step(at(tick * 33), Bitrate::kbps(2_000));
            if rung != last {
                changes.push((rung, tick * 33));
                last = rung;
            }
        }
        let rungs: Vec<_> = changes.iter().map(|(rung, _)| *rung).collect();
        assert_eq!(rungs, [Rung::Slow, Rung::Quarter, Rung::Half, Rung::Full]);
        assert!(changes[0].1 >= 2_000 && changes[3].1 < 3_800, "{changes:?}");
    }

    #[test]
    fn a_rate_that_swings_between_the_bounds_changes_nothing() {
        let mut ladder = Ladder::new(Rung::Half);
        for tick in 0..600 {
            let kbps = if tick % 30 < 15 { 390 } else { 120 };
            assert_eq!(ladder.step(at(tick * 33), Bitrate::kbps(kbps)), Rung::Half);
        }
    }

    #[test]
    fn a_rate_that_is_enough_now_and_then_does_not_flap() {
        let mut ladder = Ladder::new(Rung::Half);
        for tick in 0..600 {
            let kbps = if tick % 60 < 45 { 900 } else { 300 };
            assert_eq!(ladder.step(at(tick * 33), Bitrate::kbps(kbps)), Rung::Half);
        }
    }
}
