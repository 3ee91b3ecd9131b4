//! The X11 display: which windows there are, and what they are called.

use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::composite::{self, ConnectionExt as _};
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, ImageOrder, MapState, Window};
use x11rb::rust_connection::RustConnection;

use super::WindowInfo;
use crate::error::{DeviceError, DeviceKind};

/// Bytes of a title or a program's name that are read; what is longer is cut.
const TEXT: u32 = 512;

/// A connection, with what both list and capture need.
pub(super) struct Display {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
}

impl Display {
    /// Connects to the display of the environment.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] when there is none, or it lacks what is needed.
    pub(super) fn connect() -> Result<Self, DeviceError> {
        let (connection, screen) = x11rb::connect(None).map_err(|_none| unable())?;
        let setup = connection.setup();
        let root = setup.roots.get(screen).ok_or_else(unable)?.root;
        // Pictures come as 32 bits a pixel, blue first.
        let readable = setup.image_byte_order == ImageOrder::LSB_FIRST
            && setup.pixmap_formats.iter().any(|format| format.depth == 24 && format.bits_per_pixel == 32);
        let extensions = [composite::X11_EXTENSION_NAME, damage::X11_EXTENSION_NAME];
        for extension in extensions {
            connection.extension_information(extension).ok().flatten().ok_or_else(unable)?;
        }
        if !readable {
            return Err(unable());
        }
        // Both must be greeted before they are used.
        connection.composite_query_version(0, 4).map_err(lost)?.reply().map_err(refused)?;
        connection.damage_query_version(1, 1).map_err(lost)?.reply().map_err(refused)?;
        Ok(Self { connection, root })
    }

    /// The windows that the window manager lists, but our own.
    pub(super) fn windows(&self) -> Result<Vec<WindowInfo>, DeviceError> {
        let list = self.property(self.root, self.atom("_NET_CLIENT_LIST")?, AtomEnum::WINDOW.into(), 4 * 1_024)?;
        let ids = list.chunks_exact(4).map(|id| u32::from_ne_bytes([id[0], id[1], id[2], id[3]]));
        // A window that closes meanwhile is left out.
        Ok(ids.filter_map(|id| self.describe(id).ok().flatten()).collect())
    }

    /// Whether a window is to be seen; `None` when it is gone.
    pub(super) fn is_mapped(&self, window: Window) -> Option<bool> {
        let attributes = self.connection.get_window_attributes(window).ok()?.reply().ok()?;
        Some(attributes.map_state == MapState::VIEWABLE)
    }

    fn describe(&self, id: Window) -> Result<Option<WindowInfo>, DeviceError> {
        let pid = self.property(id, self.atom("_NET_WM_PID")?, AtomEnum::CARDINAL.into(), 4)?;
        if pid == std::process::id().to_ne_bytes() {
            return Ok(None);
        }
        let utf8 = self.atom("UTF8_STRING")?;
        let mut title = self.property(id, self.atom("_NET_WM_NAME")?, utf8, TEXT)?;
        if title.is_empty() {
            title = self.property(id, AtomEnum::WM_NAME.into(), AtomEnum::STRING.into(), TEXT)?;
        }
        // Instance and class, each with a zero behind it.
        let class = self.property(id, AtomEnum::WM_CLASS.into(), AtomEnum::STRING.into(), TEXT)?;
        let program = class.split(|byte| *byte == 0).rfind(|part| !part.is_empty()).unwrap_or_default();
        let Some(mapped) = self.is_mapped(id) else { return Ok(None) };
        Ok(Some(WindowInfo { id, title: words(&title), program: words(program), minimised: !mapped }))
    }

    fn atom(&self, name: &str) -> Result<Atom, DeviceError> {
        Ok(self.connection.intern_atom(false, name.as_bytes()).map_err(lost)?.reply().map_err(refused)?.atom)
    }

    /// A property's bytes, cut at so many.
    fn property(&self, window: Window, name: Atom, of_type: Atom, most: u32) -> Result<Vec<u8>, DeviceError> {
        let request = self.connection.get_property(false, window, name, of_type, 0, most / 4);
        Ok(request.map_err(lost)?.reply().map_err(refused)?.value)
    }
}

/// Text of another program: what cannot be shown is left out.
fn words(bytes: &[u8]) -> String {
    // Nor may it turn the direction of what stands beside it.
    let turns = |it: char| matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    String::from_utf8_lossy(bytes).chars().filter(|it| !it.is_control() && !turns(*it)).take(120).collect()
}

/// This display shows no single windows to other programs.
const fn unable() -> DeviceError {
    DeviceError::Refused(DeviceKind::Window)
}

/// The window is gone.
pub(super) const fn absent() -> DeviceError {
    DeviceError::NotFound(DeviceKind::Window)
}

/// The connection is gone.
pub(super) fn lost(_error: x11rb::errors::ConnectionError) -> DeviceError {
    absent()
}

/// The server refused, mostly because the window is gone.
pub(super) fn refused(_error: x11rb::errors::ReplyError) -> DeviceError {
    absent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_short_and_has_no_control_characters() {
        assert_eq!(words("Results\u{7} of\nMia\u{202e}".as_bytes()), "Results ofMia");
        assert_eq!(words(&[0xff; 600]).chars().count(), 120);
    }
}
