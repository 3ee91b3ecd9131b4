//! Capture, convert, scale, hide the background, encode; decode, convert for the screen: each stage apart.

use std::io::{Error, Result};

use media::codec::{Content, EncoderSettings, VideoCodec, VideoDecoder, VideoEncoder};
use media::process::background::{Background, BlurStrength, Effect, PlainColour};
use media::process::convert;
use media::process::scale::Scaler;
use media::{Bitrate, FramePool, VideoFrame};

use super::clip::FPS;
use super::{Cost, figure, median, timed};

const SIZES: [(u32, u32, u64); 3] = [(640, 360, 700), (1_280, 720, 1_500), (1_920, 1_080, 3_000)];
/// Pictures that a stage may take to settle.
const SETTLE: usize = 30;

/// CPU of a second of call that the background may add (P15), for each picture of 720p.
const P15: f64 = 0.2 / 30.0 * 1e3;

pub(crate) fn figures(clip: &[VideoFrame]) -> Result<()> {
    for (width, height, kbps) in SIZES {
        let mut scaler = Scaler::new();
        let frames: std::result::Result<Vec<_>, _> =
            clip.iter().map(|frame| scaler.scale(frame, width, height)).collect();
        size(&frames.map_err(Error::other)?, kbps)?;
    }
    Ok(())
}

fn size(frames: &[VideoFrame], kbps: u64) -> Result<()> {
    let Some(first) = frames.first() else { return Err(Error::other("an empty clip")) };
    let (width, height) = (first.width(), first.height());
    let name = |stage: &str| format!("{height}p: {stage}");

    let yuyv: Vec<Vec<u8>> = frames.iter().map(packed).collect();
    let pool = FramePool::new();
    let mut shown = None;
    stage(&name("YUYV of a camera to I420"), None, frames.len(), |at| {
        let mut frame = pool.frame(width, height, frames[at].captured, frames[at].number)?;
        convert::yuyv_to_i420(&yuyv[at], &mut frame)?;
        // As in the slot: the newest one is kept.
        shown = Some(frame);
        Ok(())
    })?;
    drop(shown);

    let mut scaler = Scaler::new();
    stage(&name("scaled to half of each side"), None, frames.len(), |at| {
        scaler.scale(&frames[at], width / 2, height / 2).map(drop)
    })?;

    for (what, background) in [
        ("strong blur", Background::Blurred(BlurStrength::Strong)),
        ("plain colour behind", Background::Plain(PlainColour::CALM)),
    ] {
        let mut effect = Effect::new().map_err(Error::other)?;
        let target = (height == 720 && what.contains("blur")).then_some(P15);
        stage(&name(what), target, frames.len(), |at| effect.apply(&frames[at], &background).map(drop))?;
    }

    for &codec in VideoCodec::available() {
        let settings =
            EncoderSettings { width, height, fps: FPS, bitrate: Bitrate::kbps(kbps), content: Content::Camera };
        let mut encoder = VideoEncoder::new(codec, settings).map_err(Error::other)?;
        let mut encoded = Vec::new();
        stage(&name(&format!("{} encoded at {kbps} kbit/s", codec.name())), None, frames.len(), |at| {
            encoded.push(encoder.encode(&frames[at], false)?.map(|encoded| encoded.data));
            Ok(())
        })?;
        let mut decoder = VideoDecoder::new(codec).map_err(Error::other)?;
        stage(&name(&format!("{} decoded", codec.name())), None, encoded.len(), |at| match &encoded[at] {
            Some(data) => decoder.decode(data).map(drop),
            None => Ok(()),
        })?;
    }

    let mut rgba = Vec::new();
    stage(&name("I420 to RGBA for the screen"), None, frames.len(), |at| {
        convert::i420_to_rgba(&frames[at], &mut rgba);
        Ok(())
    })
}

/// Runs a stage over all pictures and prints what one of them costs.
fn stage(
    name: &str,
    most: Option<f64>,
    pictures: usize,
    mut work: impl FnMut(usize) -> std::result::Result<(), media::MediaError>,
) -> Result<()> {
    let mut costs: Vec<Cost> = Vec::with_capacity(pictures);
    let mut allocations = 0;
    for at in 0..pictures {
        let mut outcome = Ok(());
        let mut cost = None;
        let counted = allocation_counter::measure(|| {
            let (taken, result) = timed(|| work(at));
            (cost, outcome) = (Some(taken), result);
        });
        outcome.map_err(Error::other)?;
        if at >= SETTLE {
            allocations += counted.count_total;
            costs.extend(cost);
        }
    }
    let each = costs.len().max(1) as f64;
    // Stages that look at every second picture have no typical one: the mean counts.
    let mean = costs.iter().map(|cost| cost.cpu).sum::<f64>() / each;
    figure(if most.is_some() { "P15" } else { "-" }, name, mean * 1e3, "ms", most);
    figure("-", &format!("{name}, wall, median"), median(costs.iter().map(|cost| cost.wall)) * 1e3, "ms", None);
    figure("-", &format!("{name}, allocations"), allocations as f64 / each, "", None);
    Ok(())
}

/// A picture as a camera gives it: two pixels share their colours.
fn packed(frame: &VideoFrame) -> Vec<u8> {
    let (width, chroma) = (frame.width() as usize, frame.chroma_width() as usize);
    let mut packed = Vec::with_capacity(2 * frame.y().len());
    for (row, luma) in frame.y().chunks_exact(width).enumerate() {
        let colours = row / 2 * chroma;
        for (at, pair) in luma.chunks_exact(2).enumerate() {
            packed.extend([pair[0], frame.u()[colours + at], pair[1], frame.v()[colours + at]]);
        }
    }
    packed
}
