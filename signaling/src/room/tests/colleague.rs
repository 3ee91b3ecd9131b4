//! A host of the practice at the room of another one.

use super::{super::allowance::RELAY_PAUSE, *};
use crate::protocol::Visitor;

pub(super) fn staff(number: u8, role: StaffRole) -> Sender {
    let who = Who::Staff { user: UserId::from_bytes([number; 16]), role };
    Sender { participant: ParticipantId::from_bytes([number; 16]), who }
}

pub(super) fn colleague(number: u8) -> Sender {
    staff(number, StaffRole::Host)
}

pub(super) fn visit() -> ClientMessage {
    ClientMessage::VisitRoom { appointment: APPOINTMENT }
}

pub(super) fn application(epoch: u64) -> ClientMessage {
    ClientMessage::Application { epoch, body: Opaque::default() }
}

/// A call of the host and a colleague (100).
pub(super) fn visited() -> Room {
    let mut room = call(0);
    room.handle(NOW, &colleague(100), visit());
    let effects = room.handle(NOW, &host(200), admit(&colleague(100), 0));
    assert_eq!(code(&effects, &host(200)), None);
    room
}

/// Events and roles that go to the audit.
pub(super) fn audited(effects: &[Effect]) -> Vec<(&'static str, &'static str)> {
    let written = |effect: &Effect| match effect {
        Effect::Audit { event, role, .. } => Some((*event, *role)),
        _ => None,
    };
    effects.iter().filter_map(written).collect()
}

fn spends(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Spend { .. }))
}

#[test]
fn a_colleague_waits_and_is_listed_as_one() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &colleague(100), visit());
    let state = LobbyState::Waiting { host_present: true, position: 2 };
    assert_eq!(told(&effects, &colleague(100)), [ServerMessage::Lobby { state }]);
    assert_eq!(audited(&effects), [("lobby.entered", "staff")]);
    let [ServerMessage::Waiting { guests }] = &told(&effects, &host(200))[..] else { panic!("no list") };
    let invited = Visitor::Guest { role: GuestRole::Patient, invite_id: InviteId::from_bytes([1; 16]) };
    assert_eq!(guests.iter().map(|waits| waits.visitor).collect::<Vec<_>>(), [invited, Visitor::Colleague]);
    assert_eq!(guests[1].participant, colleague(100).participant);
    assert_eq!(room.waiting_count(), 2);
}

#[test]
fn a_colleague_without_a_host_waits_and_reaches_nobody() {
    let mut room = Room::new(APPOINTMENT, OWNER);
    let effects = room.handle(NOW, &colleague(100), visit());
    let state = LobbyState::Waiting { host_present: false, position: 1 };
    assert_eq!(told(&effects, &colleague(100)), [ServerMessage::Lobby { state }]);
    let relay = ClientMessage::Relay { to: None, body: Opaque::default() };
    assert_eq!(code(&room.handle(NOW, &colleague(100), relay), &colleague(100)), Some(ErrorCode::NoHost));
    assert!(!room.is_hosted());
    room.handle(NOW, &host(200), open());
    assert!(room.is_hosted());
}

#[test]
fn an_admitted_colleague_gets_entries_and_spends_no_invitation() {
    let mut room = call(1);
    room.handle(NOW, &colleague(100), visit());
    let effects = room.handle(NOW, &host(200), admit(&colleague(100), 1));
    assert!(!spends(&effects));
    assert_eq!(audited(&effects), [("lobby.admitted", "staff")]);
    assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Admitted { seq: 2, epoch: 1, .. }]));
    let present = ServerMessage::Presence { participant: colleague(100).participant, present: true };
    for other in [guest(1), host(200)] {
        assert!(told(&effects, &other).contains(&present));
    }
    for sender in [host(200), guest(1), colleague(100)] {
        let effects = room.handle(NOW, &sender, application(2));
        assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Entry { .. }]));
    }
    // From its own admission on.
    let effects = room.handle(NOW, &colleague(100), ClientMessage::Replay { after: 0 });
    assert_eq!(told(&effects, &colleague(100)).len(), 3);
    assert_eq!(audited(&room.handle(NOW, &colleague(100), update(2))), [("group.epoch_changed", "staff")]);
    assert_eq!(code(&room.handle(NOW, &colleague(100), update(3)), &colleague(100)), Some(ErrorCode::Busy));
}

#[test]
fn host_and_colleague_relay_to_each_other_before_and_after_the_admission() {
    let mut room = call(0);
    room.handle(NOW, &colleague(100), visit());
    let relay = |to: Option<ParticipantId>| ClientMessage::Relay { to, body: Opaque::default() };
    for _ in 0..2 {
        let effects = room.handle(NOW, &colleague(100), relay(None));
        assert!(matches!(told(&effects, &host(200))[..], [ServerMessage::Relay { .. }]));
        let effects = room.handle(NOW, &host(200), relay(Some(colleague(100).participant)));
        assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Relay { .. }]));
        room.handle(NOW, &host(200), admit(&colleague(100), 0));
    }
}

