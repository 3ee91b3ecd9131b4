//! A consultation without devices: nobody is kept out, and the other side is told.

use client::session::{DeviceState, ErrorCode, Phase, SourceState};
use media::AudioSourceSpec;
use media::source::VideoSourceSpec;

use crate::harness::{Card, Clinic, Person, no_devices};

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_whose_devices_are_not_there_still_joins() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut media = no_devices();
    media.video = Some(VideoSourceSpec::Camera(Some("no such camera".to_owned())));
    media.audio = AudioSourceSpec::Microphone(Some("no such microphone".to_owned()));
    let mut patient = Person::guest(media);
    patient.open_link(&invitation.link).await;
    patient.knock(&invitation.code, &Card::ROBIN).await;
    let devices = patient
        .until("the devices' states", |view| match &view.phase {
            Phase::LobbyGuest(lobby) if lobby.devices.microphone != DeviceState::Checking => Some(lobby.devices),
            _ => None,
        })
        .await;
    assert_eq!(devices.camera, DeviceState::Failed(ErrorCode::Dev01));
    assert_eq!(devices.microphone, DeviceState::Failed(ErrorCode::Dev02));
    host.admit().await;
    patient.in_call("the call", |_| Some(())).await;
    let told = host
        .in_call("what the patient sends", |call| {
            let patient = call.members.iter().find(|member| !member.you)?;
            (patient.media.camera == SourceState::Missing).then_some(patient.media)
        })
        .await;
    assert_eq!(told.microphone, SourceState::Missing);
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_one_side_reach_the_other_which_has_no_devices() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut media = no_devices();
    media.video = Some(VideoSourceSpec::TestPattern { variant: 1 });
    media.audio = AudioSourceSpec::Voice { variant: 1 };
    let mut patient = Person::guest(media);
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    let leaf = host
        .in_call("the patient is connected", |call| {
            call.members.iter().find(|member| !member.you && member.media.connected).map(|member| member.leaf)
        })
        .await;
    let slot = host.pictures().of(leaf).unwrap();
    let picture = tokio::task::spawn_blocking(move || slot.take_timeout(std::time::Duration::from_secs(30)));
    let picture = picture.await.unwrap().expect("no picture came");
    assert_eq!(picture.width() * 9, picture.height() * 16, "small at first, whole");
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}
