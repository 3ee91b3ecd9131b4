//! Peer connections that carry sealed frames and heartbeats, and nothing else.
//!
//! The one rule: nothing but a [`SealedFrame`] goes out as media, and nothing but signed, public statements about the
//! group beside it. What comes in is only ever handed on as the bytes of one sealed frame, or of one statement, together
//! with the association it came over. Only this module names the webrtc crates.
//!
//! | file | purpose | where it runs |
//! | --- | --- | --- |
//! | `connection.rs`, `runtime.rs` | settings of the crate below, what is negotiated and what refused; its timers | driver task of each connection |
//! | `peer.rs`, `task.rs` | one association: negotiation; what the connection reports becomes events | caller; one task each |
//! | `track.rs` | the halves that send and receive; voice, camera and shared window each | one task each way and track |
//! | `heartbeat.rs` | the data channel of an association | one task each |
//! | `assessor.rs` | keys of SRTP for the assessor of a call that was made for one | driver task |
//! | `chain/` | counters, pacer, loss recovery, key-frame requests, between SRTP and the tracks | driver task |
//! | `signal.rs`, `sdp.rs`, `candidate.rs` | what two transports tell each other, and what is demanded of it | pure |
//! | `event.rs`, `error.rs`, `stats.rs`, `shared.rs`, `outbox.rs` | what is said, counted, and how it gets out | |
//!
//! Callbacks of the crate only hand on. Queues: 64 frames an outbox and track (a full one drops that frame), 4 statements a
//! channel (the same), 256 packets a receiving track (the crate's), 1,024 events (frames leave 256 places to the rest).

mod assessor;
mod budget;
mod candidate;
mod chain;
mod connection;
mod error;
mod event;
#[cfg(feature = "lab")]
mod fuzz;
mod heartbeat;
#[cfg(feature = "lab")]
mod lab;
mod outbox;
mod peer;
mod relay;
mod runtime;
mod sdp;
mod sealed;
mod shared;
mod signal;
mod stats;
mod task;
#[cfg(test)]
mod tests;
mod track;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use crypto::SealedFrame;
use tokio::sync::mpsc;

pub(crate) use self::heartbeat::MAX_BYTES as MAX_HEARTBEAT_BYTES;
pub use assessor::{SrtpKeys, SrtpProfile};
pub use budget::{Budget, Budgets};
pub use error::TransportError;
pub use event::{MediaKind, Path, PeerId, Refusal, TransportEvent, TransportRole};
#[cfg(feature = "lab")]
pub use fuzz::FUZZ_TARGETS;
#[cfg(feature = "lab")]
pub use lab::{Spoil, Spoiling};
pub use relay::{MAX_RELAYS, Relay, RelayLine};
pub use sealed::{Layer, Mark};
pub use signal::{Fingerprint, SdpError, Signal, fingerprint_of};
pub use stats::PeerStats;

use self::assessor::KeyBook;
use self::budget::{Share, deal};
use self::outbox::Events;
use self::peer::Peer;
use self::sealed::Outgoing;
use self::shared::Shared;

/// Associations of one call at most: a group has 16 leaves, one of them ours.
const MAX_PEERS: usize = 15;

/// How the transport opens its sockets.
#[derive(Clone, Debug, Default)]
pub struct TransportConfig {
    /// Local addresses to bind, one UDP socket per address and peer. Empty means every interface of the machine except
    /// loopback. Loopback addresses are used only when they are named here.
    pub bind: Vec<IpAddr>,
    /// Keeps the keys of SRTP for [`Transport::srtp_keys`]. Only for a call that was created in assessor mode.
    pub assessor: bool,
    /// Nothing but relayed paths: nobody in the call learns this computer's address, and without a relay there is no call.
    pub relay_only: bool,
}

/// All associations of one call. Cheap to share behind an `Arc`; every method may be called from any thread.
///
/// The calls in their order: [`Transport::new`], then per peer [`Transport::add_peer`] and, for each
/// [`TransportEvent::Signal`] of the other side, [`Transport::signal`]; from [`TransportEvent::Connected`] on
/// [`Transport::send`] reaches the peer; [`Transport::remove_peer`], [`Transport::close`].
#[derive(Debug)]
pub struct Transport {
    config: TransportConfig,
    state: Mutex<State>,
    /// Empty unless the configuration says assessor.
    srtp: Arc<KeyBook>,
}

/// What changes. The lock is held for lookups only, never across an `await`.
struct State {
    peers: BTreeMap<PeerId, Slot>,
    /// For associations that are made from now on.
    relays: Arc<[Relay]>,
    /// `None` once the transport is closed.
    events: Option<Events>,
    #[cfg(feature = "lab")]
    tap: Option<mpsc::Sender<Bytes>>,
    #[cfg(feature = "lab")]
    spoiler: lab::Spoiler,
}

