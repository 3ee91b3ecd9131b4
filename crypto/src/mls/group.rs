//! Creating a group, committing a Remove or an update to it, sealing messages in it.

use std::fmt;

use openmls::{
    group::{CommitBuilder, GroupId as MlsGroupId, Initial, MlsGroup},
    prelude::{Credential, CredentialType, CredentialWithKey, LeafNodeIndex, Member as MlsMember},
    schedule::{ExternalPsk, PreSharedKeyId, Psk},
};
use openmls_traits::{OpenMlsProvider, storage::StorageProvider};
use zeroize::Zeroizing;

use super::{
    attached::Attached,
    heartbeat::Heartbeats,
    policy::{Leaf, Policy, leaves},
    profile::{Provider, SUITE, create_config},
};
use crate::{
    MAX_GROUP_MESSAGE,
    codec::Write,
    error::{GroupError, PolicyViolation},
    id::{CallId, CallMode, CallRole, GroupId, LeafIndex},
    identity::{DenyList, DeviceCertificate, DeviceKey, DevicePublicKey, LeafCredential, SigningKey},
    secret::{Secret, random_bytes},
    sframe::KeyDisclosure,
};

/// First byte of every application message: what the rest is.
pub(super) const KIND_DATA: u8 = 0;
/// A pre-shared key beside a commit.
pub(super) const KIND_INVITE_PSK: u8 = 1;

/// What a new call is made for.
#[derive(Debug, Clone, Copy)]
pub struct CallTerms {
    /// Names the consultation.
    pub call_id: CallId,
    /// Fixed for the life of the group. `Assessor` only after everybody's own decision: the call
    /// ends with the disclosure of its keys.
    pub mode: CallMode,
}

/// What one commit needs to be sent: one atomic entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The epoch it was made in: the value to compare and set.
    pub epoch: u64,
    /// A PrivateMessage.
    pub commit: Vec<u8>,
    /// For the added guest only; a multiple of 4 KiB.
    pub welcome: Option<Vec<u8>>,
    /// For the members that are there already; it goes before the commit.
    pub invite_psk: Option<Vec<u8>>,
}

/// One call's MLS group (RFC 9420), seen by one member.
pub struct CallGroup {
    pub(super) provider: Provider,
    pub(super) group: MlsGroup,
    pub(super) leaf_key: SigningKey,
    pub(super) group_id: GroupId,
    pub(super) policy: Policy,
    pub(super) pending: Option<Pending>,
    /// Epoch whose media keys were taken.
    pub(super) keys_taken: Option<u64>,
    /// The keys so far, in assessor mode only.
    pub(super) disclosure: Option<KeyDisclosure>,
    pub(super) heartbeats: Heartbeats,
    /// The newest list that this client was shown.
    pub(super) deny: Option<DenyList>,
    /// Removed, or refused a commit.
    pub(super) over: bool,
}

/// An own commit that waits for its echo.
pub(super) struct Pending {
    pub(super) commit: Vec<u8>,
    pub(super) psk: Option<Psk>,
    /// The policy that it makes, if another.
    pub(super) policy: Option<Policy>,
}

impl CallGroup {
    /// Opens a call: the host alone, epoch 0, in a group with a random id, without deputies.
    /// `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError::Certificate`] for a certificate that is not the device's or does not allow
    /// to host; [`GroupError::Backend`].
    pub fn create(
        now: u64,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        terms: CallTerms,
    ) -> Result<Self, GroupError> {
        Self::create_with_deputies(now, device, certificate, terms, &[])
    }

