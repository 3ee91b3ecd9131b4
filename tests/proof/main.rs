//! `e2ee-proof`: judges the capture of a call, for people who do not take our word (E2EE 9.9).
//!
//! It links none of the house's crates. Frames are opened by the `sframe` crate, SRTP by `rtc`.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use lab::proof::audit::Audit;
use lab::proof::keys::KeyFiles;
use lab::proof::pcap::Capture;
use lab::proof::real::Real;

/// Accounts for every byte of a captured call. Ends with 0 only if all of it is explained.
#[derive(Debug, Parser)]
struct Options {
    /// The capture, in the classic pcap format
    capture: PathBuf,
    /// A key file that a client wrote after an assessor call; give those of all members
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Address of the server, where its connections are in the capture too
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Option<SocketAddr>,
    /// Judge a real call, without keys: by form, order and sizes alone
    #[arg(long, conflicts_with = "keys")]
    real: bool,
    /// With --real: a file whose content must not be found in clear, such as a picture before it was encoded
    #[arg(long, value_name = "FILE", requires = "real")]
    known: Option<PathBuf>,
}

/// Longest piece of known content that is read: some pictures.
const MAX_KNOWN: u64 = 64 << 20;
/// Longest key file: the largest that a client writes, in text.
const MAX_KEY_FILE: u64 = 256 << 20;

fn main() -> ExitCode {
    let outcome = run(&Options::parse());
    let (text, code) = match outcome {
        Ok((text, true)) => (text, ExitCode::SUCCESS),
        Ok((text, false)) => (text, ExitCode::FAILURE),
        Err(error) => (format!("FAIL: {error:#}"), ExitCode::from(2)),
    };
    // Nobody may be there any more to read it; the code tells as well.
    writeln!(std::io::stdout(), "{text}").ok();
    code
}

fn run(options: &Options) -> Result<(String, bool)> {
    let file = File::open(&options.capture).context("the capture cannot be opened")?;
    let mut capture = Capture::open(BufReader::new(file)).context("the capture cannot be read")?;
    if options.real {
        let known = options.known.as_ref().map(|path| read(path, MAX_KNOWN)).transpose()?.unwrap_or_default();
        let mut real = Real::new(options.server, &known);
        while let Some(packet) = capture.packet().context("the capture cannot be read on")? {
            real.packet(&packet);
        }
        let report = real.finish();
        return Ok((report.to_string(), report.passes()));
    }
    ensure!(!options.keys.is_empty(), "give the key files with --keys, or --real for a call without any");
    let mut files = KeyFiles::default();
    for path in &options.keys {
        if let Err(why) = files.add(&read(path, MAX_KEY_FILE)?) {
            bail!("{}: {why}", path.display());
        }
    }
    let mut audit = Audit::new(files, options.server);
    while let Some(packet) = capture.packet().context("the capture cannot be read on")? {
        audit.packet(&packet);
    }
    let report = audit.finish();
    Ok((report.to_string(), report.passes()))
}

/// Reads at most `limit` bytes of a file.
fn read(path: &PathBuf, limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}
