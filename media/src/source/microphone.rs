//! The microphone: a cpal input stream whose callback only copies into a ring.

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
use crate::time::MediaTime;

/// Samples between callback and audio thread: 200 ms. When the thread is held up longer, the newest are dropped.
const RING: usize = 9_600;

/// A sound input in use; closed on drop.
pub(crate) struct Microphone {
    stream: KeptStream,
    samples: Consumer<f32>,
    state: Arc<State>,
    /// For a device of another rate, once it is open.
    resampler: Option<Box<Resampler>>,
    /// When the next frame's first sample was taken, smoothed over the callbacks' grain.
    next: Option<MediaTime>,
}

/// What the callbacks tell.
#[derive(Default)]
struct State {
    failed: AtomicBool,
    /// Samples a second of the device; 0 until it is open.
    rate: AtomicU32,
    /// From the sound's arrival in the device to the callback.
    delay_micros: AtomicU32,
}

impl Microphone {
    /// Begins to open the input of this name or id, or the default one; [`Microphone::read`] tells the outcome.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] when no thread can be started.
    pub(crate) fn open(name: Option<&str>) -> Result<Self, DeviceError> {
        let (ring, samples) = RingBuffer::new(RING);
        let state = Arc::new(State::default());
        let (told, name) = (Arc::clone(&state), name.map(str::to_owned));
        let stream = KeptStream::open(Direction::Input, move || {
            let device = sound::find(Direction::Input, name.as_deref())?;
            let (config, format) = sound::config(&device, Direction::Input)?;
            told.rate.store(config.sample_rate, Ordering::Release);
            match format {
                SampleFormat::I16 => build::<i16>(&device, config, ring, &told),
                SampleFormat::I32 => build::<i32>(&device, config, ring, &told),
                _ => build::<f32>(&device, config, ring, &told),
            }
            .map_err(|error| sound::refused(DeviceKind::Microphone, &error))
        })?;
        Ok(Self { stream, samples, state, resampler: None, next: None })
    }

    /// The next 10 ms, as [`super::audio::AudioSource::read`].
    pub(crate) fn read(
        &mut self,
        now: MediaTime,
        samples: &mut [f32; AudioFrame::SAMPLES],
    ) -> Result<Option<MediaTime>, DeviceError> {
        if !self.stream.is_open()? {
            return Ok(None);
        }
        if self.state.failed.load(Ordering::Relaxed) {
            return Err(DeviceError::NotFound(DeviceKind::Microphone));
        }
        let rate = self.state.rate.load(Ordering::Acquire);
        let queued = if rate == AudioFrame::RATE {
            let queued = self.samples.slots();
            let Ok(chunk) = self.samples.read_chunk(AudioFrame::SAMPLES) else {
                return Ok(None);
            };
            for (sample, value) in samples.iter_mut().zip(chunk) {
                *sample = value;
            }
            queued
        } else {
            let Some(queued) = self.read_converted(rate, samples)? else {
                return Ok(None);
            };
            queued
        };
        let queued = Duration::from_micros(queued as u64 * 1_000_000 / u64::from(AudioFrame::RATE));
        let delay = Duration::from_micros(self.state.delay_micros.load(Ordering::Relaxed).into());
        let captured = smooth(self.next, now - queued - delay);
        self.next = Some(captured + super::audio::TICK);
        Ok(Some(captured))
    }

    /// The next 10 ms of a device of another rate; with how many samples of ours waited, these among them.
    fn read_converted(&mut self, rate: u32, samples: &mut [f32]) -> Result<Option<usize>, DeviceError> {
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => {
                let refused = |_rate| DeviceError::Failed { kind: DeviceKind::Microphone, attempt: "convert its rate" };
                none.insert(Box::new(Resampler::new(rate, AudioFrame::RATE).map_err(refused)?))
            }
        };
        let waiting = self.samples.slots();
        if let Ok(chunk) = self.samples.read_chunk(waiting) {
            resampler.push(chunk);
        }
        let queued = resampler.ready();
        Ok(resampler.pop(samples).then_some(queued))
    }
}

fn build<T: SizedSample>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut ring: Producer<f32>,
    state: &Arc<State>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels).max(1);
    let (reading, failing) = (Arc::clone(state), Arc::clone(state));
    device.build_input_stream::<T, _, _>(
        config,
        move |data, info| {
            let times = info.timestamp();
            let delay = times.callback.saturating_duration_since(times.capture).as_micros();
            reading.delay_micros.store(u32::try_from(delay).unwrap_or_default(), Ordering::Relaxed);
            let frames = (data.len() / channels).min(ring.slots());
            let Ok(chunk) = ring.write_chunk_uninit(frames) else {
                return;
            };
            chunk.fill_from_iter(data.chunks_exact(channels).map(|frame| {
                let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
                sum / channels as f32
            }));
        },
        move |error| {
            if sound::is_fatal(&error) {
                failing.failed.store(true, Ordering::Relaxed);
            }
        },
        Some(sound::OPEN_LIMIT),
    )
}

/// The device's clock moves on evenly; what is measured jumps by the callbacks' grain.
fn smooth(expected: Option<MediaTime>, measured: MediaTime) -> MediaTime {
    const JUMP: Duration = Duration::from_millis(60);
    let Some(expected) = expected else {
        return measured;
    };
    let (ahead, behind) = (measured.since(expected), expected.since(measured));
    if ahead > JUMP || behind > JUMP {
        return measured;
    }
    expected + ahead / 32 - behind / 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capture_times_follow_the_clock_without_its_grain() {
        let start = MediaTime::from_micros(1_000_000);
        let mut time = None;
        for step in 0..200_u32 {
            let grain = Duration::from_millis(u64::from(step % 3) * 7);
            let captured = smooth(time, start + super::super::audio::TICK * step + grain);
            if let Some(expected) = time {
                let apart = captured.since(expected).max(expected.since(captured));
                assert!(apart < Duration::from_millis(1));
            }
            time = Some(captured + super::super::audio::TICK);
        }
        let far = start + Duration::from_secs(60);
        assert_eq!(smooth(time, far), far);
    }
}