    /// The same with deputies: at most 16 devices that a host may later put on the list of hosts,
    /// and that may [step in](Self::step_in) by themselves once a host admitted them in a host's
    /// role. They stand in the policy for the life of the group. The device itself may be among
    /// them: taken off the list of hosts, it may then step in again.
    ///
    /// # Errors
    /// As [`create`](Self::create); [`GroupError::Refused`] for too many deputies, or one twice.
    pub fn create_with_deputies(
        now: u64,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        terms: CallTerms,
        deputies: &[DevicePublicKey],
    ) -> Result<Self, GroupError> {
        let group_id = GroupId::from_bytes(random_bytes().ok_or(GroupError::Backend)?);
        let leaf_key = SigningKey::generate()?;
        let practice = certificate.practice_key().fingerprint();
        let role = CallRole::Host;
        let credential = LeafCredential::staff(device, certificate, role, leaf_key.public(), group_id)?;
        credential.verify_in_group(&practice, now, leaf_key.public(), group_id)?;

        let policy = Policy {
            call_id: terms.call_id,
            practice,
            mode: terms.mode,
            hosts: vec![device.public()],
            deputies: deputies.to_vec(),
        };
        if !policy.is_in_bounds() {
            return Err(refused(PolicyViolation::BadPolicy));
        }
        let provider = Provider::default();
        let group = MlsGroup::new_with_group_id(
            &provider,
            &leaf_key,
            &create_config(&policy)?,
            MlsGroupId::from_slice(group_id.as_bytes()),
            credential_with_key(&credential, &leaf_key),
        )
        .map_err(|_failed| GroupError::Backend)?;
        Ok(Self::start(provider, group, leaf_key, group_id, policy))
    }

    /// What a group is to the member who has just created or joined it.
    pub(super) fn start(
        provider: Provider,
        group: MlsGroup,
        leaf_key: SigningKey,
        group_id: GroupId,
        policy: Policy,
    ) -> Self {
        let disclosure = (policy.mode == CallMode::Assessor).then(|| KeyDisclosure::new(policy.call_id, group_id));
        Self {
            provider,
            group,
            leaf_key,
            group_id,
            policy,
            pending: None,
            keys_taken: None,
            disclosure,
            heartbeats: Heartbeats::default(),
            deny: None,
            over: false,
        }
    }

    /// Commits the Remove of a member; pending until its echo.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`], [`GroupError::Inactive`], [`GroupError::NotAHost`],
    /// [`GroupError::NoSuchMember`] for an empty leaf or the own, [`GroupError::Backend`].
    pub fn remove(&mut self, leaf: LeafIndex) -> Result<Bundle, GroupError> {
        let leaves = self.ready_to_host()?;
        if leaf == self.own_leaf() || !leaves.iter().any(|member| member.index == leaf) {
            return Err(GroupError::NoSuchMember);
        }
        self.commit_removal(leaf, &Attached::Nothing)
    }

    /// Commits a path update of the own leaf (RFC 9420 §12.4): it heals the group's secrecy, not
    /// the signature key. Pending until its echo.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`], [`GroupError::Inactive`], [`GroupError::Backend`].
    pub fn update(&mut self) -> Result<Bundle, GroupError> {
        self.ready_to_commit()?;
        let commit = self.stage(|builder| Ok(builder.force_self_update(true)))?;
        self.pend(commit)
    }

    /// Seals an application message in the current epoch, padded to a multiple of 256 bytes, and
    /// gives the epoch to compare. After a lost race seal anew.
    ///
    /// # Errors
    /// [`GroupError::Inactive`], [`GroupError::TooLong`], [`GroupError::Backend`].
    pub fn seal(&mut self, data: &[u8]) -> Result<(u64, Vec<u8>), GroupError> {
        if data.len() > MAX_GROUP_MESSAGE / 2 {
            return Err(GroupError::TooLong);
        }
        Ok((self.epoch(), self.seal_kind(KIND_DATA, data)?))
    }

    /// Drops the pending commit after a lost race.
    pub fn abandon_pending(&mut self) {
        if let Some(pending) = self.pending.take() {
            // Both write to memory only and cannot fail; a failure would leave a commit pending,
            // which the next operation reports.
            self.group.clear_pending_commit(self.provider.storage()).ok();
            pending.psk.map(|psk| self.provider.storage().delete_psk(&psk).ok());
        }
    }

