//! What the transport says and the small types it says it with.

use std::fmt;
use std::time::Duration;

use super::Signal;
use crate::time::MediaTime;

/// The other end of one association: the MLS leaf index of the member it belongs to.
///
/// The transport never learns who that is; it only keeps one peer connection, one certificate and one set of
/// counters per id, and stamps everything that arrives over that association with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer {}", self.0)
    }
}

/// Which of the three tracks of an association a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Sealed audio frames; never delayed by the pacer or the reassembly.
    Audio,
    /// Sealed video frames; handed over in order, with a deadline for what is missing.
    Video,
    /// Sealed pictures of a shared window, handed over as those of the camera.
    Screen,
}

impl MediaKind {
    /// Place of a kind of pictures among such kinds: the camera's first.
    pub(crate) const fn picture(self) -> usize {
        match self {
            Self::Audio | Self::Video => 0,
            Self::Screen => 1,
        }
    }
}

/// Who makes the offer of an association. The newer member of the group does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportRole {
    /// Sends the offer as soon as the peer is added.
    Offer,
    /// Waits for the offer of the other side.
    Answer,
}

/// How packets reach the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Host or reflexive candidates on both sides.
    Direct,
    /// Through a TURN relay on at least one side.
    Relay,
}

/// Why an association never came to be. It is of no use any more; remove the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its session description lacks `a=sframe`: it would send media that is not end-to-end encrypted.
    NoSframe,
    /// Its session description is malformed, too long, or offers something else than our three tracks and the heartbeat; or
    /// it opened another data channel.
    Malformed,
    /// The DTLS handshake failed, or its certificate is not the one whose fingerprint the description names.
    Handshake,
    /// No path to it was found within ten seconds.
    Unreachable,
}

/// What happened on the transport. Delivered through the bounded channel that [`Transport::new`] returns.
///
/// Everything but [`TransportEvent::Frame`], [`TransportEvent::FrameLost`] and [`TransportEvent::Heartbeat`] is delivered
/// for certain; those are dropped (frames are counted in [`PeerStats::frames_dropped`], heartbeats in
/// [`PeerStats::heartbeats_refused`]) when the reader is far behind.
///
/// [`Transport::new`]: super::Transport::new
/// [`PeerStats::frames_dropped`]: super::PeerStats::frames_dropped
/// [`PeerStats::heartbeats_refused`]: super::PeerStats::heartbeats_refused
#[derive(Debug)]
pub enum TransportEvent {
    /// To be carried to this peer inside an MLS message, in this order.
    Signal {
        /// Whom it is for.
        peer: PeerId,
        /// Opaque to the carrier.
        signal: Signal,
    },
    /// DTLS is complete: frames flow both ways from now on. Also sent after a disconnection that healed.
    Connected {
        /// Which association.
        peer: PeerId,
        /// How its packets travel.
        path: Path,
        /// From the peer's session description being applied to DTLS being complete, the first time; to the path being
        /// back, after a disconnection.
        setup: Duration,
    },
    /// No packet for three seconds, or the association closed. It may heal: then `Connected` follows again.
    Disconnected {
        /// Which association.
        peer: PeerId,
    },
    /// The peer was refused, or could not be reached.
    Refused {
        /// Which association.
        peer: PeerId,
        /// Why.
        reason: Refusal,
    },
    /// One whole sealed frame. Audio comes in order of arrival, video in order of sending.
    Frame {
        /// The association it came over; only this sender's keys may open it.
        peer: PeerId,
        /// Which track it came on.
        kind: MediaKind,
        /// Number of the frame within its track, counted by the sender, wrapping at 2^16.
        /// A gap tells the audio jitter buffer how many frames are missing.
        number: u16,
        /// The sealed frame: SFrame header, ciphertext, tag. Not verified yet.
        bytes: Vec<u8>,
        /// When the packet that completed it arrived.
        arrived: MediaTime,
    },
    /// A statement about the group, over the peer's own association. Its signature is not verified yet.
    Heartbeat {
        /// The association it came over.
        peer: PeerId,
        /// 1 to 512 bytes; at most 8 in a second.
        bytes: Vec<u8>,
    },
    /// The peer cannot decode our pictures of this kind until the next key frame.
    KeyFrameRequest {
        /// Who asks.
        peer: PeerId,
        /// Of which pictures.
        kind: MediaKind,
    },
    /// Video frames that will never arrive were given up before the next frame. The transport asks for a key
    /// frame by itself; the decoder should expect one.
    FrameLost {
        /// Whose frames.
        peer: PeerId,
        /// Which track.
        kind: MediaKind,
        /// How many frames in a row were given up, at least one.
        count: u16,
    },
}
