//! A synthetic voice: syllables of a gliding buzz through formants, with pauses. Sounds like a hummed sentence.
//!
//! It exercises what speech exercises (codec's voice mode, echo canceller, pauses) without a recording of anybody.

use crate::frame::AudioFrame;

/// Endless, and the same for the same variant.
#[derive(Clone, Debug)]
pub struct Voice {
    pitch_hz: f32,
    syllable: usize,
    position: u64,
    phase: f32,
    formants: [Formant; 3],
}

/// A two-pole resonator.
#[derive(Clone, Debug, Default)]
struct Formant {
    last: f32,
    before: f32,
}

/// Vowel-like formant frequencies in Hz: a, e, i, o, u.
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1_090.0, 2_440.0],
    [530.0, 1_840.0, 2_480.0],
    [270.0, 2_290.0, 3_010.0],
    [570.0, 840.0, 2_410.0],
    [300.0, 870.0, 2_240.0],
];

const RATE: f32 = AudioFrame::RATE as f32;

/// One syllable is 160 ms of sound and 40 ms of pause; every eighth is silent.
const SYLLABLE: usize = 9_600;
const SOUNDING: usize = 7_680;

/// Peak level of the output, about −12 dB.
const PEAK: f32 = 0.25;

impl Voice {
    /// A voice; variants differ in pitch (95 to 235 Hz) and order of vowels.
    #[must_use]
    pub fn new(variant: u8) -> Self {
        Self {
            pitch_hz: 95.0 + f32::from(variant % 8) * 20.0,
            syllable: usize::from(variant),
            position: 0,
            phase: 0.0,
            formants: Default::default(),
        }
    }

    /// Writes the next samples, −1 to 1, mono at 48 kHz.
    pub fn fill(&mut self, samples: &mut [f32]) {
        for sample in samples {
            *sample = self.next();
        }
    }

    fn next(&mut self) -> f32 {
        let at = (self.position % SYLLABLE as u64) as usize;
        if at == 0 {
            self.syllable = self.syllable.wrapping_mul(5).wrapping_add(3) & 0xff;
        }
        self.position += 1;
        let silent = (self.position / SYLLABLE as u64) % 8 == 7;
        let envelope =
            if at < SOUNDING && !silent { (std::f32::consts::PI * at as f32 / SOUNDING as f32).sin() } else { 0.0 };
        // The pitch falls within a syllable, as in speech.
        let glide = 1.15 - 0.3 * at as f32 / SYLLABLE as f32;
        self.phase = (self.phase + self.pitch_hz * glide / RATE).fract();
        let buzz = (2.0 * self.phase - 1.0) * envelope;
        let vowel = VOWELS[self.syllable % VOWELS.len()];
        let sum: f32 = self.formants.iter_mut().zip(vowel).map(|(formant, hz)| formant.pass(buzz, hz)).sum();
        (sum * 0.5).tanh() * PEAK
    }
}

impl Formant {
    /// Bandwidth 90 Hz, unity gain at the peak.
    fn pass(&mut self, input: f32, hz: f32) -> f32 {
        let radius = (-std::f32::consts::PI * 90.0 / RATE).exp();
        let angle = std::f32::consts::TAU * hz / RATE;
        let gain = (1.0 - radius) * (1.0 - 2.0 * radius * (2.0 * angle).cos() + radius * radius).sqrt();
        let output = gain * input * 8.0 + 2.0 * radius * angle.cos() * self.last - radius * radius * self.before;
        self.before = self.last;
        self.last = output;
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_loud_enough_bounded_and_has_pauses() {
        let mut samples = vec![0.0; 3 * AudioFrame::RATE as usize];
        Voice::new(2).fill(&mut samples);
        let loudest = samples.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!((0.1..=PEAK).contains(&loudest), "{loudest}");
        let quiet = samples.chunks(480).filter(|chunk| chunk.iter().all(|sample| sample.abs() < 0.001)).count();
        assert!(quiet > 20, "{quiet}");
    }

    #[test]
    fn variants_differ_and_repeat() {
        let take = |variant| {
            let mut samples = vec![0.0; 4_800];
            Voice::new(variant).fill(&mut samples);
            samples
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
