//! Judges what a side received against what the other side sent: `quietroom-check pictures …`, `sound …`, `tone …`; and
//! whether a relay lets somebody in: `relay …`.
//!
//! Pictures are found by the number drawn into them, so a shown picture is compared with its own source.
//! Sound is compared by normalised cross-correlation: it must be the other side's voice, and not one's own.
//! Prints one JSON object; ends non-zero when a limit that was given is missed.

#![forbid(unsafe_code)]

mod correlate;
mod dump;
mod pictures;
mod relay;
mod sound;
mod tone;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::Value;

/// Judges what a side received against what the other side sent.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

/// What is judged.
#[derive(Debug, Subcommand)]
enum What {
    /// Luma PSNR of received pictures against the source pictures with the same number.
    Pictures {
        /// Folder with the dumped pictures.
        dump: PathBuf,
        /// Clip that the other side sent.
        source: PathBuf,
        /// Least mean PSNR in dB.
        #[arg(long)]
        at_least: Option<f64>,
    },
    /// Share and level of a steady tone in a recording.
    Tone {
        /// What was recorded at the far end.
        recording: PathBuf,
        /// Frequency in Hz.
        #[arg(long)]
        hz: f64,
        /// Least share of the tone in the power, from 0 to 1.
        #[arg(long)]
        at_least: Option<f64>,
    },
    /// Likeness, lag and level of the played sound.
    Sound {
        /// Sound that was played.
        played: PathBuf,
        /// Sound that the other side sent.
        source: PathBuf,
        /// Sound that this side sent, which must not be heard.
        #[arg(long)]
        own: Option<PathBuf>,
        /// Least correlation with the source, from 0 to 1.
        #[arg(long)]
        at_least: Option<f64>,
    },
    /// Whether a relay lets somebody in.
    Relay {
        /// Its address and port, by UDP.
        address: String,
        /// User name.
        #[arg(long, requires = "password")]
        username: Option<String>,
        /// Password.
        #[arg(long, requires = "username")]
        password: Option<String>,
    },
}

fn main() -> ExitCode {
    let (line, code) = match judge() {
        Ok(report) => (report.to_string(), ExitCode::SUCCESS),
        Err(error) => (format!("MISSED: {error:#}"), ExitCode::FAILURE),
    };
    // Without a reader the exit status still tells.
    writeln!(std::io::stdout(), "{line}").ok();
    code
}

fn judge() -> Result<Value> {
    match Arguments::parse().what {
        What::Pictures { dump, source, at_least } => pictures::compare(&dump, &source, at_least),
        What::Tone { recording, hz, at_least } => tone::measure(&recording, hz, at_least),
        What::Relay { address, username, password } => {
            relay::ask(&address, username.as_deref().zip(password.as_deref()))
        }
        What::Sound { played, source, own, at_least } => sound::compare(&played, &source, own.as_deref(), at_least),
    }
}
