//! An hour of one call: memory, queues, freezes, and clocks that run apart.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::figure::Target::{AtMost, None as Free};
use super::figure::figure;
use super::timeline::{HOST, PATIENT, Way};

/// The patient's sound clock runs faster by so many millionths, the host's slower: more than two sound cards differ.
const SKEW_PPM: i32 = 300;
/// The begin of the call is left out, in milliseconds.
const SETTLED: f64 = 60_000.0;

/// Runs it and judges.
///
/// # Errors
/// When the call fails.
pub(crate) fn long(minutes: u64, content: &Path, keep: Option<&Path>, own: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = keep.unwrap_or_else(|| folder.path());
    fs::create_dir_all(place)?;
    let usage = place.join("usage.csv");
    let mut demo = Command::new(own.with_file_name("quietroom-demo"));
    demo.args(["--headless", "--no-processing", "--kbps", "1500", "--seconds", &(minutes * 60).to_string()]);
    demo.arg("--content").arg(content).arg("--timeline").arg(place).arg("--report").arg(place);
    demo.arg("--usage").arg(&usage).args(["--skew", &SKEW_PPM.to_string()]);
    let status = demo.stdin(Stdio::null()).stdout(Stdio::null()).status().context("no quietroom-demo")?;
    ensure!(status.success(), "the call failed");

    let rows = fs::read_to_string(&usage).context("no usage.csv")?;
    let rows: Vec<Vec<f64>> =
        rows.lines().map(|line| line.split(',').filter_map(|field| field.parse().ok()).collect()).collect();
    for (who, column) in [("host", 2), ("patient", 4)] {
        let memory: Vec<f64> = rows.iter().skip(6).filter_map(|row| row.get(column).copied()).collect();
        let (begin, end) = (mean(memory.iter().take(6)), mean(memory.iter().rev().take(6)));
        figure("P5", &format!("{minutes} min, {who}: memory in its second minute"), begin, "MB", AtMost(150.0));
        figure("P5", &format!("{minutes} min, {who}: memory grows by"), end - begin, "MB", AtMost(5.0));
    }
    let until = (minutes * 60) as f64 * 1_000.0;
    for (from, to) in [(PATIENT, HOST), (HOST, PATIENT)] {
        let (who, way) = (to.name, Way::read(place, from, to)?);
        let quarter = |part: f64| (SETTLED + (until - SETTLED) * part, SETTLED + (until - SETTLED) * (part + 0.25));
        let at = |part: f64| way.voice_latency(quarter(part).0, quarter(part).1, 95.0);
        figure(
            "-",
            &format!("{minutes} min, {who} hears: longest stall of the picture"),
            way.longest_stall(SETTLED, until),
            "ms",
            AtMost(500.0),
        );
        figure("-", &format!("{minutes} min, {who} hears: voice p95, first quarter"), at(0.0), "ms", Free);
        figure("-", &format!("{minutes} min, {who} hears: voice p95, last quarter"), at(0.75), "ms", Free);
        figure("-", &format!("{minutes} min, {who} hears: voice p95 grows by"), at(0.75) - at(0.0), "ms", AtMost(20.0));
        figure(
            "-",
            &format!("{minutes} min, {who} hears: voice concealed"),
            way.concealed(SETTLED, until) * 100.0,
            "%",
            AtMost(0.1),
        );
    }
    Ok(())
}

fn mean<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { f64::NAN }
}
