//! One association: its connection, its negotiation, its tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::statistics::StatsSelector;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceCandidateType, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState, RTCSessionDescription, RTCStatsReportEntry,
};

use super::outbox::Events;
use super::shared::{Count, Shared};
use super::signal::MAX_CANDIDATE_BYTES;
use super::track::{self, Flow, OUTBOX_FRAMES, Payloads};
use super::track::Receiver;
use super::{
    Fingerprint, MediaKind, Path, PeerId, PeerStats, Refusal, SdpError, Signal, TransportConfig, TransportError,
    TransportEvent, TransportRole, connection, fingerprint_of, sdp,
};
use crate::time::MediaTime;

/// Candidates taken from a peer, those that come before its description included. Each costs checks.
const MAX_CANDIDATES: usize = 32;
/// What callbacks may have under way to the association's task: candidates, states and tracks, all few.
const CALLBACKS: usize = 256;
/// Least time between two key-frame requests of a peer that reach the encoder. A key frame costs ten others.
const KEY_REQUEST_INTERVAL: Duration = Duration::from_millis(250);
/// Time between two looks at the round trip.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);

/// What the callbacks, which run on the connection's own driver task and must return at once, hand on.
enum Callback {
    Candidate(RTCIceCandidateInit),
    State(RTCPeerConnectionState),
    Track(Arc<dyn TrackRemote>),
}

struct Handler(mpsc::Sender<Callback>);

impl Handler {
    fn hand_on(&self, callback: Callback) {
        if self.0.try_send(callback).is_err() {
            tracing::warn!("an association's task is gone or far behind; a callback is dropped");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            self.hand_on(Callback::Candidate(candidate));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.hand_on(Callback::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.hand_on(Callback::Track(track));
    }
}

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

/// One association. Dropping it stops its tasks; [`Peer::close`] also closes the connection.
pub(crate) struct Peer {
    id: PeerId,
    connection: Arc<dyn PeerConnection>,
    negotiation: Mutex<Negotiation>,
    fingerprint: Fingerprint,
    audio: mpsc::Sender<Payloads>,
    audio_flow: Flow,
    video: mpsc::Sender<Payloads>,
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
        events: Events,
    ) -> Result<Self, TransportError> {
        let shared = Arc::new(Shared::default());
        let (callbacks, inbox) = mpsc::channel(CALLBACKS);
        let handler = Arc::new(Handler(callbacks));
        let connection = connection::open(config, &shared, handler).await.map_err(TransportError::Open)?;
        let mut tasks = JoinSet::new();
        let (audio, audio_flow) = start_track(MediaKind::Audio, connection.as_ref(), &mut tasks).await?;
        let (video, _) = start_track(MediaKind::Video, connection.as_ref(), &mut tasks).await?;
        let task = Task {
            id,
            connection: Arc::clone(&connection),
            events: events.clone(),
            shared: Arc::clone(&shared),
            was_connected: false,
            closed: false,
            key_frame_asked: None,
        };
        tasks.spawn(task.run(inbox));

        // Making an offer changes nothing, and tells the fingerprint on the answering side, too.
        let offer = connection.create_offer(None).await.map_err(TransportError::Negotiate)?;
        let fingerprint = fingerprint_of(&offer.sdp)?;
        let stage = match role {
            TransportRole::Offer => Stage::AwaitsAnswer,
            TransportRole::Answer => Stage::AwaitsOffer,
        };
        let negotiation = Mutex::new(Negotiation { stage, early: Vec::new(), candidates: 0 });
        Ok(Self { id, connection, negotiation, fingerprint, audio, audio_flow, video, events, shared, _tasks: tasks })
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
        let description = parse(sdp.to_owned()).map_err(|_| SdpError::Malformed)?;
        self.shared.set_described(MediaTime::now());
        self.connection.set_remote_description(description).await.map_err(|_| SdpError::Malformed)?;
        negotiation.stage = Stage::Done;
        for candidate in std::mem::take(&mut negotiation.early) {
            // One that cannot be parsed says nothing about the others.
            self.add_candidate(candidate).await.ok();
        }
        Ok(())
    }

    async fn add_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), TransportError> {
        self.connection.add_ice_candidate(candidate).await.map_err(|_| TransportError::Candidate)
    }

    /// Queues the payloads of one frame if the association is connected.
    pub(crate) fn send(&self, kind: MediaKind, payloads: &Payloads) {
        if !self.shared.is_connected() {
            return;
        }
        let outbox = match kind {
            MediaKind::Audio => &self.audio,
            MediaKind::Video => &self.video,
        };
        let count = match outbox.try_send(Arc::clone(payloads)) {
            Ok(()) => Count::FramesSent,
            Err(_) => Count::FramesDropped,
        };
        self.shared.count(count, 1);
    }