/// A place in the list of peers, taken while the connection is being opened.
enum Slot {
    Opening,
    Open(Arc<Peer>),
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.peers.keys()).finish()
    }
}

impl Transport {
    /// Makes a transport without peers, and the channel on which it reports. The channel holds 1,024 events; see
    /// [`TransportEvent`] for what happens when it is full.
    #[must_use]
    pub fn new(config: TransportConfig) -> (Self, mpsc::Receiver<TransportEvent>) {
        let (events, receiver) = Events::new();
        let state = State {
            peers: BTreeMap::new(),
            relays: Arc::default(),
            events: Some(events),
            #[cfg(feature = "lab")]
            tap: None,
            #[cfg(feature = "lab")]
            spoiler: lab::Spoiler::default(),
        };
        let state = Mutex::new(state);
        (Self { config, state, srtp: Arc::default() }, receiver)
    }

    /// Makes an association with a certificate of its own. An offering one sends its offer as the next event. Must be
    /// awaited on a tokio runtime, on which the association's tasks then run.
    ///
    /// # Errors
    ///
    /// [`TransportError::PeerExists`] also when the call is full, [`TransportError::Closed`], [`TransportError::Random`],
    /// [`TransportError::Open`] when no socket can be bound, [`TransportError::Negotiate`].
    pub async fn add_peer(&self, peer: PeerId, role: TransportRole) -> Result<(), TransportError> {
        let (events, relays) = {
            let mut state = self.state();
            let events = state.events.clone().ok_or(TransportError::Closed)?;
            if state.peers.contains_key(&peer) || state.peers.len() >= MAX_PEERS {
                return Err(TransportError::PeerExists);
            }
            state.peers.insert(peer, Slot::Opening);
            (events, Arc::clone(&state.relays))
        };
        let shared = Arc::new(Shared::default());
        #[cfg(feature = "lab")]
        shared.set_tap(self.state().tap.clone());
        let assessor = self.config.assessor.then(|| Arc::clone(&self.srtp));
        let opened = match Peer::open(peer, role, &self.config, relays, assessor, events, shared).await {
            Ok(opened) => Arc::new(opened),
            Err(error) => {
                self.state().peers.remove(&peer);
                return Err(error);
            }
        };
        if !self.install(peer, &opened) {
            opened.close().await;
            return Err(TransportError::UnknownPeer);
        }
        let offered = match role {
            TransportRole::Offer => opened.offer().await,
            TransportRole::Answer => Ok(()),
        };
        if offered.is_err() {
            self.remove_peer(peer).await;
        }
        offered
    }

    /// The relays of associations that are made from now on, at most [`MAX_RELAYS`]; those that stand keep theirs.
    pub fn set_relays(&self, relays: Vec<Relay>) {
        self.state().relays = relays.into();
    }

    /// Fills the place that was taken for the peer, unless it was removed or the transport closed in the meantime.
    fn install(&self, peer: PeerId, opened: &Arc<Peer>) -> bool {
        match self.state().peers.get_mut(&peer) {
            Some(slot @ Slot::Opening) => {
                *slot = Slot::Open(Arc::clone(opened));
                true
            }
            _ => false,
        }
    }

    /// Takes what the peer's transport said, in the order in which it said it. A description that is refused ends the
    /// association: [`TransportEvent::Refused`] follows as well.
    ///
    /// # Errors
    ///
    /// [`TransportError::UnknownPeer`], [`TransportError::UnexpectedSignal`], [`TransportError::Description`],
    /// [`TransportError::Candidate`], [`TransportError::Negotiate`].
    pub async fn signal(&self, peer: PeerId, signal: Signal) -> Result<(), TransportError> {
        let association = self.peer(peer).ok_or(TransportError::UnknownPeer)?;
        let outcome = association.signal(signal).await;
        if let Err(TransportError::Description(error)) = &outcome {
            let reason = if *error == SdpError::NoSframe { Refusal::NoSframe } else { Refusal::Malformed };
            let events = self.state().events.clone();
            self.remove_peer(peer).await;
            if let Some(events) = events {
                events.send(TransportEvent::Refused { peer, reason }).await;
            }
        }
        outcome
    }

    /// Closes an association and forgets it. Does nothing when there is none.
    pub async fn remove_peer(&self, peer: PeerId) {
        let removed = self.state().peers.remove(&peer);
        if let Some(Slot::Open(association)) = removed {
            association.close().await;
        }
    }

