//! Staff in somebody else's call: the certificate takes the place of link and code.
//!
//! No pre-shared key: the device's signature binds certificate, new leaf, group and role, and the
//! host's commit brings it in. What the entering device demands of the Welcome is that a host of
//! its own practice signed it, for the call and the mode that it asked for.

use std::fmt;

use super::{
    CallTerms,
    group::CallGroup,
    join::{Expected, Signer, join},
    package::make_package,
    profile::Provider,
};
use crate::{
    error::GroupError,
    id::{CallRole, GroupId},
    identity::{DenyList, DeviceCertificate, DeviceKey, LeafCredential, SigningKey},
};

/// A staff device that waits to be brought in; holds a leaf key and a key package for one group.
pub struct StaffEntry {
    provider: Provider,
    leaf_key: SigningKey,
    request: Vec<u8>,
    expected: Expected,
}

impl StaffEntry {
    /// Makes leaf key and key package. `group_id` is what the server or a host says; `terms` are
    /// what this device knows of the call by itself. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError::Certificate`] for a certificate that is not the device's, has expired, or
    /// does not allow the role; [`GroupError::Backend`].
    pub fn new(
        now: u64,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        role: CallRole,
        group_id: GroupId,
        terms: CallTerms,
    ) -> Result<Self, GroupError> {
        let leaf_key = SigningKey::generate()?;
        let practice = certificate.practice_key().fingerprint();
        let credential = LeafCredential::staff(device, certificate, role, leaf_key.public(), group_id)?;
        credential.verify_in_group(&practice, now, leaf_key.public(), group_id)?;
        let provider = Provider::default();
        let (request, _) = make_package(&provider, &leaf_key, &credential).ok_or(GroupError::Backend)?;
        let expected = Expected {
            group_id,
            signer: Signer::AnyHost,
            practice,
            mode: terms.mode,
            call_id: Some(terms.call_id),
            deny: None,
            psk_id: None,
        };
        Ok(Self { provider, leaf_key, request, expected })
    }

    /// Checks the roster of the Welcome against a deny list as well. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError::Certificate`] for a list that does not verify.
    pub fn with_deny_list(mut self, now: u64, list: DenyList) -> Result<Self, GroupError> {
        list.verify(&self.expected.practice, now, 0)?;
        self.expected.deny = Some(list);
        Ok(self)
    }

    /// What a host's [`admit_staff`](CallGroup::admit_staff) takes; carries the certificate, so
    /// it travels to the host only.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Joins with the Welcome of the admission. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError`]: the Welcome is for somebody else, or does not lead where this device asked
    /// to go. The key package is burnt: ask anew.
    pub fn join(self, now: u64, welcome: &[u8]) -> Result<CallGroup, GroupError> {
        join(self.provider, self.leaf_key, &self.expected, now, welcome)
    }
}

impl fmt::Debug for StaffEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaffEntry({:?})", self.expected.group_id)
    }
}
