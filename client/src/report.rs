//! The JSON report of a consultation: what was measured, never who spoke.

use std::path::Path;
use std::time::{Duration, Instant};

use crypto::LeafIndex;
use media::codec::VideoCodec;
use media::{EngineEvent, MediaStats, PathMedia};
use serde::Serialize;

use crate::session::Mark;

/// Set-up is left out of rates and latencies: they begin so long after the first peer is connected.
pub const WARM_UP: Duration = Duration::from_secs(2);

/// Kernel clock ticks a second in `/proc` (`USER_HZ`, fixed at 100 on Linux).
const TICKS: f64 = 100.0;

/// Gathers marks, events and counters until the consultation is over.
#[derive(Debug)]
pub struct ReportBook {
    role: &'static str,
    knock: Option<Instant>,
    knock_ms: Option<u64>,
    admit: Option<Instant>,
    first_audio_ms: Option<u64>,
    first_video_ms: Option<u64>,
    setup_ms: Option<u64>,
    epochs: u64,
    connected: Option<Instant>,
    /// CPU seconds of this process and the moment, when the warm-up was over.
    cpu_begin: Option<(f64, Instant)>,
    cpu_s_per_s: Option<f64>,
    stats: Option<MediaStats>,
    worst: Option<Worst>,
}

impl ReportBook {
    /// An empty book.
    pub fn new() -> Self {
        Self {
            role: "guest",
            knock: None,
            knock_ms: None,
            admit: None,
            first_audio_ms: None,
            first_video_ms: None,
            setup_ms: None,
            epochs: 0,
            connected: None,
            cpu_begin: None,
            cpu_s_per_s: None,
            stats: None,
            worst: None,
        }
    }

    /// A moment of the session.
    pub fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Host => self.role = "host",
            Mark::Knock => {
                self.knock.get_or_insert_with(Instant::now);
            }
            Mark::Known => {
                if let (Some(knock), None) = (self.knock, self.knock_ms) {
                    self.knock_ms = Some(millis(knock));
                }
            }
            Mark::Admit => self.admit = Some(Instant::now()),
            Mark::Epoch => self.epochs += 1,
        }
    }

    /// An event of the engine.
    pub fn on_engine(&mut self, event: &EngineEvent) {
        let since_admit = self.admit.map(millis);
        match event {
            EngineEvent::Connected { setup, .. } if self.connected.is_none() => {
                self.connected = Some(Instant::now());
                self.setup_ms = u64::try_from(setup.as_millis()).ok();
            }
            EngineEvent::FirstAudio { .. } if self.first_audio_ms.is_none() => self.first_audio_ms = since_admit,
            EngineEvent::FirstVideo { .. } if self.first_video_ms.is_none() => self.first_video_ms = since_admit,
            _ => {}
        }
    }

    /// Called now and then with what the engine has counted: begins the CPU measurement when the warm-up is over, and keeps what
    /// is worst.
    pub fn tick(&mut self, stats: Option<&MediaStats>) {
        if let Some(stats) = stats {
            self.watch(Instant::now(), stats);
        }
        if self.cpu_begin.is_none() && self.connected.is_some_and(|at| at.elapsed() >= WARM_UP) {
            self.cpu_begin = cpu_seconds().map(|cpu| (cpu, Instant::now()));
        }
    }

    /// Counters of the engine; those without a peer do not replace those with one.
    pub fn on_stats(&mut self, stats: MediaStats) {
        if !stats.peers.is_empty() {
            self.watch(Instant::now(), &stats);
            if let (Some((begin, at)), Some(end)) = (self.cpu_begin, cpu_seconds()) {
                self.cpu_s_per_s = Some((end - begin) / at.elapsed().as_secs_f64().max(0.001));
            }
            self.stats = Some(stats);
        }
    }

    /// The report of a consultation that took place, and an empty book again.
    pub fn finish(&mut self) -> Option<String> {
        let book = std::mem::take(self);
        if book.epochs == 0 {
            return None;
        }
        serde_json::to_string_pretty(&book.report()).ok()
    }

    /// Keeps what was worst of the first peer's path. A bad moment is long over when the last figures are taken.
    fn watch(&mut self, now: Instant, stats: &MediaStats) {
        // Before the first packet nothing is estimated.
        let Some(peer) = stats.peers.first().filter(|peer| peer.path.estimate_kbps > 0.0) else { return };
        if self.worst.as_ref().is_none_or(|worst| worst.peer != peer.peer) {
            self.worst = Some(Worst { peer: peer.peer, since: now, queue_ms: None, estimate_kbps: None });
        }
        if let Some(worst) = self.worst.as_mut().filter(|worst| now.duration_since(worst.since) >= WARM_UP) {
            let PathMedia { queue_ms, estimate_kbps, .. } = peer.path;
            worst.queue_ms = Some(worst.queue_ms.map_or(queue_ms, |most| most.max(queue_ms)));
            worst.estimate_kbps = Some(worst.estimate_kbps.map_or(estimate_kbps, |least| least.min(estimate_kbps)));
        }
    }

    fn report(&self) -> Report {
        let stats = self.stats.clone().unwrap_or_default();
        let peer = stats.peers.first();
        let video = peer.map(|peer| peer.video.clone()).unwrap_or_default();
        let audio = peer.map(|peer| peer.audio.clone()).unwrap_or_default();
        let path = peer.map(|peer| peer.path).unwrap_or_default();
        let worst = self.worst.as_ref().filter(|worst| peer.is_some_and(|peer| peer.peer == worst.peer));
        Report {
            role: self.role,
            versions: Versions {
                client: env!("CARGO_PKG_VERSION"),
                profile: crypto::PROFILE_VERSION,
                protocol: signaling::protocol::PROTOCOL_VERSION,
            },
            codec: stats.video_sent.codec.map(codec_name),
            knock_ms: self.knock_ms,
            admit_to_first_audio_ms: self.first_audio_ms,
            admit_to_first_video_ms: self.first_video_ms,
            transport_setup_ms: self.setup_ms,
            video: Video {
                width: video.width,
                height: video.height,
                fps_sent: round(stats.video_sent.fps),
                fps_decoded: round(video.fps),
                kbps_sent: round(stats.video_sent.kbps),
                freezes: video.freezes,
                frozen_ms: video.frozen_ms,
                latency_ms: Spread {
                    p50: round(video.latency_ms.p50),
                    p95: round(video.latency_ms.p95),
                    max: Some(round(video.latency_ms.max)),
                },
            },
            audio: Audio {
                kbps_sent: round(stats.audio_sent.kbps),
                concealed_ratio: audio.concealed_ratio,
                concealed: audio.concealed,
                corrected: audio.corrected,
                late: audio.late,
                latency_ms: Spread { p50: round(audio.latency_ms.p50), p95: round(audio.latency_ms.p95), max: None },
            },
            path: PathFigures {
                round_trip_ms: peer.and_then(|peer| peer.round_trip_ms).map(round),
                jitter_ms: round(path.jitter_ms),
                estimate_kbps: round(path.estimate_kbps),
                estimate_kbps_min: worst.and_then(|worst| worst.estimate_kbps).map(round),
                queue_ms: round(path.queue_ms),
                queue_ms_max: worst.and_then(|worst| worst.queue_ms).map(round),
                loss: path.loss,
                received: path.received,
                missed: path.missed,
            },
            retransmissions: stats.peers.iter().map(|peer| peer.retransmissions).sum(),
            undecryptable_frames: stats.peers.iter().map(|peer| peer.undecryptable_frames).sum(),
            epochs: self.epochs,
            cpu_s_per_s: self.cpu_s_per_s.map(|cpu| (cpu * 1_000.0).round() / 1_000.0),
            rss_mb_max: rss_mb_max(),
        }
    }
}

