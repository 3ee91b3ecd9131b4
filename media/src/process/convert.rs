//! Pixel formats: devices' layouts to I420, I420 to the screen's RGBA.
//!
//! All functions write every pixel of a frame that the caller took from a pool: no allocation, one pass.
//! A device's bytes are checked for length before they are read.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::MediaError;
use crate::frame::VideoFrame;

/// Our pictures' matrix and range, see the crate's documentation.
const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;
const RANGE: YuvRange = YuvRange::Limited;

/// Converts to RGBA with full alpha, `4 * width * height` bytes, rows without padding. `rgba` is resized and reused.
/// About 0.2 ms for 1280 x 720.
pub fn i420_to_rgba(frame: &VideoFrame, rgba: &mut Vec<u8>) {
    let (width, height) = (frame.width(), frame.height());
    rgba.resize(4 * width as usize * height as usize, 255);
    let image = YuvPlanarImage {
        y_plane: frame.y(),
        y_stride: width,
        u_plane: frame.u(),
        u_stride: frame.chroma_width(),
        v_plane: frame.v(),
        v_stride: frame.chroma_width(),
        width,
        height,
    };
    if yuv::yuv420_to_rgba(&image, rgba, width * 4, RANGE, MATRIX).is_err() {
        // Only a wrong length is refused, which `VideoFrame` and the line above exclude.
        debug_assert!(false, "frame of {width} x {height} not converted");
        rgba.fill(0);
    }
}

/// Converts YUYV (4:2:2 packed, `2 * width * height` bytes), as many cameras give it.
///
/// # Errors
///
/// [`MediaError::FrameSize`] if `data` is shorter than the frame needs, or a side is odd, which no
/// camera offers in this layout.
pub fn yuyv_to_i420(data: &[u8], frame: &mut VideoFrame) -> Result<(), MediaError> {
    let (width, height) = (frame.width(), frame.height());
    let refused = MediaError::FrameSize { width, height };
    let even = width.is_multiple_of(2) && height.is_multiple_of(2);
    let row = width * 2;
    let Some(yuy) = data.get(..row as usize * height as usize).filter(|_| even) else { return Err(refused) };
    let packed = YuvPackedImage { yuy, yuy_stride: row, width, height };
    yuv::yuyv422_to_yuv420(&mut planar(frame), &packed).map_err(|_length| refused)
}

/// Converts NV12 (luma, then interleaved chroma, `1.5 * width * height` bytes).
///
/// # Errors
///
/// [`MediaError::FrameSize`] if `data` is shorter than the frame needs.
pub fn nv12_to_i420(data: &[u8], frame: &mut VideoFrame) -> Result<(), MediaError> {
    let refused = MediaError::FrameSize { width: frame.width(), height: frame.height() };
    let (y, u, v) = frame.planes_mut();
    let (Some(luma), Some(chroma)) = (data.get(..y.len()), data.get(y.len()..y.len() + 2 * u.len())) else {
        return Err(refused);
    };
    y.copy_from_slice(luma);
    for ((pair, u), v) in chroma.chunks_exact(2).zip(u).zip(v) {
        [*u, *v] = [pair[0], pair[1]];
    }
    Ok(())
}

/// Order of the colours in packed three-byte pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RgbOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// Converts packed three-byte pixels, `3 * width * height` bytes, full range.
///
/// # Errors
///
/// [`MediaError::FrameSize`] if `data` is shorter than the frame needs.
pub fn rgb_to_i420(data: &[u8], order: RgbOrder, frame: &mut VideoFrame) -> Result<(), MediaError> {
    let (width, height) = (frame.width(), frame.height());
    let refused = MediaError::FrameSize { width, height };
    let Some(pixels) = data.get(..3 * width as usize * height as usize) else { return Err(refused) };
    let mode = YuvConversionMode::Balanced;
    let mut planes = planar(frame);
    match order {
        RgbOrder::Rgb => yuv::rgb_to_yuv420(&mut planes, pixels, width * 3, RANGE, MATRIX, mode),
        RgbOrder::Bgr => yuv::bgr_to_yuv420(&mut planes, pixels, width * 3, RANGE, MATRIX, mode),
    }
    .map_err(|_length| refused)
}

