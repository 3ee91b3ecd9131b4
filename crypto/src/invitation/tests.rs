//! The five messages between an honest pair, and with somebody in between.

use super::*;
use crate::{
    CallGroup, CallRole, GroupError, IdentityError, InvitationError, PolicyViolation,
    testing::{Clinic, NOW, card, deliver, exchange},
};

/// A code that is certainly another one.
fn other(code: &InvitationCode) -> InvitationCode {
    let mut digits = code.display().replace(' ', "").into_bytes();
    digits[7] = if digits[7] == b'9' { b'0' } else { digits[7] + 1 };
    InvitationCode::parse(std::str::from_utf8(&digits).unwrap()).unwrap()
}

struct Pair {
    clinic: Clinic,
    call: CallGroup,
    owned: OwnedInvitation,
    guest: GuestInvitation,
    code: InvitationCode,
}

fn pair() -> Pair {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, link, code) = clinic.invite(CallRole::Patient);
    Pair { clinic, call, owned, guest: GuestInvitation::new(link), code }
}

impl Pair {
    /// Messages 1 to 3.
    fn run_to_message3(&mut self) -> Vec<u8> {
        let message1 = self.guest.knock(&self.code).unwrap();
        let knock = self.owned.on_knock(NOW, &message1, &self.call).unwrap();
        self.guest.on_challenge(NOW, &knock.message2).unwrap()
    }

    fn link(&self) -> InvitationLink {
        InvitationLink::parse(&self.guest.link().to_uri()).unwrap()
    }
}

#[test]
fn a_guest_with_link_and_code_is_verified_and_its_card_opens() {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, guest, verified) = clinic.lobby(&call);
    assert_eq!(verified.invite_id(), owned.invite_id());
    assert_eq!((owned.tries_left(), guest.tries_left()), (3, 3));
    assert!(guest.is_confirmed());
    let message5 = guest.card(&card()).unwrap();
    assert_eq!(owned.on_card(&message5).unwrap(), card());
    assert!(!message5.windows(3).any(|window| window == b"Pat"));
    let host = guest.host().unwrap();
    assert_eq!((host.display_name.as_str(), host.role), ("Dr Ada Example", CallRole::Patient));
    assert_eq!(host.group_id, call.group_id());
}

#[test]
fn messages_say_their_number_and_stay_small() {
    let mut pair = pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let message2 = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().message2;
    let message3 = pair.guest.on_challenge(NOW, &message2).unwrap();
    let message4 = pair.owned.on_proof(NOW, &message3).unwrap().message4;
    pair.guest.on_confirm(&message4).unwrap();
    let message5 = pair.guest.card(&card()).unwrap();
    for (at, message) in [&message1, &message2, &message3, &message4, &message5].iter().enumerate() {
        assert_eq!(message_number(message), Some(at as u8 + 1));
        assert!(message.len() <= crate::MAX_INVITATION_MESSAGE);
    }
    assert_eq!(message_number(b""), None);
    assert_eq!(message_number(&[0, 1, 9]), None);
}

#[test]
fn the_third_wrong_code_ends_the_invitation_on_both_sides() {
    let mut pair = pair();
    let wrong = other(&pair.code);
    for left in [2, 1, 0] {
        let message1 = pair.guest.knock(&wrong).unwrap();
        let knock = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
        assert_eq!((knock.try_spent, knock.tries_left), (true, left));
        let refused = pair.guest.on_challenge(NOW, &knock.message2);
        assert_eq!(refused.unwrap_err(), InvitationError::WrongCode { tries_left: left });
    }
    assert_eq!(pair.guest.knock(&pair.code).unwrap_err(), InvitationError::TriesSpent);
    // A client that does not stop itself is stopped by the record, even with the right code.
    let mut again = GuestInvitation::new(pair.link());
    let message1 = again.knock(&pair.code).unwrap();
    let refused = pair.owned.on_knock(NOW, &message1, &pair.call);
    assert_eq!(refused.unwrap_err(), InvitationError::TriesSpent);
}

#[test]
fn a_right_code_costs_no_try_but_gives_no_wrong_one_back() {
    let mut pair = pair();
    let message1 = pair.guest.knock(&other(&pair.code)).unwrap();
    let knock = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    pair.guest.on_challenge(NOW, &knock.message2).unwrap_err();
    assert_eq!(pair.owned.tries_left(), 2);
    exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    assert_eq!(pair.owned.tries_left(), 2);
}

#[test]
fn a_guesser_that_never_answers_has_three_tries_too() {
    let mut pair = pair();
    for left in [2, 1, 0] {
        let message1 = GuestInvitation::new(pair.link()).knock(&pair.code).unwrap();
        let knock = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
        assert_eq!(knock.tries_left, left);
    }
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let refused = pair.owned.on_knock(NOW, &message1, &pair.call);
    assert_eq!(refused.unwrap_err(), InvitationError::TriesSpent);
}

#[test]
fn the_same_knock_gets_the_same_answer_and_costs_nothing() {
    let mut pair = pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let first = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    let mut stored = OwnedInvitation::decode(&pair.owned.encode()).unwrap();
    let second = stored.on_knock(NOW, &message1, &pair.call).unwrap();
    assert_eq!(second.message2, first.message2);
    assert_eq!((second.try_spent, second.tries_left), (false, 2));
}

