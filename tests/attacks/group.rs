//! A server that divides the group or holds up its commits: heartbeats over the members' own connections tell.

use client::session::{Call, Command, Held, Phase, View};
use lab::hostile::{Attack, Honest};

use super::visit;

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
