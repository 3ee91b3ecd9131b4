//! One window of another program, for sharing: listed with a small picture, and captured by itself.
//!
//! The picture is read from the window's own memory in the display server (XComposite), never from the screen. So what lies over
//! the window is not in it, also while it is moved, and a window that is minimised shows nothing new.

mod capture;
mod display;

pub(super) use self::capture::WindowCapture;
use self::display::Display;
use crate::error::{DeviceError, DeviceKind};
use crate::frame::VideoFrame;
use crate::process::scale::Scaler;

/// Largest sides of a small picture.
const SMALL: (u32, u32) = (320, 200);
/// Windows that are listed at most.
const MOST: usize = 64;

/// A window that can be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// Names it for [`super::VideoSourceSpec::Window`], as long as it is open.
    pub id: u32,
    /// What its title bar says. May hold anything: never logged.
    pub title: String,
    /// The program that it belongs to.
    pub program: String,
    /// Minimised: it has no picture.
    pub minimised: bool,
}

/// The windows of other programs, in the order in which they were opened.
///
/// # Errors
/// [`DeviceError::Refused`] when there is no display, or one that cannot show single windows.
pub fn windows() -> Result<Vec<WindowInfo>, DeviceError> {
    let display = Display::connect()?;
    let mut found = display.windows()?;
    found.truncate(MOST);
    Ok(found)
}

/// How a window looks now, small; `None` while it is minimised.
///
/// # Errors
/// [`DeviceError::NotFound`] when it was closed.
pub fn small_picture(window: u32) -> Result<Option<VideoFrame>, DeviceError> {
    let mut capture = WindowCapture::open(window)?;
    let Some(frame) = capture.picture()? else { return Ok(None) };
    let (width, height) = fitted((frame.width(), frame.height()), SMALL);
    let failed = |_size| DeviceError::Failed { kind: DeviceKind::Window, attempt: "make its picture small" };
    Scaler::new().scale(&frame, width, height).map(Some).map_err(failed)
}

/// The largest even sides of the same shape that fit, no larger than it is.
fn fitted((width, height): (u32, u32), (most_wide, most_high): (u32, u32)) -> (u32, u32) {
    let shrink = (f64::from(most_wide) / f64::from(width)).min(f64::from(most_high) / f64::from(height)).min(1.0);
    let side = |side: u32| ((f64::from(side) * shrink) as u32).max(2) & !1;
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_keeps_its_shape() {
        assert_eq!(fitted((1_920, 1_080), SMALL), (320, 180));
        assert_eq!(fitted((600, 1_200), SMALL), (100, 200));
        assert_eq!(fitted((64, 48), SMALL), (64, 48));
        assert_eq!(fitted((3_000, 1), SMALL), (320, 2));
    }
}
