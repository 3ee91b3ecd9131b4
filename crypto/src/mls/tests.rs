//! The group as its members see it.

use std::time::Duration;

use super::*;
use crate::{
    CallId, CallMode, KeyRing, MediaContext,
    error::{GroupError, IdentityError, PolicyViolation},
    id::{CallRole, LeafIndex},
    testing::{Clinic, NOW, deliver, handle},
};

pub(super) fn leaf(index: u32) -> LeafIndex {
    LeafIndex::new(index).unwrap()
}

pub(super) fn application(member: &mut CallGroup, body: &[u8]) -> Result<Inbound, GroupError> {
    member.handle(NOW, LogEntry::Application { body })
}

pub(super) fn commit(member: &mut CallGroup, commit: &[u8]) -> Result<Inbound, GroupError> {
    member.handle(NOW, LogEntry::Commit { commit, invite_psk: None })
}

pub(super) fn refused(committer: Option<u32>, violation: PolicyViolation) -> Result<Inbound, GroupError> {
    Err(GroupError::Refused { committer: committer.map(leaf), violation })
}

/// Everybody is in the same epoch and sees the same group.
pub(super) fn agree(members: &[CallGroup]) -> bool {
    members.windows(2).all(|pair| pair[0].authenticator() == pair[1].authenticator())
}

#[test]
fn a_guest_joins_and_both_hear_each_other() {
    let mut members = Clinic::new().full_call(1);
    assert!(agree(&members));
    let [host, guest] = &mut members[..] else { unreachable!() };
    assert_eq!((host.epoch(), guest.epoch()), (1, 1));
    let (epoch, body) = host.seal(b"offer").unwrap();
    assert_eq!(epoch, 1);
    assert_eq!(application(host, &body), Ok(Inbound::Echo));
    let heard = Inbound::Application { sender: leaf(0), data: b"offer".to_vec() };
    assert_eq!(application(guest, &body), Ok(heard));

    let mut ours = host.media_keys().unwrap().into_parts().0;
    let mut ring = KeyRing::new();
    ring.install(guest.media_keys().unwrap().into_parts().1, Duration::ZERO, Duration::ZERO);
    let frame = ours.audio.seal(b"voice".to_vec()).unwrap().into_vec();
    let opened = ring.open(leaf(0), MediaContext::Audio, frame, Duration::ZERO).unwrap();
    assert_eq!(opened.as_bytes(), b"voice");
}

#[test]
fn media_keys_are_given_once_per_epoch() {
    let mut call = Clinic::new().call();
    assert!(call.media_keys().is_ok());
    assert_eq!(call.media_keys().unwrap_err(), GroupError::KeysTaken);
    let bundle = call.update().unwrap();
    handle(&mut call, &bundle).unwrap();
    assert_eq!(call.media_keys().unwrap().epoch(), 1);
}

#[test]
fn the_roster_shows_role_name_and_who_vouches() {
    let members = Clinic::new().full_call(1);
    let roster = members[1].members();
    assert_eq!(roster.len(), 2);
    assert_eq!(roster[0].name.as_deref(), Some("Dr Ada Example"));
    assert_eq!((roster[0].role, roster[0].vouched), (CallRole::Host, Vouched::Practice));
    assert_eq!((roster[1].role, roster[1].vouched), (CallRole::Patient, Vouched::Invitation));
    assert!(roster[1].own && !roster[0].own && roster[1].name.is_none());
}

#[test]
fn five_members_join_update_and_leave_in_agreement() {
    let mut members = Clinic::new().full_call(4);
    assert!(agree(&members));
    let bundle = members[3].update().unwrap();
    deliver(&mut members, &bundle);
    assert!(agree(&members));
    let bundle = members[0].remove(leaf(2)).unwrap();
    for (at, member) in members.iter_mut().enumerate() {
        let expected = if at == 2 {
            Inbound::Epoch { own: false, added: vec![], removed: vec![leaf(2)], self_removed: true }
        } else {
            Inbound::Epoch { own: at == 0, added: vec![], removed: vec![leaf(2)], self_removed: false }
        };
        assert_eq!(handle(member, &bundle), Ok(expected));
    }
    let mut gone = members.remove(2);
    assert!(agree(&members) && !gone.is_active());
    assert_eq!(gone.seal(b"x").unwrap_err(), GroupError::Inactive);
    assert_eq!(gone.media_keys().unwrap_err(), GroupError::Inactive);
    let (_, body) = members[0].seal(b"after").unwrap();
    assert_eq!(application(&mut gone, &body), Err(GroupError::Inactive));
}

#[test]
fn a_removed_member_cannot_open_the_next_frame() {
    let mut members = Clinic::new().full_call(2);
    let mut gone = KeyRing::new();
    gone.install(members[2].media_keys().unwrap().into_parts().1, Duration::ZERO, Duration::ZERO);
    let bundle = members[0].remove(leaf(2)).unwrap();
    deliver(&mut members, &bundle);
    let mut keys = members[0].media_keys().unwrap().into_parts().0;
    let frame = keys.audio.seal(b"voice".to_vec()).unwrap().into_vec();
    assert!(gone.open(leaf(0), MediaContext::Audio, frame, Duration::ZERO).is_err());
}

