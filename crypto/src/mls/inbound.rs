//! Entries of the log: bytes → verified → staged → checked → merged.

use std::fmt;

use openmls::{
    framing::errors::MessageDecryptionError,
    group::{ProcessMessageError, StageCommitError, ValidationError},
    prelude::{ContentType, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage, Sender},
    schedule::{ExternalPsk, PreSharedKeyId, Psk, errors::PskError},
};
use openmls_traits::OpenMlsProvider as _;
use zeroize::Zeroizing;

use super::{
    group::{CallGroup, KIND_DATA, KIND_INVITE_PSK, Pending, external_psk},
    policy::Leaf,
    rules::{Before, Beside, check_commit},
};
use crate::{
    MAX_GROUP_MESSAGE,
    codec::{Reader, read_tls},
    error::{GroupError, PolicyViolation},
    id::LeafIndex,
    secret::Secret,
};

/// One entry of the server's log, as it arrived. The server's word on the epoch does not count:
/// each message names its own.
#[derive(Debug, Clone, Copy)]
pub enum LogEntry<'a> {
    /// A commit with what came beside it.
    Commit {
        /// [`Bundle::commit`](super::Bundle::commit).
        commit: &'a [u8],
        /// [`Bundle::invite_psk`](super::Bundle::invite_psk).
        invite_psk: Option<&'a [u8]>,
    },
    /// An application message.
    Application {
        /// What [`CallGroup::seal`] gave.
        body: &'a [u8],
    },
}

/// What an entry of the log meant.
#[derive(PartialEq, Eq)]
pub enum Inbound {
    /// A message of another member.
    Application {
        /// Authenticated by the group.
        sender: LeafIndex,
        /// What was sealed.
        data: Vec<u8>,
    },
    /// An own application message came back.
    Echo,
    /// A new epoch: take [`CallGroup::media_keys`] anew.
    Epoch {
        /// Whether it is this client's own commit that was merged.
        own: bool,
        /// Leaves that are new.
        added: Vec<LeafIndex>,
        /// Leaves that are gone; an index may stand in both lists.
        removed: Vec<LeafIndex>,
        /// This client was removed: it has no keys of the new epoch.
        self_removed: bool,
    },
}

/// Of a message's content only its length.
impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application { sender, data } => write!(f, "Application({sender:?}, {} bytes)", data.len()),
            Self::Echo => f.write_str("Echo"),
            Self::Epoch { own, added, removed, self_removed } => {
                write!(f, "Epoch(own: {own}, {added:?} added, {removed:?} removed, self: {self_removed})")
            }
        }
    }
}

impl CallGroup {
    /// Takes the next entry of the log, own echoes included. `now` in Unix seconds.
    ///
    /// # Errors
    /// - [`GroupError::PastEpoch`]: drop the entry, it was processed or lost a race.
    /// - [`GroupError::FutureEpoch`]: ask the log for what lies between.
    /// - [`GroupError::Refused`] with a committer: the group is over for this client; stop the
    ///   media, name the committer, ask for repair. Without one: nobody in the group sent it.
    /// - [`GroupError::ForgedEcho`], [`GroupError::MissingPsk`], [`GroupError::Undecryptable`],
    ///   [`GroupError::Malformed`], [`GroupError::TooLong`]: the log is not what members wrote;
    ///   the group's state is untouched.
    pub fn handle(&mut self, now: u64, entry: LogEntry<'_>) -> Result<Inbound, GroupError> {
        self.ready()?;
        match entry {
            LogEntry::Commit { commit, invite_psk } => self.on_commit(now, commit, invite_psk),
            LogEntry::Application { body } => self.on_application(body),
        }
    }

    fn on_application(&mut self, body: &[u8]) -> Result<Inbound, GroupError> {
        let message = self.admissible(body, ContentType::Application)?;
        let Some((sender, content)) = self.open_application(message)? else {
            return Ok(Inbound::Echo);
        };
        match content.split_first() {
            Some((&KIND_DATA, data)) => Ok(Inbound::Application { sender, data: data.to_vec() }),
            _ => Err(GroupError::Malformed),
        }
    }

