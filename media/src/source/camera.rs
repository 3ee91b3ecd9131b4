//! Cameras through nokhwa: list, own choice of format, raw buffers converted by us.

use std::time::{Duration, SystemTime};

use nokhwa::utils::{ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};
use nokhwa::{Buffer, NokhwaError};

use crate::devices::DeviceInfo;
use crate::error::{DeviceError, DeviceKind, MediaError};
use crate::frame::{VideoFormat, VideoFrame};
use crate::pool::FramePool;
use crate::process::convert::{self, RgbOrder};
use crate::time::MediaTime;

/// Lists the cameras of this machine. Some entries may turn out to give no pictures when opened.
///
/// # Errors
///
/// [`DeviceError::NotFound`] (`DEV-01`) if there is none.
pub fn cameras() -> Result<Vec<DeviceInfo>, DeviceError> {
    let found = nokhwa::query(ApiBackend::Auto).map_err(|error| device_error(&error, "list the cameras"))?;
    if found.is_empty() {
        return Err(DeviceError::NotFound(DeviceKind::Camera));
    }
    Ok(found.iter().map(|info| DeviceInfo { id: id(info.index()), name: info.human_name() }).collect())
}

fn id(index: &CameraIndex) -> String {
    match index {
        CameraIndex::Index(number) => number.to_string(),
        CameraIndex::String(name) => name.clone(),
    }
}

fn index(id: &str) -> CameraIndex {
    id.parse().map_or_else(|_name| CameraIndex::String(id.to_owned()), CameraIndex::Index)
}

/// The layouts that [`Camera::read`] converts.
const LAYOUTS: [FrameFormat; 5] =
    [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::MJPEG, FrameFormat::RAWRGB, FrameFormat::RAWBGR];

/// Damaged pictures in a row after which a camera counts as failed. USB cameras drop the first few.
const DAMAGED_LIMIT: u32 = 30;

/// An open, streaming camera, owned by its thread.
pub(super) struct Camera {
    camera: nokhwa::Camera,
    format: CameraFormat,
    number: u32,
    pool: FramePool,
    scratch: Vec<u8>,
}

impl Camera {
    /// Opens the camera of that id, or the first that streams.
    pub(super) fn open(id: Option<&str>, wanted: VideoFormat) -> Result<Self, DeviceError> {
        if let Some(id) = id {
            return Self::open_index(index(id), wanted);
        }
        let mut first_error = DeviceError::NotFound(DeviceKind::Camera);
        for (n, info) in cameras()?.iter().enumerate() {
            match Self::open_index(index(&info.id), wanted) {
                Ok(camera) => return Ok(camera),
                // Some entries are not cameras (metadata nodes); the first one says best why none works.
                Err(error) if n == 0 => first_error = error,
                Err(_error) => {}
            }
        }
        Err(first_error)
    }

    fn open_index(index: CameraIndex, wanted: VideoFormat) -> Result<Self, DeviceError> {
        let any = RequestedFormat::with_formats(RequestedFormatType::None, &LAYOUTS);
        let mut camera = nokhwa::Camera::new(index, any).map_err(|error| device_error(&error, "open the camera"))?;
        let formats =
            camera.compatible_camera_formats().map_err(|error| device_error(&error, "list the camera's formats"))?;
        let chosen = choose(&formats, wanted)
            .ok_or(DeviceError::Failed { kind: DeviceKind::Camera, attempt: "find a format that we can convert" })?;
        let layouts = [chosen.format()];
        let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(chosen), &layouts);
        let format =
            camera.set_camera_requset(exact).map_err(|error| device_error(&error, "set the camera's format"))?;
        camera.open_stream().map_err(|error| device_error(&error, "start the camera"))?;
        Ok(Self { camera, format, number: 0, pool: FramePool::new(), scratch: Vec::new() })
    }

    pub(super) fn format(&self) -> VideoFormat {
        VideoFormat { width: self.format.width(), height: self.format.height(), fps: self.format.frame_rate() }
    }

    /// Waits for the next picture. The driver keeps only four, so this is called without pause.
    pub(super) fn read(&mut self) -> Result<VideoFrame, DeviceError> {
        for _ in 0..DAMAGED_LIMIT {
            let buffer = self.camera.frame().map_err(|error| device_error(&error, "read a picture from the camera"))?;
            let captured = captured(&buffer);
            let number = self.number;
            self.number = self.number.wrapping_add(1);
            match self.convert(&buffer, captured, number) {
                Ok(frame) => return Ok(frame),
                Err(error) => tracing::debug!(%error, "damaged picture from the camera"),
            }
        }
        Err(DeviceError::Failed { kind: DeviceKind::Camera, attempt: "get whole pictures from the camera" })
    }

    fn convert(&mut self, buffer: &Buffer, captured: MediaTime, number: u32) -> Result<VideoFrame, MediaError> {
        let size = buffer.resolution();
        let mut frame = self.pool.frame(size.width(), size.height(), captured, number)?;
        let data = buffer.buffer();
        match buffer.source_frame_format() {
            FrameFormat::YUYV => convert::yuyv_to_i420(data, &mut frame)?,
            FrameFormat::NV12 => convert::nv12_to_i420(data, &mut frame)?,
            FrameFormat::RAWRGB => convert::rgb_to_i420(data, RgbOrder::Rgb, &mut frame)?,
            FrameFormat::RAWBGR => convert::rgb_to_i420(data, RgbOrder::Bgr, &mut frame)?,
            FrameFormat::MJPEG => convert::jpeg_to_i420(data, &mut self.scratch, &mut frame)?,
            FrameFormat::GRAY => return Err(MediaError::Undecodable),
        }
        Ok(frame)
    }
}

