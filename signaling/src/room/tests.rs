//! The room without sockets: order, bounds, return of the host, fairness.

mod call;
mod colleague;
mod flood;
mod handover;

use super::{roster::MAX_WAITING, *};
use crate::protocol::LobbyState;

const NOW: Duration = Duration::from_secs(100);
const APPOINTMENT: AppointmentId = AppointmentId::from_bytes([1; 16]);
const OWNER: UserId = UserId::from_bytes([2; 16]);

fn host(device: u8) -> Sender {
    let who = Who::Staff { user: OWNER, role: StaffRole::Host };
    Sender { participant: ParticipantId::from_bytes([device; 16]), who }
}

fn guest(number: u8) -> Sender {
    let invite_id = InviteId::from_bytes([number; 16]);
    let who = Who::Guest { appointment: APPOINTMENT, invite_id, role: GuestRole::Patient };
    Sender { participant: ParticipantId::from_bytes([number; 16]), who }
}

fn open() -> ClientMessage {
    ClientMessage::OpenRoom { appointment: APPOINTMENT }
}

fn admit(sender: &Sender, epoch: u64) -> ClientMessage {
    let participant = sender.participant;
    ClientMessage::Admit { participant, epoch, commit: Opaque::default(), welcome: Opaque::default(), invite_psk: None }
}

fn update(epoch: u64) -> ClientMessage {
    ClientMessage::Commit { epoch, commit: Opaque::default(), intent: CommitIntent::Update }
}

fn remove(sender: &Sender, epoch: u64) -> ClientMessage {
    let intent = CommitIntent::Remove { participant: sender.participant };
    ClientMessage::Commit { epoch, commit: Opaque::default(), intent }
}

/// What one participant is sent.
fn told(effects: &[Effect], sender: &Sender) -> Vec<ServerMessage> {
    let to_sender = |effect: &Effect| match effect {
        Effect::Send { to, message } if to.contains(&sender.participant) => Some(message.clone()),
        _ => None,
    };
    effects.iter().filter_map(to_sender).collect()
}

fn code(effects: &[Effect], sender: &Sender) -> Option<ErrorCode> {
    told(effects, sender).into_iter().find_map(|message| match message {
        ServerMessage::Error { code, .. } => Some(code),
        _ => None,
    })
}

/// A room with its host (device 200) and guests 1 to `admitted` in the call.
fn call(admitted: u8) -> Room {
    let mut room = Room::new(APPOINTMENT, OWNER);
    room.handle(NOW, &host(200), open());
    for number in 1..=admitted {
        room.handle(NOW, &guest(number), ClientMessage::EnterLobby);
        let effects = room.handle(NOW, &host(200), admit(&guest(number), u64::from(number) - 1));
        assert_eq!(code(&effects, &host(200)), None);
    }
    room
}

#[test]
fn strangers_may_do_nothing() {
    let mut room = call(1);
    let other_user = Who::Staff { user: UserId::from_bytes([9; 16]), role: StaffRole::FrontDesk };
    let other_role = Who::Staff { user: OWNER, role: StaffRole::Admin };
    let appointment = AppointmentId::from_bytes([9; 16]);
    let other_room = Who::Guest { appointment, invite_id: InviteId::from_bytes([9; 16]), role: GuestRole::Patient };
    for who in [other_user, other_role, other_room] {
        let stranger = Sender { participant: ParticipantId::from_bytes([9; 16]), who };
        for message in [open(), ClientMessage::EnterLobby, admit(&guest(1), 1), ClientMessage::Replay { after: 0 }] {
            let effects = room.handle(NOW, &stranger, message);
            assert_eq!(code(&effects, &stranger), Some(ErrorCode::NotAllowed));
        }
    }
}

#[test]
fn an_admission_is_durable_before_anybody_hears_of_it() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &host(200), admit(&guest(1), 0));
    let spent = Effect::Spend { invite_id: InviteId::from_bytes([1; 16]), admitted: true };
    assert_eq!(effects.first(), Some(&spent));
}

