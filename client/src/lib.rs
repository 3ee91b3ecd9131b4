//! Quietroom's client: the consultation as a pure session, the task that drives it, and two faces of it.
//!
//! - [`session`]: the consultation from sign-in to close. Pure: it reads no clock, opens nothing and holds no socket.
//! - `session::driver`: the one task that owns the connection, the key store, the group and the media engine.
//! - [`headless`]: JSON lines in, JSON lines out, on that same session.
//! - `app` and `ui`: the window; it paints a [`session::View`] and sends [`session::Command`]s.
//!
//! The rule of use: whoever shows the session holds an [`AppHandle`], sends commands through it and never waits for
//! an answer; what is true stands in the next view.
//! The client refuses to send media that is not sealed, to show a roster that is not the MLS tree,
//! and to talk to a server whose key it was not told.
//!
//! Threads: the window owns the main thread; a small tokio runtime runs the driver; media owns its own named threads.

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod connection;
pub mod disclosure;
pub mod error;
pub mod headless;
pub mod health;
mod invitation_file;
pub mod keystore;
pub mod pictures;
pub mod preferences;
mod private;
pub mod recovery;
pub mod report;
pub mod session;
pub mod settings;
pub mod start;
pub mod ui;

use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

pub use pictures::Pictures;
pub use private::Private;

/// What a face of the client (window or headless) holds of the running session.
#[derive(Clone, Debug)]
pub struct AppHandle {
    /// Bounded: `try_send` fails when 64 commands wait, and the click is lost rather than the window blocked.
    pub commands: mpsc::Sender<session::Command>,
    /// Newest view.
    pub view: watch::Receiver<session::View>,
    /// Newest pictures and sound level.
    pub pictures: Pictures,
    /// Wakes the window when a view or a picture is new.
    pub wake: Waker,
}

/// A callback that a window registers, to be woken for a new view or picture.
///
/// It is called from the driver's task and from media threads: it must return at once
/// (`egui::Context::request_repaint_after` does).
#[derive(Clone, Default)]
pub struct Waker(Arc<Mutex<Option<Callback>>>);

type Callback = Box<dyn Fn() + Send>;

impl Waker {
    /// Registers the callback in place of an earlier one.
    pub fn register(&self, wake: impl Fn() + Send + 'static) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(Box::new(wake));
        }
    }

    /// Calls it, if there is one.
    pub fn wake(&self) {
        if let Ok(slot) = self.0.lock()
            && let Some(wake) = slot.as_ref()
        {
            wake();
        }
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}
