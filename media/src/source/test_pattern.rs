//! A calm moving picture that needs no device: a soft background, a slowly swaying head and shoulders, the number.

use super::Step;
use super::barcode;
use super::pace::{Due, Pace};
use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};
use crate::pool::FramePool;
use crate::time::MediaTime;

/// The pattern's generator. The motion repeats with the number on the picture, after [`barcode::PERIOD`] frames.
pub(crate) struct TestPattern {
    format: VideoFormat,
    look: Look,
    background: VideoFrame,
    pace: Pace,
    pool: FramePool,
}

/// What distinguishes one variant from the others.
struct Look {
    /// Chroma of the background, U and V.
    room: (u8, u8),
    /// Chroma of the figure.
    figure: (u8, u8),
    /// Luma of the figure's middle.
    light: u8,
    /// Sways per period; the sign says where it starts.
    sway: i8,
    /// Whether the background grows lighter to the right instead of downwards.
    sideways: bool,
}

impl Look {
    const fn of(variant: u8) -> Self {
        match variant % 4 {
            0 => Self { room: (134, 122), figure: (110, 150), light: 190, sway: 2, sideways: false },
            1 => Self { room: (118, 126), figure: (116, 142), light: 160, sway: -3, sideways: true },
            2 => Self { room: (126, 136), figure: (104, 146), light: 205, sway: 1, sideways: false },
            _ => Self { room: (140, 116), figure: (120, 138), light: 140, sway: -1, sideways: true },
        }
    }
}

impl TestPattern {
    pub(crate) fn new(variant: u8, format: VideoFormat) -> Result<Self, DeviceError> {
        let failed = |attempt| DeviceError::Failed { kind: DeviceKind::Camera, attempt };
        if format.fps == 0 {
            return Err(failed("make a test pattern of that rate"));
        }
        let pool = FramePool::new();
        let mut background = pool
            .frame(format.width, format.height, MediaTime::default(), 0)
            .map_err(|_size| failed("make a test pattern of that size"))?;
        let look = Look::of(variant);
        paint_room(&mut background, &look);
        Ok(Self { format, look, background, pace: Pace::new(format.fps, 1), pool })
    }

    pub(super) const fn format(&self) -> VideoFormat {
        self.format
    }

    pub(super) fn next(&mut self, now: MediaTime) -> Result<Step, DeviceError> {
        match self.pace.due(now) {
            Due::In(wait) => Ok(Step::Wait(wait)),
            Due::Now(number, moment) => self.paint(number, moment).map(Step::Frame),
        }
    }

    pub(crate) fn paint(&self, number: u32, moment: MediaTime) -> Result<VideoFrame, DeviceError> {
        let mut frame = self
            .pool
            .frame(self.format.width, self.format.height, moment, number)
            .map_err(|_size| DeviceError::Failed { kind: DeviceKind::Camera, attempt: "hold a test picture" })?;
        let (y, u, v) = frame.planes_mut();
        y.copy_from_slice(self.background.y());
        u.copy_from_slice(self.background.u());
        v.copy_from_slice(self.background.v());

        let phase = f32::from(u16::try_from(number % barcode::PERIOD).unwrap_or(0)) / barcode::PERIOD as f32;
        let turn = phase * std::f32::consts::TAU;
        let (width, height) = (self.format.width as f32, self.format.height as f32);
        let x = width * (0.5 + 0.04 * (turn * f32::from(self.look.sway)).sin());
        let nod = height * 0.01 * (turn * 3.0).sin();
        let head = Oval { x, y: height * 0.42 + nod, rx: width * 0.13, ry: height * 0.29 };
        let body =
            Oval { x: (x + width) / 3.0 + width / 6.0 * 0.5, y: height * 1.1, rx: width * 0.28, ry: height * 0.38 };
        paint_oval(&mut frame, &body, self.look.light / 2, self.look.room);
        paint_oval(&mut frame, &head, self.look.light, self.look.figure);
        barcode::write(&mut frame, number);
        Ok(frame)
    }
}

