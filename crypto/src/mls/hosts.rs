//! Who hosts: the one part of the policy that may change, by a host's commit.

use openmls::{extensions::Extensions, prelude::GroupContext};

use super::{
    Bundle,
    group::{CallGroup, refused},
    policy::Policy,
    profile::group_extensions,
};
use crate::{
    error::{GroupError, PolicyViolation},
    identity::{DevicePublicKey, LeafCredential},
};

impl CallGroup {
    /// Devices that may host, by the policy.
    #[must_use]
    pub fn hosts(&self) -> &[DevicePublicKey] {
        &self.policy.hosts
    }

    /// Devices that a host may put on the list of hosts; fixed at the creation.
    #[must_use]
    pub fn deputies(&self) -> &[DevicePublicKey] {
        &self.policy.deputies
    }

    /// Commits another list of hosts; pending until its echo. Handing over is adding a deputy,
    /// and then, if the first host goes, a list without it.
    ///
    /// # Errors
    /// [`GroupError::Refused`] for a list that names anybody but hosts and deputies, that is
    /// empty or too long, or of which nobody is in the call; [`GroupError::CommitPending`],
    /// [`GroupError::Inactive`], [`GroupError::NotAHost`], [`GroupError::Backend`].
    pub fn set_hosts(&mut self, hosts: &[DevicePublicKey]) -> Result<Bundle, GroupError> {
        let leaves = self.ready_to_host()?;
        let policy = Policy { hosts: hosts.to_vec(), ..self.policy.clone() };
        let somebody = leaves.iter().any(|leaf| policy.is_host(leaf));
        if !policy.is_in_bounds() || !self.policy.allows_hosts(hosts) || !somebody {
            return Err(refused(PolicyViolation::PolicyChanged));
        }
        let extensions = Extensions::<GroupContext>::from_vec(group_extensions(&policy));
        let extensions = extensions.map_err(|_invalid| GroupError::Backend)?;
        let commit = self.stage(|builder| {
            builder.propose_group_context_extensions(extensions).map_err(|_failed| GroupError::Backend)
        })?;
        let bundle = self.pend(commit)?;
        if let Some(pending) = &mut self.pending {
            pending.policy = Some(policy);
        }
        Ok(bundle)
    }
}

/// The device behind a staff leaf.
pub(super) fn device_of(credential: &LeafCredential) -> Option<DevicePublicKey> {
    match credential {
        LeafCredential::Staff { certificate, .. } => Some(certificate.device_key()),
        LeafCredential::Invited { .. } => None,
    }
}
