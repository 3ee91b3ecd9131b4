//! Raw and encoded frames.

use std::fmt;
use std::sync::Arc;

use crate::codec::VideoCodec;
use crate::error::MediaError;
use crate::pool::Buffer;
use crate::time::MediaTime;

/// Size and rate asked of a source, or used by a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VideoFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures per second.
    pub fps: u32,
}

impl VideoFormat {
    /// 1280 x 720 at 30 pictures per second.
    pub const HD: Self = Self { width: 1280, height: 720, fps: 30 };
}

/// One raw picture: I420, BT.601 limited range, planes one after the other without padding.
///
/// ```text
/// | Y: width x height | U: ceil(width/2) x ceil(height/2) | V: same as U |
/// ```
///
/// A clone shares the pixels. Writing ([`VideoFrame::planes_mut`]) copies them first if they are shared.
#[derive(Clone)]
pub struct VideoFrame {
    width: u32,
    height: u32,
    /// When the picture was taken.
    pub captured: MediaTime,
    /// Index since the source started; gaps are pictures that were dropped. A decoder gives 0, the caller knows better.
    pub number: u32,
    data: Arc<Buffer>,
}

impl VideoFrame {
    /// Largest width or height that is handled, in pixels. A peer cannot make this client allocate more than
    /// 3840 x 3840 pixels (22 MB); the codecs' own limits are lower.
    pub const MAX_SIDE: u32 = 3840;

    /// Wraps I420 data.
    ///
    /// # Errors
    ///
    /// [`MediaError::FrameSize`] if a side is zero or above [`VideoFrame::MAX_SIDE`], or `data` is not exactly
    /// [`VideoFrame::data_len`] bytes.
    pub fn new(width: u32, height: u32, captured: MediaTime, number: u32, data: Vec<u8>) -> Result<Self, MediaError> {
        if Self::data_len(width, height)? != data.len() {
            return Err(MediaError::FrameSize { width, height });
        }
        Ok(Self { width, height, captured, number, data: Arc::new(Buffer::from(data)) })
    }

    pub(crate) fn from_buffer(width: u32, height: u32, captured: MediaTime, number: u32, data: Buffer) -> Self {
        debug_assert_eq!(Self::data_len(width, height), Ok(data.len()));
        Self { width, height, captured, number, data: Arc::new(data) }
    }

    /// Whether the other one is a clone of this one.
    pub(crate) fn shares_pixels(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }

    /// Bytes of an I420 picture of this size.
    ///
    /// # Errors
    ///
    /// [`MediaError::FrameSize`] if a side is zero or above [`VideoFrame::MAX_SIDE`].
    pub fn data_len(width: u32, height: u32) -> Result<usize, MediaError> {
        if width == 0 || height == 0 || width > Self::MAX_SIDE || height > Self::MAX_SIDE {
            return Err(MediaError::FrameSize { width, height });
        }
        let (width, height) = (width as usize, height as usize);
        Ok(width * height + 2 * width.div_ceil(2) * height.div_ceil(2))
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Width, and so row length in bytes, of the U and V planes.
    #[must_use]
    pub const fn chroma_width(&self) -> u32 {
        self.width.div_ceil(2)
    }

    /// Height of the U and V planes.
    #[must_use]
    pub const fn chroma_height(&self) -> u32 {
        self.height.div_ceil(2)
    }

    /// The luma plane, `width * height` bytes.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.data[..self.luma_len()]
    }

    /// The first chroma plane, `chroma_width * chroma_height` bytes.
    #[must_use]
    pub fn u(&self) -> &[u8] {
        &self.data[self.luma_len()..self.luma_len() + self.chroma_len()]
    }

    /// The second chroma plane, as long as [`VideoFrame::u`].
    #[must_use]
    pub fn v(&self) -> &[u8] {
        &self.data[self.luma_len() + self.chroma_len()..]
    }

    /// All three planes in one piece.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Y, U and V to write into; copies the pixels first if another clone shares them.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let (luma, chroma) = (self.luma_len(), self.chroma_len());
        let (y, uv) = Arc::make_mut(&mut self.data).as_mut_slice().split_at_mut(luma);
        let (u, v) = uv.split_at_mut(chroma);
        (y, u, v)
    }

    const fn luma_len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    const fn chroma_len(&self) -> usize {
        self.chroma_width() as usize * self.chroma_height() as usize
    }
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VideoFrame({} x {}, number {})", self.width, self.height, self.number)
    }
}

/// 10 ms of mono sound at 48 kHz, samples from -1 to 1.
#[derive(Clone, PartialEq)]
pub struct AudioFrame {
    /// When the first sample was taken.
    pub captured: MediaTime,
    /// 480 samples.
    pub samples: Vec<f32>,
}

impl AudioFrame {
    /// Samples per second.
    pub const RATE: u32 = 48_000;
    /// Samples in one frame.
    pub const SAMPLES: usize = 480;

    /// A frame without sound.
    #[must_use]
    pub fn silence(captured: MediaTime) -> Self {
        Self { captured, samples: vec![0.0; Self::SAMPLES] }
    }
}

impl fmt::Debug for AudioFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AudioFrame({} samples)", self.samples.len())
    }
}

/// One encoded picture, before it is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedVideo {
    /// The codec that made it.
    pub codec: VideoCodec,
    /// Whether a decoder can start here.
    pub key: bool,
    /// Whether no later picture needs it.
    pub droppable: bool,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When the picture was taken.
    pub captured: MediaTime,
    /// The source's number of the picture.
    pub number: u32,
    /// H.264: an access unit in Annex B form, with parameter sets at key frames. AV1: one temporal unit (OBUs with sizes).
    pub data: Vec<u8>,
}

impl fmt::Debug for EncodedVideo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key { ", key" } else { "" };
        write!(f, "EncodedVideo({:?}, number {}, {} bytes{key})", self.codec, self.number, self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_an_odd_size_cover_the_data() {
        let len = VideoFrame::data_len(5, 3).unwrap();
        assert_eq!(len, 15 + 2 * 3 * 2);
        let frame = VideoFrame::new(5, 3, MediaTime::default(), 0, vec![1; len]).unwrap();
        assert_eq!(frame.y().len() + frame.u().len() + frame.v().len(), len);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        for (width, height, len) in [(0, 2, 0), (2, 0, 0), (2, 2, 5), (2, 2, 7), (u32::MAX, u32::MAX, 6)] {
            let frame = VideoFrame::new(width, height, MediaTime::default(), 0, vec![0; len]);
            assert_eq!(frame.err(), Some(MediaError::FrameSize { width, height }));
        }
    }

    #[test]
    fn writing_to_a_clone_leaves_the_other_alone() {
        let frame = VideoFrame::new(2, 2, MediaTime::default(), 0, vec![0; 6]).unwrap();
        let mut copy = frame.clone();
        copy.planes_mut().0.fill(9);
        assert_eq!(frame.y(), [0; 4]);
        assert_eq!(copy.y(), [9; 4]);
    }

    #[test]
    fn debug_of_frames_shows_no_content() {
        let frame = VideoFrame::new(2, 2, MediaTime::default(), 4, vec![77; 6]).unwrap();
        assert_eq!(format!("{frame:?}"), "VideoFrame(2 x 2, number 4)");
    }
}
