//! What the tasks and chain stages of one association share: counters and flags, no lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::track::Flow;
use super::{Budget, MediaKind, PeerStats};
use crate::rate::Estimator;
use crate::time::{Bitrate, MediaTime};

/// A counter of [`PeerStats`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    PacketsSent,
    PacketsReceived,
    BytesSent,
    BytesReceived,
    RetransmissionsSent,
    RetransmissionsReceived,
    PacketsRequested,
    PacketsLost,
    PacketsExpired,
    FramesSent,
    FramesReceived,
    FramesLost,
    FramesDropped,
    KeyFramesRequested,
    PayloadsRefused,
    HeartbeatsRefused,
}

/// How long set-up is hurried. Longer burns CPU for peers that cannot be reached.
const SETUP: Duration = Duration::from_secs(3);

const COUNTS: usize = Count::HeartbeatsRefused as usize + 1;

/// Counters, flags and the latest round trip of one association.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    counts: [AtomicU64; COUNTS],
    /// In microseconds, zero when unknown.
    round_trip: AtomicU64,
    /// Our flows.
    flows: Mutex<Vec<(MediaKind, Flow)>>,
    /// When the peer's description was applied, in microseconds.
    described: AtomicU64,
    connected: AtomicBool,
    was_connected: AtomicBool,
    /// What may be sent to the peer, in bit/s, and how long what waits takes to leave, in microseconds.
    budget: AtomicU64,
    backlog: AtomicU64,
    /// What its path carries, in bit/s, the queue on it and its jitter, in microseconds, and the share of packets it loses, in
    /// millionths.
    estimate: AtomicU64,
    queue: AtomicU64,
    jitter: AtomicU64,
    loss: AtomicU64,
    /// Smoothed share of parity among the packets of pictures, in millionths.
    parity: AtomicU64,
    /// How often what was made for the path did not fit it any more.
    breaks: AtomicU64,
    /// Of the camera's pictures and of those of the shared window, here and below.
    peer_wants_key_frame: [AtomicBool; 2],
    we_want_key_frame: [AtomicBool; 2],
    /// Wakes the association's task to look at `peer_wants_key_frame`.
    pub(crate) peer_asked: Notify,
    /// Wakes the receiver of these pictures to look at `we_want_key_frame`.
    pub(crate) we_asked: [Notify; 2],
    #[cfg(feature = "lab")]
    tap: std::sync::OnceLock<tokio::sync::mpsc::Sender<bytes::Bytes>>,
}

