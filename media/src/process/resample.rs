//! Sound of another rate than ours, to and from devices that have no 48 kHz.

use std::collections::VecDeque;

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::error::MediaError;

/// Converts one channel in pieces of some 10 ms: sound goes in and comes out in any pieces. Adds about 10 ms of delay.
pub(crate) struct Resampler {
    inner: Fft<f32>,
    input: [Vec<f32>; 1],
    output: [Vec<f32>; 1],
    taken: usize,
    /// At most one piece more than what is asked for at a time: whoever pushes pops as well.
    ready: VecDeque<f32>,
}

impl Resampler {
    /// From one rate to another, in Hz.
    ///
    /// # Errors
    /// [`MediaError::Codec`] for a rate that the library does not take.
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, MediaError> {
        let (from, to) = (from as usize, to as usize);
        let refused = |_construction| MediaError::Codec("convert the rate of the sound");
        let inner = Fft::new(from, to, (from / 100).max(1), 1, FixedSync::Both).map_err(refused)?;
        let input = [vec![0.0; inner.input_frames_next()]];
        let output = [vec![0.0; inner.output_frames_next()]];
        Ok(Self { inner, input, output, taken: 0, ready: VecDeque::new() })
    }

    /// Takes sound of the first rate.
    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = f32>) {
        for sample in samples {
            let [input] = &mut self.input;
            input[self.taken] = sample;
            self.taken += 1;
            if self.taken == input.len() {
                self.taken = 0;
                self.convert();
            }
        }
    }

    /// Samples of the second rate that can be taken.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Gives the next samples of the second rate; `false`, and none, while there are not so many.
    pub(crate) fn pop(&mut self, samples: &mut [f32]) -> bool {
        if self.ready.len() < samples.len() {
            return false;
        }
        let wanted = samples.len();
        for (to, from) in samples.iter_mut().zip(self.ready.drain(..wanted)) {
            *to = from;
        }
        true
    }

    fn convert(&mut self) {
        let (taken, given) = (self.input[0].len(), self.output[0].len());
        let done = match (
            SequentialSliceOfVecs::new(&self.input, 1, taken),
            SequentialSliceOfVecs::new_mut(&mut self.output, 1, given),
        ) {
            (Ok(input), Ok(mut output)) => self.inner.process_into_buffer(&input, &mut output, None).is_ok(),
            _ => false,
        };
        if !done {
            // Both lengths are what the library asked for.
            debug_assert!(false, "a piece of sound was not converted");
            self.output[0].fill(0.0);
        }
        self.ready.extend(&self.output[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a tone at this rate.
    fn tone(rate: u32) -> Vec<f32> {
        (0..rate).map(|at| (std::f32::consts::TAU * 440.0 * at as f32 / rate as f32).sin()).collect()
    }

    #[test]
    fn a_tone_keeps_its_height_length_and_level_at_every_rate_of_sound_cards() {
        for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 96_000, 192_000] {
            let mut resampler = Resampler::new(rate, 48_000).unwrap();
            let mut out = Vec::new();
            for crumb in tone(rate).chunks(17) {
                resampler.push(crumb.iter().copied());
                let mut piece = [0.0; 480];
                while resampler.pop(&mut piece) {
                    out.extend(piece);
                }
            }
            assert!(out.len() > 45_000 && out.len() <= 48_480, "{rate}: {} samples", out.len());
            let middle = &out[10_000..40_000];
            let crossings = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
            assert!((274..=276).contains(&crossings), "{rate}: {crossings} waves in 30,000 samples");
            let loudest = middle.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            assert!((0.95..1.05).contains(&loudest), "{rate}: {loudest}");
        }
    }

    #[test]
    fn nothing_is_given_before_it_is_whole() {
        let mut resampler = Resampler::new(44_100, 48_000).unwrap();
        let mut piece = [9.0; 480];
        assert!(!resampler.pop(&mut piece));
        assert_eq!((piece[0], resampler.ready()), (9.0, 0));
    }

    #[test]
    fn a_rate_of_nothing_is_refused() {
        assert!(Resampler::new(0, 48_000).is_err());
    }
}
