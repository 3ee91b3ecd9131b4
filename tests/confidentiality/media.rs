//! What travels inside RTP, seen where SRTP no longer protects it.

use std::net::Ipv4Addr;
use std::time::Duration;

use ::media::transport::{Layer, Mark, MediaKind, PeerId, Transport, TransportConfig, TransportEvent, TransportRole};
use crypto::SenderKeys;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{CANARY, holds, sealing_keys};

const HOST: PeerId = PeerId(0);
const PATIENT: PeerId = PeerId(1);
/// Ends a test that failed; a good one never waits so long.
const LIMIT: Duration = Duration::from_secs(60);

/// 1. Two transports connect over real sockets; each RTP payload of the host's side is copied behind SRTP.
/// 2. The patient sends a known picture and a known sound, sealed, and a canary in clear.
/// 3. Sealed frames arrive as they were; of picture and sound nothing is seen, and the canary is.
#[tokio::test(flavor = "multi_thread")]
async fn rtp_shows_neither_picture_nor_sound() {
    let (host, mut at_host) = transport();
    let (tap, mut tapped) = mpsc::channel(4_096);
    host.tap(tap);
    let (patient, mut at_patient) = transport();
    host.add_peer(PATIENT, TransportRole::Answer).await.unwrap();
    patient.add_peer(HOST, TransportRole::Offer).await.unwrap();
    connect(&host, &mut at_host, &patient, &mut at_patient).await;

    let picture = b"a known picture, row after row. ".repeat(400);
    let sound = b"a known voice. ".repeat(6);
    let SenderKeys { mut audio, mut video, .. } = sealing_keys();
    let (picture_sealed, sound_sealed) = (video.seal(picture.clone()).unwrap(), audio.seal(sound.clone()).unwrap());
    patient.plant(CANARY.as_bytes());
    patient.send(MediaKind::Video, &picture_sealed, Mark::Key, Layer::Main);
    patient.send(MediaKind::Audio, &sound_sealed, Mark::Needed, Layer::Main);

    let (mut pictures, mut sounds) = (Vec::new(), Vec::new());
    while pictures.is_empty() || sounds.is_empty() {
        match timeout(LIMIT, at_host.recv()).await.expect("a frame is missing").unwrap() {
            TransportEvent::Frame { kind: MediaKind::Video, bytes, .. } => pictures = bytes,
            TransportEvent::Frame { kind: MediaKind::Audio, bytes, .. } => sounds = bytes,
            _ => {}
        }
    }
    assert_eq!((pictures.as_slice(), sounds.as_slice()), (picture_sealed.as_bytes(), sound_sealed.as_bytes()));
    let mut seen = Vec::new();
    while let Ok(payload) = tapped.try_recv() {
        seen.extend_from_slice(&payload);
    }
    assert!(seen.len() >= picture.len(), "only {} bytes were seen", seen.len());
    for piece in [picture.chunks(16), sound.chunks(15)].into_iter().flatten() {
        assert!(!holds(&seen, piece), "RTP shows what was sent");
    }
    assert!(holds(&seen, CANARY.as_bytes()), "the search behind SRTP is blind");
    host.close().await;
    patient.close().await;
}

fn transport() -> (Transport, mpsc::Receiver<TransportEvent>) {
    Transport::new(TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() })
}

/// Carries descriptions and candidates until both sides are connected.
async fn connect(
    host: &Transport,
    at_host: &mut mpsc::Receiver<TransportEvent>,
    patient: &Transport,
    at_patient: &mut mpsc::Receiver<TransportEvent>,
) {
    let (mut host_there, mut patient_there) = (false, false);
    let carry = async {
        while !(host_there && patient_there) {
            let (event, receiver, peer, there) = tokio::select! {
                event = at_host.recv() => (event, patient, HOST, &mut host_there),
                event = at_patient.recv() => (event, host, PATIENT, &mut patient_there),
            };
            match event.unwrap() {
                TransportEvent::Signal { signal, .. } => receiver.signal(peer, signal).await.unwrap(),
                TransportEvent::Connected { .. } => *there = true,
                _ => {}
            }
        }
    };
    timeout(LIMIT, carry).await.expect("the two do not connect");
}
