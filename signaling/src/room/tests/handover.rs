//! The host's seat goes to a colleague, and back.

use super::{
    super::call::HOST_FIRST,
    colleague::{application, audited, colleague, visit, visited},
    *,
};

fn hand_over(to: &Sender, epoch: u64) -> ClientMessage {
    let intent = CommitIntent::HandOver { participant: to.participant };
    ClientMessage::Commit { epoch, commit: Opaque::default(), intent }
}

fn step_in(epoch: u64) -> ClientMessage {
    ClientMessage::Commit { epoch, commit: Opaque::default(), intent: CommitIntent::StepIn }
}

const fn deny(sender: &Sender) -> ClientMessage {
    ClientMessage::Deny { participant: sender.participant }
}

/// The host (200) and a colleague (100) in the call, guest 1 in it as well; epoch 2.
fn staffed() -> Room {
    let mut room = visited();
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    assert_eq!(code(&room.handle(NOW, &host(200), admit(&guest(1), 1)), &host(200)), None);
    room
}

/// The same after the handover; epoch 3.
fn handed_over() -> Room {
    let mut room = staffed();
    let effects = room.handle(NOW, &host(200), hand_over(&colleague(100), 2));
    assert_eq!(code(&effects, &host(200)), None);
    room
}

/// Whether this one may do what only a host may.
fn is_hosted_by(room: &mut Room, sender: &Sender) -> bool {
    code(&room.handle(NOW, sender, deny(&guest(99))), sender).is_none()
}

fn waits(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, .. } })
}

#[test]
fn a_handover_moves_the_seat_with_its_commit_and_the_log_goes_on() {
    let mut room = staffed();
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &host(200), hand_over(&colleague(100), 2));
    assert_eq!(audited(&effects), [("host.handed_over", "host")]);
    let seat = ServerMessage::Seat { host: colleague(100).participant };
    for member in [host(200), guest(1)] {
        let heard = told(&effects, &member);
        assert!(matches!(&heard[..], [ServerMessage::Entry { seq: 3, epoch: 2, .. }, moved] if *moved == seat));
    }
    let heard = told(&effects, &colleague(100));
    let [ServerMessage::Entry { .. }, moved, ServerMessage::Waiting { guests }] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!((moved, guests[0].participant), (&seat, guest(2).participant));
    // A host was there all the time.
    assert_eq!(told(&effects, &guest(2)), []);
    for sender in [host(200), colleague(100), guest(1)] {
        let effects = room.handle(NOW, &sender, application(3));
        assert!(matches!(told(&effects, &host(200))[..], [ServerMessage::Entry { epoch: 3, .. }]));
    }
}

#[test]
fn the_new_host_does_what_a_host_does_and_guests_reach_it() {
    let mut room = handed_over();
    let effects = room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Waiting { .. }]));
    assert_eq!(told(&effects, &host(200)), []);
    let relay = |to| ClientMessage::Relay { to, body: Opaque::default() };
    for sender in [guest(2), host(200)] {
        let effects = room.handle(NOW, &sender, relay(None));
        assert!(matches!(told(&effects, &colleague(100))[..], [ServerMessage::Relay { .. }]));
        let effects = room.handle(NOW, &colleague(100), relay(Some(sender.participant)));
        assert!(matches!(told(&effects, &sender)[..], [ServerMessage::Relay { .. }]));
    }
    let effects = room.handle(NOW, &colleague(100), admit(&guest(2), 3));
    assert!(matches!(told(&effects, &guest(2))[..], [ServerMessage::Admitted { seq: 4, epoch: 3, .. }]));
    let effects = room.handle(NOW, &colleague(100), remove(&guest(2), 4));
    assert_eq!(audited(&effects), [("group.member_removed", "host")]);
    let effects = room.handle(NOW, &colleague(100), ClientMessage::EndCall);
    assert_eq!(told(&effects, &host(200)), [ServerMessage::Ended]);
    assert_eq!(effects.last(), Some(&Effect::Over));
}

