//! Coming back, and coming first.

use super::{
    rooms::{admit, bytes},
    *,
};

/// A room whose admitted guest has just lost its socket.
struct Gone {
    practice: Practice,
    host: Line,
    session: String,
    guest_id: ParticipantId,
}

async fn gone() -> Gone {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    practice.invite(1).await;
    let session = practice.redeem(1).await.unwrap();
    let (mut guest, guest_id) = practice.house.greet(&session).await;
    guest.say(&ClientMessage::EnterLobby).await;
    guest.hear().await;
    host.hear().await;
    host.say(&admit(guest_id, 0)).await;
    assert!(matches!(guest.hear().await, Some(ServerMessage::Admitted { .. })));
    for _ in 0..3 {
        host.hear().await;
    }
    drop(guest);
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: guest_id, present: false }));
    Gone { practice, host, session, guest_id }
}

#[tokio::test]
async fn a_lost_socket_comes_back_to_the_same_call() {
    let Gone { practice, mut host, session, guest_id } = gone().await;
    host.say(&ClientMessage::Application { epoch: 1, body: bytes(8) }).await;
    let missed = host.hear().await;

    let (mut guest, same_id) = practice.house.greet(&session).await;
    assert_eq!(same_id, guest_id);
    guest.say(&ClientMessage::EnterLobby).await;
    assert_eq!(guest.hear().await, Some(ServerMessage::Admitted { seq: 1, epoch: 0, welcome: bytes(2) }));
    guest.say(&ClientMessage::Replay { after: 1 }).await;
    assert_eq!(guest.hear().await, missed);
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: guest_id, present: true }));
}

#[tokio::test]
async fn a_member_removed_while_offline_is_told_when_it_comes_back() {
    let Gone { practice, mut host, session, guest_id } = gone().await;
    let intent = CommitIntent::Remove { participant: guest_id };
    host.say(&ClientMessage::Commit { epoch: 1, commit: bytes(4), intent }).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Entry { .. })));
    let (mut guest, _) = practice.house.greet(&session).await;
    guest.say(&ClientMessage::EnterLobby).await;
    assert_eq!(guest.hear().await, Some(ServerMessage::Lobby { state: LobbyState::Denied }));
}

#[tokio::test]
async fn one_replay_brings_everything_that_was_missed() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    // More than a page, and as many as a socket may say at once.
    for len in 0..200 {
        host.say(&ClientMessage::Application { epoch: 0, body: bytes(len) }).await;
        assert!(matches!(host.hear().await, Some(ServerMessage::Entry { .. })));
    }
    drop(host);
    let (mut host, _) = practice.house.greet(&practice.session).await;
    host.say(&ClientMessage::OpenRoom { appointment: practice.appointment }).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Waiting { .. })));
    host.say(&ClientMessage::Replay { after: 0 }).await;
    for wanted in 1..=200 {
        let told = host.hear().await;
        assert!(matches!(told, Some(ServerMessage::Entry { seq, .. }) if seq == wanted), "{wanted}: {told:?}");
    }
}

#[tokio::test]
async fn a_guest_without_a_host_waits_and_hears_when_one_comes() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    let session = practice.redeem(1).await.unwrap();
    let (mut guest, guest_id) = practice.house.greet(&session).await;
    guest.say(&ClientMessage::EnterLobby).await;
    let waiting = |host_present| ServerMessage::Lobby { state: LobbyState::Waiting { host_present, position: 1 } };
    assert_eq!(guest.hear().await, Some(waiting(false)));
    guest.say(&ClientMessage::Relay { to: None, body: bytes(1) }).await;
    assert_eq!(guest.hear_error().await, ErrorCode::NoHost);
    let list: AppointmentList = practice.house.fetch("/v1/appointments", &practice.session).await.unwrap();
    assert_eq!(list.appointments[0].waiting, 1);

    let (mut host, _) = practice.house.greet(&practice.session).await;
    host.say(&ClientMessage::OpenRoom { appointment: practice.appointment }).await;
    let Some(ServerMessage::Waiting { guests }) = host.hear().await else { panic!("no list") };
    assert_eq!(guests[0].participant, guest_id);
    let visitor = Visitor::Guest { role: GuestRole::Patient, invite_id: InviteId::from_bytes([1; 16]) };
    assert_eq!(guests[0].visitor, visitor);
    assert_eq!(guest.hear().await, Some(waiting(true)));
    host.say(&ClientMessage::Leave).await;
    assert_eq!(guest.hear().await, Some(waiting(false)));
}
