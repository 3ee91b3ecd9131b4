//! The owner device's record of an invitation. It lives in that device's key store and nowhere
//! else: a server could roll it back.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    code::InvitationCode,
    keys::InvitationKey,
    link::{InvitationLink, LobbyToken, MAX_PHONE, MAX_SERVER, lobby_token},
    owner::VerifiedGuest,
    pake::{Verifier, password},
};
use crate::{
    error::{IdentityError, InvitationError},
    id::{CallMode, CallRole, Delivery, GroupId, InviteId},
    identity::{PracticeFingerprint, PracticePublicKey, PracticeSuccession},
    kdf::MAC_LENGTH,
    secret::{Secret, random_bytes},
};

/// Wrong codes that an invitation bears.
pub(super) const TRIES: u8 = 3;
/// Exchanges that are remembered at a time; an older one is forgotten when another knocks.
pub(super) const MAX_EXCHANGES: usize = 3;
pub(super) const MAX_APPOINTMENT: usize = 64;

/// What a new invitation says.
#[derive(Debug, Clone)]
pub struct InvitationTerms {
    /// Where the guest connects, `host:port`, 1 to 255 bytes.
    pub server: String,
    /// SHA-256 over the SubjectPublicKeyInfo of the server's TLS key.
    pub server_pin: [u8; 32],
    /// The practice's key.
    pub practice: PracticePublicKey,
    /// The practice's phone, at most 40 bytes.
    pub practice_phone: String,
    /// [`PracticeKey::sign_phone`](crate::PracticeKey::sign_phone) of it, 64 bytes.
    pub phone_signature: Vec<u8>,
    /// What the guest will be; not `Host`.
    pub role: CallRole,
    /// What kind of call it leads to; it stands in the link and cannot change.
    pub mode: CallMode,
    /// Least version of the practice's deny list that the host must show; 0 for none.
    pub least_deny_list: u64,
    /// Knocks before it are refused; Unix seconds.
    pub not_before: u64,
    /// Knocks after it are refused; Unix seconds. At most 24 h after the appointment, which only
    /// the caller knows.
    pub expires_at: u64,
    /// The caller's reference, at most 64 bytes.
    pub appointment: String,
}

/// The record: link secret, OPAQUE state, tries, exchanges under way.
///
/// Store [`encode`](Self::encode) **durably before the answer to a knock leaves**.
pub struct OwnedInvitation {
    pub(super) invite_id: InviteId,
    pub(super) secret: Secret<32>,
    pub(super) verifier: Verifier,
    pub(super) practice: PracticeFingerprint,
    pub(super) role: CallRole,
    pub(super) mode: CallMode,
    pub(super) least_deny_list: u64,
    /// The statement by which `practice` follows from the link's key; empty if it is that key.
    pub(super) succession: Vec<u8>,
    pub(super) delivery: Delivery,
    /// Devices that may answer it, as far as this record knows.
    pub(super) devices: u8,
    /// Came from the owner's device by [`open_share`](crate::DeviceKey::open_share).
    pub(super) shared: bool,
    pub(super) not_before: u64,
    pub(super) expires_at: u64,
    pub(super) appointment: String,
    pub(super) tries_left: u8,
    pub(super) attempts: u32,
    pub(super) consumed: bool,
    pub(super) exchanges: Vec<Exchange>,
}

/// One exchange with somebody who knocked.
pub(super) struct Exchange {
    /// The knock that it is.
    pub(super) first: u32,
    /// The key package that it is about: the knock, or a later number after a return.
    pub(super) attempt: u32,
    /// SHA-256 of the last message 6, or zeros.
    pub(super) returned: [u8; 32],
    /// SHA-256 of message 1: the same message gets the same answer.
    pub(super) knock: [u8; 32],
    pub(super) message2: Vec<u8>,
    pub(super) context: [u8; MAC_LENGTH],
    pub(super) transcript: [u8; MAC_LENGTH],
    pub(super) group_id: GroupId,
    /// What message 2 said of the link's way.
    pub(super) delivery: Delivery,
    pub(super) leaf_key: [u8; 32],
    pub(super) progress: Progress,
}

