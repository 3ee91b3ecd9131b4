//! What becomes of an arrived frame: opened with its sender's key, held for keys to come, or refused. Pure.
//!
//! | the key ring says | what happens |
//! | --- | --- |
//! | opened | handed on |
//! | unknown key | held up to 250 ms, 64 per sender; opened when its epoch's keys come, else counted as undecryptable |
//! | seen before | dropped and counted; no trouble, a network may repeat packets |
//! | anything else | dropped and counted; enough of it in a row is trouble, and the owner is told |

use std::collections::VecDeque;
use std::time::Duration;

use crypto::{KeyRing, LeafIndex, MediaContext, OpenError, OpenedFrame, OpeningKeys};

use crate::time::MediaTime;
use crate::transport::MediaKind;

/// How long frames of an unknown epoch wait for their keys: a commit is on its way, but old sound is of no use.
pub(crate) const HOLD: Duration = Duration::from_millis(250);

/// Held frames of one sender; the oldest goes first.
const HOLD_FRAMES: usize = 64;

/// Bytes that they may take together; a sender cannot make us keep more. Eight large key frames.
const HOLD_BYTES: usize = 1 << 20;

/// How long the old epoch's keys live on when somebody came or keys were renewed: everybody switches within that time.
pub(crate) const OLD_KEYS_LIVE: Duration = Duration::from_secs(2);

/// The same when everybody switches at once because somebody was removed.
pub(crate) const OLD_KEYS_LIVE_SHORT: Duration = Duration::from_millis(500);

/// For so long after a sender or an epoch is new, frames of an unknown epoch are no trouble: a member that just came does
/// not have the keys under which the others still seal.
const NEW: Duration = Duration::from_secs(1);

/// Trouble begins at this score: a frame that does not open adds 2, one that opens takes 1. So 3 bad frames in a row,
/// or a steady third of bad frames.
const TROUBLE: u8 = 6;
const TROUBLE_MAX: u8 = 20;

/// A frame as it came from the transport.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) kind: MediaKind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: MediaTime,
}

/// A frame that passed its tag.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) peer: LeafIndex,
    pub(crate) kind: MediaKind,
    pub(crate) frame: OpenedFrame,
    pub(crate) sealed_len: usize,
    pub(crate) arrived: MediaTime,
}

/// What to do besides handing on opened frames.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Count a frame that did not open.
    Refused(LeafIndex),
    /// A picture is missing among those that open: the decoder must wait for a key frame.
    PictureGap(LeafIndex, MediaKind),
    /// Tell the owner: this sender's frames do not open.
    Undecryptable(LeafIndex),
    /// Tell the owner: they open again.
    Recovered(LeafIndex),
}

/// See the module.
#[derive(Default)]
pub(crate) struct Intake {
    ring: KeyRing,
    /// At most 16, as many as there are leaves.
    senders: Vec<Sender>,
    notices: Vec<Notice>,
}

struct Sender {
    leaf: LeafIndex,
    held: VecDeque<Arrived>,
    held_bytes: usize,
    /// Until then frames of an unknown epoch are expected.
    new_until: MediaTime,
    /// Arrival of the newest picture of each kind that opened; an older one that did not open is missed by nobody.
    last_picture: [MediaTime; 2],
    score: u8,
    troubled: bool,
}

impl Intake {
    /// Registers a sender; frames of others are dropped unseen.
    pub(crate) fn add(&mut self, leaf: LeafIndex, now: MediaTime) {
        if self.sender(leaf).is_none() {
            self.senders.push(Sender {
                leaf,
                held: VecDeque::new(),
                held_bytes: 0,
                new_until: now + NEW,
                last_picture: [MediaTime::default(); 2],
                score: 0,
                troubled: false,
            });
        }
    }

    /// Forgets a sender and its keys at once.
    pub(crate) fn remove(&mut self, leaf: LeafIndex) {
        self.senders.retain(|sender| sender.leaf != leaf);
        self.ring.drop_sender(leaf);
    }

    /// Installs an epoch's opening keys and opens what waited for them, in order of arrival per sender.
    pub(crate) fn install(&mut self, keys: OpeningKeys, now: MediaTime, old_keys_live: Duration) -> Vec<Opened> {
        self.ring.install(keys, now.as_duration(), old_keys_live);
        let mut waiting = Vec::new();
        for sender in &mut self.senders {
            sender.new_until = now + NEW;
            sender.held_bytes = 0;
            waiting.extend(sender.held.drain(..).map(|frame| (sender.leaf, frame)));
        }
        waiting.into_iter().filter_map(|(leaf, frame)| self.open(leaf, frame, now)).collect()
    }

