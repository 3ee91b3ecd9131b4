//! The signaling service: who may meet whom, in which order messages arrive, and nothing of what they say.
//!
//! The server signs people in, keeps appointments and invitations, runs the lobby and delivers opaque bytes in one order
//! per call. It refuses to know more: it links no MLS and no frame encryption, it never sees an invitation's secret or
//! code, and it holds no patient's name. A server that lies can delay or deny a call; it cannot join one.
//!
//! Map:
//! - [`protocol`]: wire types of REST and WebSocket, the only part that a client compiles (`default-features = false`).
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod protocol;

#[cfg(feature = "server")]
mod audit;
#[cfg(feature = "server")]
mod auth;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod room;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod store;

#[cfg(feature = "server")]
pub use self::{auth::PasswordCost, error::Error};
