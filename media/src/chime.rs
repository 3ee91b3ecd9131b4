//! The chime that tells a host of somebody at the door: two soft tones, made here and never sent.

use std::f32::consts::TAU;

use crate::frame::AudioFrame;

/// Tones in hertz, one after the other: a falling major third, heard well also by those who hear high tones badly.
const TONES: [f32; 2] = [660.0, 528.0];
/// Length of one tone in samples: 300 ms.
const TONE: usize = 14_400;
/// Rise at the beginning of a tone, in samples: 10 ms. Less is a click.
const RISE: usize = 480;
/// Peak, where full scale is 1: clearly below a voice.
const PEAK: f32 = 0.2;

/// A chime being played.
#[derive(Debug, Default)]
pub(crate) struct Chime {
    played: usize,
}

impl Chime {
    /// The next 10 ms at 48 kHz; `None` after the end.
    pub(crate) fn next(&mut self) -> Option<[f32; AudioFrame::SAMPLES]> {
        if self.played >= TONE * TONES.len() {
            return None;
        }
        let mut samples = [0.0; AudioFrame::SAMPLES];
        for sample in &mut samples {
            let (tone, at) = (self.played / TONE, self.played % TONE);
            let hertz = TONES.get(tone).copied().unwrap_or_default();
            let rise = (at as f32 / RISE as f32).min(1.0);
            let fall = 1.0 - at as f32 / TONE as f32;
            *sample = PEAK * rise * fall * fall * (TAU * hertz * at as f32 / AudioFrame::RATE as f32).sin();
            self.played += 1;
        }
        Some(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chime_is_soft_without_clicks_and_ends() {
        let mut chime = Chime::default();
        let played: Vec<f32> = std::iter::from_fn(|| chime.next()).flatten().collect();
        assert_eq!(played.len(), TONE * TONES.len());
        let loudest = played.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!((0.1..=PEAK).contains(&loudest), "{loudest}");
        let steepest = played.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.02, "{steepest}");
        assert!(chime.next().is_none());
    }
}
