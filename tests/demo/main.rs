//! One consultation on this machine: `quietroom-demo`, which `scripts/demo.sh` runs.
//!
//! It starts the server on loopback with fresh data, makes a practice and a clinician with a second factor through the
//! programs' own commands, and then either opens two windows or drives two clients without a window, by the same
//! commands that a person gives. It judges from outside: it links none of the crates that it runs.
//!
//! - [`programs`]: child processes and their lines.
//! - [`bootstrap`]: server, practice, clinician, patient's folder.
//! - [`journey`]: the consultation without windows.
//! - [`party`]: the same with several guests.
//! - [`network`]: what lies between the two, when it is to be more than this machine.
//! - [`windows`]: the consultation with windows, and what the terminal shows for it.
//! - [`auto`]: the same, clicked through by role and label.
//! - [`relay`]: a relay between the two, when one is asked for.
//! - [`report`]: what both sides measured.
//! - [`usage`]: CPU and memory of the clients.
//! - [`canaries`]: what is left of the secrets in memory, database and logs.

#![forbid(unsafe_code)]

mod auto;
mod bootstrap;
mod canaries;
mod journey;
mod network;
mod options;
mod party;
mod programs;
mod relay;
mod released;
mod report;
mod usage;
mod windows;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use options::{Options, Side};

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            programs::say(&format!("the demonstration could not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(until_told(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            programs::say(&format!("FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the consultation, or ends early on ctrl-c and `kill`; either way every child is gone afterwards.
async fn until_told(options: &Options) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = consultation(options) => result,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("told to end"),
    }
}

/// Reads the clips once, so that they lie in memory: a call takes 41 MB a second of each, which a disk does not give while
/// it still writes down what was just built.
fn read_through(clips: &[PathBuf]) -> Result<()> {
    for clip in clips {
        let mut file = File::open(clip).with_context(|| format!("the clip {}", clip.display()))?;
        std::io::copy(&mut file, &mut std::io::sink()).with_context(|| format!("the clip {}", clip.display()))?;
    }
    Ok(())
}

async fn consultation(options: &Options) -> Result<()> {
    ensure!(options.headless || options.auto || !options.canaries, "--canaries goes with --headless or --auto");
    ensure!(options.headless || options.guests == 1, "--guests goes with --headless");
    let clips: Vec<_> = [Side::Host, Side::Patient].into_iter().filter_map(|side| options.video_of(side)).collect();
    tokio::task::spawn_blocking(move || read_through(&clips)).await??;
    let folder = tempfile::Builder::new().prefix("quietroom-demo-").tempdir().context("no temporary folder")?;
    let house = bootstrap::House::build(folder.path(), options).await?;
    let party = options.guests > 1 || options.listeners;
    match (options.headless, party) {
        (true, false) => journey::run(house, options).await,
        (true, true) => party::run(house, options).await,
        (false, _) => windows::run(house, options).await,
    }
}
