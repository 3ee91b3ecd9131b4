//! A second clinician in a consultation: let in by certificate, with the real server between three real clients.

use client::session::{Command, GoodbyeReason, KnockState, Phase, Role, View, VouchedBy};

use crate::harness::{Card, Clinic, Person, no_devices};

/// 1. A host and a patient are in a call.
/// 2. A colleague sees the room in its list and asks; the host sees who it is by its certificate, and admits.
/// 3. All three see three people, the colleague as one whom the practice signed.
/// 4. The colleague leaves: two are left, its own desk works on, and it may ask again.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_joins_by_certificate_and_leaves_the_call_as_it_was() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    host.in_call("the patient", |_| Some(())).await;

    let mut colleague = visiting(&clinic).await;
    let knocker = host.knocker().await;
    assert!(knocker.colleague);
    assert_eq!(knocker.name.as_deref(), Some("Dr Sam Example"));
    host.admit().await;
    for person in [&mut host, &mut patient, &mut colleague] {
        let sam = person
            .until("three people", |view| match &view.phase {
                Phase::Call(call) if call.members.len() == 3 && call.encrypted => call.members.last().cloned(),
                _ => None,
            })
            .await;
        assert_eq!(sam.name.as_deref(), Some("Dr Sam Example"));
        assert_eq!((sam.role, sam.vouched), (Role::Host, VouchedBy::Practice));
    }

    colleague.tell(Command::Leave).await;
    assert_eq!(colleague.goodbye().await.reason, GoodbyeReason::Left);
    colleague.tell(Command::Done).await;
    colleague.tell(Command::Refresh).await;
    colleague.until("the own list", |view| matches!(view.phase, Phase::Today(_)).then_some(())).await;
    host.in_call("two people", |_| Some(())).await;
    patient.in_call("two people", |_| Some(())).await;
    // And once more, since no invitation was spent.
    ask(&mut colleague).await;
    host.knocker().await;
    for person in [colleague, patient, host] {
        person.quit().await;
    }
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_is_not_admitted_gets_nothing_and_is_told_neutrally() {
    let clinic = Clinic::open().await;
    let (mut host, _) = clinic.open_room().await;
    let mut colleague = visiting(&clinic).await;
    let participant = host.knocker().await.participant;
    host.tell(Command::Deny { participant }).await;
    assert_eq!(colleague.goodbye().await.reason, GoodbyeReason::Denied);
    colleague.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// A colleague at the open room, listed there.
async fn visiting(clinic: &Clinic) -> Person {
    let mut colleague = clinic.colleague().await;
    ask(&mut colleague).await;
    colleague
}

/// From the own list to the colleague's door.
async fn ask(colleague: &mut Person) {
    // The list may have been read before the room was open.
    colleague.tell(Command::Refresh).await;
    let room = |view: &View| match &view.phase {
        Phase::Today(today) => today.colleagues.first().cloned(),
        _ => None,
    };
    let room = colleague.until("the colleague's room in the list", room).await;
    assert_eq!(room.host, "Dr Ada Example");
    colleague.tell(Command::VisitRoom { appointment: room.id }).await;
    let listed = |view: &View| match &view.phase {
        Phase::LobbyGuest(lobby) if lobby.knock == KnockState::Listed => Some(()),
        _ => None,
    };
    colleague.until("the host knows who waits", listed).await;
}
