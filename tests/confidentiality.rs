//! What the wire, the server, its database and the logs hold of a consultation: nothing that tells who came or why.
//!
//! TLS, DTLS and SRTP would hide everything from a plain capture, so the search also reads what the server sees after TLS
//! and, with the feature `lab`, what RTP carries behind SRTP.
//! Each place that is searched also gets a canary in clear, and the same search must find it there.

#[cfg(feature = "lab")]
mod media;

use ::media::codec::{Content, EncoderSettings, VideoCodec, VideoEncoder};
use ::media::source::VideoSourceSpec;
use ::media::{AudioSourceSpec, Bitrate, MediaTime, VideoFrame};
use client::session::driver::MediaOptions;
use client::session::{Call, Command, RosterRow};
use crypto::{CallGroup, CallId, CallMode, CallTerms, CertificateTerms, DeviceKey, PracticeKey, SenderKeys};
use lab::search::holds;
use signaling::protocol::{ClientMessage, Opaque, ServerMessage};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::admission::{next, stranger};
use crate::harness::{Capture, Card, Clinic, LIMIT, PASSPHRASE, Person, files, logs, no_devices};

const CANARY: &str = "canary: a bird that sings in clear";

/// 1. A consultation from invitation to goodbye, with picture and sound; every packet of it is captured, the server is
///    overheard behind TLS, and with the feature `lab` RTP behind SRTP.
/// 2. No private word of it is found: not on the wire, not in what the server saw, not in the logs, not on its disk; and
///    RTP shows no picture.
/// 3. The canary, planted in each of these places, is found in each.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_two_learns_who_came() {
    let clinic = Clinic::open().await;
    let capture = Capture::start();
    let (mut host, invitation) = clinic.open_room().await;
    let (devices, rtp) = overheard_devices();
    let mut patient = Person::guest(devices);
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    let leaf = host.in_call("the patient at the host", |call| other(call).map(|member| member.leaf)).await;
    patient.in_call("the call at the patient", |_| Some(())).await;
    let slot = host.pictures().of(leaf).unwrap();
    // More than the first one: a key frame of the pattern may be short, and the search is about what follows it as well.
    let pictures =
        tokio::task::spawn_blocking(move || (0..10).all(|_| slot.take_timeout(LIMIT).is_some())).await.unwrap();
    assert!(pictures, "too few pictures came, so the search for one would be about nothing");
    patient.tell(Command::Leave).await;
    patient.goodbye().await;
    host.tell(Command::EndForAll).await;
    host.goodbye().await;
    patient.quit().await;
    host.quit().await;
    plant(&clinic, &invitation.appointment).await;

    let (wire, seen, logged) = (clinic.wire(), clinic.seen(), logs::so_far());
    assert!(wire.len() > 20_000 && seen.len() > 20_000, "{} and {} bytes", wire.len(), seen.len());
    let mut places = vec![("the wire", wire), ("what the server saw", seen), ("the logs", logged)];
    match capture.map(Capture::stop) {
        Some(packets) => places.push(("the capture", packets)),
        None => uncaptured(),
    }
    let secrets = secrets(&invitation.link, &invitation.code);
    for (place, bytes) in &places {
        for (what, secret) in &secrets {
            assert!(!holds(bytes, secret), "{place}: {what} stands there");
        }
        assert!(holds(bytes, CANARY.as_bytes()), "{place}: the search is blind");
        // The server makes the second factor's secret, so it is no news to it; nobody else may learn it.
        let known = *place == "what the server saw";
        assert!(known || !holds(bytes, clinic.totp_secret.as_bytes()), "{place}: the second factor's secret");
    }
    assert!(holds(&clear_picture(), PARAMETER_SET), "the search for pictures is blind");
    assert!(!holds(&rtp(), PARAMETER_SET), "RTP shows the picture");

    let totp = clinic.totp_secret.clone();
    let server = clinic.server_folder();
    let folder = clinic.close().await;
    let disk = files(&server);
    for (path, bytes) in &disk {
        for (what, secret) in &secrets {
            assert!(!holds(bytes, secret), "{} holds {what}", path.display());
        }
        for secret in [totp.as_bytes(), &lab::totp::base32(&totp).unwrap()] {
            assert!(!holds(bytes, secret), "{} holds the second factor's secret", path.display());
        }
    }
    let label = disk.iter().any(|(_, bytes)| holds(bytes, b"First visit"));
    assert!(label, "the search of the database is blind: even the appointment's label is not found");
    // The key under which second factors lie sealed is a file of its own, and not in the database.
    let file =
        |name: &str| disk.iter().find(|(path, _)| path.ends_with(name)).map(|(_, bytes)| bytes.as_slice()).unwrap();
    assert!(!holds(file("quietroom.db"), file("seal.key").trim_ascii()));
    drop(folder);
}

#[expect(clippy::print_stdout, reason = "whoever reads the tests' output must know what was left out")]
fn uncaptured() {
    println!("no packets were captured: this process lacks CAP_NET_RAW");
}

/// The other member, once it is connected.
fn other(call: &Call) -> Option<&RosterRow> {
    call.members.iter().find(|member| !member.you && member.media.connected)
}

