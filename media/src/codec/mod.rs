//! Codecs: one small type for encoding and one for decoding, whatever the format.
//!
//! Every client decodes both video codecs; each sender picks one and switches only at a key frame.
//! An encoder or decoder belongs to one thread; all calls block for the time of the work (1 to 15 ms a picture).

pub(crate) mod audio;
mod av1;
#[cfg(feature = "h264")]
mod h264;
mod probe;
#[cfg(feature = "h264")]
mod sps;
mod sys;

use std::fmt;

use crate::error::MediaError;
use crate::frame::{EncodedVideo, VideoFrame};
use crate::time::Bitrate;

pub use probe::{CodecProbe, probe_codecs};

/// A video format that this crate can encode and decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// H.264 constrained baseline, by OpenH264. Absent in a build without the feature `h264`.
    H264,
    /// AV1 main profile, by libaom (encoder) and rav1d (decoder).
    Av1,
}

impl VideoCodec {
    /// The codecs of this build, cheapest first.
    #[must_use]
    pub const fn available() -> &'static [Self] {
        if cfg!(feature = "h264") { &[Self::H264, Self::Av1] } else { &[Self::Av1] }
    }

    /// Name for reports: `h264` or `av1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }
}

/// What pictures show, which decides how they are encoded best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// People, by a camera.
    #[default]
    Camera,
    /// Text and lines: sharp edges, few colours, mostly still.
    Screen,
}

/// What an encoder is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Width in pixels; a frame of another size restarts the encoder with a key frame.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures per second that will come; the rate control counts on it.
    pub fps: u32,
    /// Target rate.
    pub bitrate: Bitrate,
    /// What will be seen.
    pub content: Content,
}

/// Turns raw pictures into a stream, with no frame of delay.
pub struct VideoEncoder {
    settings: EncoderSettings,
    inner: Encoder,
}

enum Encoder {
    #[cfg(feature = "h264")]
    H264(h264::H264Encoder),
    Av1(av1::Av1Encoder),
}

impl VideoEncoder {
    /// Opens an encoder.
    ///
    /// # Errors
    ///
    /// [`MediaError::CodecMissing`] if the build lacks the codec, [`MediaError::FrameSize`] for a size out of bounds,
    /// [`MediaError::Codec`] if the library refuses.
    pub fn new(codec: VideoCodec, settings: EncoderSettings) -> Result<Self, MediaError> {
        VideoFrame::data_len(settings.width, settings.height)?;
        let inner = match codec {
            #[cfg(feature = "h264")]
            VideoCodec::H264 => Encoder::H264(h264::H264Encoder::new(settings)?),
            #[cfg(not(feature = "h264"))]
            VideoCodec::H264 => return Err(MediaError::CodecMissing),
            VideoCodec::Av1 => Encoder::Av1(av1::Av1Encoder::new(settings)?),
        };
        Ok(Self { settings, inner })
    }

    /// Encodes one picture; the first one, and one with `force_key`, becomes a key frame.
    /// `None` means that the rate control dropped the picture to hold the rate.
    ///
    /// # Errors
    ///
    /// [`MediaError::Codec`] if the library fails; a new encoder is then needed.
    pub fn encode(&mut self, frame: &VideoFrame, force_key: bool) -> Result<Option<EncodedVideo>, MediaError> {
        if (frame.width(), frame.height()) != (self.settings.width, self.settings.height) {
            let settings = EncoderSettings { width: frame.width(), height: frame.height(), ..self.settings };
            *self = Self::new(self.codec(), settings)?;
        }
        match &mut self.inner {
            #[cfg(feature = "h264")]
            Encoder::H264(encoder) => encoder.encode(frame, force_key),
            Encoder::Av1(encoder) => encoder.encode(frame, force_key),
        }
    }

    /// Changes the target rate from the next picture on, without a key frame.
    ///
    /// # Errors
    ///
    /// [`MediaError::Codec`] if the library refuses; the old rate stays.
    pub fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), MediaError> {
        if bitrate == self.settings.bitrate {
            return Ok(());
        }
        match &mut self.inner {
            #[cfg(feature = "h264")]
            Encoder::H264(encoder) => encoder.set_bitrate(bitrate)?,
            Encoder::Av1(encoder) => encoder.set_bitrate(bitrate)?,
        }
        self.settings.bitrate = bitrate;
        Ok(())
    }

    /// The codec in use.
    #[must_use]
    pub const fn codec(&self) -> VideoCodec {
        match self.inner {
            #[cfg(feature = "h264")]
            Encoder::H264(_) => VideoCodec::H264,
            Encoder::Av1(_) => VideoCodec::Av1,
        }
    }

    /// The present settings, with the size of the last picture.
    #[must_use]
    pub const fn settings(&self) -> EncoderSettings {
        self.settings
    }
}

impl fmt::Debug for VideoEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VideoEncoder({:?}, {:?})", self.codec(), self.settings)
    }
}

/// Turns a stream back into pictures, one in, one out.
pub struct VideoDecoder {
    inner: Decoder,
}

enum Decoder {
    #[cfg(feature = "h264")]
    H264(h264::H264Decoder),
    Av1(av1::Av1Decoder),
}

impl VideoDecoder {
    /// Largest encoded frame that is looked at, in bytes. A 720p key frame is about 50 kB.
    pub const MAX_ENCODED: usize = 4 << 20;

    /// Largest picture that is decoded, in pixels; what a peer may make this client allocate.
    pub const MAX_PIXELS: u32 = 3840 * 2160;

    /// Opens a decoder.
    ///
    /// # Errors
    ///
    /// [`MediaError::CodecMissing`] if the build lacks the codec, [`MediaError::Codec`] if the library refuses.
    pub fn new(codec: VideoCodec) -> Result<Self, MediaError> {
        let inner = match codec {
            #[cfg(feature = "h264")]
            VideoCodec::H264 => Decoder::H264(h264::H264Decoder::new()?),
            #[cfg(not(feature = "h264"))]
            VideoCodec::H264 => return Err(MediaError::CodecMissing),
            VideoCodec::Av1 => Decoder::Av1(av1::Av1Decoder::new()?),
        };
        Ok(Self { inner })
    }

    /// Decodes one encoded frame. `captured` and `number` of the picture are zero: the caller carries them.
    /// `None` means that the data was fine but shows nothing.
    ///
    /// # Errors
    ///
    /// [`MediaError::Undecodable`] for garbage or a missing reference (ask for a key frame; the decoder stays usable),
    /// [`MediaError::TooLarge`] beyond [`VideoDecoder::MAX_ENCODED`] or [`VideoDecoder::MAX_PIXELS`].
    pub fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        if data.len() > Self::MAX_ENCODED {
            return Err(MediaError::TooLarge);
        }
        if data.is_empty() {
            return Err(MediaError::Undecodable);
        }
        match &mut self.inner {
            #[cfg(feature = "h264")]
            Decoder::H264(decoder) => decoder.decode(data),
            Decoder::Av1(decoder) => decoder.decode(data),
        }
    }

    /// The codec in use.
    #[must_use]
    pub const fn codec(&self) -> VideoCodec {
        match self.inner {
            #[cfg(feature = "h264")]
            Decoder::H264(_) => VideoCodec::H264,
            Decoder::Av1(_) => VideoCodec::Av1,
        }
    }
}

impl fmt::Debug for VideoDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VideoDecoder({:?})", self.codec())
    }
}

#[cfg(test)]
mod tests;
