//! A server that divides the group or holds up its commits: heartbeats over the members' own connections tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use client::session::{Call, Command, Held, Phase, View};
use lab::hostile::operator::opaque;
use lab::hostile::{Attack, Honest, Said, Way};
use serde_json::json;

use super::mallory::Mallory;
use super::spy::Spy;
use super::visit;
use crate::harness::{Card, Clinic, Person, no_devices};

fn call(view: &View) -> Option<&Call> {
    match &view.phase {
        Phase::Call(call) => Some(call),
        _ => None,
    }
}

fn held(view: &View) -> Option<Held> {
    call(view)?.held
}

/// 1. The commit that adds a carer reaches the host and the carer, and is kept from the patient.
/// 2. The host's heartbeat comes over the direct connection, from an epoch that the patient does not know: a second
///    later the patient sends nothing any more and says why.
/// 3. When the server gives the commit out, the patient goes on, among three.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_kept_from_a_guest_stops_its_sending_until_it_comes() {
    let mut visit = visit(Attack::WithholdCommits.operator()).await;
    let stopped = visit.patient.until("the patient stops", held).await;
    assert_eq!(stopped, Held::Withheld);
    visit.clinic.hostile().hand_over(Box::new(Honest));
    let goes_on = |view: &View| call(view).filter(|call| call.held.is_none() && call.members.len() == 3).map(|_| ());
    visit.patient.until("the patient goes on", goes_on).await;
    visit.ends().await;
}

/// 1. A host, a patient and Mallory are in a call; host and patient are connected with each other.
/// 2. The server shows a path update of Mallory's to the patient alone, and the admission of a carer, made in the same
///    epoch, to all but the patient: two groups, each in order for itself.
/// 3. Heartbeats over the two's own connection tell: both stop sending, and stay so.
#[tokio::test(flavor = "multi_thread")]
async fn two_groups_of_one_call_stop_both_who_hear_of_each_other() {
    let (dividing, mut entered) = (Arc::new(AtomicBool::new(false)), Vec::new());
    let divided = Arc::clone(&dividing);
    let operator = move |said: Said| {
        if said.is(Way::Up, "enter_lobby") {
            entered.push(said.line);
        }
        let patients = entered.first() == Some(&said.line);
        let of_the_log = said.is(Way::Down, "entry") || said.is(Way::Up, "application");
        if patients && of_the_log && divided.load(Ordering::Relaxed) { Vec::new() } else { vec![said] }
    };
    let (mut spy, operator) = Spy::on(Box::new(operator));
    let clinic = Clinic::open_with(operator).await;
    let mut host = clinic.signed_in().await;
    let first = host.invite("First visit").await;
    let second = host.invite_to(&first.appointment).await;
    let third = host.invite_to(&first.appointment).await;
    host.start(&first.appointment).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&first, &Card::ROBIN).await;
    host.admit().await;
    let connected = |view: &View| call(view)?.members.iter().any(|row| !row.you && row.media.connected).then_some(());
    patient.until("the host's connection", connected).await;
    let mut mallory = Mallory::join(&clinic, &mut host, &second).await;
    let three = |view: &View| (call(view)?.members.len() == 3).then_some(());
    patient.until("Mallory in the list", three).await;

    dividing.store(true, Ordering::Relaxed);
    let update = mallory.group.update().unwrap();
    let (line, mallorys) = (spy.guest(0).await, spy.guest(1).await);
    let from = spy.participant(mallorys).await;
    let entry = json!({"kind": "commit", "commit": opaque(&update.commit)});
    clinic.hostile().slip_in(line, update.epoch, &from, &entry);
    let mut carer = Person::guest(no_devices());
    carer.join(&third, &Card { name: "Kim Example", ..Card::ROBIN }).await;
    host.admit().await;
    for (person, name) in [(&mut host, "the host stops"), (&mut patient, "the patient stops")] {
        person.until(name, |view| (held(view) == Some(Held::Split)).then_some(())).await;
    }
    for person in [carer, patient, host] {
        person.quit().await;
    }
    mallory.quit().await;
    clinic.close().await;
}

/// 1. The carer leaves; the server swallows the commit that takes it out.
/// 2. The host seals nothing in the epoch that the carer has keys of.
#[tokio::test(flavor = "multi_thread")]
async fn a_swallowed_remove_stops_the_hosts_sending() {
    let mut visit = visit(Attack::DropRemoval.operator()).await;
    let three = |view: &View| call(view).filter(|call| call.members.len() == 3).map(|_| ());
    visit.host.until("three people", three).await;
    visit.carer.until("three people", three).await;
    visit.carer.tell(Command::Leave).await;
    let stopped = visit.host.until("the host stops", held).await;
    assert_eq!(stopped, Held::Removing);
    let still = visit.host.until("who still has keys", |view| call(view).map(|call| call.members.len())).await;
    assert_eq!(still, 3, "who left stays listed while it has keys");
    visit.ends().await;
}
