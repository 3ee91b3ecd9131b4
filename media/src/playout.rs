//! Mixing of the peers and the way to the speaker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use cpal::traits::DeviceTrait;
use cpal::{FromSample, SampleFormat, SizedSample};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::error::{DeviceError, DeviceKind};
use crate::frame::AudioFrame;
use crate::process::resample::Resampler;
use crate::sound::{self, Direction, KeptStream};
use crate::source::audio::Paced;
use crate::time::MediaTime;

/// Where the mixed sound of all peers goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpeakerSpec {
    /// Decoded and dropped at the clock's pace, as if it were played: for tests and headless runs.
    #[default]
    Null,
    /// A sound output by its name or id, or the system's default one.
    Device(Option<String>),
}

/// An open output; belongs to the audio thread.
pub(crate) enum Speaker {
    Null(Paced),
    Device(Output),
}

/// A sound output in use; closed on drop.
pub(crate) struct Output {
    stream: KeptStream,
    /// Until the device is open the voices run at the clock's pace, unheard.
    opening: Option<Paced>,
    ring: Producer<f32>,
    state: Arc<State>,
    /// For a device of another rate, once it is open.
    resampler: Option<Box<Resampler>>,
    /// Samples kept in the ring: grows when the device ran dry.
    fill: usize,
    underruns: u32,
}

/// What the callbacks tell.
#[derive(Default)]
struct State {
    failed: AtomicBool,
    /// Samples a second of the device; 0 until it is open.
    rate: AtomicU32,
    /// Callbacks that found less in the ring than they needed.
    underruns: AtomicU32,
    /// From the callback to the sound leaving the device.
    delay_micros: AtomicU32,
}

/// Capacity of the ring: 200 ms. What does not fit is dropped, which only a bug in [`Speaker::wants`] can cause.
const RING: usize = 9_600;

/// Ring kept at the start: 20 ms, the callback's 10 and the tick's 10. Less runs dry, more is delay.
const FILL_START: usize = 960;

/// Growth after a callback that ran dry, and the limit.
const FILL_STEP: usize = 240;
const FILL_MAX: usize = 2_880;

impl Speaker {
    /// Begins to open the output; [`Speaker::wants`] tells the outcome.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] when no thread can be started.
    pub(crate) fn open(spec: &SpeakerSpec) -> Result<Self, DeviceError> {
        match spec {
            SpeakerSpec::Null => Ok(Self::null()),
            SpeakerSpec::Device(name) => Output::open(name.as_deref()).map(Self::Device),
        }
    }

    /// The output that plays to nobody.
    pub(crate) fn null() -> Self {
        Self::Null(Paced::default())
    }

    /// Whether 10 ms more are wanted now. Ask until it says no.
    ///
    /// # Errors
    /// [`DeviceError`] once the device is gone; go on with [`Speaker::null`].
    pub(crate) fn wants(&mut self, now: MediaTime) -> Result<bool, DeviceError> {
        match self {
            Self::Null(paced) => Ok(paced.next(now).is_some()),
            Self::Device(output) => output.wants(now),
        }
    }

    /// Hands 10 ms to the output.
    pub(crate) fn push(&mut self, samples: &[f32; AudioFrame::SAMPLES]) {
        if let Self::Device(output) = self
            && output.opening.is_none()
        {
            output.push(samples);
        }
    }

    /// From [`Speaker::push`] until the sound is heard.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Self::Null(_) => Duration::ZERO,
            Self::Device(output) => output.delay(),
        }
    }
}

impl Output {
    fn open(name: Option<&str>) -> Result<Self, DeviceError> {
        let (ring, samples) = RingBuffer::new(RING);
        let state = Arc::new(State::default());
        let (told, name) = (Arc::clone(&state), name.map(str::to_owned));
        let stream = KeptStream::open(Direction::Output, move || {
            let device = sound::find(Direction::Output, name.as_deref())?;
            let (config, format) = sound::config(&device, Direction::Output)?;
            told.rate.store(config.sample_rate, Ordering::Release);
            match format {
                SampleFormat::I16 => build::<i16>(&device, config, samples, &told),
                SampleFormat::I32 => build::<i32>(&device, config, samples, &told),
                _ => build::<f32>(&device, config, samples, &told),
            }
            .map_err(|error| sound::refused(DeviceKind::Speaker, &error))
        })?;
        Ok(Self {
            stream,
            opening: Some(Paced::default()),
            ring,
            state,
            resampler: None,
            fill: FILL_START,
            underruns: 0,
        })
    }

