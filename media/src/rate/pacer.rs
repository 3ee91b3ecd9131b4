//! Spreads packets over time, so that a key frame does not fill the queue of the narrowest link in front of the voice.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// How far packets may run ahead of the rate. Longer bursts fill queues; shorter ones wake the driver for every packet.
const BURST: Duration = Duration::from_millis(5);
/// Older packets are dropped: their frame would be given up at the other end.
const AGE_LIMIT: Duration = Duration::from_millis(400);
/// A burst that could not be sent within this is over.
const BURST_LIMIT: Duration = Duration::from_millis(200);
/// Packets held at most; the oldest go first.
const MAX_HELD: usize = 2_048;

/// What a packet carries, by the order in which packets leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Voice, also when it is sent again: never waits, but counts.
    Audio,
    /// Video that the peer waits for.
    Retransmission,
    /// Video for the first time.
    Video,
}

#[derive(Debug)]
struct Held<T> {
    item: T,
    bits: u64,
    since: MediaTime,
}

/// A pacer of items of type `T`. Pure: the caller brings the time and asks again at [`Pacer::poll_timeout`].
#[derive(Debug)]
pub(crate) struct Pacer<T> {
    bits_per_second: f64,
    /// When all that left will have left at the paced rate.
    busy_until: Option<MediaTime>,
    /// A burst of the estimator: at this rate, so many bits more, until then at most.
    burst: Option<(f64, u64, MediaTime)>,
    /// Too much is under way: only audio leaves.
    held: bool,
    queued_bits: u64,
    retransmissions: VecDeque<Held<T>>,
    video: VecDeque<Held<T>>,
    expired: u64,
}

impl<T> Pacer<T> {
    /// A pacer for this rate of media.
    pub(crate) fn new(media: Bitrate) -> Self {
        Self {
            bits_per_second: (media.as_bps() as f64).max(1.0),
            busy_until: None,
            burst: None,
            held: false,
            queued_bits: 0,
            retransmissions: VecDeque::new(),
            video: VecDeque::new(),
            expired: 0,
        }
    }

    /// Packets leave so many times faster than this rate of media.
    pub(crate) fn set_rate(&mut self, media: Bitrate, headroom: f64) {
        self.bits_per_second = (media.as_bps() as f64 * headroom).max(1.0);
    }

    /// Holds everything but audio back, or lets it go.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// The next `bytes` leave at exactly this rate, video first, and filler when there is none.
    pub(crate) fn burst(&mut self, now: MediaTime, rate: Bitrate, bytes: u64) {
        self.burst = Some((rate.as_bps() as f64, bytes * 8, now + BURST_LIMIT));
        self.busy_until = Some(now);
    }

    /// Whether a burst is under way and nothing waits that could be sent for it.
    pub(crate) fn wants_filler(&mut self, now: MediaTime) -> bool {
        self.burst.take_if(|(_, left, until)| *left == 0 || now > *until);
        self.burst.is_some()
            && !self.held
            && self.retransmissions.is_empty()
            && self.video.is_empty()
            && self.busy_until.is_none_or(|until| until <= now)
    }

    /// Drops all that waits.
    pub(crate) fn purge(&mut self) {
        self.expired += (self.video.len() + self.retransmissions.len()) as u64;
        self.video.clear();
        self.retransmissions.clear();
        self.queued_bits = 0;
    }

    /// Nothing is left to fill a burst with.
    pub(crate) fn end_burst(&mut self) {
        self.burst = None;
    }

    /// So many bits leave besides: filler, or the voice a second time.
    pub(crate) fn charge_extra(&mut self, now: MediaTime, bits: u64) {
        self.charge(now, bits);
    }

    /// How long what waits takes to leave.
    pub(crate) fn backlog(&self, now: MediaTime) -> Duration {
        let oldest = self.video.front().or_else(|| self.retransmissions.front()).map_or(now, |held| held.since);
        let ahead = Duration::from_secs_f64(self.queued_bits as f64 / self.bits_per_second);
        ahead.max(now.since(oldest))
    }

    /// Takes a packet of so many bits. Audio comes straight back; the rest comes from [`Self::poll`], now or later.
    pub(crate) fn push(&mut self, now: MediaTime, class: Class, bits: u64, item: T) -> Option<T> {
        let queue = match class {
            Class::Audio => {
                self.charge(now, bits);
                return Some(item);
            }
            Class::Retransmission => &mut self.retransmissions,
            Class::Video => &mut self.video,
        };
        queue.push_back(Held { item, bits, since: now });
        self.queued_bits += bits;
        if queue.len() > MAX_HELD
            && let Some(old) = queue.pop_front()
        {
            self.queued_bits -= old.bits;
            self.expired += 1;
        }
        None
    }

