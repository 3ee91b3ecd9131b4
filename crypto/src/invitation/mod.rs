//! Link plus code.

use zeroize::Zeroizing;

use crate::{
    error::{InvitationError, LinkError},
    id::{CallRole, GroupId, InviteId},
    identity::{PracticeFingerprint, PracticePublicKey},
    mls::CallGroup,
};

/// What opens the lobby at the server: 32 bytes derived from the link secret.
#[derive(Debug)]
pub struct LobbyToken(crate::secret::Secret<32>);
impl LobbyToken {
    /// The token itself; only the guest sends it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }
    /// SHA-256 of the token: all that the server stores.
    pub fn hash(&self) -> [u8; 32] {
        todo!()
    }
}
/// A parsed `quietroom:` link; holds the link secret.
#[derive(Debug)]
pub struct InvitationLink;
impl InvitationLink {
    /// Parses pasted or scanned text; blanks and line breaks inside are ignored.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let _ = text;
        todo!()
    }
    /// `quietroom:` and base64url with a checksum.
    pub fn to_uri(&self) -> Zeroizing<String> {
        todo!()
    }
    /// `host:port`.
    pub fn server(&self) -> &str {
        todo!()
    }
    /// SHA-256 over the SubjectPublicKeyInfo of the server's TLS key.
    pub fn server_pin(&self) -> &[u8; 32] {
        todo!()
    }
    /// Public id.
    pub fn invite_id(&self) -> InviteId {
        todo!()
    }
    /// Fingerprint of the practice's key.
    pub fn practice_fingerprint(&self) -> PracticeFingerprint {
        todo!()
    }
    /// The practice's phone, signed by the practice.
    pub fn practice_phone(&self) -> &str {
        todo!()
    }
    /// What the server knows the hash of.
    pub fn lobby_token(&self) -> Result<LobbyToken, InvitationError> {
        todo!()
    }
}
/// The eight digits of the other channel.
pub struct InvitationCode;
impl std::fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InvitationCode")
    }
}
impl InvitationCode {
    /// Parses eight digits; blanks, dashes and full stops between them are ignored.
    ///
    /// # Errors
    /// [`InvitationError::BadCode`].
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let _ = text;
        todo!()
    }
    /// `1234 5678`.
    pub fn display(&self) -> Zeroizing<String> {
        todo!()
    }
}
/// What a new invitation says.
#[derive(Debug, Clone)]
pub struct InvitationTerms {
    /// `host:port`, at most 255 bytes.
    pub server: String,
    /// SHA-256 over the SubjectPublicKeyInfo of the server's TLS key.
    pub server_pin: [u8; 32],
    /// The practice's key.
    pub practice: PracticePublicKey,
    /// The practice's phone, at most 40 bytes.
    pub practice_phone: String,
    /// [`PracticeKey::sign_phone`](crate::PracticeKey::sign_phone).
    pub phone_signature: Vec<u8>,
    /// What the guest will be; not `Host`.
    pub role: CallRole,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds; at most 24 h after the appointment, which the caller knows.
    pub expires_at: u64,
    /// The caller's reference, at most 64 bytes.
    pub appointment: String,
}
/// The host device's record of an invitation.
#[derive(Debug)]
pub struct OwnedInvitation;
/// Answer to a knock.
#[derive(Debug)]
pub struct KnockReply {
    /// Send this to the guest, after the record was stored durably.
    pub message2: Vec<u8>,
    /// Whether the record changed and must be stored before message 2 leaves.
    pub try_spent: bool,
    /// Counts the knocks.
    pub attempt: u32,
    /// Tries that are left, this one already taken off.
    pub tries_left: u8,
}
/// Answer to a proof.
#[derive(Debug)]
pub struct ProofReply {
    /// Send this to the guest.
    pub message4: Vec<u8>,
    /// What [`CallGroup::admit`] takes.
    pub guest: VerifiedGuest,
}
/// A guest that proved link and code; the only way to admit an invited guest.
#[derive(Debug)]
pub struct VerifiedGuest;
impl VerifiedGuest {
    /// The invitation it answered.
    pub fn invite_id(&self) -> InviteId {
        todo!()
    }
    /// What the guest will be.
    pub fn role(&self) -> CallRole {
        todo!()
    }
}
impl OwnedInvitation {
    /// Makes an invitation: the record to store, the link for one channel, the code for another.
    ///
    /// # Errors
    /// [`InvitationError::BadField`], [`InvitationError::Backend`].
    pub fn create(
        terms: InvitationTerms,
    ) -> Result<(Self, InvitationLink, InvitationCode), InvitationError> {
        let _ = terms;
        todo!()
    }
    /// The record; secret, store it wrapped.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        todo!()
    }
    /// Reads a record.
    ///
    /// # Errors
    /// [`InvitationError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, InvitationError> {
        let _ = bytes;
        todo!()
    }
    /// Public id.
    pub fn invite_id(&self) -> InviteId {
        todo!()
    }
    /// What the guest will be.
    pub fn role(&self) -> CallRole {
        todo!()
    }
    /// The caller's reference.
    pub fn appointment(&self) -> &str {
        todo!()
    }
    /// Unix seconds.
    pub fn expires_at(&self) -> u64 {
        todo!()
    }
    /// Tries that are left, 0 to 3.
    pub fn tries_left(&self) -> u8 {
        todo!()
    }
    /// Whether it was used.
    pub fn is_consumed(&self) -> bool {
        todo!()
    }
    /// Marks it used: call it when the guest's Add was merged, and store the record.
    pub fn consume(&mut self) {
        todo!()
    }
    /// Message 1 → message 2. **Store the record durably before message 2 leaves.**
    ///
    /// # Errors
    /// [`InvitationError::BadLinkProof`] (no try spent), `TriesSpent`, `Consumed`, `TooEarly`,
    /// `Expired`, `Malformed`, `Backend`.
    pub fn on_knock(
        &mut self,
        now: u64,
        message1: &[u8],
        call: &CallGroup,
    ) -> Result<KnockReply, InvitationError> {
        let _ = (now, message1, call);
        todo!()
    }
    /// Message 3 → message 4 and the guest. Store the record afterwards.
    ///
    /// # Errors
    /// [`InvitationError::WrongCode`], `BadConfirmation`, `BadKeyPackage`, `OutOfOrder`, `Expired`,
    /// `Malformed`, `Backend`.
    pub fn on_proof(&mut self, now: u64, message3: &[u8]) -> Result<ProofReply, InvitationError> {
        let _ = (now, message3);
        todo!()
    }
    /// Message 5 → the lobby card.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`], `BadConfirmation`, `Malformed`.
    pub fn on_card(&self, message5: &[u8]) -> Result<LobbyCard, InvitationError> {
        let _ = message5;
        todo!()
    }
}
/// What the guest knows of the host after message 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSummary {
    /// From the certificate.
    pub display_name: String,
    /// The host's group.
    pub group_id: GroupId,
    /// What the guest will be.
    pub role: CallRole,
}
/// The guest's side of the exchange; holds the leaf key and the key package.
#[derive(Debug)]
pub struct GuestInvitation;
impl GuestInvitation {
    /// From a parsed link.
    ///
    /// # Errors
    /// [`InvitationError::Backend`].
    pub fn new(link: InvitationLink) -> Result<Self, InvitationError> {
        let _ = link;
        todo!()
    }
    /// The link it was made from.
    pub fn link(&self) -> &InvitationLink {
        todo!()
    }
    /// → message 1. After three knocks the client stops.
    ///
    /// # Errors
    /// [`InvitationError::TriesSpent`], `Backend`.
    pub fn knock(&mut self, code: &InvitationCode) -> Result<Vec<u8>, InvitationError> {
        let _ = code;
        todo!()
    }
    /// Message 2 → message 3. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`InvitationError::WrongCode`]: ask for the code again and `knock` anew;
    /// `UntrustedHost`, `AssessorMode`, `Malformed`, `OutOfOrder`.
    pub fn on_challenge(&mut self, now: u64, message2: &[u8]) -> Result<Vec<u8>, InvitationError> {
        let _ = (now, message2);
        todo!()
    }
    /// Message 4: the host confirmed.
    ///
    /// # Errors
    /// [`InvitationError::BadConfirmation`], `Malformed`, `OutOfOrder`.
    pub fn on_confirm(&mut self, message4: &[u8]) -> Result<(), InvitationError> {
        let _ = message4;
        todo!()
    }
    /// → message 5; may be repeated when the card changes.
    ///
    /// # Errors
    /// [`InvitationError::BadField`], `OutOfOrder`.
    pub fn card(&mut self, card: &LobbyCard) -> Result<Vec<u8>, InvitationError> {
        let _ = card;
        todo!()
    }
    /// The host, once message 2 was accepted.
    pub fn host(&self) -> Option<&HostSummary> {
        todo!()
    }
    /// Tries left as far as this client knows, 0 to 3.
    pub fn tries_left(&self) -> u8 {
        todo!()
    }
    /// Joins with the welcome of the admission. A failed join burns the key package: knock anew.
    ///
    /// # Errors
    /// [`GroupError`](crate::GroupError).
    pub fn join(&mut self, now: u64, welcome: &[u8]) -> Result<CallGroup, crate::GroupError> {
        let _ = (now, welcome);
        todo!()
    }
}
/// What the host sees of a waiting guest; sealed under the exchange's key.
#[derive(Clone, PartialEq, Eq, Default, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct LobbyCard {
    /// 1 to 100 bytes.
    pub name: String,
    /// As the guest typed it, at most 20 bytes.
    pub birth_date: String,
    /// Fallback phone, at most 40 bytes; may be empty.
    pub phone: String,
    /// Who is in the room with them, at most 200 bytes.
    pub with_them: Option<String>,
    /// Needs, address or a word on a missing phone, at most 500 bytes.
    pub note: Option<String>,
}
impl std::fmt::Debug for LobbyCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LobbyCard")
    }
}
