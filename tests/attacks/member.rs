//! Attacks of the server together with a member.

use client::session::{Call, Command, ErrorCode, Phase, SourceState, View};
use crypto::LogEntry;
use crypto::lab::{Crafted, craft, external_commit, fork};
use lab::hostile::operator::{Scene, opaque};
use lab::hostile::{Honest, Operator, Said, Way, welcome};
use serde_json::json;

use super::mallory::Mallory;
use super::rogue::now;
use super::spy::Spy;
use super::turned_away;
use crate::harness::{Card, Clinic, Invitation, Person, no_devices};

/// A host and Mallory in a call, on a server that is run by `operator`.
async fn call(operator: Box<dyn Operator>) -> (Clinic, Spy, Person, Mallory) {
    let (spy, operator) = Spy::on(operator);
    let clinic = Clinic::open_with(operator).await;
    let (mut host, invitation) = clinic.open_room().await;
    let mallory = Mallory::join(&clinic, &mut host, &invitation).await;
    host.in_call("the call at the host", |_| Some(())).await;
    (clinic, spy, host, mallory)
}

/// The same, with an invitation for who comes next.
async fn call_with_next(operator: Box<dyn Operator>) -> (Clinic, Spy, Person, Mallory, Invitation) {
    let (spy, operator) = Spy::on(operator);
    let clinic = Clinic::open_with(operator).await;
    let mut host = clinic.signed_in().await;
    let first = host.invite("First visit").await;
    let next = host.invite_to(&first.appointment).await;
    host.start(&first.appointment).await;
    let mallory = Mallory::join(&clinic, &mut host, &first).await;
    (clinic, spy, host, mallory, next)
}

async fn all_leave(clinic: Clinic, host: Person, mallory: Mallory) {
    mallory.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// The host's client names the one who did it, and keeps no keys.
async fn names_mallory_and_stops(host: &mut Person) {
    host.told(ErrorCode::E2e09).await;
    turned_away(host).await;
    let person = host.view().notice.and_then(|notice| notice.person);
    assert_eq!(person.as_deref(), Some("Mallory Example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ghost_added_by_a_guest_ends_the_call_with_the_guests_name() {
    let (clinic, _, mut host, mut mallory) = call(Box::new(Honest)).await;
    let forged = craft(&mut mallory.group, &Crafted::AddStranger);
    mallory.commit(forged);
    names_mallory_and_stops(&mut host).await;
    all_leave(clinic, host, mallory).await;
}

/// The server says that the commit came from the host: who committed is known from the group alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_ghost_added_in_the_hosts_name_still_names_the_guest() {
    let mut scene = Scene::default();
    let operator = move |mut said: Said| {
        scene.note(&said);
        if said.is(Way::Down, "entry")
            && let Some(host) = scene.host().and_then(|line| scene.participant(line))
        {
            said.message["from"] = host.into();
        }
        vec![said]
    };
    let (clinic, _, mut host, mut mallory) = call(Box::new(operator)).await;
    let forged = craft(&mut mallory.group, &Crafted::AddStranger);
    mallory.commit(forged);
    names_mallory_and_stops(&mut host).await;
    all_leave(clinic, host, mallory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_cannot_take_the_host_out() {
    let (clinic, _, mut host, mut mallory) = call(Box::new(Honest)).await;
    let hosts_leaf = mallory.group.members().iter().find(|member| !member.own).unwrap().leaf;
    let forged = craft(&mut mallory.group, &Crafted::Remove(hosts_leaf));
    mallory.commit(forged);
    names_mallory_and_stops(&mut host).await;
    all_leave(clinic, host, mallory).await;
}

/// 1. Mallory leaks the group's info, and a stranger makes an external commit, which MLS itself would accept.
/// 2. The server puts it into the host's log. The host is told (E2E-12), and the call goes on as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_external_commit_is_dropped_and_the_call_goes_on() {
    let (clinic, mut spy, mut host, mut mallory) = call(Box::new(Honest)).await;
    let before = host.in_call("the roster", |call| Some((call.epoch, call.members.len()))).await;
    let forged = external_commit(&mallory.group);
    let (line, epoch) = (spy.host().await, mallory.group.epoch());
    let from = spy.participant(line).await;
    clinic.hostile().slip_in(line, epoch, &from, &json!({"kind": "commit", "commit": opaque(&forged)}));

    mallory.say(&json!({"type": "sources", "microphone": "off", "camera": "off", "screen": "off"}));
    let off =
        |call: &Call| call.members.iter().any(|row| !row.you && row.media.camera == SourceState::Off).then_some(());
    host.in_call("what Mallory said behind it", off).await;
    let after = host.in_call("the roster", |call| Some((call.epoch, call.members.len()))).await;
    assert_eq!(before, after);
    host.told(ErrorCode::E2e12).await;
    all_leave(clinic, host, mallory).await;
}

/// 1. Mallory is in the call; the host admits the next guest, and the server keeps the bundle to itself.
/// 2. Mallory takes key package and pre-shared key from the bundle, forks the group and makes a Welcome of its own.
/// 3. The guest's client finds that the host did not sign it, and goes on waiting for the one who did prove itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_forks_the_group_cannot_bring_in_the_next_one() {
    let mut admissions = 0;
    let operator = move |said: Said| {
        admissions += usize::from(said.is(Way::Up, "admit"));
        if said.is(Way::Up, "admit") && admissions > 1 { Vec::new() } else { vec![said] }
    };
    let (clinic, mut spy, mut host, mut mallory, second) = call_with_next(Box::new(operator)).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&second, &Card::ROBIN).await;
    host.admit().await;
    let kept = spy.nth(1, Way::Up, "admit", |_| true).await;
    let forged = fork(&mut mallory.group, &kept.bytes("/commit"), &kept.bytes("/invite_psk"));
    let victim = spy.guest(1).await;
    clinic.hostile().say(welcome(victim, 2, &forged));
    // It refused the Welcome, proved itself anew to the real host, and waits as before.
    spy.nth(1, Way::Up, "relay", |said| said.line == victim && matches!(said.exchange(), Some((5, _)))).await;
    assert!(matches!(patient.view().phase, Phase::LobbyGuest(_)));
    patient.quit().await;
    all_leave(clinic, host, mallory).await;
}

/// 1. The host takes Mallory out; Mallory keeps its keys and asks, as a lost member would, to be brought back.
/// 2. The server, which would not let it speak any more, carries that to the host.
/// 3. There is no leaf any more that it could come back to: nothing is committed, and the next guest comes in.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_that_claims_to_be_lost_stays_out() {
    let (clinic, mut spy, mut host, mut mallory, second) = call_with_next(Box::new(Honest)).await;
    let others = |call: &Call| call.members.iter().find(|row| !row.you).map(|row| row.leaf);
    let leaf = host.in_call("Mallory", others).await;
    host.tell(Command::Remove { leaf }).await;
    let alone = |view: &View| match &view.phase {
        Phase::Call(call) => (call.members.len() == 1).then_some(()),
        _ => None,
    };
    host.until("the host is alone", alone).await;

    let request = mallory.invitation.rejoin(Some(&mallory.group)).unwrap();
    let (line, mallorys) = (spy.host().await, spy.guest(0).await);
    let from = spy.participant(mallorys).await;
    let relay = json!({"type": "relay", "from": from, "body": opaque(&[vec![6], request].concat())});
    clinic.hostile().say(Said::new(line, Way::Down, relay));
    // Messages are taken in their order: when the next guest is in, the request was judged.
    let mut patient = Person::guest(no_devices());
    patient.join(&second, &Card::ROBIN).await;
    host.admit().await;
    let members = host.in_call("the next guest", |call| Some(call.members.clone())).await;
    assert_eq!(members[1].name.as_deref(), Some(Card::ROBIN.name));
    assert_eq!(spy.count(Way::Up, "admit"), 2, "Mallory was brought back");
    patient.quit().await;
    all_leave(clinic, host, mallory).await;
}