#[test]
fn the_record_survives_storage_at_every_step() {
    let mut pair = pair();
    let store = |owned: &OwnedInvitation| OwnedInvitation::decode(&owned.encode()).unwrap();
    pair.owned = store(&pair.owned);
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let knock = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    pair.owned = store(&pair.owned);
    let message3 = pair.guest.on_challenge(NOW, &knock.message2).unwrap();
    let proof = pair.owned.on_proof(NOW, &message3).unwrap();
    pair.owned = store(&pair.owned);
    pair.guest.on_confirm(&proof.message4).unwrap();
    let message5 = pair.guest.card(&card()).unwrap();
    assert_eq!(pair.owned.on_card(&message5).unwrap(), card());
    pair.owned.consume();
    pair.owned = store(&pair.owned);
    assert!(pair.owned.is_consumed());
    let bytes = pair.owned.encode();
    for length in 0..bytes.len() {
        assert!(OwnedInvitation::decode(&bytes[..length]).is_err());
    }
}

#[test]
fn a_used_early_or_late_knock_is_refused() {
    let mut pair = pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let early = pair.owned.on_knock(NOW - 61, &message1, &pair.call);
    assert_eq!(early.unwrap_err(), InvitationError::TooEarly);
    let late = pair.owned.on_knock(NOW + 3601, &message1, &pair.call);
    assert_eq!(late.unwrap_err(), InvitationError::Expired);
    pair.owned.consume();
    let used = pair.owned.on_knock(NOW, &message1, &pair.call);
    assert_eq!(used.unwrap_err(), InvitationError::Consumed);
    assert_eq!(pair.owned.tries_left(), 3);
}

#[test]
fn a_knock_without_the_link_costs_no_try() {
    let mut pair = pair();
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
    let mut pair = pair();
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
    let mut pair = pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let message2 = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().message2;
    // The guest's client would stop after three; each of these is a fresh one with the same keys.
    for at in (0..message2.len()).step_by(37).chain(19..60) {
        let mut fresh = self::pair();
        let message1 = fresh.guest.knock(&fresh.code).unwrap();
        let mut altered = fresh.owned.on_knock(NOW, &message1, &fresh.call).unwrap().message2;
        let at = at.min(altered.len() - 1);
        altered[at] ^= 1;
        assert!(fresh.guest.on_challenge(NOW, &altered).is_err(), "byte {at}");
    }
}

#[test]
fn every_changed_byte_of_message_3_is_refused() {
    let mut pair = pair();
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
    let mut pair = pair();
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
    let mut pair = pair();
    let mut stranger = self::pair();
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
    let mut pair = pair();
    let message3 = pair.run_to_message3();
    let proof = wire::read_proof(pair.owned.invite_id(), &message3).unwrap();
    let forged = wire::write_proof(pair.owned.invite_id(), proof.attempt, &[0; 64], proof.package, proof.tag);
    let refused = pair.owned.on_proof(NOW, &forged);
    assert_eq!(refused.unwrap_err(), InvitationError::WrongCode { tries_left: 2 });
}

#[test]
fn a_host_of_another_practice_is_refused_by_the_guest() {
    let mut pair = pair();
    let foreign = Clinic::new();
    // Whoever owns the server has its own practice, link and code, and plays the host.
    let mut fake = self::pair();
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
    let mut pair = pair();
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
fn steps_out_of_order_are_refused() {
    let mut pair = pair();
    assert_eq!(pair.guest.on_challenge(NOW, b"").unwrap_err(), InvitationError::OutOfOrder);
    assert_eq!(pair.guest.on_confirm(b"").unwrap_err(), InvitationError::OutOfOrder);
    assert_eq!(pair.guest.card(&card()).unwrap_err(), InvitationError::OutOfOrder);
    assert_eq!(pair.guest.join(NOW, b"").unwrap_err(), GroupError::Inactive);
    let message3 = pair.run_to_message3();
    assert_eq!(pair.guest.join(NOW, b"").unwrap_err(), GroupError::Inactive);
    let proof = pair.owned.on_proof(NOW, &message3).unwrap();
    pair.guest.on_confirm(&proof.message4).unwrap();
    assert_eq!(pair.guest.on_confirm(&proof.message4), Err(InvitationError::OutOfOrder));
    assert_eq!(pair.owned.on_proof(NOW, &message3).unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn a_card_out_of_bounds_is_not_sent() {
    let clinic = Clinic::new();
    let (_, guest, _) = clinic.lobby(&clinic.call());
    let sealed = |name: &str| {
        let mut card = card();
        card.name = name.into();
        guest.card(&card)
    };
    for bad in [" ", &"x".repeat(101), "a\nb"] {
        assert_eq!(sealed(bad).unwrap_err(), InvitationError::BadField);
    }
    let names = ["A", "A name of sixty bytes, more or less, with a second surname."];
    let sizes = names.map(|name| sealed(name).unwrap().len());
    assert_eq!(sizes[0], sizes[1]);
    assert_eq!(format!("{:?}", card()), "LobbyCard");
}

#[test]
fn terms_out_of_bounds_make_no_invitation() {
    let clinic = Clinic::new();
    let refused = |terms| OwnedInvitation::create(terms).is_err_and(|error| error == InvitationError::BadField);
    let terms = || clinic.terms(CallRole::Patient);
    assert!(refused(clinic.terms(CallRole::Host)));
    assert!(refused(InvitationTerms { server: String::new(), ..terms() }));
    assert!(refused(InvitationTerms { practice_phone: "0900".into(), ..terms() }));
    assert!(refused(InvitationTerms { not_before: NOW, expires_at: NOW, ..terms() }));
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
