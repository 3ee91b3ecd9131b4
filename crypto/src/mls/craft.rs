//! What an attacker with a library of its own would send. Only for tests (feature `lab`): none of
//! it changes what a client accepts, and a release client does not contain it.

use openmls::{
    extensions::{Extension, Extensions, RequiredCapabilitiesExtension},
    group::MlsGroup,
    prelude::{
        CommitMessageBundle, CredentialType, CredentialWithKey, ExtensionType, GroupContext, KeyPackage, LeafNodeIndex,
        LeafNodeParameters, MlsMessageBodyIn, MlsMessageIn, PreSharedKeyProposal, ProcessedMessageContent, Proposal,
    },
};
use openmls_traits::OpenMlsProvider as _;

use super::{
    group::{CallGroup, credential_with_key, external_psk},
    policy::Policy,
    profile::{POLICY_EXTENSION, Provider, SUITE, capabilities, group_extensions, join_config, lifetime},
};
use crate::{
    codec::read_tls,
    id::{CallMode, CallRole, InviteId, LeafIndex},
    identity::{DevicePublicKey, LeafCredential, SigningKey},
    invitation::VerifiedGuest,
    secret::Secret,
};

/// One forged step; [`craft`] makes the bytes.
#[derive(Debug)]
pub enum Crafted<'a> {
    /// An Add of a made-up guest, without a pre-shared key.
    AddStranger,
    /// An Add of a verified guest, without its pre-shared key.
    AddWithoutPsk(&'a VerifiedGuest),
    /// An Add of a verified guest under a key that everybody knows.
    AddWithOtherPsk(&'a VerifiedGuest),
    /// Two made-up guests at once.
    AddTwo,
    /// A Remove, whoever makes it.
    Remove(LeafIndex),
    /// Two at once.
    RemoveTwo(LeafIndex, LeafIndex),
    /// A path update and nothing else.
    Update,
    /// The same group with another list of hosts.
    ChangeHosts,
    /// The same group with these lists and this mode, and with a Remove beside it.
    ChangePolicy {
        /// The list of hosts.
        hosts: &'a [DevicePublicKey],
        /// The list of deputies.
        deputies: &'a [DevicePublicKey],
        /// The mode.
        mode: CallMode,
        /// Whom to remove.
        remove: Option<LeafIndex>,
    },
    /// The same group turned into one for assessors, or back.
    ChangeMode,
    /// The same group without its policy.
    DropPolicy,
    /// A path update with another credential.
    ChangeCredential,
    /// A path update with another signature key.
    ChangeKey,
    /// A proposal of its own.
    Proposal(LeafIndex),
}

/// Makes `member` write a message that its own client would never write: a commit, or for
/// [`Crafted::Proposal`] a proposal. The member's state stays as it was.
///
/// # Panics
/// If OpenMLS refuses to write it; the test is then about nothing.
#[must_use]
pub fn craft(member: &mut CallGroup, crafted: &Crafted<'_>) -> Vec<u8> {
    if let Crafted::Proposal(leaf) = crafted {
        let index = LeafNodeIndex::new(u32::from(leaf.as_u8()));
        let (message, _) = member
            .group
            .propose_remove_member(&member.provider, &member.leaf_key, index)
            .expect("OpenMLS writes a proposal");
        member.group.clear_pending_proposals(member.provider.storage()).expect("memory does not fail");
        return message.to_bytes().expect("a message that was just made encodes");
    }
    let bundle = commit(member, crafted);
    member.group.clear_pending_commit(member.provider.storage()).expect("memory does not fail");
    bundle.commit().to_bytes().expect("a commit that was just made encodes")
}

/// [`craft`] with bytes in the commit's authenticated data, where the others look for a proof.
///
/// # Panics
/// As [`craft`].
#[must_use]
pub fn craft_attached(member: &mut CallGroup, crafted: &Crafted<'_>, attached: &[u8]) -> Vec<u8> {
    member.group.set_aad(attached.to_vec());
    craft(member, crafted)
}

/// A stranger's external commit (RFC 9420 §12.4.3.2), made with a GroupInfo that a member leaked:
/// a PublicMessage that OpenMLS would accept.
///
/// # Panics
/// If OpenMLS refuses to write it.
#[must_use]
pub fn external_commit(leak: &CallGroup) -> Vec<u8> {
    let info = leak
        .group
        .export_group_info(leak.provider.crypto(), &leak.leaf_key, true)
        .expect("a member can export its group's info")
        .to_bytes()
        .expect("a group info encodes");
    let info: MlsMessageIn = read_tls(&info).expect("it was just encoded");
    let MlsMessageBodyIn::GroupInfo(info) = info.extract() else { panic!("a group info was exported") };
    let provider = Provider::default();
    let (leaf_key, credential) = stranger();
    let parameters = LeafNodeParameters::builder().with_capabilities(capabilities()).build();
    let (_, bundle) = MlsGroup::external_commit_builder()
        .with_config(join_config())
        .skip_lifetime_validation()
        .build_group(&provider, info, credential)
        .expect("OpenMLS builds a group from a group info")
        .leaf_node_parameters(parameters)
        .load_psks(provider.storage())
        .expect("there are no keys to load")
        .build(provider.rand(), provider.crypto(), &leaf_key, |_| true)
        .expect("OpenMLS builds an external commit")
        .finalize(&provider)
        .expect("OpenMLS finishes an external commit");
    bundle.commit().to_bytes().expect("a commit that was just made encodes")
}

/// An application message with a content of any kind, sealed by a member.
///
/// # Panics
/// If OpenMLS refuses to write it.
#[must_use]
pub fn raw_application(member: &mut CallGroup, content: &[u8]) -> Vec<u8> {
    member
        .group
        .create_message(&member.provider, &member.leaf_key, content)
        .expect("an active member can write")
        .to_bytes()
        .expect("a message encodes")
}

/// Whether OpenMLS itself, without our intake, would stage these bytes. Shows what the rules are
/// for.
#[must_use]
pub fn openmls_accepts(member: &mut CallGroup, bytes: &[u8]) -> bool {
    let Some(message) = read_tls::<MlsMessageIn>(bytes) else { return false };
    let Ok(message) = message.try_into_protocol_message() else { return false };
    member.group.process_message(&member.provider, message).is_ok()
}

/// The fork of a guest who works with the server: from a host's bundle that nobody else was given it takes the next
/// guest's key package and pre-shared key, commits the Add itself, and gives the Welcome. The member's state stays as it
/// was, but for the bundle's keys, which are used up.
///
/// # Panics
/// If the bundle is not an honest one of this group's host.
#[must_use]
pub fn fork(member: &mut CallGroup, commit: &[u8], invite_psk: &[u8]) -> Vec<u8> {
    let (_, psk) = member.take_psk(invite_psk).expect("the bundle is honest").expect("it is another's");
    let message = read_tls::<MlsMessageIn>(commit).expect("the bundle is honest");
    let message = message.try_into_protocol_message().expect("a commit is a protocol message");
    let processed = member.group.process_message(&member.provider, message).expect("the bundle is honest");
    let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
        panic!("a bundle holds a commit")
    };
    let add = staged.add_proposals().next().expect("a bundle with a key adds a guest");
    let package = add.add_proposal().key_package().clone();
    let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
    let (_, welcome) = member.commit_padded(&package, Some(&proposal), None, &[]).expect("OpenMLS commits");
    member.group.clear_pending_commit(member.provider.storage()).expect("memory does not fail");
    welcome
}

