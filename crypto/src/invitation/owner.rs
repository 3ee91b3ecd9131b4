//! The host's steps: 1 → 2, 3 → 4, 5.

use std::fmt;

use openmls::prelude::KeyPackage;

use super::{
    card::LobbyCard,
    keys::{InvitationKey, ProofKey},
    pake,
    record::{Exchange, OwnedInvitation, Progress, TRIES},
    wire::{self, ChallengeHead},
};
use crate::{
    codec::Write,
    error::{IdentityError, InvitationError},
    id::{CallRole, Delivery, GroupId, InviteId},
    identity::{DenyList, LeafCredential},
    kdf::sha256,
    mls::{CallGroup, ReadPackage, ReturnProof, psk_id, read_package},
    secret::Secret,
};

/// Answer to a knock.
#[derive(Debug)]
pub struct KnockReply {
    /// Message 2. It may leave only after the record was stored durably.
    pub message2: Vec<u8>,
    /// Whether the record changed; `false` for a repeated knock, which gets the same answer.
    pub try_spent: bool,
    /// Counts the knocks of this invitation.
    pub attempt: u32,
    /// Tries that are left, this one already taken off.
    pub tries_left: u8,
}

/// Answer to a proof.
#[derive(Debug)]
pub struct ProofReply {
    /// Message 4.
    pub message4: Vec<u8>,
    /// What [`CallGroup::admit`] takes.
    pub guest: VerifiedGuest,
}

/// A guest that proved link and code: key package, pre-shared key, role and invitation, bound
/// together. The only way to admit an invited guest.
pub struct VerifiedGuest {
    pub(super) package: KeyPackage,
    pub(super) psk: Secret<32>,
    pub(super) invite_id: InviteId,
    pub(super) attempt: u32,
    pub(super) role: CallRole,
    pub(super) delivery: Delivery,
    pub(super) group_id: GroupId,
    pub(super) leaf_key: [u8; 32],
    /// Of a guest that was in the call already.
    pub(super) returning: Option<ReturnProof>,
}

impl VerifiedGuest {
    /// The invitation that it answered.
    #[must_use]
    pub fn invite_id(&self) -> InviteId {
        self.invite_id
    }

    /// The knock that it is.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether a message 5 names the exchange that this guest proved; its seal is checked by
    /// [`OwnedInvitation::on_card`].
    pub fn sent(&self, message5: &[u8]) -> bool {
        wire::read_card(self.invite_id, message5).is_ok_and(|sealed| sealed.attempt == self.attempt)
    }

    /// What the guest will be, as the invitation says.
    #[must_use]
    pub fn role(&self) -> CallRole {
        self.role
    }

    /// How its link reached it, as both sides of the exchange know.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The leaf signature key that it will have: finds it in the roster after the admission.
    #[must_use]
    pub fn signature_key(&self) -> &[u8; 32] {
        &self.leaf_key
    }

    pub(crate) fn returning(&self) -> Option<&ReturnProof> {
        self.returning.as_ref()
    }

    pub(crate) fn group_id(&self) -> GroupId {
        self.group_id
    }

    pub(crate) fn key_package(&self) -> &KeyPackage {
        &self.package
    }

    pub(crate) fn psk(&self) -> &Secret<32> {
        &self.psk
    }

    pub(crate) fn psk_id(&self) -> Vec<u8> {
        psk_id(self.invite_id, self.attempt)
    }
}

impl fmt::Debug for VerifiedGuest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedGuest({:?}, {:?})", self.invite_id, self.role)
    }
}

impl OwnedInvitation {
    /// Message 1 → message 2. **Store the record durably before message 2 leaves**: message 2
    /// alone tells a guesser whether the guess was right.
    ///
    /// `now` in Unix seconds. The same message 1 gets the same message 2 and costs no try.
    ///
    /// # Errors
    /// [`InvitationError::Malformed`] and [`InvitationError::BadLinkProof`] cost no try, nor do
    /// [`InvitationError::Consumed`], [`InvitationError::TooEarly`],
    /// [`InvitationError::Expired`], [`InvitationError::TriesSpent`],
    /// [`InvitationError::UntrustedHost`] (this client does not host `call`, or for another
    /// practice, or has no deny list as new as the link demands) and [`InvitationError::WrongMode`]. [`InvitationError::Backend`].
    pub fn on_knock(&mut self, now: u64, message1: &[u8], call: &CallGroup) -> Result<KnockReply, InvitationError> {
        let knock = wire::read_knock(self.invite_id, message1)?;
        if !ProofKey::new(&self.secret)?.accepts(knock.proven, knock.proof) {
            return Err(InvitationError::BadLinkProof);
        }
        self.check_window(now)?;
        let digest = sha256(message1);
        let known =
            self.exchanges.iter().find(|exchange| exchange.knock == digest && exchange.group_id == call.group_id());
        if let Some(exchange) = known {
            return Ok(KnockReply {
                message2: exchange.message2.clone(),
                try_spent: false,
                attempt: exchange.attempt,
                tries_left: self.tries_left,
            });
        }
        if call.mode() != self.mode {
            return Err(InvitationError::WrongMode);
        }
        if call.practice() != self.practice {
            return Err(InvitationError::UntrustedHost(IdentityError::WrongPractice));
        }
        let (host_credential, host_leaf_key) =
            call.host_leaf().map_err(|_no_host| InvitationError::UntrustedHost(IdentityError::BadTerms))?;
        let deny_list = call.deny_list(self.least_deny_list).map_err(InvitationError::UntrustedHost)?;
        let deny_list = deny_list.map(DenyList::encode).unwrap_or_default();

        // The try is spent first: whatever fails from here on has cost it.
        self.tries_left = self.tries_left.checked_sub(1).ok_or(InvitationError::TriesSpent)?;
        self.attempts = self.attempts.checked_add(1).ok_or(InvitationError::TriesSpent)?;
        let fields = ChallengeHead {
            group_id: call.group_id(),
            role: self.role,
            mode: call.mode(),
            delivery: self.delivery,
            attempt: self.attempts,
            host_leaf_key,
            host_credential: &host_credential,
            deny_list: &deny_list,
            succession: &self.succession,
        };
        let mut message2 = wire::write_challenge_head(self.invite_id, &fields);
        let context = wire::context(knock.head, &message2);
        let (ke2, state) = self.verifier.answer(self.invite_id.as_bytes(), &context, knock.ke1)?;
        message2.put_bytes(&ke2);
        self.remember(Exchange {
            first: self.attempts,
            attempt: self.attempts,
            returned: [0; 32],
            knock: digest,
            transcript: wire::transcript(message1, &message2),
            message2: message2.clone(),
            context,
            group_id: call.group_id(),
            delivery: self.delivery,
            leaf_key: knock.leaf_key,
            progress: Progress::Challenged(state),
        });
        Ok(KnockReply { message2, try_spent: true, attempt: self.attempts, tries_left: self.tries_left })
    }

