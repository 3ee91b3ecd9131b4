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
    pub(super) fn holds(&self, group_id: GroupId, now: u64, old: &Leaf, new: &Leaf, package: &[u8]) -> bool {
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
                *epoch <= now && verify_parts(&old.key, LABEL, &parts, signature).is_ok()
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