impl Shared {
    pub(crate) fn count(&self, count: Count, by: u64) {
        if by > 0
            && let Some(counter) = self.counts.get(count as usize)
        {
            counter.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Notes one of our flows.
    pub(crate) fn set_flow(&self, kind: MediaKind, flow: Flow) {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).push((kind, flow));
    }

    /// The flow in which packets of this one are sent again.
    pub(crate) fn repair_of(&self, ssrc: u32) -> Option<u32> {
        self.flow(ssrc).map(|(_, flow)| flow.rtx_ssrc)
    }

    fn flow(&self, ssrc: u32) -> Option<(MediaKind, Flow)> {
        let flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows.iter().find(|(_, flow)| flow.ssrc == ssrc).copied()
    }

    pub(crate) fn set_round_trip(&self, round_trip: Duration) {
        self.round_trip.store(micros(round_trip).max(1), Ordering::Relaxed);
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        match self.round_trip.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(micros)),
        }
    }

    pub(crate) fn set_budget(&self, rate: Bitrate, backlog: Duration) {
        self.budget.store(rate.as_bps(), Ordering::Relaxed);
        self.backlog.store(micros(backlog), Ordering::Relaxed);
    }

    /// What may be sent to the peer, and how long what waits takes to leave. `None` before the first packet.
    pub(crate) fn budget(&self) -> Option<Budget> {
        let rate = Some(self.budget.load(Ordering::Relaxed)).filter(|rate| *rate > 0)?;
        Some(Budget {
            rate: Bitrate::bps(rate),
            backlog: Duration::from_micros(self.backlog.load(Ordering::Relaxed)),
            loss: self.path_loss(),
            parity: self.parity.load(Ordering::Relaxed) as f64 / 1e6,
            breaks: self.breaks.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn set_path(&self, path: &Estimator) {
        self.estimate.store(path.estimate().as_bps(), Ordering::Relaxed);
        self.queue.store(micros(path.queue()), Ordering::Relaxed);
        self.jitter.store(micros(path.jitter()), Ordering::Relaxed);
        self.loss.store((path.loss() * 1e6) as u64, Ordering::Relaxed);
    }

    pub(crate) fn path_loss(&self) -> f64 {
        self.loss.load(Ordering::Relaxed) as f64 / 1e6
    }

    /// A picture left with so many parity packets beside its own.
    pub(crate) fn note_parity(&self, parity: u8, own: usize) {
        let share = f64::from(parity) / (f64::from(parity) + own.max(1) as f64);
        let smoothed = self.parity.load(Ordering::Relaxed) as f64 * 0.9 + share * 1e5;
        self.parity.store(smoothed as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_described(&self, now: MediaTime) {
        self.described.store(now.as_micros(), Ordering::Relaxed);
    }

    pub(crate) fn since_described(&self, now: MediaTime) -> Duration {
        now.since(MediaTime::from_micros(self.described.load(Ordering::Relaxed)))
    }

    /// Whether descriptions were exchanged a short while ago and the association is not connected yet.
    pub(crate) fn is_setting_up(&self, now: MediaTime) -> bool {
        !self.was_connected.load(Ordering::Relaxed) && self.since_described(now) < SETUP
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
        if connected {
            self.was_connected.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// The path collapsed, or came back after a cut: the peer can decode nothing until a key frame, and a small one is there soonest.
    pub(crate) fn note_break(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
        self.peer_wants_key_frame(MediaKind::Video);
        self.peer_wants_key_frame(MediaKind::Screen);
    }

    /// A flag instead of a message: a peer that floods requests fills no queue.
    pub(crate) fn peer_wants_key_frame(&self, kind: MediaKind) {
        self.peer_wants_key_frame[kind.picture()].store(true, Ordering::Release);
        self.peer_asked.notify_one();
    }

    /// The peer asks for a key frame of this flow of ours.
    pub(crate) fn peer_wants_key_frame_of(&self, ssrc: u32) {
        if let Some((kind @ (MediaKind::Video | MediaKind::Screen), _)) = self.flow(ssrc) {
            self.peer_wants_key_frame(kind);
        }
    }

    pub(crate) fn take_peer_wants_key_frame(&self, kind: MediaKind) -> bool {
        self.peer_wants_key_frame[kind.picture()].swap(false, Ordering::AcqRel)
    }

    pub(crate) fn want_key_frame(&self, kind: MediaKind) {
        self.we_want_key_frame[kind.picture()].store(true, Ordering::Release);
        self.we_asked[kind.picture()].notify_one();
    }

    pub(crate) fn take_want_key_frame(&self, kind: MediaKind) -> bool {
        self.we_want_key_frame[kind.picture()].swap(false, Ordering::AcqRel)
    }

    #[cfg(feature = "lab")]
    pub(crate) fn set_tap(&self, tap: Option<tokio::sync::mpsc::Sender<bytes::Bytes>>) {
        if let Some(tap) = tap {
            self.tap.get_or_init(|| tap);
        }
    }

    #[cfg(feature = "lab")]
    pub(crate) fn tap(&self, payload: &bytes::Bytes) {
        if let Some(tap) = self.tap.get() {
            tap.try_send(payload.clone()).ok();
        }
    }

    pub(crate) fn stats(&self) -> PeerStats {
        let get = |count: Count| self.counts.get(count as usize).map_or(0, |counter| counter.load(Ordering::Relaxed));
        PeerStats {
            packets_sent: get(Count::PacketsSent),
            packets_received: get(Count::PacketsReceived),
            bytes_sent: get(Count::BytesSent),
            bytes_received: get(Count::BytesReceived),
            retransmissions_sent: get(Count::RetransmissionsSent),
            retransmissions_received: get(Count::RetransmissionsReceived),
            packets_requested: get(Count::PacketsRequested),
            packets_lost: get(Count::PacketsLost),
            packets_expired: get(Count::PacketsExpired),
            frames_sent: get(Count::FramesSent),
            frames_received: get(Count::FramesReceived),
            frames_lost: get(Count::FramesLost),
            frames_dropped: get(Count::FramesDropped),
            key_frames_requested: get(Count::KeyFramesRequested),
            payloads_refused: get(Count::PayloadsRefused),
            heartbeats_refused: get(Count::HeartbeatsRefused),
            round_trip: self.round_trip(),
            estimate: Bitrate::bps(self.estimate.load(Ordering::Relaxed)),
            target: Bitrate::bps(self.budget.load(Ordering::Relaxed)),
            path_queue: Duration::from_micros(self.queue.load(Ordering::Relaxed)),
            path_jitter: Duration::from_micros(self.jitter.load(Ordering::Relaxed)),
            path_loss: self.path_loss(),
            backlog: Duration::from_micros(self.backlog.load(Ordering::Relaxed)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
