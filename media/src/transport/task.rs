//! The task of one association: what the connection reports becomes events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::statistics::StatsSelector;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceCandidateType, RTCIceConnectionState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCStatsReportEntry,
};

use super::outbox::Events;
use super::shared::Shared;
use super::track::Receiver;
use super::{MediaKind, Path, PeerId, Refusal, Signal, TransportEvent, candidate};
use crate::time::MediaTime;

/// What callbacks may have under way to the association's task: candidates, states and tracks, all few.
const CALLBACKS: usize = 256;
/// Least time between two key-frame requests of a peer that reach the encoder. A key frame costs ten others.
const KEY_REQUEST_INTERVAL: Duration = Duration::from_millis(250);
/// Time from a path being found to DTLS being complete. A certificate that is not the one named makes the crate below fail
/// the handshake without a word, so silence is what tells. Shorter would refuse peers on slow, lossy links.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// Time between two looks at the round trip.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);

/// What the callbacks, which run on the connection's own driver task and must return at once, hand on.
pub(crate) enum Callback {
    Candidate(RTCIceCandidateInit),
    State(RTCPeerConnectionState),
    PathFound,
    Track(Arc<dyn TrackRemote>),
    ForeignChannel,
}

/// Runs on the driver task of the connection, so it only hands on.
pub(crate) struct Handler(mpsc::Sender<Callback>);

impl Handler {
    /// A handler and what it hands on to. When that is full, which needs a task that is stuck, callbacks are dropped.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Callback>) {
        let (sender, receiver) = mpsc::channel(CALLBACKS);
        (Self(sender), receiver)
    }

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

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        if state == RTCIceConnectionState::Connected {
            self.hand_on(Callback::PathFound);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.hand_on(Callback::State(state));
    }

    async fn on_data_channel(&self, _: Arc<dyn DataChannel>) {
        self.hand_on(Callback::ForeignChannel);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.hand_on(Callback::Track(track));
    }
}

/// The task of an association: turns callbacks into events.
pub(crate) struct Task {
    id: PeerId,
    connection: Arc<dyn PeerConnection>,
    events: Events,
    shared: Arc<Shared>,
    was_connected: bool,
    closed: bool,
    /// Of the camera's pictures and of those of the shared window.
    key_frame_asked: [Option<MediaTime>; 2],
    handshake_due: Option<Instant>,
    /// Candidates must not tell this computer's address.
    hides: bool,
}

impl Task {
    pub(crate) fn new(
        id: PeerId,
        connection: Arc<dyn PeerConnection>,
        events: Events,
        shared: Arc<Shared>,
        hides: bool,
    ) -> Self {
        Self {
            id,
            connection,
            events,
            shared,
            was_connected: false,
            closed: false,
            key_frame_asked: [None; 2],
            handshake_due: None,
            hides,
        }
    }

