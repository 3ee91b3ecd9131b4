//! The program `quietroom-lab`: the same client with measuring aids, never shipped.

use std::alloc::System;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use client::cli::Cli;
use client::session::driver::Aids;
use media::transport::{Spoil, Spoiling};
use zeroizing_alloc::ZeroAlloc;

/// As in the program that people get.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// The client with measuring aids.
#[derive(Debug, Parser)]
struct LabCli {
    /// Write every 10th received picture and the played sound to this folder
    #[arg(long, value_name = "DIR", global = true)]
    dump: Option<PathBuf>,
    /// Write when each picture was shown and each piece of sound played, moment by moment, to this file
    #[arg(long, value_name = "FILE", global = true)]
    timeline: Option<PathBuf>,
    /// Let the clock of a sound file run faster by so many millionths
    #[arg(long, value_name = "PPM", global = true, default_value_t = 0, allow_negative_numbers = true)]
    skew: i32,
    /// Spoil the own sound and pictures behind their sealing, as a hostile member would: "altered" or "bare"
    #[arg(long, value_name = "HOW")]
    spoil: Option<Spoiling>,
    /// From when on, in seconds from the first frame
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "spoil")]
    spoil_from: u64,
    /// Until when
    #[arg(long, value_name = "SECONDS", default_value_t = 20, requires = "spoil")]
    spoil_until: u64,
    /// Drive the window by JSON lines on standard input
    #[arg(long)]
    auto: bool,
    #[command(flatten)]
    cli: Cli,
}

fn main() -> anyhow::Result<()> {
    let LabCli { dump, timeline, skew, spoil, spoil_from, spoil_until, auto, cli } = LabCli::parse();
    let (after, until) = (Duration::from_secs(spoil_from), Duration::from_secs(spoil_until));
    let aids = Aids { dump, timeline, skew_ppm: skew, tap: None, spoil: spoil.map(|how| Spoil { how, after, until }) };
    client::start::run(&cli, aids, |handle| {
        client::app::run_with(handle, move |ctx| {
            if auto {
                client::ui::auto::install(ctx);
            }
        })
    })
}
