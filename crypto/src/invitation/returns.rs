//! Coming again without the code: in the lobby, after the call, and by those who may not.

use super::{guest::Phase, tests::a_pair, *};
use crate::{
    CallGroup, CallRole, GroupError, InvitationError,
    identity::{LeafCredential, SigningKey},
    mls::{Provider, make_package},
    testing::{Clinic, NOW, card, deliver, exchange},
};

/// A guest whose join has just failed.
fn burnt() -> (CallGroup, OwnedInvitation, GuestInvitation) {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, mut guest, _) = clinic.lobby(&call);
    assert_eq!(guest.join(NOW, b"burnt").unwrap_err(), GroupError::Malformed);
    (call, owned, guest)
}

#[test]
fn after_a_failed_join_a_new_key_package_costs_no_try_and_no_code() {
    let (mut call, mut owned, mut guest) = burnt();
    for attempt in [2, 3] {
        let message6 = guest.retry().unwrap();
        assert_eq!(message_number(&message6), Some(6));
        let reply = owned.on_retry(NOW, &message6, &call).unwrap();
        assert_eq!((reply.guest.attempt(), owned.tries_left()), (attempt, 3));
        owned = OwnedInvitation::decode(&owned.encode()).unwrap();
        guest.on_confirm(&reply.message4).unwrap();
        let message5 = guest.card(&card()).unwrap();
        assert!(reply.guest.sent(&message5) && owned.on_card(&message5).unwrap() == card());
        let bundle = call.admit(&reply.guest).unwrap();
        if attempt == 2 {
            guest.join(NOW, b"burnt again").unwrap_err();
            call.abandon_pending();
        } else {
            assert!(guest.join(NOW, &bundle.welcome.unwrap()).is_ok());
        }
    }
}