#[test]
fn a_colleague_who_lost_its_socket_comes_back_by_the_same_way() {
    let mut room = visited();
    let effects = room.lose(NOW, colleague(100).participant);
    let absent = ServerMessage::Presence { participant: colleague(100).participant, present: false };
    assert_eq!(told(&effects, &host(200)), [absent]);
    let effects = room.handle(NOW, &colleague(100), application(1));
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::NotAdmittedYet));
    let effects = room.handle(NOW, &colleague(100), visit());
    assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Admitted { .. }]));
    assert_eq!(code(&room.handle(NOW, &colleague(100), application(1)), &colleague(100)), None);
}

#[test]
fn a_colleague_leaves_the_lobby_and_may_come_again() {
    let mut room = call(0);
    room.handle(NOW, &colleague(100), visit());
    let effects = room.handle(NOW, &colleague(100), ClientMessage::Leave);
    assert_eq!(audited(&effects), [("lobby.left", "staff")]);
    assert_eq!(told(&effects, &host(200)), [ServerMessage::Waiting { guests: Vec::new() }]);
    let effects = room.handle(NOW, &colleague(100), visit());
    assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Lobby { .. }]));
}

#[test]
fn a_colleague_who_left_may_ask_again_and_one_that_was_removed_may_not() {
    for leaves in [true, false] {
        let mut room = visited();
        if leaves {
            let effects = room.handle(NOW, &colleague(100), ClientMessage::Leave);
            assert_eq!(audited(&effects), [("call.left", "staff")]);
        }
        let effects = room.handle(NOW, &host(200), remove(&colleague(100), 1));
        assert_eq!(code(&effects, &host(200)), None);
        let effects = room.handle(NOW, &host(200), application(2));
        assert_eq!(told(&effects, &colleague(100)), []);
        let effects = room.handle(NOW, &colleague(100), visit());
        let heard = told(&effects, &colleague(100));
        let waits = |message: &ServerMessage| {
            matches!(message, ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, .. } })
        };
        assert!(if leaves {
            heard.iter().any(waits)
        } else {
            heard == [ServerMessage::Lobby { state: LobbyState::Denied }]
        });
    }
}

#[test]
fn a_denied_colleague_is_told_and_spends_no_invitation() {
    let mut room = call(0);
    room.handle(NOW, &colleague(100), visit());
    let effects = room.handle(NOW, &host(200), ClientMessage::Deny { participant: colleague(100).participant });
    let denied = ServerMessage::Lobby { state: LobbyState::Denied };
    assert!(!spends(&effects));
    assert_eq!(audited(&effects), [("lobby.denied", "staff")]);
    assert_eq!(told(&effects, &colleague(100)), std::slice::from_ref(&denied));
    assert_eq!(told(&room.handle(NOW, &colleague(100), visit()), &colleague(100)), [denied]);
    let effects = room.handle(NOW, &colleague(100), application(0));
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::NotAdmitted));
}

#[test]
fn an_admitted_colleague_waits_again_when_the_room_is_opened_anew() {
    let mut room = visited();
    room.lose(NOW, host(200).participant);
    let effects = room.handle(NOW, &host(201), open());
    let state = LobbyState::Waiting { host_present: true, position: 1 };
    assert_eq!(told(&effects, &colleague(100)), [ServerMessage::Lobby { state }]);
    assert_eq!(code(&room.handle(NOW, &host(201), admit(&colleague(100), 0)), &host(201)), None);
}

#[test]
fn the_end_is_told_to_colleagues_and_closes_their_lobby() {
    let mut room = visited();
    room.handle(NOW, &colleague(101), visit());
    let effects = room.handle(NOW, &host(200), ClientMessage::EndCall);
    assert_eq!(told(&effects, &colleague(100)), [ServerMessage::Ended]);
    assert_eq!(told(&effects, &colleague(101)), [ServerMessage::Lobby { state: LobbyState::Closed }]);
    assert!(!room.is_hosted());
}

#[test]
fn a_guest_never_visits_and_a_colleague_never_enters_as_a_guest() {
    let mut room = visited();
    // Outside, waiting, denied, gone, admitted.
    for (number, ends) in [(1, None), (2, None), (3, Some(false)), (4, Some(true))] {
        let pairs = [
            (guest(number), ClientMessage::EnterLobby, visit()),
            (colleague(110 + number), visit(), ClientMessage::EnterLobby),
        ];
        for (sender, own, other) in pairs {
            let epoch = room.handle(NOW, &host(200), application(99));
            let [ServerMessage::Conflict { epoch }] = told(&epoch, &host(200))[..] else { panic!("{epoch:?}") };
            if number > 1 {
                room.handle(NOW, &sender, own);
            }
            let participant = sender.participant;
            match ends {
                None => {}
                Some(false) => drop(room.handle(NOW, &host(200), ClientMessage::Deny { participant })),
                Some(true) => {
                    room.handle(NOW, &host(200), admit(&sender, epoch));
                    room.handle(NOW, &sender, ClientMessage::Leave);
                }
            }
            assert_eq!(code(&room.handle(NOW, &sender, other), &sender), Some(ErrorCode::NotAllowed), "{number}");
        }
    }
    let effects = room.handle(NOW, &colleague(100), ClientMessage::EnterLobby);
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::NotAllowed));
}

