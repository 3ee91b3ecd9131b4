//! What every member checks of every commit before it is merged: pure, no I/O and no secrets.
//!
//! | a commit with | by | needs |
//! | --- | --- | --- |
//! | a path update alone | anybody | the same key and credential |
//! | Remove of one leaf | anybody | that leaf's signed leave request |
//! | Remove of any leaves | a host | nothing |
//! | one Add | a host | a credential that verifies; for a guest its pre-shared key |
//! | one Add and the Remove of the same identity | a host | that, and a proof of return |
//! | a new list of hosts | a host | names of hosts and deputies only |
//! | a new list of hosts alone | a deputy in a host's role | the old list with its own device at the end |
//! | anything else | nobody | |
//!
//! "Host" is whoever the policy **before** the commit names.

use openmls::{
    group::{QueuedProposal, StagedCommit},
    prelude::{LeafNode, PreSharedKeyProposal, Proposal, ProposalOrRefType, Sender},
    schedule::{PreSharedKeyId, Psk},
};
use openmls_rust_crypto::RustCrypto;
use tls_codec::Serialize as _;

use super::{
    attached::Attached,
    policy::{Leaf, Policy, check_credential, psk_id, same_identity},
};
use crate::{
    MAX_MEMBERS,
    codec::read_tls,
    error::PolicyViolation,
    id::{GroupId, LeafIndex},
    identity::{DenyList, LeafCredential},
};

/// The group that a staged commit would change.
pub(super) struct Before<'a> {
    pub(super) policy: &'a Policy,
    pub(super) group_id: GroupId,
    pub(super) leaves: &'a [Leaf],
    pub(super) epoch: u64,
    pub(super) now: u64,
    /// What this client knows of withdrawn certificates.
    pub(super) deny: Option<&'a DenyList>,
    pub(super) crypto: &'a RustCrypto,
}

/// What travelled with a commit.
pub(super) struct Beside<'a> {
    /// The member who sent the pre-shared key beside it.
    pub(super) brought_by: Option<LeafIndex>,
    /// Its authenticated data.
    pub(super) attached: &'a [u8],
}

/// Checks a staged commit against every rule; gives the policy of the new epoch.
pub(super) fn check_commit(
    before: &Before<'_>,
    sender: &Sender,
    commit: &StagedCommit,
    beside: &Beside<'_>,
) -> Result<Policy, PolicyViolation> {
    let Sender::Member(sender_index) = sender else {
        return Err(PolicyViolation::ExternalCommit);
    };
    let committer = before.leaves.iter().find(|leaf| is_at(leaf, sender_index.u32()));
    let committer = committer.ok_or(PolicyViolation::ExternalCommit)?;
    let by_host = before.policy.is_host(committer);
    let attached = Attached::read(beside.attached).ok_or(PolicyViolation::BadProof)?;
    let leaver = match &attached {
        Attached::Nothing | Attached::Return(_) => None,
        Attached::Leave(request) => {
            let leaver = request.leaver(before.group_id, before.epoch, before.leaves);
            Some(u32::from(leaver.ok_or(PolicyViolation::BadProof)?.as_u8()))
        }
    };
    // The request allows the Remove of its own leaf and nothing beside it.
    if leaver.is_some() && commit.queued_proposals().count() != 1 {
        return Err(PolicyViolation::BadProof);
    }
    // That the host was lost cannot be proven: a deputy's word does, for this one step alone.
    let stepped_in = before.policy.stepped_in(committer).filter(|_| leaver.is_none() && is_only_a_policy(commit));

    for queued in commit.queued_proposals() {
        let own = queued.sender() == sender;
        let by_value = matches!(queued.proposal_or_ref_type(), ProposalOrRefType::Proposal);
        match queued.proposal() {
            _ if !own || !by_value => return Err(PolicyViolation::StandaloneProposal),
            Proposal::Remove(remove) if leaver.is_some() => {
                if leaver != Some(remove.removed().u32()) {
                    return Err(PolicyViolation::BadProof);
                }
            }
            // `check_policy` looks at what it changes.
            Proposal::GroupContextExtensions(_) if stepped_in.is_some() => {}
            Proposal::Add(_)
            | Proposal::Remove(_)
            | Proposal::PreSharedKey(_)
            | Proposal::GroupContextExtensions(_) => {
                if !by_host {
                    return Err(PolicyViolation::NotAHost);
                }
            }
            _ => return Err(PolicyViolation::ForbiddenProposal),
        }
    }

    // RFC 9420 would let a path update change the leaf's identity; ours never changes.
    if let Some(leaf) = commit.update_path_leaf_node() {
        let same_key = leaf.signature_key().as_slice() == committer.key;
        let content = leaf.credential().serialized_content();
        let same_credential = LeafCredential::decode(content).as_ref() == Ok(&committer.credential);
        if !same_key || !same_credential || leaf.extensions().iter().next().is_some() {
            return Err(PolicyViolation::CredentialChanged);
        }
    }

    check_members(before, committer, commit, &attached, beside.brought_by)?;
    check_policy(before, by_host, stepped_in.as_ref(), commit)
}