/// A guest's own Add of `guest` with the key that the host's bundle brought: the Welcome of a
/// fork that the server would pass on.
#[cfg(test)]
pub(crate) fn fork_with(member: &mut CallGroup, guest: &VerifiedGuest, invite_psk: &[u8]) -> Vec<u8> {
    let (_, psk) = member.take_psk(invite_psk).expect("the bundle is honest").expect("it is another's");
    let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
    let add = guest.key_package();
    let (_, welcome) = member.commit_padded(add, Some(&proposal), None, &[]).expect("OpenMLS commits");
    welcome
}

/// A host's Remove and Add in one commit, with any proof beside it.
#[cfg(test)]
pub(super) fn return_with(
    member: &mut CallGroup,
    guest: &VerifiedGuest,
    remove: LeafIndex,
    attached: &super::attached::Attached,
) -> super::Bundle {
    let id = guest.psk_id();
    let content = [&(id.len() as u16).to_be_bytes(), &id[..], guest.psk().expose()].concat();
    let invite_psk = member.seal_kind(super::group::KIND_INVITE_PSK, &content).expect("an active member can write");
    let psk = external_psk(&member.provider, &id, guest.psk()).expect("memory does not fail");
    let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
    let remove = Some(LeafNodeIndex::new(u32::from(remove.as_u8())));
    let add = guest.key_package();
    let made = member.commit_padded(add, Some(&proposal), remove, &attached.encode());
    let (commit, welcome) = made.expect("OpenMLS commits");
    member.group.clear_pending_commit(member.provider.storage()).expect("memory does not fail");
    super::Bundle { epoch: member.epoch(), commit, welcome: Some(welcome), invite_psk: Some(invite_psk) }
}

