//! Lobby and call over sockets.

use super::*;

pub(super) fn bytes(len: usize) -> Opaque {
    Opaque::new(vec![7; len])
}

pub(super) fn admit(participant: ParticipantId, epoch: u64) -> ClientMessage {
    ClientMessage::Admit { participant, epoch, commit: bytes(1), welcome: bytes(2), invite_psk: Some(bytes(3)) }
}

/// 1. Host opens the room. 2. Guest enters and knocks. 3. Host answers and admits. 4. Both talk. 5. Host ends.
#[tokio::test]
async fn a_guest_is_admitted_talks_and_hears_the_end() {
    let practice = Practice::open().await;
    let (mut host, host_id) = practice.host_in_room().await;
    let (mut guest, guest_id) = practice.guest_in_lobby(1, &mut host).await;

    guest.say(&ClientMessage::Relay { to: None, body: bytes(16) }).await;
    assert_eq!(host.hear().await, Some(ServerMessage::Relay { from: guest_id, body: bytes(16) }));
    host.say(&ClientMessage::Relay { to: Some(guest_id), body: bytes(17) }).await;
    assert_eq!(guest.hear().await, Some(ServerMessage::Relay { from: host_id, body: bytes(17) }));

    host.say(&admit(guest_id, 0)).await;
    let commit = Delivery::Commit { commit: bytes(1), invite_psk: Some(bytes(3)) };
    let echo = ServerMessage::Entry { seq: 1, epoch: 0, from: host_id, entry: commit };
    assert_eq!(host.hear().await, Some(echo));
    assert_eq!(guest.hear().await, Some(ServerMessage::Admitted { seq: 1, epoch: 0, welcome: bytes(2) }));
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: guest_id, present: true }));
    assert_eq!(host.hear().await, Some(ServerMessage::Waiting { guests: Vec::new() }));
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::InvitationUsed);

    guest.say(&ClientMessage::Application { epoch: 1, body: bytes(9) }).await;
    let entry =
        ServerMessage::Entry { seq: 2, epoch: 1, from: guest_id, entry: Delivery::Application { body: bytes(9) } };
    assert_eq!(host.hear().await, Some(entry.clone()));
    assert_eq!(guest.hear().await, Some(entry.clone()));
    guest.say(&ClientMessage::Application { epoch: 0, body: bytes(9) }).await;
    assert_eq!(guest.hear().await, Some(ServerMessage::Conflict { epoch: 1 }));
    // A replay of everything begins where the guest came in.
    guest.say(&ClientMessage::Replay { after: 0 }).await;
    assert_eq!(guest.hear().await, Some(entry));

    host.say(&ClientMessage::EndCall).await;
    assert_eq!(guest.hear().await, Some(ServerMessage::Ended));
    assert_eq!(guest.hear().await, None);
    assert_eq!(host.hear().await, Some(ServerMessage::Ended));
    let list: AppointmentList = practice.house.fetch("/v1/appointments", &practice.session).await.unwrap();
    assert_eq!(list.appointments[0].state, AppointmentState::Ended);
    assert_eq!(list.appointments[0].invitations[0].state, InvitationState::Used);
}

