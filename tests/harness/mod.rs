//! A practice on the loopback interface and the people in it.
//!
//! The server is the real one, in this process, with a time of day set by hand.
//! People use the client's own session and driver, by the commands that a window would send.
//! Nothing sleeps: a person waits for a view, and the time limit only ends a test that failed.

mod capture;
mod clinic;
pub(crate) mod logs;
mod person;
mod wire;

pub(crate) use capture::Capture;
pub(crate) use clinic::{Clinic, PASSPHRASE, files};
pub(crate) use person::{Card, Invitation, LIMIT, Person, no_devices};
