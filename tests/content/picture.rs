//! One plane of floating point samples: decode, scale, blur, read between samples.

use std::io::Cursor;

use anyhow::{Context, Result};
use zune_jpeg::JpegDecoder;

/// Samples from 0 to 255, row after row.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) samples: Vec<f32>,
}

/// Y, U and V planes of one size, in BT.601 limited range.
pub(crate) type Planes = [Plane; 3];

/// Decodes a JPEG picture to three planes of its own size.
pub(crate) fn decode(jpeg: &[u8]) -> Result<Planes> {
    let mut decoder = JpegDecoder::new(Cursor::new(jpeg));
    let rgb = decoder.decode().context("the picture in assets/ is damaged")?;
    let (width, height) = decoder.dimensions().context("the picture in assets/ has no size")?;
    let plane = |red: f32, green: f32, blue: f32, base: f32| Plane {
        width,
        height,
        samples: rgb
            .chunks_exact(3)
            .map(|p| base + red * f32::from(p[0]) + green * f32::from(p[1]) + blue * f32::from(p[2]))
            .collect(),
    };
    Ok([plane(0.257, 0.504, 0.098, 16.0), plane(-0.148, -0.291, 0.439, 128.0), plane(0.439, -0.368, -0.071, 128.0)])
}

impl Plane {
    /// A plane computed sample by sample.
    pub(crate) fn from_fn(width: usize, height: usize, value: impl Fn(f32, f32) -> f32) -> Self {
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x as f32, y as f32)));
        Self { width, height, samples: samples.map(|(x, y)| value(x, y)).collect() }
    }

    /// The value at a place between samples; beyond the edge the edge counts.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (part_x, part_y) = (x - left as f32, y - top as f32);
        let row = |y: usize| {
            let (a, b) = (self.samples[y * self.width + left], self.samples[y * self.width + right]);
            a + (b - a) * part_x
        };
        let (above, below) = (row(top), row(bottom));
        above + (below - above) * part_y
    }

    /// The same picture in another size.
    pub(crate) fn scaled(&self, width: usize, height: usize) -> Self {
        let (step_x, step_y) = (self.width as f32 / width as f32, self.height as f32 / height as f32);
        Self::from_fn(width, height, |x, y| self.at((x + 0.5) * step_x - 0.5, (y + 0.5) * step_y - 0.5))
    }

    /// Left and right exchanged.
    pub(crate) fn mirrored(&self) -> Self {
        let samples = self.samples.chunks_exact(self.width).flat_map(|row| row.iter().rev().copied()).collect();
        Self { samples, ..*self }
    }

    /// Blurred: three passes of a box of `2 * radius + 1` samples, close to a Gaussian.
    pub(crate) fn blurred(mut self, radius: usize) -> Self {
        for _ in 0..3 {
            self = self.box_pass(radius).transposed().box_pass(radius).transposed();
        }
        self
    }

    fn box_pass(&self, radius: usize) -> Self {
        let mut samples = Vec::with_capacity(self.samples.len());
        for row in self.samples.chunks_exact(self.width) {
            for x in 0..self.width {
                let window = &row[x.saturating_sub(radius)..(x + radius + 1).min(self.width)];
                samples.push(window.iter().sum::<f32>() / window.len() as f32);
            }
        }
        Self { samples, ..*self }
    }

    fn transposed(&self) -> Self {
        let samples =
            (0..self.width).flat_map(|x| (0..self.height).map(move |y| self.samples[y * self.width + x])).collect();
        Self { width: self.height, height: self.width, samples }
    }
}
