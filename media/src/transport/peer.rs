//! One association: its connection, its negotiation, its tasks.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription};

use super::assessor::{self, KeyBook};
use super::outbox::Events;
use super::sealed::{Mark, Outgoing};
use super::shared::{Count, Shared};
use super::signal::MAX_CANDIDATE_BYTES;
use super::task::{Handler, Task};
use super::track::{self, Flow, OUTBOX_FRAMES};
use super::{
    Budget, Fingerprint, MediaKind, PeerId, PeerStats, Relay, SdpError, Share, Signal, TransportConfig, TransportError,
    TransportEvent, TransportRole, candidate, connection, fingerprint_of, heartbeat, sdp,
};
use crate::time::MediaTime;

/// Candidates taken from a peer, those that come before its description included. Each costs checks.
const MAX_CANDIDATES: usize = 32;

/// Where the exchange of descriptions stands.
struct Negotiation {
    stage: Stage,
    /// Candidates that came before the description they belong to.
    early: Vec<RTCIceCandidateInit>,
    candidates: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    AwaitsOffer,
    AwaitsAnswer,
    Done,
}

/// Which of our pictures the peer gets.
#[derive(Clone, Copy, Debug)]
struct Route {
    share: Share,
    /// It gets another picture than before: nothing of that can be decoded before a key frame.
    awaits_key: bool,
}

/// One association. Dropping it stops its tasks; [`Peer::close`] also closes the connection.
pub(crate) struct Peer {
    id: PeerId,
    pub(super) connection: Arc<dyn PeerConnection>,
    negotiation: Mutex<Negotiation>,
    fingerprint: Fingerprint,
    audio: mpsc::Sender<Arc<Outgoing>>,
    audio_flow: Flow,
    video: mpsc::Sender<Arc<Outgoing>>,
    screen: mpsc::Sender<Arc<Outgoing>>,
    route: std::sync::Mutex<Route>,
    heartbeats: mpsc::Sender<Bytes>,
    events: Events,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Peer {
    /// Opens the connection and starts the tasks of the association.
    pub(crate) async fn open(
        id: PeerId,
        role: TransportRole,
        config: &TransportConfig,
        relays: Arc<[Relay]>,
        assessor: Option<Arc<KeyBook>>,
        events: Events,
        shared: Arc<Shared>,
    ) -> Result<Self, TransportError> {
        let (handler, inbox) = Handler::new();
        let recorder = assessor.map(|book| assessor::recorder(id, book)).transpose()?;
        let opening = connection::open(config, relays, recorder, &shared, Arc::new(handler));
        let connection = opening.await.map_err(TransportError::Open)?;
        let mut tasks = JoinSet::new();
        let (audio, audio_flow) = start_track(MediaKind::Audio, connection.as_ref(), &shared, &mut tasks).await?;
        let (video, _) = start_track(MediaKind::Video, connection.as_ref(), &shared, &mut tasks).await?;
        let (screen, _) = start_track(MediaKind::Screen, connection.as_ref(), &shared, &mut tasks).await?;
        let (heartbeats, statements) = heartbeat::outbox();
        let channel = heartbeat::open(connection.as_ref()).await?;
        tasks.spawn(heartbeat::run(id, channel, statements, events.clone(), Arc::clone(&shared)));
        let task = Task::new(id, Arc::clone(&connection), events.clone(), Arc::clone(&shared), config.relay_only);
        tasks.spawn(task.run(inbox));

        // Making an offer changes nothing, and tells the fingerprint on the answering side, too.
        let offer = connection.create_offer(None).await.map_err(TransportError::Negotiate)?;
        let fingerprint = fingerprint_of(&offer.sdp)?;
        let stage = match role {
            TransportRole::Offer => Stage::AwaitsAnswer,
            TransportRole::Answer => Stage::AwaitsOffer,
        };
        let negotiation = Mutex::new(Negotiation { stage, early: Vec::new(), candidates: 0 });
        Ok(Self {
            id,
            connection,
            negotiation,
            fingerprint,
            audio,
            audio_flow,
            video,
            screen,
            route: std::sync::Mutex::new(Route { share: Share::Whole, awaits_key: false }),
            heartbeats,
            events,
            shared,
            _tasks: tasks,
        })
    }

    /// Sends the offer. Signals of the peer wait until that is done.
    pub(crate) async fn offer(&self) -> Result<(), TransportError> {
        let _negotiation = self.negotiation.lock().await;
        let offer = self.connection.create_offer(None).await.map_err(TransportError::Negotiate)?;
        self.describe(offer, |sdp| Signal::Offer { sdp }).await
    }

    /// Reports our description, then applies it: candidates, which follow from that, come after it.
    async fn describe(
        &self,
        description: RTCSessionDescription,
        signal: impl FnOnce(String) -> Signal,
    ) -> Result<(), TransportError> {
        let sdp = sdp::complete(&description.sdp, self.audio_flow);
        self.events.send(TransportEvent::Signal { peer: self.id, signal: signal(sdp) }).await;
        self.connection.set_local_description(description).await.map_err(TransportError::Negotiate)
    }

    /// Takes a signal of the peer. After an error other than a bad candidate the association is of no use.
    pub(crate) async fn signal(&self, signal: Signal) -> Result<(), TransportError> {
        let mut negotiation = self.negotiation.lock().await;
        match (signal, negotiation.stage) {
            (Signal::Offer { sdp }, Stage::AwaitsOffer) => {
                self.describe_peer(&mut negotiation, &sdp, RTCSessionDescription::offer).await?;
                let answer = self.connection.create_answer(None).await.map_err(TransportError::Negotiate)?;
                self.describe(answer, |sdp| Signal::Answer { sdp }).await
            }
            (Signal::Answer { sdp }, Stage::AwaitsAnswer) => {
                self.describe_peer(&mut negotiation, &sdp, RTCSessionDescription::answer).await
            }
            (Signal::Candidate { candidate, mid, index }, stage) => {
                if candidate.len() > MAX_CANDIDATE_BYTES || negotiation.candidates >= MAX_CANDIDATES {
                    return Err(TransportError::Candidate);
                }
                negotiation.candidates += 1;
                let candidate =
                    RTCIceCandidateInit { candidate, sdp_mid: mid, sdp_mline_index: index, ..Default::default() };
                if stage == Stage::Done {
                    return self.add_candidate(candidate).await;
                }
                negotiation.early.push(candidate);
                Ok(())
            }
            _ => Err(TransportError::UnexpectedSignal),
        }
    }

    async fn describe_peer(
        &self,
        negotiation: &mut Negotiation,
        sdp: &str,
        parse: impl FnOnce(String) -> webrtc::error::Result<RTCSessionDescription>,
    ) -> Result<(), TransportError> {
        sdp::check(sdp)?;
        let description = parse(sdp.to_owned()).map_err(|_source| SdpError::Malformed)?;
        self.shared.set_described(MediaTime::now());
        self.connection.set_remote_description(description).await.map_err(|_source| SdpError::Malformed)?;
        negotiation.stage = Stage::Done;
        for candidate in std::mem::take(&mut negotiation.early) {
            // One that cannot be parsed says nothing about the others.
            self.add_candidate(candidate).await.ok();
        }
        Ok(())
    }

    /// One that leads nowhere is left out without a word: it says nothing about the peer.
    async fn add_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), TransportError> {
        if !candidate::reaches(&candidate.candidate).ok_or(TransportError::Candidate)? {
            return Ok(());
        }
        let added = self.connection.add_ice_candidate(candidate).await;
        added.map_err(|_source| TransportError::Candidate)
    }

