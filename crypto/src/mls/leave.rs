//! Leaving: a member signs that it wants to go, and whoever holds that may commit its Remove.
//!
//! ```text
//! profile u16 | group id 16 | epoch u64 | leaf u8 | signature 64
//! ```
//!
//! A member cannot remove itself (RFC 9420 §12.2), and a host may be away. The request travels as
//! an application message; it is worth nothing for another leaf, another group, or the next owner
//! of the same leaf, whose signature key is another.

use super::{attached::Attached, group::CallGroup, policy::Leaf};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::GroupError,
    id::{GroupId, LeafIndex},
    identity::verify_parts,
    mls::Bundle,
};

const LABEL: &str = "leave request";
/// Epochs for which a request holds, its own included.
///
/// Fewer lets a race outrun it; more lets a request that was thought over be used late.
const LIVES_EPOCHS: u64 = 16;

pub(super) struct LeaveRequest {
    group_id: GroupId,
    epoch: u64,
    leaf: u8,
    signature: [u8; 64],
}

impl LeaveRequest {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.group_id.as_bytes());
        bytes.put_u64(self.epoch);
        bytes.put_u8(self.leaf);
        bytes.put(&self.signature);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let group_id = GroupId::from_bytes(reader.array()?);
        let request = Self { group_id, epoch: reader.u64()?, leaf: reader.u8()?, signature: reader.array()? };
        reader.end()?;
        Some(request)
    }

    /// The member that signed it, if it still stands at its leaf and signed it for this group,
    /// not long ago.
    pub(super) fn leaver(&self, group_id: GroupId, epoch: u64, leaves: &[Leaf]) -> Option<LeafIndex> {
        let age = epoch.checked_sub(self.epoch)?;
        if self.group_id != group_id || age >= LIVES_EPOCHS {
            return None;
        }
        let leaf = leaves.iter().find(|leaf| leaf.index.as_u8() == self.leaf)?;
        let (epoch, index) = (self.epoch.to_be_bytes(), [self.leaf]);
        let parts = [&group_id.as_bytes()[..], &epoch, &index];
        verify_parts(&leaf.key, LABEL, &parts, &self.signature).ok()?;
        Some(leaf.index)
    }
}

impl CallGroup {
    /// Signs that this member wants to leave, 91 bytes, for [`seal`](Self::seal). It holds for 16
    /// epochs, and until the Remove is merged this client still has keys.
    ///
    /// # Errors
    /// [`GroupError::Inactive`], [`GroupError::Backend`].
    pub fn leave_request(&self) -> Result<Vec<u8>, GroupError> {
        self.ready()?;
        let (group_id, epoch, leaf) = (self.group_id, self.epoch(), self.own_leaf().as_u8());
        let parts = [&group_id.as_bytes()[..], &epoch.to_be_bytes(), &[leaf]];
        let signature = self.leaf_key.sign_parts(LABEL, &parts)?;
        Ok(LeaveRequest { group_id, epoch, leaf, signature }.encode())
    }

