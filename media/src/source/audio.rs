//! Where the own voice comes from: one type over microphone, WAV file and synthetic voice.

use std::path::PathBuf;
use std::time::Duration;

use super::audio_file::AudioFile;
use super::microphone::Microphone;
use super::voice::Voice;
use crate::error::DeviceError;
use crate::frame::AudioFrame;
use crate::time::MediaTime;

/// What to capture sound from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AudioSourceSpec {
    /// No sound is sent.
    #[default]
    None,
    /// A sound input by its name or id, or the system's default one.
    Microphone(Option<String>),
    /// A WAV file that loops: 16-bit or float samples, any rate and channel count, at most 58 MB.
    File(PathBuf),
    /// A synthetic voice-like sound.
    Voice {
        /// Pitch and rhythm, so that two parties differ.
        variant: u8,
    },
}

/// An open source; belongs to the audio thread.
pub(crate) enum AudioSource {
    None,
    Microphone(Microphone),
    File(Paced, AudioFile),
    Voice(Paced, Voice),
}

impl AudioSource {
    /// Opens the source. A microphone opens on its own thread; what comes of it is told by [`AudioSource::read`]. The clock of a
    /// stand-in runs faster by so many millionths, as those of two sound cards do.
    ///
    /// # Errors
    /// The [`DeviceError`] of the microphone or file.
    pub(crate) fn open(spec: &AudioSourceSpec, ppm: i32) -> Result<Self, DeviceError> {
        Ok(match spec {
            AudioSourceSpec::None => Self::None,
            AudioSourceSpec::Microphone(name) => Self::Microphone(Microphone::open(name.as_deref())?),
            AudioSourceSpec::File(path) => Self::File(Paced::skewed(ppm), AudioFile::open(path)?),
            AudioSourceSpec::Voice { variant } => Self::Voice(Paced::skewed(ppm), Voice::new(*variant)),
        })
    }

    /// The next 10 ms if they are complete at `now`, with the time of their first sample. Call it until `None`.
    ///
    /// # Errors
    /// [`DeviceError`] once the device is gone; the source is of no use then.
    pub(crate) fn read(
        &mut self,
        now: MediaTime,
        samples: &mut [f32; AudioFrame::SAMPLES],
    ) -> Result<Option<MediaTime>, DeviceError> {
        match self {
            Self::None => Ok(None),
            Self::Microphone(microphone) => microphone.read(now, samples),
            Self::File(paced, file) => Ok(paced.next(now).inspect(|_captured| file.fill(samples))),
            Self::Voice(paced, voice) => Ok(paced.next(now).inspect(|_captured| voice.fill(samples))),
        }
    }

    /// Whether there is anything to read, ever.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Length of a frame.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A stand-in that was held up longer than this leaves the time out instead of catching up in a burst.
const HELD_UP: Duration = Duration::from_millis(200);

/// The clock of a stand-in: a frame is complete 10 ms after its first sample, as with a real device.
#[derive(Debug)]
pub(crate) struct Paced {
    next: Option<MediaTime>,
    tick: Duration,
}

impl Default for Paced {
    fn default() -> Self {
        Self::skewed(0)
    }
}

impl Paced {
    /// A clock that runs faster by so many millionths.
    pub(crate) fn skewed(ppm: i32) -> Self {
        Self { next: None, tick: TICK.mul_f64(1.0 - f64::from(ppm.clamp(-10_000, 10_000)) / 1e6) }
    }

    pub(crate) fn next(&mut self, now: MediaTime) -> Option<MediaTime> {
        let mut start = *self.next.get_or_insert(now);
        if now.since(start) > HELD_UP {
            start = now - self.tick;
        }
        if start + self.tick > now {
            return None;
        }
        self.next = Some(start + self.tick);
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_deliver_at_the_clock_s_pace() {
        let mut source = AudioSource::open(&AudioSourceSpec::Voice { variant: 1 }, 0).unwrap();
        let mut samples = [0.0; AudioFrame::SAMPLES];
        let start = MediaTime::from_micros(77);
        let mut count = 0;
        for tick in 0..100 {
            let now = start + TICK * tick;
            while let Some(captured) = source.read(now, &mut samples).unwrap() {
                assert_eq!(captured + TICK, now);
                count += 1;
            }
        }
        assert_eq!(count, 99);
    }

    #[test]
    fn a_long_pause_is_left_out() {
        let mut paced = Paced::default();
        let start = MediaTime::from_micros(0);
        assert_eq!(paced.next(start), None);
        let later = start + Duration::from_secs(5);
        assert_eq!(paced.next(later), Some(later - TICK));
        assert_eq!(paced.next(later), None);
    }
}
