//! A member whose client sends what it did not seal, or changes what it sealed.

use std::time::Duration;

use client::session::{ErrorCode, Phase, View};
use lab::hostile::Honest;
use media::AudioSourceSpec;
use media::transport::{Spoil, Spoiling};

use crate::harness::{Card, Clinic, Person, no_devices};

/// Long enough for a hundred voice packets, which is far more than the host bears.
const SPOILT: Duration = Duration::from_secs(5);

/// A host in a call with Robin, whose client spoils its voice for five seconds.
async fn told_of_robin(how: Spoiling) {
    let clinic = Clinic::open_with(Box::new(Honest)).await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut devices = no_devices();
    devices.audio = AudioSourceSpec::Voice { variant: 1 };
    devices.aids.spoil = Some(Spoil { how, after: Duration::ZERO, until: SPOILT });
    let mut robin = Person::guest(devices);
    robin.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    host.told(ErrorCode::E2e01).await;
    let person = host.view().notice.and_then(|notice| notice.person);
    assert_eq!(person.as_deref(), Some(Card::ROBIN.name));
    host.until("Robin's media marked", |view| marked(view).then_some(())).await;
    // Nothing is lost: what is sealed properly afterwards is heard, and the notice goes away by itself.
    host.until("Robin's media opens", |view| (!marked(view) && view.notice.is_none()).then_some(())).await;
    robin.quit().await;
    host.quit().await;
    clinic.close().await;
}

fn marked(view: &View) -> bool {
    let Phase::Call(call) = &view.phase else { return false };
    call.members.iter().any(|row| !row.you && row.media.undecryptable)
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_nobody_sealed_is_refused_and_told() {
    told_of_robin(Spoiling::Bare).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_was_changed_behind_its_sealing_is_refused_and_told() {
    told_of_robin(Spoiling::Altered).await;
}