    /// Which of our pictures the peer gets from now on. Whether it needs a key frame because of that.
    pub(crate) fn set_share(&self, share: Share) -> bool {
        let mut route = self.route.lock().unwrap_or_else(PoisonError::into_inner);
        let another = share.layer() != route.share.layer();
        *route = Route { share, awaits_key: route.awaits_key || another };
        another
    }

    pub(crate) fn share(&self) -> Share {
        self.route.lock().unwrap_or_else(PoisonError::into_inner).share
    }

    /// Whether a picture is for this peer.
    fn takes(&self, frame: &Outgoing) -> bool {
        let mut route = self.route.lock().unwrap_or_else(PoisonError::into_inner);
        if frame.layer != route.share.layer() || (route.awaits_key && frame.mark != Mark::Key) {
            return false;
        }
        route.awaits_key = false;
        frame.mark != Mark::Droppable || route.share != Share::Thin
    }

    /// Queues a frame if the association is connected and the frame is for this peer.
    pub(crate) fn send(&self, frame: &Arc<Outgoing>) {
        if !self.shared.is_connected() || (frame.kind == MediaKind::Video && !self.takes(frame)) {
            return;
        }
        let outbox = match frame.kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
            MediaKind::Screen => &self.screen,
        };
        let count = match outbox.try_send(Arc::clone(frame)) {
            Ok(()) => Count::FramesSent,
            Err(_) => Count::FramesDropped,
        };
        self.shared.count(count, 1);
    }

    /// Queues a statement if the association is connected; one that finds the queue full is dropped.
    pub(crate) fn send_heartbeat(&self, bytes: &Bytes) {
        if self.shared.is_connected() {
            self.heartbeats.try_send(bytes.clone()).ok();
        }
    }

    pub(crate) fn request_key_frame(&self, kind: MediaKind) {
        self.shared.want_key_frame(kind);
    }

    /// What the peer can be sent, while it is connected.
    pub(crate) fn budget(&self) -> Option<Budget> {
        self.shared.budget().filter(|_| self.shared.is_connected())
    }

    pub(crate) fn stats(&self) -> PeerStats {
        self.shared.stats()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Closes the connection: its sockets are gone when this returns.
    pub(crate) async fn close(&self) {
        self.shared.set_connected(false);
        if self.connection.close().await.is_err() {
            tracing::debug!("an association did not close cleanly");
        }
    }
}

/// Adds a sending track to the connection, and the task that feeds it.
async fn start_track(
    kind: MediaKind,
    connection: &dyn PeerConnection,
    shared: &Arc<Shared>,
    tasks: &mut JoinSet<()>,
) -> Result<(mpsc::Sender<Arc<Outgoing>>, Flow), TransportError> {
    let flow = Flow::random()?;
    shared.set_flow(kind, flow);
    let track = track::local(kind, flow);
    connection.add_track(Arc::clone(&track) as _).await.map_err(TransportError::Open)?;
    let (outbox, frames) = mpsc::channel(OUTBOX_FRAMES);
    tasks.spawn(track::send(kind, flow, track, frames, Arc::clone(shared)));
    Ok((outbox, flow))
}
