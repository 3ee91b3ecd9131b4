//! Who hosts: the one part of the policy that may change, by a host's commit, or by a deputy's that
//! puts itself on the list and does nothing else.

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

    /// Devices that a host may put on the list of hosts, and that may put themselves there; fixed
    /// at the creation.
    #[must_use]
    pub fn deputies(&self) -> &[DevicePublicKey] {
        &self.policy.deputies
    }

    /// Commits another list of hosts; pending until its echo. Handing over is adding a deputy,
    /// and then, if the first host goes, a list without it. A deputy that is taken off may
    /// [step in](Self::step_in) again: to be rid of it, [`remove`](Self::remove) it.
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
        self.commit_policy(policy)
    }

    /// Commits this deputy's own device at the end of the list of hosts; pending until its echo,
    /// and from then on this member hosts. For a call whose hosts are lost. No other member can
    /// check that they are, and the commit holds all the same: ask a person before.
    ///
    /// # Errors
    /// [`GroupError::NotAHost`] unless this leaf is that of a deputy in a host's role;
    /// [`GroupError::Refused`] if it hosts already, or the list is full;
    /// [`GroupError::CommitPending`], [`GroupError::Inactive`], [`GroupError::Backend`].
    pub fn step_in(&mut self) -> Result<Bundle, GroupError> {
        self.ready_to_commit()?;
        let (own, leaves) = (self.own_leaf(), self.leaves()?);
        let own = leaves.iter().find(|leaf| leaf.index == own).ok_or(GroupError::NotAHost)?;
        if self.policy.is_host(own) {
            return Err(refused(PolicyViolation::PolicyChanged));
        }
        let policy = self.policy.stepped_in(own).ok_or(GroupError::NotAHost)?;
        if !policy.is_in_bounds() {
            return Err(refused(PolicyViolation::PolicyChanged));
        }
        self.commit_policy(policy)
    }

    /// Devices that host or ever may: no commit brings in another.
    pub(crate) fn may_host(&self) -> Vec<DevicePublicKey> {
        [self.hosts(), self.deputies()].concat()
    }

    fn commit_policy(&mut self, policy: Policy) -> Result<Bundle, GroupError> {
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
