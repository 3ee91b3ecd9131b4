//! H.264 constrained baseline by OpenH264: no reordering, so one frame in, one frame out.

use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig};
use openh264::formats::YUVSource;

use super::sps;
use super::sys::Planes;
use super::sys::openh264::{Encoder, Outcome, Settings};
use super::{Content, EncoderSettings, VideoCodec, VideoDecoder};
use crate::error::MediaError;
use crate::frame::{EncodedVideo, VideoFrame};
use crate::pool::FramePool;
use crate::time::{Bitrate, MediaTime};

/// The rate control keeps short peaks below this multiple of the target. Lower skips pictures after a movement, higher
/// lets bursts through that the pacer has to queue.
const PEAK: f64 = 1.5;
/// OpenH264 refuses rates below one bit a picture; nothing useful comes below this anyway.
const MIN_BPS: i32 = 16_000;
/// Smallest side that the encoder takes: one macroblock.
const MIN_SIDE: u32 = 16;

/// Encoder for pictures of one size. Odd sizes lose their last column or row.
pub(super) struct H264Encoder {
    encoder: Encoder,
    width: u32,
    height: u32,
    /// Size of the last access unit: the guess for the next one's memory.
    last_len: usize,
}

impl H264Encoder {
    pub(super) fn new(settings: EncoderSettings) -> Result<Self, MediaError> {
        let (width, height) = (settings.width & !1, settings.height & !1);
        if width < MIN_SIDE || height < MIN_SIDE || settings.fps == 0 {
            return Err(MediaError::FrameSize { width: settings.width, height: settings.height });
        }
        let (bitrate_bps, max_bitrate_bps) = rates(settings.bitrate);
        let encoder = Encoder::new(&Settings {
            width,
            height,
            fps: settings.fps,
            bitrate_bps,
            max_bitrate_bps,
            screen: settings.content == Content::Screen,
        })?;
        Ok(Self { encoder, width, height, last_len: 0 })
    }

    pub(super) fn encode(&mut self, frame: &VideoFrame, force_key: bool) -> Result<Option<EncodedVideo>, MediaError> {
        let mut data = Vec::with_capacity(self.last_len * 5 / 4);
        let millis = i64::try_from(frame.captured.as_micros() / 1_000).unwrap_or(i64::MAX);
        let outcome = self.encoder.encode(&Planes::of(frame), millis, force_key, &mut data)?;
        if outcome == Outcome::Skipped || data.is_empty() {
            return Ok(None);
        }
        self.last_len = data.len();
        Ok(Some(EncodedVideo {
            codec: VideoCodec::H264,
            key: outcome == Outcome::Key,
            droppable: outcome == Outcome::Droppable,
            width: self.width,
            height: self.height,
            captured: frame.captured,
            number: frame.number,
            data,
        }))
    }

    pub(super) fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), MediaError> {
        let (bps, max_bps) = rates(bitrate);
        self.encoder.set_bitrate(bps, max_bps)
    }
}

fn rates(bitrate: Bitrate) -> (i32, i32) {
    let bps = |rate: Bitrate| i32::try_from(rate.as_bps()).unwrap_or(i32::MAX).clamp(MIN_BPS, 50_000_000);
    (bps(bitrate), bps(bitrate.scaled(PEAK)))
}

/// Decoder. It accepts only what a constrained baseline encoder makes, so that a peer cannot reach the rest.
pub(super) struct H264Decoder {
    decoder: Decoder,
    pool: FramePool,
}

impl H264Decoder {
    pub(super) fn new() -> Result<Self, MediaError> {
        Ok(Self { decoder: open()?, pool: FramePool::new() })
    }

    pub(super) fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        // The library allocates what a parameter set asks for, so each one is checked before it sees it.
        sps::check(data)?;
        match self.decoder.decode(data) {
            Ok(None) => Ok(None),
            Ok(Some(picture)) => copy_out(&picture, &self.pool).map(Some),
            Err(_refused) => {
                // After an error the library may keep half a picture; a new one starts clean at the next key frame.
                self.decoder = open()?;
                Err(MediaError::Undecodable)
            }
        }
    }
}

fn open() -> Result<Decoder, MediaError> {
    Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new())
        .map_err(|_refused| MediaError::Codec("open the H.264 decoder"))
}

/// Copies the rows out of the decoder's padded memory, which it reuses.
fn copy_out(picture: &impl YUVSource, pool: &FramePool) -> Result<VideoFrame, MediaError> {
    let (width, height) = picture.dimensions();
    let side = |side: usize| u32::try_from(side).map_err(|_too_large| MediaError::TooLarge);
    let (width_px, height_px) = (side(width)?, side(height)?);
    if u64::from(width_px) * u64::from(height_px) > u64::from(VideoDecoder::MAX_PIXELS) {
        return Err(MediaError::TooLarge);
    }
    let mut frame = pool.frame(width_px, height_px, MediaTime::default(), 0)?;
    let strides = picture.strides();
    let (y, u, v) = frame.planes_mut();
    let chroma = width.div_ceil(2);
    for (to, row, from, stride) in
        [(y, width, picture.y(), strides.0), (u, chroma, picture.u(), strides.1), (v, chroma, picture.v(), strides.2)]
    {
        if stride < row {
            return Err(MediaError::Codec("lay out a decoded picture"));
        }
        for (to, from) in to.chunks_exact_mut(row).zip(from.chunks(stride)) {
            to.copy_from_slice(from.get(..row).ok_or(MediaError::Codec("lay out a decoded picture"))?);
        }
    }
    Ok(frame)
}