/// Converts four-byte pixels, blue first, the fourth unused, as a display server gives them.
///
/// # Errors
///
/// [`MediaError::FrameSize`] if `data` is shorter than the frame needs.
pub fn bgrx_to_i420(data: &[u8], frame: &mut VideoFrame) -> Result<(), MediaError> {
    let (width, height) = (frame.width(), frame.height());
    let refused = MediaError::FrameSize { width, height };
    let Some(pixels) = data.get(..4 * width as usize * height as usize) else { return Err(refused) };
    yuv::bgra_to_yuv420(&mut planar(frame), pixels, width * 4, RANGE, MATRIX, YuvConversionMode::Balanced)
        .map_err(|_length| refused)
}

/// Decodes one Motion JPEG picture of exactly the frame's size, with `scratch` for the pixels in between.
/// About 3.6 ms for 1280 x 720.
///
/// # Errors
///
/// [`MediaError::Undecodable`] if it is no JPEG, [`MediaError::FrameSize`] if it has another size.
pub fn jpeg_to_i420(data: &[u8], scratch: &mut Vec<u8>, frame: &mut VideoFrame) -> Result<(), MediaError> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    // Larger pictures are refused by the decoder before it allocates.
    let options =
        DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB).set_max_width(width).set_max_height(height);
    let spliced = if has_huffman_tables(data) { None } else { Some(marked_as_motion_jpeg(data)?) };
    let data = spliced.as_deref().unwrap_or(data);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(|_invalid| MediaError::Undecodable)?;
    let size = decoder.info().map(|info| (usize::from(info.width), usize::from(info.height)));
    if size != Some((width, height)) {
        return Err(MediaError::FrameSize { width: frame.width(), height: frame.height() });
    }
    scratch.resize(3 * width * height, 0);
    decoder.decode_into(scratch).map_err(|_invalid| MediaError::Undecodable)?;
    rgb_to_i420(scratch, RgbOrder::Rgb, frame)
}

/// Whether a table segment (marker C4) stands among the segments before the picture data (marker DA).
fn has_huffman_tables(data: &[u8]) -> bool {
    let mut rest = data.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = *rest {
        match marker {
            0xc4 => return true,
            0xda => return false,
            _ => rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default(),
        }
    }
    // Damaged, so it makes no difference.
    true
}

/// Many cameras leave out the tables, which are the same in all Motion JPEG. The decoder fills them in when it finds the
/// marker that AVI files have (`APP0` with `AVI1`).
fn marked_as_motion_jpeg(data: &[u8]) -> Result<Vec<u8>, MediaError> {
    const MARK: &[u8] = b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    let (start, rest) = data.split_at_checked(2).ok_or(MediaError::Undecodable)?;
    Ok([start, MARK, rest].concat())
}

