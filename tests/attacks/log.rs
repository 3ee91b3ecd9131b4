//! Attacks on the log of a call between two honest people.

use client::session::{Call, Command, ErrorCode, Phase, Role, SafetyState, View};
use lab::hostile::operator::Scene;
use lab::hostile::{Attack, Honest, Operator, Said, Way};

use super::spy::Spy;
use super::{listed, turned_away, visit};
use crate::harness::{Card, Clinic, Person, no_devices};

/// Host and patient in a call, on a server that is run by `operator`.
async fn call(operator: Box<dyn Operator>) -> (Clinic, Spy, Person, Person) {
    let (spy, operator) = Spy::on(operator);
    let clinic = Clinic::open_with(operator).await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    (clinic, spy, host, patient)
}

async fn all_leave(clinic: Clinic, people: impl IntoIterator<Item = Person>) {
    for person in people {
        person.quit().await;
    }
    clinic.close().await;
}

fn connected(call: &Call) -> Option<()> {
    call.members.iter().any(|row| !row.you && row.media.connected).then_some(())
}

/// Both are connected, in one epoch, and read the same words.
async fn the_call_works(host: &mut Person, patient: &mut Person) {
    let words = |call: &Call| match &call.safety {
        SafetyState::Compare { words, .. } => Some((call.epoch, words.clone())),
        _ => None,
    };
    host.in_call("the patient's connection", connected).await;
    patient.in_call("the host's connection", connected).await;
    host.tell(Command::SafetyStart).await;
    let at_host = host.in_call("words at the host", words).await;
    assert_eq!(patient.in_call("words at the patient", words).await, at_host);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_come_again_count_once() {
    let (clinic, _, mut host, mut patient) = call(Attack::DuplicateLog.operator()).await;
    the_call_works(&mut host, &mut patient).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_from_outside_is_told_to_both_and_the_call_goes_on() {
    let (clinic, _, mut host, mut patient) = call(Attack::StrangerCommit.operator()).await;
    host.told(ErrorCode::E2e12).await;
    patient.told(ErrorCode::E2e12).await;
    the_call_works(&mut host, &mut patient).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_come_late_are_taken_in_their_order() {
    let (clinic, _, mut host, mut patient) = call(Attack::ReorderLog.operator()).await;
    the_call_works(&mut host, &mut patient).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_presence_changes_no_roster_and_lets_nobody_in() {
    let (clinic, mut spy, mut host, mut patient) = call(Attack::ForgePresence.operator()).await;
    the_call_works(&mut host, &mut patient).await;
    for person in [&mut host, &mut patient] {
        let roles =
            person.in_call("two members", |call| Some(call.members.iter().map(|row| row.role).collect::<Vec<_>>()));
        assert_eq!(roles.await, [Role::Host, Role::Patient]);
    }
    let ghost = listed(&mut host, "the ghost", |_| true).await;
    assert!(!ghost.ready && !ghost.badge.link_ok);
    host.tell(Command::Admit { participant: ghost.participant.clone(), identity_confirmed: true }).await;
    host.tell(Command::Deny { participant: ghost.participant }).await;
    spy.nth(0, Way::Up, "deny", |_| true).await;
    assert_eq!(spy.count(Way::Up, "admit"), 1);
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_echo_stops_the_host() {
    let (clinic, _, mut host, patient) = call(Attack::AlterEcho.operator()).await;
    host.told(ErrorCode::E2e09).await;
    turned_away(&mut host).await;
    all_leave(clinic, [patient, host]).await;
}

/// 1. Host and patient talk; the host admits a carer.
/// 2. The commit that adds the carer comes to the patient with one byte changed.
/// 3. The patient does not go on without it: the host brings it back by a commit of its own, without a click.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_changed_on_its_way_to_a_guest_only_makes_the_host_bring_it_back() {
    let mut scene = Scene::default();
    let operator = move |mut said: Said| {
        scene.note(&said);
        if said.is(Way::Down, "entry") && scene.is_guest(said.line) && said.message["entry"]["kind"] == "commit" {
            let mut bytes = said.bytes("/entry/commit");
            *bytes.last_mut().unwrap() ^= 1;
            said.set_bytes("/entry/commit", &bytes);
        }
        vec![said]
    };
    let mut visit = visit(Box::new(operator)).await;
    // The Welcome of its return leads past two commits: the carer's and its own.
    let back = |view: &View| match &view.phase {
        Phase::Call(call) if call.members.len() == 3 && call.held.is_none() && call.epoch >= 3 => Some(()),
        _ => None,
    };
    visit.patient.until("the patient is back, among three", back).await;
    visit.host.until("the host sees three", back).await;
    visit.ends().await;
}

/// 1. Every message between the members comes with one byte changed: offer and candidates do not open.
/// 2. Nobody is connected to anybody by then; when the server is honest again, the call mends itself.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_changed_on_their_way_connect_nobody() {
    let (clinic, mut spy, mut host, mut patient) = call(Attack::AlterMessages.operator()).await;
    host.in_call("the call at the host", |_| Some(())).await;
    patient.in_call("the call at the patient", |_| Some(())).await;
    // Both hellos and the offer have come to the host, changed.
    let line = spy.host().await;
    spy.nth(2, Way::Down, "entry", |said| said.line == line && said.message["entry"]["kind"] == "application").await;
    for person in [&mut host, &mut patient] {
        let nobody = person.in_call("the roster", |call| Some(connected(call).is_none())).await;
        assert!(nobody, "somebody is connected");
    }
    clinic.hostile().hand_over(Box::new(Honest));
    host.in_call("the patient's connection", connected).await;
    patient.in_call("the host's connection", connected).await;
    all_leave(clinic, [patient, host]).await;
}
