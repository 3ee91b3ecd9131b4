//! The guest's steps: → 1, 2 → 3, 4, → 5, Welcome → call.
//!
//! | operation | idle | knocked | answered | confirmed | burnt | joined |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | `knock` | → knocked | → knocked | → knocked | → knocked | → knocked | → knocked |
//! | `on_challenge` | - | → answered, `AssessorMode`, or → idle | - | - | - | - |
//! | `accept_assessor` | - | once asked | - | - | - | - |
//! | `on_confirm` | - | - | → confirmed, or → idle; → burnt or joined after a return | - | - | - |
//! | `card` | - | - | - | message 5 | - | - |
//! | `join` | - | - | - | → joined, or refused → burnt | - | - |
//! | `retry` | - | - | - | - | → answered | - |
//! | `rejoin` | - | - | - | - | - | → answered |
//!
//! A dash is `OutOfOrder`, for `join` `Inactive`; the phase stays. A member that comes back and
//! whose join is refused is joined, as before.

use std::fmt;

use super::{
    card::LobbyCard,
    code::InvitationCode,
    keys::{InvitationKey, ProofKey},
    link::InvitationLink,
    pake::{Prover, password},
    record::TRIES,
    wire,
};
use crate::{
    codec::Write,
    error::{GroupError, IdentityError, InvitationError},
    id::{CallMode, CallRole, Delivery, GroupId},
    identity::{DenyList, LeafCredential, PracticeFingerprint, PracticeSuccession, SigningKey},
    kdf::MAC_LENGTH,
    mls::{CallGroup, Expected, Provider, Signer, external_psk, join, make_package, psk_id},
    secret::random_bytes,
};

/// What the guest knows of the host once message 2 was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSummary {
    /// From the certificate that the practice signed.
    pub display_name: String,
    /// The host's group.
    pub group_id: GroupId,
    /// What the guest will be.
    pub role: CallRole,
    /// How the link reached the guest, as the host knows it.
    pub delivery: Delivery,
}

/// The guest's side of an invitation; holds leaf key and key package of the current exchange.
pub struct GuestInvitation {
    pub(super) link: InvitationLink,
    tries_left: u8,
    /// The guest was told that the call discloses its keys, and wants that.
    assessor_accepted: bool,
    pub(super) host: Option<HostSummary>,
    pub(super) phase: Phase,
}

pub(super) enum Phase {
    Idle,
    Knocked {
        message1: Vec<u8>,
        head: Vec<u8>,
        leaf_key: SigningKey,
        prover: Box<Prover>,
        asked: bool,
    },
    Answered(Box<Agreed>),
    Confirmed(Box<Agreed>),
    /// The key package is used up.
    Spent(Box<Kept>),
}

/// What an exchange agreed on.
pub(super) struct Agreed {
    pub(super) provider: Provider,
    pub(super) leaf_key: SigningKey,
    pub(super) package: Vec<u8>,
    pub(super) kept: Kept,
    /// SHA-256 of message 6, when it was that.
    pub(super) returned: Option<[u8; 32]>,
}

/// What lets a guest come again without its code.
pub(super) struct Kept {
    /// K_inv, or K_rejoin once the guest was in the call.
    pub(super) key: InvitationKey,
    pub(super) transcript: [u8; MAC_LENGTH],
    pub(super) first: u32,
    pub(super) attempt: u32,
    pub(super) expected: Expected,
    pub(super) joined: bool,
}

impl GuestInvitation {
    /// Starts from a parsed link.
    #[must_use]
    pub fn new(link: InvitationLink) -> Self {
        Self { link, tries_left: TRIES, assessor_accepted: false, host: None, phase: Phase::Idle }
    }

    /// The link that it was made from.
    #[must_use]
    pub fn link(&self) -> &InvitationLink {
        &self.link
    }

    /// Tries left as far as this client knows, 0 to 3.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// The host, once message 2 was accepted.
    #[must_use]
    pub fn host(&self) -> Option<&HostSummary> {
        self.host.as_ref()
    }

