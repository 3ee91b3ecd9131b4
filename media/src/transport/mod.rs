//! Peer connections that carry sealed frames and nothing else.
//!
//! The one rule: nothing but a [`SealedFrame`] goes out as media, and what comes in is only ever handed on as the bytes of
//! one sealed frame together with the association it came over.

mod error;
mod event;
mod signal;
mod stats;

use std::net::IpAddr;

use crypto::SealedFrame;
use tokio::sync::mpsc;

pub use error::TransportError;
pub use event::{MediaKind, Path, PeerId, Refusal, TransportEvent, TransportRole};
pub use signal::{Fingerprint, SdpError, Signal, fingerprint_of};
pub use stats::PeerStats;

/// How the transport opens its sockets.
#[derive(Clone, Debug, Default)]
pub struct TransportConfig {
    /// Local addresses to bind, one UDP socket per address and peer. Empty means every interface of the machine except
    /// loopback. Loopback addresses are used only when they are named here.
    pub bind: Vec<IpAddr>,
}

/// All associations of one call. Cheap to share behind an `Arc`; every method may be called from any thread.
#[derive(Debug)]
pub struct Transport {
    config: TransportConfig,
}

impl Transport {
    /// Makes a transport without peers, and the channel on which it reports. Must be called within a tokio runtime, on
    /// which its tasks then run. The channel holds 1,024 events; see [`TransportEvent`] for what happens when it is full.
    pub fn new(config: TransportConfig) -> (Self, mpsc::Receiver<TransportEvent>) {
        let (_events, receiver) = mpsc::channel(1024);
        (Self { config }, receiver)
    }

    /// Makes an association with a certificate of its own. An offering one sends its offer as the next event.
    ///
    /// # Errors
    ///
    /// [`TransportError::PeerExists`], [`TransportError::Certificate`], [`TransportError::Open`], [`TransportError::Closed`].
    pub async fn add_peer(&self, peer: PeerId, role: TransportRole) -> Result<(), TransportError> {
        todo!("{peer:?} {role:?} {:?}", self.config.bind)
    }

    /// Takes what the peer's transport said, in the order in which it said it. A description that is refused ends the
    /// association: [`TransportEvent::Refused`] follows as well.
    ///
    /// # Errors
    ///
    /// [`TransportError::UnknownPeer`], [`TransportError::UnexpectedSignal`], [`TransportError::Description`],
    /// [`TransportError::Candidate`], [`TransportError::Negotiate`].
    pub async fn signal(&self, peer: PeerId, signal: Signal) -> Result<(), TransportError> {
        todo!("{peer:?} {signal:?}")
    }

    /// Closes an association and forgets it. Does nothing when there is none.
    pub async fn remove_peer(&self, peer: PeerId) {
        todo!("{peer:?}")
    }

    /// Closes all associations. Afterwards no further peer can be added, and the event channel ends.
    pub async fn close(&self) {
        todo!()
    }

    /// Sends one frame to every connected peer. The frame is packetized once; the peers share its bytes. Never blocks: a
    /// peer whose outbox is full (64 frames) loses this frame alone and will ask for a key frame.
    ///
    /// `key` says that a receiver can start decoding here; it travels in clear beside the sealed bytes.
    pub fn send(&self, kind: MediaKind, frame: &SealedFrame, key: bool) {
        todo!("{kind:?} {} {key}", frame.len())
    }

    /// Asks the peer for a key frame of its video, at most once per 300 ms or round trip, whichever is longer.
    pub fn request_key_frame(&self, peer: PeerId) {
        todo!("{peer:?}")
    }

    /// The counters of an association, or `None` when there is none.
    pub fn stats(&self, peer: PeerId) -> Option<PeerStats> {
        todo!("{peer:?}")
    }

    /// Fingerprint of the certificate that we show to this peer, and to no other.
    pub fn local_fingerprint(&self, peer: PeerId) -> Option<Fingerprint> {
        todo!("{peer:?}")
    }
}