pub(super) enum Progress {
    /// KE2 was sent; OPAQUE's state.
    Challenged(Zeroizing<Vec<u8>>),
    /// Link and code were proved.
    Proved(InvitationKey),
    /// The guest is in the call; K_rejoin.
    Admitted(InvitationKey),
}

impl OwnedInvitation {
    /// Makes an invitation: the record to store, the link for one channel, the code for another.
    ///
    /// # Errors
    /// [`InvitationError::BadField`] for terms out of bounds, [`InvitationError::Backend`].
    pub fn create(terms: InvitationTerms) -> Result<(Self, InvitationLink, InvitationCode), InvitationError> {
        let signature = terms.phone_signature.as_slice().try_into();
        let phone_signature: [u8; 64] = signature.map_err(|_length| InvitationError::BadField)?;
        let phone_is_signed = terms.practice.verify_phone(&terms.practice_phone, &phone_signature).is_ok();
        let fits = (1..=MAX_SERVER).contains(&terms.server.len())
            && terms.practice_phone.len() <= MAX_PHONE
            && terms.appointment.len() <= MAX_APPOINTMENT
            && terms.role != CallRole::Host
            && terms.not_before < terms.expires_at;
        if !phone_is_signed || !fits {
            return Err(InvitationError::BadField);
        }
        let invite_id = InviteId::from_bytes(random_bytes().ok_or(InvitationError::Backend)?);
        let secret = Secret::random().ok_or(InvitationError::Backend)?;
        let code = InvitationCode::random().ok_or(InvitationError::Backend)?;
        let verifier = Verifier::new(&password(&secret, &code)?, invite_id.as_bytes())?;
        let link = InvitationLink {
            server: terms.server,
            server_pin: terms.server_pin,
            invite_id,
            secret: Secret::from_slice(secret.expose()).ok_or(InvitationError::Backend)?,
            practice: terms.practice,
            mode: terms.mode,
            least_deny_list: terms.least_deny_list,
            phone: terms.practice_phone,
            phone_signature,
        };
        let record = Self {
            invite_id,
            secret,
            verifier,
            practice: terms.practice.fingerprint(),
            role: terms.role,
            mode: terms.mode,
            least_deny_list: terms.least_deny_list,
            succession: Vec::new(),
            delivery: Delivery::Client,
            devices: 1,
            shared: false,
            not_before: terms.not_before,
            expires_at: terms.expires_at,
            appointment: terms.appointment,
            tries_left: TRIES,
            attempts: 0,
            consumed: false,
            exchanges: Vec::new(),
        };
        Ok((record, link, code))
    }

    /// The public id.
    #[must_use]
    pub fn invite_id(&self) -> InviteId {
        self.invite_id
    }

    /// What the guest will be.
    #[must_use]
    pub fn role(&self) -> CallRole {
        self.role
    }

    /// What kind of call it leads to.
    #[must_use]
    pub fn mode(&self) -> CallMode {
        self.mode
    }

    /// The caller's reference.
    #[must_use]
    pub fn appointment(&self) -> &str {
        &self.appointment
    }

    /// First second of the window, Unix.
    #[must_use]
    pub fn not_before(&self) -> u64 {
        self.not_before
    }

    /// Last second of the window, Unix.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Tries that are left, 0 to 3.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// Whether it was used.
    #[must_use]
    pub fn is_consumed(&self) -> bool {
        self.consumed
    }

    /// What the server is told the hash of when the invitation is registered.
    ///
    /// # Errors
    /// [`InvitationError::Backend`].
    pub fn lobby_token(&self) -> Result<LobbyToken, InvitationError> {
        lobby_token(&self.secret)
    }

    /// Marks it used by this guest and forgets everybody else who knocked. What stays lets the
    /// same guest come back into the same call, see [`on_rejoin`](Self::on_rejoin). Call it when
    /// the guest's Add was merged, and store the record.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] for a guest of another invitation or of a forgotten
    /// exchange; the invitation is used all the same. [`InvitationError::Backend`].
    pub fn admitted(&mut self, guest: &VerifiedGuest) -> Result<(), InvitationError> {
        let at = self
            .exchanges
            .iter()
            .position(|exchange| guest.invite_id() == self.invite_id && exchange.attempt == guest.attempt());
        let exchange = at.map(|at| self.exchanges.remove(at));
        self.consume();
        let mut exchange = exchange.ok_or(InvitationError::OutOfOrder)?;
        exchange.progress = match exchange.progress {
            Progress::Proved(key) => Progress::Admitted(key.rejoin()?),
            Progress::Admitted(key) => Progress::Admitted(key),
            Progress::Challenged(_) => return Err(InvitationError::OutOfOrder),
        };
        self.exchanges.push(exchange);
        Ok(())
    }

