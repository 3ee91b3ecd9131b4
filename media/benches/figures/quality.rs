//! How much of a picture arrives: PSNR and SSIM of the luma at three rates, for each codec.

use std::io::{Error, Result};

use media::codec::{Content, EncoderSettings, VideoCodec, VideoDecoder, VideoEncoder};
use media::{Bitrate, VideoFrame};

use super::clip::FPS;
use super::figure;

const RATES: [u64; 3] = [500, 1_500, 2_500];
/// Left out: in a call they settle.
const SETTLE: u32 = 2 * FPS;

pub(crate) fn figures(clip: &[VideoFrame]) -> Result<()> {
    for &codec in VideoCodec::available() {
        for kbps in RATES {
            one(clip, codec, kbps)?;
        }
    }
    Ok(())
}

fn one(clip: &[VideoFrame], codec: VideoCodec, kbps: u64) -> Result<()> {
    let Some(first) = clip.first() else { return Err(Error::other("an empty clip")) };
    let settings = EncoderSettings {
        width: first.width(),
        height: first.height(),
        fps: FPS,
        bitrate: Bitrate::kbps(kbps),
        content: Content::Camera,
    };
    let mut encoder = VideoEncoder::new(codec, settings).map_err(Error::other)?;
    let mut decoder = VideoDecoder::new(codec).map_err(Error::other)?;
    let (mut psnr_sum, mut ssim_sum, mut shown, mut left_out, mut bytes, mut seen) = (0.0, 0.0, 0_u32, 0_u32, 0, 0_u32);
    for frame in clip {
        let encoded = encoder.encode(frame, false).map_err(Error::other)?;
        let decoded = match &encoded {
            Some(encoded) => decoder.decode(&encoded.data).map_err(Error::other)?,
            None => None,
        };
        if frame.number < SETTLE {
            continue;
        }
        seen += 1;
        bytes += encoded.as_ref().map_or(0, |encoded| encoded.data.len());
        match decoded {
            Some(decoded) => {
                psnr_sum += psnr(frame, &decoded);
                ssim_sum += ssim(frame, &decoded);
                shown += 1;
            }
            None => left_out += 1,
        }
    }
    let name = |what: &str| format!("{} at {kbps} kbit/s: {what}", codec.name());
    let count = f64::from(shown.max(1));
    let seconds = f64::from(seen.max(1)) / f64::from(FPS);
    figure("-", &name("rate"), bytes as f64 * 8.0 / 1_000.0 / seconds, "kbit/s", None);
    figure("-", &name("PSNR of the luma"), psnr_sum / count, "dB", None);
    figure("-", &name("SSIM of the luma"), ssim_sum / count, "", None);
    figure("-", &name("pictures left out"), f64::from(left_out), "", None);
    Ok(())
}

fn psnr(one: &VideoFrame, other: &VideoFrame) -> f64 {
    let squares: u64 = one.y().iter().zip(other.y()).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    let mean = squares as f64 / one.y().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// Structural similarity (Wang and others, 2004), over squares of 8 x 8 that do not overlap.
fn ssim(one: &VideoFrame, other: &VideoFrame) -> f64 {
    const SIDE: usize = 8;
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let (width, height) = (one.width() as usize, one.height() as usize);
    let (mut sum, mut count) = (0.0, 0.0);
    for top in (0..height.saturating_sub(SIDE - 1)).step_by(SIDE) {
        for left in (0..width.saturating_sub(SIDE - 1)).step_by(SIDE) {
            let (mut a, mut b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for row in top..top + SIDE {
                let at = row * width + left;
                for (x, y) in one.y()[at..at + SIDE].iter().zip(&other.y()[at..at + SIDE]) {
                    let (x, y) = (f64::from(*x), f64::from(*y));
                    (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y);
                }
            }
            let n = (SIDE * SIDE) as f64;
            let (a, b) = (a / n, b / n);
            let (va, vb, cov) = (aa / n - a * a, bb / n - b * b, ab / n - a * b);
            sum += (2.0 * a * b + C1) * (2.0 * cov + C2) / ((a * a + b * b + C1) * (va + vb + C2));
            count += 1.0;
        }
    }
    sum / count
}
