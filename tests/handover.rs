//! The consultation goes to a colleague, with the real server between real clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use client::session::{Call, Command, GoodbyeReason, KnockState, Phase, View};

use lab::hostile::{Said, Way, operator};
use tokio::sync::Notify;

use crate::harness::{Card, Clinic, Person, no_devices};

/// A host, a patient and a colleague in a call, and how the next guest would come.
struct Scene {
    clinic: Clinic,
    host: Person,
    patient: Person,
    colleague: Person,
    next: crate::harness::Invitation,
}

async fn scene() -> Scene {
    scene_at(Clinic::open().await).await
}

async fn scene_at(clinic: Clinic) -> Scene {
    let mut colleague = clinic.colleague().await;
    // Its certificate lies at the server when its list has been read.
    colleague.until("the colleague's list", read).await;
    let mut host = clinic.signed_in().await;
    host.until("the host's list", read).await;
    let first = host.invite("First visit").await;
    let next = host.invite_to(&first.appointment).await;
    host.start(&first.appointment).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&first, &Card::ROBIN).await;
    host.admit().await;
    host.in_call("the patient", |_| Some(())).await;

    colleague.tell(Command::Refresh).await;
    let room = |view: &View| match &view.phase {
        Phase::Today(today) => today.colleagues.first().cloned(),
        _ => None,
    };
    let room = colleague.until("the open room", room).await;
    colleague.tell(Command::VisitRoom { appointment: room.id }).await;
    host.admit().await;
    let mut scene = Scene { clinic, host, patient, colleague, next };
    scene.all_see("three people, run by the host", |call| runs(call) == ["Dr Ada Example"]).await;
    scene
}

impl Scene {
    /// All three are in the same call, which looks like this to each.
    async fn all_see(&mut self, what: &str, found: impl Fn(&Call) -> bool) {
        for person in [&mut self.host, &mut self.patient, &mut self.colleague] {
            person.until(what, |view| three(view).filter(|call| found(call)).map(|_| ())).await;
        }
    }
}

fn read(view: &View) -> Option<()> {
    matches!(&view.phase, Phase::Today(today) if today.updated_at.is_some()).then_some(())
}

fn three(view: &View) -> Option<&Call> {
    match &view.phase {
        Phase::Call(call) if call.members.len() == 3 && call.encrypted => Some(call),
        _ => None,
    }
}

/// Names of those who run the call.
fn runs(call: &Call) -> Vec<&str> {
    call.members.iter().filter(|member| member.hosts).filter_map(|member| member.name.as_deref()).collect()
}

fn leaf_of(person: &Person, name: &str) -> u32 {
    let view = person.view();
    let call = three(&view).unwrap();
    call.members.iter().find(|member| member.name.as_deref() == Some(name)).unwrap().leaf
}

/// 1. The host hands over; all three see who runs the call now, and the patient stayed in it.
/// 2. The next guest, whom the first host invited, proves itself to the new one, who lets it in.
/// 3. The former host leaves, and the call goes on; the new one ends it for all.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_hands_over_and_the_new_one_lets_the_next_guest_in() {
    let mut scene = scene().await;
    // It waits with what it proved to the first host.
    let mut carer = Person::guest(no_devices());
    carer.join(&scene.next, &Card::ROBIN).await;
    scene.host.knocker().await;

    let sam = leaf_of(&scene.host, "Dr Sam Example");
    scene.host.tell(Command::HandOver { leaf: sam }).await;
    scene.all_see("run by the colleague", |call| runs(call) == ["Dr Sam Example"]).await;
    assert!(matches!(&scene.host.view().phase, Phase::Call(call) if !call.host && call.waiting.is_empty()));

    let knocker = scene.colleague.knocker().await;
    assert_eq!(knocker.name.as_deref(), Some(Card::ROBIN.name));
    assert!(knocker.badge.link_ok && knocker.badge.code_ok);
    scene.colleague.admit().await;
    let four = |view: &View| matches!(&view.phase, Phase::Call(call) if call.members.len() == 4).then_some(());
    for person in [&mut scene.host, &mut scene.patient, &mut scene.colleague, &mut carer] {
        person.until("four people", four).await;
    }
    scene.host.tell(Command::Leave).await;
    assert_eq!(scene.host.goodbye().await.reason, GoodbyeReason::Left);
    scene.patient.until("three are left", |view| three(view).map(|_| ())).await;
    scene.colleague.tell(Command::EndForAll).await;
    assert_eq!(scene.patient.goodbye().await.reason, GoodbyeReason::Ended);
    assert_eq!(carer.goodbye().await.reason, GoodbyeReason::Ended);
    for person in [scene.host, scene.patient, scene.colleague, carer] {
        person.quit().await;
    }
    scene.clinic.close().await;
}

