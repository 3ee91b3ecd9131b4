//! What goes over a path in both directions.

use crate::time::MediaTime;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// The first of its frames, and how many.
    Voice(u64, u64),
    Video {
        frame: u64,
    },
    Filler,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) what: What,
    pub(super) bytes: u64,
    pub(super) voice: bool,
    pub(super) sequence: u16,
    pub(super) following: u16,
    pub(super) again: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) packet: Packet,
    pub(super) arrived: Option<MediaTime>,
}

/// What the receiver tells the sender.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// The number of the first packet, and when it and those after it came.
    Report(u64, Vec<Option<MediaTime>>),
    /// Once more, please.
    Request(Packet),
}

#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) captured: MediaTime,
    pub(super) missing: u64,
    pub(super) complete: Option<MediaTime>,
}
