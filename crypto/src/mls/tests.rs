//! The group as its members and its attackers see it.

use std::time::Duration;

use super::*;
use crate::{
    CallId, CallMode, KeyRing, MediaContext,
    error::{GroupError, IdentityError, PolicyViolation},
    id::{CallRole, LeafIndex},
    testing::{Clinic, NOW, deliver, handle},
};

fn leaf(index: u32) -> LeafIndex {
    LeafIndex::new(index).unwrap()
}

fn application(member: &mut CallGroup, body: &[u8]) -> Result<Inbound, GroupError> {
    member.handle(NOW, LogEntry::Application { body })
}

fn commit(member: &mut CallGroup, commit: &[u8]) -> Result<Inbound, GroupError> {
    member.handle(NOW, LogEntry::Commit { commit, invite_psk: None })
}

fn refused(committer: Option<u32>, violation: PolicyViolation) -> Result<Inbound, GroupError> {
    Err(GroupError::Refused { committer: committer.map(leaf), violation })
}

/// Everybody is in the same epoch and sees the same group.
fn agree(members: &[CallGroup]) -> bool {
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
fn an_echo_with_a_changed_byte_is_not_merged() {
    let mut call = Clinic::new().call();
    let mut bundle = call.update().unwrap();
    *bundle.commit.last_mut().unwrap() ^= 1;
    assert!(handle(&mut call, &bundle).is_err());
    assert!(call.is_pending() && call.epoch() == 0);
    *bundle.commit.last_mut().unwrap() ^= 1;
    assert!(handle(&mut call, &bundle).is_ok());
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
fn replayed_and_altered_messages_do_not_open() {
    let mut members = Clinic::new().full_call(1);
    let (_, body) = members[0].seal(b"once").unwrap();
    for at in 0..body.len() {
        let mut altered = body.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(application(&mut members[1], &altered).is_err(), "byte {at}");
        assert!(application(&mut members[1], &body[..at]).is_err(), "{at} bytes");
    }
    assert!(application(&mut members[1], &body).is_ok());
    assert_eq!(application(&mut members[1], &body), Err(GroupError::Undecryptable));
}

#[test]
fn an_altered_commit_is_not_merged_and_the_true_one_still_is() {
    let mut members = Clinic::new().full_call(1);
    let bundle = members[0].update().unwrap();
    for at in (0..bundle.commit.len()).step_by(7).chain(0..64) {
        let mut altered = bundle.commit.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(commit(&mut members[1], &altered).is_err(), "byte {at}");
        assert!(commit(&mut members[1], &bundle.commit[..at]).is_err(), "{at} bytes");
    }
    deliver(&mut members, &bundle);
    assert!(agree(&members));
}

#[test]
fn a_message_of_another_call_is_refused() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let mut others = clinic.full_call(1);
    let (_, body) = others[0].seal(b"x").unwrap();
    assert_eq!(application(&mut members[1], &body), Err(GroupError::WrongGroup));
}

#[test]
fn noise_and_oversized_messages_are_refused() {
    let mut call = Clinic::new().call();
    assert_eq!(application(&mut call, b""), Err(GroupError::Malformed));
    assert_eq!(application(&mut call, &[0xff; 900]), Err(GroupError::Malformed));
    let huge = vec![0; crate::MAX_GROUP_MESSAGE + 1];
    assert_eq!(commit(&mut call, &huge), Err(GroupError::TooLong));
    assert_eq!(call.seal(&huge).unwrap_err(), GroupError::TooLong);
    assert!(call.is_active());
}

#[test]
fn a_strangers_external_commit_is_refused_although_openmls_takes_it() {
    let mut members = Clinic::new().full_call(1);
    let forged = external_commit(&members[1]);
    assert_eq!(commit(&mut members[0], &forged), refused(None, PolicyViolation::ExternalCommit));
    assert!(members[0].is_active() && members[0].epoch() == 1);
    assert!(openmls_accepts(&mut members[0], &forged));
}

#[test]
fn a_guest_may_update_but_neither_add_nor_remove() {
    let mut members = Clinic::new().full_call(2);
    assert_eq!(members[1].remove(leaf(2)).unwrap_err(), GroupError::NotAHost);
    for crafted in [Crafted::AddStranger, Crafted::Remove(leaf(0)), Crafted::Remove(leaf(2)), Crafted::ChangeHosts] {
        let mut members = Clinic::new().full_call(2);
        let forged = craft(&mut members[1], &crafted);
        let expected = refused(Some(1), PolicyViolation::NotAHost);
        assert_eq!(commit(&mut members[0], &forged), expected, "{crafted:?}");
        assert!(!members[0].is_active(), "a refused commit ends the call for this client");
        assert_eq!(members[0].media_keys().unwrap_err(), GroupError::Inactive);
    }
}

#[test]
fn a_guest_cannot_admit_even_a_verified_guest() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let (_, _, verified) = clinic.lobby(&members[0]);
    assert_eq!(members[1].admit(&verified).unwrap_err(), GroupError::NotAHost);
    let forged = craft(&mut members[1], &Crafted::AddWithoutPsk(&verified));
    assert_eq!(commit(&mut members[0], &forged), refused(Some(1), PolicyViolation::NotAHost));
}

