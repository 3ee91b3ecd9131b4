//! Heartbeats: what a member says of its group over paths that the log cannot cut.
//!
//! A message from another fork does not decrypt, so the log alone never shows a fork. Each member
//! therefore signs, with its leaf key, what it sees; the statement is checked outside MLS, so it
//! may arrive by the log as well as over a peer's own association.
//!
//! ```text
//! profile u16 | group id 16 | leaf u8 | sequence u64 | epoch u64 | authenticator 48
//! | roster 48 | commitment 48 | sealed: audio u64, video u64, screen u64, data u64 | signature 64
//! ```
//!
//! | the statement's epoch is | and | verdict |
//! | --- | --- | --- |
//! | ours | authenticator and roster are ours | `Agrees` |
//! | ours | either is another | `Partition` |
//! | one of our last 16 | both are what we had there | `Older` |
//! | one of our last 16 | either is another | `Partition` |
//! | before that, or before our join | cannot be compared | `Older` |
//! | later | cannot be compared yet | `Newer`: a commit is withheld, or still on its way |
//!
//! What can be verified is that a leaf **in our tree** signed it. A member who came in by a commit
//! that we do not have is `NoSuchMember` for us; the others' `Newer` tells of it. Whether the
//! epoch exists nobody outside it can verify: a member may lie, and only a host's word should
//! stop the sealing.

use std::collections::{BTreeMap, VecDeque};

use super::{group::CallGroup, policy::Leaf};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::{GroupError, HeartbeatError},
    id::LeafIndex,
    identity::verify_parts,
    kdf::hash,
    sframe::SenderKeys,
};

const LABEL: &str = "heartbeat";
/// The one length of a heartbeat, in bytes.
const LENGTH: usize = 2 + 16 + 1 + 8 + 8 + 3 * 48 + 4 * 8 + SIGNATURE;
const SIGNATURE: usize = 64;
/// Epochs that are remembered for comparison.
///
/// More shows a fork to members who fell further behind; fewer costs 104 bytes less each.
const PAST_EPOCHS: usize = 16;

/// Frames that a sender sealed in its current epoch, by stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaCounters {
    /// Voice.
    pub audio: u64,
    /// Camera.
    pub video: u64,
    /// Shared screen.
    pub screen: u64,
    /// Everything else.
    pub data: u64,
}

impl From<&SenderKeys> for MediaCounters {
    fn from(keys: &SenderKeys) -> Self {
        Self {
            audio: keys.audio.sealed(),
            video: keys.video.sealed(),
            screen: keys.screen.sealed(),
            data: keys.data.sealed(),
        }
    }
}

/// What a heartbeat means for the group that this client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatVerdict {
    /// The sender sees the same group in the same epoch.
    Agrees,
    /// The sender is still, or was when it sent, in this earlier epoch.
    Older(u64),
    /// The sender is in this later epoch: a commit is being withheld or is on its way. From a
    /// host's association: ask the log, seal nothing after 1 s without it.
    Newer(u64),
    /// The same epoch with another secret or another roster: the group was split. Stop sending
    /// and tell the people.
    Partition,
}

/// A heartbeat that verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// What it means.
    pub verdict: HeartbeatVerdict,
    /// The epoch that the sender is in.
    pub epoch: u64,
    /// Frames that the sender sealed in that epoch.
    pub counters: MediaCounters,
    /// SHA-384 over key ids, keys and salts of the sender's streams in that epoch.
    pub commitment: [u8; 48],
}

/// What a member keeps of its own heartbeats and of the others'.
#[derive(Default)]
pub(super) struct Heartbeats {
    sent: u64,
    /// Last sequence number by leaf signature key: indices are reused, keys are not.
    heard: BTreeMap<[u8; 32], u64>,
    past: VecDeque<View>,
}

/// One epoch as a member sees it.
#[derive(PartialEq, Eq)]
struct View {
    epoch: u64,
    authenticator: [u8; 48],
    roster: [u8; 48],
}

