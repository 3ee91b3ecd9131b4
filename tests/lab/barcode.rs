//! The number in the top left corner of a test picture: 16 blocks, 12 bits of number and 4 bits of check.
//!
//! ```text
//!  x = 48     72                               432
//!   y = 12 +------+------+-- … --+------+------+
//!          | n 11 | n 10 |       | c 1  | c 0  |   light block 192 = 1, dark block 64 = 0
//!       36 +------+------+-- … --+------+------+
//! ```
//! The layout is that of a 1280x720 picture; reading scales it to the picture's own size.

/// Width the layout is drawn for, in pixels.
pub const WIDTH: usize = 1280;
/// Height the layout is drawn for, in pixels.
pub const HEIGHT: usize = 720;
/// Numbers run from 0 up to this one, exclusive.
pub const COUNT: u16 = 300;

const BLOCK: usize = 24;
const LEFT: usize = 48;
const TOP: usize = 12;
const BITS: usize = 16;
const LIGHT: u8 = 192;
const DARK: u8 = 64;

fn check(number: u16) -> u16 {
    (number ^ (number >> 4) ^ (number >> 8) ^ 0x5) & 0xF
}

/// Draws `number` into a luma plane of [`WIDTH`] × [`HEIGHT`] bytes without padding.
///
/// A smaller plane stays as it is.
pub fn draw(luma: &mut [u8], number: u16) {
    if luma.len() < WIDTH * HEIGHT {
        return;
    }
    let word = (number << 4) | check(number);
    for row in luma.chunks_exact_mut(WIDTH).skip(TOP).take(BLOCK) {
        for (bit, block) in row[LEFT..LEFT + BITS * BLOCK].chunks_exact_mut(BLOCK).enumerate() {
            block.fill(if (word >> (BITS - 1 - bit)) & 1 == 1 { LIGHT } else { DARK });
        }
    }
}

/// Reads the number from a luma plane of any size, `width` × `height` bytes without padding.
///
/// `None` where the check bits disagree, so also for a picture that carries no number.
pub fn read(luma: &[u8], width: usize, height: usize) -> Option<u16> {
    if width < BITS || height < BITS || luma.len() < width * height {
        return None;
    }
    let (scale_x, scale_y) = (width as f64 / WIDTH as f64, height as f64 / HEIGHT as f64);
    // The middle of a block only: codecs smear its edges.
    let top = ((TOP as f64 + 0.3 * BLOCK as f64) * scale_y) as usize;
    let bottom = (top + (0.4 * BLOCK as f64 * scale_y) as usize).max(top + 1).min(height);
    let mut word = 0_u16;
    for bit in 0..BITS {
        let left = ((LEFT as f64 + (bit as f64 + 0.3) * BLOCK as f64) * scale_x) as usize;
        let right = (left + (0.4 * BLOCK as f64 * scale_x) as usize).max(left + 1).min(width);
        let (mut sum, mut count) = (0_u64, 0_u64);
        for row in luma.chunks_exact(width).take(bottom).skip(top) {
            sum += row[left..right].iter().map(|&value| u64::from(value)).sum::<u64>();
            count += (right - left) as u64;
        }
        word = (word << 1) | u16::from(sum > 128 * count);
    }
    let number = word >> 4;
    (check(number) == word & 0xF && number < COUNT).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_read_back() {
        let mut luma = vec![100; WIDTH * HEIGHT];
        for number in 0..COUNT {
            draw(&mut luma, number);
            assert_eq!(read(&luma, WIDTH, HEIGHT), Some(number));
        }
    }

    #[test]
    fn a_half_size_picture_is_read_too() {
        let mut luma = vec![100; WIDTH * HEIGHT];
        draw(&mut luma, 217);
        let half: Vec<u8> =
            luma.chunks_exact(2 * WIDTH).flat_map(|rows| rows[..WIDTH].iter().step_by(2).copied()).collect();
        assert_eq!(read(&half, WIDTH / 2, HEIGHT / 2), Some(217));
    }

    #[test]
    fn a_plain_picture_carries_no_number() {
        assert_eq!(read(&vec![0; WIDTH * HEIGHT], WIDTH, HEIGHT), None);
        assert_eq!(read(&[], 0, 0), None);
    }
}