#[test]
fn even_a_host_cannot_break_the_rules() {
    let clinic = Clinic::new();
    let cases = [
        (Crafted::AddStranger, PolicyViolation::WrongPsk),
        (Crafted::AddTwo, PolicyViolation::TooManyMembers),
        (Crafted::ChangeMode, PolicyViolation::PolicyChanged),
        (Crafted::DropPolicy, PolicyViolation::PolicyChanged),
        (Crafted::ChangeCredential, PolicyViolation::CredentialChanged),
        (Crafted::ChangeKey, PolicyViolation::CredentialChanged),
    ];
    for (crafted, violation) in cases {
        let mut members = clinic.full_call(1);
        let forged = craft(&mut members[0], &crafted);
        assert_eq!(commit(&mut members[1], &forged), refused(Some(0), violation), "{crafted:?}");
    }
}

#[test]
fn an_invited_guest_is_not_added_without_its_own_key() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let (_, _, verified) = clinic.lobby(&members[0]);
    let forged = craft(&mut members[0], &Crafted::AddWithOtherPsk(&verified));
    assert_eq!(commit(&mut members[1], &forged), Err(GroupError::MissingPsk));
    let forged = craft(&mut members[0], &Crafted::AddWithoutPsk(&verified));
    assert_eq!(commit(&mut members[1], &forged), refused(Some(0), PolicyViolation::WrongPsk));
}

#[test]
fn a_host_may_change_the_list_of_hosts() {
    let mut members = Clinic::new().full_call(1);
    let changed = craft(&mut members[0], &Crafted::ChangeHosts);
    assert!(commit(&mut members[1], &changed).is_ok());
    assert_eq!(members[1].policy.hosts.len(), 1);
}

#[test]
fn a_commit_whose_key_was_stripped_waits_for_it() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let (_, _, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    assert!(bundle.invite_psk.is_some());
    assert_eq!(commit(&mut members[1], &bundle.commit), Err(GroupError::MissingPsk));
    assert!(members[1].is_active() && members[1].epoch() == 1);
    deliver(&mut members, &bundle);
    assert!(agree(&members));
}

#[test]
fn a_key_beside_a_commit_must_come_from_its_committer() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(2);
    let (_, _, verified) = clinic.lobby(&members[0]);
    let mut bundle = members[0].admit(&verified).unwrap();
    let id = verified.psk_id();
    let mut content = vec![1, 0, id.len() as u8];
    content.extend_from_slice(&id);
    content.extend_from_slice(verified.psk().expose());
    bundle.invite_psk = Some(raw_application(&mut members[1], &content));
    assert_eq!(handle(&mut members[2], &bundle), refused(Some(0), PolicyViolation::WrongPsk));
}

#[test]
fn a_key_in_an_application_message_is_refused() {
    let mut members = Clinic::new().full_call(1);
    for content in [&[1, 2, 3][..], &[], &[9, 9]] {
        let body = raw_application(&mut members[0], content);
        assert_eq!(application(&mut members[1], &body), Err(GroupError::Malformed));
    }
}

#[test]
fn a_proposal_on_its_own_is_refused() {
    let mut members = Clinic::new().full_call(2);
    let forged = craft(&mut members[1], &Crafted::Proposal(leaf(2)));
    let expected = refused(None, PolicyViolation::StandaloneProposal);
    assert_eq!(commit(&mut members[0], &forged), expected);
    assert_eq!(application(&mut members[0], &forged), expected);
    assert!(members[0].is_active());
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
    let assessor = CallTerms { mode: CallMode::Assessor, ..terms };
    let refused = CallGroup::create(NOW, &clinic.device, &clinic.certificate, assessor).unwrap_err();
    let violation = PolicyViolation::AssessorMode;
    assert_eq!(refused, GroupError::Refused { committer: None, violation });
}
