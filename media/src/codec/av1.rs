//! AV1 main profile, 8 bit 4:2:0: encoder by libaom, decoder by rav1d.

use rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings as DecoderSettings};

use super::sys::Planes;
use super::sys::aom::{Encoder, Settings};
use super::{Content, EncoderSettings, VideoCodec, VideoDecoder};
use crate::error::MediaError;
use crate::frame::{EncodedVideo, VideoFrame};
use crate::pool::FramePool;
use crate::time::{Bitrate, MediaTime};

/// One thread: a second one shortens the time per picture but costs more CPU in all, and audio wants the other core.
const THREADS: u32 = 1;
/// libaom counts in kbit/s; below this nothing useful comes.
const MIN_KBPS: u32 = 16;
const MAX_KBPS: u32 = 50_000;
/// Smallest side that the encoder takes.
const MIN_SIDE: u32 = 16;

/// Encoder for pictures of one size, odd sizes included.
pub(super) struct Av1Encoder {
    encoder: Encoder,
    /// Size of the last temporal unit: the guess for the next one's memory.
    last_len: usize,
}

impl Av1Encoder {
    pub(super) fn new(settings: EncoderSettings) -> Result<Self, MediaError> {
        let EncoderSettings { width, height, fps, bitrate, content } = settings;
        if width < MIN_SIDE || height < MIN_SIDE || fps == 0 {
            return Err(MediaError::FrameSize { width, height });
        }
        let encoder = Encoder::new(&Settings {
            width,
            height,
            fps,
            bitrate_kbps: kbps(bitrate),
            threads: THREADS,
            screen: content == Content::Screen,
        })?;
        Ok(Self { encoder, last_len: 0 })
    }

    pub(super) fn encode(&mut self, frame: &VideoFrame, force_key: bool) -> Result<Option<EncodedVideo>, MediaError> {
        let mut data = Vec::with_capacity(self.last_len * 5 / 4);
        let key = self.encoder.encode(&Planes::of(frame), force_key, &mut data)?;
        if data.is_empty() {
            return Ok(None);
        }
        self.last_len = data.len();
        Ok(Some(EncodedVideo {
            codec: VideoCodec::Av1,
            key,
            droppable: false,
            width: frame.width(),
            height: frame.height(),
            captured: frame.captured,
            number: frame.number,
            data,
        }))
    }

    pub(super) fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), MediaError> {
        self.encoder.set_bitrate(kbps(bitrate))
    }
}

fn kbps(bitrate: Bitrate) -> u32 {
    u32::try_from(bitrate.as_kbps()).unwrap_or(MAX_KBPS).clamp(MIN_KBPS, MAX_KBPS)
}

/// Decoder without delay, on the caller's thread.
pub(super) struct Av1Decoder {
    decoder: Decoder,
    pool: FramePool,
}

impl Av1Decoder {
    pub(super) fn new() -> Result<Self, MediaError> {
        Ok(Self { decoder: open()?, pool: FramePool::new() })
    }

    pub(super) fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        match self.decoder.send_data(data.to_vec(), None, None, None) {
            Ok(()) => {}
            // It holds more pictures than one: ours never does, so this is no stream of ours.
            Err(_refused) => return self.refuse(),
        }
        match self.decoder.get_picture() {
            Ok(picture) => copy_out(&picture, &self.pool).map(Some),
            Err(Error::Again) => Ok(None),
            Err(_refused) => self.refuse(),
        }
    }

    /// Starts clean at the next key frame.
    fn refuse(&mut self) -> Result<Option<VideoFrame>, MediaError> {
        self.decoder = open()?;
        Err(MediaError::Undecodable)
    }
}

fn open() -> Result<Decoder, MediaError> {
    let mut settings = DecoderSettings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // The library refuses larger pictures before it allocates them.
    settings.set_frame_size_limit(VideoDecoder::MAX_PIXELS);
    Decoder::with_settings(&settings).map_err(|_refused| MediaError::Codec("open the AV1 decoder"))
}

/// Copies the rows out of the decoder's padded memory, which it keeps as reference.
fn copy_out(picture: &Picture, pool: &FramePool) -> Result<VideoFrame, MediaError> {
    // Other layouts and depths are valid AV1 but not what our encoder sends; some lack planes that are read below.
    if picture.pixel_layout() != PixelLayout::I420 || picture.bit_depth() != 8 {
        return Err(MediaError::Undecodable);
    }
    let mut frame = pool.frame(picture.width(), picture.height(), MediaTime::default(), 0)?;
    let (luma_row, chroma_row) = (frame.width() as usize, frame.chroma_width() as usize);
    let (y, u, v) = frame.planes_mut();
    for (to, row, component) in [
        (y, luma_row, PlanarImageComponent::Y),
        (u, chroma_row, PlanarImageComponent::U),
        (v, chroma_row, PlanarImageComponent::V),
    ] {
        let stride = picture.stride(component) as usize;
        let from = picture.plane(component);
        if stride < row {
            return Err(MediaError::Codec("lay out a decoded picture"));
        }
        for (to, from) in to.chunks_exact_mut(row).zip(from.chunks(stride)) {
            to.copy_from_slice(from.get(..row).ok_or(MediaError::Codec("lay out a decoded picture"))?);
        }
    }
    Ok(frame)
}
