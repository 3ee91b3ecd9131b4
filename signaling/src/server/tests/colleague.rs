//! A second host of the practice visits the first one's room.

use super::{
    rooms::{admit, bytes},
    *,
};

impl Practice {
    /// The session of somebody new.
    pub(super) async fn hire(&self, name: &str, role: StaffRole) -> String {
        let admin = self.house.sign_in(&self.owner).await;
        let account = self.house.hire(&admin, name, role).await;
        self.house.sign_in(&account).await
    }

    async fn rooms(&self, session: &str) -> Result<Vec<OpenRoom>, ErrorCode> {
        self.house.fetch::<RoomsResponse>("/v1/rooms", session).await.map(|answer| answer.rooms)
    }

    pub(super) const fn visit(&self) -> ClientMessage {
        ClientMessage::VisitRoom { appointment: self.appointment }
    }
}

const fn waits(host_present: bool) -> Option<ServerMessage> {
    Some(ServerMessage::Lobby { state: LobbyState::Waiting { host_present, position: 1 } })
}

/// 1. The colleague finds the room. 2. It waits and is listed. 3. The host admits it. 4. Both talk. 5. The host ends.
#[tokio::test]
async fn a_colleague_finds_the_room_is_admitted_talks_and_keeps_its_session() {
    let practice = Practice::open().await;
    let session = practice.hire("second", StaffRole::Host).await;
    assert_eq!(practice.rooms(&session).await.unwrap(), []);
    let (mut host, host_id) = practice.host_in_room().await;
    let rooms = practice.rooms(&session).await.unwrap();
    let [room] = &rooms[..] else { panic!("{rooms:?}") };
    assert_eq!((room.label.as_str(), room.host.as_str()), ("A-17", "HOST"));
    assert_eq!(room.appointment, practice.appointment);

    let (mut colleague, colleague_id) = practice.house.greet(&session).await;
    colleague.say(&ClientMessage::VisitRoom { appointment: room.appointment }).await;
    assert_eq!(colleague.hear().await, waits(true));
    let Some(ServerMessage::Waiting { guests }) = host.hear().await else { panic!("no list") };
    assert_eq!((guests[0].participant, guests[0].visitor), (colleague_id, Visitor::Colleague));
    let list: AppointmentList = practice.house.fetch("/v1/appointments", &practice.session).await.unwrap();
    assert_eq!(list.appointments[0].waiting, 1);

    colleague.say(&ClientMessage::Relay { to: None, body: bytes(16) }).await;
    assert_eq!(host.hear().await, Some(ServerMessage::Relay { from: colleague_id, body: bytes(16) }));
    host.say(&ClientMessage::Relay { to: Some(colleague_id), body: bytes(17) }).await;
    assert_eq!(colleague.hear().await, Some(ServerMessage::Relay { from: host_id, body: bytes(17) }));

    host.say(&admit(colleague_id, 0)).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Entry { seq: 1, epoch: 0, .. })));
    assert_eq!(host.hear().await, Some(ServerMessage::Presence { participant: colleague_id, present: true }));
    assert_eq!(host.hear().await, Some(ServerMessage::Waiting { guests: Vec::new() }));
    assert_eq!(colleague.hear().await, Some(ServerMessage::Admitted { seq: 1, epoch: 0, welcome: bytes(2) }));
    colleague.say(&ClientMessage::Application { epoch: 1, body: bytes(9) }).await;
    let entry = Delivery::Application { body: bytes(9) };
    let entry = Some(ServerMessage::Entry { seq: 2, epoch: 1, from: colleague_id, entry });
    assert_eq!(host.hear().await, entry);
    assert_eq!(colleague.hear().await, entry);

    host.say(&ClientMessage::EndCall).await;
    assert_eq!(host.hear().await, Some(ServerMessage::Ended));
    assert_eq!(colleague.hear().await, Some(ServerMessage::Ended));
    // Its session and its socket go on.
    assert_eq!(practice.rooms(&session).await.unwrap(), []);
    colleague.say(&practice.visit()).await;
    assert_eq!(colleague.hear().await, waits(false));
}

