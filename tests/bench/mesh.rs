//! P7: what each further party costs who sends, and a call of six.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::figure::Target::{AtMost, None as Free};
use super::figure::figure;

/// How long each call lasts, in seconds.
const SECONDS: u64 = 20;

/// What the consultation said of one participant.
struct Taken {
    who: String,
    cpu: f64,
    memory: f64,
    fps: Option<f64>,
}

/// Both.
///
/// # Errors
/// When a call fails.
pub(crate) fn mesh(content: &Path, half: &Path, own: &Path) -> Result<()> {
    let mut sender = Vec::new();
    for guests in [1_u8, 2, 5] {
        let taken = call(own, content, &["--guests", &guests.to_string(), "--listeners", "--kbps", "2500"])?;
        let host = taken.first().context("no host")?;
        figure("P7", &format!("720p at 2.5 Mbit/s to {guests}: CPU of the sender"), host.cpu, "s/s", Free);
        sender.push((f64::from(guests), host.cpu));
    }
    if let (Some(first), Some(last)) = (sender.first(), sender.last()) {
        let each = (last.1 - first.1) / (last.0 - first.0);
        figure("P7", "each further party costs the sender", each, "s/s", AtMost(0.03));
    }
    for taken in call(own, half, &["--guests", "5", "--kbps", "600"])? {
        let who = &taken.who;
        figure("P7", &format!("six parties at 360p, {who}: CPU"), taken.cpu, "s/s", Free);
        figure("P7", &format!("six parties at 360p, {who}: memory"), taken.memory, "MB", Free);
        figure(
            "P7",
            &format!("six parties at 360p, {who}: pictures a second of a peer"),
            taken.fps.unwrap_or(f64::NAN),
            "",
            Free,
        );
    }
    Ok(())
}

fn call(own: &Path, content: &Path, more: &[&str]) -> Result<Vec<Taken>> {
    let reports = tempfile::tempdir()?;
    let mut demo = Command::new(own.with_file_name("quietroom-demo"));
    demo.args(["--headless", "--no-processing", "--seconds", &SECONDS.to_string(), "--content"]).arg(content);
    demo.arg("--report").arg(reports.path()).args(more);
    let output = demo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("no quietroom-demo")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "the call failed: {}", said.lines().last().unwrap_or_default());
    let taken: Vec<Taken> = said.lines().filter_map(|line| taken(line, reports.path())).collect();
    ensure!(!taken.is_empty(), "the call told nothing of what it took");
    Ok(taken)
}

/// "host    CPU 0.312 s/s, memory 71 MB"
fn taken(line: &str, reports: &Path) -> Option<Taken> {
    let (who, rest) = line.split_once(" CPU ")?;
    let (cpu, rest) = rest.split_once(" s/s, memory ")?;
    let memory = rest.strip_suffix(" MB")?;
    let who = who.trim().to_owned();
    let report = std::fs::read(reports.join(format!("{who}.json"))).ok();
    let report: Option<serde_json::Value> = report.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let fps = report.and_then(|report| report.pointer("/video/fps_decoded")?.as_f64());
    Some(Taken { who, cpu: cpu.parse().ok()?, memory: memory.parse().ok()?, fps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_says_is_read() {
        let read = taken("guest-3 CPU 0.312 s/s, memory 71 MB", Path::new("/nowhere")).unwrap();
        assert_eq!((read.who.as_str(), read.cpu, read.memory, read.fps), ("guest-3", 0.312, 71.0, None));
        assert!(taken("6 are in the call", Path::new("/nowhere")).is_none());
    }
}
