//! Looks at H.264 parameter sets before the decoder does: profile, size and memory are a peer's choice, within bounds.

use super::VideoDecoder;
use crate::error::MediaError;

/// Reference pictures a stream may ask memory for. Ours needs 1 to 3.
const MAX_REFERENCES: u32 = 4;
/// NAL unit types (H.264 table 7-1) that a constrained baseline stream of one layer has.
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;
/// `profile_idc` of the baseline profile.
const BASELINE: u32 = 66;

/// Checks an access unit in Annex B form.
///
/// # Errors
///
/// [`MediaError::Undecodable`] if it does not start with a start code, holds other kinds of NAL units or another
/// profile, [`MediaError::TooLarge`] for pictures beyond [`VideoDecoder::MAX_PIXELS`] or too many references.
pub(super) fn check(data: &[u8]) -> Result<(), MediaError> {
    if !(data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])) {
        return Err(MediaError::Undecodable);
    }
    for unit in units(data) {
        let Some((&header, payload)) = unit.split_first() else { return Err(MediaError::Undecodable) };
        // The first bit of the header must be zero.
        match header & 0x9f {
            SLICE | IDR_SLICE | SEI | PPS | DELIMITER | FILLER => {}
            SPS => check_sps(payload)?,
            _ => return Err(MediaError::Undecodable),
        }
    }
    Ok(())
}

/// The NAL units between start codes (H.264 annex B).
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let start = find_start(rest)? + 3;
        let unit = &rest[start..];
        let end = find_start(unit).unwrap_or(unit.len());
        rest = &unit[end..];
        Some(&unit[..end])
    })
}

fn find_start(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|bytes| bytes == [0, 0, 1])
}

/// Reads a sequence parameter set up to the picture's size (H.264 7.3.2.1.1).
fn check_sps(payload: &[u8]) -> Result<(), MediaError> {
    let mut bits = Bits { bytes: without_emulation(payload), position: 0 };
    let [profile, _constraints, _level] = [bits.fixed(8)?, bits.fixed(8)?, bits.fixed(8)?];
    if profile != BASELINE {
        return Err(MediaError::Undecodable);
    }
    let _id = bits.golomb()?;
    let _frame_number_bits = bits.golomb()?;
    match bits.golomb()? {
        0 => drop(bits.golomb()?),
        2 => {}
        // Type 1 is for reordered pictures, which baseline encoders do not make.
        _ => return Err(MediaError::Undecodable),
    }
    let references = bits.golomb()?;
    let _gaps = bits.fixed(1)?;
    let (columns, rows) = (bits.golomb()?, bits.golomb()?);
    let macroblocks = (u64::from(columns) + 1).saturating_mul(u64::from(rows) + 1);
    if references > MAX_REFERENCES || macroblocks > u64::from(VideoDecoder::MAX_PIXELS / 256) {
        return Err(MediaError::TooLarge);
    }
    Ok(())
}

/// The first bytes of a payload without the bytes that keep start codes out (H.264 7.4.1).
/// 64 are enough for the fields up to the size, whatever their values.
fn without_emulation(payload: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(64);
    let mut zeros = 0;
    for &byte in payload.iter().take(64) {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        clean.push(byte);
    }
    clean
}

struct Bits {
    bytes: Vec<u8>,
    position: usize,
}

impl Bits {
    fn bit(&mut self) -> Result<u32, MediaError> {
        let byte = self.bytes.get(self.position / 8).ok_or(MediaError::Undecodable)?;
        let bit = (byte >> (7 - self.position % 8)) & 1;
        self.position += 1;
        Ok(u32::from(bit))
    }

    fn fixed(&mut self, count: u32) -> Result<u32, MediaError> {
        (0..count).try_fold(0, |value, _| Ok((value << 1) | self.bit()?))
    }

    /// An unsigned Exp-Golomb number (H.264 9.1).
    fn golomb(&mut self) -> Result<u32, MediaError> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return Err(MediaError::Undecodable);
            }
        }
        let value = (1_u64 << zeros) - 1 + u64::from(self.fixed(zeros)?);
        u32::try_from(value).map_err(|_too_large| MediaError::Undecodable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a parameter set with the fields that [`check_sps`] reads.
    fn sps(profile: u32, order: u32, references: u32, columns: u32, rows: u32) -> Vec<u8> {
        let mut bits: Vec<u8> = Vec::new();
        let mut fixed = |value: u64, count: u32| bits.extend((0..count).rev().map(|n| (value >> n & 1) as u8));
        let golomb = |fixed: &mut dyn FnMut(u64, u32), value: u32| {
            let value = u64::from(value) + 1;
            let len = 64 - value.leading_zeros();
            fixed(0, len - 1);
            fixed(value, len);
        };
        for byte in [u64::from(profile), 0xc0, 31] {
            fixed(byte, 8);
        }
        golomb(&mut fixed, 0);
        golomb(&mut fixed, 4);
        golomb(&mut fixed, order);
        if order == 0 {
            golomb(&mut fixed, 4);
        }
        golomb(&mut fixed, references);
        fixed(0, 1);
        golomb(&mut fixed, columns - 1);
        golomb(&mut fixed, rows - 1);
        fixed(1, 1);
        let mut unit = vec![0, 0, 0, 1, 0x67];
        for byte in bits.chunks(8) {
            unit.push(byte.iter().enumerate().fold(0, |sum, (n, bit)| sum | bit << (7 - n)));
        }
        unit
    }

    #[test]
    fn a_baseline_stream_of_sane_size_passes() {
        assert_eq!(check(&sps(66, 0, 1, 80, 45)), Ok(()));
        assert_eq!(check(&sps(66, 2, 4, 240, 135)), Ok(()));
    }

    #[test]
    fn other_profiles_orders_and_unit_kinds_are_refused() {
        assert_eq!(check(&sps(100, 0, 1, 80, 45)), Err(MediaError::Undecodable));
        assert_eq!(check(&sps(66, 1, 1, 80, 45)), Err(MediaError::Undecodable));
        assert_eq!(check(&[0, 0, 1, 0x6f, 1, 2, 3]), Err(MediaError::Undecodable));
        assert_eq!(check(&[0, 0, 1, 0xe7]), Err(MediaError::Undecodable));
    }

    #[test]
    fn large_pictures_and_many_references_are_refused() {
        assert_eq!(check(&sps(66, 2, 1, 241, 136)), Err(MediaError::TooLarge));
        assert_eq!(check(&sps(66, 2, 1, u32::MAX - 1, u32::MAX - 1)), Err(MediaError::TooLarge));
        assert_eq!(check(&sps(66, 2, 16, 80, 45)), Err(MediaError::TooLarge));
    }

    #[test]
    fn cut_and_empty_units_are_refused_at_every_length() {
        let whole = sps(66, 0, 1, 80, 45);
        for len in 0..whole.len() - 2 {
            assert!(check(&whole[..len]).is_err(), "{len} bytes");
        }
        assert!(check(&[0, 0, 1]).is_err());
        assert!(check(&[0, 0, 1, 0x67, 66, 0, 31, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