    fn on_commit(&mut self, now: u64, commit: &[u8], invite_psk: Option<&[u8]>) -> Result<Inbound, GroupError> {
        if self.pending.as_ref().is_some_and(|pending| pending.commit == commit) {
            return self.merge_own();
        }
        let message = self.admissible(commit, ContentType::Commit)?;
        let brought = match invite_psk {
            Some(bytes) => self.take_psk(bytes)?,
            None => None,
        };
        let outcome = self.merge_other(now, message, brought.as_ref().map(|(sender, _)| *sender));
        if let Some((_, psk)) = brought {
            self.forget_psk(psk.psk())?;
        }
        outcome
    }

    /// The echo of the pending commit, byte for byte.
    fn merge_own(&mut self) -> Result<Inbound, GroupError> {
        let before = self.leaves()?;
        self.pass_epoch()?;
        let pending = self.pending.take();
        self.group.merge_pending_commit(&self.provider).map_err(|_failed| GroupError::Backend)?;
        if let Some(Pending { psk, policy, .. }) = pending {
            psk.map_or(Ok(()), |psk| self.forget_psk(&psk))?;
            self.policy = policy.unwrap_or_else(|| self.policy.clone());
        }
        self.epoch_reached(&before, true)
    }

    fn merge_other(
        &mut self,
        now: u64,
        message: ProtocolMessage,
        brought_by: Option<LeafIndex>,
    ) -> Result<Inbound, GroupError> {
        let processed = self.group.process_message(&self.provider, message).map_err(blame)?;
        let (sender, attached) = (processed.sender().clone(), processed.aad().to_vec());
        let staged = match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => staged,
            // In our name, but not the commit that is pending.
            ProcessedMessageContent::OwnPrivateMessage | ProcessedMessageContent::OwnPendingCommit => {
                return Err(GroupError::ForgedEcho);
            }
            _ => return self.refuse(&sender, PolicyViolation::ForbiddenProposal),
        };
        let before = self.leaves()?;
        let (policy, group_id, epoch) = (&self.policy, self.group_id, self.epoch());
        let (deny, crypto) = (self.deny.as_ref(), self.provider.crypto());
        let rules = Before { policy, group_id, leaves: &before, epoch, now, deny, crypto };
        let beside = Beside { brought_by, attached: &attached };
        let policy = match check_commit(&rules, &sender, &staged, &beside) {
            Ok(policy) => policy,
            Err(violation) => return self.refuse(&sender, violation),
        };
        // Whoever loses a race drops its own commit with its key.
        self.abandon_pending();
        self.pass_epoch()?;
        self.group.merge_staged_commit(&self.provider, *staged).map_err(|_failed| GroupError::Backend)?;
        self.policy = policy;
        self.epoch_reached(&before, false)
    }

    /// A member's commit broke a rule: the group moves on without this client, which must not go
    /// on in the old epoch as if nothing had happened.
    fn refuse(&mut self, sender: &Sender, violation: PolicyViolation) -> Result<Inbound, GroupError> {
        let committer = match sender {
            Sender::Member(index) => LeafIndex::new(index.u32()),
            _ => None,
        };
        self.over = committer.is_some();
        Err(GroupError::Refused { committer, violation })
    }

    fn epoch_reached(&mut self, before: &[Leaf], own: bool) -> Result<Inbound, GroupError> {
        if !self.group.is_active() {
            self.over = true;
            let removed = vec![self.own_leaf()];
            return Ok(Inbound::Epoch { own, added: vec![], removed, self_removed: true });
        }
        let after = self.leaves()?;
        let missing = |from: &[Leaf], other: &[Leaf]| {
            let absent = |leaf: &&Leaf| !other.iter().any(|known| known.index == leaf.index && known.key == leaf.key);
            from.iter().filter(absent).map(|leaf| leaf.index).collect()
        };
        let (added, removed) = (missing(&after, before), missing(before, &after));
        Ok(Inbound::Epoch { own, added, removed, self_removed: false })
    }

    /// Parses what may reach OpenMLS at all: a PrivateMessage of this group, this epoch and the
    /// expected content type.
    fn admissible(&self, bytes: &[u8], content: ContentType) -> Result<ProtocolMessage, GroupError> {
        if bytes.len() > MAX_GROUP_MESSAGE {
            return Err(GroupError::TooLong);
        }
        let message: MlsMessageIn = read_tls(bytes).ok_or(GroupError::Malformed)?;
        let message: ProtocolMessage = match message.extract() {
            MlsMessageBodyIn::PrivateMessage(message) => message.into(),
            // A stranger's commit or proposal can only be a PublicMessage: OpenMLS never sees it.
            MlsMessageBodyIn::PublicMessage(message) => {
                let violation = match message.content_type() {
                    ContentType::Commit => PolicyViolation::ExternalCommit,
                    _ => PolicyViolation::StandaloneProposal,
                };
                return Err(GroupError::Refused { committer: None, violation });
            }
            _ => return Err(GroupError::Malformed),
        };
        if message.group_id().as_slice() != self.group_id.as_bytes() {
            return Err(GroupError::WrongGroup);
        }
        let epoch = message.epoch().as_u64();
        if epoch < self.epoch() {
            return Err(GroupError::PastEpoch);
        }
        if epoch > self.epoch() {
            return Err(GroupError::FutureEpoch);
        }
        match message.content_type() {
            found if found == content => Ok(message),
            ContentType::Proposal => {
                Err(GroupError::Refused { committer: None, violation: PolicyViolation::StandaloneProposal })
            }
            _ => Err(GroupError::Malformed),
        }
    }

    /// Opens an application message; `None` for an own one.
    fn open_application(&mut self, message: ProtocolMessage) -> Result<Option<Opened>, GroupError> {
        let processed = self.group.process_message(&self.provider, message).map_err(blame)?;
        let sender = match processed.sender() {
            Sender::Member(index) => LeafIndex::new(index.u32()).ok_or(GroupError::Malformed)?,
            _ => return Err(GroupError::Malformed),
        };
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Ok(Some((sender, Zeroizing::new(message.into_bytes()))))
            }
            ProcessedMessageContent::OwnPrivateMessage => Ok(None),
            _ => Err(GroupError::Malformed),
        }
    }

    /// Takes the pre-shared key beside a commit; it is wiped when the commit has been processed.
    pub(super) fn take_psk(&mut self, bytes: &[u8]) -> Result<Option<(LeafIndex, PreSharedKeyId)>, GroupError> {
        let message = self.admissible(bytes, ContentType::Application)?;
        let Some((sender, content)) = self.open_application(message)? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&content);
        let mut read = || {
            let kind = reader.u8()?;
            let id = reader.bytes(128)?;
            let psk = Secret::from_slice(reader.take(32)?)?;
            reader.end()?;
            (kind == KIND_INVITE_PSK).then_some((id, psk))
        };
        let (id, psk) = read().ok_or(GroupError::Malformed)?;
        Ok(Some((sender, external_psk(&self.provider, id, &psk)?)))
    }
}

/// Sender and content of an application message.
type Opened = (LeafIndex, Zeroizing<Vec<u8>>);

/// Whose fault a failure of OpenMLS' intake is.
fn blame<E>(error: ProcessMessageError<E>) -> GroupError {
    match error {
        ProcessMessageError::InvalidCommit(StageCommitError::PskError(PskError::KeyNotFound)) => GroupError::MissingPsk,
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(MessageDecryptionError::AeadError)) => {
            GroupError::Undecryptable
        }
        ProcessMessageError::StorageError(_) => GroupError::Backend,
        _ => GroupError::Undecryptable,
    }
}

/// Names an external pre-shared key as OpenMLS stores it.
pub(super) fn stored_psk(id: &[u8]) -> Psk {
    Psk::External(ExternalPsk::new(id.to_vec()))
}