fn is_only_a_policy(commit: &StagedCommit) -> bool {
    let mut proposals = commit.queued_proposals().map(QueuedProposal::proposal);
    matches!((proposals.next(), proposals.next()), (Some(Proposal::GroupContextExtensions(_)), None))
}

fn check_members(
    before: &Before<'_>,
    committer: &Leaf,
    commit: &StagedCommit,
    attached: &Attached,
    brought_by: Option<LeafIndex>,
) -> Result<(), PolicyViolation> {
    let removed: Vec<u32> = commit.remove_proposals().map(|queued| queued.remove_proposal().removed().u32()).collect();
    let (gone, stays): (Vec<_>, Vec<_>) =
        before.leaves.iter().partition(|leaf| removed.iter().any(|removed| is_at(leaf, *removed)));

    let mut psks = commit.psk_proposals().map(|queued| external_id(queued.psk_proposal()));
    let psk = psks.next();
    let mut adds = commit.add_proposals();
    let add = adds.next();
    if adds.next().is_some() || psks.next().is_some() {
        return Err(PolicyViolation::TooManyMembers);
    }
    let expected = match &add {
        None if matches!(attached, Attached::Return(_)) => return Err(PolicyViolation::BadProof),
        None => None,
        Some(add) => {
            let package = add.add_proposal().key_package();
            let leaf = add_leaf(package.leaf_node())?;
            let proven = match (gone.as_slice(), attached) {
                ([], Attached::Nothing) => true,
                ([old], Attached::Return(proof)) => {
                    let reference = package.hash_ref(before.crypto).map_err(|_failed| PolicyViolation::BadProof)?;
                    proof.holds(before.group_id, old, &leaf, reference.as_slice())
                }
                _ => false,
            };
            if !proven {
                return Err(PolicyViolation::BadProof);
            }
            check_credential(before.policy, before.group_id, before.now, before.deny, &leaf)?;
            let twice =
                stays.iter().any(|other| other.key == leaf.key || same_identity(&other.credential, &leaf.credential));
            if twice {
                return Err(PolicyViolation::DuplicateIdentity);
            }
            if stays.len() + 1 > MAX_MEMBERS {
                return Err(PolicyViolation::TooManyMembers);
            }
            match leaf.credential {
                LeafCredential::Invited { invite_id, attempt, .. } => Some(psk_id(invite_id, attempt)),
                LeafCredential::Staff { .. } => None,
            }
        }
    };
    let found = psk.transpose()?;
    // The key beside the commit must come from the committer itself.
    let brought = brought_by.is_none_or(|sender| sender == committer.index);
    if found == expected && brought { Ok(()) } else { Err(PolicyViolation::WrongPsk) }
}

/// `stepped_in` is the one policy that a deputy's commit may make; all others keep to the list.
fn check_policy(
    before: &Before<'_>,
    by_host: bool,
    stepped_in: Option<&Policy>,
    commit: &StagedCommit,
) -> Result<Policy, PolicyViolation> {
    let after = Policy::of_group(commit.group_context()).map_err(|_refused| PolicyViolation::PolicyChanged)?;
    let same_but_hosts = Policy { hosts: before.policy.hosts.clone(), ..after.clone() };
    let same_group = commit.group_context().group_id().as_slice() == before.group_id.as_bytes();
    let allowed = match stepped_in {
        Some(expected) => after.hosts == expected.hosts,
        None if by_host => before.policy.allows_hosts(&after.hosts),
        None => after.hosts == before.policy.hosts,
    };
    if same_but_hosts != *before.policy || !allowed || !same_group {
        return Err(PolicyViolation::PolicyChanged);
    }
    Ok(after)
}

fn add_leaf(node: &LeafNode) -> Result<Leaf, PolicyViolation> {
    let key = node.signature_key().as_slice().try_into();
    let credential = LeafCredential::decode(node.credential().serialized_content());
    if node.extensions().iter().next().is_some() {
        return Err(PolicyViolation::BadCredential);
    }
    Ok(Leaf {
        // The index is not known before the merge; no rule here uses it.
        index: LeafIndex::new(0).ok_or(PolicyViolation::TooManyMembers)?,
        key: key.map_err(|_length| PolicyViolation::BadCredential)?,
        credential: credential.map_err(|_malformed| PolicyViolation::BadCredential)?,
    })
}

/// The id of an external pre-shared key. OpenMLS keeps the field to itself, but the proposal's
/// encoding (RFC 9420 §12.1.4) is that of the id alone.
fn external_id(proposal: &PreSharedKeyProposal) -> Result<Vec<u8>, PolicyViolation> {
    let bytes = proposal.tls_serialize_detached().map_err(|_failed| PolicyViolation::WrongPsk)?;
    let id: PreSharedKeyId = read_tls(&bytes).ok_or(PolicyViolation::WrongPsk)?;
    match id.psk() {
        Psk::External(external) => Ok(external.psk_id().to_vec()),
        _ => Err(PolicyViolation::WrongPsk),
    }
}

fn is_at(leaf: &Leaf, index: u32) -> bool {
    u32::from(leaf.index.as_u8()) == index
}
