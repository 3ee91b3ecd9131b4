//! Measures both video codecs on a Y4M clip: CPU time per picture, rate and quality.
//!
//! `cargo run --release -p media --example codec_bench -- CLIP.y4m [CODEC]` prints one line per codec and rate: CPU
//! milliseconds per picture to encode and to decode, kbit/s, luma PSNR (mean of the pictures' PSNR and the worst),
//! pictures dropped by the rate control, the largest encoded picture. The first two seconds are left out, as in a call
//! they settle.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};

use media::codec::{EncoderSettings, VideoCodec, VideoDecoder, VideoEncoder};
use media::{Bitrate, MediaTime, VideoFrame};

const FPS: u32 = 30;
const SETTLE: u32 = 2 * FPS;
const RATES: [u64; 3] = [500, 1_500, 2_500];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::other("usage: codec_bench CLIP.y4m [h264|av1]");
    let path = arguments.next().ok_or_else(usage)?;
    let only = arguments.next();
    let mut out = std::io::stdout();
    for &codec in VideoCodec::available() {
        if only.as_deref().is_some_and(|name| name != codec.name()) {
            continue;
        }
        for kbps in RATES {
            let figures = measure(&path, codec, Bitrate::kbps(kbps))?;
            writeln!(
                out,
                "{:4} target {kbps:4} kbit/s: {:6.0} kbit/s, encode {:5.2} ms, decode {:5.2} ms, PSNR-Y {:.2} dB \
                 (worst {:.2}), dropped {}, largest {} B",
                codec.name(),
                figures.kbps,
                figures.encode_ms,
                figures.decode_ms,
                figures.psnr,
                figures.worst,
                figures.dropped,
                figures.largest,
            )?;
        }
    }
    Ok(())
}

struct Figures {
    kbps: f64,
    encode_ms: f64,
    decode_ms: f64,
    psnr: f64,
    worst: f64,
    dropped: u32,
    largest: usize,
}

fn measure(path: &str, codec: VideoCodec, bitrate: Bitrate) -> Result<Figures> {
    let mut clip = Clip::open(path)?;
    let settings = EncoderSettings { width: clip.width, height: clip.height, fps: FPS, bitrate };
    let mut encoder = VideoEncoder::new(codec, settings).map_err(Error::other)?;
    let mut decoder = VideoDecoder::new(codec).map_err(Error::other)?;
    let (mut encode_s, mut decode_s, mut psnr_sum, mut worst) = (0.0, 0.0, 0.0, f64::MAX);
    let (mut bytes, mut largest, mut dropped, mut count, mut shown_count) = (0, 0, 0, 0_u32, 0_u32);
    let mut number = 0;
    while let Some(frame) = clip.next(number)? {
        let start = cpu_s();
        let encoded = encoder.encode(&frame, false).map_err(Error::other)?;
        let middle = cpu_s();
        let decoded = match &encoded {
            Some(encoded) => decoder.decode(&encoded.data).map_err(Error::other)?,
            None => None,
        };
        let end = cpu_s();
        largest = largest.max(encoded.as_ref().map_or(0, |encoded| encoded.data.len()));
        if number >= SETTLE {
            count += 1;
            encode_s += middle - start;
            decode_s += end - middle;
            bytes += encoded.as_ref().map_or(0, |encoded| encoded.data.len());
            if let Some(decoded) = decoded {
                let psnr = psnr(&frame, &decoded);
                psnr_sum += psnr;
                worst = f64::min(worst, psnr);
                shown_count += 1;
            } else {
                dropped += 1;
            }
        }
        number += 1;
    }
    let frames = f64::from(count.max(1));
    Ok(Figures {
        kbps: bytes as f64 * 8.0 / 1_000.0 / (frames / f64::from(FPS)),
        encode_ms: encode_s * 1_000.0 / frames,
        decode_ms: decode_s * 1_000.0 / frames,
        psnr: psnr_sum / f64::from(shown_count.max(1)),
        worst,
        dropped,
        largest,
    })
}

fn psnr(one: &VideoFrame, other: &VideoFrame) -> f64 {
    let squares: u64 = one.y().iter().zip(other.y()).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
    let mean = squares as f64 / one.y().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// CPU seconds of this thread.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

struct Clip {
    reader: BufReader<File>,
    width: u32,
    height: u32,
}

impl Clip {
    fn open(path: &str) -> Result<Self> {
        let mut reader = BufReader::new(File::open(path)?);
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let side = |tag: char| -> Result<u32> {
            let field = header.split_whitespace().find_map(|field| field.strip_prefix(tag));
            field.and_then(|side| side.parse().ok()).ok_or_else(|| Error::other("no size in the Y4M header"))
        };
        let (width, height) = (side('W')?, side('H')?);
        Ok(Self { reader, width, height })
    }

    fn next(&mut self, number: u32) -> Result<Option<VideoFrame>> {
        let mut line = Vec::new();
        if self.reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let mut data = vec![0; VideoFrame::data_len(self.width, self.height).map_err(Error::other)?];
        self.reader.read_exact(&mut data)?;
        let captured = MediaTime::from_micros(u64::from(number) * 1_000_000 / u64::from(FPS));
        VideoFrame::new(self.width, self.height, captured, number, data).map(Some).map_err(Error::other)
    }
}
