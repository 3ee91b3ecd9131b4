//! The five messages between an honest pair, and their bounds.

use super::*;
use crate::{
    CallGroup, CallRole, Delivery, GroupError, InvitationError,
    testing::{Clinic, NOW, card, exchange},
};

/// A code that is certainly another one.
fn other(code: &InvitationCode) -> InvitationCode {
    let mut digits = code.display().replace(' ', "").into_bytes();
    digits[7] = if digits[7] == b'9' { b'0' } else { digits[7] + 1 };
    InvitationCode::parse(std::str::from_utf8(&digits).unwrap()).unwrap()
}

pub(super) struct Pair {
    pub(super) clinic: Clinic,
    pub(super) call: CallGroup,
    pub(super) owned: OwnedInvitation,
    pub(super) guest: GuestInvitation,
    pub(super) code: InvitationCode,
}

pub(super) fn a_pair() -> Pair {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, link, code) = clinic.invite(CallRole::Patient);
    Pair { clinic, call, owned, guest: GuestInvitation::new(link), code }
}

impl Pair {
    /// Messages 1 to 3.
    pub(super) fn run_to_message3(&mut self) -> Vec<u8> {
        let message1 = self.guest.knock(&self.code).unwrap();
        let knock = self.owned.on_knock(NOW, &message1, &self.call).unwrap();
        self.guest.on_challenge(NOW, &knock.message2).unwrap()
    }

    pub(super) fn link(&self) -> InvitationLink {
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
    let mut pair = a_pair();
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
    let mut pair = a_pair();
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
    let mut pair = a_pair();
    let message1 = pair.guest.knock(&other(&pair.code)).unwrap();
    let knock = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    pair.guest.on_challenge(NOW, &knock.message2).unwrap_err();
    assert_eq!(pair.owned.tries_left(), 2);
    exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    assert_eq!(pair.owned.tries_left(), 2);
}

#[test]
fn a_guesser_that_never_answers_has_three_tries_too() {
    let mut pair = a_pair();
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
    let mut pair = a_pair();
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let first = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    let mut stored = OwnedInvitation::decode(&pair.owned.encode()).unwrap();
    let second = stored.on_knock(NOW, &message1, &pair.call).unwrap();
    assert_eq!(second.message2, first.message2);
    assert_eq!((second.try_spent, second.tries_left), (false, 2));
}

#[test]
fn the_record_survives_storage_at_every_step() {
    let mut pair = a_pair();
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
    let mut pair = a_pair();
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
fn steps_out_of_order_are_refused() {
    let mut pair = a_pair();
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
fn both_sides_know_how_the_link_was_delivered_and_it_never_gets_better() {
    let mut pair = a_pair();
    assert!(!pair.owned.delivery().needs_spoken_check());
    pair.owned.mark_delivery(Delivery::ServerExposed);
    pair.owned.mark_delivery(Delivery::ServerDelivered);
    assert_eq!(pair.owned.delivery(), Delivery::ServerExposed);
    pair.owned = OwnedInvitation::decode(&pair.owned.encode()).unwrap();
    let verified = exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    assert_eq!(verified.delivery(), Delivery::ServerExposed);
    assert_eq!(pair.guest.host().unwrap().delivery, Delivery::ServerExposed);
    assert!(verified.delivery().needs_spoken_check());
}

#[test]
fn a_delivery_that_was_made_to_look_better_on_the_way_ends_the_exchange() {
    let mut pair = a_pair();
    pair.owned.mark_delivery(Delivery::ServerDelivered);
    let message1 = pair.guest.knock(&pair.code).unwrap();
    let mut message2 = pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().message2;
    assert_eq!(message2[37], Delivery::ServerDelivered as u8);
    message2[37] = Delivery::Client as u8;
    let refused = pair.guest.on_challenge(NOW, &message2);
    assert_eq!(refused.unwrap_err(), InvitationError::WrongCode { tries_left: 2 });
}
