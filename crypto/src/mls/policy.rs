//! What a group is: its policy, its leaves, and who among them may do what.
//!
//! The policy stands in the GroupContext, so every member's key schedule depends on it:
//!
//! ```text
//! profile u16 | suite u16 | call id 16 | practice fingerprint 20 | flags u8 (1 = assessor)
//! | hosts u8 × device key 32 | deputies u8 × device key 32
//! ```
//!
//! The profile fixes who may commit what: hosts commit Add, Remove, pre-shared keys and the list
//! of hosts; everybody else commits its own path update, and the Remove of a member whose signed
//! leave request goes with it. A deputy that is in the call in a host's role has one right more: to
//! put its own device at the end of the list of hosts, in a commit that does nothing else. That the
//! host was lost cannot be proven to a group, so a deputy need not: whoever names one trusts it as
//! a host. There are no external senders. `rules.rs` checks all of it on every commit.

use openmls::{
    group::{GroupContext, Member},
    prelude::{Extension, ProtocolVersion},
};

use super::profile::{POLICY_EXTENSION, SUITE, group_extensions};
use crate::{
    MAX_MEMBERS, PROFILE_VERSION,
    codec::{Reader, Write},
    error::PolicyViolation,
    id::{CallId, CallMode, CallRole, GroupId, InviteId, LeafIndex},
    identity::{DenyList, DevicePublicKey, LeafCredential, PracticeFingerprint},
};

/// Most hosts, and most deputies, of a call.
const MAX_LIST: u8 = 16;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) call_id: CallId,
    pub(crate) practice: PracticeFingerprint,
    pub(crate) mode: CallMode,
    pub(crate) hosts: Vec<DevicePublicKey>,
    pub(crate) deputies: Vec<DevicePublicKey>,
}

impl Policy {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u16(PROFILE_VERSION);
        bytes.put_u16(SUITE as u16);
        bytes.put(self.call_id.as_bytes());
        bytes.put(self.practice.as_bytes());
        bytes.put_u8(self.mode as u8);
        for list in [&self.hosts, &self.deputies] {
            bytes.put_u8(list.len() as u8);
            list.iter().for_each(|device| bytes.put(device.as_bytes()));
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION || reader.u16()? != SUITE as u16 {
            return None;
        }
        let call_id = CallId::from_bytes(reader.array()?);
        let practice = PracticeFingerprint::from_bytes(reader.array()?);
        let mode = CallMode::from_byte(reader.u8()?).ok()?;
        let mut list = || {
            let count = reader.u8().filter(|count| *count <= MAX_LIST)?;
            (0..count).map(|_| reader.array().map(DevicePublicKey::from_bytes)).collect::<Option<Vec<_>>>()
        };
        let (hosts, deputies) = (list()?, list()?);
        reader.end()?;
        let policy = Self { call_id, practice, mode, hosts, deputies };
        policy.is_in_bounds().then_some(policy)
    }

    /// At least one host, at most 16 hosts and 16 deputies, none twice in its list.
    pub(super) fn is_in_bounds(&self) -> bool {
        let bounded = |list: &[DevicePublicKey]| {
            list.len() <= usize::from(MAX_LIST)
                && list.iter().enumerate().all(|(at, device)| !list.iter().skip(at + 1).any(|other| other == device))
        };
        !self.hosts.is_empty() && bounded(&self.hosts) && bounded(&self.deputies)
    }

    /// Whether a host may turn the list of hosts into this one: of hosts and deputies only.
    pub(super) fn allows_hosts(&self, hosts: &[DevicePublicKey]) -> bool {
        hosts.iter().all(|device| self.hosts.contains(device) || self.deputies.contains(device))
    }

    /// Reads the policy of a group and refuses every extension that the profile does not know.
    pub(super) fn of_group(context: &GroupContext) -> Result<Self, PolicyViolation> {
        if context.ciphersuite() != SUITE || context.protocol_version() != ProtocolVersion::Mls10 {
            return Err(PolicyViolation::PolicyChanged);
        }
        let extensions = context.extensions();
        let policy = extensions.unknown(POLICY_EXTENSION).and_then(|bytes| Self::decode(&bytes.0));
        let policy = policy.ok_or(PolicyViolation::BadPolicy)?;
        let expected: Vec<Extension> = group_extensions(&policy);
        let same = extensions.iter().count() == expected.len()
            && expected.iter().all(|wanted| extensions.iter().any(|found| found == wanted));
        if !same {
            return Err(PolicyViolation::BadPolicy);
        }
        Ok(policy)
    }

    /// Whether a leaf may commit as a host: staff, in that role, with a device on the list.
    pub(super) fn is_host(&self, leaf: &Leaf) -> bool {
        hosting_device(leaf).is_some_and(|device| self.hosts.contains(&device))
    }