#[test]
fn nobody_visits_but_another_host() {
    let mut room = call(0);
    let roles = [StaffRole::FrontDesk, StaffRole::Auditor, StaffRole::Admin].map(|role| staff(100, role));
    // The owner of the room: in it, and with another device.
    for sender in roles.into_iter().chain([host(200), host(201)]) {
        let effects = room.handle(NOW, &sender, visit());
        assert_eq!(code(&effects, &sender), Some(ErrorCode::NotAllowed), "{sender:?}");
    }
    assert_eq!(room.waiting_count(), 0);
}

#[test]
fn a_colleague_hosts_nothing_here() {
    let mut room = visited();
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    let deny = || ClientMessage::Deny { participant: guest(1).participant };
    for message in [open(), admit(&guest(1), 1), deny(), remove(&host(200), 1), ClientMessage::EndCall] {
        for sender in [colleague(100), colleague(101)] {
            let effects = room.handle(NOW, &sender, message_again(&message));
            assert!(matches!(code(&effects, &sender), Some(ErrorCode::NotAllowed | ErrorCode::NotAdmittedYet)));
        }
    }
    assert_eq!(room.waiting_count(), 1);
}

/// Messages are not `Clone`, since one holds a token.
fn message_again(message: &ClientMessage) -> ClientMessage {
    serde_json::from_str(&serde_json::to_string(message).unwrap()).unwrap()
}

#[test]
fn each_colleague_has_an_allowance_over_all_its_sessions() {
    let mut room = call(0);
    let mut other_session = colleague(100);
    other_session.participant = ParticipantId::from_bytes([77; 16]);
    for sender in [colleague(100), other_session, colleague(101)] {
        room.handle(NOW, &sender, visit());
    }
    let mut reach = |now: Duration, from: &Sender| {
        let relay = || ClientMessage::Relay { to: None, body: Opaque::new(vec![0; MAX_RELAY_LEN]) };
        (0..10).filter(|_| !told(&room.handle(now, from, relay()), &host(200)).is_empty()).count()
    };
    assert_eq!(reach(NOW, &colleague(100)), 3);
    assert_eq!(reach(NOW, &other_session), 0);
    assert_eq!(reach(NOW, &colleague(101)), 3);
    assert_eq!(reach(NOW + RELAY_PAUSE, &other_session), 4);
}

#[test]
fn a_new_session_of_a_colleague_takes_the_place_of_a_lost_one_and_of_no_other() {
    let mut room = call(0);
    let mut other_session = colleague(100);
    other_session.participant = ParticipantId::from_bytes([77; 16]);
    room.handle(NOW, &colleague(100), visit());
    room.handle(NOW, &colleague(101), visit());
    room.lose(NOW, colleague(100).participant);
    let effects = room.handle(NOW, &other_session, visit());
    let state = LobbyState::Waiting { host_present: true, position: 1 };
    assert_eq!(told(&effects, &other_session), [ServerMessage::Lobby { state }]);
    // A second computer waits beside the first.
    room.handle(NOW, &colleague(100), visit());
    assert_eq!(room.waiting_count(), 3);
}

#[test]
fn going_to_another_room_leaves_this_one_and_is_never_refused() {
    let mut room = visited();
    room.handle(NOW, &colleague(101), visit());
    assert_eq!(audited(&room.depart(NOW, &colleague(101))), [("lobby.left", "staff")]);
    assert_eq!(room.waiting_count(), 0);
    assert_eq!(audited(&room.depart(NOW, &colleague(100))), [("call.left", "staff")]);
    // Nothing is left to leave.
    assert_eq!(room.depart(NOW, &colleague(100)), []);
    assert_eq!(room.depart(NOW, &colleague(102)), []);
    assert_eq!(audited(&room.depart(NOW, &host(200))), [("call.left", "host")]);
    assert!(room.is_deserted());
}

#[test]
fn a_word_of_leaving_counts_although_the_socket_was_found_gone_before_it() {
    let mut room = visited();
    room.lose(NOW, colleague(100).participant);
    let effects = room.handle(NOW, &colleague(100), ClientMessage::Leave);
    assert_eq!(audited(&effects), [("call.left", "staff")]);
    assert_eq!(code(&room.handle(NOW, &colleague(100), application(1)), &colleague(100)), Some(ErrorCode::NotAllowed));
}
