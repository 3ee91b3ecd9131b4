//! Figures that need whole consultations: `quietroom-bench`, which `scripts/bench.sh` runs.
//!
//! Each scenario is one call of `quietroom-demo` over a network made by `netlab`. It judges from outside, by the timelines of
//! both clients, the network's own counts and the reports.
//!
//! - [`scenario`]: what the network does, and which figures come of it.
//! - [`timeline`]: what was shown, heard, sent and lost.
//! - [`figure`]: one printed line.
//! - [`flood`]: the competing download.
//! - [`packets`]: which protocol they were of.
//! - [`mesh`]: calls of several.
//! - [`long`]: an hour of one.

#![forbid(unsafe_code)]

mod figure;
mod flood;
mod long;
mod mesh;
mod packets;
mod scenario;
mod timeline;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use serde_json::Value;

use self::figure::say;
use self::packets::Packets;
use self::scenario::{Scenario, scenarios};
use self::timeline::{HOST, Link, PATIENT, THIRD, Way};

/// Figures of whole consultations.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Calls over bad networks.
    Transport {
        /// The program `netlab`.
        #[arg(long)]
        netlab: PathBuf,
        /// Folder with both sides' clips.
        #[arg(long)]
        content: PathBuf,
        /// Only scenarios whose names begin so.
        #[arg(long)]
        only: Vec<String>,
        /// Folder that keeps every timeline, for a closer look.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// What each further party costs, and a call of six.
    Mesh {
        /// Folder with both sides' clips.
        #[arg(long)]
        content: PathBuf,
        /// The same at half of each side.
        #[arg(long)]
        half: PathBuf,
    },
    /// One long call.
    Long {
        /// Its length.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Folder with both sides' clips.
        #[arg(long)]
        content: PathBuf,
        /// Folder that keeps the timelines.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Sends to an address over TCP without pause.
    Flood { to: String },
    /// Takes what comes over TCP.
    Sink { at: String },
}

/// What came of a call.
struct Call {
    /// From the host to the patient, and back.
    ways: [Way; 2],
    /// From the host to a second guest, where there is one.
    third: Option<Way>,
    links: [Link; 2],
    reports: [Value; 2],
    /// Where the network kept them.
    packets: Option<Packets>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Transport { netlab, content, only, keep } => transport(&netlab, &content, &only, keep.as_deref()),
        What::Mesh { content, half } => own().and_then(|own| mesh::mesh(&content, &half, &own)),
        What::Long { minutes, content, keep } => {
            own().and_then(|own| long::long(minutes, &content, keep.as_deref(), &own))
        }
        What::Flood { to } => flood::flood(&to),
        What::Sink { at } => flood::sink(&at),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn own() -> Result<PathBuf> {
    std::env::current_exe().context("cannot tell where this program lies")
}

/// Every scenario in its order. One that could not be measured is told, and fails the whole at its end.
fn transport(netlab: &Path, content: &Path, only: &[String], keep: Option<&Path>) -> Result<()> {
    let own = own()?;
    let mut failed = Vec::new();
    for scenario in scenarios(&own) {
        if !only.is_empty() && !only.iter().any(|name| scenario.name.starts_with(name.as_str())) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let place = keep.map_or_else(|| folder.path().to_owned(), |keep| keep.join(scenario.name));
        match call(&scenario, netlab, content, &place, &own) {
            Ok(call) => (scenario.judge)(&call),
            Err(error) => {
                say(&format!("#    {}: NOT MEASURED: {error:#}", scenario.name));
                failed.push(scenario.name);
            }
        }
    }
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}

fn call(scenario: &Scenario, netlab: &Path, content: &Path, place: &Path, own: &Path) -> Result<Call> {
    fs::create_dir_all(place).context("no folder for the timelines")?;
    let mut demo = Command::new(own.with_file_name("quietroom-demo"));
    demo.args(["--headless", "--no-processing", "--seconds", &scenario.seconds.to_string()]);
    demo.arg("--netlab")
        .arg(netlab)
        .arg("--content")
        .arg(content)
        .arg("--timeline")
        .arg(place)
        .arg("--report")
        .arg(place);
    for link in &scenario.links {
        demo.args(["--link", link]);
    }
    for at in &scenario.changes {
        demo.args(["--at", at]);
    }
    demo.args(scenario.more);
    let log = fs::File::create(place.join("demo.log"))?;
    let status =
        demo.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).status().context("no quietroom-demo")?;
    let said = fs::read_to_string(place.join("demo.log")).unwrap_or_default();
    ensure!(status.success(), "the call failed: {}", said.lines().last().unwrap_or_default());
    let report =
        |side: &str| -> Result<Value> { Ok(serde_json::from_slice(&fs::read(place.join(format!("{side}.json")))?)?) };
    Ok(Call {
        ways: [Way::read(place, HOST, PATIENT)?, Way::read(place, PATIENT, HOST)?],
        third: if scenario.more.contains(&"--guests") { Some(Way::read(place, HOST, THIRD)?) } else { None },
        links: [Link::read(place, "ab")?, Link::read(place, "ba")?],
        reports: [report("host")?, report("patient")?],
        packets: if scenario.more.contains(&"--ipv6") { Some(Packets::read(place)?) } else { None },
    })
}
