//! What both sides measured: one JSON file each, checked for completeness, and a summary on the terminal.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::options::{Options, Side};
use crate::programs::say;

/// Every figure that a report must hold.
const FIGURES: [&str; 41] = [
    "/role",
    "/versions",
    "/codec",
    "/knock_ms",
    "/admit_to_first_audio_ms",
    "/admit_to_first_video_ms",
    "/transport_setup_ms",
    "/video/width",
    "/video/height",
    "/video/fps_sent",
    "/video/fps_decoded",
    "/video/kbps_sent",
    "/video/freezes",
    "/video/frozen_ms",
    "/video/latency_ms/p50",
    "/video/latency_ms/p95",
    "/video/latency_ms/max",
    "/audio/kbps_sent",
    "/audio/concealed_ratio",
    "/audio/concealed",
    "/audio/corrected",
    "/audio/late",
    "/audio/latency_ms/p50",
    "/audio/latency_ms/p95",
    "/path/round_trip_ms",
    "/path/jitter_ms",
    "/path/estimate_kbps",
    "/path/estimate_kbps_min",
    "/path/queue_ms",
    "/path/queue_ms_max",
    "/path/loss",
    "/path/received",
    "/path/missed",
    "/retransmissions",
    "/undecryptable_frames",
    "/epochs",
    "/cpu_s_per_s",
    "/rss_mb_max",
    "/video",
    "/audio",
    "/path",
];

/// Where the reports go: the folder asked for, or one that vanishes.
pub(crate) struct Folder {
    path: PathBuf,
    // Held for its end only.
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    /// Makes the folder asked for, or a temporary one.
    pub(crate) fn new(asked: Option<&Path>) -> Result<Self> {
        if let Some(path) = asked {
            fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
            return Ok(Self { path: path.to_owned(), _temporary: None });
        }
        let temporary = tempfile::tempdir()?;
        Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// Where `side` writes.
    pub(crate) fn path(&self, side: Side) -> PathBuf {
        self.path.join(format!("{}.json", side.name()))
    }
}

/// Prints one line a participant, and fails when a report lacks a figure.
pub(crate) fn summarise(folder: &Folder, options: &Options) -> Result<()> {
    for side in options.sides() {
        let path = folder.path(side);
        let bytes = fs::read(&path).with_context(|| format!("step \"reports\": {} is missing", path.display()))?;
        let report: Value = serde_json::from_slice(&bytes).context("a report that is no JSON")?;
        // Who gets nothing measures nothing, and a host measures the first guest that sends.
        let quiet = |place: &&str| options.listeners && !place.starts_with("/cpu") && !place.starts_with("/rss");
        let missing: Vec<_> = missing(&report).into_iter().filter(|place| !quiet(place)).collect();
        ensure!(missing.is_empty(), "step \"reports\": the {}'s lacks {}", side.name(), missing.join(", "));
        say(&line(side, &report));
    }
    Ok(())
}

fn missing(report: &Value) -> Vec<&'static str> {
    FIGURES.into_iter().filter(|place| report.pointer(place).is_none_or(Value::is_null)).collect()
}

fn line(side: Side, report: &Value) -> String {
    let figure = |place: &str| report.pointer(place).map_or_else(|| "?".to_owned(), Value::to_string);
    format!(
        "{:7} {} {}x{}, {} fps decoded, {} kbit/s sent, picture {} / {} ms (p50 / p95), first picture {} ms and sound {} ms \
         after admit, CPU {} s/s, {} MB",
        side.name(),
        report.pointer("/codec").and_then(Value::as_str).unwrap_or("?"),
        figure("/video/width"),
        figure("/video/height"),
        figure("/video/fps_decoded"),
        figure("/video/kbps_sent"),
        figure("/video/latency_ms/p50"),
        figure("/video/latency_ms/p95"),
        figure("/admit_to_first_video_ms"),
        figure("/admit_to_first_audio_ms"),
        figure("/cpu_s_per_s"),
        figure("/rss_mb_max"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_figure_is_named() {
        let mut report =
            serde_json::json!({ "video": { "latency_ms": {} }, "audio": { "latency_ms": {} }, "path": {} });
        for place in FIGURES {
            let (parent, name) = place.rsplit_once('/').unwrap();
            let object = report.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            object.entry(name).or_insert_with(|| 1.into());
        }
        assert!(missing(&report).is_empty());
        report["video"]["fps_decoded"] = Value::Null;
        assert_eq!(missing(&report), ["/video/fps_decoded"]);
    }
}