impl Default for ReportBook {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes a report; the folder must be there.
///
/// # Errors
/// Those of the disk.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

/// What was worst of a peer's path after its warm-up; `None` before.
#[derive(Debug)]
struct Worst {
    peer: LeafIndex,
    /// When it was estimated first.
    since: Instant,
    queue_ms: Option<f64>,
    estimate_kbps: Option<f64>,
}

#[derive(Serialize)]
struct Report {
    role: &'static str,
    versions: Versions,
    codec: Option<&'static str>,
    knock_ms: Option<u64>,
    admit_to_first_audio_ms: Option<u64>,
    admit_to_first_video_ms: Option<u64>,
    transport_setup_ms: Option<u64>,
    video: Video,
    audio: Audio,
    path: PathFigures,
    retransmissions: u64,
    undecryptable_frames: u64,
    epochs: u64,
    cpu_s_per_s: Option<f64>,
    rss_mb_max: Option<f64>,
}

#[derive(Serialize)]
struct Versions {
    client: &'static str,
    profile: u16,
    protocol: u16,
}

#[derive(Serialize)]
struct Video {
    width: u32,
    height: u32,
    fps_sent: f64,
    fps_decoded: f64,
    kbps_sent: f64,
    freezes: u64,
    frozen_ms: u64,
    latency_ms: Spread,
}

#[derive(Serialize)]
struct Audio {
    kbps_sent: f64,
    concealed_ratio: f64,
    concealed: u64,
    corrected: u64,
    late: u64,
    latency_ms: Spread,
}

/// Estimate, queue, jitter and loss are those of what was sent; received and missed packets count from the begin of the association.
#[derive(Serialize)]
struct PathFigures {
    round_trip_ms: Option<f64>,
    jitter_ms: f64,
    estimate_kbps: f64,
    estimate_kbps_min: Option<f64>,
    queue_ms: f64,
    queue_ms_max: Option<f64>,
    loss: f64,
    received: u64,
    missed: u64,
}

#[derive(Serialize)]
struct Spread {
    p50: f64,
    p95: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
}

fn codec_name(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H264 => "h264",
        VideoCodec::Av1 => "av1",
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// User and system time of all threads of this process, in seconds.
fn cpu_seconds() -> Option<f64> {
    parse_cpu(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Fields 14 and 15 of `proc_pid_stat(5)`; the name in field 2 may hold blanks and brackets.
fn parse_cpu(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// Largest resident size so far, in MB of 1,000,000 bytes.
fn rss_mb_max() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(round(kib * 1024.0 / 1_000_000.0))
}

#[cfg(test)]
mod tests;
