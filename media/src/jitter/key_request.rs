//! When to ask the peer for a key frame: as soon as one is needed, then at a bounded rate until it comes.

use std::time::Duration;

use crate::time::MediaTime;

/// Least time between two requests. Shorter makes a lossy path pay for several key frames at once; longer keeps the
/// picture frozen when a request or the key frame itself is lost.
const LEAST_INTERVAL: Duration = Duration::from_millis(300);

/// Asks for key frames of one track, at most once per 300 ms or one and a half round trips.
#[derive(Debug, Default)]
pub(crate) struct KeyRequest {
    wanted: bool,
    asked: Option<MediaTime>,
}

impl KeyRequest {
    /// A frame is missing, or the decoder cannot go on.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame arrived whole.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = false;
    }

    /// Whether to ask now. A `true` counts as asked.
    pub(crate) fn poll(&mut self, now: MediaTime, round_trip: Option<Duration>) -> bool {
        let due = self.poll_timeout(round_trip).is_some_and(|due| due <= now);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// When [`Self::poll`] will say yes, `None` when no key frame is wanted.
    pub(crate) fn poll_timeout(&self, round_trip: Option<Duration>) -> Option<MediaTime> {
        let interval = LEAST_INTERVAL.max(round_trip.unwrap_or_default().mul_f32(1.5));
        self.wanted.then(|| self.asked.map_or_else(MediaTime::default, |asked| asked + interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    #[test]
    fn a_wish_is_asked_at_once_and_repeated_until_it_is_met() {
        let mut request = KeyRequest::default();
        assert!(!request.poll(at(0), None));
        request.want();
        assert!(request.poll(at(1), None));
        assert!(!request.poll(at(300), None));
        assert!(request.poll(at(301), None));
        request.satisfied();
        assert!(!request.poll(at(5_000), None));
    }

    #[test]
    fn a_thousand_losses_ask_no_faster_than_the_round_trip_allows() {
        let mut request = KeyRequest::default();
        let asked = (0..3_000)
            .filter(|millis| {
                request.want();
                request.poll(at(*millis), Some(Duration::from_millis(400)))
            })
            .count();
        assert_eq!(asked, 5);
    }
}
