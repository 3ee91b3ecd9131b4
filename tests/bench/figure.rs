//! One printed line: P number, name, value, unit, target, verdict.

use std::io::Write;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    None,
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    // A closed terminal must not end a measurement.
    writeln!(std::io::stdout(), "{line}").ok();
}

/// Prints a figure. One that could not be taken misses its target.
pub(crate) fn figure(number: &str, name: &str, value: f64, unit: &str, target: Target) {
    say(&line(number, name, value, unit, target));
}

fn line(number: &str, name: &str, value: f64, unit: &str, target: Target) -> String {
    let digits = if value.abs() < 10.0 { 2 } else { 1 };
    let (wanted, verdict) = match target {
        Target::AtMost(limit) => (format!("<= {limit}"), if value <= limit { "ok" } else { "miss" }),
        Target::AtLeast(limit) => (format!(">= {limit}"), if value >= limit { "ok" } else { "miss" }),
        Target::None => ("-".to_owned(), "-"),
    };
    format!("{number:4} {name:58} {value:9.digits$} {unit:7} {wanted:10} {verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_taken_misses() {
        for target in [Target::AtMost(1.0), Target::AtLeast(1.0)] {
            assert!(line("P8", "x", f64::NAN, "ms", target).ends_with("miss"));
        }
        assert!(line("P8", "x", 1.0, "ms", Target::AtMost(1.0)).ends_with("ok"));
        assert!(line("P8", "x", 1.0, "ms", Target::None).ends_with('-'));
    }
}