    /// The next packet that may leave now.
    pub(crate) fn poll(&mut self, now: MediaTime) -> Option<T> {
        self.expire(now);
        let ahead = if self.burst.is_some() { Duration::ZERO } else { BURST };
        if self.held || self.busy_until.is_some_and(|until| until > now + ahead) {
            return None;
        }
        let held = self.retransmissions.pop_front().or_else(|| self.video.pop_front())?;
        self.queued_bits -= held.bits;
        self.charge(now, held.bits);
        Some(held.item)
    }

    /// Drops what is too old, also while nothing may leave.
    fn expire(&mut self, now: MediaTime) {
        for queue in [&mut self.retransmissions, &mut self.video] {
            while let Some(held) = queue.pop_front_if(|held| now.since(held.since) > AGE_LIMIT) {
                self.queued_bits -= held.bits;
                self.expired += 1;
            }
        }
    }

    /// When [`Self::poll`] has the next packet, or a burst wants filler; `None` when nothing waits, or nothing may leave.
    pub(crate) fn poll_timeout(&self) -> Option<MediaTime> {
        if self.held {
            return None;
        }
        if self.burst.is_some() {
            return self.busy_until;
        }
        let held = self.retransmissions.front().or_else(|| self.video.front())?;
        Some(self.busy_until.map_or(held.since, |until| held.since.max(until - BURST)))
    }

    /// Packets dropped because of their age, or because too many were held.
    pub(crate) fn expired(&self) -> u64 {
        self.expired
    }

    fn charge(&mut self, now: MediaTime, bits: u64) {
        let from = self.busy_until.map_or(now, |until| until.max(now));
        let rate = match &mut self.burst {
            Some((rate, left, _)) => {
                *left = left.saturating_sub(bits);
                *rate
            }
            None => self.bits_per_second,
        };
        self.burst.take_if(|(_, left, _)| *left == 0);
        self.busy_until = Some(from + Duration::from_secs_f64(bits as f64 / rate.max(1.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: u64 = 10_000;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// One packet per millisecond at the paced rate.
    fn pacer() -> (Pacer<u32>, MediaTime) {
        let mut pacer = Pacer::new(Bitrate::kbps(4_000));
        pacer.set_rate(Bitrate::kbps(4_000), 2.5);
        (pacer, MediaTime::from_micros(5_000_000))
    }

    /// Polls whenever the pacer says so; returns when each item left, in ms.
    fn run(pacer: &mut Pacer<u32>, start: MediaTime) -> Vec<(u32, u64)> {
        let mut left = Vec::new();
        while let Some(due) = pacer.poll_timeout() {
            while let Some(item) = pacer.poll(due) {
                left.push((item, due.since(start).as_millis() as u64));
            }
        }
        left
    }

    #[test]
    fn a_key_frame_leaves_at_two_and_a_half_times_the_rate() {
        let (mut pacer, start) = pacer();
        for item in 0..100 {
            assert_eq!(pacer.push(start, Class::Video, PACKET, item), None);
        }
        let left = run(&mut pacer, start);
        assert_eq!(left.len(), 100);
        assert_eq!(left[5], (5, 0), "six packets in the first burst");
        assert_eq!(left[99], (99, 94));
    }

    #[test]
    fn audio_never_waits() {
        let (mut pacer, start) = pacer();
        for item in 0..100 {
            pacer.push(start, Class::Video, PACKET, item);
        }
        assert_eq!(pacer.push(start + ms(1), Class::Audio, 800, 1_000), Some(1_000));
    }

    #[test]
    fn what_the_peer_waits_for_goes_before_new_video() {
        let (mut pacer, start) = pacer();
        for item in 0..10 {
            pacer.push(start, Class::Video, PACKET, item);
        }
        pacer.push(start, Class::Retransmission, PACKET, 77);
        assert_eq!(pacer.poll(start), Some(77));
    }

    #[test]
    fn nothing_older_than_the_age_limit_leaves() {
        let (mut pacer, start) = pacer();
        for item in 0..1_000 {
            pacer.push(start, Class::Video, PACKET, item);
        }
        let left = run(&mut pacer, start);
        assert!(left.iter().all(|(_, at)| *at <= 400), "{:?}", left.last());
        assert_eq!(left.len() as u64 + pacer.expired(), 1_000);
        assert!(left.len() > 400);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let (mut pacer, start) = pacer();
        for item in 0..10_000 {
            pacer.push(start, Class::Video, PACKET, item);
            pacer.push(start, Class::Retransmission, PACKET, item);
        }
        assert_eq!(pacer.video.len() + pacer.retransmissions.len(), 2 * MAX_HELD);
    }

    #[test]
    fn after_a_pause_there_is_no_saved_up_burst() {
        let (mut pacer, start) = pacer();
        pacer.push(start, Class::Video, PACKET, 0);
        run(&mut pacer, start);
        let later = start + Duration::from_secs(10);
        for item in 0..20 {
            pacer.push(later, Class::Video, PACKET, item);
        }
        assert_eq!(std::iter::from_fn(|| pacer.poll(later)).count(), 6);
    }
}
