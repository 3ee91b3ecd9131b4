//! The capture clock and bit rates.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the machine's monotonic clock, in microseconds.
///
/// On Linux and macOS this is `CLOCK_MONOTONIC`, which all processes of one machine share: two clients on one machine can
/// subtract each other's times. On other systems it counts from the first call in the process.
/// Pure cores take a `MediaTime`; only threads and tasks call [`MediaTime::now`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(u64);

impl MediaTime {
    /// The time `micros` microseconds after the clock's zero.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Reads the clock.
    #[cfg(unix)]
    #[must_use]
    pub fn now() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        // The monotonic clock counts from boot, so both parts are small and not negative.
        Self(now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000)
    }

    /// Reads the clock.
    #[cfg(not(unix))]
    #[must_use]
    pub fn now() -> Self {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let elapsed = START.get_or_init(std::time::Instant::now).elapsed();
        Self(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }

    /// Microseconds since the clock's zero.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Time since the clock's zero, for cores that count in `Duration`.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// Time passed since `earlier`, zero if `earlier` lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for MediaTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for MediaTime {
    type Output = Self;

    /// Stops at the clock's zero.
    fn sub(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

/// A rate in bits per second.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// No bits at all.
    pub const ZERO: Self = Self(0);

    /// `bits` per second.
    #[must_use]
    pub const fn bps(bits: u64) -> Self {
        Self(bits)
    }

    /// `kilobits` (1,000 bits) per second.
    #[must_use]
    pub const fn kbps(kilobits: u64) -> Self {
        Self(kilobits.saturating_mul(1_000))
    }

    /// Bits per second.
    #[must_use]
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// Kilobits per second, rounded down.
    #[must_use]
    pub const fn as_kbps(self) -> u64 {
        self.0 / 1_000
    }

    /// Bytes that this rate carries in `duration`.
    #[must_use]
    pub fn bytes_in(self, duration: Duration) -> u64 {
        let bits = u128::from(self.0) * duration.as_micros() / 1_000_000;
        u64::try_from(bits / 8).unwrap_or(u64::MAX)
    }

    /// This rate times `factor`; a negative or undefined factor gives zero.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        // A float cast saturates and turns NaN into zero, which is what a rate should do.
        Self((self.0 as f64 * factor) as u64)
    }
}

impl fmt::Debug for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bit/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_never_runs_backwards() {
        let first = MediaTime::now();
        let second = MediaTime::now();
        assert!(second >= first);
        assert_eq!(first.since(second + Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let time = MediaTime::from_micros(5);
        assert_eq!(time - Duration::from_secs(1), MediaTime::from_micros(0));
        assert_eq!(time + Duration::MAX, MediaTime::from_micros(u64::MAX));
    }

    #[test]
    fn rates_convert_without_surprise() {
        assert_eq!(Bitrate::kbps(1_500).as_bps(), 1_500_000);
        assert_eq!(Bitrate::kbps(8).bytes_in(Duration::from_millis(500)), 500);
        assert_eq!(Bitrate::kbps(8).scaled(f64::NAN), Bitrate::ZERO);
        assert_eq!(Bitrate::kbps(8).scaled(0.5), Bitrate::kbps(4));
    }
}