    /// Message 3 → message 4 and the guest. Store the record afterwards: a proved exchange gives
    /// the try back, since whoever knows the code was not guessing.
    ///
    /// # Errors
    /// [`InvitationError::WrongCode`]; [`InvitationError::BadConfirmation`] for a changed message
    /// or key package; [`InvitationError::BadKeyPackage`]; [`InvitationError::OutOfOrder`] for an
    /// unknown or finished exchange; [`InvitationError::Expired`] and its like;
    /// [`InvitationError::Malformed`]; [`InvitationError::Backend`]. The exchange is over after
    /// any of the first three.
    pub fn on_proof(&mut self, now: u64, message3: &[u8]) -> Result<ProofReply, InvitationError> {
        let proof = wire::read_proof(self.invite_id, message3)?;
        self.check_window(now)?;
        let at = self.exchanges.iter().position(|exchange| {
            exchange.attempt == proof.attempt && matches!(exchange.progress, Progress::Challenged(_))
        });
        let mut exchange = self.exchanges.remove(at.ok_or(InvitationError::OutOfOrder)?);
        let Progress::Challenged(state) = &exchange.progress else {
            return Err(InvitationError::OutOfOrder);
        };
        let session = pake::verify(state, &exchange.context, proof.ke3)?
            .ok_or(InvitationError::WrongCode { tries_left: self.tries_left })?;
        let key = InvitationKey::new(&self.secret, &session, &exchange.transcript)?;
        let read = read_package(proof.package).ok_or(InvitationError::BadKeyPackage)?;
        if !key.accepts_guest(&exchange.transcript, &read.reference, proof.tag)? {
            return Err(InvitationError::BadConfirmation);
        }
        let (leaf_key, group_id) = (&exchange.leaf_key, exchange.group_id);
        self.check_package(&read, leaf_key, exchange.attempt, group_id, &key.binder()?)?;
        let ReadPackage { package, reference, .. } = read;

        let guest = VerifiedGuest {
            package,
            psk: key.external_psk(proof.attempt, &reference)?,
            invite_id: self.invite_id,
            attempt: proof.attempt,
            role: self.role,
            delivery: exchange.delivery,
            group_id: exchange.group_id,
            leaf_key: exchange.leaf_key,
            returning: None,
        };
        let tag = key.host_tag(&exchange.transcript, &reference)?;
        let message4 = wire::write_confirm(self.invite_id, proof.attempt, &tag);
        exchange.progress = Progress::Proved(key);
        self.exchanges.push(exchange);
        self.tries_left = (self.tries_left + 1).min(TRIES);
        Ok(ProofReply { message4, guest })
    }

    /// Message 5 → the lobby card; may come again when the guest changes it.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] before a proof, [`InvitationError::BadConfirmation`] for a
    /// seal that does not open, [`InvitationError::Malformed`].
    pub fn on_card(&self, message5: &[u8]) -> Result<LobbyCard, InvitationError> {
        let sealed = wire::read_card(self.invite_id, message5)?;
        let proved = self.exchanges.iter().find_map(|exchange| match &exchange.progress {
            Progress::Proved(key) if exchange.attempt == sealed.attempt => Some(key),
            _ => None,
        });
        LobbyCard::open(proved.ok_or(InvitationError::OutOfOrder)?, &sealed)
    }

    pub(super) fn check_window(&self, now: u64) -> Result<(), InvitationError> {
        if self.consumed {
            return Err(InvitationError::Consumed);
        }
        if now < self.not_before {
            return Err(InvitationError::TooEarly);
        }
        if now > self.expires_at {
            return Err(InvitationError::Expired);
        }
        Ok(())
    }

    /// The key package must be the one that the exchange is about: the expected leaf key, our
    /// profile and nothing else, and a credential whose binder only this guest could make.
    pub(super) fn check_package(
        &self,
        package: &ReadPackage,
        leaf_key: &[u8; 32],
        attempt: u32,
        group_id: GroupId,
        binder_key: &Secret<32>,
    ) -> Result<(), InvitationError> {
        let names_us = matches!(package.credential, LeafCredential::Invited { role, invite_id, attempt: named, .. }
            if role == self.role && invite_id == self.invite_id && named == attempt);
        let fits = names_us
            && package.leaf_key == *leaf_key
            && package.credential.verify_binder(binder_key, leaf_key, group_id);
        if fits { Ok(()) } else { Err(InvitationError::BadKeyPackage) }
    }
}
