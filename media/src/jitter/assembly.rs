//! Chunks → whole sealed video frames, in the order of sending.
//!
//! Each frame needs the one before, unless it says that it does not. The frame at the head waits for its missing chunks (a
//! retransmission is under way, or parity restores them) until its deadline; then it and what is missing after it are given up in
//! one report, and the next one is the head.
//! Audio does not pass here: its frames take one packet each and leave on arrival.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::number::Unwrapper;
use crate::packet::{Chunk, Parity, Tag, restore};
use crate::time::MediaTime;

/// How long the head waits from the first sign that it is missing. Longer freezes the picture for longer when a packet is
/// truly gone; shorter gives up packets that a second retransmission would still bring at a round trip of 120 ms.
const GIVE_UP: Duration = Duration::from_millis(300);
/// How long the head waits for its next chunk while chunks of it keep coming: a paced key frame may take longer in all.
const PROGRESS: Duration = Duration::from_millis(150);
/// How long the head waits in all, progress or not.
const LONGEST: Duration = Duration::from_millis(900);
/// How long the head waits when a whole key frame stands behind it: long enough for reordering, not for a retransmission.
const BEFORE_KEY: Duration = Duration::from_millis(60);
/// How long the head waits when a whole frame behind it does not need it. The picture stutters for less than this costs in delay.
const BEFORE_FREE: Duration = Duration::from_millis(60);
/// Parity packets of one frame that are kept at most.
const MAX_PARITY: usize = 8;
/// Frames held at once. More lets a peer hold more memory; fewer gives up frames when a long round trip holds the head.
const MAX_PENDING: usize = 64;
/// Bytes held at once.
const MAX_BYTES: usize = 4 << 20;
/// A sender that was gone for half of the number space seems to count backwards: so many stale chunks in a row start anew.
const STALE_BEFORE_RESET: u32 = 64;

/// What comes out of an [`Assembly`].
#[derive(PartialEq, Eq)]
pub(crate) enum Assembled {
    /// A whole sealed frame.
    Frame {
        /// Number of the frame within its track, wrapping.
        number: u16,
        /// Whether decoding can start here.
        key: bool,
        /// The sealed frame.
        bytes: Vec<u8>,
    },
    /// So many frames in a row, right before the next one, will not come: decoding can only go on at a key frame.
    Lost {
        /// At least one.
        count: u16,
    },
    /// One frame will not come that no other needs.
    Skipped,
}

impl std::fmt::Debug for Assembled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Frame { number, key, bytes } => {
                write!(f, "Frame({number}, key {key}, {} B)", bytes.len())
            }
            Self::Lost { count } => write!(f, "Lost({count})"),
            Self::Skipped => f.write_str("Skipped"),
        }
    }
}

/// A frame in the making.
struct Partial {
    chunks: Vec<Option<Bytes>>,
    missing: usize,
    bytes: usize,
    tag: Tag,
    parity: Vec<(u16, Parity, Bytes)>,
    /// When its first chunk came.
    first: MediaTime,
    /// When its latest chunk came.
    latest: MediaTime,
}

impl Partial {
    fn new(chunk: &Chunk, now: MediaTime) -> Self {
        let count = usize::from(chunk.count);
        Self {
            chunks: vec![None; count],
            missing: count,
            bytes: 0,
            tag: chunk.tag,
            parity: Vec::new(),
            first: now,
            latest: now,
        }
    }

    /// Puts the chunk in its place; says how many bytes that added: none for a duplicate or a contradiction.
    fn insert(&mut self, chunk: Chunk, now: MediaTime) -> usize {
        if self.chunks.len() != usize::from(chunk.count) || self.tag != chunk.tag {
            return 0;
        }
        let before = self.bytes;
        match chunk.parity {
            Some(parity) => self.insert_parity(chunk.index, parity, chunk.data),
            None => self.insert_data(chunk.index, chunk.data),
        }
        if self.bytes > before {
            self.latest = now;
            self.restore();
        }
        self.bytes - before
    }

    fn insert_parity(&mut self, group: u16, parity: Parity, data: Bytes) {
        let known = self.parity.iter().any(|(other, first, _)| *other == group || first.groups != parity.groups);
        if !self.is_whole() && !known && self.parity.len() < MAX_PARITY {
            self.bytes += data.len();
            self.parity.push((group, parity, data));
        }
    }

    fn insert_data(&mut self, index: u16, data: Bytes) {
        if let Some(place @ None) = self.chunks.get_mut(usize::from(index)) {
            self.missing -= 1;
            self.bytes += data.len();
            *place = Some(data);
        }
    }

    /// Puts in what parity tells of groups that miss one chunk.
    fn restore(&mut self) {
        let mut restored = Vec::new();
        for (group, parity, data) in &self.parity {
            let members = || (usize::from(*group)..self.chunks.len()).step_by(usize::from(parity.groups.max(1)));
            let part = |at: usize| self.chunks.get(at).and_then(Option::as_ref);
            let mut missing = members().filter(|at| part(*at).is_none());
            if let (Some(only), None) = (missing.next(), missing.next())
                && let Some(chunk) = restore(*parity, data, members().filter_map(|at| part(at).map(Bytes::as_ref)))
            {
                restored.push((only, chunk));
            }
        }
        for (at, chunk) in restored {
            self.insert_data(u16::try_from(at).unwrap_or(u16::MAX), chunk);
        }
    }

    fn is_whole(&self) -> bool {
        self.missing == 0
    }