#[tokio::test]
async fn open_rooms_are_for_other_hosts_and_only_while_the_host_is_there() {
    let practice = Practice::open().await;
    let second = practice.hire("second", StaffRole::Host).await;
    let desk = practice.hire("desk", StaffRole::FrontDesk).await;
    let (mut host, _) = practice.host_in_room().await;
    assert_eq!(practice.rooms(&desk).await.unwrap_err(), ErrorCode::NotAllowed);
    assert_eq!(practice.rooms(&practice.session).await.unwrap(), [], "its own");
    assert_eq!(practice.rooms(&second).await.unwrap().len(), 1);
    practice.invite(1).await;
    let guest = practice.redeem(1).await.unwrap();
    assert_eq!(practice.rooms(&guest).await.unwrap_err(), ErrorCode::NotAllowed);
    // Who only waits opens no room.
    let (mut visitor, _) = practice.house.greet(&second).await;
    visitor.say(&practice.visit()).await;
    assert_eq!(visitor.hear().await, waits(true));
    host.hear().await;
    host.say(&ClientMessage::Leave).await;
    assert_eq!(visitor.hear().await, waits(false));
    assert_eq!(practice.rooms(&second).await.unwrap(), []);
    host.say(&ClientMessage::OpenRoom { appointment: practice.appointment }).await;
    assert_eq!(visitor.hear().await, waits(true));
    let path = format!("/v1/appointments/{}/cancel", practice.appointment.to_hex());
    practice.house.post::<Empty>(&path, &practice.session, &Empty {}).await.unwrap();
    assert_eq!(practice.rooms(&second).await.unwrap(), []);
}

#[tokio::test]
async fn a_visit_goes_to_an_appointment_of_another_host_or_is_refused() {
    let practice = Practice::open().await;
    let second = practice.hire("second", StaffRole::Host).await;
    let desk = practice.hire("desk", StaffRole::FrontDesk).await;
    let (mut visitor, _) = practice.house.greet(&second).await;
    visitor.say(&ClientMessage::VisitRoom { appointment: AppointmentId::from_bytes([9; 16]) }).await;
    assert_eq!(visitor.hear_error().await, ErrorCode::NotFound);
    visitor.say(&ClientMessage::EnterLobby).await;
    assert_eq!(visitor.hear_error().await, ErrorCode::NotAllowed);
    for session in [&desk, &practice.session] {
        let (mut line, _) = practice.house.greet(session).await;
        line.say(&practice.visit()).await;
        assert_eq!(line.hear_error().await, ErrorCode::NotAllowed);
    }
    practice.invite(1).await;
    let (mut guest, _) = practice.house.greet(&practice.redeem(1).await.unwrap()).await;
    guest.say(&practice.visit()).await;
    assert_eq!(guest.hear_error().await, ErrorCode::NotAllowed);
    let path = format!("/v1/appointments/{}/cancel", practice.appointment.to_hex());
    practice.house.post::<Empty>(&path, &practice.session, &Empty {}).await.unwrap();
    visitor.say(&practice.visit()).await;
    assert_eq!(visitor.hear_error().await, ErrorCode::AppointmentMoved);
}

#[tokio::test]
async fn a_colleague_goes_from_room_to_room_and_a_closed_one_says_nothing() {
    let practice = Practice::open().await;
    let second = practice.hire("second", StaffRole::Host).await;
    let own = book(&practice.house, &second).await;
    let (mut host, _) = practice.host_in_room().await;
    let (mut visitor, _) = practice.house.greet(&second).await;
    let empty = Some(ServerMessage::Waiting { guests: Vec::new() });
    for _ in 0..2 {
        visitor.say(&ClientMessage::OpenRoom { appointment: own }).await;
        assert_eq!(visitor.hear().await, empty);
        assert_eq!(practice.rooms(&practice.session).await.unwrap().len(), 1);
        visitor.say(&practice.visit()).await;
        assert_eq!(visitor.hear().await, waits(true));
        assert_eq!(practice.rooms(&practice.session).await.unwrap(), [], "left");
        assert!(matches!(host.hear().await, Some(ServerMessage::Waiting { guests }) if guests.len() == 1));
        visitor.say(&ClientMessage::OpenRoom { appointment: own }).await;
        assert_eq!(visitor.hear().await, empty);
        assert_eq!(host.hear().await, empty);
    }
    visitor.say(&ClientMessage::EndCall).await;
    assert_eq!(visitor.hear().await, Some(ServerMessage::Ended));
    // No refusal of a `Leave` that it did not say comes in between.
    visitor.say(&practice.visit()).await;
    assert_eq!(visitor.hear().await, waits(true));
}
