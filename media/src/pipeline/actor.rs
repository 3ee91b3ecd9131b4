//! The task between owner, transport and threads: it opens what arrives and hands it on.
//!
//! Negotiation (certificates, descriptions) runs in a second task, so that no frame waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use crypto::{LeafIndex, MediaKeys};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::audio::AudioInput;
use super::intake::{Arrived, HOLD, Intake, Notice, OLD_KEYS_LIVE, OLD_KEYS_LIVE_SHORT, Opened};
use super::keys::switch_time;
use super::receive::VideoInput;
use super::shared::{Shared, lock};
use crate::engine::{EngineEvent, EpochSwitch};
use crate::time::MediaTime;
use crate::transport::{MediaKind, PeerId, Signal, Transport, TransportError, TransportEvent, TransportRole};

/// What the engine's owner asks.
pub(crate) enum Command {
    InstallEpoch(Box<MediaKeys>, EpochSwitch),
    AddPeer(LeafIndex, TransportRole),
    RestartPeer(LeafIndex, TransportRole),
    RemovePeer(LeafIndex),
    Signal(LeafIndex, Signal),
}

/// Negotiation steps between the two tasks; the actor waits when it is full, which takes 256 signals in a burst.
const NEGOTIATION: usize = 256;

/// See the module.
pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    transport: Arc<Transport>,
    video: SyncSender<VideoInput>,
    audio: SyncSender<AudioInput>,
    intake: Intake,
    warm_up: Duration,
    /// When the statistics begin anew, once a peer is connected.
    steady_at: Option<Instant>,
    warmed_up: bool,
}

impl Actor {
    pub(super) fn new(
        shared: Arc<Shared>,
        transport: Arc<Transport>,
        video: SyncSender<VideoInput>,
        audio: SyncSender<AudioInput>,
        warm_up: Duration,
    ) -> Self {
        Self { shared, transport, video, audio, intake: Intake::default(), warm_up, steady_at: None, warmed_up: false }
    }

