//! The signaling service: who may meet whom, in which order messages arrive, and nothing of what they say.
//!
//! The server signs people in, keeps appointments and invitations, runs the lobby and delivers opaque bytes in one order
//! per call. It refuses to know more: it links no MLS and no frame encryption, it never sees an invitation's secret or
//! code, and it holds no patient's name. A server that lies can delay or deny a call; it cannot join one.
//!
//! | module | what | pure? |
//! | --- | --- | --- |
//! | [`protocol`] | wire types of REST and WebSocket, the only part that a client compiles (`default-features = false`) | yes |
//! | `room` | lobby of guests and colleagues, admission, ordered log, role × action table: messages in, effects out | yes |
//! | `auth` | passphrase, second factor, tokens, throttle | yes, but for the hashing threads |
//! | `audit` | the hash chain | yes |
//! | `store` | SQLite: accounts, appointments, invitations, sessions, audit | I/O |
//! | `server` | TLS, REST, sockets, tasks; `Server::start` | tasks |
//!
//! Tasks: one accepts, one serves each connection, one each room. Argon2id runs on blocking threads, at most one per core.
//! Every queue is bounded: a full room mailbox makes the sender wait, a full outbox disconnects the slow peer.
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
