//! Finds out at start what this machine can encode.

use std::time::Duration;

use super::{Content, EncoderSettings, VideoCodec, VideoEncoder};
use crate::error::MediaError;
use crate::frame::{VideoFormat, VideoFrame};
use crate::source::TestPattern;
use crate::time::{Bitrate, MediaTime};

/// How long one codec takes on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecProbe {
    /// The codec.
    pub codec: VideoCodec,
    /// Mean wall time to encode a 1280 x 720 picture, without the first (key) one.
    pub encode: Duration,
}

impl CodecProbe {
    /// Pictures encoded for the measurement.
    pub const FRAMES: u32 = 30;

    /// AV1 is worth its cost below this: a third of a 30 fps frame time, so that decoding and everything else fit.
    pub const AV1_LIMIT: Duration = Duration::from_millis(11);

    /// Whether this codec may be picked for 1280 x 720 at 30 fps on this machine.
    #[must_use]
    pub fn fast_enough(&self) -> bool {
        self.encode < Self::AV1_LIMIT
    }
}

/// Encodes [`CodecProbe::FRAMES`] pictures of a test pattern with each codec of this build.
/// Blocks for about half a second: run it on a thread of its own.
///
/// # Errors
///
/// [`MediaError::Codec`] if a codec library fails.
pub fn probe_codecs() -> Result<Vec<CodecProbe>, MediaError> {
    probe_at(VideoFormat::HD, CodecProbe::FRAMES)
}

pub(super) fn probe_at(format: VideoFormat, frames: u32) -> Result<Vec<CodecProbe>, MediaError> {
    let pattern = TestPattern::new(0, format).map_err(|_refused| NO_PICTURES)?;
    VideoCodec::available().iter().map(|&codec| probe(codec, &pattern, format, frames)).collect()
}

const NO_PICTURES: MediaError = MediaError::Codec("make the probe's pictures");

fn probe(codec: VideoCodec, pattern: &TestPattern, format: VideoFormat, frames: u32) -> Result<CodecProbe, MediaError> {
    let VideoFormat { width, height, fps } = format;
    let settings = EncoderSettings { width, height, fps, bitrate: Bitrate::kbps(1_500), content: Content::Camera };
    let mut encoder = VideoEncoder::new(codec, settings)?;
    let picture = |number| -> Result<VideoFrame, MediaError> {
        let moment = MediaTime::from_micros(u64::from(number) * 1_000_000 / u64::from(fps));
        pattern.paint(number, moment).map_err(|_refused| NO_PICTURES)
    };
    encoder.encode(&picture(0)?, true)?;
    let mut spent = Duration::ZERO;
    for number in 1..=frames {
        let picture = picture(number)?;
        let start = MediaTime::now();
        encoder.encode(&picture, false)?;
        spent += MediaTime::now().since(start);
    }
    Ok(CodecProbe { codec, encode: spent / frames.max(1) })
}