    /// Whether host and guest confirmed each other: the card may be sent, a Welcome taken.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        matches!(self.phase, Phase::Confirmed(_))
    }

    /// → message 1, with a fresh leaf key. An exchange under way is given up.
    ///
    /// Nothing of the code travels. Send the same bytes again if no answer came: they cost no
    /// second try.
    ///
    /// # Errors
    /// [`InvitationError::TriesSpent`] after three wrong codes: a fake host learns one guess per
    /// try, so this client stops too. [`InvitationError::Backend`].
    pub fn knock(&mut self, code: &InvitationCode) -> Result<Vec<u8>, InvitationError> {
        self.phase = Phase::Idle;
        if self.tries_left == 0 {
            return Err(InvitationError::TriesSpent);
        }
        let leaf_key = SigningKey::generate().map_err(|_failed| InvitationError::Backend)?;
        let nonce: [u8; 32] = random_bytes().ok_or(InvitationError::Backend)?;
        let (prover, ke1) = Prover::start(password(&self.link.secret, code)?)?;
        let head = wire::write_knock_head(self.link.invite_id, leaf_key.public(), &nonce);
        let mut message1 = head.clone();
        message1.put_bytes(&ke1);
        let proof = ProofKey::new(&self.link.secret)?.tag(&message1);
        message1.put(&proof);
        let prover = Box::new(prover);
        self.phase = Phase::Knocked { message1: message1.clone(), head, leaf_key, prover, asked: false };
        Ok(message1)
    }

    /// The guest, asked after [`InvitationError::AssessorMode`], wants to take part in a call that
    /// discloses its keys. It holds for this invitation.
    ///
    /// # Errors
    /// [`InvitationError::OutOfOrder`] unless a host of the practice has just answered that the
    /// call is one: nobody can consent before being asked.
    pub fn accept_assessor(&mut self) -> Result<(), InvitationError> {
        let Phase::Knocked { asked: true, .. } = self.phase else {
            return Err(InvitationError::OutOfOrder);
        };
        self.assessor_accepted = true;
        Ok(())
    }

    /// Message 2 → message 3. The host's certificate is checked against the link's practice
    /// before the code is put to the test. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`InvitationError::WrongCode`]: ask for the code again and knock anew.
    /// [`InvitationError::AssessorMode`]: show the guest what that means; after
    /// [`accept_assessor`](Self::accept_assessor) call this again with the same message 2.
    /// [`InvitationError::UntrustedHost`], [`InvitationError::WrongMode`],
    /// [`InvitationError::Malformed`]: somebody plays the host; knock anew or give up.
    /// [`InvitationError::OutOfOrder`], [`InvitationError::Backend`].
    pub fn on_challenge(&mut self, now: u64, message2: &[u8]) -> Result<Vec<u8>, InvitationError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Knocked { message1, head, leaf_key, prover, .. } = phase else {
            self.phase = phase;
            return Err(InvitationError::OutOfOrder);
        };
        let challenge = wire::read_challenge(self.link.invite_id, message2)?;
        let fields = &challenge.fields;
        let checked = check_host(&self.link, fields, now).map_err(InvitationError::UntrustedHost)?;
        let TrustedHost { name, practice, deny } = checked;
        if fields.role == CallRole::Host {
            return Err(InvitationError::Malformed);
        }

        if fields.mode != self.link.mode {
            return Err(InvitationError::WrongMode);
        }
        if fields.mode == CallMode::Assessor && !self.assessor_accepted {
            self.phase = Phase::Knocked { message1, head, leaf_key, prover, asked: true };
            return Err(InvitationError::AssessorMode);
        }

        // Spent before the answer: a fake host learns from it whether its own guess was right.
        self.tries_left -= 1;
        let context = wire::context(&head, challenge.head);
        let (ke3, session) = prover
            .finish(&context, challenge.ke2)?
            .ok_or(InvitationError::WrongCode { tries_left: self.tries_left })?;
        let transcript = wire::transcript(&message1, message2);
        let key = InvitationKey::new(&self.link.secret, &session, &transcript)?;

        let credential = LeafCredential::invited(
            &key.binder()?,
            self.link.invite_id,
            fields.attempt,
            fields.role,
            leaf_key.public(),
            fields.group_id,
        );
        let provider = Provider::default();
        let made = make_package(&provider, &leaf_key, &credential);
        let (bytes, package) = made.ok_or(InvitationError::Backend)?;
        let tag = key.guest_tag(&transcript, &package)?;
        let attempt = fields.attempt;
        let message3 = wire::write_proof(self.link.invite_id, attempt, &ke3, &bytes, &tag);
        let expected = Expected {
            group_id: fields.group_id,
            signer: Signer::Leaf { key: fields.host_leaf_key, credential: fields.host_credential.to_vec() },
            practice,
            mode: fields.mode,
            call_id: None,
            deny,
            psk_id: Some(psk_id(self.link.invite_id, attempt)),
        };
        self.host = Some(HostSummary {
            display_name: name,
            group_id: fields.group_id,
            role: fields.role,
            delivery: fields.delivery,
        });
        let kept = Kept { key, transcript, first: attempt, attempt, expected, joined: false };
        self.phase = Phase::Answered(Box::new(Agreed { provider, leaf_key, package, kept, returned: None }));
        Ok(message3)
    }

    /// Message 4: the host confirmed transcript and key package.
    ///
    /// # Errors
    /// [`InvitationError::BadConfirmation`]: knock anew, or come again anew.
    /// [`InvitationError::Malformed`],
    /// [`InvitationError::OutOfOrder`], [`InvitationError::Backend`].
    pub fn on_confirm(&mut self, message4: &[u8]) -> Result<(), InvitationError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Answered(agreed) = phase else {
            self.phase = phase;
            return Err(InvitationError::OutOfOrder);
        };
        let (attempt, tag) = wire::read_confirm(self.link.invite_id, message4)?;
        let Kept { key, transcript, .. } = &agreed.kept;
        let fits = match &agreed.returned {
            None => key.accepts_host(transcript, &agreed.package, tag)?,
            Some(digest) => key.accepts_welcome_back(digest, tag)?,
        };
        if !fits || attempt != agreed.kept.attempt {
            if agreed.returned.is_some() {
                self.phase = Phase::Spent(Box::new(agreed.kept));
            }
            return Err(InvitationError::BadConfirmation);
        }
        self.tries_left = TRIES;
        self.phase = Phase::Confirmed(agreed);
        Ok(())
    }

    /// → message 5; may be repeated when the card changes.
    ///
    /// # Errors
    /// [`InvitationError::BadField`] for a field that is empty or too long,
    /// [`InvitationError::OutOfOrder`], [`InvitationError::Backend`].
    pub fn card(&self, card: &LobbyCard) -> Result<Vec<u8>, InvitationError> {
        let Phase::Confirmed(agreed) = &self.phase else {
            return Err(InvitationError::OutOfOrder);
        };
        card.seal(&agreed.kept.key, self.link.invite_id, agreed.kept.attempt)
    }

    /// Joins with the Welcome of the admission. `now` in Unix seconds.
    ///
    /// The joiner demands a GroupInfo signed by the host's leaf of the exchange (after
    /// [`rejoin`](Self::rejoin), by a device that may host the call), the group id,
    /// policy and mode that the host named, a roster of valid credentials, and exactly one
    /// pre-shared key: the one that only the two of them can know.
    ///
    /// # Errors
    /// [`GroupError::Inactive`] before the confirmation. After every other error the key package
    /// is burnt: [`retry`](Self::retry), or [`rejoin`](Self::rejoin) if it was one.
    pub fn join(&mut self, now: u64, welcome: &[u8]) -> Result<CallGroup, GroupError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Confirmed(agreed) = phase else {
            self.phase = phase;
            return Err(GroupError::Inactive);
        };
        let Agreed { provider, leaf_key, package, mut kept, .. } = *agreed;
        let joined = enter(provider, leaf_key, &package, &kept, now, welcome);
        if let (Ok(call), false) = (&joined, kept.joined) {
            kept.key = kept.key.rejoin().map_err(|_failed| GroupError::Backend)?;
            kept.expected.signer = Signer::Device(call.may_host());
            kept.joined = true;
        }
        self.phase = Phase::Spent(Box::new(kept));
        joined
    }
}