    /// Runs until the association is dropped or fails. The receivers are its children and end with it.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Callback>) {
        let mut receivers = JoinSet::new();
        let mut measure = tokio::time::interval(MEASURE_INTERVAL);
        measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.closed {
            let handshake_due = self.handshake_due;
            tokio::select! {
                callback = inbox.recv() => match callback {
                    Some(Callback::Candidate(candidate)) => self.on_candidate(candidate).await,
                    Some(Callback::PathFound) => self.on_path_found(),
                    Some(Callback::State(state)) => self.on_state(state).await,
                    // Voice, camera and shared window were negotiated; their receivers outlive a disconnection.
                    Some(Callback::Track(track)) if receivers.len() < 3 => {
                        let receiver =
                            Receiver::new(self.id, track, Arc::clone(&self.shared), self.events.clone());
                        receivers.spawn(receiver.run());
                    }
                    Some(Callback::Track(_)) => {}
                    // The one channel was negotiated beforehand, so whoever opens another wants something else of us. It could
                    // also make the crate below keep what nobody reads.
                    Some(Callback::ForeignChannel) => self.refuse(Refusal::Malformed).await,
                    None => return,
                },
                () = until(handshake_due) => self.refuse(Refusal::Handshake).await,
                () = self.shared.peer_asked.notified() => self.on_key_frame_request().await,
                _ = measure.tick(), if self.shared.is_connected() => self.measure().await,
            }
        }
    }

    async fn on_candidate(&self, candidate: RTCIceCandidateInit) {
        // None at the end of candidates: checks go on by themselves.
        if candidate::reaches(&candidate.candidate) != Some(true) {
            return;
        }
        let RTCIceCandidateInit { mut candidate, sdp_mid, sdp_mline_index, .. } = candidate;
        if self.hides {
            candidate = without_related_address(&candidate);
        }
        let signal = Signal::Candidate { candidate, mid: sdp_mid, index: sdp_mline_index };
        self.events.send(TransportEvent::Signal { peer: self.id, signal }).await;
    }

    fn on_path_found(&mut self) {
        if !self.was_connected {
            self.handshake_due = Some(Instant::now() + HANDSHAKE_LIMIT);
        }
    }

    async fn on_state(&mut self, state: RTCPeerConnectionState) {
        let peer = self.id;
        match state {
            RTCPeerConnectionState::Connected => {
                self.was_connected = true;
                self.handshake_due = None;
                self.shared.set_connected(true);
                let setup = self.shared.since_described(MediaTime::now());
                let path = self.path().await;
                self.events.send(TransportEvent::Connected { peer, path, setup }).await;
            }
            RTCPeerConnectionState::Disconnected => self.disconnected().await,
            RTCPeerConnectionState::Failed if self.was_connected => self.disconnected().await,
            RTCPeerConnectionState::Failed if self.handshake_due.is_some() => {
                self.refuse(Refusal::Handshake).await;
            }
            RTCPeerConnectionState::Failed => self.refuse(Refusal::Unreachable).await,
            RTCPeerConnectionState::Closed => {
                self.closed = true;
                self.disconnected().await;
            }
            _ => {}
        }
    }

    async fn refuse(&mut self, reason: Refusal) {
        self.closed = true;
        self.shared.set_connected(false);
        // The sockets go now; the association itself waits for its owner to remove it.
        self.connection.close().await.ok();
        let event = TransportEvent::Refused { peer: self.id, reason };
        self.events.send(event).await;
    }

    async fn disconnected(&self) {
        if self.shared.is_connected() {
            self.shared.set_connected(false);
            self.events.send(TransportEvent::Disconnected { peer: self.id }).await;
        }
    }

    async fn on_key_frame_request(&mut self) {
        let now = MediaTime::now();
        for kind in [MediaKind::Video, MediaKind::Screen] {
            // A request within the interval is answered by the key frame under way; the peer asks again if it is not.
            let asked = &mut self.key_frame_asked[kind.picture()];
            let recent = asked.is_some_and(|asked| now.since(asked) < KEY_REQUEST_INTERVAL);
            if !recent && self.shared.take_peer_wants_key_frame(kind) {
                *asked = Some(now);
                self.events.send(TransportEvent::KeyFrameRequest { peer: self.id, kind }).await;
            }
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
            Some((local, remote)) if local != RTCIceCandidateType::Relay && remote != RTCIceCandidateType::Relay => {
                Path::Direct
            }
            _ => Path::Relay,
        }
    }

    async fn selected_pair(&self) -> Option<(RTCIceCandidateType, RTCIceCandidateType)> {
        let sender = self.connection.get_senders().await.into_iter().next()?;
        let ice = sender.transport().await.ok()??.ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        Some((pair.local().typ, pair.remote().typ))
    }
}

/// A candidate without the address that it was gathered from (RFC 8839 section 5.1: it may be replaced by zeros).
pub(super) fn without_related_address(candidate: &str) -> String {
    let mut words: Vec<&str> = candidate.split(' ').collect();
    for at in 1..words.len() {
        match words[at - 1] {
            "raddr" => words[at] = "0.0.0.0",
            "rport" => words[at] = "9",
            _ => {}
        }
    }
    words.join(" ")
}

/// Ends at `due`, never without one.
pub(crate) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_candidate_says_nothing_of_where_it_was_gathered() {
        let full = "candidate:1 1 udp 41885439 203.0.113.9 3478 typ relay raddr 192.168.1.20 rport 50000";
        let hidden = "candidate:1 1 udp 41885439 203.0.113.9 3478 typ relay raddr 0.0.0.0 rport 9";
        assert_eq!(without_related_address(full), hidden);
        assert_eq!(without_related_address(hidden), hidden);
        assert_eq!(without_related_address("candidate:1 raddr"), "candidate:1 raddr");
    }
}
