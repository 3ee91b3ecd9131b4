//! H.264 constrained baseline by OpenH264.

use crate::codec::EncoderSettings;
use crate::error::MediaError;
use crate::frame::{EncodedVideo, VideoFrame};
use crate::time::Bitrate;

pub(super) struct H264Encoder;
impl H264Encoder {
    pub(super) fn new(_settings: EncoderSettings) -> Result<Self, MediaError> {
        Err(MediaError::CodecMissing)
    }
    pub(super) fn encode(
        &mut self,
        _frame: &VideoFrame,
        _force_key: bool,
    ) -> Result<Option<EncodedVideo>, MediaError> {
        Err(MediaError::CodecMissing)
    }
    pub(super) fn set_bitrate(&mut self, _bitrate: Bitrate) -> Result<(), MediaError> {
        Err(MediaError::CodecMissing)
    }
}
pub(super) struct H264Decoder;
impl H264Decoder {
    pub(super) fn new() -> Result<Self, MediaError> {
        Err(MediaError::CodecMissing)
    }
    pub(super) fn decode(&mut self, _data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        Err(MediaError::CodecMissing)
    }
}
