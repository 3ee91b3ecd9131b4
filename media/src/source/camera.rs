//! Cameras through nokhwa.

use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};

/// A camera that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraInfo {
    /// Names it for [`super::VideoSourceSpec::Camera`]; stable while it stays plugged in.
    pub id: String,
    /// The maker's name for it, to show.
    pub name: String,
}

/// Lists the cameras of this machine.
///
/// # Errors
///
/// [`DeviceError::NotFound`] (`DEV-01`) if there is none.
pub fn cameras() -> Result<Vec<CameraInfo>, DeviceError> {
    Err(DeviceError::NotFound(DeviceKind::Camera))
}

pub(super) struct Camera {
    format: VideoFormat,
}
impl Camera {
    pub(super) fn open(_id: Option<&str>, _wanted: VideoFormat) -> Result<Self, DeviceError> {
        Err(DeviceError::NotFound(DeviceKind::Camera))
    }
    pub(super) const fn format(&self) -> VideoFormat {
        self.format
    }
    pub(super) fn read(&mut self) -> Result<VideoFrame, DeviceError> {
        Err(DeviceError::NotFound(DeviceKind::Camera))
    }
}
