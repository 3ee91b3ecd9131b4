//! Whether a recording holds a steady tone: its share of the whole power, in stretches of 100 ms (Goertzel's filter).
//!
//! Within so short a stretch a joined or repeated piece of sound costs little; a wrong tone costs everything.

use std::f64::consts::TAU;
use std::path::Path;

use anyhow::{Result, ensure};
use lab::wav;
use serde_json::{Value, json};

/// Stretches a second.
const STRETCHES: usize = 10;
/// Power below this, against full scale, is silence.
const SILENCE: f64 = 1e-8;

/// Measures the tone of `hz` in each stretch that is not silent, the first and the last second left out.
///
/// # Errors
/// When there is no such stretch, or the median share misses `at_least`.
pub(crate) fn measure(recording: &Path, hz: f64, at_least: Option<f64>) -> Result<Value> {
    let sound = wav::read(recording)?;
    let heard: Vec<&[f32]> =
        sound.chunks_exact(wav::RATE / STRETCHES).filter(|stretch| power(stretch) > SILENCE).collect();
    ensure!(heard.len() > 2 * STRETCHES, "{} holds no steady sound", recording.display());
    let steady = &heard[STRETCHES..heard.len() - STRETCHES];
    let mut shares: Vec<(f64, f64)> =
        steady.iter().map(|stretch| (tone(stretch, hz) / power(stretch), power(stretch))).collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (share, power) = shares[shares.len() / 2];
    let report = json!({
        "hz": hz,
        "seconds": shares.len() as f64 / STRETCHES as f64,
        "share": (share * 1000.0).round() / 1000.0,
        "share_p05": (shares[shares.len() / 20].0 * 1000.0).round() / 1000.0,
        "level_dbfs": (100.0 * power.log10()).round() / 10.0,
    });
    if let Some(limit) = at_least {
        ensure!(share >= limit, "the tone's share is below {limit}: {report}");
    }
    Ok(report)
}

fn power(sound: &[f32]) -> f64 {
    sound.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / sound.len() as f64
}

/// Power of the part that swings with `hz`.
fn tone(sound: &[f32], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / wav::RATE as f64).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in sound {
        (last, before) = (f64::from(sample) + turn * last - before, last);
    }
    let length = sound.len() as f64;
    2.0 * (last * last + before * before - turn * last * before) / (length * length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64) -> Vec<f32> {
        (0..wav::RATE).map(|at| (TAU * hz * at as f64 / wav::RATE as f64).sin() as f32 * 0.5).collect()
    }

    #[test]
    fn a_tone_is_all_of_itself_and_nothing_of_another() {
        let sound = sine(997.0);
        assert!((tone(&sound, 997.0) / power(&sound) - 1.0).abs() < 0.01);
        assert!(tone(&sound, 1499.0) / power(&sound) < 0.01);
    }
}
