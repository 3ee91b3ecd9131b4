//! Short bursts that are faster than the estimate, to learn what the path could carry.
//!
//! Packets that leave with a known spacing and come with a wider one show the rate of the narrowest link. A burst is as long as a
//! handful of packets: a wrong guess costs that much queue and no more.

use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// Packets of a burst at least. Fewer measure jitter.
const LEAST_PACKETS: u64 = 6;
/// Bytes of a full packet.
const PACKET: u64 = 1_200;
/// Length of a burst, if that is more than the least packets.
const LENGTH: Duration = Duration::from_millis(20);
/// Length at most, with smaller packets then.
const LONGEST: Duration = Duration::from_millis(50);
/// Share of the packets that must have come.
const LEAST_SHARE: f64 = 0.8;
/// A burst that comes this close to its own rate was not slowed down.
const AS_SENT: f64 = 0.85;
/// A burst is slowed down if it got longer by more than so many times of what packets deviate anyway.
const JITTERS: u32 = 2;
/// What was asked for and not sent within this is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// From a burst that showed nothing to the next one.
const AGAIN: Duration = Duration::from_millis(300);
/// From a burst that was slowed down to the next one: first, and at most. A path that gets better is found that late at worst.
const WAIT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));

/// A burst to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    /// How fast.
    pub(crate) rate: Bitrate,
    /// How much.
    pub(crate) bytes: u64,
}

/// What a burst showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The path carries at least this.
    AtLeast(Bitrate),
    /// The path carries this and not more.
    Limit(Bitrate),
}

#[derive(Debug, Default)]
struct Edge {
    first: Option<MediaTime>,
    last: Option<MediaTime>,
    bytes: u64,
    /// Of the packet at the first and at the last moment: they lie outside of the span.
    first_bytes: u64,
    last_bytes: u64,
}

impl Edge {
    fn add(&mut self, at: MediaTime, bytes: u64) {
        self.bytes += bytes;
        if self.first.is_none_or(|first| at < first) {
            (self.first, self.first_bytes) = (Some(at), bytes);
        }
        if self.last.is_none_or(|last| at >= last) {
            (self.last, self.last_bytes) = (Some(at), bytes);
        }
    }

    fn span(&self) -> Option<Duration> {
        Some(self.last?.since(self.first?))
    }

    fn rate(&self, outside: u64) -> Option<f64> {
        let span = self.span()?.max(Duration::from_micros(500));
        Some((self.bytes - outside) as f64 * 8.0 / span.as_secs_f64())
    }
}

#[derive(Debug)]
struct Running {
    burst: Burst,
    asked: MediaTime,
    /// When its first and its latest packet left, and how much left.
    left: Option<(MediaTime, MediaTime)>,
    left_bytes: u64,
    sent: Edge,
    arrived: Edge,
    packets: (u64, u64),
}

/// When to send which burst, and what came of it.
#[derive(Debug)]
pub(crate) struct Prober {
    due: MediaTime,
    wait: Duration,
    running: Option<Running>,
}

impl Prober {
    /// The first burst is due at once.
    pub(crate) fn new() -> Self {
        Self { due: MediaTime::default(), wait: WAIT.0, running: None }
    }

    /// The burst that is due, at this rate.
    pub(crate) fn poll(&mut self, now: MediaTime, rate: Bitrate) -> Option<Burst> {
        if self.running.as_ref().is_some_and(|running| now.since(running.asked) > PATIENCE) {
            self.running = None;
            self.put_off(now);
        }
        if self.running.is_some() || now < self.due {
            return None;
        }
        let bytes = rate.bytes_in(LENGTH).max((LEAST_PACKETS * PACKET).min(rate.bytes_in(LONGEST)));
        let burst = Burst { rate, bytes };
        self.running = Some(Running {
            burst,
            asked: now,
            left: None,
            left_bytes: 0,
            sent: Edge::default(),
            arrived: Edge::default(),
            packets: (0, 0),
        });
        Some(burst)
    }

    /// When [`Self::poll`] has something to do.
    pub(crate) fn poll_timeout(&self) -> MediaTime {
        self.running.as_ref().map_or(self.due, |running| running.asked + PATIENCE + Duration::from_millis(1))
    }

    /// A packet left: of the burst, until that is whole.
    pub(crate) fn on_sent(&mut self, now: MediaTime, bytes: u64) {
        if let Some(running) = &mut self.running
            && running.left_bytes < running.burst.bytes
        {
            running.left_bytes += bytes;
            running.left = Some((running.left.map_or(now, |(first, _)| first), now));
        }
    }

    /// What became of a packet, of a burst or not.
    pub(crate) fn add(&mut self, sent: MediaTime, arrived: Option<MediaTime>, bytes: u64) {
        let Some(running) = &mut self.running else { return };
        if !running.left.is_some_and(|(first, last)| (first..=last).contains(&sent)) {
            return;
        }
        running.packets.0 += 1;
        running.sent.add(sent, bytes);
        if let Some(arrived) = arrived {
            running.packets.1 += 1;
            running.arrived.add(arrived, bytes);
        }
    }

    /// What the burst showed, once all of it was reported: `newest` is the latest packet with a report, and packets deviate by `jitter`
    /// anyway.
    pub(crate) fn finding(&mut self, now: MediaTime, newest: MediaTime, jitter: Duration) -> Option<Finding> {
        let running = self.running.as_ref()?;
        let whole = running.sent.bytes >= running.burst.bytes;
        // Lost ones are told last, and do not matter while most came.
        let passed =
            running.left_bytes >= running.burst.bytes && running.left.is_some_and(|(_, last)| newest > last + LENGTH);
        if !whole && !passed {
            return None;
        }
        let running = self.running.take()?;
        let finding = running.judge(jitter);
        match finding {
            // What was good for this is good for more.
            Some(Finding::AtLeast(_)) => (self.due, self.wait) = (now, WAIT.0),
            Some(Finding::Limit(_)) => self.put_off(now),
            // Too much of it was lost to tell.
            None => self.due = now + AGAIN,
        }
        finding
    }

    /// Not now: the path is full.
    pub(crate) fn put_off(&mut self, now: MediaTime) {
        self.due = now + self.wait;
        self.wait = (self.wait * 3 / 2).min(WAIT.1);
    }

    /// Now: nothing is known of the path.
    pub(crate) fn hurry(&mut self, now: MediaTime) {
        (self.due, self.wait) = (now, WAIT.0);
    }

    /// The path got narrower: forget bursts under way, and look again soon.
    pub(crate) fn start_over(&mut self, now: MediaTime) {
        self.running = None;
        self.wait = WAIT.0;
        self.due = now + self.wait;
    }
}

impl Running {
    fn judge(&self, jitter: Duration) -> Option<Finding> {
        let (_, arrived) = self.packets;
        if arrived < 4 || (self.arrived.bytes as f64) < self.left_bytes as f64 * LEAST_SHARE {
            return None;
        }
        let left = self.sent.rate(self.sent.last_bytes)?;
        let came = self.arrived.rate(self.arrived.first_bytes)?;
        let rate = Bitrate::bps(left.min(came) as u64);
        if came >= left * AS_SENT {
            return Some(Finding::AtLeast(rate));
        }
        // Packets that come unevenly are far apart also where there is room.
        let longer = self.arrived.span()?.saturating_sub(self.sent.span()?);
        (longer > jitter * JITTERS).then_some(Finding::Limit(rate))
    }
}