    /// Takes back an admission whose call was lost with this host's memory, or with the server's room: the same link
    /// and code open the door of a new call, with the tries that are left, until the window ends. A call that has ended
    /// ([`consume`](Self::consume)) is over for good, and a record that came here used opens no door. Gives whether
    /// anything changed; then store the record.
    pub fn reopen(&mut self) -> bool {
        let reopened = self.has_admitted() && self.tries_left > 0;
        if reopened {
            self.consumed = false;
            self.exchanges.clear();
        }
        reopened
    }

    /// Whether it is used, and what the guest in the call may come back by is there.
    pub(super) fn has_admitted(&self) -> bool {
        self.consumed && matches!(self.exchanges.as_slice(), [Exchange { progress: Progress::Admitted(_), .. }])
    }

    /// Marks it used and forgets everything that could still answer: at the latest when the call
    /// has ended. Store the record.
    pub fn consume(&mut self) {
        self.consumed = true;
        self.exchanges.clear();
    }

    /// How the link reaches the guest.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// Notes that the link goes another way than from this client past the server. It never goes
    /// back to a better one: what the server has seen it has seen. Call it before the link
    /// leaves, and store the record.
    pub fn mark_delivery(&mut self, delivery: Delivery) {
        self.delivery = self.delivery.max(delivery);
    }

    /// The practice key that this record answers for: the link's, or its successor.
    #[must_use]
    pub fn practice(&self) -> PracticeFingerprint {
        self.practice
    }

    /// Devices that may answer a knock: the bound on guesses is three for each of them.
    #[must_use]
    pub fn devices(&self) -> u8 {
        self.devices
    }

    /// Answers from now on for the key that took the place of the link's; once. Store the record.
    ///
    /// # Errors
    /// [`InvitationError::UntrustedHost`] for a statement that is not the link's practice's.
    pub fn succeed(&mut self, statement: &PracticeSuccession) -> Result<(), InvitationError> {
        let new = statement.verify(&self.practice).map_err(InvitationError::UntrustedHost)?;
        // The guest holds one statement against its link, not a chain of them.
        if !self.succession.is_empty() {
            return Err(InvitationError::UntrustedHost(IdentityError::WrongPractice));
        }
        self.practice = new.fingerprint();
        self.succession = statement.encode();
        Ok(())
    }

    /// What a host's client would do that does not care.
    #[cfg(test)]
    pub(crate) fn succeed_unchecked(&mut self, statement: &PracticeSuccession, new: PracticeFingerprint) {
        self.practice = new;
        self.succession = statement.encode();
    }

    /// Likewise.
    #[cfg(test)]
    pub(crate) fn demand_deny_list(&mut self, least: u64) {
        self.least_deny_list = least;
    }

    /// Likewise.
    #[cfg(test)]
    pub(crate) fn turn_to(&mut self, mode: CallMode) {
        self.mode = mode;
    }

    /// Remembers an exchange and forgets one beyond the bound: the oldest, but of those that
    /// proved nothing first, so that knocking does not push out who waits in the lobby.
    pub(super) fn remember(&mut self, exchange: Exchange) {
        if self.exchanges.len() >= MAX_EXCHANGES {
            let unproved = |exchange: &Exchange| matches!(exchange.progress, Progress::Challenged(_));
            self.exchanges.remove(self.exchanges.iter().position(unproved).unwrap_or(0));
        }
        self.exchanges.push(exchange);
    }
}

impl fmt::Debug for OwnedInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, tries) = (self.invite_id, self.tries_left);
        write!(f, "OwnedInvitation({id:?}, {tries} tries, consumed: {})", self.consumed)
    }
}