#[test]
fn a_former_host_is_a_colleague_and_hosts_nothing() {
    let mut room = handed_over();
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    for message in [
        open(),
        admit(&guest(2), 3),
        deny(&guest(2)),
        remove(&guest(1), 3),
        hand_over(&colleague(100), 3),
        hand_over(&host(200), 3),
        ClientMessage::EndCall,
    ] {
        assert_eq!(code(&room.handle(NOW, &host(200), message), &host(200)), Some(ErrorCode::NotAllowed));
    }
    assert_eq!(code(&room.handle(NOW, &host(200), update(3)), &host(200)), None);
    let effects = room.handle(NOW, &host(200), ClientMessage::Leave);
    assert_eq!(audited(&effects), [("call.left", "staff")]);
    assert!(room.is_hosted());
    let effects = room.handle(NOW, &colleague(100), remove(&host(200), 4));
    assert_eq!(code(&effects, &colleague(100)), None);
    // It left by itself, and may ask again at its own appointment.
    assert!(told(&room.handle(NOW, &host(200), visit()), &host(200)).iter().any(waits));
}

#[test]
fn only_the_host_hands_over() {
    let mut room = staffed();
    room.handle(NOW, &colleague(101), visit());
    for (sender, refused) in [
        (guest(1), ErrorCode::NotAllowed),
        (colleague(100), ErrorCode::NotAllowed),
        (colleague(101), ErrorCode::NotAdmittedYet),
        (colleague(102), ErrorCode::NotAdmittedYet),
        (guest(9), ErrorCode::NotAdmittedYet),
        (host(201), ErrorCode::NotAllowed),
    ] {
        let heard = told(&room.handle(NOW, &sender, hand_over(&colleague(100), 2)), &sender);
        let participant = Some(colleague(100).participant);
        assert_eq!(heard, [ServerMessage::Error { code: refused, retry_after_s: None, participant }]);
    }
    assert!(is_hosted_by(&mut room, &host(200)));
}

#[test]
fn the_seat_goes_to_an_admitted_colleague_who_is_there_and_to_nobody_else() {
    let mut room = staffed();
    room.handle(NOW, &colleague(101), visit());
    room.handle(NOW, &host(200), admit(&colleague(101), 2));
    room.lose(NOW, colleague(101).participant);
    room.handle(NOW, &colleague(102), visit());
    room.handle(NOW, &colleague(103), visit());
    room.handle(NOW, &host(200), admit(&colleague(103), 3));
    room.handle(NOW, &colleague(103), ClientMessage::Leave);
    // A guest, absent, waiting, gone, never there, itself.
    for target in [guest(1), colleague(101), colleague(102), colleague(103), colleague(104), host(200)] {
        let heard = told(&room.handle(NOW, &host(200), hand_over(&target, 4)), &host(200));
        let participant = Some(target.participant);
        assert_eq!(heard, [ServerMessage::Error { code: ErrorCode::GuestLeft, retry_after_s: None, participant }]);
    }
    // Nothing was appended.
    assert_eq!(code(&room.handle(NOW, &host(200), hand_over(&colleague(100), 4)), &host(200)), None);
}

#[test]
fn a_lost_race_moves_nothing() {
    let mut room = staffed();
    let effects = room.handle(NOW, &host(200), hand_over(&colleague(100), 1));
    assert_eq!(effects, [send(vec![host(200).participant], ServerMessage::Conflict { epoch: 2 })]);
    assert!(is_hosted_by(&mut room, &host(200)));
    room.lose(NOW, host(200).participant);
    let effects = room.handle(NOW, &colleague(100), step_in(1));
    assert_eq!(effects, [send(vec![colleague(100).participant], ServerMessage::Conflict { epoch: 2 })]);
    assert!(!room.is_hosted());
    room.handle(NOW, &host(200), open());
    assert!(is_hosted_by(&mut room, &host(200)));
}

#[test]
fn nobody_steps_in_while_the_host_is_there() {
    let mut room = staffed();
    let heard = told(&room.handle(NOW, &colleague(100), step_in(2)), &colleague(100));
    assert!(matches!(heard[..], [ServerMessage::Error { code: ErrorCode::OpenElsewhere, participant: None, .. }]));
    assert_eq!(code(&room.handle(NOW, &host(200), update(2)), &host(200)), None, "nothing was appended");
    assert!(is_hosted_by(&mut room, &host(200)));
}