    /// Closes all associations. Afterwards no further peer can be added, and the event channel ends.
    pub async fn close(&self) {
        let peers = {
            let mut state = self.state();
            state.events = None;
            std::mem::take(&mut state.peers)
        };
        for slot in peers.into_values() {
            if let Slot::Open(association) = slot {
                association.close().await;
            }
        }
    }

    /// Sends one frame to every connected peer that gets this layer; sound has the main one alone. The peers share its bytes. Never
    /// blocks: a peer whose outbox is full (64 frames) loses this frame alone. Frames that are too long (1.2 MB; sound one packet)
    /// are dropped.
    ///
    /// `mark` travels in clear beside the sealed bytes.
    pub fn send(&self, kind: MediaKind, frame: &SealedFrame, mark: Mark, layer: Layer) {
        let Ok(frame) = Outgoing::new(frame, kind, mark, layer) else {
            return tracing::warn!(bytes = frame.len(), "a frame is too long to be sent");
        };
        #[cfg(feature = "lab")]
        let frame = self.state().spoiler.pass(frame, crate::time::MediaTime::now());
        self.send_to_all(&Arc::new(frame));
    }

    fn send_to_all(&self, frame: &Arc<Outgoing>) {
        for slot in self.state().peers.values() {
            if let Slot::Open(association) = slot {
                association.send(frame);
            }
        }
    }

    /// Sends a signed statement of 1 to 512 bytes to every connected peer. It is not sealed: DTLS hides it from the network,
    /// and nothing in it is secret to a member. Never blocks, and promises nothing: a peer whose outbox is full (4), or whose
    /// path loses it, does not get it.
    pub fn send_heartbeat(&self, bytes: &[u8]) {
        if bytes.is_empty() || bytes.len() > MAX_HEARTBEAT_BYTES {
            tracing::warn!(bytes = bytes.len(), "a heartbeat is too long to be sent");
            return;
        }
        let bytes = Bytes::copy_from_slice(bytes);
        for slot in self.state().peers.values() {
            if let Slot::Open(association) = slot {
                association.send_heartbeat(&bytes);
            }
        }
    }

    /// Asks the peer for a key frame of these pictures, at most once per 300 ms or one and a half round trips, and again until
    /// one comes.
    pub fn request_key_frame(&self, peer: PeerId, kind: MediaKind) {
        if let Some(association) = self.peer(peer) {
            association.request_key_frame(kind);
        }
    }

    /// What every connected peer can be sent: the least of all. `None` before the first packet to anybody.
    #[must_use]
    pub fn budget(&self) -> Option<Budget> {
        self.open().filter_map(|association| association.budget()).reduce(Budget::least)
    }

    /// Deals our pictures out to the peers, and tells what the pictures may take; with `true` if a peer gets another one than before
    /// and needs a key frame of it.
    pub fn deal(&self) -> (Budgets, bool) {
        let (peers, mut shares): (Vec<_>, Vec<_>) = self
            .open()
            .filter_map(|peer| peer.budget().map(|budget| (Arc::clone(&peer), (budget, peer.share()))))
            .unzip();
        let budgets = deal(&mut shares);
        let changed =
            peers.iter().zip(shares).fold(false, |changed, (peer, (_, share))| peer.set_share(share) || changed);
        (budgets, changed)
    }

    fn open(&self) -> impl Iterator<Item = Arc<Peer>> {
        let state = self.state();
        let open: Vec<_> = state
            .peers
            .values()
            .filter_map(|slot| match slot {
                Slot::Open(association) => Some(Arc::clone(association)),
                Slot::Opening => None,
            })
            .collect();
        open.into_iter()
    }

    /// The counters of an association, or `None` when there is none.
    #[must_use]
    pub fn stats(&self, peer: PeerId) -> Option<PeerStats> {
        self.peer(peer).map(|association| association.stats())
    }

    /// Fingerprint of the certificate that we show to this peer, and to no other. Known once [`Transport::add_peer`]
    /// returned.
    #[must_use]
    pub fn local_fingerprint(&self, peer: PeerId) -> Option<Fingerprint> {
        self.peer(peer).map(|association| association.fingerprint())
    }

    /// Keys of SRTP of every association that was ever connected, the latest 256, in the order in which they came up. Empty
    /// unless the transport was made for an assessor.
    #[must_use]
    pub fn srtp_keys(&self) -> Vec<SrtpKeys> {
        self.srtp.copy()
    }

    fn peer(&self, peer: PeerId) -> Option<Arc<Peer>> {
        match self.state().peers.get(&peer) {
            Some(Slot::Open(association)) => Some(Arc::clone(association)),
            _ => None,
        }
    }

    /// No code panics while it holds the lock, so a poisoned one would still be sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
