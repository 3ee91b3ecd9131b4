//! The jitter buffer of one peer's voice: decides every 20 ms what is played. Pure; `now` is handed in.
//!
//! Frames carry their number and capture time. The buffer knows the quickest way of the last five seconds and how much
//! longer most frames took; it plays each frame `target` after the quickest, so nearly all are there in time.
//!
//! | queue at the frame's time | what is played |
//! | --- | --- |
//! | the frame is there | the frame |
//! | missing, the next one is there | the correction inside the next |
//! | missing, a later one is there | concealment, and on to the next number |
//! | empty | concealment; the number waits, because late is better than never |
//! | a frame much too early (the target grew) | concealment once, to wait |
//! | half a second of too much delay | two frames joined into one |
//! | 200 ms more than the target queued | the oldest are dropped, down to the target |

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::time::MediaTime;

/// Length of a frame in microseconds.
const FRAME_MICROS: i64 = 20_000;

/// Frames queued beyond the target that are cut away at once: 200 ms. So much piles up only after a stall, and joining
/// would take seconds to work it off.
const EXCESS: i64 = 10;

/// Frames kept at most; the oldest goes first. 1.3 s: more would only be old.
const CAPACITY: usize = 64;

/// A number this far from the expected one is a new start of the sender, not a loss or a late frame: 10 s.
const RESTART: i64 = 500;

/// Frames that the delay statistics look back on: 10 s. Longer reacts slower to a path that got better, shorter forgets
/// spikes that come back.
const WINDOW: usize = 500;

/// Share of frames that shall be in time, in frames of the window that may be late: 1.5 %. What is
/// sent again comes late by a round trip: at 2 % loss and more the delay must cover that, or every loss is heard.
const MAY_BE_LATE: usize = WINDOW * 3 / 200;

/// Bounds of the target. Below 20 ms the correction inside the next frame never comes in time; above 240 ms talking
/// gets hard, and gaps are the lesser evil.
const MIN_TARGET: Duration = Duration::from_millis(20);
const MAX_TARGET: Duration = Duration::from_millis(240);

/// Added to the measured spread, for the grain of the audio thread's 10 ms tick.
const MARGIN: Duration = Duration::from_millis(10);

/// After this many concealed frames with nothing queued the voice counts as ended and starts anew: half a second.
const GIVE_UP: u32 = 25;

/// A gap wider than this is jumped over instead of concealed frame by frame.
const JUMP: i64 = 10;

/// Delay above target and one frame that is tolerated: less would join frames because of the tick's grain.
const TOLERANCE_MICROS: i64 = 5_000;

/// Frames in a row that must have too much delay before two are joined.
const JOIN_AFTER: u32 = 25;

/// One encoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Voiced {
    /// The Opus packet.
    pub(crate) packet: Vec<u8>,
    /// When it was recorded, on the sender's clock.
    pub(crate) captured: MediaTime,
}

/// What to play for 20 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// Nothing: the voice has not begun, or has ended.
    Silence,
    /// Decode this.
    Frame(Voiced),
    /// Rebuild the frame before this packet from the correction inside it. The packet itself comes later.
    Recover(Voiced),
    /// Let the decoder invent something.
    Conceal,
    /// Decode both and fade from one into the other, to catch up.
    Join(Voiced, Voiced),
}

/// What the buffer did, in frames of 20 ms. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JitterCounts {
    /// Frames that arrived, late ones included.
    pub(crate) arrived: u64,
    /// Frames of sound that were asked for since the voice began.
    pub(crate) played: u64,
    /// Invented ones among them because nothing was there.
    pub(crate) concealed: u64,
    /// Rebuilt from the next packet.
    pub(crate) corrected: u64,
    /// Arrived after their time and dropped.
    pub(crate) late: u64,
    /// Inserted to wait for a longer delay.
    pub(crate) stretched: u64,
    /// Joined with the next to shorten the delay.
    pub(crate) joined: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct AudioJitter {
    frames: BTreeMap<i64, Voiced>,
    /// Number to play next; none before the first frame and after the voice ended.
    next: Option<i64>,
    /// Number after the last played one, kept over the end of a voice.
    reached: Option<i64>,
    /// Frames invented in a row with an empty queue; they stand for frames that may still be lost.
    invented: u32,
    /// Frames in a row that were played with too much delay.
    slow: u32,
    delays: Delays,
    counts: JitterCounts,
}

