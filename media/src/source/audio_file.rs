//! A WAV file that stands in for a microphone and loops.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use crate::error::{DeviceError, DeviceKind};
use crate::frame::AudioFrame;

/// Longest file that is read, in bytes: 5 minutes of 48 kHz stereo at 16 bits.
const MAX_BYTES: u64 = 58_000_000;

/// Rates that are taken, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Whole file in memory as mono 48 kHz; 16 bits a sample, as a voice needs no more.
#[derive(Debug)]
pub(crate) struct AudioFile {
    samples: Vec<i16>,
    position: usize,
}

impl AudioFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`] when it cannot be opened, [`DeviceError::Failed`] when it is no WAV file of 16-bit or
    /// float samples, is too long or empty.
    pub(crate) fn open(path: &Path) -> Result<Self, DeviceError> {
        let file = File::open(path).map_err(|_error| DeviceError::NotFound(DeviceKind::File))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|_error| failed("read the sound file"))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed("read a sound file of this length"));
        }
        let (rate, samples) = parse(&bytes).ok_or(failed("parse the sound file"))?;
        let samples = resample(samples, rate).ok_or(failed("convert the sound file's rate"))?;
        if samples.is_empty() {
            return Err(failed("find sound in the file"));
        }
        let samples =
            samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16).collect();
        Ok(Self { samples, position: 0 })
    }

    /// The next samples; after the last one comes the first.
    pub(crate) fn fill(&mut self, samples: &mut [f32]) {
        for sample in samples {
            let value = self.samples.get(self.position).copied().unwrap_or_default();
            *sample = f32::from(value) / f32::from(i16::MAX);
            self.position = (self.position + 1) % self.samples.len();
        }
    }
}

const fn failed(attempt: &'static str) -> DeviceError {
    DeviceError::Failed { kind: DeviceKind::File, attempt }
}

/// Rate and samples mixed to mono. Chunks: `RIFF size WAVE`, then `id size data` each padded to even length.
fn parse(bytes: &[u8]) -> Option<(u32, Vec<f32>)> {
    let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut format = None;
    loop {
        let (id, after) = rest.split_first_chunk::<4>()?;
        let (size, after) = after.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(*size) as usize;
        match id {
            b"fmt " => format = Some(Format::parse(after.get(..size)?)?),
            b"data" => {
                let format = format?;
                // A writer that was killed leaves a size of zero or too much: take what is there.
                let size = if size == 0 { after.len() } else { size.min(after.len()) };
                return Some((format.rate, format.mono(after.get(..size)?)));
            }
            _ => {}
        }
        rest = after.get(size + size % 2..)?;
    }
}

#[derive(Clone, Copy)]
struct Format {
    float: bool,
    channels: usize,
    rate: u32,
}

impl Format {
    fn parse(chunk: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_le_bytes(*chunk.get(at..)?.first_chunk::<2>()?));
        let rate = u32::from_le_bytes(*chunk.get(4..)?.first_chunk::<4>()?);
        // Extensible: the real tag is the start of the sub-format's id.
        let tag = match word(0)? {
            0xfffe => word(24)?,
            tag => tag,
        };
        let float = match (tag, word(14)?) {
            (1, 16) => false,
            (3, 32) => true,
            _ => return None,
        };
        let channels = usize::from(word(2)?);
        ((1..=8).contains(&channels) && RATES.contains(&rate)).then_some(Self { float, channels, rate })
    }

    fn mono(self, data: &[u8]) -> Vec<f32> {
        let width = if self.float { 4 } else { 2 };
        data.chunks_exact(width * self.channels)
            .map(|frame| {
                let sum: f32 = frame.chunks_exact(width).map(|sample| self.sample(sample)).sum();
                sum / self.channels as f32
            })
            .collect()
    }

    fn sample(self, bytes: &[u8]) -> f32 {
        match *bytes {
            [a, b] => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            [a, b, c, d] => {
                let value = f32::from_le_bytes([a, b, c, d]);
                if value.is_finite() { value } else { 0.0 }
            }
            _ => 0.0,
        }
    }
}

fn resample(samples: Vec<f32>, rate: u32) -> Option<Vec<f32>> {
    if rate == AudioFrame::RATE || samples.is_empty() {
        return Some(samples);
    }
    let length = samples.len();
    let channels = [samples];
    let input = SequentialSliceOfVecs::new(&channels, 1, length).ok()?;
    let (from, to) = (rate as usize, AudioFrame::RATE as usize);
    let mut resampler = Fft::<f32>::new(from, to, 1_024, 1, FixedSync::Both).ok()?;
    Some(resampler.process_all(&input, length, None).ok()?.take_data())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(float: bool, channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
        let width: u16 = if float { 4 } else { 2 };
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        bytes.extend(if float { 3_u16 } else { 1 }.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * u32::from(channels * width)).to_le_bytes());
        bytes.extend((channels * width).to_le_bytes());
        bytes.extend((width * 8).to_le_bytes());
        bytes.extend(b"LIST\x03\0\0\0abc\0");
        bytes.extend(b"data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    fn tone(rate: u32) -> Vec<u8> {
        (0..rate)
            .flat_map(|at| {
                let phase = std::f32::consts::TAU * 440.0 * at as f32 / rate as f32;
                ((phase.sin() * 16_384.0) as i16).to_le_bytes()
            })
            .collect()
    }

    #[test]
    fn stereo_is_mixed_and_chunks_are_skipped() {
        let data: Vec<u8> = [8_192_i16, 16_384].iter().flat_map(|s| s.to_le_bytes()).collect();
        let (rate, samples) = parse(&wav(false, 2, 48_000, &data)).unwrap();
        assert_eq!((rate, samples), (48_000, vec![0.375]));
    }

    #[test]
    fn float_samples_that_are_no_numbers_become_silence() {
        let data: Vec<u8> = [0.5_f32, f32::NAN].iter().flat_map(|s| s.to_le_bytes()).collect();
        assert_eq!(parse(&wav(true, 1, 48_000, &data)).unwrap().1, [0.5, 0.0]);
    }

    #[test]
    fn another_rate_keeps_length_and_level() {
        let (rate, samples) = parse(&wav(false, 1, 16_000, &tone(16_000))).unwrap();
        let samples = resample(samples, rate).unwrap();
        assert!(samples.len().abs_diff(48_000) < 10, "{}", samples.len());
        let peak = samples[1_000..40_000].iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        assert!((peak - 0.5).abs() < 0.01, "{peak}");
    }

    #[test]
    fn a_file_loops_without_a_gap() {
        let mut file = AudioFile { samples: vec![1, 2, 3], position: 0 };
        let mut out = [0.0; 7];
        file.fill(&mut out);
        let whole: Vec<i16> = out.iter().map(|s| (s * 32_767.0).round() as i16).collect();
        assert_eq!(whole, [1, 2, 3, 1, 2, 3, 1]);
    }

    #[test]
    fn damaged_files_are_refused_without_panic() {
        let good = wav(false, 1, 48_000, &tone(48_000)[..400]);
        for cut in 0..80 {
            parse(&good[..cut]);
        }
        let mut state = 7_u32;
        for _ in 0..2_000 {
            let mut bad = good.clone();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % 90;
                bad[at] = state as u8;
            }
            parse(&bad);
        }
        assert!(parse(&wav(false, 0, 48_000, &[0; 8])).is_none());
        assert!(parse(&wav(false, 1, 4, &[0; 8])).is_none());
    }
}
