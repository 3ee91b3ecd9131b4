//! Bringing in: a guest that proved link and code, staff that shows its certificate, and either
//! of them once more after it was lost.

use openmls::prelude::{Extension, KeyPackage, LeafNodeIndex, PreSharedKeyProposal, Proposal, UnknownExtension};
use openmls_traits::OpenMlsProvider as _;
use zeroize::Zeroizing;

use super::{
    Bundle,
    attached::Attached,
    group::{CallGroup, KIND_INVITE_PSK, Pending, external_psk, refused},
    package::{ReadPackage, read_package},
    policy::{Leaf, same_identity},
    profile::{PADDING_EXTENSION, WELCOME_PADDING},
    returning::ReturnProof,
};
use crate::{
    MAX_MEMBERS,
    codec::Write,
    error::{GroupError, IdentityError, PolicyViolation},
    identity::LeafCredential,
    invitation::VerifiedGuest,
    secret::Secret,
};

/// One Add and what goes with it.
struct Admission<'a> {
    package: &'a KeyPackage,
    leaf: Leaf,
    psk: Option<(Vec<u8>, &'a Secret<32>)>,
    /// Of a member that comes back: it takes the place of its old leaf.
    proof: Option<ReturnProof>,
}

impl CallGroup {
    /// Commits the Add of a guest with its pre-shared key; pending until its echo.
    ///
    /// After a lost race call it again with the same guest.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`], [`GroupError::Inactive`], [`GroupError::NotAHost`],
    /// [`GroupError::WrongGroup`], [`GroupError::Refused`] for a full call or a guest who is
    /// there already; [`GroupError::BadProof`] for one that asks to come back, see
    /// [`readmit`](Self::readmit); [`GroupError::Backend`].
    pub fn admit(&mut self, guest: &VerifiedGuest) -> Result<Bundle, GroupError> {
        match guest.returning() {
            None => self.bring_in_guest(guest, None),
            Some(_) => Err(GroupError::BadProof),
        }
    }

    /// Commits the Remove of a lost guest's old leaf and the Add of its new one, with the proof
    /// that both are the same; pending until its echo. The person was admitted before, so nobody
    /// needs to be asked again.
    ///
    /// # Errors
    /// As [`admit`](Self::admit); [`GroupError::NoSuchMember`] for a guest that is not in the
    /// tree any more, since it was removed; [`GroupError::BadProof`].
    pub fn readmit(&mut self, guest: &VerifiedGuest) -> Result<Bundle, GroupError> {
        let proof = guest.returning().ok_or(GroupError::BadProof)?;
        self.bring_in_guest(guest, Some(proof.clone()))
    }

    /// Commits the Add of staff that asks with a [`StaffEntry`](super::StaffEntry); pending until
    /// its echo. `now` in Unix seconds.
    ///
    /// # Errors
    /// As [`admit`](Self::admit); [`GroupError::Malformed`] for a request that is no key package
    /// of a staff leaf, [`GroupError::Certificate`] for one whose certificate does not verify
    /// for this group.
    pub fn admit_staff(&mut self, now: u64, request: &[u8]) -> Result<Bundle, GroupError> {
        let entry = self.read_staff(now, request)?;
        self.bring_in_staff(&entry, None)
    }

    /// Name on the certificate of staff that asks with a [`StaffEntry`](super::StaffEntry), to be
    /// shown before it is admitted. `now` in Unix seconds.
    ///
    /// # Errors
    /// As [`admit_staff`](Self::admit_staff) for the request.
    pub fn staff_name(&self, now: u64, request: &[u8]) -> Result<String, GroupError> {
        match self.read_staff(now, request)?.credential {
            LeafCredential::Staff { certificate, .. } => Ok(certificate.display_name().to_owned()),
            LeafCredential::Invited { .. } => Err(GroupError::Malformed),
        }
    }

    /// Commits the Remove of a lost staff device's leaf and the Add of its new one; pending until
    /// its echo. Its certificate is its proof.
    ///
    /// # Errors
    /// As [`admit_staff`](Self::admit_staff); [`GroupError::NoSuchMember`] for a device that is
    /// not in the tree any more.
    pub fn readmit_staff(&mut self, now: u64, request: &[u8]) -> Result<Bundle, GroupError> {
        let entry = self.read_staff(now, request)?;
        self.bring_in_staff(&entry, Some(ReturnProof::Certificate))
    }

    fn bring_in_guest(&mut self, guest: &VerifiedGuest, proof: Option<ReturnProof>) -> Result<Bundle, GroupError> {
        let leaves = self.ready_to_host()?;
        if guest.group_id() != self.group_id {
            return Err(GroupError::WrongGroup);
        }
        let package = guest.key_package();
        let content = package.leaf_node().credential().serialized_content();
        let credential = LeafCredential::decode(content).map_err(GroupError::Certificate)?;
        let leaf = Leaf { index: self.own_leaf(), key: *guest.signature_key(), credential };
        let psk = Some((guest.psk_id(), guest.psk()));
        self.bring_in(&leaves, Admission { package, leaf, psk, proof })
    }

