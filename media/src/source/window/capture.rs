//! The pictures of one window.

use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::composite::{ConnectionExt as _, Redirect};
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, Pixmap, Window};

use super::display::{Display, absent, lost, refused};
use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};
use crate::pool::FramePool;
use crate::process::convert;
use crate::source::Step;
use crate::time::MediaTime;

/// Pictures a second: text stands still most of the time, and scrolling is readable.
const FPS: u32 = 15;
const BEAT: Duration = Duration::from_millis(1_000 / FPS as u64);
/// A picture comes at least so often, for those who come later.
const REPEAT: Duration = Duration::from_secs(1);

/// Pictures after a change.
const SETTLING: u8 = 5;

/// A window being captured, owned by its thread. Dropping it ends everything on the server as well, with the connection.
pub(in crate::source) struct WindowCapture {
    display: Display,
    window: Window,
    size: (u32, u32),
    pixmap: Option<Pixmap>,
    /// Something in it changed since the last picture.
    changed: bool,
    /// Pictures that follow the last change: the encoder makes them sharper each, and a lost one is noticed by the next.
    settling: u8,
    last: Option<MediaTime>,
    number: u32,
    pool: FramePool,
}

impl WindowCapture {
    /// Begins with a window that is open.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`] when it is not.
    pub(in crate::source) fn open(window: Window) -> Result<Self, DeviceError> {
        let display = Display::connect()?;
        let connection = &display.connection;
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(window, &events).map_err(lost)?.check().map_err(refused)?;
        // Automatic: it goes on being seen as before. From now on it has a picture of its own.
        connection.composite_redirect_window(window, Redirect::AUTOMATIC).map_err(lost)?.check().map_err(refused)?;
        let id = connection.generate_id().map_err(|_no_id| failed("ask for its changes"))?;
        let level = damage::ReportLevel::NON_EMPTY;
        connection.damage_create(id, window, level).map_err(lost)?.check().map_err(refused)?;
        let geometry = connection.get_geometry(window).map_err(lost)?.reply().map_err(refused)?;
        let size = (u32::from(geometry.width), u32::from(geometry.height));
        let (changed, settling, last, number) = (true, 0, None, 0);
        Ok(Self { display, window, size, pixmap: None, changed, settling, last, number, pool: FramePool::new() })
    }

    /// Its present size, even, and the pace.
    pub(in crate::source) fn format(&self) -> VideoFormat {
        let (width, height) = even(self.size);
        VideoFormat { width, height, fps: FPS }
    }

    /// The next picture if one is due.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`] once the window is closed.
    pub(in crate::source) fn next(&mut self, now: MediaTime) -> Result<Step, DeviceError> {
        if let Some(last) = self.last
            && now.since(last) < BEAT
        {
            return Ok(Step::Wait(BEAT - now.since(last)));
        }
        self.follow()?;
        let old = self.last.is_none_or(|last| now.since(last) >= REPEAT);
        self.settling = if self.changed { SETTLING } else { self.settling.saturating_sub(1) };
        if !self.changed && self.settling == 0 && !old {
            return Ok(Step::Wait(BEAT));
        }
        Ok(match self.picture()? {
            Some(frame) => {
                self.last = Some(now);
                Step::Frame(frame)
            }
            None => Step::Wait(BEAT),
        })
    }

    /// How it looks now; `None` while it is minimised, or changes its size at this moment.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`] when it was closed.
    pub(in crate::source) fn picture(&mut self) -> Result<Option<VideoFrame>, DeviceError> {
        match self.display.is_mapped(self.window) {
            None => return Err(absent()),
            Some(false) => {
                self.forget_pixmap();
                return Ok(None);
            }
            Some(true) => {}
        }
        let (width, height) = even(self.size);
        let Some(pixmap) = self.pixmap()? else { return Ok(None) };
        let image = self.display.connection.get_image(
            ImageFormat::Z_PIXMAP,
            pixmap,
            0,
            0,
            width as u16,
            height as u16,
            u32::MAX,
        );
        let Ok(image) = image.map_err(lost)?.reply() else {
            // It changed its size between two requests: the next beat knows the new one.
            self.forget_pixmap();
            return Ok(None);
        };
        let mut frame = self
            .pool
            .frame(width, height, MediaTime::now(), self.number)
            .map_err(|_size| failed("take a picture of this size"))?;
        convert::bgrx_to_i420(&image.data, &mut frame).map_err(|_length| failed("read its picture"))?;
        self.number = self.number.wrapping_add(1);
        self.changed = false;
        Ok(Some(frame))
    }

    /// What happened to the window since this was asked last.
    fn follow(&mut self) -> Result<(), DeviceError> {
        while let Some(event) = self.display.connection.poll_for_event().map_err(lost)? {
            match event {
                Event::DamageNotify(notice) => {
                    self.changed = true;
                    let taken = self.display.connection.damage_subtract(notice.damage, x11rb::NONE, x11rb::NONE);
                    taken.map_err(lost)?.ignore_error();
                }
                Event::ConfigureNotify(notice) if notice.window == self.window => {
                    let size = (u32::from(notice.width), u32::from(notice.height));
                    if std::mem::replace(&mut self.size, size) != size {
                        self.forget_pixmap();
                    }
                }
                Event::MapNotify(_) | Event::UnmapNotify(_) => self.forget_pixmap(),
                Event::DestroyNotify(notice) if notice.window == self.window => return Err(absent()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The memory that the window is drawn into. It is another one after each change of size and each minimising.
    fn pixmap(&mut self) -> Result<Option<Pixmap>, DeviceError> {
        if self.pixmap.is_none() {
            let connection = &self.display.connection;
            let id = connection.generate_id().map_err(|_no_id| failed("name its picture"))?;
            let named = connection.composite_name_window_pixmap(self.window, id).map_err(lost)?;
            self.pixmap = named.check().is_ok().then_some(id);
        }
        Ok(self.pixmap)
    }

    fn forget_pixmap(&mut self) {
        self.changed = true;
        if let Some(pixmap) = self.pixmap.take()
            && let Ok(freed) = self.display.connection.free_pixmap(pixmap)
        {
            freed.ignore_error();
        }
    }
}

/// Sides as 4:2:0 and the encoders want them, within the bounds of a picture.
fn even((width, height): (u32, u32)) -> (u32, u32) {
    let side = |side: u32| side.clamp(2, VideoFrame::MAX_SIDE) & !1;
    (side(width), side(height))
}

const fn failed(attempt: &'static str) -> DeviceError {
    DeviceError::Failed { kind: DeviceKind::Window, attempt }
}
