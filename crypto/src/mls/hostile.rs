//! The group as its attackers see it: strangers, guests, the relay, and a host gone wrong.

use super::{
    tests::{agree, application, commit, leaf, refused},
    *,
};
use crate::{
    error::{GroupError, PolicyViolation},
    testing::{Clinic, deliver, handle},
};

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
        (Crafted::ChangeHosts, PolicyViolation::PolicyChanged),
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