fn enter(
    provider: Provider,
    leaf_key: SigningKey,
    package: &[u8],
    kept: &Kept,
    now: u64,
    welcome: &[u8],
) -> Result<CallGroup, GroupError> {
    let Kept { key, attempt, expected, .. } = kept;
    let psk = key.external_psk(*attempt, package).map_err(|_failed| GroupError::Backend)?;
    external_psk(&provider, expected.psk_id.as_deref().unwrap_or_default(), &psk)?;
    join(provider, leaf_key, expected, now, welcome)
}

impl fmt::Debug for GuestInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Idle => "idle",
            Phase::Knocked { .. } => "knocked",
            Phase::Answered(_) => "answered",
            Phase::Confirmed(_) => "confirmed",
            Phase::Spent(kept) if kept.joined => "joined",
            Phase::Spent(_) => "burnt",
        };
        write!(f, "GuestInvitation({:?}, {phase})", self.link.invite_id)
    }
}

/// What message 2 says of its sender, checked.
struct TrustedHost {
    name: String,
    /// The link's, or the one that it named as its successor.
    practice: PracticeFingerprint,
    deny: Option<DenyList>,
}

/// Checks that message 2 comes from a host of the practice whose certificate was not withdrawn.
fn check_host(link: &InvitationLink, fields: &wire::ChallengeHead<'_>, now: u64) -> Result<TrustedHost, IdentityError> {
    let mut practice = link.practice.fingerprint();
    if !fields.succession.is_empty() {
        practice = PracticeSuccession::decode(fields.succession)?.verify(&practice)?.fingerprint();
    }
    let deny = match fields.deny_list {
        [] if link.least_deny_list == 0 => None,
        [] => return Err(IdentityError::StaleDenyList),
        bytes => {
            let list = DenyList::decode(bytes)?;
            list.verify(&practice, now, link.least_deny_list)?;
            Some(list)
        }
    };
    let credential = LeafCredential::decode(fields.host_credential)?;
    credential.verify_in_group(&practice, now, &fields.host_leaf_key, fields.group_id)?;
    if credential.is_denied(deny.as_ref()) {
        return Err(IdentityError::Denied);
    }
    match credential {
        LeafCredential::Staff { role: CallRole::Host, certificate, .. } => {
            Ok(TrustedHost { name: certificate.display_name().to_owned(), practice, deny })
        }
        _ => Err(IdentityError::BadTerms),
    }
}
