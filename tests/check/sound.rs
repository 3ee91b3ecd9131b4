//! The played sound against the voice that was sent.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use lab::wav;
use serde_json::{Value, json};

use crate::correlate::{RATE, find, reduce};

/// Stretches that are looked for one by one: long enough for a word, short enough for the clocks' drift.
const STRETCH: usize = 2 * RATE;
/// A stretch quieter than this against the loudest one is a pause and says nothing.
const PAUSE_DB: f64 = -20.0;

/// Looks for each two seconds of the played sound in the source, which loops.
///
/// # Errors
/// When there is nothing to compare, when the likeness misses `at_least`, or when the own voice is heard as clearly.
pub(crate) fn compare(played: &Path, source: &Path, own: Option<&Path>, at_least: Option<f64>) -> Result<Value> {
    let played = reduce(&wav::read(played)?);
    let heard = likeness(&played, &looped(source)?).context("the played sound holds no voice")?;
    let own = own.map(|path| Ok::<_, anyhow::Error>(likeness(&played, &looped(path)?))).transpose()?.flatten();
    let report = json!({
        "seconds": played.len() / RATE,
        "stretches": heard.stretches,
        "correlation": round(heard.median),
        "correlation_min": round(heard.least),
        "lag_ms": heard.lag_ms,
        "lag_spread_ms": heard.lag_spread_ms,
        "level_db": round(heard.level_db),
        "own_voice_correlation": own.as_ref().map(|own| round(own.median)),
    });
    if let Some(limit) = at_least {
        ensure!(heard.median >= limit, "the correlation is below {limit}: {report}");
        ensure!(own.is_none_or(|own| own.median < limit), "the own voice is heard: {report}");
    }
    Ok(report)
}

/// The source twice, so that a stretch across its end is found too.
fn looped(path: &Path) -> Result<Vec<f64>> {
    let once = reduce(&wav::read(path)?);
    Ok([once.as_slice(), once.as_slice()].concat())
}

struct Likeness {
    stretches: usize,
    median: f64,
    least: f64,
    /// Start of the played sound within the loop of the source.
    lag_ms: u64,
    lag_spread_ms: u64,
    level_db: f64,
}

fn likeness(played: &[f64], source: &[f64]) -> Option<Likeness> {
    let energy = |stretch: &[f64]| stretch.iter().map(|sample| sample * sample).sum::<f64>();
    let loudest = played.chunks_exact(STRETCH).map(energy).fold(0.0, f64::max);
    let floor = loudest * 10_f64.powf(PAUSE_DB / 10.0);
    let period = source.len() / 2;
    let mut found: Vec<_> = played
        .chunks_exact(STRETCH)
        .enumerate()
        .filter(|(_, stretch)| energy(stretch) > floor)
        .filter_map(|(index, stretch)| {
            let best = find(stretch, source)?;
            // Where the played sound began within the loop, if this stretch is where it seems to be.
            let start = (best.at + period - (index * STRETCH) % period) % period;
            Some((best.likeness, start, best.level_db))
        })
        .collect();
    if found.is_empty() {
        return None;
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = found[found.len() / 2];
    let starts: Vec<usize> = found.iter().filter(|one| one.0 > 0.5).map(|one| one.1).collect();
    let spread = starts.iter().map(|&start| around(start, middle.1, period)).max().unwrap_or(0);
    Some(Likeness {
        stretches: found.len(),
        median: middle.0,
        least: found[0].0,
        lag_ms: to_ms(middle.1),
        lag_spread_ms: to_ms(spread),
        level_db: middle.2,
    })
}

/// Distance on a circle.
fn around(a: usize, b: usize, period: usize) -> usize {
    let distance = a.abs_diff(b);
    distance.min(period - distance.min(period))
}

fn to_ms(samples: usize) -> u64 {
    (samples * 1000 / RATE) as u64
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::noise::Noise;

    fn voice(seed: u64) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        (0..10 * RATE).map(|_| f64::from(noise.normal()) * 0.1).collect()
    }

    #[test]
    fn a_delayed_copy_is_the_voice_and_another_is_not() {
        let source = [voice(1), voice(1)].concat();
        let played: Vec<f64> = source[3 * RATE..13 * RATE].iter().map(|sample| sample * 0.5).collect();
        let heard = likeness(&played, &source).unwrap();
        assert!(heard.median > 0.99 && heard.lag_ms == 3000 && heard.lag_spread_ms == 0);
        assert!((heard.level_db + 6.02).abs() < 0.1);
        let other = [voice(2), voice(2)].concat();
        assert!(likeness(&played, &other).unwrap().median < 0.3);
    }
}
