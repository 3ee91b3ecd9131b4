//! A frame's number as 16 light and dark blocks in its top left corner: 12 bits of number, 4 bits of check.
//!
//! ```text
//! at 1280 x 720: blocks of 24 x 24 from (48, 12), most significant bit first, dark 64, light 192
//! | n11 n10 n9 n8 n7 n6 n5 n4 n3 n2 n1 n0 | c3 c2 c1 c0 |   c = (n ^ n>>4 ^ n>>8 ^ 5) & 15
//! ```
//!
//! At other sizes the layout scales with the picture, so the number survives scaling. It repeats after
//! [`PERIOD`] pictures, 10 s at 30 pictures per second.

use crate::frame::VideoFrame;

/// Numbers run from 0 to one below this.
pub const PERIOD: u32 = 300;

const LAYOUT_WIDTH: u32 = 1280;
const LAYOUT_HEIGHT: u32 = 720;
const BLOCK: u32 = 24;
const LEFT: u32 = 48;
const TOP: u32 = 12;
const BITS: u32 = 16;
const DARK: u8 = 64;
const LIGHT: u8 = 192;

/// Writes `number` modulo [`PERIOD`] into the picture's luma.
pub fn write(frame: &mut VideoFrame, number: u32) {
    let (width, height) = (frame.width(), frame.height());
    let word = word(number % PERIOD);
    let rows = span(TOP, TOP + BLOCK, height, LAYOUT_HEIGHT);
    let (y, _, _) = frame.planes_mut();
    for line in y.chunks_exact_mut(width as usize).take(rows.1).skip(rows.0) {
        for bit in 0..BITS {
            let left = LEFT + bit * BLOCK;
            let (from, to) = span(left, left + BLOCK, width, LAYOUT_WIDTH);
            let light = (word >> (BITS - 1 - bit)) & 1 == 1;
            line[from..to].fill(if light { LIGHT } else { DARK });
        }
    }
}

/// Reads the number, or `None` if the check does not fit.
#[must_use]
pub fn read(frame: &VideoFrame) -> Option<u32> {
    let (width, height) = (frame.width(), frame.height());
    // The middle of each block, away from edges that a codec blurs.
    let rows = span(TOP + BLOCK * 3 / 10, TOP + BLOCK * 7 / 10, height, LAYOUT_HEIGHT);
    let mut read = 0;
    for bit in 0..BITS {
        let left = LEFT + bit * BLOCK;
        let (from, to) = span(left + BLOCK * 3 / 10, left + BLOCK * 7 / 10, width, LAYOUT_WIDTH);
        let lines = frame.y().chunks_exact(width as usize).take(rows.1).skip(rows.0);
        let (mut sum, mut count) = (0_u64, 0_u64);
        for line in lines {
            sum += line[from..to].iter().map(|&luma| u64::from(luma)).sum::<u64>();
            count += (to - from) as u64;
        }
        read = (read << 1) | u32::from(sum > 128 * count);
    }
    let number = read >> 4;
    (number < PERIOD && word(number) == read).then_some(number)
}

const fn word(number: u32) -> u32 {
    (number << 4) | ((number ^ (number >> 4) ^ (number >> 8) ^ 5) & 15)
}

/// Scales `from..to` of the layout to a picture side of `side`, at least one pixel, inside the picture.
fn span(from: u32, to: u32, side: u32, layout: u32) -> (usize, usize) {
    let from = (from * side / layout).min(side - 1);
    let to = (to * side / layout).clamp(from + 1, side);
    (from as usize, to as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MediaTime;

    fn grey(width: u32, height: u32) -> VideoFrame {
        let len = VideoFrame::data_len(width, height).unwrap();
        VideoFrame::new(width, height, MediaTime::default(), 0, vec![128; len]).unwrap()
    }

    #[test]
    fn numbers_survive_at_many_sizes() {
        for (width, height) in [(1280, 720), (640, 360), (320, 180), (1920, 1080), (641, 363)] {
            for number in [0, 1, 150, 299, 300, 12_345] {
                let mut frame = grey(width, height);
                write(&mut frame, number);
                assert_eq!(read(&frame), Some(number % PERIOD), "{width} x {height}");
            }
        }
    }

    #[test]
    fn a_plain_or_tiny_picture_has_no_number() {
        assert_eq!(read(&grey(1280, 720)), None);
        assert_eq!(read(&grey(1, 1)), None);
        let mut tiny = grey(2, 1);
        write(&mut tiny, 3);
    }
}
