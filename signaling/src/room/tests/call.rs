//! Who holds keys, and whose commit goes first.

use super::{super::call::HOST_FIRST, *};

#[test]
fn no_more_than_sixteen_hold_keys() {
    let mut room = call(15);
    room.handle(NOW, &guest(16), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &host(200), admit(&guest(16), 15));
    let participant = Some(guest(16).participant);
    let full = ServerMessage::Error { code: ErrorCode::Busy, retry_after_s: Some(10), participant };
    assert_eq!(told(&effects, &host(200)), [full]);
    room.handle(NOW, &host(200), remove(&guest(1), 15));
    let effects = room.handle(NOW, &host(200), admit(&guest(16), 16));
    assert_eq!(code(&effects, &host(200)), None);
}

#[test]
fn a_removed_guest_gets_the_commit_and_nothing_after_it() {
    let mut room = call(2);
    let effects = room.handle(NOW, &host(200), remove(&guest(1), 2));
    assert!(matches!(told(&effects, &guest(1))[..], [ServerMessage::Entry { .. }]));
    let effects = room.handle(NOW, &host(200), ClientMessage::Application { epoch: 3, body: Opaque::default() });
    assert_eq!(told(&effects, &guest(1)), []);
    assert_eq!(told(&effects, &guest(2)).len(), 1);
    let effects = room.handle(NOW, &guest(1), ClientMessage::Replay { after: 0 });
    assert_eq!(code(&effects, &guest(1)), Some(ErrorCode::NotAllowed));
}

#[test]
fn whoever_was_removed_while_offline_hears_so_and_nothing_else() {
    let mut room = call(2);
    room.lose(NOW, guest(1).participant);
    room.handle(NOW, &host(200), remove(&guest(1), 2));
    let denied = ServerMessage::Lobby { state: LobbyState::Denied };
    for _ in 0..2 {
        let effects = room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
        assert_eq!(effects, [send(vec![guest(1).participant], denied.clone())]);
    }
    // It neither waits, nor holds the room open, nor hears the call.
    assert_eq!(room.waiting_count(), 0);
    let effects = room.handle(NOW, &host(200), ClientMessage::Application { epoch: 3, body: Opaque::default() });
    assert_eq!(told(&effects, &guest(1)), []);
    assert_eq!(room.lose(NOW, guest(1).participant), []);
}

#[test]
fn whoever_was_denied_while_offline_hears_so_and_nothing_else() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    room.lose(NOW, guest(1).participant);
    room.handle(NOW, &host(200), ClientMessage::Deny { participant: guest(1).participant });
    let effects = room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    assert_eq!(effects, [send(vec![guest(1).participant], ServerMessage::Lobby { state: LobbyState::Denied })]);
}

#[test]
fn a_long_replay_goes_on_page_by_page_until_its_end() {
    let mut room = call(1);
    let application = || ClientMessage::Application { epoch: 1, body: Opaque::new(vec![0; 60_000]) };
    (0..20).for_each(|_| drop(room.handle(NOW, &host(200), application())));
    let mut effects = room.handle(NOW, &guest(1), ClientMessage::Replay { after: 0 });
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let page = told(&effects, &guest(1));
        assert!(page.len() <= 4, "{} entries", page.len());
        seen.extend(page.iter().map(|message| match message {
            ServerMessage::Entry { seq, .. } => *seq,
            other => panic!("{other:?}"),
        }));
        let Some(Effect::More { to, after }) = effects.last() else { break };
        assert_eq!((*to, Some(after)), (guest(1).participant, seen.last()));
        effects = room.resume(&guest(1), *after);
    }
    assert_eq!(seen, (2..=21).collect::<Vec<_>>());
}

#[test]
fn a_replay_does_not_go_on_for_somebody_removed_meanwhile() {
    let mut room = call(1);
    room.handle(NOW, &host(200), remove(&guest(1), 1));
    // Nobody asked, so there is no refusal either.
    assert_eq!(room.resume(&guest(1), 0), []);
    assert_eq!(room.resume(&guest(9), 0), []);
}

#[test]
fn a_guest_removes_only_who_left() {
    let mut room = call(2);
    assert_eq!(code(&room.handle(NOW, &guest(1), remove(&guest(2), 2)), &guest(1)), Some(ErrorCode::NotAllowed));
    assert_eq!(code(&room.handle(NOW, &guest(1), remove(&host(200), 2)), &guest(1)), Some(ErrorCode::NotAllowed));
    room.handle(NOW, &guest(2), ClientMessage::Leave);
    assert_eq!(code(&room.handle(NOW, &guest(1), remove(&guest(2), 2)), &guest(1)), None);
}

#[test]
fn updates_of_a_guest_are_a_minute_apart() {
    let mut room = call(1);
    assert_eq!(code(&room.handle(NOW, &guest(1), update(1)), &guest(1)), None);
    let soon = NOW + Duration::from_secs(59);
    assert_eq!(code(&room.handle(soon, &guest(1), update(2)), &guest(1)), Some(ErrorCode::Busy));
    assert_eq!(code(&room.handle(soon, &host(200), update(2)), &host(200)), None);
    let later = NOW + Duration::from_secs(60);
    assert_eq!(code(&room.handle(later, &guest(1), update(3)), &guest(1)), None);
}

#[test]
fn a_host_that_lost_a_race_goes_first() {
    let mut room = call(2);
    room.handle(NOW, &guest(1), update(2));
    let lost = room.handle(NOW, &host(200), remove(&guest(1), 2));
    assert_eq!(told(&lost, &host(200)), [ServerMessage::Conflict { epoch: 3 }]);
    assert_eq!(code(&room.handle(NOW, &guest(2), update(3)), &guest(2)), Some(ErrorCode::Busy));
    assert_eq!(code(&room.handle(NOW, &host(200), remove(&guest(1), 3)), &host(200)), None);
    let later = NOW + HOST_FIRST;
    assert_eq!(code(&room.handle(later, &guest(2), update(4)), &guest(2)), None);
}

#[test]
fn a_member_that_lost_its_group_asks_the_host_and_is_brought_back_by_one_bundle() {
    let mut room = call(2);
    let ask = ClientMessage::Relay { to: None, body: Opaque::new(vec![6]) };
    let effects = room.handle(NOW, &guest(1), ask);
    assert!(matches!(told(&effects, &host(200))[..], [ServerMessage::Relay { .. }]));
    assert!(told(&effects, &guest(2)).is_empty(), "nobody else hears of it");
    let answer = ClientMessage::Relay { to: Some(guest(1).participant), body: Opaque::new(vec![4]) };
    assert!(matches!(told(&room.handle(NOW, &host(200), answer), &guest(1))[..], [ServerMessage::Relay { .. }]));
    let effects = room.handle(NOW, &host(200), admit(&guest(1), 2));
    let heard = told(&effects, &guest(1));
    assert!(heard.iter().any(|message| matches!(message, ServerMessage::Admitted { epoch: 2, .. })));
    assert!(matches!(told(&effects, &guest(2))[..], [ServerMessage::Entry { .. }, ..]));
    let audited = |effect: &Effect| matches!(effect, Effect::Audit { event: "group.member_returned", .. });
    assert!(effects.iter().any(audited));
}