fn planar(frame: &mut VideoFrame) -> YuvPlanarImageMut<'_, u8> {
    let (width, height, chroma) = (frame.width(), frame.height(), frame.chroma_width());
    let (y, u, v) = frame.planes_mut();
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: chroma,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: chroma,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MediaTime;

    const SIZES: [(u32, u32); 5] = [(1, 1), (2, 2), (33, 17), (64, 48), (640, 361)];

    fn grey(width: u32, height: u32) -> VideoFrame {
        let len = VideoFrame::data_len(width, height).unwrap();
        VideoFrame::new(width, height, MediaTime::default(), 0, vec![0; len]).unwrap()
    }

    fn near(value: u8, wanted: u8) -> bool {
        value.abs_diff(wanted) <= 2
    }

    #[test]
    fn colours_survive_the_way_to_the_screen() {
        // Red in BT.601 limited range is Y 81, U 90, V 240.
        for (width, height) in SIZES {
            let pixels = [255, 0, 0].repeat((width * height) as usize);
            let mut frame = grey(width, height);
            rgb_to_i420(&pixels, RgbOrder::Rgb, &mut frame).unwrap();
            assert!(frame.y().iter().all(|&y| near(y, 81)), "{width} x {height}");
            assert!(frame.u().iter().all(|&u| near(u, 90)) && frame.v().iter().all(|&v| near(v, 240)));
            let mut rgba = Vec::new();
            i420_to_rgba(&frame, &mut rgba);
            assert_eq!(rgba.len(), pixels.len() / 3 * 4);
            assert!(rgba.chunks(4).all(|p| near(p[0], 254) && near(p[1], 0) && near(p[2], 0) && p[3] == 255));
        }
    }

    #[test]
    fn blue_first_is_told_from_red_first() {
        let mut frame = grey(2, 2);
        rgb_to_i420(&[255, 0, 0].repeat(4), RgbOrder::Bgr, &mut frame).unwrap();
        assert!(near(frame.y()[0], 41) && near(frame.u()[0], 240));
        bgrx_to_i420(&[255, 0, 0, 77].repeat(4), &mut frame).unwrap();
        assert!(near(frame.y()[0], 41) && near(frame.u()[0], 240));
    }

    #[test]
    fn camera_layouts_keep_luma_and_chroma_apart() {
        for (width, height) in SIZES {
            let mut frame = grey(width, height);
            let pairs = [100, 50, 100, 200].repeat((width.div_ceil(2) * height) as usize);
            if width.is_multiple_of(2) && height.is_multiple_of(2) {
                yuyv_to_i420(&pairs, &mut frame).unwrap();
                assert!(frame.y().iter().all(|&y| y == 100), "{width} x {height}");
                assert!(frame.u().iter().all(|&u| u == 50) && frame.v().iter().all(|&v| v == 200));
            } else {
                assert!(yuyv_to_i420(&pairs, &mut frame).is_err());
            }

            let mut data = vec![90; frame.y().len()];
            data.extend([60, 70].repeat(frame.u().len()));
            nv12_to_i420(&data, &mut frame).unwrap();
            assert!(frame.y().iter().all(|&y| y == 90));
            assert!(frame.u().iter().all(|&u| u == 60) && frame.v().iter().all(|&v| v == 70));
        }
    }

    #[test]
    fn short_buffers_are_refused() {
        let mut frame = grey(8, 8);
        let refused = Err(MediaError::FrameSize { width: 8, height: 8 });
        assert_eq!(yuyv_to_i420(&[0; 127], &mut frame), refused);
        assert_eq!(nv12_to_i420(&[0; 95], &mut frame), refused);
        assert_eq!(rgb_to_i420(&[0; 191], RgbOrder::Rgb, &mut frame), refused);
        assert_eq!(bgrx_to_i420(&[0; 255], &mut frame), refused);
    }

    /// A plain red picture of 16 x 16 as cameras send it, without Huffman tables.
    fn motion_jpeg() -> Vec<u8> {
        let hex = "ffd8ffdb0043001b12141714111b1716171e1c1b2028422b28252528513a3d3042605565645f555d5b6a7899816a7190\
                   735b5d85b586909ea3abadab6780bcc9baa6c799a8aba4ffdb0043011c1e1e2823284e2b2b4ea46e5d6ea4a4a4a4a4a4\
                   a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4ffc00011\
                   080010001003012200021101031101ffda000c03010002110311003f00af45145607a87fffd9";
        (0..hex.len()).step_by(2).map(|n| u8::from_str_radix(&hex[n..n + 2], 16).unwrap()).collect()
    }

    #[test]
    fn motion_jpeg_without_tables_is_decoded() {
        let mut frame = grey(16, 16);
        jpeg_to_i420(&motion_jpeg(), &mut Vec::new(), &mut frame).unwrap();
        // The encoder's input was Y 104, U 107, V 189; the quality was low.
        let close = |plane: &[u8], wanted: u8| plane.iter().all(|value| value.abs_diff(wanted) < 6);
        assert!(close(frame.y(), 104) && close(frame.u(), 107) && close(frame.v(), 189));
    }

    #[test]
    fn jpeg_of_another_size_and_cut_jpeg_do_not_panic() {
        let whole = motion_jpeg();
        let refused = Err(MediaError::FrameSize { width: 32, height: 32 });
        assert_eq!(jpeg_to_i420(&whole, &mut Vec::new(), &mut grey(32, 32)), refused);
        for len in 0..whole.len() - 30 {
            assert!(jpeg_to_i420(&whole[..len], &mut Vec::new(), &mut grey(16, 16)).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn damaged_jpeg_is_refused() {
        let mut frame = grey(8, 8);
        let mut scratch = Vec::new();
        for data in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03", &[0xff; 300]] {
            assert!(jpeg_to_i420(data, &mut scratch, &mut frame).is_err());
        }
    }
}