    pub(crate) fn request_key_frame(&self) {
        self.shared.want_key_frame();
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
    tasks: &mut JoinSet<()>,
) -> Result<(mpsc::Sender<Payloads>, Flow), TransportError> {
    let flow = Flow::random()?;
    let track = track::local(kind, flow);
    connection.add_track(Arc::clone(&track) as _).await.map_err(TransportError::Open)?;
    let (outbox, frames) = mpsc::channel(OUTBOX_FRAMES);
    tasks.spawn(track::send(kind, flow, track, frames));
    Ok((outbox, flow))
}

/// The task of an association: turns callbacks into events.
struct Task {
    id: PeerId,
    connection: Arc<dyn PeerConnection>,
    events: Events,
    shared: Arc<Shared>,
    was_connected: bool,
    closed: bool,
    key_frame_asked: Option<MediaTime>,
}

impl Task {
    /// Runs until the association is dropped or fails. The receivers are its children and end with it.
    async fn run(mut self, mut inbox: mpsc::Receiver<Callback>) {
        let mut receivers = JoinSet::new();
        let mut measure = tokio::time::interval(MEASURE_INTERVAL);
        measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.closed {
            tokio::select! {
                callback = inbox.recv() => match callback {
                    Some(Callback::Candidate(candidate)) => self.on_candidate(candidate).await,
                    Some(Callback::State(state)) => self.on_state(state).await,
                    // One audio and one video track were negotiated; their receivers outlive a disconnection.
                    Some(Callback::Track(track)) if receivers.len() < 2 => {
                        let receiver =
                            Receiver::new(self.id, track, Arc::clone(&self.shared), self.events.clone());
                        receivers.spawn(receiver.run());
                    }
                    Some(Callback::Track(_)) => {}
                    None => return,
                },
                () = self.shared.peer_asked.notified() => self.on_key_frame_request().await,
                _ = measure.tick(), if self.shared.is_connected() => self.measure().await,
            }
        }
    }

    async fn on_candidate(&self, candidate: RTCIceCandidateInit) {
        // The end of candidates: checks go on by themselves.
        if candidate.candidate.is_empty() {
            return;
        }
        let RTCIceCandidateInit { candidate, sdp_mid, sdp_mline_index, .. } = candidate;
        let signal = Signal::Candidate { candidate, mid: sdp_mid, index: sdp_mline_index };
        self.events.send(TransportEvent::Signal { peer: self.id, signal }).await;
    }

    async fn on_state(&mut self, state: RTCPeerConnectionState) {
        let peer = self.id;
        match state {
            RTCPeerConnectionState::Connected => {
                self.was_connected = true;
                self.shared.set_connected(true);
                let setup = self.shared.since_described(MediaTime::now());
                let path = self.path().await;
                self.events.send(TransportEvent::Connected { peer, path, setup }).await;
            }
            RTCPeerConnectionState::Disconnected => self.disconnected().await,
            RTCPeerConnectionState::Failed if self.was_connected => self.disconnected().await,
            RTCPeerConnectionState::Failed => {
                self.closed = true;
                let reason = if self.is_paired().await { Refusal::Handshake } else { Refusal::Unreachable };
                self.events.send(TransportEvent::Refused { peer, reason }).await;
            }
            RTCPeerConnectionState::Closed => {
                self.closed = true;
                self.disconnected().await;
            }
            _ => {}
        }
    }

    async fn disconnected(&self) {
        if self.shared.is_connected() {
            self.shared.set_connected(false);
            self.events.send(TransportEvent::Disconnected { peer: self.id }).await;
        }
    }

    async fn on_key_frame_request(&mut self) {
        let now = MediaTime::now();
        if let Some(asked) = self.key_frame_asked {
            let wait = KEY_REQUEST_INTERVAL.saturating_sub(now.since(asked));
            if !wait.is_zero() {
                return;
            }
        }
        if self.shared.take_peer_wants_key_frame() {
            self.key_frame_asked = Some(now);
            self.events.send(TransportEvent::KeyFrameRequest { peer: self.id }).await;
        }
    }

    /// Learns the round trip from ICE, whose measurement is the one the crate's statistics get right.
    async fn measure(&self) {
        let report = self.connection.get_stats(Instant::now(), StatsSelector::None).await;
        for entry in report.iter() {
            if let RTCStatsReportEntry::IceCandidatePair(pair) = entry
                && pair.nominated
                && pair.current_round_trip_time > 0.0
                && let Ok(round_trip) = Duration::try_from_secs_f64(pair.current_round_trip_time)
            {
                self.shared.set_round_trip(round_trip);
            }
        }
    }

    /// Whether a relay is in the way. Without a pair to look at, which would be a defect of the crate, the answer is yes:
    /// the badge must not promise more than is known.
    async fn path(&self) -> Path {
        match self.selected_pair().await {
            Some((local, remote))
                if local != RTCIceCandidateType::Relay && remote != RTCIceCandidateType::Relay =>
            {
                Path::Direct
            }
            _ => Path::Relay,
        }
    }

    async fn is_paired(&self) -> bool {
        self.selected_pair().await.is_some()
    }

    async fn selected_pair(&self) -> Option<(RTCIceCandidateType, RTCIceCandidateType)> {
        let sender = self.connection.get_senders().await.into_iter().next()?;
        let ice = sender.transport().await.ok()??.ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        Some((pair.local().typ, pair.remote().typ))
    }
}
