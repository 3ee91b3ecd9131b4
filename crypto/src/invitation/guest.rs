//! The guest's steps: → 1, 2 → 3, 4, → 5, Welcome → call.
//!
//! | operation | idle | knocked | answered | confirmed |
//! | --- | --- | --- | --- | --- |
//! | `knock` | → knocked | → knocked, anew | → knocked, anew | → knocked, anew |
//! | `on_challenge` | `OutOfOrder` | → answered, `AssessorMode`, or refused → idle | `OutOfOrder` | `OutOfOrder` |
//! | `accept_assessor` | `OutOfOrder` | once asked | `OutOfOrder` | `OutOfOrder` |
//! | `on_confirm` | `OutOfOrder` | `OutOfOrder` | → confirmed, or refused → idle | `OutOfOrder` |
//! | `card` | `OutOfOrder` | `OutOfOrder` | `OutOfOrder` | message 5 |
//! | `join` | `Inactive` | `Inactive` | `Inactive` | the call, or refused; → idle |

use std::fmt;

use openmls::prelude::KeyPackage;
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

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
    id::{CallMode, CallRole, GroupId},
    identity::{LeafCredential, SigningKey},
    kdf::MAC_LENGTH,
    mls::{
        CallGroup, Expected, Provider, SUITE, capabilities, credential_with_key, external_psk, join, lifetime, psk_id,
    },
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
}

/// The guest's side of an invitation; holds leaf key and key package of the current exchange.
pub struct GuestInvitation {
    link: InvitationLink,
    tries_left: u8,
    /// The guest was told that the call discloses its keys, and wants that.
    assessor_accepted: bool,
    host: Option<HostSummary>,
    phase: Phase,
}

enum Phase {
    Idle,
    Knocked { message1: Vec<u8>, head: Vec<u8>, leaf_key: SigningKey, prover: Box<Prover>, asked: bool },
    Answered(Box<Agreed>),
    Confirmed(Box<Agreed>),
}

/// What an exchange agreed on.
struct Agreed {
    provider: Provider,
    leaf_key: SigningKey,
    attempt: u32,
    key: InvitationKey,
    transcript: [u8; MAC_LENGTH],
    package: Vec<u8>,
    expected: Expected,
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
        let practice = self.link.practice.fingerprint();
        let name = host_name(fields, &practice, now).map_err(InvitationError::UntrustedHost)?;
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
        let (bytes, package) = new_package(&provider, &leaf_key, &credential)?;
        let tag = key.guest_tag(&transcript, &package)?;
        let attempt = fields.attempt;
        let message3 = wire::write_proof(self.link.invite_id, attempt, &ke3, &bytes, &tag);
        let expected = Expected {
            group_id: fields.group_id,
            host_leaf_key: fields.host_leaf_key,
            host_credential: fields.host_credential.to_vec(),
            practice,
            mode: fields.mode,
            psk_id: psk_id(self.link.invite_id, attempt),
        };
        self.host = Some(HostSummary { display_name: name, group_id: fields.group_id, role: fields.role });
        self.phase =
            Phase::Answered(Box::new(Agreed { provider, leaf_key, attempt, key, transcript, package, expected }));
        Ok(message3)
    }

    /// Message 4: the host confirmed transcript and key package.
    ///
    /// # Errors
    /// [`InvitationError::BadConfirmation`]: knock anew. [`InvitationError::Malformed`],
    /// [`InvitationError::OutOfOrder`], [`InvitationError::Backend`].
    pub fn on_confirm(&mut self, message4: &[u8]) -> Result<(), InvitationError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Answered(agreed) = phase else {
            self.phase = phase;
            return Err(InvitationError::OutOfOrder);
        };
        let (attempt, tag) = wire::read_confirm(self.link.invite_id, message4)?;
        let fits = agreed.key.accepts_host(&agreed.transcript, &agreed.package, tag)?;
        if !fits || attempt != agreed.attempt {
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
        card.seal(&agreed.key, self.link.invite_id, agreed.attempt)
    }

    /// Joins with the Welcome of the admission. `now` in Unix seconds.
    ///
    /// The joiner demands a GroupInfo signed by the host's leaf of the exchange, the group id,
    /// policy and mode that the host named, a roster of valid credentials, and exactly one
    /// pre-shared key: the one that only the two of them can know.
    ///
    /// # Errors
    /// [`GroupError::Inactive`] before the confirmation. After every other error the key package
    /// is burnt: knock anew.
    pub fn join(&mut self, now: u64, welcome: &[u8]) -> Result<CallGroup, GroupError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Confirmed(agreed) = phase else {
            self.phase = phase;
            return Err(GroupError::Inactive);
        };
        let Agreed { provider, leaf_key, attempt, key, package, expected, .. } = *agreed;
        let psk = key.external_psk(attempt, &package).map_err(|_failed| GroupError::Backend)?;
        external_psk(&provider, &expected.psk_id, &psk)?;
        join(provider, leaf_key, &expected, now, welcome)
    }
}

impl fmt::Debug for GuestInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Idle => "idle",
            Phase::Knocked { .. } => "knocked",
            Phase::Answered(_) => "answered",
            Phase::Confirmed(_) => "confirmed",
        };
        write!(f, "GuestInvitation({:?}, {phase})", self.link.invite_id)
    }
}

/// Checks that message 2 comes from a host of the practice; gives the name for people.
fn host_name(
    fields: &wire::ChallengeHead<'_>,
    practice: &crate::PracticeFingerprint,
    now: u64,
) -> Result<String, IdentityError> {
    let credential = LeafCredential::decode(fields.host_credential)?;
    credential.verify_in_group(practice, now, &fields.host_leaf_key, fields.group_id)?;
    match credential {
        LeafCredential::Staff { role: CallRole::Host, certificate, .. } => Ok(certificate.display_name().to_owned()),
        _ => Err(IdentityError::BadTerms),
    }
}

/// Makes the key package (RFC 9420 §10) and gives its bytes and its reference.
fn new_package(
    provider: &Provider,
    leaf_key: &SigningKey,
    credential: &LeafCredential,
) -> Result<(Vec<u8>, Vec<u8>), InvitationError> {
    let bundle = KeyPackage::builder()
        .key_package_lifetime(lifetime())
        .leaf_node_capabilities(capabilities())
        .build(SUITE, provider, leaf_key, credential_with_key(credential, leaf_key))
        .map_err(|_failed| InvitationError::Backend)?;
    let package = bundle.key_package();
    let bytes = package.tls_serialize_detached().map_err(|_failed| InvitationError::Backend)?;
    let reference = package.hash_ref(provider.crypto()).map_err(|_failed| InvitationError::Backend)?;
    Ok((bytes, reference.as_slice().to_vec()))
}
