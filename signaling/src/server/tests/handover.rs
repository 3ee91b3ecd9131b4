//! The host's seat goes to a colleague over sockets.

use super::{
    rooms::{admit, bytes},
    *,
};

fn commit(epoch: u64, intent: CommitIntent) -> ClientMessage {
    ClientMessage::Commit { epoch, commit: bytes(5), intent }
}

/// What the commit becomes in the log.
fn entry(seq: u64, epoch: u64, from: ParticipantId) -> Option<ServerMessage> {
    let entry = Delivery::Commit { commit: bytes(5), invite_psk: None };
    Some(ServerMessage::Entry { seq, epoch, from, entry })
}

const fn nobody_waits() -> Option<ServerMessage> {
    Some(ServerMessage::Waiting { guests: Vec::new() })
}

/// A host and a colleague in the call; both heard everything.
struct Pair {
    practice: Practice,
    session: String,
    host: Line,
    host_id: ParticipantId,
    colleague: Line,
    colleague_id: ParticipantId,
}

impl Pair {
    async fn open() -> Self {
        let practice = Practice::open().await;
        let session = practice.hire("second", StaffRole::Host).await;
        let (mut host, host_id) = practice.host_in_room().await;
        let (mut colleague, colleague_id) = practice.house.greet(&session).await;
        colleague.say(&practice.visit()).await;
        assert!(matches!(colleague.hear().await, Some(ServerMessage::Lobby { .. })));
        assert!(matches!(host.hear().await, Some(ServerMessage::Waiting { .. })));
        host.say(&admit(colleague_id, 0)).await;
        assert!(matches!(colleague.hear().await, Some(ServerMessage::Admitted { seq: 1, epoch: 0, .. })));
        for _ in 0..3 {
            host.hear().await;
        }
        Self { practice, session, host, host_id, colleague, colleague_id }
    }

    const fn open_room(&self) -> ClientMessage {
        ClientMessage::OpenRoom { appointment: self.practice.appointment }
    }
}

/// 1. The host hands over. 2. Both lose their sockets and come back. 3. The new host ends. 4. The room is the owner's again.
#[tokio::test]
async fn a_handed_over_call_survives_two_lost_sockets_and_is_ended_by_its_new_host() {
    let mut pair = Pair::open().await;
    let (host_id, colleague_id) = (pair.host_id, pair.colleague_id);
    pair.host.say(&commit(1, CommitIntent::HandOver { participant: colleague_id })).await;
    for line in [&mut pair.host, &mut pair.colleague] {
        assert_eq!(line.hear().await, entry(2, 1, host_id));
        assert_eq!(line.hear().await, Some(ServerMessage::Seat { host: colleague_id }));
    }
    assert_eq!(pair.colleague.hear().await, nobody_waits());

    let open_room = pair.open_room();
    let Pair { practice, session, host, mut colleague, .. } = pair;
    drop(host);
    assert_eq!(colleague.hear().await, Some(ServerMessage::Presence { participant: host_id, present: false }));
    let (mut host, same_id) = practice.house.greet(&practice.session).await;
    assert_eq!(same_id, host_id);
    host.say(&practice.visit()).await;
    let stand = ServerMessage::Admitted { seq: 2, epoch: 2, welcome: Opaque::default() };
    assert_eq!(host.hear().await, Some(stand));
    assert_eq!(colleague.hear().await, Some(ServerMessage::Presence { participant: host_id, present: true }));

    drop(colleague);
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: colleague_id, present: false }));
    let (mut colleague, _) = practice.house.greet(&session).await;
    colleague.say(&open_room).await;
    assert_eq!(colleague.hear().await, nobody_waits());
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: colleague_id, present: true }));
    colleague.say(&ClientMessage::Replay { after: 0 }).await;
    assert!(matches!(colleague.hear().await, Some(ServerMessage::Entry { seq: 2, .. })));

    let (mut guest, guest_id) = practice.guest_in_lobby(1, &mut colleague).await;
    host.say(&admit(guest_id, 2)).await;
    assert_eq!(host.hear_error().await, ErrorCode::NotAllowed);
    host.say(&ClientMessage::EndCall).await;
    assert_eq!(host.hear_error().await, ErrorCode::NotAllowed);
    colleague.say(&ClientMessage::EndCall).await;
    assert_eq!(colleague.hear().await, Some(ServerMessage::Ended));
    assert_eq!(host.hear().await, Some(ServerMessage::Ended));
    assert_eq!(guest.hear().await, Some(ServerMessage::Lobby { state: LobbyState::Closed }));

    host.say(&practice.visit()).await;
    assert_eq!(host.hear_error().await, ErrorCode::NotAllowed);
    colleague.say(&open_room).await;
    assert_eq!(colleague.hear_error().await, ErrorCode::NotAllowed);
    host.say(&open_room).await;
    assert_eq!(host.hear().await, nobody_waits());
}

/// 1. Nobody steps in while the host is there. 2. The host's socket is lost. 3. The colleague steps in and ends.
#[tokio::test]
async fn a_colleague_steps_in_for_a_lost_host() {
    let mut pair = Pair::open().await;
    let (host_id, colleague_id) = (pair.host_id, pair.colleague_id);
    pair.colleague.say(&commit(1, CommitIntent::StepIn)).await;
    assert_eq!(pair.colleague.hear_error().await, ErrorCode::OpenElsewhere);
    let open_room = pair.open_room();
    drop(std::mem::replace(&mut pair.host, pair.practice.house.line().await));
    let lost = ServerMessage::Presence { participant: host_id, present: false };
    assert_eq!(pair.colleague.hear().await, Some(lost));
    pair.colleague.say(&commit(1, CommitIntent::StepIn)).await;
    assert_eq!(pair.colleague.hear().await, entry(2, 1, colleague_id));
    assert_eq!(pair.colleague.hear().await, Some(ServerMessage::Seat { host: colleague_id }));
    assert_eq!(pair.colleague.hear().await, nobody_waits());
    // The former host is a member, and comes back as one.
    let (mut host, _) = pair.practice.house.greet(&pair.practice.session).await;
    host.say(&open_room).await;
    assert_eq!(host.hear_error().await, ErrorCode::NotAllowed);
    host.say(&pair.practice.visit()).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Admitted { seq: 2, epoch: 2, .. })));
    host.say(&ClientMessage::Replay { after: 1 }).await;
    assert_eq!(host.hear().await, entry(2, 1, colleague_id));
    pair.colleague.say(&ClientMessage::EndCall).await;
    assert_eq!(host.hear().await, Some(ServerMessage::Ended));
}
