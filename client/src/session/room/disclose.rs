//! What is left of an assessor call for the assessor.

use crypto::{CallMode, Heartbeat, LeafIndex};

use super::Room;
use crate::disclosure::{GroupDisclosure, HeardCommitment};

/// Commitments that are kept: as many as a call of 16 members has in 8 hours with a new epoch every 15 s.
const COMMITMENTS: usize = 1 << 15;

impl Room {
    /// Notes what a member committed to, in assessor mode only. One is enough: another for the same epoch is another fact.
    pub(super) fn note_commitment(&mut self, sender: LeafIndex, heard: &Heartbeat) {
        let noted = HeardCommitment { epoch: heard.epoch, sender, commitment: heard.commitment };
        let assessor = self.group.mode() == CallMode::Assessor;
        if assessor && self.commitments.len() < COMMITMENTS && !self.commitments.contains(&noted) {
            self.commitments.push(noted);
        }
    }

    /// Ends the group. Gives its keys if it was made to disclose them, else nothing, ever.
    pub(in crate::session) fn into_disclosure(self) -> Option<Box<GroupDisclosure>> {
        let own_leaf = self.group.own_leaf();
        let keys = self.group.into_disclosure().ok()?;
        Some(Box::new(GroupDisclosure { keys, own_leaf, commitments: self.commitments }))
    }
}
