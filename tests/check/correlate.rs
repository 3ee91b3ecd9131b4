//! Normalised cross-correlation of two sounds, through the frequency domain.
//!
//! Voices are compared at 8 kHz: what a codec changes lies above, and a wrong voice differs below.

use std::f64::consts::TAU;

use lab::wav;

/// Samples per second of the comparison.
pub(crate) const RATE: usize = 8_000;

/// The best place of a stretch within a longer sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// Correlation there, from -1 to 1.
    pub(crate) likeness: f64,
    /// Sample at which the stretch begins.
    pub(crate) at: usize,
    /// Level of the stretch against the sound there, in dB.
    pub(crate) level_db: f64,
}

/// Reduces a sound to [`RATE`]: the mean of each six samples, after two passes over neighbours against aliasing.
pub(crate) fn reduce(sound: &[f32]) -> Vec<f64> {
    let step = wav::RATE / RATE;
    let smooth = |sound: &[f64]| -> Vec<f64> {
        let ends = sound.len();
        (0..ends)
            .map(|at| {
                let window = &sound[at.saturating_sub(2)..(at + 3).min(ends)];
                window.iter().sum::<f64>() / window.len() as f64
            })
            .collect()
    };
    let sound: Vec<f64> = sound.iter().map(|&sample| f64::from(sample)).collect();
    smooth(&smooth(&sound)).chunks_exact(step).map(|group| group.iter().sum::<f64>() / step as f64).collect()
}

/// Finds `stretch` in `sound`; `None` when the stretch is silent or longer than the sound.
pub(crate) fn find(stretch: &[f64], sound: &[f64]) -> Option<Match> {
    let energy: f64 = stretch.iter().map(|sample| sample * sample).sum();
    if stretch.is_empty() || stretch.len() > sound.len() || energy < 1e-9 {
        return None;
    }
    let size = (sound.len() + stretch.len()).next_power_of_two();
    let mut a = padded(sound, size);
    let mut b = padded(stretch, size);
    transform(&mut a, false);
    transform(&mut b, false);
    for (a, b) in a.iter_mut().zip(&b) {
        *a = (a.0 * b.0 + a.1 * b.1, a.1 * b.0 - a.0 * b.1);
    }
    transform(&mut a, true);

    let mut under: f64 = sound[..stretch.len()].iter().map(|sample| sample * sample).sum();
    let mut best: Option<Match> = None;
    for at in 0..=sound.len() - stretch.len() {
        let likeness = a[at].0 / size as f64 / (energy * under.max(1e-9)).sqrt();
        if best.is_none_or(|best| likeness > best.likeness) {
            best = Some(Match { likeness, at, level_db: 10.0 * (energy / under.max(1e-9)).log10() });
        }
        if let Some(next) = sound.get(at + stretch.len()) {
            under += next * next - sound[at] * sound[at];
        }
    }
    best
}

fn padded(sound: &[f64], size: usize) -> Vec<(f64, f64)> {
    let mut values: Vec<(f64, f64)> = sound.iter().map(|&sample| (sample, 0.0)).collect();
    values.resize(size, (0.0, 0.0));
    values
}

/// Fourier transform in place (radix 2); the inverse is not scaled.
fn transform(values: &mut [(f64, f64)], inverse: bool) {
    let size = values.len();
    let bits = size.trailing_zeros();
    if bits == 0 {
        return;
    }
    for index in 0..size {
        let mirrored = index.reverse_bits() >> (usize::BITS - bits);
        if index < mirrored {
            values.swap(index, mirrored);
        }
    }
    let mut half = 1;
    while half < size {
        let angle = if inverse { TAU } else { -TAU } / (2 * half) as f64;
        let turns: Vec<(f64, f64)> =
            (0..half).map(|k| (angle * k as f64).sin_cos()).map(|(sin, cos)| (cos, sin)).collect();
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((low, high), turn) in low.iter_mut().zip(high).zip(&turns) {
                let turned = (high.0 * turn.0 - high.1 * turn.1, high.0 * turn.1 + high.1 * turn.0);
                *high = (low.0 - turned.0, low.1 - turned.1);
                *low = (low.0 + turned.0, low.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::noise::Noise;

    fn noise(seed: u64, length: usize) -> Vec<f64> {
        let mut noise = Noise::new(seed);
        (0..length).map(|_| f64::from(noise.normal())).collect()
    }

    #[test]
    fn a_quieter_stretch_is_found_at_its_place() {
        let sound = noise(1, 5000);
        let stretch: Vec<f64> = sound[1234..2234].iter().map(|sample| sample * 0.5).collect();
        let found = find(&stretch, &sound).unwrap();
        assert_eq!(found.at, 1234);
        assert!(found.likeness > 0.999 && (found.level_db + 6.02).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn another_voice_is_not_found() {
        assert!(find(&noise(2, 1000), &noise(1, 5000)).unwrap().likeness < 0.3);
    }

    #[test]
    fn silence_and_overlong_stretches_are_no_match() {
        assert!(find(&[0.0; 10], &noise(1, 100)).is_none());
        assert!(find(&noise(1, 200), &noise(1, 100)).is_none());
        assert!(find(&[], &[]).is_none());
    }
}