/// A picture and a voice, and a way to read what RTP carried of them behind SRTP: nothing without the feature `lab`.
fn overheard_devices() -> (MediaOptions, impl FnOnce() -> Vec<u8>) {
    let mut devices = no_devices();
    devices.video = Some(VideoSourceSpec::TestPattern { variant: 1 });
    devices.audio = AudioSourceSpec::Voice { variant: 1 };
    #[cfg(feature = "lab")]
    let (tap, mut payloads) = tokio::sync::mpsc::channel(16_384);
    #[cfg(feature = "lab")]
    {
        devices.aids.tap = Some(tap);
    }
    let read = move || {
        let seen: Vec<u8> = Vec::new();
        #[cfg(feature = "lab")]
        let seen = {
            let mut seen = seen;
            while let Ok(payload) = payloads.try_recv() {
                seen.extend_from_slice(&payload);
            }
            // Ten pictures of the pattern came, and some voice with them: they were among it.
            assert!(seen.len() > 4_000, "only {} bytes of RTP were overheard", seen.len());
            seen
        };
        seen
    };
    (devices, read)
}

/// How an H.264 key frame in clear begins: start code and parameter set (ITU-T H.264 annex B, 7.3.2.1).
const PARAMETER_SET: &[u8] = &[0, 0, 0, 1, 0x67, 0x42];

/// The first picture of the test pattern as the encoder gives it, before it is sealed.
fn clear_picture() -> Vec<u8> {
    let settings =
        EncoderSettings { width: 1_280, height: 720, fps: 30, bitrate: Bitrate::kbps(500), content: Content::Camera };
    let mut encoder = VideoEncoder::new(VideoCodec::H264, settings).unwrap();
    let grey = vec![128; VideoFrame::data_len(1_280, 720).unwrap()];
    let frame = VideoFrame::new(1_280, 720, MediaTime::now(), 0, grey).unwrap();
    encoder.encode(&frame, true).unwrap().expect("a key frame").data.to_vec()
}

#[test]
fn a_sealed_frame_shows_nothing_of_picture_or_sound() {
    let mut keys = sealing_keys();
    let frame = CANARY.as_bytes().repeat(40);
    assert!(holds(&frame, CANARY.as_bytes()));
    for key in [&mut keys.audio, &mut keys.video] {
        let sealed = key.seal(frame.clone()).unwrap();
        assert!(!holds(sealed.as_bytes(), CANARY.as_bytes()));
        assert!(sealed.len() > frame.len());
        let again = key.seal(frame.clone()).unwrap();
        assert_ne!(sealed.as_bytes(), again.as_bytes(), "equal frames look equal");
    }
}

/// The keys of a host alone in its group.
fn sealing_keys() -> SenderKeys {
    let (practice, _) = PracticeKey::generate().unwrap();
    let device = DeviceKey::generate().unwrap();
    let terms = CertificateTerms {
        display_name: "Dr Ada Example".to_owned(),
        roles: vec![crypto::StaffRole::Clinician],
        registration: None,
        serial: 1,
        not_before: 0,
        not_after: 86_400,
    };
    let certificate = practice.certify(&device.request().unwrap(), terms).unwrap();
    let call = CallTerms { call_id: CallId::from_bytes([1; 16]), mode: CallMode::Real };
    let mut group = CallGroup::create(60, &device, &certificate, call).unwrap();
    group.media_keys().unwrap().into_parts().0
}

/// Everything that only the two people and their computers may know.
fn secrets(link: &str, code: &str) -> Vec<(&'static str, Vec<u8>)> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let body = link.split_once(':').unwrap().1;
    vec![
        ("the patient's name", Card::ROBIN.name.into()),
        ("the birth date", Card::ROBIN.birth_date.into()),
        ("the patient's phone", Card::ROBIN.phone.into()),
        ("the link", body.into()),
        ("the code", code.into()),
        ("the code's digits", digits.into_bytes()),
        ("the passphrase", PASSPHRASE.into()),
        ("the link's secret", link_secret(body)),
    ]
}

/// The secret of a link: the 32 bytes after the public id of the invitation.
fn link_secret(body: &str) -> Vec<u8> {
    let bytes = unbase64(body);
    let link = crypto::InvitationLink::parse(&format!("quietroom:{body}")).unwrap();
    let id = link.invite_id();
    let at = bytes.windows(16).position(|window| window == id.as_bytes()).unwrap() + 16;
    bytes[at..at + 32].to_vec()
}

/// Puts the canary on the wire, behind TLS, and into the logs, in clear.
async fn plant(clinic: &Clinic, appointment: &str) {
    let mut wire = TcpStream::connect(clinic.wire_address()).await.unwrap();
    wire.write_all(CANARY.as_bytes()).await.unwrap();
    tracing::info!("{CANARY}");
    let (stranger, mut heard) = stranger(clinic, appointment).await;
    stranger.send(ClientMessage::EnterLobby);
    stranger.send(ClientMessage::Relay { to: None, body: Opaque::new(CANARY.into()) });
    // There is no host to relay it to; the answer shows that the server has read it.
    while !matches!(next(&mut heard).await, ServerMessage::Error { .. }) {}
    stranger.close().await;
}

fn unbase64(text: &str) -> Vec<u8> {
    let standard = text.replace('-', "+").replace('_', "/");
    let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
    client::settings::decode(&padded).unwrap()
}
