//! What a picture costs on its way, stage by stage, how good it is, and what is done to a voice: `./scripts/bench.sh media` runs it
//! with the clips of the demonstration.
//!
//! Each cost is the median over pictures of the CPU time, which other work on the machine disturbs least, with the
//! wall time beside it. Allocations are counted in the steady state, those of the libraries too.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its figures")]

mod clip;
mod quality;
mod stages;
mod voice;

use std::io::{Error, Result};
use std::path::Path;

use media::codec::{CodecProbe, probe_codecs};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<()> {
    // cargo adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let path = arguments.next().ok_or_else(|| Error::other("usage: figures FOLDER"))?;
    probe()?;
    let folder = Path::new(&path);
    let clip = clip::read(&folder.join("host.y4m"))?;
    stages::figures(&clip)?;
    quality::figures(&clip)?;
    drop(clip);
    voice::figures(folder)
}

/// What the start of a call would pick on this machine, and why.
fn probe() -> Result<()> {
    let probes = probe_codecs().map_err(Error::other)?;
    for probe in &probes {
        let millis = probe.encode.as_secs_f64() * 1e3;
        figure("-", &format!("probe: {} encodes 720p", probe.codec.name()), millis, "ms", None);
    }
    let fast = probes.iter().filter(|probe| probe.fast_enough()).map(|probe| probe.codec.name());
    println!(
        "-    fast enough (below {} ms a picture): {}",
        CodecProbe::AV1_LIMIT.as_millis(),
        fast.collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

/// Prints one figure; without a target it has no verdict.
fn figure(number: &str, name: &str, value: f64, unit: &str, most: Option<f64>) {
    let (target, verdict) = match most {
        Some(most) => (format!("<= {most}"), if value <= most { "ok" } else { "miss" }),
        None => ("-".to_owned(), "-"),
    };
    println!("{number:<4} {name:<58} {value:>10.3} {unit:<5} {target:<8} {verdict}");
}

/// CPU and wall seconds that `work` takes.
fn timed<T>(work: impl FnOnce() -> T) -> (Cost, T) {
    let start = Cost::now();
    let result = work();
    let end = Cost::now();
    (Cost { cpu: end.cpu - start.cpu, wall: end.wall - start.wall }, result)
}

#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

impl Cost {
    fn now() -> Self {
        let seconds = |clock| {
            let time = clock_gettime(clock);
            time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
        };
        // All threads of the process: the segmentation has one of its own.
        Self { cpu: seconds(ClockId::ProcessCPUTime), wall: seconds(ClockId::Monotonic) }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
