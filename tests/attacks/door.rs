//! Attacks on the way in.

use client::session::{Command, ErrorCode, Phase};
use client::settings::Settings;
use lab::hostile::{Attack, Hostile, Said, Way, swap_key_package};

use super::rogue::{INVITE, Rogue};
use super::spy::Spy;
use super::{listed, turned_away, visit};
use crate::harness::{Card, Clinic, PASSPHRASE, Person, no_devices};

/// A guest who knocks with link and code while the operator of the server does `operator`.
async fn knock(operator: Box<dyn lab::hostile::Operator>) -> (Clinic, Spy, Person, Person) {
    let (spy, operator) = Spy::on(operator);
    let clinic = Clinic::open_with(operator).await;
    let (host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.open_link(&invitation.link).await;
    patient.knock(&invitation.code, &Card::ROBIN).await;
    (clinic, spy, host, patient)
}

/// Nobody can be admitted, although the host tries: commands are done in their order, so the denial comes behind.
async fn nobody_is_admitted(host: &mut Person, spy: &mut Spy) {
    let knocker = listed(host, "the guest at the door", |_| true).await;
    assert!(!knocker.ready);
    let participant = knocker.participant;
    host.tell(Command::Admit { participant: participant.clone(), identity_confirmed: true }).await;
    host.tell(Command::Deny { participant }).await;
    spy.nth(0, Way::Up, "deny", |_| true).await;
    assert_eq!(spy.count(Way::Up, "admit"), 0, "somebody was admitted");
}

async fn all_leave(clinic: Clinic, people: impl IntoIterator<Item = Person>) {
    for person in people {
        person.quit().await;
    }
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_key_package_is_refused_by_the_host() {
    let package = Rogue::new().package;
    let (clinic, mut spy, mut host, mut patient) = knock(Box::new(swap_key_package(Some(package)))).await;
    patient.told(ErrorCode::Inv01).await;
    let badge = listed(&mut host, "a guest with the link", |knocker| knocker.badge.link_ok).await.badge;
    assert!(!badge.code_ok);
    nobody_is_admitted(&mut host, &mut spy).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_package_is_refused_by_the_host() {
    let (clinic, mut spy, mut host, mut patient) = knock(Attack::SwapKeyPackage.operator()).await;
    patient.told(ErrorCode::Inv01).await;
    nobody_is_admitted(&mut host, &mut spy).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fake_host_with_the_hosts_certificate_is_refused_by_the_guest() {
    let (clinic, spy, host, mut patient) = knock(Attack::FakeHost.operator()).await;
    patient.told(ErrorCode::Inv12).await;
    turned_away(&mut patient).await;
    let proofs = spy.until_now(|said| said.way == Way::Up && matches!(said.exchange(), Some((3, _))));
    assert_eq!(proofs, 0, "the code was put to the test");
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_another_practice_is_refused_by_the_guest() {
    let rogue = Rogue::new();
    let operator = move |mut said: Said| match said.exchange() {
        Some((2, genuine)) if said.way == Way::Down => {
            let mut message = rogue.message2.clone();
            message[INVITE].copy_from_slice(&genuine[INVITE]);
            said.set_exchange(2, &message);
            vec![said]
        }
        _ => vec![said],
    };
    let (clinic, spy, host, mut patient) = knock(Box::new(operator)).await;
    patient.told(ErrorCode::Inv12).await;
    turned_away(&mut patient).await;
    let proofs = spy.until_now(|said| said.way == Way::Up && matches!(said.exchange(), Some((3, _))));
    assert_eq!(proofs, 0, "the code was put to the test");
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_key_that_nobody_pinned_is_refused() {
    let clinic = Clinic::open().await;
    let listen = "127.0.0.1:0".parse().unwrap();
    let hostile = Hostile::start_with_other_key(&clinic.server_folder(), listen, clinic.wire_address()).await.unwrap();
    let folder = clinic.bare_desk("ada");
    let mut settings = Settings::load(&folder).unwrap();
    settings.server = Some(hostile.address().to_string());
    settings.save(&folder).unwrap();
    let before = clinic.seen().len();
    let mut host = Person::at(&folder, no_devices());
    host.try_sign_in("ada", PASSPHRASE).await;
    host.told(ErrorCode::Auth05).await;
    assert_eq!(clinic.seen().len(), before, "something was said");
    host.quit().await;
    hostile.close().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_is_refused_and_costs_no_try() {
    let (clinic, mut spy, mut host, mut patient) = knock(Attack::OldVersion.operator()).await;
    patient.told(ErrorCode::Inv01).await;
    let badge = listed(&mut host, "the guest at the door", |_| true).await.badge;
    assert_eq!((badge.link_ok, badge.code_ok, badge.tries_left), (false, false, 3));
    nobody_is_admitted(&mut host, &mut spy).await;
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_knock_lets_nobody_in_but_the_guest() {
    let (clinic, spy, mut host, mut patient) = knock(Attack::ReplayKnock.operator()).await;
    host.knocker().await;
    let ghost = listed(&mut host, "the ghost", |knocker| knocker.participant.starts_with("6666")).await;
    assert!(!ghost.ready && !ghost.badge.code_ok && ghost.name.is_none());
    host.tell(Command::Admit { participant: ghost.participant, identity_confirmed: true }).await;
    host.admit().await;
    let members = host.in_call("the call at the host", |call| Some(call.members.clone())).await;
    assert_eq!(members[1].name.as_deref(), Some("Robin Example"));
    patient.in_call("the call at the patient", |_| Some(())).await;
    assert_eq!(spy.count(Way::Up, "admit"), 1);
    all_leave(clinic, [patient, host]).await;
}

/// 1. The patient is admitted and leaves.
/// 2. The server opens the link once more; somebody who has link and code comes by it.
/// 3. The host's own record says that it was used; nobody is at the door who could be admitted.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_link_that_the_server_opens_again_is_refused_by_the_host() {
    let (mut spy, operator) = Spy::on(Attack::OfferUsedAgain.operator());
    let clinic = Clinic::open_with(operator).await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    patient.in_call("the call", |_| Some(())).await;
    host.in_call("the call", |_| Some(())).await;

    let mut thief = Person::guest(no_devices());
    thief.open_link(&invitation.link).await;
    thief.knock(&invitation.code, &Card { name: "Not Robin", ..Card::ROBIN }).await;
    thief.told(ErrorCode::Inv08).await;
    let knocker = listed(&mut host, "the thief", |_| true).await;
    assert!(!knocker.ready && !knocker.badge.link_ok && !knocker.badge.code_ok);
    host.tell(Command::Admit { participant: knocker.participant.clone(), identity_confirmed: true }).await;
    host.tell(Command::Deny { participant: knocker.participant }).await;
    spy.nth(0, Way::Up, "deny", |_| true).await;
    assert_eq!(spy.count(Way::Up, "admit"), 1);
    host.in_call("two members, as before", |_| Some(())).await;
    all_leave(clinic, [thief, patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admission_before_the_host_said_a_word_is_dropped() {
    let (clinic, spy, mut host, mut patient) = knock(Attack::EarlyAdmission.operator()).await;
    host.admit().await;
    host.in_call("the call at the host", |_| Some(())).await;
    let epoch = patient.in_call("the call at the patient", |call| Some(call.epoch)).await;
    assert_eq!((epoch, spy.count(Way::Up, "admit")), (1, 1));
    all_leave(clinic, [patient, host]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_welcome_ends_in_a_goodbye_and_not_in_a_call() {
    let (clinic, _, host, mut patient) = knock(Attack::ForgeWelcome.operator()).await;
    patient.told(ErrorCode::E2e05).await;
    turned_away(&mut patient).await;
    all_leave(clinic, [patient, host]).await;
}

/// 1. The server hands the proven guest one Welcome of its own making.
/// 2. The guest's client refuses it and comes again without its code; the host sees the same person and admits.
#[tokio::test(flavor = "multi_thread")]
async fn one_made_up_welcome_costs_the_guest_nothing() {
    let (mut forger, mut forged) = (Attack::ForgeWelcome.operator(), false);
    let operator = move |said: Said| {
        let mut passed = forger.live(said);
        // The real server's own are passed on: only the first made-up one is let through.
        if passed.len() > 1 && std::mem::replace(&mut forged, true) {
            passed.truncate(1);
        }
        passed
    };
    let (clinic, mut spy, mut host, mut patient) = knock(Box::new(operator)).await;
    // The card comes with each proof: the second one follows the host's answer to message 6.
    spy.nth(1, Way::Up, "relay", |said| matches!(said.exchange(), Some((5, _)))).await;
    host.admit().await;
    let members = host.in_call("the call at the host", |call| Some(call.members.clone())).await;
    assert_eq!(members[1].name.as_deref(), Some("Robin Example"));
    patient.in_call("the call at the patient", |_| Some(())).await;
    all_leave(clinic, [patient, host]).await;
}

/// 1. Two guests wait; the first is admitted, and gets its Welcome twice.
/// 2. The second is admitted in the next epoch, and gets the Welcome of the epoch before.
#[tokio::test(flavor = "multi_thread")]
async fn a_welcome_of_an_earlier_epoch_opens_for_nobody_else() {
    let mut visit = visit(Attack::ReplayWelcome.operator()).await;
    visit.carer.told(ErrorCode::E2e05).await;
    turned_away(&mut visit.carer).await;
    assert!(matches!(visit.patient.view().phase, Phase::Call(_)), "the first one's call goes on");
    visit.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_another_version_says_that_an_update_is_needed() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let link = host.invite("First visit").await.link;
    let mut guest = Person::guest(no_devices());
    guest.tell(Command::ChooseGuest).await;
    guest.tell(Command::PasteLink { text: older(&link).as_str().into() }).await;
    guest.told(ErrorCode::Net05).await;
    all_leave(clinic, [guest, host]).await;
}

/// The same link with version 0 and a checksum that fits.
fn older(link: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = URL_SAFE_NO_PAD.decode(link.strip_prefix("quietroom:").unwrap()).unwrap();
    let digest = |content: &[u8]| ring::digest::digest(&ring::digest::SHA256, content);
    let checksum = (4..=16).find(|length| {
        let (content, sum) = bytes.split_at(bytes.len() - length);
        digest(content).as_ref().starts_with(sum)
    });
    let content = bytes.len() - checksum.expect("a link ends in a checksum");
    bytes[0] = 0;
    let sum = digest(&bytes[..content]);
    let length = bytes.len() - content;
    bytes[content..].copy_from_slice(&sum.as_ref()[..length]);
    format!("quietroom:{}", URL_SAFE_NO_PAD.encode(bytes))
}