/// When the driver filled the buffer. Drivers stamp with the system's clock or not at all.
fn captured(buffer: &Buffer) -> MediaTime {
    /// A stamp further back is nonsense: the driver holds at most four pictures.
    const PLAUSIBLE: Duration = Duration::from_secs(1);
    let now = MediaTime::now();
    let age = buffer
        .capture_timestamp()
        .and_then(|stamp| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + stamp).ok())
        .filter(|age| *age < PLAUSIBLE);
    now - age.unwrap_or_default()
}

/// The format that serves `wanted` best: first fluent motion, then size, then rate, then cost of conversion.
fn choose(formats: &[CameraFormat], wanted: VideoFormat) -> Option<CameraFormat> {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let wanted_area = area(wanted.width, wanted.height);
    // 24 pictures a second still look fluent; a camera that makes no 30 at a size often makes 25.
    let fluent = wanted.fps.min(24);
    formats
        .iter()
        .filter(|format| LAYOUTS.contains(&format.format()))
        .filter(|format| VideoFrame::data_len(format.width(), format.height()).is_ok() && format.frame_rate() > 0)
        .min_by_key(|format| {
            let choppy = fluent.saturating_sub(format.frame_rate());
            let size = area(format.width(), format.height()).abs_diff(wanted_area);
            // Equal areas of another shape are worse than the shape asked for.
            let shape = format.width().abs_diff(wanted.width);
            let rate = format.frame_rate().abs_diff(wanted.fps);
            let cost = LAYOUTS.iter().position(|layout| *layout == format.format());
            (choppy, size, shape, rate, cost)
        })
        .copied()
}

/// nokhwa gives the system's error as text only, `… (os error 16)`.
fn device_error(error: &NokhwaError, attempt: &'static str) -> DeviceError {
    tracing::debug!(%error, attempt, "camera error");
    let kind = DeviceKind::Camera;
    let text = error.to_string();
    let number = text.rsplit_once("(os error ").and_then(|(_, rest)| rest.split(')').next()?.parse::<u32>().ok());
    match number {
        // ENOENT, ENXIO, ENODEV: unplugged, or never there.
        Some(2 | 6 | 19) => DeviceError::NotFound(kind),
        // EPERM, EACCES.
        Some(1 | 13) => DeviceError::Refused(kind),
        // EBUSY.
        Some(16) => DeviceError::Busy(kind),
        _ => DeviceError::Failed { kind, attempt },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(width: u32, height: u32, layout: FrameFormat, fps: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, layout, fps)
    }

    fn open_error(number: u32) -> DeviceError {
        let error = NokhwaError::OpenDeviceError("0".to_owned(), format!("V4L2 Error: text (os error {number})"));
        device_error(&error, "open the camera")
    }

    #[test]
    fn fluent_motion_beats_raw_layout() {
        let formats = [
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(640, 480, FrameFormat::YUYV, 30),
        ];
        assert_eq!(choose(&formats, VideoFormat::HD), Some(formats[1]));
    }

    #[test]
    fn raw_layout_beats_jpeg_at_the_same_size_and_rate() {
        let formats = [
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(1280, 720, FrameFormat::NV12, 30),
            format(1920, 1080, FrameFormat::YUYV, 30),
        ];
        assert_eq!(choose(&formats, VideoFormat::HD), Some(formats[1]));
    }

    #[test]
    fn a_slow_camera_is_better_than_none_and_odd_entries_are_ignored() {
        let formats = [
            format(640, 480, FrameFormat::GRAY, 30),
            format(100_000, 720, FrameFormat::YUYV, 30),
            format(640, 480, FrameFormat::YUYV, 0),
            format(640, 480, FrameFormat::YUYV, 5),
        ];
        assert_eq!(choose(&formats, VideoFormat::HD), Some(formats[3]));
        assert_eq!(choose(&formats[..3], VideoFormat::HD), None);
    }

    #[test]
    fn system_errors_get_their_codes() {
        assert_eq!([2, 13, 16, 5].map(|number| open_error(number).code()), ["DEV-01", "DEV-02", "DEV-03", "DEV-04"]);
    }

    #[test]
    fn an_absent_camera_is_not_found() {
        // No machine has this many; the way through the library is the real one.
        let error = Camera::open(Some("4711"), VideoFormat::HD).err().unwrap();
        assert_eq!(error.code(), "DEV-01");
    }
}
