//! The program `quietroom-lab`: the same client with measuring aids, never shipped.

use std::alloc::System;
use std::path::PathBuf;

use clap::Parser;
use client::cli::Cli;
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
    /// Drive the window by JSON lines on standard input
    #[arg(long)]
    auto: bool,
    #[command(flatten)]
    cli: Cli,
}

fn main() -> anyhow::Result<()> {
    let LabCli { dump, auto, cli } = LabCli::parse();
    client::start::run(&cli, dump, |handle| {
        client::app::run_with(handle, move |ctx| {
            if auto {
                client::ui::auto::install(ctx);
            }
        })
    })
}
