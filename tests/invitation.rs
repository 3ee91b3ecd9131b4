//! The guest's way in: what is refused, with which code, and that nothing is lost by it.

use client::session::{Command, ErrorCode, InvitationState, Phase};

use crate::harness::{Card, Clinic, Person, no_devices};

/// Pastes a link and gives the code of the refusal.
pub(crate) async fn refused(link: &str) -> ErrorCode {
    let mut guest = Person::guest(no_devices());
    guest.tell(Command::ChooseGuest).await;
    guest.tell(Command::PasteLink { text: link.into() }).await;
    let code = guest.until("a refusal", |view| view.notice.as_ref().map(|notice| notice.code)).await;
    guest.quit().await;
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_link_is_found_before_anything_is_sent() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let link = host.invite("First visit").await.link;
    // Its list is read anew now and then.
    host.quit().await;
    let before = clinic.seen().len();
    assert_eq!(refused(&link[..link.len() - 3]).await, ErrorCode::Inv01);
    let (at, letter) = link.char_indices().nth(40).unwrap();
    let other = if letter == 'A' { 'B' } else { 'A' };
    let altered = format!("{}{other}{}", &link[..at], &link[at + 1..]);
    assert_eq!(refused(&altered).await, ErrorCode::Inv01);
    assert_eq!(clinic.seen().len(), before, "the server was asked");
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_wrong_codes_cost_tries_and_the_right_one_still_opens() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.open_link(&invitation.link).await;
    for left in [2, 1] {
        patient.knock(&wrong(&invitation.code), &Card::ROBIN).await;
        assert_eq!(patient.told(ErrorCode::Inv03).await, Some(left));
        patient.dismiss().await;
    }
    patient.tell(Command::EnterCode { code: invitation.code.as_str().into() }).await;
    let knocker = host.knocker().await;
    assert!(knocker.badge.code_ok && knocker.badge.code_failed, "the host is told of the wrong tries");
    host.admit().await;
    patient.in_call("the call", |_| Some(())).await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_wrong_code_locks_the_invitation() {
    let clinic = Clinic::open().await;
    let (host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.open_link(&invitation.link).await;
    for _ in 0..2 {
        patient.knock(&wrong(&invitation.code), &Card::ROBIN).await;
        patient.told(ErrorCode::Inv03).await;
        patient.dismiss().await;
    }
    patient.tell(Command::EnterCode { code: wrong(&invitation.code).as_str().into() }).await;
    patient.told(ErrorCode::Inv04).await;
    patient.quit().await;

    // Another computer does not get new tries.
    let mut other = Person::guest(no_devices());
    other.open_link(&invitation.link).await;
    other.knock(&invitation.code, &Card::ROBIN).await;
    other.told(ErrorCode::Inv04).await;
    other.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_used_does_not_open_twice() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    patient.in_call("the call", |_| Some(())).await;
    assert_eq!(refused(&invitation.link).await, ErrorCode::Inv08);
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_link_says_so() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let invitation = host.invite("First visit").await;
    host.tell(Command::RevokeInvitation { appointment: invitation.appointment.clone() }).await;
    host.until("the invitation is withdrawn", |view| match &view.phase {
        Phase::Today(today) => {
            today.appointments.iter().any(|row| row.invitation == InvitationState::Revoked).then_some(())
        }
        _ => None,
    })
    .await;
    assert_eq!(refused(&invitation.link).await, ErrorCode::Inv10);
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_says_so() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let invitation = host.invite("First visit").await;
    host.quit().await;
    clinic.pass(3 * 86_400);
    assert_eq!(refused(&invitation.link).await, ErrorCode::Inv02);
    clinic.close().await;
}

/// Another code of eight digits.
fn wrong(code: &str) -> String {
    code.chars().map(|c| if c.is_ascii_digit() { char::from(b'0' + (c as u8 - b'0' + 1) % 10) } else { c }).collect()
}