    fn bring_in_staff(&mut self, entry: &ReadPackage, proof: Option<ReturnProof>) -> Result<Bundle, GroupError> {
        let leaves = self.ready_to_host()?;
        let ReadPackage { package, leaf_key, credential, .. } = entry;
        let leaf = Leaf { index: self.own_leaf(), key: *leaf_key, credential: credential.clone() };
        self.bring_in(&leaves, Admission { package, leaf, psk: None, proof })
    }

    fn read_staff(&self, now: u64, request: &[u8]) -> Result<ReadPackage, GroupError> {
        let entry = read_package(request).ok_or(GroupError::Malformed)?;
        if !matches!(entry.credential, LeafCredential::Staff { .. }) {
            return Err(GroupError::Malformed);
        }
        entry.credential.verify_in_group(&self.policy.practice, now, &entry.leaf_key, self.group_id)?;
        if entry.credential.is_denied(self.deny.as_ref()) {
            return Err(GroupError::Certificate(IdentityError::Denied));
        }
        Ok(entry)
    }

    /// Checks what the others will check, and commits.
    fn bring_in(&mut self, leaves: &[Leaf], admission: Admission<'_>) -> Result<Bundle, GroupError> {
        let Admission { package, leaf, psk, proof } = admission;
        let old = leaves.iter().find(|member| same_identity(&member.credential, &leaf.credential));
        let (old, attached) = match (old, proof) {
            (None, None) => (None, Attached::Nothing),
            (Some(_), None) => return Err(refused(PolicyViolation::DuplicateIdentity)),
            (None, Some(_)) => return Err(GroupError::NoSuchMember),
            (Some(old), Some(proof)) => {
                let reference = package.hash_ref(self.provider.crypto()).map_err(|_failed| GroupError::Backend)?;
                let holds = proof.holds(self.group_id, old, &leaf, reference.as_slice());
                if !holds || old.index == self.own_leaf() {
                    return Err(GroupError::BadProof);
                }
                (Some(LeafNodeIndex::new(u32::from(old.index.as_u8()))), Attached::Return(proof))
            }
        };
        let stays = leaves.len() - usize::from(old.is_some());
        if stays >= MAX_MEMBERS {
            return Err(refused(PolicyViolation::TooManyMembers));
        }
        let (mut stored, mut invite_psk) = (None, None);
        if let Some((id, psk)) = psk {
            // Sealed first: the commit's epoch is the one that the others still have.
            if stays > 1 {
                let mut content = Zeroizing::new(Vec::with_capacity(256));
                content.put_bytes(&id);
                content.put(psk.expose());
                invite_psk = Some(self.seal_kind(KIND_INVITE_PSK, &content)?);
            }
            stored = Some(external_psk(&self.provider, &id, psk)?);
        }
        let proposal = stored.clone().map(|id| Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id))));
        let made = self.commit_padded(package, proposal.as_ref(), old, &attached.encode());
        // OpenMLS clears it with the message that it makes, but not when it makes none.
        self.group.set_aad(Vec::new());
        let psk = stored.map(|id| id.psk().clone());
        let (commit, welcome) = match made {
            Ok(made) => made,
            Err(error) => {
                psk.map_or(Ok(()), |psk| self.forget_psk(&psk))?;
                return Err(error);
            }
        };
        self.pending = Some(Pending { commit: commit.clone(), psk, policy: None });
        Ok(Bundle { epoch: self.epoch(), commit, welcome: Some(welcome), invite_psk })
    }

    /// Commits an Add and makes the Welcome a multiple of [`WELCOME_PADDING`].
    ///
    /// The length is known only when the Welcome is made, so it is made again with filler; two
    /// rounds do, a third if a length field grew. Rounds that are thrown away only skip a
    /// generation of the own handshake ratchet.
    pub(super) fn commit_padded(
        &mut self,
        add: &KeyPackage,
        psk: Option<&Proposal>,
        remove: Option<LeafNodeIndex>,
        attached: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), GroupError> {
        let mut filler = 64;
        for _round in 0..4 {
            let padding = UnknownExtension(vec![0; filler]);
            self.group.set_aad(attached.to_vec());
            let messages = self
                .group
                .commit_builder()
                .propose_adds([add.clone()])
                .propose_removals(remove)
                .add_proposals(psk.cloned())
                .load_psks(self.provider.storage())
                .map_err(|_failed| GroupError::Backend)?
                .use_ratchet_tree_extension(true)
                .create_group_info_with_extensions([Extension::Unknown(PADDING_EXTENSION, padding)])
                .map_err(|_failed| GroupError::Backend)?
                .build(self.provider.rand(), self.provider.crypto(), &self.leaf_key, |_| true)
                .map_err(|_refused| refused(PolicyViolation::DuplicateIdentity))?
                .stage_commit(&self.provider)
                .map_err(|_failed| GroupError::Backend)?;
            let commit = messages.commit().to_bytes().map_err(|_failed| GroupError::Backend)?;
            let welcome = messages.to_welcome_msg().ok_or(GroupError::Backend)?;
            let welcome = welcome.to_bytes().map_err(|_failed| GroupError::Backend)?;
            let missing = (WELCOME_PADDING - welcome.len() % WELCOME_PADDING) % WELCOME_PADDING;
            if missing == 0 {
                return Ok((commit, welcome));
            }
            filler += missing;
            self.group.clear_pending_commit(self.provider.storage()).map_err(|_failed| GroupError::Backend)?;
        }
        Err(GroupError::Backend)
    }
}