#[test]
fn the_bundle_is_for_members_and_the_welcome_for_the_guest_only() {
    let mut room = call(1);
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    room.handle(NOW, &guest(3), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &host(200), admit(&guest(2), 1));
    assert!(matches!(
        told(&effects, &guest(1))[..],
        [ServerMessage::Entry { seq: 2, .. }, ServerMessage::Presence { .. }]
    ));
    assert!(matches!(told(&effects, &guest(2))[..], [ServerMessage::Admitted { seq: 2, epoch: 1, .. }]));
    assert!(matches!(told(&effects, &guest(3))[..], [ServerMessage::Lobby { .. }]));
}

#[test]
fn only_who_is_let_in_is_told_of_the_relays() {
    let relays = |effects: &[Effect]| -> Vec<ParticipantId> {
        let to = effects.iter().filter_map(|effect| match effect {
            Effect::Relays { to } => Some(to.clone()),
            _ => None,
        });
        to.flatten().collect()
    };
    let mut room = Room::new(APPOINTMENT, OWNER);
    assert_eq!(relays(&room.handle(NOW, &host(200), open())), [host(200).participant]);
    for number in [1, 2] {
        assert!(relays(&room.handle(NOW, &guest(number), ClientMessage::EnterLobby)).is_empty());
    }
    assert_eq!(room.relayed(), [host(200).participant]);
    assert_eq!(relays(&room.handle(NOW, &host(200), admit(&guest(1), 0))), [guest(1).participant]);
    let denied = room.handle(NOW, &host(200), ClientMessage::Deny { participant: guest(2).participant });
    assert!(relays(&denied).is_empty());
    assert!(relays(&room.handle(NOW, &guest(2), ClientMessage::EnterLobby)).is_empty());
    assert_eq!(room.relayed(), [host(200).participant, guest(1).participant]);
    room.handle(NOW, &host(200), remove(&guest(1), 1));
    assert_eq!(room.relayed(), [host(200).participant]);
}

#[test]
fn a_guest_who_left_meanwhile_is_not_admitted_and_the_epoch_stays() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    room.lose(NOW, guest(1).participant);
    let effects = room.handle(NOW, &host(200), admit(&guest(1), 0));
    assert_eq!(code(&effects, &host(200)), Some(ErrorCode::GuestLeft));
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    assert_eq!(code(&room.handle(NOW, &host(200), admit(&guest(1), 0)), &host(200)), None);
}

#[test]
fn a_short_loss_keeps_the_place_in_the_queue() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    room.lose(NOW, guest(1).participant);
    let later = NOW + Duration::from_secs(60);
    room.expire(later);
    let effects = room.handle(later, &guest(1), ClientMessage::EnterLobby);
    let [ServerMessage::Waiting { guests }] = &told(&effects, &host(200))[..] else { panic!("no list") };
    assert_eq!(guests[0].participant, guest(1).participant);
    assert_eq!(guests[0].waited_ms, 60_000);
    room.lose(later, guest(1).participant);
    let much_later = later + Duration::from_secs(120);
    room.expire(much_later);
    let effects = room.handle(much_later, &guest(1), ClientMessage::EnterLobby);
    let state = LobbyState::Waiting { host_present: true, position: 2 };
    assert_eq!(told(&effects, &guest(1)), [ServerMessage::Lobby { state }]);
}

#[test]
fn the_lobby_is_bounded() {
    let mut room = call(0);
    let many = u8::try_from(MAX_WAITING).unwrap();
    for number in 1..=many {
        assert_eq!(code(&room.handle(NOW, &guest(number), ClientMessage::EnterLobby), &guest(number)), None);
    }
    let effects = room.handle(NOW, &guest(many + 1), ClientMessage::EnterLobby);
    assert_eq!(code(&effects, &guest(many + 1)), Some(ErrorCode::Busy));
    assert_eq!(room.waiting_count(), MAX_WAITING);
}

