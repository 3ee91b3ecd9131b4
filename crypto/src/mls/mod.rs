//! The call's group.

use crate::{
    error::GroupError,
    id::{CallId, CallMode, CallRole, GroupId, LeafIndex},
    identity::{DeviceCertificate, DeviceKey},
    invitation::VerifiedGuest,
    safety_words::SafetyScope,
    sframe::MediaKeys,
};

/// What a new call is made for.
#[derive(Debug, Clone, Copy)]
pub struct CallTerms {
    /// Names the consultation.
    pub call_id: CallId,
    /// `Assessor` is refused by this version.
    pub mode: CallMode,
}
/// What one commit needs to be sent: one atomic entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The epoch it was made in: the compare-and-set value.
    pub epoch: u64,
    /// A PrivateMessage.
    pub commit: Vec<u8>,
    /// For the added guest only.
    pub welcome: Option<Vec<u8>>,
    /// For the members that are there already, before the commit.
    pub invite_psk: Option<Vec<u8>>,
}
/// One entry of the server's log, as it arrived.
#[derive(Debug, Clone, Copy)]
pub enum LogEntry<'a> {
    /// A commit with what came beside it.
    Commit {
        /// The commit.
        commit: &'a [u8],
        /// The bundle's `invite_psk`.
        invite_psk: Option<&'a [u8]>,
    },
    /// An application message.
    Application {
        /// What [`CallGroup::seal`] gave.
        body: &'a [u8],
    },
}
/// What an entry of the log meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A message of another member.
    Application {
        /// Authenticated by the group.
        sender: LeafIndex,
        /// What was sealed.
        data: Vec<u8>,
    },
    /// This client's own application message came back.
    Echo,
    /// A new epoch: take [`CallGroup::media_keys`] anew.
    Epoch {
        /// Whether this client's own commit was merged.
        own: bool,
        /// Leaves that are new.
        added: Vec<LeafIndex>,
        /// Leaves that are gone; an index may stand in both.
        removed: Vec<LeafIndex>,
        /// This client was removed: it has no keys of the new epoch.
        self_removed: bool,
    },
}
/// Who vouches for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vouched {
    /// The practice certified the device.
    Practice,
    /// The host's invitation: link and code were proved to the host.
    Invitation,
}
/// One line of the roster, from the ratchet tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Place in the tree.
    pub leaf: LeafIndex,
    /// From the credential.
    pub role: CallRole,
    /// From the certificate; guests' names travel only inside messages.
    pub name: Option<String>,
    /// Who vouches.
    pub vouched: Vouched,
    /// Ed25519 key of the leaf: names the member within the call.
    pub signature_key: [u8; 32],
    /// This client itself.
    pub own: bool,
}
/// One call's MLS group (RFC 9420), seen by one member.
#[derive(Debug)]
pub struct CallGroup;
impl CallGroup {
    /// Opens a call: the host alone, epoch 0. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError::Certificate`], [`GroupError::Refused`] for assessor mode.
    pub fn create(
        now: u64,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        terms: CallTerms,
    ) -> Result<Self, GroupError> {
        let _ = (now, device, certificate, terms);
        todo!()
    }
    /// Commits the Add of a guest with its pre-shared key; pending until its echo.
    ///
    /// # Errors
    /// [`GroupError::CommitPending`], `NotAHost`, `Inactive`, `WrongGroup`, `Refused`, `Backend`.
    pub fn admit(&mut self, guest: &VerifiedGuest) -> Result<Bundle, GroupError> {
        let _ = guest;
        todo!()
    }
    /// Commits the Remove of a member; pending until its echo.
    ///
    /// # Errors
    /// As [`admit`](Self::admit), and [`GroupError::NoSuchMember`].
    pub fn remove(&mut self, leaf: LeafIndex) -> Result<Bundle, GroupError> {
        let _ = leaf;
        todo!()
    }
    /// Commits a path update of the own leaf; pending until its echo.
    ///
    /// # Errors
    /// As [`admit`](Self::admit) without `NotAHost`.
    pub fn update(&mut self) -> Result<Bundle, GroupError> {
        todo!()
    }
    /// Seals an application message in the current epoch; gives the epoch for the log's
    /// compare-and-set. After a lost race seal anew.
    ///
    /// # Errors
    /// [`GroupError::Inactive`], `TooLong`, `Backend`.
    pub fn seal(&mut self, data: &[u8]) -> Result<(u64, Vec<u8>), GroupError> {
        let _ = data;
        todo!()
    }
    /// Takes the next entry of the log, own echoes included. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError`]. `PastEpoch` may be dropped; after `Refused` with a committer the group is
    /// over: stop media and name the committer.
    pub fn handle(&mut self, now: u64, entry: LogEntry<'_>) -> Result<Inbound, GroupError> {
        let _ = (now, entry);
        todo!()
    }
    /// Drops the pending commit after a lost race.
    pub fn abandon_pending(&mut self) {
        todo!()
    }
    /// Whether a commit of this client waits for its echo.
    pub fn is_pending(&self) -> bool {
        todo!()
    }
    /// Whether this client still is a member in good standing.
    pub fn is_active(&self) -> bool {
        todo!()
    }
    /// The group's id.
    pub fn group_id(&self) -> GroupId {
        todo!()
    }
    /// The consultation's id, from the policy.
    pub fn call_id(&self) -> CallId {
        todo!()
    }
    /// Number of commits since the creation.
    pub fn epoch(&self) -> u64 {
        todo!()
    }
    /// This client's place in the tree.
    pub fn own_leaf(&self) -> LeafIndex {
        todo!()
    }
    /// Who holds keys, by leaf.
    pub fn members(&self) -> Vec<Member> {
        todo!()
    }
    /// Hash of the epoch authenticator (RFC 9420 §8.7): equal at all members of an epoch.
    pub fn authenticator(&self) -> [u8; 48] {
        todo!()
    }
    /// Media keys of the current epoch (RFC 9605 §5.2). Take them once per epoch: a second set
    /// would repeat counters.
    ///
    /// # Errors
    /// [`GroupError::Inactive`], `KeysTaken`.
    pub fn media_keys(&mut self) -> Result<MediaKeys, GroupError> {
        todo!()
    }
    /// What a spoken check pins.
    pub fn safety_scope(&self) -> SafetyScope {
        todo!()
    }
}
