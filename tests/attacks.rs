//! The server's operator against real clients, over real sockets: each attack ends in a refusal that people see.
//!
//! The server between them is [`lab::hostile`] in front of the real one. What a server could only do together with a
//! member is done by [`mallory`], a member with a client of its own making; what it does in somebody's name who does
//! not exist, by [`ghost`].
//!
//! | attack (E2EE 9.3) | test | what the people see |
//! | --- | --- | --- |
//! | swapped key package | [`door`], `a_swapped_key_package_…`, `a_damaged_key_package_…` | INV-01, nobody to admit |
//! | fake host | [`door`], `a_fake_host_…`, `a_host_of_another_practice_…` | INV-12, goodbye |
//! | another key of the server | [`door`], `a_server_with_a_key_that_nobody_pinned_…` | AUTH-05 |
//! | replayed Welcome, another epoch's Welcome | [`door`], `a_welcome_of_an_earlier_epoch_…` | E2E-05, goodbye |
//! | server-made host claim | [`door`], `an_admission_before_…`, `one_made_up_welcome_…` | goes on waiting |
//! | the same again and again | [`door`], `a_made_up_welcome_…` | E2E-05, goodbye |
//! | old version | [`door`], `an_older_version_…`, `a_link_of_another_version_…` | INV-01; NET-05 |
//! | link only | [`ghost`], `the_link_alone_…` | link ✓ code ✗, cannot be admitted |
//! | code only | [`ghost`], `the_code_alone_…` | unverified, no try spent |
//! | guessing without KE3 | [`ghost`], `guesses_that_are_never_finished_…` | INV-04, also after a restart |
//! | rolled-back records | [`door`], `a_used_link_that_the_server_opens_again_…` | INV-08 |
//! | replayed knock | [`door`], `a_repeated_knock_…` | the ghost is never ready |
//! | forged roster | [`log`], `invented_presence_…` | the list stays |
//! | duplicated, reordered commits | [`log`], `entries_that_come_…` | nothing |
//! | altered commits and messages | [`log`], `a_changed_echo_…`, `a_commit_changed_…`, `messages_that_are_changed_…` | E2E-09; brought back (E2E-10); no connection |
//! | ghost Add | [`member`], `a_ghost_added_…` | E2E-09 with the name of who did it |
//! | external commit | [`member`], `a_strangers_external_commit_…`; [`log`], `a_commit_from_outside_…` | E2E-12, and the call goes on |
//! | guest that forks and adds the next | [`member`], `a_guest_who_forks_…` | goes on waiting |
//! | withheld commit | [`group`], `a_commit_kept_from_a_guest_…` | E2E-06 until it comes |
//! | dropped Remove | [`group`], `a_swallowed_remove_…` | the host sends nothing; who left stays listed |
//! | two groups (partition) | [`group`], `two_groups_…` | E2E-07, for good |
//! | removed member that claims to be lost | [`member`], `a_removed_member_…` | nothing |
//! | starved Remove | [`member`], `updates_do_not_keep_…` | E2E-03, then removed |
//! | swapped DTLS fingerprint | [`transport`], `a_fingerprint_…` | E2E-04 with the name |
//! | stripped `a=sframe` | [`transport`], `a_peer_that_does_not_promise_…` | E2E-04 with the name |
//! | unsealed or altered media | `media`, with the feature `lab` | E2E-01 with the name, until it opens again |

mod door;
mod ghost;
mod group;
mod log;
mod mallory;
#[cfg(feature = "lab")]
mod media;
mod member;
mod rogue;
mod spy;
mod transport;

use client::session::{GoodbyeReason, Knocker, Phase, View};
use lab::hostile::Operator;

use crate::harness::{Card, Clinic, Person, no_devices};

/// A host with two guests of one appointment: the first is connected, the second was just admitted.
struct Visit {
    clinic: Clinic,
    host: Person,
    patient: Person,
    carer: Person,
}

async fn visit(operator: Box<dyn Operator>) -> Visit {
    let connected = |view: &View| match &view.phase {
        Phase::Call(call) => call.members.iter().any(|row| !row.you && row.media.connected).then_some(()),
        _ => None,
    };
    let clinic = Clinic::open_with(operator).await;
    let mut host = clinic.signed_in().await;
    let first = host.invite("First visit").await;
    let second = host.invite_to(&first.appointment).await;
    host.start(&first.appointment).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&first, &Card::ROBIN).await;
    host.admit().await;
    host.until("the patient's connection", connected).await;
    patient.until("the host's connection", connected).await;
    let mut carer = Person::guest(no_devices());
    carer.join(&second, &Card { name: "Kim Example", ..Card::ROBIN }).await;
    host.admit().await;
    Visit { clinic, host, patient, carer }
}

impl Visit {
    async fn ends(self) {
        for person in [self.carer, self.patient, self.host] {
            person.quit().await;
        }
        self.clinic.close().await;
    }
}

/// Waits until somebody is listed at the host's door who fits.
async fn listed(host: &mut Person, what: &str, fits: impl Fn(&Knocker) -> bool) -> Knocker {
    host.until(what, |view| {
        let waiting = match &view.phase {
            Phase::LobbyHost(lobby) => &lobby.waiting,
            Phase::Call(call) => &call.waiting,
            _ => return None,
        };
        waiting.iter().find(|knocker| fits(knocker)).cloned()
    })
    .await
}

/// Waits for the end of a visit that failed.
async fn turned_away(person: &mut Person) {
    assert_eq!(person.goodbye().await.reason, GoodbyeReason::Failed);
}
