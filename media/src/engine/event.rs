//! What the engine has to tell.

use std::time::Duration;

use crypto::LeafIndex;

use crate::error::DeviceError;
use crate::transport::{Path, Refusal, Signal, TransportError};

/// What the engine has to tell its owner.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineEvent {
    /// Carry this to the peer inside an MLS message.
    Signal {
        /// The peer it is for.
        peer: LeafIndex,
        /// Session description or candidate.
        signal: Signal,
    },
    /// Media can flow to and from the peer.
    Connected {
        /// The peer.
        peer: LeafIndex,
        /// How it is reached.
        path: Path,
        /// From the peer's description to keys agreed.
        setup: Duration,
    },
    /// The path to the peer broke.
    Disconnected {
        /// The peer.
        peer: LeafIndex,
    },
    /// The peer was refused and its association is gone.
    Refused {
        /// The peer.
        peer: LeafIndex,
        /// Why.
        reason: Refusal,
    },
    /// A step of the negotiation with the peer failed on this side.
    Unreachable {
        /// The peer.
        peer: LeafIndex,
        /// Why.
        error: TransportError,
    },
    /// The first sound of a peer was handed to the speaker.
    FirstAudio {
        /// The peer.
        peer: LeafIndex,
    },
    /// The first picture of a peer lies in its slot.
    FirstVideo {
        /// The peer.
        peer: LeafIndex,
    },
    /// Frames of the peer do not open: it is silent and its picture stands still (`E2E-01`). Told once, then not
    /// before [`EngineEvent::Recovered`].
    Undecryptable {
        /// The peer.
        peer: LeafIndex,
    },
    /// Frames of the peer open again.
    Recovered {
        /// The peer.
        peer: LeafIndex,
    },
    /// A peer's statement about the group, over its own association. Not verified yet, and perhaps one that came by the log
    /// as well: `crypto::CallGroup::check_heartbeat` tells.
    Heartbeat {
        /// Whose association it came over.
        peer: LeafIndex,
        /// 1 to 512 bytes; at most 8 of a peer in a second.
        bytes: Vec<u8>,
    },
    /// The path carries the own voice alone: no picture of us is sent for now (`NET-03`).
    VideoPaused,
    /// The own picture is sent again.
    VideoResumed,
    /// The chosen background cannot be shown: an outline stands for the person (`FX-01`). Told once, then not before
    /// [`EngineEvent::BackgroundWorks`].
    BackgroundFailed,
    /// The person is to be seen again, with the background that was chosen.
    BackgroundWorks,
    /// The shared window was closed, or cannot be captured: it is shared no more (`SHR-02`).
    ScreenEnded(DeviceError),
    /// A device failed; the engine goes on without it.
    Device(DeviceError),
}