    fn wants(&mut self, now: MediaTime) -> Result<bool, DeviceError> {
        if let Some(paced) = &mut self.opening {
            if !self.stream.is_open()? {
                return Ok(paced.next(now).is_some());
            }
            self.opening = None;
            let rate = self.state.rate.load(Ordering::Acquire);
            if rate != AudioFrame::RATE {
                let refused = |_rate| DeviceError::Failed { kind: DeviceKind::Speaker, attempt: "convert its rate" };
                self.resampler = Some(Box::new(Resampler::new(AudioFrame::RATE, rate).map_err(refused)?));
                self.fill = self.fill.max(rate as usize / 50);
            }
        }
        if self.state.failed.load(Ordering::Relaxed) {
            return Err(DeviceError::NotFound(DeviceKind::Speaker));
        }
        let underruns = self.state.underruns.load(Ordering::Relaxed);
        if underruns != self.underruns {
            self.underruns = underruns;
            self.fill = (self.fill + FILL_STEP).min(FILL_MAX.max(self.fill));
        }
        Ok(self.queued() < self.fill)
    }

    fn push(&mut self, samples: &[f32; AudioFrame::SAMPLES]) {
        // Full cannot happen: `wants` said that there is room.
        match &mut self.resampler {
            None => {
                for sample in samples {
                    self.ring.push(*sample).ok();
                }
            }
            Some(resampler) => {
                resampler.push(samples.iter().copied());
                let mut sample = [0.0];
                while resampler.pop(&mut sample) {
                    self.ring.push(sample[0]).ok();
                }
            }
        }
    }

    fn queued(&self) -> usize {
        RING - self.ring.slots()
    }

    fn delay(&self) -> Duration {
        let rate = self.state.rate.load(Ordering::Relaxed).max(1);
        let queued = self.queued() as u64 * 1_000_000 / u64::from(rate);
        let device = self.state.delay_micros.load(Ordering::Relaxed);
        Duration::from_micros(queued + u64::from(device))
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut ring: Consumer<f32>,
    state: &Arc<State>,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels).max(1);
    let (writing, failing) = (Arc::clone(state), Arc::clone(state));
    device.build_output_stream::<T, _, _>(
        config,
        move |data, info| {
            let times = info.timestamp();
            let delay = times.playback.saturating_duration_since(times.callback).as_micros();
            writing.delay_micros.store(u32::try_from(delay).unwrap_or_default(), Ordering::Relaxed);
            let wanted = data.len() / channels;
            let there = ring.slots().min(wanted);
            if there < wanted {
                writing.underruns.fetch_add(1, Ordering::Relaxed);
            }
            // The buffer comes filled with silence, so what is missing stays silent.
            let Ok(chunk) = ring.read_chunk(there) else {
                return;
            };
            for (frame, value) in data.chunks_exact_mut(channels).zip(chunk) {
                frame.fill(T::from_sample_(value));
            }
        },
        move |error| {
            if sound::is_fatal(&error) {
                failing.failed.store(true, Ordering::Relaxed);
            }
        },
        Some(sound::OPEN_LIMIT),
    )
}

/// Adds one voice to the mix.
pub(crate) fn mix_in(mix: &mut [f32; AudioFrame::SAMPLES], voice: &[f32]) {
    for (sum, sample) in mix.iter_mut().zip(voice) {
        *sum += sample;
    }
}

/// Brings a mix that is too loud back to full scale: the whole 10 ms softer, instead of clipped peaks.
pub(crate) fn limit(mix: &mut [f32; AudioFrame::SAMPLES]) {
    let peak = peak(mix);
    if peak > 1.0 {
        for sample in mix {
            *sample /= peak;
        }
    }
}

/// Level of a piece of sound in dB relative to full scale, −127 to 0.
pub(crate) fn level_dbov(samples: &[f32]) -> f32 {
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    let mean = energy / samples.len().max(1) as f32;
    (10.0 * mean.log10()).clamp(-127.0, 0.0)
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, sample| sample.abs().max(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::audio::TICK;

    const FRAME: usize = AudioFrame::SAMPLES;

    #[test]
    fn the_null_speaker_takes_ten_milliseconds_every_ten_milliseconds() {
        let mut speaker = Speaker::null();
        let start = MediaTime::from_micros(5);
        let mut taken = 0;
        for tick in 0..50 {
            while speaker.wants(start + TICK * tick).unwrap() {
                speaker.push(&[0.0; FRAME]);
                taken += 1;
            }
        }
        assert_eq!(taken, 49);
    }

    #[test]
    fn a_loud_mix_is_softened_and_a_single_voice_untouched() {
        let mut mix = [0.0; FRAME];
        mix_in(&mut mix, &[0.75; FRAME]);
        limit(&mut mix);
        assert_eq!(mix, [0.75; FRAME]);
        mix_in(&mut mix, &[0.75; FRAME]);
        limit(&mut mix);
        assert_eq!(mix, [1.0; FRAME]);
    }

    #[test]
    fn levels_are_bounded() {
        assert_eq!(level_dbov(&[0.0; 480]), -127.0);
        assert_eq!(level_dbov(&[2.0; 480]), 0.0);
        assert!((level_dbov(&[0.1; 480]) + 20.0).abs() < 0.01);
        assert_eq!(level_dbov(&[]), -127.0);
    }
}
