//! Joining by a Welcome (RFC 9420 §12.4.3.1), and what the joiner demands of it.

use openmls::group::JoinBuilder;
use openmls::{
    group::{MlsGroup, ProcessedWelcome, StagedWelcome},
    prelude::{MlsMessageBodyIn, MlsMessageIn},
    schedule::{PreSharedKeyId, Psk},
};

use super::{
    group::{CallGroup, refused},
    hosts::device_of,
    policy::{Policy, check_roster, leaves},
    profile::{Provider, SUITE, join_config},
};
use crate::{
    MAX_GROUP_MESSAGE,
    codec::read_tls,
    error::{GroupError, PolicyViolation},
    id::{CallId, CallMode, GroupId, LeafIndex},
    identity::{DenyList, DevicePublicKey, PracticeFingerprint, SigningKey},
};

/// What the exchange with the host promised: the Welcome must lead exactly there.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) group_id: GroupId,
    pub(crate) signer: Signer,
    pub(crate) practice: PracticeFingerprint,
    pub(crate) mode: CallMode,
    /// Where the joiner knows it by itself.
    pub(crate) call_id: Option<CallId>,
    /// What the host showed, or this device has.
    pub(crate) deny: Option<DenyList>,
    /// A guest's; staff joins without one.
    pub(crate) psk_id: Option<Vec<u8>>,
}

/// Whose GroupInfo the joiner takes.
#[derive(Clone)]
pub(crate) enum Signer {
    /// The host's leaf of the transcript.
    Leaf { key: [u8; 32], credential: Vec<u8> },
    /// A host with one of these devices: the guest comes back, and the host of the transcript may
    /// be lost.
    Device(Vec<DevicePublicKey>),
    /// Any host by the policy, certified by the practice.
    AnyHost,
}

/// Joins. The key package of `provider` is burnt by the attempt, whatever comes of it.
pub(crate) fn join(
    provider: Provider,
    leaf_key: SigningKey,
    expected: &Expected,
    now: u64,
    welcome: &[u8],
) -> Result<CallGroup, GroupError> {
    if welcome.len() > MAX_GROUP_MESSAGE {
        return Err(GroupError::TooLong);
    }
    let message: MlsMessageIn = read_tls(welcome).ok_or(GroupError::Malformed)?;
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        return Err(GroupError::Malformed);
    };
    if welcome.ciphersuite() != SUITE {
        return Err(refused(PolicyViolation::PolicyChanged));
    }
    let processed = ProcessedWelcome::new_from_welcome(&provider, &join_config(), welcome)
        .map_err(|_refused| GroupError::Undecryptable)?;
    if !is_exactly(processed.psks(), expected.psk_id.as_deref()) {
        return Err(refused(PolicyViolation::WrongPsk));
    }
    let info = processed.unverified_group_info();
    if info.group_id().as_slice() != expected.group_id.as_bytes() {
        return Err(refused(PolicyViolation::WrongGroup));
    }
    // Lifetimes: see `profile::lifetime`.
    let staged = JoinBuilder::new(&provider, processed)
        .skip_lifetime_validation()
        .build()
        .map_err(|_refused| GroupError::Undecryptable)?;
    let policy = check(&staged, expected, now)?;
    let group: MlsGroup = staged.into_group(&provider).map_err(|_failed| GroupError::Backend)?;
    let mut call = CallGroup::start(provider, group, leaf_key, expected.group_id, policy);
    call.deny.clone_from(&expected.deny);
    if let Some(id) = &expected.psk_id {
        call.forget_psk(&super::inbound::stored_psk(id))?;
    }
    Ok(call)
}

fn check(staged: &StagedWelcome, expected: &Expected, now: u64) -> Result<Policy, GroupError> {
    let policy = Policy::of_group(staged.group_context()).map_err(refused)?;
    if policy.practice != expected.practice {
        return Err(refused(PolicyViolation::BadPolicy));
    }
    if expected.call_id.is_some_and(|call_id| call_id != policy.call_id) {
        return Err(refused(PolicyViolation::BadPolicy));
    }
    if policy.mode != expected.mode {
        return Err(refused(PolicyViolation::WrongMode));
    }
    let leaves = leaves(staged.members()).map_err(refused)?;
    check_roster(&policy, expected.group_id, now, expected.deny.as_ref(), &leaves).map_err(refused)?;
    LeafIndex::new(staged.own_leaf_index().u32()).ok_or_else(|| refused(PolicyViolation::TooManyMembers))?;

    // The GroupInfo's signature was verified against this leaf. It must be the host of the
    // transcript: otherwise a guest could fork the group with the server and add the next guest.
    // For one that comes back, a device that may host by the policy that it had joined under.
    let signer = staged.welcome_sender().map_err(|_missing| GroupError::Undecryptable)?;
    let index = staged.welcome_sender_index().u32();
    let host = leaves.iter().find(|leaf| u32::from(leaf.index.as_u8()) == index);
    let same_leaf = match &expected.signer {
        Signer::AnyHost => true,
        Signer::Device(devices) => {
            host.and_then(|leaf| device_of(&leaf.credential)).is_some_and(|device| devices.contains(&device))
        }
        Signer::Leaf { key, credential } => {
            signer.signature_key().as_slice() == key && signer.credential().serialized_content() == credential
        }
    };
    if !same_leaf || !host.is_some_and(|leaf| policy.is_host(leaf)) {
        return Err(refused(PolicyViolation::WrongSigner));
    }
    Ok(policy)
}

fn is_exactly(psks: &[PreSharedKeyId], expected: Option<&[u8]>) -> bool {
    match (psks, expected) {
        ([], None) => true,
        ([psk], Some(expected)) => matches!(psk.psk(), Psk::External(psk) if psk.psk_id() == expected),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use openmls::schedule::ExternalPsk;
    use openmls_traits::OpenMlsProvider as _;

    use super::*;

    #[test]
    fn a_guest_takes_exactly_its_own_pre_shared_key_and_staff_takes_none() {
        let psk = |id: &[u8]| {
            let external = Psk::External(ExternalPsk::new(id.to_vec()));
            PreSharedKeyId::new(SUITE, Provider::default().rand(), external).unwrap()
        };
        let (ours, other) = (psk(b"ours"), psk(b"other"));
        assert!(is_exactly(std::slice::from_ref(&ours), Some(b"ours")));
        assert!(is_exactly(&[], None));
        assert!(!is_exactly(&[], Some(b"ours")));
        assert!(!is_exactly(std::slice::from_ref(&other), Some(b"ours")));
        assert!(!is_exactly(std::slice::from_ref(&other), None));
        assert!(!is_exactly(&[ours, other], Some(b"ours")));
    }
}
