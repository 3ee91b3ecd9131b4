//! Key schedule of an invitation.
//!
//! ```text
//! S (link) ─┬─ "lobby" ────────> lobby_token ── SHA-256 ──> the server
//!           ├─ "proof" ────────> MAC of message 1
//!           └─ salt ─┐
//! code ─ KDF(S) ─> OPAQUE ─> session key ─ HKDF(info = transcript) ─> K_inv
//!                                                                       │
//!     "binder" (credential) ── "guest mac" (3) ── "host mac" (4) ── "card" (5)
//!                                                                       │
//!                     "external psk" (attempt, key package ref) ──> MLS external PSK
//!                     "retry" ─> MACs of message 6 and its answer
//!                     "rejoin" ─> takes the place of K_inv once the guest is in the call:
//!                                 the same tree hangs below it, K_inv is dropped
//! ```

use super::pake::SessionKey;
use crate::{
    error::InvitationError,
    kdf::{MAC_LENGTH, derive, mac, mac_matches},
    secret::Secret,
};

/// Checks or makes the link proof of message 1.
pub(super) struct ProofKey(Secret<32>);

impl ProofKey {
    pub(super) fn new(link_secret: &Secret<32>) -> Result<Self, InvitationError> {
        derive(b"", link_secret.expose(), "proof", &[]).map(Self).ok_or(InvitationError::Backend)
    }

    pub(super) fn tag(&self, message: &[u8]) -> [u8; MAC_LENGTH] {
        mac(&self.0, "link proof", &[message])
    }

    pub(super) fn accepts(&self, message: &[u8], tag: &[u8]) -> bool {
        mac_matches(&self.0, "link proof", &[message], tag)
    }
}

/// K_inv: what host and guest share once both proved link and code. After the admission K_rejoin,
/// derived from it, takes its place.
pub(super) struct InvitationKey(Secret<32>);

impl InvitationKey {
    pub(super) fn new(
        link_secret: &Secret<32>,
        session: &SessionKey,
        transcript: &[u8; MAC_LENGTH],
    ) -> Result<Self, InvitationError> {
        derive(link_secret.expose(), session, "invitation", &[transcript]).map(Self).ok_or(InvitationError::Backend)
    }

    pub(super) fn stored(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    pub(super) fn binder(&self) -> Result<Secret<32>, InvitationError> {
        self.sub("binder", &[])
    }

    pub(super) fn card(&self) -> Result<Secret<32>, InvitationError> {
        self.sub("card", &[])
    }

    pub(super) fn external_psk(&self, attempt: u32, package: &[u8]) -> Result<Secret<32>, InvitationError> {
        self.sub("external psk", &[&attempt.to_be_bytes(), package])
    }

    /// Message 3: the guest confirms transcript and key package.
    pub(super) fn guest_tag(
        &self,
        transcript: &[u8; MAC_LENGTH],
        package: &[u8],
    ) -> Result<[u8; MAC_LENGTH], InvitationError> {
        Ok(mac(&self.sub("guest mac", &[])?, "guest", &[transcript, package]))
    }

    pub(super) fn accepts_guest(
        &self,
        transcript: &[u8; MAC_LENGTH],
        package: &[u8],
        tag: &[u8],
    ) -> Result<bool, InvitationError> {
        Ok(mac_matches(&self.sub("guest mac", &[])?, "guest", &[transcript, package], tag))
    }

    /// Message 4: the host confirms the same.
    pub(super) fn host_tag(
        &self,
        transcript: &[u8; MAC_LENGTH],
        package: &[u8],
    ) -> Result<[u8; MAC_LENGTH], InvitationError> {
        Ok(mac(&self.sub("host mac", &[])?, "host", &[transcript, package]))
    }

    pub(super) fn accepts_host(
        &self,
        transcript: &[u8; MAC_LENGTH],
        package: &[u8],
        tag: &[u8],
    ) -> Result<bool, InvitationError> {
        Ok(mac_matches(&self.sub("host mac", &[])?, "host", &[transcript, package], tag))
    }

    /// K_rejoin: what both keep when the guest is in the call.
    pub(super) fn rejoin(&self) -> Result<Self, InvitationError> {
        self.sub("rejoin", &[]).map(Self)
    }

    /// Message 6 without its MAC: the guest comes with a new key package.
    pub(super) fn return_tag(
        &self,
        transcript: &[u8; MAC_LENGTH],
        message: &[u8],
    ) -> Result<[u8; MAC_LENGTH], InvitationError> {
        Ok(mac(&self.sub("retry", &[])?, "return", &[transcript, message]))
    }

    pub(super) fn accepts_return(
        &self,
        transcript: &[u8; MAC_LENGTH],
        message: &[u8],
        tag: &[u8],
    ) -> Result<bool, InvitationError> {
        Ok(mac_matches(&self.sub("retry", &[])?, "return", &[transcript, message], tag))
    }

    /// The host's answer to message 6, whose SHA-256 is `digest`.
    pub(super) fn welcome_back_tag(&self, digest: &[u8; 32]) -> Result<[u8; MAC_LENGTH], InvitationError> {
        Ok(mac(&self.sub("retry", &[])?, "welcome back", &[digest]))
    }

    pub(super) fn accepts_welcome_back(&self, digest: &[u8; 32], tag: &[u8]) -> Result<bool, InvitationError> {
        Ok(mac_matches(&self.sub("retry", &[])?, "welcome back", &[digest], tag))
    }

    fn sub(&self, label: &str, parts: &[&[u8]]) -> Result<Secret<32>, InvitationError> {
        derive(b"", self.0.expose(), label, parts).ok_or(InvitationError::Backend)
    }
}