/// Anybody's Add of a staff device: the Welcome of a fork.
#[cfg(test)]
pub(crate) fn fork_with_staff(member: &mut CallGroup, request: &[u8]) -> Vec<u8> {
    let read = super::package::read_package(request).expect("the request is honest");
    let (_, welcome) = member.commit_padded(&read.package, None, None, &[]).expect("OpenMLS commits");
    welcome
}

/// The Welcome of an Add by a host that turned the group's mode with it.
#[cfg(test)]
pub(crate) fn welcome_in_other_mode(member: &mut CallGroup, guest: &VerifiedGuest) -> Vec<u8> {
    let policy = in_other_mode(member.policy.clone());
    welcome_under(member, guest, None, &policy)
}

/// The Welcome of a lost guest's return by staff that put itself on the list of hosts with it.
#[cfg(test)]
pub(crate) fn welcome_of_new_host(
    member: &mut CallGroup,
    guest: &VerifiedGuest,
    old: LeafIndex,
    host: DevicePublicKey,
) -> Vec<u8> {
    let policy = Policy { hosts: vec![host], ..member.policy.clone() };
    welcome_under(member, guest, Some(old), &policy)
}

#[cfg(test)]
fn welcome_under(member: &mut CallGroup, guest: &VerifiedGuest, old: Option<LeafIndex>, policy: &Policy) -> Vec<u8> {
    let psk = external_psk(&member.provider, &guest.psk_id(), guest.psk()).expect("memory does not fail");
    let extensions = group_extensions(policy);
    let extensions = Extensions::<GroupContext>::from_vec(extensions).expect("they are valid in a group");
    let builder = member.group.commit_builder().propose_adds([guest.key_package().clone()]);
    let bundle = builder
        .propose_removals(old.map(|old| LeafNodeIndex::new(u32::from(old.as_u8()))))
        .add_proposal(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk))))
        .propose_group_context_extensions(extensions)
        .expect("the builder takes any")
        .load_psks(member.provider.storage())
        .expect("the key is there")
        .use_ratchet_tree_extension(true)
        .create_group_info(true)
        .build(member.provider.rand(), member.provider.crypto(), &member.leaf_key, |_| true)
        .expect("OpenMLS builds the commit")
        .stage_commit(&member.provider)
        .expect("OpenMLS stages the commit");
    member.group.clear_pending_commit(member.provider.storage()).expect("memory does not fail");
    let welcome = bundle.to_welcome_msg().expect("there is an Add");
    welcome.to_bytes().expect("a welcome encodes")
}

fn in_other_mode(policy: Policy) -> Policy {
    let mode = if policy.mode == CallMode::Real { CallMode::Assessor } else { CallMode::Real };
    Policy { mode, ..policy }
}

