//! How the voice is sent with what the path carries: the less, the more of it in one packet, since headers and seals cost more than
//! the voice itself.
//!
//! | mode | frames of 20 ms in a packet | Opus | on the wire |
//! | --- | --- | --- | --- |
//! | single | 1 | 32 kbit/s | 70 kbit/s |
//! | paired | 2 | 20 kbit/s | 39 kbit/s |
//! | tripled | 3 | 10 kbit/s | 23 kbit/s |
//!
//! Frames stay 20 ms long, so the receiver's buffer and its concealment do not care: Opus makes its own packet of 60 ms of three
//! such frames as well.

use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// A path must have been good enough for a larger mode for this long.
const HELD: Duration = Duration::from_secs(3);
/// From this factor of a mode's bound on a larger one is gone back to.
const UP: f64 = 1.15;

/// How the voice is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Voice {
    /// Least bandwidth, most delay.
    Tripled,
    /// In between.
    Paired,
    /// Least delay, best sound.
    Single,
}

impl Voice {
    /// For all that a path can be sent.
    pub(crate) fn for_rate(rate: Bitrate) -> Self {
        [Self::Single, Self::Paired].into_iter().find(|voice| rate >= voice.least()).unwrap_or(Self::Tripled)
    }

    /// Frames of 20 ms in a packet.
    pub(crate) const fn frames(self) -> u8 {
        match self {
            Self::Single => 1,
            Self::Paired => 2,
            Self::Tripled => 3,
        }
    }

    /// Of the codec.
    pub(crate) const fn bitrate(self) -> Bitrate {
        match self {
            Self::Single => Bitrate::kbps(32),
            Self::Paired => Bitrate::kbps(20),
            Self::Tripled => Bitrate::kbps(10),
        }
    }

    /// With all headers and seals, down to those of IPv4.
    pub(crate) const fn wire(self) -> Bitrate {
        match self {
            Self::Single => Bitrate::kbps(70),
            Self::Paired => Bitrate::kbps(39),
            Self::Tripled => Bitrate::kbps(23),
        }
    }

    /// Below this a picture would starve beside it.
    const fn least(self) -> Bitrate {
        match self {
            Self::Single => Bitrate::kbps(280),
            Self::Paired => Bitrate::kbps(170),
            Self::Tripled => Bitrate::ZERO,
        }
    }
}

/// Decides for one voice: down at once, up once the path has held.
#[derive(Debug)]
pub(crate) struct VoicePlan {
    voice: Voice,
    enough_since: Option<MediaTime>,
}

impl VoicePlan {
    pub(crate) const fn new() -> Self {
        Self { voice: Voice::Single, enough_since: None }
    }

    /// The mode for what the worst path can be sent; before that is known the voice is sent at its best.
    pub(crate) fn step(&mut self, now: MediaTime, rate: Option<Bitrate>) -> Voice {
        let Some(rate) = rate else { return self.voice };
        let fits = Voice::for_rate(rate);
        if fits < self.voice {
            self.voice = fits;
        }
        let above = Voice::for_rate(rate.scaled(1.0 / UP));
        if above > self.voice {
            let since = *self.enough_since.get_or_insert(now);
            if now.since(since) >= HELD {
                self.voice = above;
            }
        } else {
            self.enough_since = None;
        }
        self.voice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(plan: &mut VoicePlan, from: u64, seconds: u64, kbps: u64) -> Voice {
        let mut voice = Voice::Single;
        for tick in 0..seconds * 50 {
            let now = MediaTime::from_micros(1_000_000 + from * 1_000_000 + tick * 20_000);
            voice = plan.step(now, Some(Bitrate::kbps(kbps)));
        }
        voice
    }

    #[test]
    fn it_shrinks_at_once_and_grows_after_a_while() {
        let mut plan = VoicePlan::new();
        assert_eq!(plan.step(MediaTime::default(), None), Voice::Single);
        assert_eq!(plan.step(MediaTime::from_micros(1), Some(Bitrate::kbps(30))), Voice::Tripled);
        assert_eq!(run(&mut plan, 0, 2, 2_000), Voice::Tripled);
        assert_eq!(run(&mut plan, 2, 2, 2_000), Voice::Single);
    }

    #[test]
    fn at_a_bound_it_does_not_flap() {
        let mut plan = VoicePlan::new();
        assert_eq!(run(&mut plan, 0, 1, 169), Voice::Tripled);
        assert_eq!(run(&mut plan, 1, 10, 180), Voice::Tripled);
        assert_eq!(run(&mut plan, 11, 10, 220), Voice::Paired);
        assert_eq!(run(&mut plan, 21, 10, 175), Voice::Paired);
    }

    #[test]
    fn what_it_costs_follows_from_headers_and_seals() {
        // IP and UDP, RTP with its extension, SRTP's tag, SFrame's header and tag, chunk and payload header.
        let headers = 28 + 20 + 10 + 20 + 3 + 15;
        for voice in [Voice::Single, Voice::Paired, Voice::Tripled] {
            let millis = u64::from(voice.frames()) * 20;
            let bytes = voice.bitrate().as_bps() * millis / 8_000 + headers;
            let kbps = bytes * 8 / millis;
            assert!(kbps.abs_diff(voice.wire().as_kbps()) <= 2, "{voice:?}: {kbps}");
        }
    }
}
