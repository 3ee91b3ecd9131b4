//! Ten seconds of voice, and how far it opens the mouth.

use lab::{barcode::COUNT, wav};

use crate::Variant;

const SAMPLES: usize = 10 * wav::RATE;

/// Exactly ten seconds: the given speech, repeated or cut, or a voice-like buzz with pauses.
pub(crate) fn ten_seconds(speech: Option<Vec<f32>>, variant: Variant) -> Vec<f32> {
    match speech {
        Some(speech) if !speech.is_empty() => speech.into_iter().cycle().take(SAMPLES).collect(),
        _ => (0..SAMPLES).map(|index| buzz(index as f64 / wav::RATE as f64, variant)).collect(),
    }
}

/// Nineteen harmonics of a voice's pitch, in syllables.
fn buzz(t: f64, variant: Variant) -> f32 {
    let (pitch, syllables) = if variant == Variant::Host { (120.0, 4.0) } else { (205.0, 3.0) };
    if (std::f64::consts::TAU * syllables * t).sin() <= -0.2 {
        return 0.0;
    }
    let tone: f64 = (1..20).map(|k| (std::f64::consts::TAU * pitch * f64::from(k) * t).sin() / f64::from(k)).sum();
    (tone * 0.12) as f32
}

/// Loudness of each picture's stretch of sound, from 0 to 1.
pub(crate) fn loudness(sound: &[f32]) -> Vec<f32> {
    sound
        .chunks_exact(SAMPLES / usize::from(COUNT))
        .map(|stretch| {
            let power = stretch.iter().map(|sample| sample * sample).sum::<f32>() / stretch.len() as f32;
            (power.sqrt() * 6.0).min(1.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_speech_becomes_ten_seconds_with_a_loudness_for_each_picture() {
        for speech in [None, Some(Vec::new()), Some(vec![0.5; 1000]), Some(vec![0.5; SAMPLES + 7])] {
            let sound = ten_seconds(speech, Variant::Patient);
            assert_eq!(sound.len(), SAMPLES);
            let loudness = loudness(&sound);
            assert_eq!(loudness.len(), usize::from(COUNT));
            assert!(loudness.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