fn commit(member: &mut CallGroup, crafted: &Crafted<'_>) -> CommitMessageBundle {
    let policy = member.policy.clone();
    let mut adds: Vec<KeyPackage> = Vec::new();
    let mut proposals = Vec::new();
    let mut removals = Vec::new();
    let mut extensions: Option<Vec<Extension>> = None;
    let mut parameters = LeafNodeParameters::default();
    let mut new_key = None;
    match crafted {
        Crafted::AddStranger => adds.push(stranger_package()),
        Crafted::AddTwo => adds.extend([stranger_package(), stranger_package()]),
        Crafted::AddWithoutPsk(guest) => adds.push(guest.key_package().clone()),
        Crafted::AddWithOtherPsk(guest) => {
            adds.push(guest.key_package().clone());
            let known = Secret::from_slice(&[0; 32]).expect("32 bytes");
            let id = external_psk(&member.provider, b"inv/known", &known).expect("memory does not fail");
            proposals.push(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id))));
        }
        Crafted::Remove(leaf) => removals.push(LeafNodeIndex::new(u32::from(leaf.as_u8()))),
        Crafted::RemoveTwo(one, other) => {
            removals.extend([one, other].map(|leaf| LeafNodeIndex::new(u32::from(leaf.as_u8()))));
        }
        Crafted::Update => {}
        Crafted::ChangeHosts => {
            let hosts = vec![DevicePublicKey::from_bytes([7; 32])];
            extensions = Some(group_extensions(&Policy { hosts, ..policy }));
        }
        Crafted::ChangePolicy { hosts, deputies, mode, remove } => {
            let (hosts, deputies) = (hosts.to_vec(), deputies.to_vec());
            extensions = Some(group_extensions(&Policy { hosts, deputies, mode: *mode, ..policy }));
            removals.extend(remove.map(|leaf| LeafNodeIndex::new(u32::from(leaf.as_u8()))));
        }
        Crafted::ChangeMode => extensions = Some(group_extensions(&in_other_mode(policy))),
        Crafted::DropPolicy => {
            extensions = Some(vec![Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
                &[ExtensionType::Unknown(POLICY_EXTENSION)],
                &[],
                &[CredentialType::Basic],
            ))]);
        }
        Crafted::ChangeCredential => {
            let credential = credential_with_key(&invited([9; 16], member.leaf_key.public()), &member.leaf_key);
            parameters = LeafNodeParameters::builder().with_credential_with_key(credential).build();
        }
        Crafted::ChangeKey => new_key = Some(SigningKey::generate().expect("there are random bytes")),
        Crafted::Proposal(_) => unreachable!("a proposal is no commit"),
    }
    let mut builder = member
        .group
        .commit_builder()
        .propose_adds(adds)
        .propose_removals(removals)
        .add_proposals(proposals)
        .force_self_update(true)
        .leaf_node_parameters(parameters);
    if let Some(extensions) = extensions {
        let extensions = Extensions::<GroupContext>::from_vec(extensions).expect("they are valid in a group");
        builder = builder.propose_group_context_extensions(extensions).expect("the builder takes any");
    }
    let loaded = builder.load_psks(member.provider.storage()).expect("the keys are there");
    let (rand, crypto) = (member.provider.rand(), member.provider.crypto());
    let built = match &new_key {
        None => loaded.build(rand, crypto, &member.leaf_key, |_| true),
        Some(new_key) => {
            let old = member.policy.hosts.first().map(|_| invited([8; 16], new_key.public()));
            let credential = credential_with_key(&old.expect("a group has a host"), new_key);
            let signer = openmls::prelude::NewSignerBundle { signer: new_key, credential_with_key: credential };
            loaded.build_with_new_signer(rand, crypto, &member.leaf_key, signer, |_| true)
        }
    };
    built.expect("OpenMLS builds the commit").stage_commit(&member.provider).expect("OpenMLS stages the commit")
}

fn stranger() -> (SigningKey, CredentialWithKey) {
    let leaf_key = SigningKey::generate().expect("there are random bytes");
    let id = leaf_key.public().first_chunk().copied().unwrap_or_default();
    let credential = credential_with_key(&invited(id, leaf_key.public()), &leaf_key);
    (leaf_key, credential)
}

fn invited(id: [u8; 16], leaf_key: &[u8; 32]) -> LeafCredential {
    let binder_key = Secret::from_slice(&[0; 32]).expect("32 bytes");
    let group_id = crate::id::GroupId::from_bytes([0; 16]);
    LeafCredential::invited(&binder_key, InviteId::from_bytes(id), 1, CallRole::Patient, leaf_key, group_id)
}

fn stranger_package() -> KeyPackage {
    let (leaf_key, credential) = stranger();
    KeyPackage::builder()
        .key_package_lifetime(lifetime())
        .leaf_node_capabilities(capabilities())
        .build(SUITE, &Provider::default(), &leaf_key, credential)
        .expect("OpenMLS builds a key package")
        .into_key_package()
}
