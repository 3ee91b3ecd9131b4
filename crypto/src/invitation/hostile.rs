//! The exchange with somebody in between, and with somebody else at one end.

use super::{tests::a_pair, *};
use crate::{
    CallRole, GroupError, IdentityError, InvitationError, PolicyViolation,
    testing::{Clinic, NOW, card, deliver},
};

#[test]
fn a_knock_without_the_link_costs_no_try() {
    let mut pair = a_pair();
    let (_, foreign, _) = pair.clinic.invite(CallRole::Patient);
    let mut forged = pair.link();
    forged.secret = crate::secret::Secret::from_slice(foreign.secret.expose()).unwrap();
    let message1 = GuestInvitation::new(forged).knock(&pair.code).unwrap();
    let refused = pair.owned.on_knock(NOW, &message1, &pair.call);
    assert_eq!(refused.unwrap_err(), InvitationError::BadLinkProof);
    assert_eq!(pair.owned.tries_left(), 3);
}

#[test]
fn every_changed_byte_of_message_1_is_refused_for_free() {
    let mut pair = a_pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    for at in 0..message1.len() {
        let mut altered = message1.clone();
        altered[at] ^= 1;
        assert!(pair.owned.on_knock(NOW, &altered, &pair.call).is_err(), "byte {at}");
    }
    assert!(pair.owned.on_knock(NOW, &[0; 17 * 1024], &pair.call).is_err());
    assert_eq!(pair.owned.tries_left(), 3);
}

#[test]
fn every_changed_byte_of_message_2_is_refused() {
    // A guest takes one message 2 for each knock, so each byte gets an exchange of its own.
    for at in (0..1700).step_by(37).chain(19..60) {
        let mut fresh = a_pair();
        let message1 = fresh.guest.knock(&fresh.code).unwrap();
        let mut altered = fresh.owned.on_knock(NOW, &message1, &fresh.call).unwrap().message2;
        let at = at.min(altered.len() - 1);
        altered[at] ^= 1;
        assert!(fresh.guest.on_challenge(NOW, &altered).is_err(), "byte {at}");
    }
}

#[test]
fn every_changed_byte_of_message_3_is_refused() {
    let mut pair = a_pair();
    let message3 = pair.run_to_message3();
    let record = pair.owned.encode();
    for at in (0..message3.len()).step_by(3).chain(19..160) {
        let mut altered = message3.clone();
        altered[at] ^= 1 << (at % 8);
        let mut owned = OwnedInvitation::decode(&record).unwrap();
        assert!(owned.on_proof(NOW, &altered).is_err(), "byte {at}");
    }
    let mut owned = OwnedInvitation::decode(&record).unwrap();
    assert!(owned.on_proof(NOW, &message3).is_ok());
}