impl CallGroup {
    /// What this client sees, signed with its leaf key, 275 bytes: for the log, through
    /// [`seal`](Self::seal), and for every peer's own association. `counters` are those of the
    /// [`SenderKeys`] of the current epoch.
    ///
    /// # Errors
    /// [`GroupError::Inactive`], [`GroupError::Backend`].
    pub fn heartbeat(&mut self, counters: MediaCounters) -> Result<Vec<u8>, GroupError> {
        self.ready()?;
        let view = self.view()?;
        let commitment = self.own_commitment()?;
        self.heartbeats.sent += 1;
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.group_id.as_bytes());
        bytes.put_u8(self.own_leaf().as_u8());
        bytes.put_u64(self.heartbeats.sent);
        bytes.put_u64(view.epoch);
        bytes.put(&view.authenticator);
        bytes.put(&view.roster);
        bytes.put(&commitment);
        let MediaCounters { audio, video, screen, data } = counters;
        [audio, video, screen, data].into_iter().for_each(|counter| bytes.put_u64(counter));
        let signature = self.leaf_key.sign_parts(LABEL, &[&bytes])?;
        bytes.put(&signature);
        Ok(bytes)
    }

    /// Checks a heartbeat that came from `sender`: by the log, or over the association that is
    /// bound to that leaf.
    ///
    /// The copy that comes by the other path is [`HeartbeatError::Replayed`]: drop it.
    ///
    /// # Errors
    /// [`HeartbeatError`]: the bytes say nothing about the sender's group.
    pub fn check_heartbeat(&mut self, sender: LeafIndex, bytes: &[u8]) -> Result<Heartbeat, HeartbeatError> {
        self.ready().map_err(|_over| HeartbeatError::Inactive)?;
        let statement = Statement::read(bytes).ok_or(HeartbeatError::Malformed)?;
        if statement.group_id != *self.group_id.as_bytes() {
            return Err(HeartbeatError::WrongGroup);
        }
        let leaves = self.leaves().map_err(|_damaged| HeartbeatError::NoSuchMember)?;
        let leaf = leaves.iter().find(|leaf| leaf.index == sender && sender != self.own_leaf());
        let leaf = leaf.ok_or(HeartbeatError::NoSuchMember)?;
        let signed = verify_parts(&leaf.key, LABEL, &[statement.signed], statement.signature).is_ok();
        let moved = statement.leaf != sender.as_u8();
        if !signed {
            return Err(if moved { HeartbeatError::WrongSender } else { HeartbeatError::BadSignature });
        }
        let heard = &mut self.heartbeats.heard;
        heard.retain(|key, _| leaves.iter().any(|leaf| leaf.key == *key));
        if heard.get(&leaf.key).is_some_and(|last| statement.sequence <= *last) {
            return Err(HeartbeatError::Replayed);
        }
        heard.insert(leaf.key, statement.sequence);
        let own = self.view().map_err(|_damaged| HeartbeatError::Inactive)?;
        // The same key at another leaf: there is a tree in which it was placed there.
        let verdict = if moved { HeartbeatVerdict::Partition } else { self.compare(&own, &statement.view) };
        let Statement { view: View { epoch, .. }, counters, commitment, .. } = statement;
        Ok(Heartbeat { verdict, epoch, counters, commitment })
    }

    fn compare(&self, own: &View, theirs: &View) -> HeartbeatVerdict {
        if theirs.epoch > own.epoch {
            return HeartbeatVerdict::Newer(theirs.epoch);
        }
        let mut known = self.heartbeats.past.iter().chain([own]);
        match known.find(|view| view.epoch == theirs.epoch) {
            Some(view) if view != theirs => HeartbeatVerdict::Partition,
            Some(_) if theirs.epoch == own.epoch => HeartbeatVerdict::Agrees,
            _ => HeartbeatVerdict::Older(theirs.epoch),
        }
    }

    /// Remembers the current epoch before a commit ends it.
    pub(super) fn pass_epoch(&mut self) -> Result<(), GroupError> {
        let view = self.view()?;
        let past = &mut self.heartbeats.past;
        if past.len() >= PAST_EPOCHS {
            past.pop_front();
        }
        past.push_back(view);
        Ok(())
    }

    fn view(&self) -> Result<View, GroupError> {
        let roster = roster_hash(&self.leaves()?);
        Ok(View { epoch: self.epoch(), authenticator: self.authenticator(), roster })
    }
}

/// SHA-384 over index, signature key and credential of every leaf, in the order of the tree.
fn roster_hash(leaves: &[Leaf]) -> [u8; 48] {
    let lines: Vec<_> =
        leaves.iter().map(|leaf| [&[leaf.index.as_u8()], &leaf.key[..], &leaf.credential.encode()].concat()).collect();
    let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
    hash("roster", &lines)
}

struct Statement<'a> {
    group_id: [u8; 16],
    leaf: u8,
    sequence: u64,
    view: View,
    commitment: [u8; 48],
    counters: MediaCounters,
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Statement<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() != LENGTH {
            return None;
        }
        let (signed, signature) = bytes.split_at_checked(LENGTH - SIGNATURE)?;
        let mut reader = Reader::new(signed);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let (group_id, leaf, sequence) = (reader.array()?, reader.u8()?, reader.u64()?);
        let view = View { epoch: reader.u64()?, authenticator: reader.array()?, roster: reader.array()? };
        let commitment = reader.array()?;
        let counters =
            MediaCounters { audio: reader.u64()?, video: reader.u64()?, screen: reader.u64()?, data: reader.u64()? };
        reader.end()?;
        Some(Self { group_id, leaf, sequence, view, commitment, counters, signed, signature })
    }
}

#[cfg(test)]
mod tests;