    /// The policy that a deputy's leaf may make of this one: its own device at the end of the list
    /// of hosts. `None` for a leaf that hosts already, is no deputy's, or is not in a host's role.
    pub(super) fn stepped_in(&self, leaf: &Leaf) -> Option<Self> {
        let device = hosting_device(leaf)?;
        let stands_by = self.deputies.contains(&device) && !self.hosts.contains(&device);
        stands_by.then(|| Self { hosts: [&self.hosts[..], &[device]].concat(), ..self.clone() })
    }
}

/// One member as its leaf describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) index: LeafIndex,
    pub(crate) key: [u8; 32],
    pub(crate) credential: LeafCredential,
}

/// The device of a staff leaf in a host's role.
fn hosting_device(leaf: &Leaf) -> Option<DevicePublicKey> {
    match &leaf.credential {
        LeafCredential::Staff { role: CallRole::Host, certificate, .. } => Some(certificate.device_key()),
        _ => None,
    }
}

/// What makes a member the same member: no two leaves may share any of it.
pub(super) fn same_identity(a: &LeafCredential, b: &LeafCredential) -> bool {
    match (a, b) {
        (LeafCredential::Staff { certificate: a, .. }, LeafCredential::Staff { certificate: b, .. }) => {
            a.device_key() == b.device_key()
        }
        (LeafCredential::Invited { invite_id: a, .. }, LeafCredential::Invited { invite_id: b, .. }) => a == b,
        _ => false,
    }
}

/// Reads the leaves of a tree.
pub(super) fn leaves(members: impl Iterator<Item = Member>) -> Result<Vec<Leaf>, PolicyViolation> {
    members
        .map(|member| {
            let index = LeafIndex::new(member.index.u32());
            let key = member.signature_key.try_into();
            let key = key.map_err(|_length| PolicyViolation::BadCredential)?;
            let credential = LeafCredential::decode(member.credential.serialized_content());
            Ok(Leaf {
                index: index.ok_or(PolicyViolation::TooManyMembers)?,
                key,
                credential: credential.map_err(|_malformed| PolicyViolation::BadCredential)?,
            })
        })
        .collect()
}

/// The joiner's check of a whole roster: every credential, no identity twice.
pub(super) fn check_roster(
    policy: &Policy,
    group_id: GroupId,
    now: u64,
    deny: Option<&DenyList>,
    leaves: &[Leaf],
) -> Result<(), PolicyViolation> {
    if leaves.len() > MAX_MEMBERS {
        return Err(PolicyViolation::TooManyMembers);
    }
    for (at, leaf) in leaves.iter().enumerate() {
        check_credential(policy, group_id, now, deny, leaf)?;
        let twice = leaves
            .iter()
            .skip(at + 1)
            .any(|other| other.key == leaf.key || same_identity(&other.credential, &leaf.credential));
        if twice {
            return Err(PolicyViolation::DuplicateIdentity);
        }
    }
    Ok(())
}

/// Checks what every member can check of a leaf.
pub(super) fn check_credential(
    policy: &Policy,
    group_id: GroupId,
    now: u64,
    deny: Option<&DenyList>,
    leaf: &Leaf,
) -> Result<(), PolicyViolation> {
    if leaf.credential.is_denied(deny) {
        return Err(PolicyViolation::BadCredential);
    }
    leaf.credential
        .verify_in_group(&policy.practice, now, &leaf.key, group_id)
        .map_err(|_refused| PolicyViolation::BadCredential)
}

/// Names the external pre-shared key of one admission: `inv/<invite id>/<attempt>`.
pub(crate) fn psk_id(invite_id: InviteId, attempt: u32) -> Vec<u8> {
    let mut id = b"inv/".to_vec();
    for byte in invite_id.as_bytes() {
        id.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    id.extend_from_slice(format!("/{attempt}").as_bytes());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            call_id: CallId::from_bytes([1; 16]),
            practice: PracticeFingerprint::from_bytes([2; 20]),
            mode: CallMode::Real,
            hosts: vec![DevicePublicKey::from_bytes([3; 32])],
            deputies: vec![DevicePublicKey::from_bytes([4; 32])],
        }
    }

    #[test]
    fn a_policy_survives_the_wire() {
        assert_eq!(Policy::decode(&policy().encode()), Some(policy()));
    }

    #[test]
    fn a_policy_cut_lengthened_without_host_or_of_another_version_is_refused() {
        let bytes = policy().encode();
        for length in 0..bytes.len() {
            assert_eq!(Policy::decode(&bytes[..length]), None);
        }
        assert_eq!(Policy::decode(&[&bytes[..], &[0]].concat()), None);
        let hostless = Policy { hosts: vec![], ..policy() };
        assert_eq!(Policy::decode(&hostless.encode()), None);
        let mut other = bytes.clone();
        other[1] ^= 2;
        assert_eq!(Policy::decode(&other), None);
        let mut other_suite = bytes;
        other_suite[3] = 1;
        assert_eq!(Policy::decode(&other_suite), None);
    }

    #[test]
    fn a_key_of_an_admission_names_invitation_and_attempt() {
        let id = psk_id(InviteId::from_bytes([0xab; 16]), 7);
        assert_eq!(id, format!("inv/{}/7", "ab".repeat(16)).into_bytes());
    }
}
