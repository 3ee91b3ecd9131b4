//! Sound files: 16-bit PCM, read from any rate and number of channels, written as 48 kHz mono.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Samples per second of everything in the house.
pub const RATE: usize = 48_000;

/// Reads a sound file as mono samples at [`RATE`], from -1 to 1.
///
/// 16-bit PCM or 32-bit float; the first channel counts, and another rate is interpolated.
///
/// # Errors
/// When the file cannot be read or holds another format.
pub fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&bytes).with_context(|| format!("{} is no sound file that is understood here", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Vec<f32>> {
    ensure!(bytes.get(..4) == Some(b"RIFF") && bytes.get(8..12) == Some(b"WAVE"), "no RIFF/WAVE header");
    let (mut at, mut format) = (12, None);
    while let Some(header) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let start = at + 8;
        // A program that writes to a pipe leaves the length open: then the rest of the file is meant.
        let body = &bytes[start..bytes.len().min(start.saturating_add(length))];
        match &header[..4] {
            b"fmt " => {
                ensure!(body.len() >= 16, "short format chunk");
                let short = |at: usize| usize::from(u16::from_le_bytes([body[at], body[at + 1]]));
                format = Some((short(0), short(2), short(4) | short(6) << 16, short(14)));
            }
            b"data" => {
                let Some((kind, channels, rate, bits)) = format else { bail!("no format before the data") };
                ensure!(channels > 0 && rate > 0, "no channels or no rate");
                // Kind 0xFFFE (extensible) says the same by its number of bits.
                let samples: Vec<f32> = match (kind, bits) {
                    (1 | 0xFFFE, 16) => body
                        .chunks_exact(2 * channels)
                        .map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32768.0)
                        .collect(),
                    (3 | 0xFFFE, 32) => body
                        .chunks_exact(4 * channels)
                        .map(|frame| f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]))
                        .collect(),
                    _ => bail!("format {kind} with {bits} bits"),
                };
                return Ok(resample(samples, rate));
            }
            _ => {}
        }
        at = start.saturating_add(length).saturating_add(length & 1);
    }
    bail!("no data")
}

/// Linear interpolation, which is enough for speech that is then compared with itself.
fn resample(samples: Vec<f32>, rate: usize) -> Vec<f32> {
    if rate == RATE || samples.is_empty() {
        return samples;
    }
    (0..samples.len() * RATE / rate)
        .map(|index| {
            let at = index as f64 * rate as f64 / RATE as f64;
            let (low, part) = (at as usize, (at.fract()) as f32);
            let next = samples.get(low + 1).copied().unwrap_or(samples[low]);
            samples[low] * (1.0 - part) + next * part
        })
        .collect()
}

/// Writes mono samples at [`RATE`] as 16-bit PCM.
///
/// # Errors
/// When the file cannot be written, or is longer than the format allows.
pub fn write(path: &Path, samples: &[f32]) -> Result<()> {
    let length = u32::try_from(samples.len() * 2).context("too long for a sound file")?;
    let mut bytes = Vec::with_capacity(44 + samples.len() * 2);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16_u32.to_le_bytes());
    for short in [1_u16, 1] {
        bytes.extend_from_slice(&short.to_le_bytes());
    }
    bytes.extend_from_slice(&(RATE as u32).to_le_bytes());
    bytes.extend_from_slice(&(RATE as u32 * 2).to_le_bytes());
    for short in [2_u16, 16] {
        bytes.extend_from_slice(&short.to_le_bytes());
    }
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&length.to_le_bytes());
    for sample in samples {
        bytes.extend_from_slice(&((sample.clamp(-1.0, 1.0) * 32767.0) as i16).to_le_bytes());
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let samples: Vec<f32> = (0..960).map(|index| (index as f32 * 0.1).sin() * 0.5).collect();
        write(&path, &samples).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.len(), samples.len());
        assert!(back.iter().zip(&samples).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    #[test]
    fn broken_files_are_refused_without_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        write(&path, &[0.0; 100]).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..44 {
            assert!(parse(&whole[..length]).map_or(true, |samples| samples.is_empty()), "{length}");
        }
    }
}