    /// Opens a frame that came over this sender's own association.
    pub(crate) fn open(&mut self, leaf: LeafIndex, frame: Arrived, now: MediaTime) -> Option<Opened> {
        self.sender(leaf)?;
        let context = match frame.kind {
            MediaKind::Audio => MediaContext::Audio,
            MediaKind::Video => MediaContext::Video,
            MediaKind::Screen => MediaContext::Screen,
        };
        let sealed_len = frame.bytes.len();
        // The ring takes the buffer; a copy is kept only because the key may still be on its way.
        let copy = frame.bytes.clone();
        match self.ring.open(leaf, context, frame.bytes, now.as_duration()) {
            Ok(opened) => {
                self.good(leaf, frame.kind, frame.at);
                Some(Opened { peer: leaf, kind: frame.kind, frame: opened, sealed_len, arrived: frame.at })
            }
            Err(OpenError::UnknownKey) => {
                self.hold(leaf, Arrived { bytes: copy, ..frame });
                None
            }
            Err(OpenError::Replayed) => {
                self.notices.push(Notice::Refused(leaf));
                None
            }
            Err(_) => {
                self.refuse(leaf, frame.kind, frame.at, true);
                None
            }
        }
    }

    /// Gives up held frames that are too old.
    pub(crate) fn expire(&mut self, now: MediaTime) {
        let mut expired = Vec::new();
        for sender in &mut self.senders {
            while sender.held.front().is_some_and(|frame| now.since(frame.at) > HOLD) {
                if let Some(frame) = sender.held.pop_front() {
                    sender.held_bytes -= frame.bytes.len();
                    expired.push((sender.leaf, frame.kind, frame.at, now >= sender.new_until));
                }
            }
        }
        for (leaf, kind, arrived, trouble) in expired {
            self.refuse(leaf, kind, arrived, trouble);
        }
    }

    /// Whether [`Intake::expire`] has something to look at.
    pub(crate) fn holds(&self) -> bool {
        self.senders.iter().any(|sender| !sender.held.is_empty())
    }

    /// What happened since the last call.
    pub(crate) fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn hold(&mut self, leaf: LeafIndex, frame: Arrived) {
        let Some(sender) = self.sender(leaf) else {
            return;
        };
        sender.held_bytes += frame.bytes.len();
        sender.held.push_back(frame);
        let mut dropped = Vec::new();
        while sender.held.len() > HOLD_FRAMES || sender.held_bytes > HOLD_BYTES {
            let Some(frame) = sender.held.pop_front() else {
                break;
            };
            sender.held_bytes -= frame.bytes.len();
            dropped.push((frame.kind, frame.at));
        }
        for (kind, arrived) in dropped {
            self.refuse(leaf, kind, arrived, true);
        }
    }

    fn good(&mut self, leaf: LeafIndex, kind: MediaKind, arrived: MediaTime) {
        let Some(sender) = self.sender(leaf) else {
            return;
        };
        if kind != MediaKind::Audio {
            sender.last_picture[kind.picture()] = arrived;
        }
        sender.score = sender.score.saturating_sub(1);
        if sender.score == 0 && std::mem::take(&mut sender.troubled) {
            self.notices.push(Notice::Recovered(leaf));
        }
    }

    fn refuse(&mut self, leaf: LeafIndex, kind: MediaKind, arrived: MediaTime, trouble: bool) {
        self.notices.push(Notice::Refused(leaf));
        let Some(sender) = self.sender(leaf) else {
            return;
        };
        let gap = kind != MediaKind::Audio && arrived >= sender.last_picture[kind.picture()];
        let told = trouble && {
            sender.score = (sender.score + 2).min(TROUBLE_MAX);
            sender.score >= TROUBLE && !std::mem::replace(&mut sender.troubled, true)
        };
        if gap {
            self.notices.push(Notice::PictureGap(leaf, kind));
        }
        if told {
            self.notices.push(Notice::Undecryptable(leaf));
        }
    }

    fn sender(&mut self, leaf: LeafIndex) -> Option<&mut Sender> {
        self.senders.iter_mut().find(|sender| sender.leaf == leaf)
    }
}

#[cfg(test)]
mod tests;
