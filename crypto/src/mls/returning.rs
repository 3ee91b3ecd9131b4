//! Coming back: one commit removes a lost member's old leaf and adds its new one.
//!
//! ```text
//! 0                              the host checked a MAC that only it and the guest can make
//! 1                              staff: the device signed the new leaf, its credential shows it
//! 2 | epoch u64 | signature 64   the old leaf signed (group, epoch, new leaf key, key package)
//! ```
//!
//! The old leaf must still stand in the tree: a member that was removed has nothing to come back
//! to, whatever it can prove. A secret exported from the group would prove nothing, since removed
//! members and other guests know it too.

use super::{
    group::CallGroup,
    policy::{Leaf, same_identity},
};
use crate::{
    codec::{Reader, Write},
    error::IdentityError,
    id::GroupId,
    identity::{LeafCredential, verify_parts},
};

const LABEL: &str = "return";

/// Why the new leaf is the old member.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ReturnProof {
    /// A guest's MAC under its pairwise key; the others have the host's word, as for any Add.
    HostsWord,
    /// A staff device's signature over its new leaf, which stands in the credential.
    Certificate,
    /// The old leaf's signature.
    OldLeaf {
        /// The last epoch that the member was in.
        epoch: u64,
        /// Over what the module's head draws.
        signature: [u8; 64],
    },
}

impl ReturnProof {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::HostsWord => bytes.put_u8(0),
            Self::Certificate => bytes.put_u8(1),
            Self::OldLeaf { epoch, signature } => {
                bytes.put_u8(2);
                bytes.put_u64(*epoch);
                bytes.put(signature);
            }
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let proof = match reader.u8()? {
            0 => Self::HostsWord,
            1 => Self::Certificate,
            2 => Self::OldLeaf { epoch: reader.u64()?, signature: reader.array()? },
            _ => return None,
        };
        reader.end()?;
        Some(proof)
    }

    /// Whether it proves that `new`, whose key package has this reference, is `old` come back.
    pub(super) fn holds(&self, group_id: GroupId, old: &Leaf, new: &Leaf, package: &[u8]) -> bool {
        // An attempt counts up, so that an earlier key package of the guest does not come back.
        let later = match (&old.credential, &new.credential) {
            (LeafCredential::Invited { attempt: old, .. }, LeafCredential::Invited { attempt: new, .. }) => new > old,
            _ => true,
        };
        let staff = matches!(new.credential, LeafCredential::Staff { .. });
        let proven = match self {
            Self::HostsWord => !staff,
            Self::Certificate => staff,
            Self::OldLeaf { epoch, signature } => {
                let parts = [&group_id.as_bytes()[..], &epoch.to_be_bytes(), &new.key, package];
                verify_parts(&old.key, LABEL, &parts, signature).is_ok()
            }
        };
        proven && later && old.key != new.key && same_identity(&old.credential, &new.credential)
    }
}

impl CallGroup {
    /// Signs with the leaf of this group, whatever became of it, that a new leaf is the same
    /// member.
    pub(crate) fn sign_return(&self, leaf_key: &[u8; 32], package: &[u8]) -> Result<ReturnProof, IdentityError> {
        let epoch = self.epoch();
        let parts = [&self.group_id.as_bytes()[..], &epoch.to_be_bytes(), leaf_key, package];
        Ok(ReturnProof::OldLeaf { epoch, signature: self.leaf_key.sign_parts(LABEL, &parts)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallRole, InviteId, StaffRole, id::LeafIndex, secret::Secret, testing::Clinic};

    const GROUP: GroupId = GroupId::from_bytes([3; 16]);

    fn guest(key: u8, invite: u8, attempt: u32) -> Leaf {
        let (key, binder) = ([key; 32], Secret::from_slice(&[0; 32]).unwrap());
        let invite_id = InviteId::from_bytes([invite; 16]);
        let credential = LeafCredential::invited(&binder, invite_id, attempt, CallRole::Patient, &key, GROUP);
        Leaf { index: LeafIndex::new(1).unwrap(), key, credential }
    }

    #[test]
    fn a_guest_comes_back_with_a_new_key_and_a_later_attempt_of_the_same_invitation() {
        let holds = |new: &Leaf| ReturnProof::HostsWord.holds(GROUP, &guest(1, 1, 4), new, b"package");
        assert!(holds(&guest(2, 1, 5)));
        assert!(!holds(&guest(1, 1, 5)), "the old key");
        assert!(!holds(&guest(2, 1, 4)) && !holds(&guest(2, 1, 3)), "an earlier attempt");
        assert!(!holds(&guest(2, 2, 5)), "another invitation");
    }

    #[test]
    fn a_hosts_word_is_not_enough_for_staff_nor_a_certificate_for_a_guest() {
        let clinic = Clinic::new();
        let staff = |key, (device, certificate): &(_, _)| {
            let key = [key; 32];
            let credential = LeafCredential::staff(device, certificate, CallRole::Interpreter, &key, GROUP).unwrap();
            Leaf { index: LeafIndex::new(2).unwrap(), key, credential }
        };
        let [one, other] = [(); 2].map(|()| clinic.colleague(StaffRole::Clinician));
        let holds = |proof: ReturnProof, old: Leaf, new: Leaf| proof.holds(GROUP, &old, &new, b"package");
        assert!(holds(ReturnProof::Certificate, staff(1, &one), staff(2, &one)));
        assert!(!holds(ReturnProof::HostsWord, staff(1, &one), staff(2, &one)));
        assert!(!holds(ReturnProof::Certificate, staff(1, &one), staff(2, &other)), "another device");
        assert!(!holds(ReturnProof::Certificate, guest(1, 1, 1), guest(2, 1, 2)));
    }

    #[test]
    fn a_proof_survives_the_wire_and_a_longer_one_does_not() {
        for proof in [ReturnProof::HostsWord, ReturnProof::OldLeaf { epoch: 3, signature: [5; 64] }] {
            let bytes = proof.encode();
            assert!(ReturnProof::decode(&bytes) == Some(proof));
            assert!(ReturnProof::decode(&[&bytes[..], &[0]].concat()).is_none());
            assert!(ReturnProof::decode(&bytes[1..]).is_none());
        }
        assert!(ReturnProof::decode(&[3]).is_none());
    }
}