#[test]
fn an_admitted_colleague_and_nobody_else_steps_in_for_a_lost_host() {
    let mut room = staffed();
    room.handle(NOW, &colleague(101), visit());
    room.lose(NOW, host(200).participant);
    for (sender, refused) in [
        (guest(1), ErrorCode::NotAllowed),
        (colleague(101), ErrorCode::NotAdmittedYet),
        (host(200), ErrorCode::NotAllowed),
        (host(201), ErrorCode::NotAllowed),
    ] {
        assert_eq!(code(&room.handle(NOW, &sender, step_in(2)), &sender), Some(refused));
    }
    let effects = room.handle(NOW, &colleague(100), step_in(2));
    assert_eq!(audited(&effects), [("host.stepped_in", "staff")]);
    let seat = ServerMessage::Seat { host: colleague(100).participant };
    let heard = told(&effects, &guest(1));
    assert!(matches!(&heard[..], [ServerMessage::Entry { seq: 3, epoch: 2, .. }, moved] if *moved == seat));
    let heard = told(&effects, &colleague(100));
    assert!(matches!(
        &heard[..],
        [ServerMessage::Entry { .. }, ServerMessage::Seat { .. }, ServerMessage::Waiting { .. }]
    ));
    // Whoever waits hears that a host is there again.
    assert!(matches!(&told(&effects, &colleague(101))[..], [state] if waits(state)));
    assert!(is_hosted_by(&mut room, &colleague(100)));
}

#[test]
fn stepping_in_is_not_held_back_by_a_race_that_the_host_lost() {
    let mut room = staffed();
    room.handle(NOW, &host(200), update(1));
    let soon = NOW + HOST_FIRST / 2;
    assert_eq!(code(&room.handle(soon, &colleague(100), update(2)), &colleague(100)), Some(ErrorCode::Busy));
    room.lose(soon, host(200).participant);
    assert_eq!(code(&room.handle(soon, &colleague(100), step_in(2)), &colleague(100)), None);
}

#[test]
fn a_lost_host_comes_back_as_a_colleague_and_misses_nothing() {
    let mut room = staffed();
    room.lose(NOW, host(200).participant);
    room.handle(NOW, &guest(1), application(2));
    room.handle(NOW, &colleague(100), step_in(2));
    let effects = room.handle(NOW, &host(200), open());
    assert_eq!(code(&effects, &host(200)), Some(ErrorCode::NotAllowed), "a member");
    let effects = room.handle(NOW, &host(200), visit());
    let stand = ServerMessage::Admitted { seq: 4, epoch: 3, welcome: Opaque::default() };
    assert_eq!(told(&effects, &host(200)), [stand]);
    let present = ServerMessage::Presence { participant: host(200).participant, present: true };
    assert_eq!(told(&effects, &colleague(100)), [present]);
    // What it missed lies before the step.
    let heard = told(&room.handle(NOW, &host(200), ClientMessage::Replay { after: 2 }), &host(200));
    assert!(matches!(heard[..], [ServerMessage::Entry { seq: 3, .. }, ServerMessage::Entry { seq: 4, .. }]));
    assert_eq!(code(&room.handle(NOW, &host(200), application(3)), &host(200)), None);
    assert_eq!(code(&room.handle(NOW, &host(200), admit(&guest(1), 3)), &host(200)), Some(ErrorCode::NotAllowed));
}

#[test]
fn the_new_host_comes_back_by_opening_and_reads_from_its_own_admission() {
    let mut room = call(1);
    room.handle(NOW, &colleague(100), visit());
    room.handle(NOW, &host(200), admit(&colleague(100), 1));
    room.handle(NOW, &host(200), hand_over(&colleague(100), 2));
    room.lose(NOW, colleague(100).participant);
    let effects = room.handle(NOW, &colleague(100), visit());
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::NotAllowed));
    let effects = room.handle(NOW, &colleague(100), open());
    assert_eq!(told(&effects, &colleague(100)), [ServerMessage::Waiting { guests: Vec::new() }]);
    let heard = told(&room.handle(NOW, &colleague(100), ClientMessage::Replay { after: 0 }), &colleague(100));
    assert!(matches!(heard[..], [ServerMessage::Entry { seq: 3, .. }]));
    assert!(is_hosted_by(&mut room, &colleague(100)));
}

#[test]
fn a_host_who_lost_its_group_is_brought_back_by_the_new_one() {
    let mut room = handed_over();
    let effects = room.handle(NOW, &colleague(100), admit(&host(200), 3));
    assert_eq!(audited(&effects), [("group.member_returned", "staff")]);
    assert!(matches!(told(&effects, &host(200))[..], [.., ServerMessage::Admitted { seq: 4, epoch: 3, .. }]));
}

