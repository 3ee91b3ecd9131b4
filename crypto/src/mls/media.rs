//! From the group's exporter to the keys of its media (RFC 9605 §5.2, RFC 9420 §8.5).

use openmls_traits::OpenMlsProvider as _;
use zeroize::Zeroizing;

use super::group::CallGroup;
use crate::{
    error::GroupError,
    secret::Secret,
    sframe::{KeyDisclosure, MediaKeys, commitment},
};

impl CallGroup {
    /// Media keys of the current epoch: RFC 9605 §5.2, MLS exporter (RFC 9420 §8.5). Once per
    /// epoch, since a second set would use every counter again. In assessor mode the group keeps a
    /// copy for [`into_disclosure`](Self::into_disclosure).
    ///
    /// # Errors
    /// [`GroupError::Inactive`], [`GroupError::KeysTaken`], [`GroupError::DisclosureFull`],
    /// [`GroupError::Backend`].
    pub fn media_keys(&mut self) -> Result<MediaKeys, GroupError> {
        self.ready()?;
        let epoch = self.epoch();
        if self.keys_taken == Some(epoch) {
            return Err(GroupError::KeysTaken);
        }
        let own = self.own_leaf();
        let others: Vec<_> = self.leaves()?.iter().map(|leaf| (leaf.index, leaf.key)).collect();
        let others: Vec<_> = others.into_iter().filter(|(index, _)| *index != own).collect();
        let base_key = self.base_key()?;
        let keys = MediaKeys::derive(&base_key, epoch, own, &others).ok_or(GroupError::Backend)?;
        if let Some(disclosure) = &mut self.disclosure {
            let senders = others.iter().map(|(index, _)| *index).chain([own]);
            disclosure.add(&base_key, epoch, senders).ok_or(GroupError::DisclosureFull)?;
        }
        self.keys_taken = Some(epoch);
        Ok(keys)
    }

    /// Ends the group for this client and gives the keys of every epoch whose media keys it took:
    /// only of a call that was created in assessor mode, and only when there is no group any more
    /// that could go on with them.
    ///
    /// # Errors
    /// [`GroupError::NotAssessor`] for a real call.
    pub fn into_disclosure(self) -> Result<KeyDisclosure, GroupError> {
        self.disclosure.ok_or(GroupError::NotAssessor)
    }

    /// H("commit", the keys of this sender's four streams in the current epoch).
    pub(super) fn own_commitment(&self) -> Result<[u8; 48], GroupError> {
        commitment(&self.base_key()?, self.epoch(), self.own_leaf()).ok_or(GroupError::Backend)
    }

    /// Dropped, and so wiped, by its users at once.
    fn base_key(&self) -> Result<Secret<32>, GroupError> {
        // OpenMLS gives a bare vector: wipe it as soon as it is copied.
        let exported = self
            .group
            .export_secret(self.provider.crypto(), "SFrame 1.0 Base Key", &[], 32)
            .map(Zeroizing::new)
            .map_err(|_failed| GroupError::Backend)?;
        Secret::from_slice(&exported).ok_or(GroupError::Backend)
    }
}