#[test]
fn a_reused_leaf_shows_as_removed_and_added() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let bundle = members[0].remove(leaf(1)).unwrap();
    deliver(&mut members, &bundle);
    let (_, mut guest, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    let added = Inbound::Epoch { own: true, added: vec![leaf(1)], removed: vec![], self_removed: false };
    assert_eq!(handle(&mut members[0], &bundle), Ok(added));
    assert_eq!(guest.join(NOW, &bundle.welcome.unwrap()).unwrap().own_leaf(), leaf(1));
}

#[test]
fn messages_and_welcomes_are_padded() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(2);
    let lengths: Vec<_> = [1, 60, 100].map(|length| members[0].seal(&vec![0; length]).unwrap().1.len()).into();
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[0], lengths[2]);
    let (_, _, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    assert_eq!(bundle.welcome.unwrap().len() % 4096, 0);
}

#[test]
fn the_loser_of_a_race_takes_the_winners_commit_and_admits_again() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let (_, mut guest, verified) = clinic.lobby(&members[0]);
    let lost = members[0].admit(&verified).unwrap();
    assert_eq!(members[0].update().unwrap_err(), GroupError::CommitPending);
    let won = members[1].update().unwrap();
    deliver(&mut members, &won);
    assert!(!members[0].is_pending() && agree(&members));
    assert_eq!(handle(&mut members[1], &lost), Err(GroupError::PastEpoch));
    let again = members[0].admit(&verified).unwrap();
    assert_eq!(again.epoch, 2);
    deliver(&mut members, &again);
    members.push(guest.join(NOW, &again.welcome.unwrap()).unwrap());
    assert!(agree(&members));
}

#[test]
fn an_abandoned_commit_is_not_merged_by_its_echo() {
    let mut call = Clinic::new().call();
    let bundle = call.update().unwrap();
    call.abandon_pending();
    assert_eq!(handle(&mut call, &bundle), Err(GroupError::ForgedEcho));
    assert_eq!(call.epoch(), 0);
}

#[test]
fn the_same_commit_twice_is_a_past_epoch() {
    let mut members = Clinic::new().full_call(1);
    let bundle = members[0].update().unwrap();
    deliver(&mut members, &bundle);
    for member in &mut members {
        assert_eq!(handle(member, &bundle), Err(GroupError::PastEpoch));
    }
}

#[test]
fn a_missing_commit_is_a_future_epoch() {
    let mut members = Clinic::new().full_call(1);
    let first = members[0].update().unwrap();
    handle(&mut members[0], &first).unwrap();
    let (_, body) = members[0].seal(b"early").unwrap();
    assert_eq!(application(&mut members[1], &body), Err(GroupError::FutureEpoch));
    handle(&mut members[1], &first).unwrap();
    assert!(application(&mut members[1], &body).is_ok());
}

#[test]
fn a_message_of_a_past_epoch_is_not_opened() {
    let mut members = Clinic::new().full_call(1);
    let (_, body) = members[0].seal(b"late").unwrap();
    let bundle = members[0].update().unwrap();
    deliver(&mut members, &bundle);
    assert_eq!(application(&mut members[1], &body), Err(GroupError::PastEpoch));
}

#[test]
fn the_same_guest_is_not_admitted_twice() {
    let clinic = Clinic::new();
    let mut members = vec![clinic.call()];
    let (_, _, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    assert!(matches!(members[0].admit(&verified), Err(GroupError::Refused { committer: None, .. })));
    assert!(!members[0].is_pending());
}

#[test]
fn a_guest_of_another_group_is_not_admitted() {
    let clinic = Clinic::new();
    let (_, _, verified) = clinic.lobby(&clinic.call());
    assert_eq!(clinic.call().admit(&verified).unwrap_err(), GroupError::WrongGroup);
}

#[test]
fn the_seventeenth_member_is_refused() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(15);
    assert!(agree(&members));
    assert_eq!(members[15].own_leaf(), leaf(15));
    let (_, _, verified) = clinic.lobby(&members[0]);
    let full = GroupError::Refused { committer: None, violation: PolicyViolation::TooManyMembers };
    assert_eq!(members[0].admit(&verified).unwrap_err(), full);
}

#[test]
fn a_host_removes_neither_itself_nor_nobody() {
    let mut members = Clinic::new().full_call(1);
    assert_eq!(members[0].remove(leaf(0)).unwrap_err(), GroupError::NoSuchMember);
    assert_eq!(members[0].remove(leaf(5)).unwrap_err(), GroupError::NoSuchMember);
}

#[test]
fn a_call_needs_the_devices_own_valid_certificate() {
    let (clinic, other) = (Clinic::new(), Clinic::new());
    let terms = CallTerms { call_id: CallId::from_bytes([1; 16]), mode: CallMode::Real };
    let foreign = CallGroup::create(NOW, &clinic.device, &other.certificate, terms).unwrap_err();
    assert_eq!(foreign, GroupError::Certificate(IdentityError::BadTerms));
    let late = clinic.certificate.not_after() + 1;
    let expired = CallGroup::create(late, &clinic.device, &clinic.certificate, terms).unwrap_err();
    assert_eq!(expired, GroupError::Certificate(IdentityError::Expired));
}