#[tokio::test]
async fn a_guest_who_was_never_admitted_gets_nothing_of_the_call() {
    let practice = Practice::open().await;
    let (mut host, host_id) = practice.host_in_room().await;
    let (mut admitted, admitted_id) = practice.guest_in_lobby(1, &mut host).await;
    let (mut waiting, waiting_id) = practice.guest_in_lobby(2, &mut host).await;
    host.say(&admit(admitted_id, 0)).await;
    for epoch in [1; 5] {
        host.say(&ClientMessage::Application { epoch, body: bytes(40) }).await;
    }
    // Everything that only members may say, and everything that only a host may say.
    let update = ClientMessage::Commit { epoch: 1, commit: bytes(1), intent: CommitIntent::Update };
    let remove = CommitIntent::Remove { participant: host_id };
    let forbidden = [
        (update, ErrorCode::NotAdmittedYet),
        (ClientMessage::Commit { epoch: 1, commit: bytes(1), intent: remove }, ErrorCode::NotAdmittedYet),
        (ClientMessage::Application { epoch: 1, body: bytes(1) }, ErrorCode::NotAdmittedYet),
        (ClientMessage::Replay { after: 0 }, ErrorCode::NotAdmittedYet),
        (admit(waiting_id, 1), ErrorCode::NotAllowed),
        (ClientMessage::Deny { participant: admitted_id }, ErrorCode::NotAllowed),
        (ClientMessage::OpenRoom { appointment: practice.appointment }, ErrorCode::NotAllowed),
        (ClientMessage::EndCall, ErrorCode::NotAllowed),
    ];
    // The first word after the admission is its new place in the queue: nothing of the call came between.
    assert_eq!(
        waiting.hear().await,
        Some(ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, position: 1 } })
    );
    for (message, code) in forbidden {
        waiting.say(&message).await;
        assert_eq!(waiting.hear_error().await, code, "{message:?}");
    }
    admitted.say(&admit(waiting_id, 1)).await;
    assert!(matches!(admitted.hear().await, Some(ServerMessage::Admitted { .. })));
    for _ in 0..5 {
        assert!(matches!(admitted.hear().await, Some(ServerMessage::Entry { .. })));
    }
    assert_eq!(admitted.hear_error().await, ErrorCode::NotAllowed);
}

#[tokio::test]
async fn a_denied_guest_is_told_and_stays_out() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let (mut guest, guest_id) = practice.guest_in_lobby(1, &mut host).await;
    host.say(&ClientMessage::Deny { participant: guest_id }).await;
    let denied = Some(ServerMessage::Lobby { state: LobbyState::Denied });
    assert_eq!(guest.hear().await, denied);
    guest.say(&ClientMessage::EnterLobby).await;
    assert_eq!(guest.hear().await, denied);
    guest.say(&ClientMessage::Relay { to: None, body: bytes(1) }).await;
    assert_eq!(guest.hear_error().await, ErrorCode::NotAdmitted);
    drop(guest);
    assert_eq!(host.hear().await, Some(ServerMessage::Waiting { guests: Vec::new() }));
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::NotAdmitted);
}

#[tokio::test]
async fn of_two_commits_of_one_epoch_the_second_is_a_conflict() {
    let practice = Practice::open().await;
    let (mut host, host_id) = practice.host_in_room().await;
    let (mut guest, guest_id) = practice.guest_in_lobby(1, &mut host).await;
    host.say(&admit(guest_id, 0)).await;
    assert!(matches!(guest.hear().await, Some(ServerMessage::Admitted { .. })));
    let update = |epoch| ClientMessage::Commit { epoch, commit: bytes(5), intent: CommitIntent::Update };
    guest.say(&update(1)).await;
    let entry = Delivery::Commit { commit: bytes(5), invite_psk: None };
    let won = ServerMessage::Entry { seq: 2, epoch: 1, from: guest_id, entry };
    assert_eq!(guest.hear().await, Some(won.clone()));
    host.say(&update(1)).await;
    for _ in 0..3 {
        host.hear().await;
    }
    assert_eq!(host.hear().await, Some(won));
    assert_eq!(host.hear().await, Some(ServerMessage::Conflict { epoch: 2 }));
    host.say(&ClientMessage::Commit {
        epoch: 2,
        commit: bytes(6),
        intent: CommitIntent::Remove { participant: guest_id },
    })
    .await;
    let entry = Delivery::Commit { commit: bytes(6), invite_psk: None };
    let removal = ServerMessage::Entry { seq: 3, epoch: 2, from: host_id, entry };
    assert_eq!(host.hear().await, Some(removal.clone()));
    assert_eq!(guest.hear().await, Some(removal));
    guest.say(&ClientMessage::Replay { after: 0 }).await;
    assert_eq!(guest.hear_error().await, ErrorCode::NotAllowed);
}