impl AudioJitter {
    /// An empty buffer with the smallest target.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            frames: BTreeMap::new(),
            next: None,
            reached: None,
            invented: 0,
            slow: 0,
            delays: Delays::default(),
            counts: JitterCounts::default(),
        }
    }

    /// Takes a frame. `number` counts the sender's frames and may wrap.
    pub(crate) fn insert(&mut self, number: u32, frame: Voiced, arrived: MediaTime) {
        self.counts.arrived += 1;
        let reference = self.next.or(self.reached).or_else(|| self.frames.keys().next().copied());
        let mut number = match reference {
            Some(reference) => unwrap(number, reference),
            None => i64::from(number),
        };
        if let Some(reference) = reference
            && (number - reference).abs() > RESTART
        {
            self.restart();
            number &= i64::from(u32::MAX);
        }
        self.delays.add(difference(arrived, frame.captured));
        if self.next.is_some_and(|next| number < next) {
            self.counts.late += 1;
            return;
        }
        self.frames.insert(number, frame);
        if self.frames.len() > CAPACITY {
            self.frames.pop_first();
        }
    }

    /// Decides about the next 20 ms, whose first sample is handed to the output at `now`.
    pub(crate) fn play(&mut self, now: MediaTime) -> Play {
        let Some(next) = self.next else {
            return self.begin(now);
        };
        let next = self.cut_excess(next);
        self.counts.played += 1;
        let Some((&first, queued)) = self.frames.first_key_value() else {
            return self.nothing_queued();
        };
        let captured = queued.captured;
        // What was invented while the queue was empty stood for the oldest missing frames.
        let missing = first - next;
        let stood_in = missing.min(i64::from(self.invented));
        self.invented = 0;
        let missing = missing - stood_in;
        if missing > JUMP {
            self.counts.concealed += missing.unsigned_abs() - 1;
            self.counts.played += missing.unsigned_abs() - 1;
            self.reach(first);
            self.counts.concealed += 1;
            return Play::Conceal;
        }
        let next = first - missing;
        self.reach(next);
        // The missing ones were due before the queued one.
        if self.delays.early(now, captured) - FRAME_MICROS * missing >= FRAME_MICROS {
            self.counts.stretched += 1;
            return Play::Conceal;
        }
        match missing {
            0 => self.play_first(now),
            1 => {
                self.counts.corrected += 1;
                self.reach(next + 1);
                self.frames.get(&first).cloned().map_or(Play::Conceal, Play::Recover)
            }
            _ => {
                self.counts.concealed += 1;
                self.reach(next + 1);
                Play::Conceal
            }
        }
    }

    /// What was done so far.
    #[must_use]
    pub(crate) const fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Drops what a stall has piled up and gives the number to go on with.
    fn cut_excess(&mut self, next: i64) -> i64 {
        let target = i64::try_from(self.delays.target.as_micros()).unwrap_or_default() / FRAME_MICROS;
        let (Some((&first, _)), Some((&last, _))) = (self.frames.first_key_value(), self.frames.last_key_value())
        else {
            return next;
        };
        if last - first <= target + EXCESS {
            return next;
        }
        let kept = self.frames.split_off(&(last - target));
        self.counts.late += self.frames.len() as u64;
        self.frames = kept;
        self.invented = 0;
        self.slow = 0;
        let first = self.frames.keys().next().copied().unwrap_or(last);
        self.reach(first);
        first
    }

    fn begin(&mut self, now: MediaTime) -> Play {
        let Some((&first, queued)) = self.frames.first_key_value() else {
            return Play::Silence;
        };
        if self.delays.early(now, queued.captured) > 0 {
            return Play::Silence;
        }
        if let Some(reached) = self.reached {
            // The voice was away: what the sender sent meanwhile was missed, except what was invented for it.
            let missed = (first - reached).clamp(0, 60 * RESTART).unsigned_abs();
            let missed = missed.saturating_sub(u64::from(GIVE_UP));
            self.counts.concealed += missed;
            self.counts.played += missed;
        }
        self.counts.played += 1;
        self.reach(first);
        self.play_first(now)
    }

    fn play_first(&mut self, now: MediaTime) -> Play {
        let Some((number, frame)) = self.frames.pop_first() else {
            return Play::Silence;
        };
        self.reach(number + 1);
        let too_late = -self.delays.early(now, frame.captured) > FRAME_MICROS + TOLERANCE_MICROS;
        self.slow = if too_late { self.slow + 1 } else { 0 };
        if self.slow >= JOIN_AFTER
            && let Some(second) = self.frames.remove(&(number + 1))
        {
            self.slow = 0;
            self.counts.joined += 1;
            self.reach(number + 2);
            return Play::Join(frame, second);
        }
        Play::Frame(frame)
    }

    fn nothing_queued(&mut self) -> Play {
        self.invented += 1;
        if self.invented > GIVE_UP {
            self.counts.played -= 1;
            self.next = None;
            self.invented = 0;
            self.slow = 0;
            return Play::Silence;
        }
        self.counts.concealed += 1;
        Play::Conceal
    }

    fn reach(&mut self, next: i64) {
        self.next = Some(next);
        self.reached = Some(next);
    }

    fn restart(&mut self) {
        self.frames.clear();
        self.next = None;
        self.reached = None;
        self.invented = 0;
        self.slow = 0;
        self.delays = Delays::default();
    }
}

