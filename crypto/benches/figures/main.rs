//! What encryption costs: P20 and the parts of P6, one line a figure.
//!
//! `./scripts/bench.sh crypto`. Each figure is the median of several rounds, in CPU time of all its
//! threads, which other work on the machine disturbs least; ours and the raw cipher take turns.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its figures")]

mod group;
mod sealing;

use rustix::time::{ClockId, clock_gettime};

/// CPU seconds per second that P1 allows a call with H.264; P6 is one hundredth of it.
const CALL_CPU: f64 = 0.22;

fn main() {
    let frame = sealing::figures();
    let group = group::figures();
    share(frame, group);
}

/// P6 from its parts: a 1:1 call of 50 voice frames and 30 pictures of 6,250 bytes (1.5 Mbit/s)
/// each way, a path update of either side every 60 s and a message of each every 5 s.
///
/// The share in a real call is measured where one runs; this says whether it can be met.
fn share(frame: sealing::Costs, group: group::Costs) {
    let media = 50.0 * (frame.voice_seal + frame.voice_open) + 30.0 * (frame.picture_seal + frame.picture_open);
    let updates = (group.update + group.process) / 60.0;
    let messages = 2.0 * group.message / 5.0;
    let millis = (media + updates + messages) * 1e3;
    figure("P6", "sealing, opening and MLS in a second of a 1:1 call", millis, "ms", Some(CALL_CPU / 100.0 * 1e3));
}

/// Prints one figure; without a target it has no verdict.
fn figure(number: &str, name: &str, value: f64, unit: &str, most: Option<f64>) {
    let (target, verdict) = match most {
        Some(most) => (format!("<= {most}"), if value <= most { "ok" } else { "miss" }),
        None => ("-".to_owned(), "-"),
    };
    let digits = if value >= 100.0 { 0 } else { 3 };
    println!("{number:<4} {name:<58} {value:>10.digits$} {unit:<5} {target:<8} {verdict}");
}

/// CPU seconds that `work` takes.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu_seconds();
    let result = work();
    (cpu_seconds() - start, result)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
