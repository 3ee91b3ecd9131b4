//! Echo canceller, high pass, noise suppression and gain on the own voice, in this order (AEC3 in pure Rust).
//!
//! A denoiser before the canceller would destroy the likeness of echo and loudspeaker that the canceller lives from.

use std::fmt;

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate, NoiseSuppression, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::frame::AudioFrame;

/// Which steps the own voice passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceProcessing {
    /// Echo canceller and high pass: removes what the loudspeaker played.
    pub echo: bool,
    /// Removes steady noise.
    pub noise: bool,
    /// Brings quiet voices up and limits loud ones.
    pub gain: bool,
}

impl VoiceProcessing {
    /// All steps: for people.
    pub const ALL: Self = Self { echo: true, noise: true, gain: true };
    /// No step: for measuring, music and heart sounds.
    pub const NONE: Self = Self { echo: false, noise: false, gain: false };

    const fn is_any(self) -> bool {
        self.echo || self.noise || self.gain
    }
}

impl Default for VoiceProcessing {
    fn default() -> Self {
        Self::ALL
    }
}

/// The chain of one call. About 0.2 ms of CPU per 10 ms; with [`VoiceProcessing::NONE`] nothing.
pub struct VoiceChain {
    processing: Option<AudioProcessing>,
    scratch: [f32; AudioFrame::SAMPLES],
}

impl VoiceChain {
    /// A chain with the given steps.
    #[must_use]
    pub fn new(steps: VoiceProcessing) -> Self {
        let processing = steps.is_any().then(|| {
            let stream = StreamConfig::new(AudioFrame::RATE, 1);
            AudioProcessing::builder()
                .config(Config {
                    pipeline: Pipeline {
                        maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                        ..Pipeline::default()
                    },
                    high_pass_filter: steps.echo.then(HighPassFilter::default),
                    echo_canceller: steps.echo.then(EchoCanceller::default),
                    noise_suppression: steps.noise.then(NoiseSuppression::default),
                    gain_controller2: steps.gain.then(|| GainController2 {
                        adaptive_digital: Some(AdaptiveDigital::default()),
                        ..GainController2::default()
                    }),
                    ..Config::default()
                })
                .capture_config(stream)
                .render_config(stream)
                .build()
        });
        Self { processing, scratch: [0.0; AudioFrame::SAMPLES] }
    }

    /// Looks at 10 ms that are about to be played. Call it before the own sound that may hold their echo.
    pub fn play(&mut self, samples: &[f32; AudioFrame::SAMPLES]) {
        if let Some(processing) = &mut self.processing {
            // It fails only for a length that does not fit the rate, which the type excludes.
            processing.process_render_f32(&[samples], &mut [&mut self.scratch]).ok();
        }
    }

    /// Cleans 10 ms of the own sound in place. `delay_millis` is the time from [`VoiceChain::play`] to the loudspeaker
    /// plus that from the microphone to here; a hint, the canceller finds the rest itself.
    pub fn capture(&mut self, samples: &mut [f32; AudioFrame::SAMPLES], delay_millis: u16) {
        let Some(processing) = &mut self.processing else {
            return;
        };
        // Both fail only for values out of range; then the step is left out for 10 ms.
        processing.set_stream_delay_ms(i32::from(delay_millis)).ok();
        self.scratch.copy_from_slice(samples);
        processing.process_capture_f32(&[&self.scratch], &mut [samples]).ok();
    }
}

impl fmt::Debug for VoiceChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VoiceChain").field("on", &self.processing.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::voice::Voice;

    const FRAME: usize = AudioFrame::SAMPLES;

    /// A room: the loudspeaker comes back after 40 ms with three reflections.
    struct Room(Vec<f32>);

    impl Room {
        fn echo(&mut self, played: &[f32; FRAME]) -> [f32; FRAME] {
            self.0.extend_from_slice(played);
            let end = self.0.len();
            std::array::from_fn(|at| {
                [(1_920, 0.4), (2_150, 0.2), (2_600, -0.1)]
                    .iter()
                    .filter_map(|(delay, gain)| {
                        let place = (end - FRAME + at).checked_sub(*delay)?;
                        Some(self.0[place] * gain)
                    })
                    .sum()
            })
        }
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum()
    }

    #[test]
    fn the_echo_of_the_far_voice_is_removed() {
        let mut chain = VoiceChain::new(VoiceProcessing { echo: true, ..VoiceProcessing::NONE });
        let (mut far, mut room) = (Voice::new(3), Room(Vec::new()));
        let (mut before, mut after) = (0.0, 0.0);
        for tick in 0..600 {
            let mut played = [0.0; FRAME];
            far.fill(&mut played);
            chain.play(&played);
            let mut heard = room.echo(&played);
            let echo = energy(&heard);
            chain.capture(&mut heard, 0);
            if tick >= 300 {
                before += echo;
                after += energy(&heard);
            }
        }
        let loss_db = 10.0 * (before / after.max(1e-12)).log10();
        assert!(loss_db > 25.0, "{loss_db} dB");
    }

    #[test]
    fn the_near_voice_passes_when_nobody_else_speaks() {
        let mut chain = VoiceChain::new(VoiceProcessing { echo: true, ..VoiceProcessing::NONE });
        let mut near = Voice::new(0);
        let (mut before, mut after) = (0.0, 0.0);
        for tick in 0..300 {
            chain.play(&[0.0; FRAME]);
            let mut samples = [0.0; FRAME];
            near.fill(&mut samples);
            let spoken = energy(&samples);
            chain.capture(&mut samples, 0);
            if tick >= 100 {
                before += spoken;
                after += energy(&samples);
            }
        }
        let change_db = 10.0 * (after / before).log10();
        assert!(change_db.abs() < 3.0, "{change_db} dB");
    }

    #[test]
    fn switched_off_it_changes_nothing() {
        let mut chain = VoiceChain::new(VoiceProcessing::NONE);
        let mut samples = [0.25; FRAME];
        chain.play(&[0.5; FRAME]);
        chain.capture(&mut samples, 0);
        assert_eq!(samples, [0.25; FRAME]);
    }
}