#[test]
fn a_changed_message_4_or_5_is_refused() {
    let mut pair = a_pair();
    let message3 = pair.run_to_message3();
    let message4 = pair.owned.on_proof(NOW, &message3).unwrap().message4;
    let mut altered = message4;
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(pair.guest.on_confirm(&altered), Err(InvitationError::BadConfirmation));
    assert_eq!(pair.guest.card(&card()).unwrap_err(), InvitationError::OutOfOrder);

    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, guest, _) = clinic.lobby(&call);
    let message5 = guest.card(&card()).unwrap();
    for at in (0..message5.len()).step_by(5) {
        let mut altered = message5.clone();
        altered[at] ^= 1;
        assert!(owned.on_card(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn a_key_package_of_somebody_else_is_refused() {
    let mut pair = a_pair();
    let mut stranger = a_pair();
    let ours = pair.run_to_message3();
    let theirs = stranger.run_to_message3();
    // The server swaps the patient's key package for one whose private keys it has.
    let own = wire::read_proof(pair.owned.invite_id(), &ours).unwrap();
    let foreign = wire::read_proof(stranger.owned.invite_id(), &theirs).unwrap();
    let swapped = wire::write_proof(pair.owned.invite_id(), own.attempt, own.ke3, foreign.package, own.tag);
    let refused = pair.owned.on_proof(NOW, &swapped);
    assert_eq!(refused.unwrap_err(), InvitationError::BadConfirmation);
    // The exchange is over: the honest message comes too late.
    let refused = pair.owned.on_proof(NOW, &ours);
    assert_eq!(refused.unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn a_wrong_code_pushed_through_message_3_is_a_wrong_code() {
    let mut pair = a_pair();
    let message3 = pair.run_to_message3();
    let proof = wire::read_proof(pair.owned.invite_id(), &message3).unwrap();
    let forged = wire::write_proof(pair.owned.invite_id(), proof.attempt, &[0; 64], proof.package, proof.tag);
    let refused = pair.owned.on_proof(NOW, &forged);
    assert_eq!(refused.unwrap_err(), InvitationError::WrongCode { tries_left: 2 });
}

#[test]
fn a_host_of_another_practice_is_refused_by_the_guest() {
    let mut pair = a_pair();
    let foreign = Clinic::new();
    // Whoever owns the server has its own practice, link and code, and plays the host.
    let mut fake = a_pair();
    fake.call = foreign.call();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let refused = pair.owned.on_knock(NOW, &message1, &fake.call);
    let wrong = InvitationError::UntrustedHost(IdentityError::WrongPractice);
    assert_eq!(refused.unwrap_err(), wrong, "the record answers for its own practice only");
    pair.owned.practice = foreign.practice.fingerprint();
    let message2 = pair.owned.on_knock(NOW, &message1, &fake.call).unwrap().message2;
    assert_eq!(pair.guest.on_challenge(NOW, &message2).unwrap_err(), wrong);
    assert_eq!(pair.guest.tries_left(), 3, "the code was not put to the test");
}

#[test]
fn an_expired_host_certificate_is_refused_by_the_guest() {
    let mut pair = a_pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let message2 = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().message2;
    let late = pair.clinic.certificate.not_after() + 1;
    let refused = pair.guest.on_challenge(late, &message2);
    assert_eq!(refused.unwrap_err(), InvitationError::UntrustedHost(IdentityError::Expired));
}

#[test]
fn a_guest_cannot_answer_knocks() {
    let clinic = Clinic::new();
    let members = clinic.full_call(1);
    let (mut owned, link, code) = clinic.invite(CallRole::Carer);
    let message1 = GuestInvitation::new(link).knock(&code).unwrap();
    let refused = owned.on_knock(NOW, &message1, &members[1]);
    assert_eq!(refused.unwrap_err(), InvitationError::UntrustedHost(IdentityError::BadTerms));
}

#[test]
fn a_welcome_of_another_guest_group_or_host_is_refused() {
    let clinic = Clinic::new();
    let mut members = vec![clinic.call()];
    let (_, mut first, verified) = clinic.lobby(&members[0]);
    let (_, mut second, other) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    let welcome = bundle.welcome.unwrap();
    assert_eq!(second.join(NOW, &welcome).unwrap_err(), GroupError::Undecryptable);
    assert_eq!(second.join(NOW, &welcome).unwrap_err(), GroupError::Inactive, "the package is burnt");
    assert!(first.join(NOW, &welcome).is_ok());
    let again = members[0].admit(&other).unwrap();
    assert!(again.invite_psk.is_some());
}

#[test]
fn an_altered_welcome_is_refused() {
    let clinic = Clinic::new();
    for at in (0..40).chain([900, 4000]) {
        let mut call = clinic.call();
        let (_, mut guest, verified) = clinic.lobby(&call);
        let mut welcome = call.admit(&verified).unwrap().welcome.unwrap();
        welcome[at] ^= 1 << (at % 8);
        assert!(guest.join(NOW, &welcome).is_err(), "byte {at}");
    }
}

#[test]
fn a_guest_that_forks_the_group_cannot_bring_in_the_next_guest() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let (_, mut victim, verified) = clinic.lobby(&members[0]);
    // The first guest learns the key from the honest bundle, then makes an Add of its own.
    let honest = members[0].admit(&verified).unwrap();
    let invite_psk = honest.invite_psk.as_deref().unwrap();
    let forged = crate::mls::fork_with(&mut members[1], &verified, invite_psk);
    let wrong_signer = GroupError::Refused { committer: None, violation: PolicyViolation::WrongSigner };
    assert_eq!(victim.join(NOW, &forged).unwrap_err(), wrong_signer);
}

#[test]
fn a_join_long_after_the_certificates_end_is_refused() {
    let clinic = Clinic::new();
    let mut call = clinic.call();
    let (_, mut guest, verified) = clinic.lobby(&call);
    let welcome = call.admit(&verified).unwrap().welcome.unwrap();
    let late = clinic.certificate.not_after() + 1;
    let violation = PolicyViolation::BadCredential;
    let refused = GroupError::Refused { committer: None, violation };
    assert_eq!(guest.join(late, &welcome).unwrap_err(), refused);
}
