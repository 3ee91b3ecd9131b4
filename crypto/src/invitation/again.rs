//! Coming again without the code: message 6 → message 4.
//!
//! A failed join burns the key package, and a lost connection may cost a member its group. The
//! guest then makes a new leaf key and key package and authenticates them under a key that only
//! it and the host of the exchange have: K_retry from K_inv before the admission, the same from
//! K_rejoin after it. Whoever knows such a key proved link and code before, so it costs no try.

use super::{
    guest::{Agreed, GuestInvitation, Kept, Phase},
    owner::{ProofReply, VerifiedGuest},
    record::{OwnedInvitation, Progress},
    wire,
};
use crate::{
    codec::Write,
    error::InvitationError,
    identity::{LeafCredential, SigningKey},
    kdf::sha256,
    mls::{CallGroup, Provider, ReadPackage, ReturnProof, make_package, psk_id, read_package},
};

/// How far an attempt may run ahead of the last one that the host saw.
///
/// Less shuts a guest out whose answers were lost; more lets it use up the numbers.
const MAX_LEAP: u32 = 64;

impl GuestInvitation {
    /// → message 6 after a join that failed: a new key package, no code, no try. Send the same
    /// bytes again if no answer came.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] unless a join has failed; [`InvitationError::Backend`].
    pub fn retry(&mut self) -> Result<Vec<u8>, InvitationError> {
        self.come_again(false, None)
    }

    /// → message 6 of a member that was lost: to be brought in once more, in place of its old
    /// leaf. `old` is its group, in whatever state, if it still has it: its leaf key then proves
    /// to every member who comes back. Without it only the host can tell.
    ///
    /// The Welcome must be signed by a host whose device the policy named, as host or as deputy,
    /// when the guest first joined. If none of them has this guest's record,
    /// [`knock`](Self::knock) anew.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] unless it has joined; [`InvitationError::Backend`].
    pub fn rejoin(&mut self, old: Option<&CallGroup>) -> Result<Vec<u8>, InvitationError> {
        self.come_again(true, old)
    }

    fn come_again(&mut self, joined: bool, old: Option<&CallGroup>) -> Result<Vec<u8>, InvitationError> {
        let (Phase::Spent(kept), Some(host)) = (&mut self.phase, &self.host) else {
            return Err(InvitationError::OutOfOrder);
        };
        if kept.joined != joined {
            return Err(InvitationError::OutOfOrder);
        }
        let invite_id = self.link.invite_id;
        kept.attempt = kept.attempt.checked_add(1).ok_or(InvitationError::OutOfOrder)?;
        kept.expected.psk_id = Some(psk_id(invite_id, kept.attempt));
        // What it learnt of withdrawn certificates in the call holds for the way back, too.
        if let Some(Ok(Some(list))) = old.map(|old| old.deny_list(0)) {
            kept.expected.deny = Some(list.clone());
        }
        let Kept { key, transcript, first, attempt, .. } = &**kept;
        let backend = |_failed| InvitationError::Backend;
        let leaf_key = SigningKey::generate().map_err(backend)?;
        let (binder, group_id) = (key.binder()?, host.group_id);
        let credential = LeafCredential::invited(&binder, invite_id, *attempt, host.role, leaf_key.public(), group_id);
        let provider = Provider::default();
        let made = make_package(&provider, &leaf_key, &credential);
        let (bytes, package) = made.ok_or(InvitationError::Backend)?;
        let proof = match old.filter(|old| old.group_id() == group_id) {
            Some(old) => old.sign_return(leaf_key.public(), &package).map_err(backend)?.encode(),
            None => Vec::new(),
        };
        let mut message6 = wire::write_return(invite_id, *first, *attempt, &proof, &bytes);
        let tag = key.return_tag(transcript, &message6)?;
        message6.put(&tag);
        if let Phase::Spent(kept) = std::mem::replace(&mut self.phase, Phase::Idle) {
            let returned = Some(sha256(&message6));
            self.phase = Phase::Answered(Box::new(Agreed { provider, leaf_key, package, kept: *kept, returned }));
        }
        Ok(message6)
    }
}