    /// Whether a commit of this client waits for its echo.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    pub(super) fn ready(&self) -> Result<(), GroupError> {
        if self.is_active() { Ok(()) } else { Err(GroupError::Inactive) }
    }

    pub(super) fn ready_to_commit(&self) -> Result<(), GroupError> {
        self.ready()?;
        if self.pending.is_some() { Err(GroupError::CommitPending) } else { Ok(()) }
    }

    /// The leaves, for a host that may commit now.
    pub(super) fn ready_to_host(&self) -> Result<Vec<Leaf>, GroupError> {
        self.ready_to_commit()?;
        let leaves = self.leaves()?;
        let hosts = leaves.iter().any(|leaf| leaf.index == self.own_leaf() && self.policy.is_host(leaf));
        if hosts { Ok(leaves) } else { Err(GroupError::NotAHost) }
    }

    /// Commits a Remove with its proof, if it needs one.
    pub(super) fn commit_removal(&mut self, leaf: LeafIndex, attached: &Attached) -> Result<Bundle, GroupError> {
        self.group.set_aad(attached.encode());
        let index = LeafNodeIndex::new(u32::from(leaf.as_u8()));
        let built = self.stage(|builder| Ok(builder.propose_removals([index])));
        // OpenMLS clears it with the message that it makes, but not when it makes none.
        self.group.set_aad(Vec::new());
        self.pend(built?)
    }

    /// Stages a commit without Welcome and gives its bytes.
    pub(super) fn stage(
        &mut self,
        propose: impl FnOnce(CommitBuilder<'_, Initial>) -> Result<CommitBuilder<'_, Initial>, GroupError>,
    ) -> Result<Vec<u8>, GroupError> {
        let messages = propose(self.group.commit_builder())?
            .load_psks(self.provider.storage())
            .map_err(|_failed| GroupError::Backend)?
            .create_group_info(false)
            .use_ratchet_tree_extension(false)
            .build(self.provider.rand(), self.provider.crypto(), &self.leaf_key, |_| true)
            .map_err(|_failed| GroupError::Backend)?
            .stage_commit(&self.provider)
            .map_err(|_failed| GroupError::Backend)?;
        messages.commit().to_bytes().map_err(|_failed| GroupError::Backend)
    }

    pub(super) fn pend(&mut self, commit: Vec<u8>) -> Result<Bundle, GroupError> {
        self.pending = Some(Pending { commit: commit.clone(), psk: None, policy: None });
        Ok(Bundle { epoch: self.epoch(), commit, welcome: None, invite_psk: None })
    }

    pub(super) fn seal_kind(&mut self, kind: u8, data: &[u8]) -> Result<Vec<u8>, GroupError> {
        self.ready()?;
        let mut content = Zeroizing::new(Vec::with_capacity(1 + data.len()));
        content.put_u8(kind);
        content.put(data);
        self.group
            .create_message(&self.provider, &self.leaf_key, &content)
            .map_err(|_failed| GroupError::Backend)?
            .to_bytes()
            .map_err(|_failed| GroupError::Backend)
    }

    pub(super) fn forget_psk(&self, psk: &Psk) -> Result<(), GroupError> {
        self.provider.storage().delete_psk(psk).map_err(|_failed| GroupError::Backend)
    }

    pub(super) fn leaves(&self) -> Result<Vec<Leaf>, GroupError> {
        leaves(self.group.members()).map_err(refused)
    }

    pub(super) fn own_member(&self) -> Option<MlsMember> {
        let own = self.group.own_leaf_index();
        self.group.members().find(|member| member.index == own)
    }
}

impl fmt::Debug for CallGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallGroup({:?}, epoch {}, {:?})", self.group_id, self.epoch(), self.own_leaf())
    }
}

/// A rule that no member broke, but the call's own doing would.
pub(super) fn refused(violation: PolicyViolation) -> GroupError {
    GroupError::Refused { committer: None, violation }
}

pub(crate) fn credential_with_key(credential: &LeafCredential, leaf_key: &SigningKey) -> CredentialWithKey {
    let credential = Credential::new(CredentialType::Basic, credential.encode());
    CredentialWithKey { credential, signature_key: leaf_key.public().as_slice().into() }
}

/// Puts an external pre-shared key where OpenMLS looks for it, under a fresh nonce
/// (RFC 9420 §8.4).
pub(crate) fn external_psk(provider: &Provider, id: &[u8], psk: &Secret<32>) -> Result<PreSharedKeyId, GroupError> {
    let external = Psk::External(ExternalPsk::new(id.to_vec()));
    let psk_id = PreSharedKeyId::new(SUITE, provider.rand(), external).map_err(|_failed| GroupError::Backend)?;
    psk_id.store(provider, psk.expose()).map_err(|_failed| GroupError::Backend)?;
    Ok(psk_id)
}
