//! What a change of epochs costs a call: P14, the removed party, and the storm (E2EE 7, 9.4 and 9.5).
//!
//! Real engines with synthetic voices and real groups, in one process; an ordered log in memory; media over UDP through
//! a relay that delays, loses and reorders. Prints one line a figure, as the other benches.
//!
//! `epochs [removal] [renewal] [storm] [--removals N] [--withheld N] [--seconds N] [--members N]`, all three by default.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its figures")]

#[path = "../loopback_call/clinic.rs"]
mod clinic;
mod ledger;
mod log;
mod member;
mod path;
mod removal;
mod renewal;
mod storm;
mod thief;
mod world;

pub(crate) type Failure = Box<dyn std::error::Error>;

struct Options {
    parts: Vec<String>,
    removals: usize,
    withheld: usize,
    seconds: u64,
    members: usize,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let mut options = Self { parts: Vec::new(), removals: 50, withheld: 3, seconds: 20, members: 8 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--removals" => options.removals = value()?.parse()?,
                "--withheld" => options.withheld = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--members" => options.members = value()?.parse()?,
                "removal" | "renewal" | "storm" => options.parts.push(argument),
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        if !(storm::STAY + 1..=16).contains(&options.members) {
            return Err("a storm has 4 to 16 members".into());
        }
        Ok(options)
    }

    fn runs(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<(), Failure> {
    let options = Options::parse()?;
    if options.runs("removal") {
        removal::figures(options.removals, options.withheld).await?;
    }
    if options.runs("renewal") {
        renewal::figures(options.seconds).await?;
    }
    if options.runs("storm") {
        storm::figures(options.seconds, options.members).await?;
    }
    Ok(())
}

/// Prints one figure; without a target it has no verdict.
fn figure(number: &str, name: &str, value: f64, unit: &str, most: Option<f64>) {
    let (target, verdict) = match most {
        Some(most) => (format!("<= {most}"), if value <= most { "ok" } else { "miss" }),
        None => ("-".to_owned(), "-"),
    };
    let digits = if value.fract() == 0.0 { 0 } else { 1 };
    println!("{number:<4} {name:<66} {value:>8.digits$} {unit:<6} {target:<8} {verdict}");
}

/// The value that this share of all does not exceed; 0 of none.
fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn millis(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