/// 1. The host's computer dies without a word.
/// 2. The colleague is offered the call, takes it, and takes the lost host out.
/// 3. Patient and colleague are in the call as before, in a group that the lost computer holds no keys of.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_steps_in_for_a_lost_host() {
    let mut scene = scene().await;
    scene.host.crash().await;
    let offered = |view: &View| three(view).filter(|call| call.may_step_in).map(|_| ());
    scene.colleague.until("the offer to run the call", offered).await;
    scene.colleague.tell(Command::StepIn).await;
    for person in [&mut scene.patient, &mut scene.colleague] {
        let by_sam = |call: &Call| (runs(call) == ["Dr Sam Example"]).then_some(());
        person.until("run by the colleague", |view| three(view).and_then(by_sam)).await;
    }
    let ada = leaf_of(&scene.colleague, "Dr Ada Example");
    scene.colleague.tell(Command::Remove { leaf: ada }).await;
    for person in [&mut scene.patient, &mut scene.colleague] {
        person.in_call("the two who are there", |_| Some(())).await;
    }
    scene.patient.quit().await;
    scene.colleague.quit().await;
    scene.clinic.close().await;
}

/// 1. The host is lost, and the colleague goes on.
/// 2. The server changes a commit on its way to the patient, who falls out of the group by that.
/// 3. The new host brings it back, by the record that the first host gave it while it was there.
#[tokio::test(flavor = "multi_thread")]
async fn a_patient_that_loses_its_group_is_brought_back_by_the_new_host() {
    let (alters, given) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (switch, gives, mut people) = (Arc::clone(&alters), Arc::clone(&given), operator::Scene::default());
    let operator = move |mut said: Said| {
        people.note(&said);
        if said.is(Way::Down, "relay") && said.bytes("/body").first() == Some(&9) {
            gives.notify_one();
        }
        let commit = said.is(Way::Down, "entry") && said.message["entry"]["kind"] == "commit";
        if commit && people.is_guest(said.line) && switch.swap(false, Ordering::Relaxed) {
            let mut bytes = said.bytes("/entry/commit");
            *bytes.last_mut().unwrap() ^= 1;
            said.set_bytes("/entry/commit", &bytes);
        }
        vec![said]
    };
    let mut scene = scene_at(Clinic::open_with(Box::new(operator)).await).await;
    given.notified().await;
    scene.host.crash().await;
    scene.colleague.until("the offer", |view| three(view).filter(|call| call.may_step_in).map(|_| ())).await;
    scene.colleague.tell(Command::StepIn).await;
    for person in [&mut scene.patient, &mut scene.colleague] {
        let by_sam = |call: &Call| (runs(call) == ["Dr Sam Example"]).then_some(());
        person.until("run by the colleague", |view| three(view).and_then(by_sam)).await;
    }
    let before = scene.patient.view();
    let before = three(&before).unwrap().epoch;
    alters.store(true, Ordering::Relaxed);
    let ada = leaf_of(&scene.colleague, "Dr Ada Example");
    scene.colleague.tell(Command::Remove { leaf: ada }).await;
    // Two commits that it could not take part in: the Remove, and its own return.
    let back = |call: &Call| (call.held.is_none() && call.epoch >= before + 2).then_some(());
    scene.patient.in_call("the patient is back", back).await;
    assert!(!alters.load(Ordering::Relaxed), "the commit was changed");
    scene.colleague.in_call("the patient", |_| Some(())).await;
    scene.patient.quit().await;
    scene.colleague.quit().await;
    scene.clinic.close().await;
}

/// A guest asks to leave while the host is lost: the other guest takes it out by its signed request.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_leaves_is_taken_out_also_where_no_host_is() {
    let mut scene = scene().await;
    scene.host.crash().await;
    scene.patient.tell(Command::Leave).await;
    assert_eq!(scene.patient.goodbye().await.reason, GoodbyeReason::Left);
    scene.colleague.in_call("the patient's keys are gone", |_| Some(())).await;
    scene.patient.quit().await;
    scene.colleague.quit().await;
    scene.clinic.close().await;
}

/// Without a second clinician's certificate at the server nobody can stand in, and nothing is offered.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_whom_the_host_did_not_know_at_the_start_is_no_deputy() {
    let clinic = Clinic::open().await;
    let (mut host, _) = clinic.open_room().await;
    let mut colleague = clinic.colleague().await;
    colleague.tell(Command::Refresh).await;
    let room = |view: &View| match &view.phase {
        Phase::Today(today) => today.colleagues.first().cloned(),
        _ => None,
    };
    let room = colleague.until("the open room", room).await;
    colleague.tell(Command::VisitRoom { appointment: room.id }).await;
    let listed = |view: &View| matches!(&view.phase, Phase::LobbyGuest(lobby) if lobby.knock == KnockState::Listed);
    colleague.until("listed", |view| listed(view).then_some(())).await;
    host.admit().await;
    let sam = host.in_call("the colleague", |call| Some(call.members[1].clone())).await;
    assert!(!sam.deputy);
    colleague.quit().await;
    host.quit().await;
    clinic.close().await;
}
