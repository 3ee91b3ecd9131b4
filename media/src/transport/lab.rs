//! Measuring aids of the feature `lab`: what RTP carries, seen next to the wire, a mark in clear to prove the sight, and
//! frames spoiled on purpose to see them refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::sealed::Outgoing;
use super::{MediaKind, Transport};
use crate::time::MediaTime;

/// What becomes of the own frames behind their sealing, as a hostile member would have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoil {
    /// How frames are spoiled.
    pub how: Spoiling,
    /// From when on, counted from the first frame.
    pub after: Duration,
    /// Until when.
    pub until: Duration,
}

/// How a frame is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiling {
    /// One bit of its tag is turned over.
    Altered,
    /// Text of the same length goes out in its place, which nobody sealed.
    Bare,
}

impl std::str::FromStr for Spoiling {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "altered" => Ok(Self::Altered),
            "bare" => Ok(Self::Bare),
            _ => Err("frames can be spoiled as \"altered\" or \"bare\""),
        }
    }
}

/// What was asked for, and when the first frame went out.
#[derive(Debug, Default)]
pub(super) struct Spoiler {
    asked: Option<Spoil>,
    first: Option<MediaTime>,
}

impl Spoiler {
    /// The frame as it goes out at `now`.
    pub(super) fn pass(&mut self, frame: Outgoing, now: MediaTime) -> Outgoing {
        let first = *self.first.get_or_insert(now);
        let Some(Spoil { how, after, until }) = self.asked else { return frame };
        if !(after..until).contains(&now.since(first)) {
            return frame;
        }
        frame.spoiled(|bytes| match how {
            Spoiling::Altered => bytes.iter_mut().last().into_iter().for_each(|byte| *byte ^= 1),
            Spoiling::Bare => bytes.fill(b'a'),
        })
    }
}

impl Transport {
    /// Copies each RTP payload of peers added from now on, both ways, to `tap`: after SRTP on the way in, before it on the
    /// way out. What finds the channel full is not copied.
    pub fn tap(&self, tap: mpsc::Sender<Bytes>) {
        self.state().tap = Some(tap);
    }

    /// Spoils the own frames on their way out.
    pub fn spoil(&self, spoil: Spoil) {
        self.state().spoiler.asked = Some(spoil);
    }

    /// Sends `mark` in clear to every connected peer, in a payload that each receiver refuses: its descriptor has no
    /// version. A search of the tapped payloads that does not find it would find nothing else either.
    pub fn plant(&self, mark: &[u8]) {
        let mut payload = BytesMut::with_capacity(mark.len() + 1);
        payload.put_u8(0);
        payload.put_slice(mark);
        self.send_to_all(&Arc::new(Outgoing::raw(payload.freeze(), MediaKind::Audio)));
    }
}
