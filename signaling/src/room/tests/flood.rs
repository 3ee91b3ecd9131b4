//! A guest who says too much: the host's socket must outlive it.

use super::{super::allowance::RELAY_PAUSE, *};
use crate::protocol::MAX_RELAY_LEN;

fn relay(len: usize) -> ClientMessage {
    ClientMessage::Relay { to: None, body: Opaque::new(vec![0; len]) }
}

fn lobby(waiting: u8) -> Room {
    let mut room = call(0);
    for number in 1..=waiting {
        room.handle(NOW, &guest(number), ClientMessage::EnterLobby);
    }
    room
}

/// How many relays reach the host when one guest says `count` of `len` bytes at once.
fn reach(room: &mut Room, now: Duration, from: &Sender, len: usize, count: usize) -> usize {
    (0..count).filter(|_| !told(&room.handle(now, from, relay(len)), &host(200)).is_empty()).count()
}

#[test]
fn a_guest_beyond_its_allowance_is_refused_alone() {
    let mut room = lobby(2);
    // A key exchange of three messages fits at its largest.
    assert_eq!(reach(&mut room, NOW, &guest(1), MAX_RELAY_LEN, 100), 3);
    let effects = room.handle(NOW, &guest(1), relay(MAX_RELAY_LEN));
    let refused = ServerMessage::Error { code: ErrorCode::Busy, retry_after_s: Some(10), participant: None };
    assert_eq!(effects, [send(vec![guest(1).participant], refused)]);
    assert_eq!(reach(&mut room, NOW, &guest(2), MAX_RELAY_LEN, 1), 1);
    // An admission still goes through.
    assert_eq!(code(&room.handle(NOW, &host(200), admit(&guest(1), 0)), &host(200)), None);
}

#[test]
fn an_allowance_comes_back_with_time() {
    let mut room = lobby(1);
    assert_eq!(reach(&mut room, NOW, &guest(1), MAX_RELAY_LEN, 5), 3);
    let almost = NOW + RELAY_PAUSE - Duration::from_millis(1);
    let told = told(&room.handle(almost, &guest(1), relay(MAX_RELAY_LEN)), &guest(1));
    assert!(matches!(told[..], [ServerMessage::Error { retry_after_s: Some(1), .. }]), "{told:?}");
    assert_eq!(reach(&mut room, NOW + RELAY_PAUSE, &guest(1), MAX_RELAY_LEN, 5), 4);
}

#[test]
fn many_small_messages_count_too() {
    let mut room = lobby(1);
    assert!(reach(&mut room, NOW, &guest(1), 0, 1000) < 100);
}

#[test]
fn leaving_and_entering_again_gives_no_new_allowance() {
    let mut room = lobby(1);
    let mut delivered = 0;
    for _ in 0..1000 {
        for message in [relay(MAX_RELAY_LEN), ClientMessage::Leave, ClientMessage::EnterLobby] {
            delivered += told(&room.handle(NOW, &guest(1), message), &host(200)).len();
        }
    }
    // Neither relays nor lists of who waits.
    assert!(delivered < 100, "{delivered}");
    let mut other_session = guest(1);
    other_session.participant = ParticipantId::from_bytes([77; 16]);
    let effects = room.handle(NOW, &other_session, ClientMessage::EnterLobby);
    assert_eq!(code(&effects, &other_session), Some(ErrorCode::Busy));
}

#[test]
fn a_member_comes_back_whatever_it_said_before() {
    let mut room = lobby(1);
    reach(&mut room, NOW, &guest(1), 0, 100);
    room.handle(NOW, &host(200), admit(&guest(1), 0));
    room.lose(NOW, guest(1).participant);
    let effects = room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    assert!(matches!(told(&effects, &guest(1))[..], [ServerMessage::Admitted { .. }]));
}