#[test]
fn the_seat_goes_there_and_back() {
    let mut room = handed_over();
    let effects = room.handle(NOW, &colleague(100), hand_over(&host(200), 3));
    assert!(told(&effects, &colleague(100)).contains(&ServerMessage::Seat { host: host(200).participant }));
    assert!(is_hosted_by(&mut room, &host(200)));
    room.lose(NOW, host(200).participant);
    room.handle(NOW, &colleague(100), step_in(4));
    assert!(is_hosted_by(&mut room, &colleague(100)));
}

#[test]
fn another_device_of_the_owner_takes_a_lost_seat_back_with_a_new_group() {
    let mut room = handed_over();
    assert_eq!(code(&room.handle(NOW, &host(201), open()), &host(201)), Some(ErrorCode::OpenElsewhere));
    // It may wait at its own room meanwhile.
    assert!(told(&room.handle(NOW, &host(201), visit()), &host(201)).iter().any(waits));
    assert_eq!(code(&room.handle(NOW, &host(201), open()), &host(201)), Some(ErrorCode::OpenElsewhere));
    room.lose(NOW, colleague(100).participant);
    let effects = room.handle(NOW, &host(201), open());
    assert_eq!(audited(&effects), [("group.created", "host")]);
    for member in [guest(1), host(200)] {
        assert!(matches!(&told(&effects, &member)[..], [state] if waits(state)));
    }
    assert_eq!(room.waiting_count(), 2);
    assert!(is_hosted_by(&mut room, &host(201)));
    // The one who held it is a colleague again.
    let effects = room.handle(NOW, &colleague(100), open());
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::NotAllowed));
    assert!(told(&room.handle(NOW, &colleague(100), visit()), &colleague(100)).iter().any(waits));
}

#[test]
fn an_owner_who_left_or_was_removed_takes_a_lost_seat_back() {
    for leaves in [true, false] {
        let mut room = handed_over();
        if leaves {
            room.handle(NOW, &host(200), ClientMessage::Leave);
        } else {
            room.handle(NOW, &colleague(100), remove(&host(200), 3));
        }
        assert_eq!(code(&room.handle(NOW, &host(200), open()), &host(200)), Some(ErrorCode::OpenElsewhere));
        room.lose(NOW, colleague(100).participant);
        assert_eq!(audited(&room.handle(NOW, &host(200), open())), [("group.created", "host")]);
        assert!(is_hosted_by(&mut room, &host(200)));
    }
}

#[test]
fn a_host_who_left_is_gone_for_who_steps_in_and_can_be_removed() {
    let mut room = staffed();
    room.handle(NOW, &host(200), ClientMessage::Leave);
    assert_eq!(code(&room.handle(NOW, &colleague(100), step_in(2)), &colleague(100)), None);
    let effects = room.handle(NOW, &host(200), application(3));
    assert_eq!(code(&effects, &host(200)), Some(ErrorCode::NotAllowed));
    let effects = room.handle(NOW, &colleague(100), remove(&host(200), 3));
    assert_eq!(audited(&effects), [("group.member_removed", "host")]);
    assert!(told(&room.handle(NOW, &host(200), visit()), &host(200)).iter().any(waits));
}

#[test]
fn a_moved_seat_changes_nothing_of_how_many_hold_keys() {
    let mut room = visited();
    let most = u8::try_from(crate::protocol::MAX_MEMBERS).unwrap();
    for number in 1..=most - 2 {
        room.handle(NOW, &guest(number), ClientMessage::EnterLobby);
        let effects = room.handle(NOW, &host(200), admit(&guest(number), u64::from(number)));
        assert_eq!(code(&effects, &host(200)), None);
    }
    let full = u64::from(most) - 1;
    room.handle(NOW, &guest(99), ClientMessage::EnterLobby);
    room.handle(NOW, &host(200), hand_over(&colleague(100), full));
    let effects = room.handle(NOW, &colleague(100), admit(&guest(99), full + 1));
    assert_eq!(code(&effects, &colleague(100)), Some(ErrorCode::Busy));
    room.handle(NOW, &colleague(100), remove(&guest(1), full + 1));
    let effects = room.handle(NOW, &colleague(100), admit(&guest(99), full + 2));
    assert_eq!(code(&effects, &colleague(100)), None);
}