/// 1. Mallory says that it leaves, so the host takes it out; the server lets a path update of Mallory's win, five times.
/// 2. Each time the host makes the Remove anew in the next epoch.
/// 3. The first one that comes back is merged: Mallory is out, and holds no keys of what follows.
#[tokio::test(flavor = "multi_thread")]
async fn updates_do_not_keep_a_removal_from_being_made_again() {
    let operator = |said: Said| if said.is(Way::Up, "commit") { Vec::new() } else { vec![said] };
    let (clinic, mut spy, mut host, mut mallory) = call(Box::new(operator)).await;
    let line = spy.host().await;
    let from = spy.participant(line).await;
    let request = mallory.group.leave_request().unwrap();
    mallory.say(&json!({"type": "leaving", "request": opaque(&request)}));
    for round in 0..5 {
        spy.nth(round, Way::Up, "commit", |said| said.line == line).await;
        let update = mallory.group.update().unwrap();
        mallory.group.handle(now(), LogEntry::Commit { commit: &update.commit, invite_psk: None }).unwrap();
        let entry = json!({"kind": "commit", "commit": opaque(&update.commit)});
        clinic.hostile().slip_in(line, update.epoch, &from, &entry);
        host.told(ErrorCode::E2e03).await;
    }
    let removal = spy.nth(5, Way::Up, "commit", |said| said.line == line).await;
    let commit = removal.bytes("/commit");
    let entry = json!({"kind": "commit", "commit": opaque(&commit)});
    clinic.hostile().slip_in(line, mallory.group.epoch(), &from, &entry);
    let alone = |view: &View| match &view.phase {
        Phase::Call(call) => (call.members.len() == 1).then_some(()),
        _ => None,
    };
    host.until("the host is alone", alone).await;
    mallory.group.handle(now(), LogEntry::Commit { commit: &commit, invite_psk: None }).unwrap();
    assert!(!mallory.group.is_active() && mallory.group.media_keys().is_err());
    all_leave(clinic, host, mallory).await;
}