#[test]
fn the_same_host_resumes_and_another_device_begins_anew() {
    let mut room = call(1);
    assert_eq!(code(&room.handle(NOW, &host(201), open()), &host(201)), Some(ErrorCode::OpenElsewhere));
    room.lose(NOW, host(200).participant);
    room.handle(NOW, &host(200), open());
    assert!(!told(&room.handle(NOW, &host(200), ClientMessage::Replay { after: 0 }), &host(200)).is_empty());
    room.lose(NOW, host(200).participant);
    let effects = room.handle(NOW, &host(201), open());
    let state = LobbyState::Waiting { host_present: true, position: 1 };
    assert_eq!(told(&effects, &guest(1)), [ServerMessage::Lobby { state }]);
    assert_eq!(told(&room.handle(NOW, &host(201), ClientMessage::Replay { after: 0 }), &host(201)), []);
    assert_eq!(code(&room.handle(NOW, &host(201), admit(&guest(1), 0)), &host(201)), None);
}

#[test]
fn a_host_relays_to_its_guests_and_a_guest_to_its_host_only() {
    let mut room = call(1);
    let relay = |to: Option<ParticipantId>| ClientMessage::Relay { to, body: Opaque::default() };
    for to in [None, Some(guest(9).participant)] {
        // Silence: an error would read like the answer to an admission under way.
        assert_eq!(room.handle(NOW, &host(200), relay(to)), []);
    }
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    room.handle(NOW, &guest(3), ClientMessage::EnterLobby);
    for to in [guest(1), guest(2)] {
        let effects = room.handle(NOW, &host(200), relay(Some(to.participant)));
        assert!(matches!(told(&effects, &to)[..], [ServerMessage::Relay { .. }]), "one in the call, one at the door");
    }
    // A guest reaches the host, never another guest.
    let effects = room.handle(NOW, &guest(2), relay(Some(guest(3).participant)));
    assert_eq!(told(&effects, &guest(3)), []);
    assert_eq!(told(&effects, &host(200)).len(), 1);
}

#[test]
fn a_denial_of_somebody_who_does_not_wait_is_silent() {
    let mut room = call(1);
    for participant in [guest(1).participant, guest(9).participant, host(200).participant] {
        assert_eq!(room.handle(NOW, &host(200), ClientMessage::Deny { participant }), []);
    }
    // Not even a member is touched by it.
    assert!(!room.handle(NOW, &guest(1), update(1)).is_empty());
}

#[test]
fn a_refusal_names_whom_it_is_about() {
    let mut room = call(2);
    let absent = guest(9);
    for message in [admit(&absent, 2), remove(&absent, 2)] {
        let told = told(&room.handle(NOW, &host(200), message), &host(200));
        let participant = Some(absent.participant);
        let expected = ServerMessage::Error { code: ErrorCode::GuestLeft, retry_after_s: None, participant };
        assert_eq!(told, [expected]);
    }
    // A refusal by the table names it as well, and one of anything else names nobody.
    let cases = [
        (admit(&absent, 2), Some(absent.participant)),
        (remove(&guest(2), 2), Some(guest(2).participant)),
        (ClientMessage::Deny { participant: absent.participant }, None),
    ];
    for (message, named) in cases {
        let told = told(&room.handle(NOW, &guest(1), message), &guest(1));
        let [ServerMessage::Error { code: ErrorCode::NotAllowed, participant, .. }] = told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(participant, named);
    }
}

#[test]
fn refusals_cannot_fill_the_audit() {
    let mut room = call(0);
    room.handle(NOW, &guest(1), ClientMessage::EnterLobby);
    let mut audited = 0;
    for _ in 0..1000 {
        let effects = room.handle(NOW, &guest(1), ClientMessage::EndCall);
        audited += effects.iter().filter(|effect| matches!(effect, Effect::Audit { .. })).count();
    }
    assert_eq!(audited, usize::from(AUDITED_REFUSALS));
}

#[test]
fn the_end_closes_the_lobby_too() {
    let mut room = call(1);
    room.handle(NOW, &guest(2), ClientMessage::EnterLobby);
    let effects = room.handle(NOW, &host(200), ClientMessage::EndCall);
    assert_eq!(told(&effects, &guest(1)), [ServerMessage::Ended]);
    assert_eq!(told(&effects, &guest(2)), [ServerMessage::Lobby { state: LobbyState::Closed }]);
    assert_eq!(effects.last(), Some(&Effect::Over));
}