    /// Commits the Remove of a member that asked for it; any member may. Pending until its echo.
    ///
    /// # Errors
    /// [`GroupError::BadProof`] for a request that `leaf` did not sign for this group in the last
    /// 16 epochs; [`GroupError::NoSuchMember`] for the own leaf;
    /// [`GroupError::CommitPending`], [`GroupError::Inactive`], [`GroupError::Backend`].
    pub fn remove_leaver(&mut self, leaf: LeafIndex, request: &[u8]) -> Result<Bundle, GroupError> {
        self.ready_to_commit()?;
        if leaf == self.own_leaf() {
            return Err(GroupError::NoSuchMember);
        }
        let request = LeaveRequest::decode(request).ok_or(GroupError::BadProof)?;
        if request.leaver(self.group_id, self.epoch(), &self.leaves()?) != Some(leaf) {
            return Err(GroupError::BadProof);
        }
        self.commit_removal(leaf, &Attached::Leave(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::PolicyViolation,
        mls::{
            Crafted, Inbound, craft_attached,
            tests::{agree, commit, leaf, refused},
        },
        testing::{Clinic, deliver, handle},
    };

    #[test]
    fn a_guest_removes_another_guest_that_asked_to_leave() {
        let mut members = Clinic::new().full_call(3);
        let request = members[2].leave_request().unwrap();
        assert_eq!(request.len(), 91);
        let bundle = members[1].remove_leaver(leaf(2), &request).unwrap();
        for (at, member) in members.iter_mut().enumerate() {
            let Inbound::Epoch { removed, self_removed, .. } = handle(member, &bundle).unwrap() else { panic!() };
            assert_eq!((removed, self_removed), (vec![leaf(2)], at == 2));
        }
        members.remove(2);
        assert!(agree(&members));
        assert_eq!(members[1].members().len(), 3);
    }

    #[test]
    fn a_host_that_wants_to_go_is_let_go_by_a_guest() {
        let mut members = Clinic::new().full_call(2);
        let request = members[0].leave_request().unwrap();
        let bundle = members[1].remove_leaver(leaf(0), &request).unwrap();
        deliver(&mut members, &bundle);
        assert!(!members[0].is_active() && members[2].is_active());
    }

    #[test]
    fn a_request_outlives_a_race_but_not_sixteen_epochs() {
        let mut members = Clinic::new().full_call(2);
        let request = members[2].leave_request().unwrap();
        for round in 0..LIVES_EPOCHS {
            let held = members[1].remove_leaver(leaf(2), &request);
            assert!(held.is_ok(), "{round} epochs later");
            members[1].abandon_pending();
            let bundle = members[0].update().unwrap();
            deliver(&mut members, &bundle);
        }
        assert_eq!(members[1].remove_leaver(leaf(2), &request).unwrap_err(), GroupError::BadProof);
        // Its own client would not write the commit; the others would not take it.
        let late = Attached::Leave(LeaveRequest::decode(&request).unwrap());
        let forged = craft_attached(&mut members[1], &Crafted::Remove(leaf(2)), &late.encode());
        assert_eq!(commit(&mut members[0], &forged), refused(Some(1), PolicyViolation::BadProof));
    }

    #[test]
    fn a_request_of_another_leaf_group_or_with_a_changed_byte_is_refused() {
        let clinic = Clinic::new();
        let mut members = clinic.full_call(2);
        let foreign = clinic.full_call(2)[2].leave_request().unwrap();
        let request = members[2].leave_request().unwrap();
        let mut refusals = vec![foreign, request[..90].to_vec(), [&request[..], &[0]].concat()];
        refusals.extend((0..request.len()).map(|at| {
            let mut altered = request.clone();
            altered[at] ^= 1;
            altered
        }));
        for bad in refusals {
            assert_eq!(members[1].remove_leaver(leaf(2), &bad).unwrap_err(), GroupError::BadProof);
            let attached = [&[1], &bad[..]].concat();
            let mut members = clinic.full_call(0);
            let forged = craft_attached(&mut members[0], &Crafted::Update, &attached);
            assert_eq!(Attached::read(&attached).is_some(), LeaveRequest::decode(&bad).is_some());
            assert!(commit(&mut members[0], &forged).is_err());
        }
        assert_eq!(members[1].remove_leaver(leaf(0), &request).unwrap_err(), GroupError::BadProof);
        assert_eq!(members[2].remove_leaver(leaf(2), &request).unwrap_err(), GroupError::NoSuchMember);
        assert!(!members[1].is_pending());
    }

    #[test]
    fn a_guests_commit_does_no_more_than_the_request_says() {
        let clinic = Clinic::new();
        let cases = [
            (Crafted::Remove(leaf(0)), PolicyViolation::BadProof),
            (Crafted::RemoveTwo(leaf(2), leaf(0)), PolicyViolation::BadProof),
            (Crafted::Update, PolicyViolation::BadProof),
            (Crafted::AddStranger, PolicyViolation::NotAHost),
            (Crafted::ChangeHosts, PolicyViolation::NotAHost),
        ];
        for (crafted, violation) in cases {
            let mut members = clinic.full_call(3);
            let attached = [&[1], &members[2].leave_request().unwrap()[..]].concat();
            let forged = craft_attached(&mut members[1], &crafted, &attached);
            assert_eq!(commit(&mut members[0], &forged), refused(Some(1), violation), "{crafted:?}");
        }
    }

    #[test]
    fn a_request_made_up_by_another_member_is_refused_by_everybody() {
        let mut members = Clinic::new().full_call(2);
        let mut request = LeaveRequest::decode(&members[1].leave_request().unwrap()).unwrap();
        request.leaf = 2;
        let attached = Attached::Leave(request).encode();
        let forged = craft_attached(&mut members[1], &Crafted::Remove(leaf(2)), &attached);
        assert_eq!(commit(&mut members[0], &forged), refused(Some(1), PolicyViolation::BadProof));
    }

    #[test]
    fn what_nobody_knows_beside_a_commit_is_refused_even_from_a_host() {
        let mut members = Clinic::new().full_call(1);
        let forged = craft_attached(&mut members[0], &Crafted::Update, &[9, 9]);
        assert_eq!(commit(&mut members[1], &forged), refused(Some(0), PolicyViolation::BadProof));
    }

    #[test]
    fn nothing_stays_attached_to_the_next_commit() {
        let mut members = Clinic::new().full_call(2);
        let request = members[2].leave_request().unwrap();
        members[1].remove_leaver(leaf(2), &request).unwrap();
        members[1].abandon_pending();
        let bundle = members[1].update().unwrap();
        deliver(&mut members, &bundle);
        assert!(agree(&members));
    }
}