struct Oval {
    x: f32,
    y: f32,
    rx: f32,
    ry: f32,
}

fn paint_room(frame: &mut VideoFrame, look: &Look) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (y, u, v) = frame.planes_mut();
    for (row, line) in y.chunks_exact_mut(width).enumerate() {
        for (column, luma) in line.iter_mut().enumerate() {
            let along = if look.sideways { column * 96 / width } else { row * 96 / height };
            // A coarse weave gives the encoder some detail to keep.
            let weave = ((column / 16 + row / 16) % 2) * 6;
            *luma = 48 + u8::try_from(along + weave).unwrap_or(0);
        }
    }
    u.fill(look.room.0);
    v.fill(look.room.1);
}

/// Paints a shaded oval with a soft edge into the luma and a plain one into the chroma.
fn paint_oval(frame: &mut VideoFrame, oval: &Oval, light: u8, chroma: (u8, u8)) {
    let (width, chroma_width) = (frame.width() as usize, frame.chroma_width() as usize);
    let (y, u, v) = frame.planes_mut();
    paint_plane(y, width, oval, |inside, old| {
        // Darker towards the edge, and blended over the last tenth.
        let shade = f32::from(light) * (0.6 + 0.4 * inside);
        let blend = (inside * 10.0).min(1.0);
        (f32::from(old) + (shade - f32::from(old)) * blend) as u8
    });
    let half = Oval { x: oval.x / 2.0, y: oval.y / 2.0, rx: oval.rx / 2.0, ry: oval.ry / 2.0 };
    paint_plane(u, chroma_width, &half, |_, _| chroma.0);
    paint_plane(v, chroma_width, &half, |_, _| chroma.1);
}

/// Calls `paint(inside, old)` for each sample in the oval; `inside` is 0 at the edge and 1 in the middle.
fn paint_plane(plane: &mut [u8], width: usize, oval: &Oval, paint: impl Fn(f32, u8) -> u8) {
    let rows = (oval.y - oval.ry).max(0.0) as usize..=(oval.y + oval.ry).max(0.0) as usize;
    for (row, line) in plane.chunks_exact_mut(width).enumerate() {
        if !rows.contains(&row) {
            continue;
        }
        let down = (row as f32 - oval.y) / oval.ry;
        let reach = (1.0 - down * down).max(0.0).sqrt() * oval.rx;
        let from = ((oval.x - reach).max(0.0) as usize).min(width);
        let to = ((oval.x + reach).max(0.0) as usize).min(width);
        for (column, sample) in line.iter_mut().enumerate().take(to).skip(from) {
            let across = (column as f32 - oval.x) / oval.rx;
            let inside = (1.0 - across * across - down * down).clamp(0.0, 1.0);
            *sample = paint(inside, *sample);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(variant: u8, number: u32) -> VideoFrame {
        let format = VideoFormat { width: 320, height: 180, fps: 30 };
        TestPattern::new(variant, format).unwrap().paint(number, MediaTime::default()).unwrap()
    }

    #[test]
    fn pictures_carry_their_number() {
        for number in [0, 7, 299, 300] {
            assert_eq!(barcode::read(&picture(1, number)), Some(number % barcode::PERIOD));
        }
    }

    #[test]
    fn variants_and_moments_differ() {
        assert_ne!(picture(0, 5).data(), picture(1, 5).data());
        assert_ne!(picture(0, 5).data(), picture(0, 40).data());
        assert_eq!(picture(0, 5).data(), picture(0, 305).data());
    }

    #[test]
    fn odd_and_tiny_sizes_are_painted_and_absurd_ones_refused() {
        for (width, height) in [(1, 1), (3, 5), (641, 361)] {
            let format = VideoFormat { width, height, fps: 30 };
            assert!(TestPattern::new(0, format).unwrap().paint(9, MediaTime::default()).is_ok());
        }
        for (width, height, fps) in [(0, 1, 30), (1, 100_000, 30), (64, 64, 0)] {
            assert!(TestPattern::new(0, VideoFormat { width, height, fps }).is_err());
        }
    }
}