impl Default for AudioJitter {
    fn default() -> Self {
        Self::new()
    }
}

/// Delays of the last frames: arrival minus capture, in microseconds. The two clocks need not agree, only the
/// differences between frames count.
#[derive(Debug)]
struct Delays {
    recent: VecDeque<i64>,
    /// Kept to sort in without allocating.
    sorted: Vec<i64>,
    quickest: i64,
    target: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            recent: VecDeque::with_capacity(WINDOW),
            sorted: Vec::with_capacity(WINDOW),
            quickest: 0,
            target: MIN_TARGET,
        }
    }
}

impl Delays {
    fn add(&mut self, delay: i64) {
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(delay);
        let sorted = &mut self.sorted;
        sorted.clear();
        sorted.extend(&self.recent);
        sorted.sort_unstable();
        self.quickest = sorted.first().copied().unwrap_or_default();
        // While the window fills, the slowest counts: a start in a bad moment must not begin with gaps.
        let place = sorted.len().saturating_sub(1 + MAY_BE_LATE.min(sorted.len() * 3 / 200));
        let spread = sorted.get(place).map_or(0, |slow| slow.saturating_sub(self.quickest));
        let spread = Duration::from_micros(spread.unsigned_abs());
        self.target = spread.saturating_add(MARGIN).clamp(MIN_TARGET, MAX_TARGET);
    }

    /// Microseconds until a frame captured then is to be played; negative when that time has passed.
    fn early(&self, now: MediaTime, captured: MediaTime) -> i64 {
        let target = i64::try_from(self.target.as_micros()).unwrap_or(i64::MAX);
        self.quickest.saturating_add(target).saturating_sub(difference(now, captured)).clamp(-FAR, FAR)
    }
}

/// Bound of all time differences, so that a peer's wild capture times cannot overflow a sum: one hour.
const FAR: i64 = 3_600_000_000;

/// `later - earlier` in microseconds, wrapping where a peer's capture time is absurd.
const fn difference(later: MediaTime, earlier: MediaTime) -> i64 {
    later.as_micros().wrapping_sub(earlier.as_micros()) as i64
}

/// The number closest to `reference` whose lower 32 bits are `number`.
const fn unwrap(number: u32, reference: i64) -> i64 {
    reference + number.wrapping_sub(reference as u32).cast_signed() as i64
}

#[cfg(test)]
mod tests;
