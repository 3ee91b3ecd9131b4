//! Link plus code: how a guest without any account proves to the host's client, through a server
//! that nobody trusts, that it was invited; and how the host proves itself to the guest.
//!
//! ```text
//!  guest                                server (opaque bytes)                         host
//!    │ 1  leaf key, nonce, KE1, link proof ────────────────────────────────────────>   │ proof?
//!    │                                                                  try spent, stored
//!    │ <──────── group id, certificate and leaf of the host, attempt, mode, KE2   2    │
//!    │ certificate under the practice of the link? code?                               │
//!    │ 3  KE3, key package with binder, MAC ───────────────────────────────────────>   │ all of it?
//!    │ <─────────────────────────────────────────────────────────────── MAC       4    │
//!    │ 5  lobby card, sealed ──────────────────────────────────────────────────────>   │ Admit
//!    │ <──────────────────────── Welcome: Add + external PSK of this very exchange     │
//! ```
//!
//! A sixth message, answered by a fourth, brings a guest in again: after a failed join, or after
//! it lost the call (`again.rs`).
//!
//! Neither the link nor the code alone is enough, and a guess of the code costs one of three
//! tries before its answer leaves.

mod again;
mod card;
mod code;
#[cfg(any(test, feature = "lab"))]
pub(crate) mod fuzz;
mod guest;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod hostile;
mod keys;
mod link;
mod owner;
mod pake;
mod record;
#[cfg(test)]
mod returns;
mod share;
mod stored;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
mod wire;

pub use card::LobbyCard;
pub use code::InvitationCode;
pub use guest::{GuestInvitation, HostSummary};
pub use link::{InvitationLink, LobbyToken};
pub use owner::{KnockReply, ProofReply, VerifiedGuest};
pub use record::{InvitationTerms, OwnedInvitation};
pub use share::Sharing;

/// Which message of the exchange bytes claim to be, 1 to 6: for routing only, nothing of it is
/// checked.
#[must_use]
pub fn message_number(message: &[u8]) -> Option<u8> {
    wire::number(message)
}
