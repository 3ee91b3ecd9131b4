//! From packets to whole frames: what to wait for, and when to stop waiting.
//!
//! Everything here is pure: `now` comes in, frames come out.

mod assembly;
pub(crate) mod audio;
mod key_request;
mod nack;
mod number;

pub(crate) use assembly::{Assembled, Assembly};
pub(crate) use key_request::KeyRequest;
pub(crate) use nack::NackList;
pub(crate) use number::SeenWindow;
