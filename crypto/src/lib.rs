//! End-to-end encryption of Quietroom: identities, invitations, the call's MLS group and the
//! SFrame keys of its media.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod codec;
mod error;
mod id;
mod identity;
mod invitation;
mod kdf;
mod mls;
mod safety_words;
mod secret;
mod sframe;
#[cfg(test)]
mod testing;

pub use error::{
    GroupError, IdentityError, InvitationError, LinkError, OpenError, PolicyViolation, SafetyError, SealError,
};
pub use id::{CallId, CallMode, CallRole, GroupId, InviteId, LeafIndex, StaffRole};
pub use identity::{
    CertificateTerms, DeviceCertificate, DeviceKey, DevicePublicKey, DeviceRequest, PracticeFingerprint, PracticeKey,
    PracticePublicKey,
};
pub use invitation::{
    GuestInvitation, HostSummary, InvitationCode, InvitationLink, InvitationTerms, KnockReply, LobbyCard, LobbyToken,
    OwnedInvitation, ProofReply, VerifiedGuest, message_number,
};
pub use mls::{Bundle, CallGroup, CallTerms, Inbound, LogEntry, Member, Vouched};
pub use safety_words::{SafetyCheck, SafetyScope, SafetyStep, SafetyWords};
pub use secret::Secret;
pub use sframe::{KeyRing, MediaContext, MediaKeys, OpenedFrame, OpeningKeys, SealedFrame, SealingKey, SenderKeys};

/// An attacker's tools for hostile tests. They forge what a member could send; they change nothing
/// of what a client accepts.
#[cfg(any(test, feature = "lab"))]
pub mod lab {
    pub use crate::mls::{Crafted, craft, external_commit, openmls_accepts, raw_application};
}

/// Version of everything that two clients must agree on: suite, encodings, labels.
///
/// It changes with any of them, also when a final code point replaces suite 0x004E.
pub const PROFILE_VERSION: u16 = 1;

/// Largest message of the invitation exchange, in bytes; a longer one is refused unread.
pub const MAX_INVITATION_MESSAGE: usize = 16 * 1024;

/// Largest commit, welcome or application message that is looked at, in bytes.
pub const MAX_GROUP_MESSAGE: usize = 256 * 1024;

/// Most members of a call: the key id has four bits for the sender (RFC 9605 §5.2).
pub const MAX_MEMBERS: usize = 16;