    fn join(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes);
        for chunk in self.chunks.iter().flatten() {
            bytes.extend_from_slice(chunk);
        }
        bytes
    }
}

/// Puts the video frames of one peer together. Bounded by 64 frames and 4 MiB: who sends more loses its own oldest frames.
pub(crate) struct Assembly {
    pending: BTreeMap<u64, Partial>,
    bytes: usize,
    unwrapper: Unwrapper,
    /// The number at the head. `None` until the first key frame left: until then the lowest pending one is.
    head: Option<u64>,
    stale: u32,
    ready: VecDeque<Assembled>,
}

impl std::fmt::Debug for Assembly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assembly({} pending, {} B)", self.pending.len(), self.bytes)
    }
}

impl Assembly {
    /// An assembly that takes the lowest number among the first ones as its head.
    pub(crate) fn new() -> Self {
        Self {
            pending: BTreeMap::new(),
            bytes: 0,
            unwrapper: Unwrapper::default(),
            head: None,
            stale: 0,
            ready: VecDeque::new(),
        }
    }

    /// Takes one chunk. Duplicates, chunks of frames that left or were given up, and chunks that contradict the first one
    /// of their frame are dropped.
    pub(crate) fn handle_chunk(&mut self, now: MediaTime, chunk: Chunk) {
        let number = self.unwrapper.unwrap(chunk.number);
        if self.head.is_some_and(|head| number < head) {
            self.stale += 1;
            if self.stale > STALE_BEFORE_RESET {
                self.restart();
            }
            return;
        }
        self.stale = 0;
        let partial = self.pending.entry(number).or_insert_with(|| Partial::new(&chunk, now));
        self.bytes += partial.insert(chunk, now);
        self.release(now);
        while self.pending.len() > MAX_PENDING || self.bytes > MAX_BYTES {
            self.give_up_head();
            self.release_whole();
        }
    }

    /// Gives up what is due. Call it at [`Self::poll_timeout`].
    pub(crate) fn handle_timeout(&mut self, now: MediaTime) {
        self.release(now);
    }

    /// The next frame or loss, in order.
    pub(crate) fn poll(&mut self) -> Option<Assembled> {
        self.ready.pop_front()
    }

    /// When the head will be given up, `None` when nothing waits.
    pub(crate) fn poll_timeout(&self) -> Option<MediaTime> {
        let (lowest, partial) = self.pending.first_key_value()?;
        // The first sign of a missing frame is the first chunk of any frame that is here.
        let sign = self.pending.values().map(|partial| partial.first).min()?;
        let mut due = sign + GIVE_UP;
        if self.head.is_none_or(|head| head == *lowest) {
            due = due.max((partial.latest + PROGRESS).min(sign + LONGEST));
        }
        if let Some(key) = self.pending.values().find(|partial| partial.tag.key && partial.is_whole()) {
            due = due.min(key.latest + BEFORE_KEY);
        }
        if let Some(free) = self.free_behind(self.head.unwrap_or(*lowest)) {
            due = due.min(free.latest.max(sign) + BEFORE_FREE);
        }
        Some(due)
    }

    /// The frame right behind this one if it is whole and does not need it.
    fn free_behind(&self, number: u64) -> Option<&Partial> {
        self.head?;
        self.pending.get(&(number + 1)).filter(|partial| partial.tag.free && partial.is_whole())
    }

    fn release(&mut self, now: MediaTime) {
        loop {
            self.release_whole();
            match self.poll_timeout() {
                Some(due) if due <= now => self.give_up_head(),
                _ => return,
            }
        }
    }

    /// Hands over the whole frames at the head. Only a key frame can be the first: what comes before it counts as lost.
    fn release_whole(&mut self) {
        while let Some(entry) = self.pending.first_entry() {
            if self.head.is_some_and(|head| head != *entry.key()) || !entry.get().is_whole() {
                return;
            }
            let (number, partial) = entry.remove_entry();
            self.bytes -= partial.bytes;
            let decodable = partial.tag.key || self.head.is_some();
            if decodable {
                self.head = Some(number + 1);
            }
            self.ready.push_back(if decodable {
                Assembled::Frame { number: number as u16, key: partial.tag.key, bytes: partial.join() }
            } else {
                Assembled::Lost { count: 1 }
            });
        }
    }

    /// Skips to the whole key frame if there is one, else to the next frame that is here, and reports what was skipped.
    fn give_up_head(&mut self) {
        let Some((&lowest, _)) = self.pending.first_key_value() else {
            return;
        };
        let head = self.head.unwrap_or(lowest);
        if self.free_behind(head).is_some() {
            if let Some(partial) = self.pending.remove(&head) {
                self.bytes -= partial.bytes;
            }
            self.head = Some(head + 1);
            return self.ready.push_back(Assembled::Skipped);
        }
        let whole_key = self.pending.iter().find(|(_, partial)| partial.tag.key && partial.is_whole());
        let next = match whole_key {
            Some((&number, _)) if number > head => number,
            _ if lowest > head => lowest,
            _ => self.pending.keys().nth(1).copied().unwrap_or(lowest + 1),
        };
        let kept = self.pending.split_off(&next);
        self.pending = kept;
        self.bytes = self.pending.values().map(|partial| partial.bytes).sum();
        self.head = Some(next);
        self.ready.push_back(Assembled::Lost { count: u16::try_from(next - head).unwrap_or(u16::MAX) });
    }

    fn restart(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        *self = Self { ready, ..Self::new() };
        self.ready.push_back(Assembled::Lost { count: 1 });
    }
}

#[cfg(test)]
mod tests;