impl OwnedInvitation {
    /// Message 6 of a guest that is still in the lobby → message 4 and the guest anew, for
    /// [`admit`](CallGroup::admit). Costs no try. Store the record before message 4 leaves.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] for an exchange that is forgotten, not proved, or whose
    /// guest is in the call; [`InvitationError::BadConfirmation`];
    /// [`InvitationError::BadKeyPackage`]; [`InvitationError::Consumed`],
    /// [`InvitationError::Expired`] and [`InvitationError::TooEarly`];
    /// [`InvitationError::Malformed`]; [`InvitationError::Backend`]. What the guest proved stays.
    pub fn on_retry(&mut self, now: u64, message6: &[u8], call: &CallGroup) -> Result<ProofReply, InvitationError> {
        self.check_window(now)?;
        self.answer_return(message6, call, false)
    }

    /// Message 6 of a member that was lost → message 4 and the guest, for
    /// [`readmit`](CallGroup::readmit), after [`admitted`](Self::admitted), here or on the device
    /// that [shared](Self::share_with) the used record. The window does not
    /// count: the call may outlast it. Store the record before message 4 leaves.
    ///
    /// # Errors
    /// As [`on_retry`](Self::on_retry), without those of the window.
    pub fn on_rejoin(&mut self, message6: &[u8], call: &CallGroup) -> Result<ProofReply, InvitationError> {
        self.answer_return(message6, call, true)
    }

    fn answer_return(
        &mut self,
        message6: &[u8],
        call: &CallGroup,
        joined: bool,
    ) -> Result<ProofReply, InvitationError> {
        let message = wire::read_return(self.invite_id, message6)?;
        let at = self.exchanges.iter().position(|exchange| exchange.first == message.first);
        let exchange = at.and_then(|at| self.exchanges.get(at)).ok_or(InvitationError::OutOfOrder)?;
        let key = match &exchange.progress {
            Progress::Proved(key) if !joined => key,
            Progress::Admitted(key) if joined => key,
            _ => return Err(InvitationError::OutOfOrder),
        };
        if exchange.group_id != call.group_id() {
            return Err(InvitationError::OutOfOrder);
        }
        if !key.accepts_return(&exchange.transcript, message.authenticated, message.tag)? {
            return Err(InvitationError::BadConfirmation);
        }
        let digest = sha256(message6);
        let attempt = message.attempt;
        let taken = |other: &super::record::Exchange| other.first == attempt || other.attempt == attempt;
        let leap = attempt.checked_sub(exchange.attempt);
        let fresh = leap.is_some_and(|leap| (1..=MAX_LEAP).contains(&leap)) && !self.exchanges.iter().any(taken);
        if !fresh && digest != exchange.returned {
            return Err(InvitationError::OutOfOrder);
        }
        let read = read_package(message.package).ok_or(InvitationError::BadKeyPackage)?;
        self.check_package(&read, &read.leaf_key, attempt, exchange.group_id, &key.binder()?)?;
        let returning = match (joined, message.proof) {
            (false, []) => None,
            (true, []) => Some(ReturnProof::HostsWord),
            (true, proof) => Some(ReturnProof::decode(proof).ok_or(InvitationError::Malformed)?),
            (false, _) => return Err(InvitationError::Malformed),
        };
        let ReadPackage { package, reference, leaf_key, .. } = read;
        let guest = VerifiedGuest {
            package,
            psk: key.external_psk(attempt, &reference)?,
            invite_id: self.invite_id,
            attempt,
            role: self.role,
            delivery: exchange.delivery,
            group_id: exchange.group_id,
            leaf_key,
            returning,
        };
        let tag = key.welcome_back_tag(&digest)?;
        let message4 = wire::write_confirm(self.invite_id, attempt, &tag);
        if let Some(exchange) = at.and_then(|at| self.exchanges.get_mut(at)) {
            exchange.attempt = attempt;
            exchange.leaf_key = leaf_key;
            exchange.returned = digest;
        }
        self.attempts = self.attempts.max(attempt);
        Ok(ProofReply { message4, guest })
    }
}
