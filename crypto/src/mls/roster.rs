//! What a group says about itself: the roster on screen is this one.

use super::{group::CallGroup, hosts::device_of};
use crate::{
    error::GroupError,
    id::{CallId, CallMode, CallRole, GroupId, LeafIndex},
    identity::{DeviceCertificate, DevicePublicKey, LeafCredential, PracticeFingerprint},
    kdf::hash,
    safety_words::SafetyScope,
};

/// Who vouches for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouched {
    /// The practice certified the device.
    Practice,
    /// The host's invitation: link and code were proved to the host.
    Invitation,
}

/// One line of the roster, read from the ratchet tree: whoever stands in it holds keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Place in the tree.
    pub leaf: LeafIndex,
    /// From the credential.
    pub role: CallRole,
    /// From the certificate. A guest's name travels only inside messages.
    pub name: Option<String>,
    /// Who vouches.
    pub vouched: Vouched,
    /// The certified device of staff.
    pub device: Option<DevicePublicKey>,
    /// Whether it may commit as a host now.
    pub hosts: bool,
    /// Whether it does not host yet, but may [step in](CallGroup::step_in) at any time: staff in a
    /// host's role, with the device of a deputy.
    pub deputy: bool,
    /// Ed25519 key of the leaf: names the member within the call.
    pub signature_key: [u8; 32],
    /// Whether it is this client.
    pub own: bool,
}

impl CallGroup {
    /// Whether this client still is a member in good standing.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.over && self.group.is_active()
    }

    /// The group's id.
    #[must_use]
    pub fn group_id(&self) -> GroupId {
        self.group_id
    }

    /// The consultation's id, from the policy.
    #[must_use]
    pub fn call_id(&self) -> CallId {
        self.policy.call_id
    }

    /// The mode, from the policy.
    #[must_use]
    pub fn mode(&self) -> CallMode {
        self.policy.mode
    }

    /// The practice that vouches for staff, from the policy.
    #[must_use]
    pub fn practice(&self) -> PracticeFingerprint {
        self.policy.practice
    }

    /// The current epoch: commits since the creation.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// This client's place in the tree.
    ///
    /// # Panics
    /// Never: a group with a leaf from 16 on is neither created nor joined.
    #[must_use]
    pub fn own_leaf(&self) -> LeafIndex {
        LeafIndex::new(self.group.own_leaf_index().u32())
            .expect("creating and joining refuse leaves from 16 on, and the index never changes")
    }

    /// Who holds keys, by leaf.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let own = self.own_leaf();
        let leaves = self.leaves().unwrap_or_default();
        let member = |leaf: super::policy::Leaf| {
            let (name, vouched) = match &leaf.credential {
                LeafCredential::Staff { certificate, .. } => {
                    (Some(certificate.display_name().to_owned()), Vouched::Practice)
                }
                LeafCredential::Invited { .. } => (None, Vouched::Invitation),
            };
            Member {
                leaf: leaf.index,
                role: leaf.credential.role(),
                name,
                vouched,
                device: device_of(&leaf.credential),
                hosts: self.policy.is_host(&leaf),
                deputy: self.policy.stepped_in(&leaf).is_some(),
                signature_key: leaf.key,
                own: leaf.index == own,
            }
        };
        leaves.into_iter().map(member).collect()
    }

    /// The certificate of the staff device at a leaf, as it was checked when that leaf came in; it
    /// may have expired since. `None` for a guest's leaf and an empty one.
    #[must_use]
    pub fn certificate_of(&self, leaf: LeafIndex) -> Option<DeviceCertificate> {
        let member = self.leaves().ok()?.into_iter().find(|member| member.index == leaf)?;
        match member.credential {
            LeafCredential::Staff { certificate, .. } => Some(*certificate),
            LeafCredential::Invited { .. } => None,
        }
    }

    /// Hash of the epoch authenticator (RFC 9420 §8.7): equal at all members of an epoch, other
    /// in every other epoch or fork.
    #[must_use]
    pub fn authenticator(&self) -> [u8; 48] {
        hash("authenticator", &[self.group.epoch_authenticator().as_slice()])
    }

    /// What a spoken check pins: epoch, authenticator and roster.
    #[must_use]
    pub fn safety_scope(&self) -> SafetyScope {
        let identity = |leaf: super::policy::Leaf| (leaf.index, [&leaf.key[..], &leaf.credential.encode()].concat());
        SafetyScope {
            epoch: self.epoch(),
            authenticator: self.authenticator(),
            own: self.own_leaf(),
            members: self.leaves().unwrap_or_default().into_iter().map(identity).collect(),
        }
    }

    /// The own leaf as a host shows it to a knocking guest: credential and signature key.
    pub(crate) fn host_leaf(&self) -> Result<(Vec<u8>, [u8; 32]), GroupError> {
        self.ready()?;
        let leaves = self.leaves()?;
        let own = leaves.iter().find(|leaf| leaf.index == self.own_leaf());
        let own = own.filter(|leaf| self.policy.is_host(leaf)).ok_or(GroupError::NotAHost)?;
        let member = self.own_member().ok_or(GroupError::NoSuchMember)?;
        Ok((member.credential.serialized_content().to_vec(), own.key))
    }
}
