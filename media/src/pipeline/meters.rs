//! Counters of one call, filled by the threads and read for [`MediaStats`](crate::stats::MediaStats).

use std::time::Duration;

use crate::codec::VideoCodec;
use crate::jitter::audio::JitterCounts;
use crate::stats::meter::{Flow, Freezes, Histogram};
use crate::stats::{AudioReceived, AudioSent, PathMedia, VideoReceived, VideoSent};
use crate::time::MediaTime;
use crate::transport::PeerStats;

/// What was sent.
#[derive(Default)]
pub(crate) struct SentMeter {
    since: Option<MediaTime>,
    codec: Option<(VideoCodec, u32, u32)>,
    video: Flow,
    key_frames: u64,
    voice_frames: u64,
    delay: Histogram,
    audio: Flow,
}

impl SentMeter {
    pub(crate) fn mark(&mut self, now: MediaTime) {
        *self = Self { since: Some(now), codec: self.codec, ..Self::default() };
    }

    pub(crate) fn video(
        &mut self,
        shape: (VideoCodec, u32, u32),
        key: bool,
        bytes: usize,
        captured: MediaTime,
        now: MediaTime,
    ) {
        self.codec = Some(shape);
        self.video.add(bytes, now);
        self.key_frames += u64::from(key);
        self.delay.add(now.since(captured));
    }

    /// A packet of so many frames of 20 ms was sent.
    pub(crate) fn audio(&mut self, frames: u8, bytes: usize, now: MediaTime) {
        self.audio.add(bytes, now);
        self.voice_frames += u64::from(frames);
    }

    pub(crate) fn window(&self, now: MediaTime) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    pub(crate) fn video_summary(&self) -> VideoSent {
        VideoSent {
            codec: self.codec.map(|(codec, ..)| codec),
            width: self.codec.map_or(0, |(_, width, _)| width),
            height: self.codec.map_or(0, |(_, _, height)| height),
            frames: self.video.frames,
            key_frames: self.key_frames,
            fps: self.video.per_second(),
            kbps: self.video.kbps(),
            latency_ms: self.delay.summary(),
        }
    }

    pub(crate) fn audio_summary(&self) -> AudioSent {
        AudioSent { frames: self.voice_frames, kbps: self.audio.kbps() }
    }
}

/// What came from one peer.
#[derive(Default)]
pub(crate) struct PeerMeter {
    codec: Option<(VideoCodec, u32, u32)>,
    video_arrived: Flow,
    video: Flow,
    decoded_delay: Histogram,
    shown_delay: Histogram,
    pub(crate) freezes: Freezes,
    pub(crate) key_requests: u64,
    pub(crate) video_lost: u64,
    audio: Flow,
    audio_delay: Histogram,
    counts: JitterCounts,
    /// The jitter buffer's counts at the mark.
    before: JitterCounts,
    pub(crate) undecryptable: u64,
    /// The transport's count at the mark and now.
    resent_before: u64,
    resent: u64,
    round_trip: Option<Duration>,
    path: PathMedia,
}

impl PeerMeter {
    pub(crate) fn mark(&mut self) {
        let mut freezes = std::mem::take(&mut self.freezes);
        freezes.mark();
        *self = Self {
            codec: self.codec,
            freezes,
            counts: self.counts,
            before: self.counts,
            resent_before: self.resent,
            resent: self.resent,
            round_trip: self.round_trip,
            path: self.path,
            ..Self::default()
        };
    }

    pub(crate) fn video_arrived(&mut self, bytes: usize, now: MediaTime) {
        self.video_arrived.add(bytes, now);
    }

    pub(crate) fn decoded(&mut self, shape: (VideoCodec, u32, u32), captured: MediaTime, now: MediaTime) {
        self.codec = Some(shape);
        self.video.add(0, now);
        self.decoded_delay.add(now.since(captured));
    }

    pub(crate) fn shown(&mut self, captured: MediaTime, now: MediaTime) {
        self.shown_delay.add(now.since(captured));
        self.freezes.shown(now);
    }

    pub(crate) fn audio_arrived(&mut self, bytes: usize, now: MediaTime) {
        self.audio.add(bytes, now);
    }

    pub(crate) fn played(&mut self, captured: MediaTime, now: MediaTime) {
        self.audio_delay.add(now.since(captured));
    }

    pub(crate) fn jitter(&mut self, counts: JitterCounts) {
        self.counts = counts;
    }

    pub(crate) fn transport(&mut self, stats: &PeerStats) {
        self.resent = stats.retransmissions_sent;
        self.round_trip = stats.round_trip;
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        self.path = PathMedia {
            estimate_kbps: stats.estimate.as_bps() as f64 / 1_000.0,
            target_kbps: stats.target.as_bps() as f64 / 1_000.0,
            queue_ms: ms(stats.path_queue),
            jitter_ms: ms(stats.path_jitter),
            backlog_ms: ms(stats.backlog),
            loss: stats.path_loss,
            received: stats.packets_received,
            missed: stats.packets_requested,
        };
    }

    pub(crate) fn path(&self) -> PathMedia {
        self.path
    }

    pub(crate) fn round_trip_ms(&self) -> Option<f64> {
        self.round_trip.map(|time| time.as_secs_f64() * 1_000.0)
    }

    pub(crate) fn retransmissions(&self) -> u64 {
        self.resent.saturating_sub(self.resent_before)
    }

    pub(crate) fn video_summary(&self) -> VideoReceived {
        VideoReceived {
            codec: self.codec.map(|(codec, ..)| codec),
            width: self.codec.map_or(0, |(_, width, _)| width),
            height: self.codec.map_or(0, |(_, _, height)| height),
            frames: self.video.frames,
            fps: self.video.per_second(),
            kbps: self.video_arrived.kbps(),
            freezes: self.freezes.count,
            frozen_ms: u64::try_from(self.freezes.frozen.as_millis()).unwrap_or(u64::MAX),
            key_frame_requests: self.key_requests,
            lost: self.video_lost,
            latency_ms: self.decoded_delay.summary(),
            shown_ms: self.shown_delay.summary(),
        }
    }

    pub(crate) fn audio_summary(&self) -> AudioReceived {
        let (now, before) = (self.counts, self.before);
        let played = now.played.saturating_sub(before.played);
        let concealed = now.concealed.saturating_sub(before.concealed);
        AudioReceived {
            frames: now.arrived.saturating_sub(before.arrived),
            played,
            concealed,
            concealed_ratio: concealed as f64 / played.max(1) as f64,
            corrected: now.corrected.saturating_sub(before.corrected),
            late: now.late.saturating_sub(before.late),
            kbps: self.audio.kbps(),
            latency_ms: self.audio_delay.summary(),
        }
    }
}