#[test]
fn a_repeated_message_6_gets_the_same_answer_and_an_older_one_none() {
    let (call, mut owned, mut guest) = burnt();
    let older = guest.retry().unwrap();
    let first = owned.on_retry(NOW, &older, &call).unwrap();
    let again = owned.on_retry(NOW, &older, &call).unwrap();
    assert_eq!(first.message4, again.message4);
    // The answer is lost on the way; a forged one does not cost the guest what it proved.
    let mut forged = first.message4;
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(guest.on_confirm(&forged), Err(InvitationError::BadConfirmation));
    let newer = guest.retry().unwrap();
    owned.on_retry(NOW, &newer, &call).unwrap();
    assert_eq!(owned.on_retry(NOW, &older, &call).unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn every_changed_byte_of_message_6_is_refused_and_costs_nothing() {
    let (call, mut owned, mut guest) = burnt();
    let message6 = guest.retry().unwrap();
    for at in (0..message6.len()).step_by(11).chain(0..40) {
        let mut altered = message6.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(owned.on_retry(NOW, &altered, &call).is_err(), "byte {at}");
        assert!(owned.on_retry(NOW, &message6[..at], &call).is_err());
    }
    assert!(owned.on_retry(NOW, &message6, &call).is_ok());
}

#[test]
fn another_guest_of_the_same_link_cannot_come_in_its_place() {
    let (call, mut owned, mut guest) = burnt();
    let (_, mut other_owned, mut other) = burnt();
    let foreign = other.retry().unwrap();
    // Its own message, readdressed; the server knows the layout.
    let mut forged = foreign.clone();
    forged[3..19].copy_from_slice(owned.invite_id().as_bytes());
    assert_eq!(owned.on_retry(NOW, &forged, &call).unwrap_err(), InvitationError::BadConfirmation);
    assert!(other_owned.on_retry(NOW, &foreign, &call).is_err(), "another group");
    let message6 = guest.retry().unwrap();
    assert!(owned.on_retry(NOW, &message6, &call).is_ok());
}

#[test]
fn a_retry_ends_with_the_invitation_and_a_rejoin_with_the_call() {
    let clinic = Clinic::new();
    let mut members = vec![clinic.call()];
    let (mut owned, mut guest, verified) = clinic.lobby(&members[0]);
    assert_eq!(guest.retry().unwrap_err(), InvitationError::OutOfOrder, "nothing has failed");
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    let joined = guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap();
    assert_eq!(guest.retry().unwrap_err(), InvitationError::OutOfOrder, "it is in the call");
    let message6 = guest.rejoin(Some(&joined)).unwrap();
    let early = owned.on_rejoin(&message6, &members[0]);
    assert_eq!(early.unwrap_err(), InvitationError::OutOfOrder, "the host has not seen it come");
    owned.admitted(&verified).unwrap();
    assert_eq!(owned.on_retry(NOW, &message6, &members[0]).unwrap_err(), InvitationError::Consumed);
    let other = clinic.call();
    assert_eq!(owned.on_rejoin(&message6, &other).unwrap_err(), InvitationError::OutOfOrder);
    assert!(owned.on_rejoin(&message6, &members[0]).is_ok());
    owned.consume();
    assert_eq!(owned.on_rejoin(&message6, &members[0]).unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn a_call_lost_with_its_hosts_memory_lets_the_same_guest_in_again_and_an_ended_one_does_not() {
    let mut pair = a_pair();
    assert!(!pair.owned.reopen(), "nobody was admitted");
    let verified = exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    pair.owned.admitted(&verified).unwrap();
    let mut loaded = OwnedInvitation::decode(&pair.owned.encode()).unwrap();
    assert!(loaded.reopen() && !loaded.is_consumed() && !loaded.reopen());
    let anew = Clinic::new().call();
    assert!(exchange_fails_only_for_the_practice(&mut loaded, &mut pair.guest, &pair.code, &anew));
    pair.owned.consume();
    assert!(!pair.owned.reopen() && pair.owned.is_consumed());
}

/// A call of another practice refuses, after the window and the use were looked at.
fn exchange_fails_only_for_the_practice(
    owned: &mut OwnedInvitation,
    guest: &mut GuestInvitation,
    code: &InvitationCode,
    call: &CallGroup,
) -> bool {
    let message1 = guest.knock(code).unwrap();
    matches!(owned.on_knock(NOW, &message1, call), Err(InvitationError::UntrustedHost(_)))
}

#[test]
fn a_retry_after_the_window_is_refused() {
    let (call, mut owned, mut guest) = burnt();
    let message6 = guest.retry().unwrap();
    let late = owned.on_retry(owned.expires_at() + 1, &message6, &call);
    assert_eq!(late.unwrap_err(), InvitationError::Expired);
}

#[test]
fn a_guest_cannot_use_up_the_numbers() {
    let (call, mut owned, mut guest) = burnt();
    for _ in 0..64 {
        guest.retry().unwrap();
        guest.on_confirm(&wire::write_confirm(owned.invite_id(), 0, &[0; 48])).unwrap_err();
    }
    let message6 = guest.retry().unwrap();
    assert_eq!(owned.on_retry(NOW, &message6, &call).unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn somebody_elses_knock_between_does_not_share_a_number() {
    let mut pair = a_pair();
    exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    pair.guest.join(NOW, b"burnt").unwrap_err();
    let mut other = GuestInvitation::new(pair.link());
    let message1 = other.knock(&pair.code).unwrap();
    assert_eq!(pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().attempt, 2);
    let message6 = pair.guest.retry().unwrap();
    let taken = pair.owned.on_retry(NOW, &message6, &pair.call);
    assert_eq!(taken.unwrap_err(), InvitationError::OutOfOrder);
    pair.guest.on_confirm(&wire::write_confirm(pair.owned.invite_id(), 0, &[0; 48])).unwrap_err();
    let message6 = pair.guest.retry().unwrap();
    assert_eq!(pair.owned.on_retry(NOW, &message6, &pair.call).unwrap().guest.attempt(), 3);
    let message1 = GuestInvitation::new(pair.link()).knock(&pair.code).unwrap();
    assert_eq!(pair.owned.on_knock(NOW, &message1, &pair.call).unwrap().attempt, 4);
}

#[test]
fn of_several_that_knocked_only_the_admitted_one_may_come_back() {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (mut owned, _, verified) = clinic.lobby(&call);
    let (mut foreign, _, stranger) = clinic.lobby(&call);
    assert_eq!(owned.admitted(&stranger), Err(InvitationError::OutOfOrder));
    assert!(owned.is_consumed());
    assert_eq!(owned.admitted(&verified), Err(InvitationError::OutOfOrder), "it was forgotten with the rest");
    assert_eq!(foreign.admitted(&stranger), Ok(()));
    assert_eq!(format!("{foreign:?}").matches("consumed: true").count(), 1);
}

#[test]
fn knocking_does_not_push_out_who_waits_in_the_lobby() {
    let mut pair = a_pair();
    exchange(&mut pair.owned, &mut pair.guest, &pair.code, &pair.call);
    for _ in 0..3 {
        let message1 = GuestInvitation::new(pair.link()).knock(&pair.code).unwrap();
        pair.owned.on_knock(NOW, &message1, &pair.call).unwrap();
    }
    let message5 = pair.guest.card(&card()).unwrap();
    assert_eq!(pair.owned.on_card(&message5).unwrap(), card());
}

#[test]
fn a_guest_does_not_come_again_as_somebody_else() {
    let forgeries = [
        (CallRole::Carer, 0, "another role"),
        (CallRole::Host, 0, "a host"),
        (CallRole::Patient, 1, "another attempt"),
    ];
    for (role, ahead, what) in forgeries {
        let (call, mut owned, guest) = burnt();
        let Phase::Spent(kept) = &guest.phase else { panic!() };
        let (id, attempt) = (owned.invite_id(), kept.attempt + 1);
        let leaf_key = SigningKey::generate().unwrap();
        let (binder, group_id) = (kept.key.binder().unwrap(), call.group_id());
        let credential = LeafCredential::invited(&binder, id, attempt + ahead, role, leaf_key.public(), group_id);
        let (package, _) = make_package(&Provider::default(), &leaf_key, &credential).unwrap();
        let mut message6 = wire::write_return(id, kept.first, attempt, &[], &package);
        let tag = kept.key.return_tag(&kept.transcript, &message6).unwrap();
        message6.extend_from_slice(&tag);
        let refused = owned.on_retry(NOW, &message6, &call);
        assert_eq!(refused.unwrap_err(), InvitationError::BadKeyPackage, "{what}");
    }
}
