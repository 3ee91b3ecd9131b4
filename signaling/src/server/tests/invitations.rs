//! Windows, single use, withdrawal.

use super::*;

#[tokio::test]
async fn an_invitation_works_only_in_its_window() {
    let practice = Practice::open().await;
    let now = practice.house.now();
    practice.invite_within(1, now + 100, now + 200).await.unwrap();
    let lookup = JoinLookupRequest { invite_id: InviteId::from_bytes([1; 16]) };
    let early: JoinLookupResponse = practice.house.post("/v1/join/lookup", "", &lookup).await.unwrap();
    assert_eq!(early.refusal, Some(ErrorBody { code: ErrorCode::InvitationTooEarly, retry_after_s: Some(100) }));
    assert_eq!(early.practice.phone, "+61 2 5550 0100");
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::InvitationTooEarly);
    practice.house.pass(100);
    practice.redeem(1).await.unwrap();
    practice.house.pass(100);
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::InvitationExpired);
}

#[tokio::test]
async fn an_invitation_cannot_outlive_its_appointment_by_more_than_a_day() {
    let practice = Practice::open().await;
    let now = practice.house.now();
    let refused = practice.invite_within(1, now, now + 2 * 24 * 3600).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::BadValue);
    assert_eq!(practice.invite_within(1, now + 5, now + 5).await.unwrap_err(), ErrorCode::BadValue);
}

#[tokio::test]
async fn a_withdrawn_invitation_closes_the_guest_and_stays_withdrawn() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let (mut guest, _) = practice.guest_in_lobby(1, &mut host).await;
    practice.revoke(1).await.unwrap();
    assert_eq!(guest.hear_error().await, ErrorCode::InvitationWithdrawn);
    assert_eq!(guest.hear().await, None);
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::InvitationWithdrawn);
}

#[tokio::test]
async fn a_moved_appointment_voids_its_invitations() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    let starts_at = UnixSeconds(practice.house.now() + 7200);
    let path = format!("/v1/appointments/{}/move", practice.appointment.to_hex());
    let request = MoveRequest { starts_at, duration_min: 30 };
    let moved: Appointment = practice.house.post(&path, &practice.session, &request).await.unwrap();
    assert_eq!(moved.invitations[0].state, InvitationState::Moved);
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::AppointmentMoved);
    let lookup = JoinLookupRequest { invite_id: InviteId::from_bytes([1; 16]) };
    let told: JoinLookupResponse = practice.house.post("/v1/join/lookup", "", &lookup).await.unwrap();
    assert_eq!(told.starts_at, starts_at);
}

#[tokio::test]
async fn an_invitation_is_held_by_one_live_socket() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    let first = practice.redeem(1).await.unwrap();
    // Nobody is connected yet: the guest's program may have restarted.
    let second = practice.redeem(1).await.unwrap();
    let mut lost = practice.house.line().await;
    lost.say(&ClientMessage::Hello { version: PROTOCOL_VERSION, token: first.into() }).await;
    assert_eq!(lost.hear_error().await, ErrorCode::SessionEnded);
    let _held = practice.house.greet(&second).await;
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::InvitationUsed);
}

#[tokio::test]
async fn wrong_tokens_look_like_a_damaged_link_and_are_throttled() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    assert_eq!(practice.redeem_with(2, &[0; 32]).await.unwrap_err(), ErrorCode::InvitationDamaged);
    for _ in 0..5 {
        assert_eq!(practice.redeem_with(1, &[0; 32]).await.unwrap_err(), ErrorCode::InvitationDamaged);
    }
    assert_eq!(practice.redeem(1).await.unwrap_err(), ErrorCode::TooManyTries);
    practice.house.pass(300);
    practice.redeem(1).await.unwrap();
}
