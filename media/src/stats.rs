//! What the engine measured: rates, latencies, freezes, concealment.
//!
//! Counters start with the engine and begin anew at [`crate::Engine::mark_steady`], so that set-up is left out.
//! Latencies are capture time (carried inside the sealed payload) to here, and mean something only where both ends
//! share a monotonic clock, that is on one machine.

pub(crate) mod meter;

use std::time::Duration;

use crypto::LeafIndex;

use crate::codec::VideoCodec;

/// A snapshot of everything the engine counts since the last [`crate::Engine::mark_steady`].
#[derive(Clone, Debug, Default)]
pub struct MediaStats {
    /// Length of the measured window.
    pub window: Duration,
    /// Own video, encoded once for all peers.
    pub video_sent: VideoSent,
    /// Own voice, encoded once for all peers.
    pub audio_sent: AudioSent,
    /// What arrived, one entry per peer, in the order the peers were added.
    pub peers: Vec<PeerMedia>,
}

/// Own video as sent.
#[derive(Clone, Debug, Default)]
pub struct VideoSent {
    /// Codec of the newest frame, or none before the first.
    pub codec: Option<VideoCodec>,
    /// Width of the newest frame in pixels.
    pub width: u32,
    /// Height of the newest frame in pixels.
    pub height: u32,
    /// Frames sealed and handed to the transport.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Frames a second between the first and the last frame of the window.
    pub fps: f64,
    /// Sealed bytes once (not once per peer), in kbit/s.
    pub kbps: f64,
    /// Capture to handed to the transport, in milliseconds.
    pub latency_ms: Latency,
}

/// Own voice as sent.
#[derive(Clone, Debug, Default)]
pub struct AudioSent {
    /// 20 ms frames sealed and handed to the transport.
    pub frames: u64,
    /// Sealed bytes once (not once per peer), in kbit/s.
    pub kbps: f64,
}

/// What arrived from one peer.
#[derive(Clone, Debug)]
pub struct PeerMedia {
    /// Whose media this is.
    pub peer: LeafIndex,
    /// Its picture.
    pub video: VideoReceived,
    /// Its voice.
    pub audio: AudioReceived,
    /// Frames that did not open: unknown key, altered, replayed, or of another sender.
    pub undecryptable_frames: u64,
    /// Packets resent to this peer at its request.
    pub retransmissions: u64,
    /// Round trip of the path in milliseconds, where known.
    pub round_trip_ms: Option<f64>,
    /// The path between this peer and here.
    pub path: PathMedia,
}

/// A path, as far as it is known here. Counts run from the begin of the association.
#[derive(Clone, Copy, Debug, Default)]
pub struct PathMedia {
    /// What it carries to the peer, in kbit/s.
    pub estimate_kbps: f64,
    /// What may be sent now: the estimate, or less while a queue is emptied.
    pub target_kbps: f64,
    /// Queue that stands on it, in milliseconds.
    pub queue_ms: f64,
    /// How much later than the quickest ones our packets come, beside that queue: a mean of the last 64, in milliseconds.
    pub jitter_ms: f64,
    /// How long what waits here takes to leave, in milliseconds.
    pub backlog_ms: f64,
    /// Share of our packets that it lost lately, 0 to 1.
    pub loss: f64,
    /// Packets that came.
    pub received: u64,
    /// Packets that were missing when they were due, whether they came later or not.
    pub missed: u64,
}

/// A peer's picture as received.
#[derive(Clone, Debug, Default)]
pub struct VideoReceived {
    /// Codec of the newest picture, or none before the first.
    pub codec: Option<VideoCodec>,
    /// Width of the newest picture in pixels.
    pub width: u32,
    /// Height of the newest picture in pixels.
    pub height: u32,
    /// Decoded pictures.
    pub frames: u64,
    /// Pictures a second between the first and the last of the window.
    pub fps: f64,
    /// Received sealed bytes in kbit/s.
    pub kbps: f64,
    /// Gaps between shown pictures longer than `max(3 × mean, mean + 150 ms)` of the last 30 gaps
    /// (the definition of W3C webrtc-stats `freezeCount`).
    pub freezes: u64,
    /// Sum of those gaps in milliseconds.
    pub frozen_ms: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// Frames the transport gave up.
    pub lost: u64,
    /// Capture to decoded picture, in milliseconds.
    pub latency_ms: Latency,
    /// Capture to picture in its slot (after lip sync), in milliseconds.
    pub shown_ms: Latency,
}

/// A peer's voice as received.
#[derive(Clone, Debug, Default)]
pub struct AudioReceived {
    /// Frames that arrived and opened.
    pub frames: u64,
    /// Frames of 20 ms that were due since the voice began.
    pub played: u64,
    /// Invented ones among them.
    pub concealed: u64,
    /// Share of played time that was invented because nothing arrived in time, 0 to 1. Forward error correction counts
    /// as arrived.
    pub concealed_ratio: f64,
    /// Frames rebuilt by in-band forward error correction.
    pub corrected: u64,
    /// Frames that came after their time.
    pub late: u64,
    /// Received sealed bytes in kbit/s.
    pub kbps: f64,
    /// Capture to handed to the output ring, in milliseconds.
    pub latency_ms: Latency,
}

/// A distribution of delays in milliseconds. All zero when nothing was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Number of measurements.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Largest.
    pub max: f64,
}