    /// Runs until the owner drops its end; then closes all associations and lets the threads end.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut events: mpsc::Receiver<TransportEvent>,
    ) {
        let (steps, steps_out) = mpsc::channel(NEGOTIATION);
        let negotiation = tokio::spawn(negotiate(Arc::clone(&self.transport), Arc::clone(&self.shared), steps_out));
        loop {
            let wake = self.next_wake();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command, &steps).await,
                    None => break,
                },
                event = events.recv() => match event {
                    Some(event) => self.on_event(event),
                    None => break,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.on_time(),
            }
            self.tell_notices();
        }
        drop(steps);
        self.shared.stop();
        // A panic in the task was reported on its own.
        negotiation.await.ok();
        self.transport.close().await;
    }

    fn next_wake(&self) -> Option<Instant> {
        let expiry = self.intake.holds().then(|| Instant::now() + HOLD / 5);
        match (expiry, self.steady_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn on_time(&mut self) {
        self.intake.expire(MediaTime::now());
        if self.steady_at.is_some_and(|at| at <= Instant::now()) {
            self.steady_at = None;
            self.shared.read_transport(&self.transport);
            self.shared.mark_steady(MediaTime::now());
        }
    }

    async fn on_command(&mut self, command: Command, steps: &mpsc::Sender<Step>) {
        let step = match command {
            Command::InstallEpoch(keys, switch) => return self.install(*keys, switch),
            Command::AddPeer(leaf, role) => {
                self.intake.add(leaf, MediaTime::now());
                Step::Add(leaf, role)
            }
            Command::RestartPeer(leaf, role) => {
                // The member stays one: its opening keys live on, since an epoch's keys can be taken only once.
                self.set_connected(id(leaf), false);
                Step::Restart(leaf, role)
            }
            Command::RemovePeer(leaf) => {
                self.intake.remove(leaf);
                Step::Remove(leaf)
            }
            Command::Signal(leaf, signal) => Step::Signal(leaf, signal),
        };
        // It fails only when the negotiation task panicked, which was reported.
        steps.send(step).await.ok();
    }

    fn install(&mut self, keys: MediaKeys, switch: EpochSwitch) {
        let now = MediaTime::now();
        let (sealing, opening) = keys.into_parts();
        // Nobody listens yet who could miss the new keys, and a first peer has no older ones.
        let switch_at = if self.shared.anyone_listens() { switch_time(now, switch) } else { now };
        let old_keys_live = match switch {
            EpochSwitch::Now => OLD_KEYS_LIVE_SHORT,
            EpochSwitch::Within(_) => OLD_KEYS_LIVE,
        };
        for opened in self.intake.install(opening, now, old_keys_live) {
            self.hand_on(opened);
        }
        self.shared.audio_keys.put(switch_at, sealing.audio);
        self.shared.video_keys.put(switch_at, sealing.video);
        self.shared.screen_keys.put(switch_at, sealing.screen);
    }

    fn on_event(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Frame {
                peer,
                kind,
                #[cfg(feature = "lab")]
                number,
                bytes,
                arrived,
                ..
            } => {
                let Some(leaf) = LeafIndex::new(peer.0) else {
                    return;
                };
                #[cfg(feature = "lab")]
                self.tell_arrived(leaf, kind, number, &bytes, arrived);
                let frame = Arrived { kind, bytes, at: arrived };
                if let Some(opened) = self.intake.open(leaf, frame, MediaTime::now()) {
                    self.hand_on(opened);
                }
            }
            TransportEvent::Signal { peer, signal } => {
                if let Some(peer) = LeafIndex::new(peer.0) {
                    self.shared.tell(EngineEvent::Signal { peer, signal });
                }
            }
            TransportEvent::Connected { peer, path, setup } => {
                let Some(peer) = self.set_connected(peer, true) else {
                    return;
                };
                if !std::mem::replace(&mut self.warmed_up, true) && !self.warm_up.is_zero() {
                    self.steady_at = Some(Instant::now() + self.warm_up);
                }
                self.shared.tell(EngineEvent::Connected { peer, path, setup });
            }
            TransportEvent::Disconnected { peer } => {
                if let Some(peer) = self.set_connected(peer, false) {
                    self.shared.tell(EngineEvent::Disconnected { peer });
                }
            }
            TransportEvent::Refused { peer, reason } => {
                if let Some(peer) = self.set_connected(peer, false) {
                    self.shared.tell(EngineEvent::Refused { peer, reason });
                }
            }
            TransportEvent::Heartbeat { peer, bytes } => {
                // Of a member that was removed nothing is heard any more.
                if let Some(peer) = LeafIndex::new(peer.0).filter(|leaf| self.shared.peer(*leaf).is_some()) {
                    self.shared.tell(EngineEvent::Heartbeat { peer, bytes });
                }
            }
            TransportEvent::KeyFrameRequest { kind, .. } => self.shared.want_key_frame(kind),
            TransportEvent::FrameLost { peer, kind, count } => {
                let peer = LeafIndex::new(peer.0).and_then(|leaf| self.shared.peer(leaf));
                // The voice's own numbers tell its buffer what is missing.
                if let (Some(peer), MediaKind::Video | MediaKind::Screen) = (peer, kind) {
                    peer.gap(kind).store(true, Ordering::Release);
                    if kind == MediaKind::Video {
                        lock(&peer.meter).video_lost += u64::from(count);
                    }
                }
            }
        }
    }

    fn set_connected(&self, peer: PeerId, up: bool) -> Option<LeafIndex> {
        let leaf = LeafIndex::new(peer.0)?;
        let peer = self.shared.peer(leaf)?;
        self.shared.set_connected(&peer, up);
        Some(leaf)
    }

    /// To the thread of its medium. Audio never waits behind video: each has its own queue.
    fn hand_on(&self, opened: Opened) {
        let Some(peer) = self.shared.peer(opened.peer) else {
            return;
        };
        #[cfg(feature = "lab")]
        self.tell_opened(&opened);
        let (bytes, frame, arrived) = (opened.sealed_len, opened.frame, opened.arrived);
        match opened.kind {
            MediaKind::Audio => {
                lock(&peer.meter).audio_arrived(bytes, arrived);
                let input = AudioInput { peer, frame, arrived };
                // Dropped when full, as the queue's declaration says.
                self.audio.try_send(input).ok();
            }
            // Not by hiding a button at the sender: who may not share is not shown here. What is dropped is missing later.
            MediaKind::Screen if !peer.may_share() => peer.gap(MediaKind::Screen).store(true, Ordering::Release),
            kind @ (MediaKind::Video | MediaKind::Screen) => {
                if kind == MediaKind::Video {
                    lock(&peer.meter).video_arrived(bytes, arrived);
                }
                let input = VideoInput { peer, kind, frame };
                if let Err(TrySendError::Full(VideoInput { peer, .. })) = self.video.try_send(input) {
                    self.picture_gap(&peer, kind);
                }
            }
        }
    }

    fn tell_notices(&mut self) {
        for notice in self.intake.notices() {
            match notice {
                Notice::Refused(leaf) => {
                    if let Some(peer) = self.shared.peer(leaf) {
                        lock(&peer.meter).undecryptable += 1;
                    }
                }
                Notice::PictureGap(leaf, kind) => {
                    if let Some(peer) = self.shared.peer(leaf) {
                        self.picture_gap(&peer, kind);
                    }
                }
                Notice::Undecryptable(peer) => self.shared.tell(EngineEvent::Undecryptable { peer }),
                Notice::Recovered(peer) => self.shared.tell(EngineEvent::Recovered { peer }),
            }
        }
    }

    fn picture_gap(&self, peer: &super::shared::Peer, kind: MediaKind) {
        peer.gap(kind).store(true, Ordering::Release);
        lock(&peer.meter).key_requests += 1;
        self.transport.request_key_frame(PeerId(peer.leaf.as_u8().into()), kind);
    }
}

/// One step of negotiation, in the order asked for.
enum Step {
    Add(LeafIndex, TransportRole),
    Restart(LeafIndex, TransportRole),
    Remove(LeafIndex),
    Signal(LeafIndex, Signal),
}

async fn negotiate(transport: Arc<Transport>, shared: Arc<Shared>, mut steps: mpsc::Receiver<Step>) {
    while let Some(step) = steps.recv().await {
        let (leaf, done): (LeafIndex, Result<(), TransportError>) = match step {
            Step::Add(leaf, role) => (leaf, transport.add_peer(id(leaf), role).await),
            Step::Restart(leaf, role) => {
                transport.remove_peer(id(leaf)).await;
                (leaf, transport.add_peer(id(leaf), role).await)
            }
            Step::Signal(leaf, signal) => (leaf, transport.signal(id(leaf), signal).await),
            Step::Remove(leaf) => {
                transport.remove_peer(id(leaf)).await;
                (leaf, Ok(()))
            }
        };
        if let Err(error) = done {
            shared.tell(EngineEvent::Unreachable { peer: leaf, error });
        }
    }
}

fn id(leaf: LeafIndex) -> PeerId {
    PeerId(leaf.as_u8().into())
}
