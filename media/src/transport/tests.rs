//! Two transports in one process, real sockets on loopback.

mod assessor;
mod heartbeat;
mod keys;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::*;

const HOST: PeerId = PeerId(0);
const PATIENT: PeerId = PeerId(1);
/// No assertion is on time; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// One side: it knows the other as `peer`.
struct Side {
    transport: Transport,
    events: mpsc::Receiver<TransportEvent>,
    peer: PeerId,
}

impl Side {
    async fn new(peer: PeerId, role: TransportRole) -> Self {
        Self::of(TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() }, peer, role)
            .await
    }

    async fn of(config: TransportConfig, peer: PeerId, role: TransportRole) -> Self {
        let (transport, events) = Transport::new(config);
        transport.add_peer(peer, role).await.unwrap();
        Self { transport, events, peer }
    }

    async fn event(&mut self) -> TransportEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event.expect("no event").expect("channel ended")
    }

    async fn frame(&mut self) -> (MediaKind, Vec<u8>) {
        loop {
            if let TransportEvent::Frame { peer, kind, bytes, .. } = self.event().await {
                assert_eq!(peer, self.peer);
                return (kind, bytes);
            }
        }
    }
}

/// The newer member offers.
async fn pair() -> (Side, Side) {
    (Side::new(PATIENT, TransportRole::Answer).await, Side::new(HOST, TransportRole::Offer).await)
}

/// Carries signals, changed by `tamper`, both ways until each side has reported something else; returns those.
async fn carry(
    a: &mut Side,
    b: &mut Side,
    mut tamper: impl FnMut(Signal) -> Signal,
) -> (TransportEvent, TransportEvent) {
    let (mut from_a, mut from_b) = (None, None);
    while from_a.is_none() || from_b.is_none() {
        let (event, receiver, report) = tokio::select! {
            event = a.event(), if from_a.is_none() => (event, &*b, &mut from_a),
            event = b.event(), if from_b.is_none() => (event, &*a, &mut from_b),
        };
        match event {
            // A refused description shows as an event, too.
            TransportEvent::Signal { signal, .. } => {
                let signalled = receiver.transport.signal(receiver.peer, tamper(signal));
                signalled.await.ok();
            }
            other => *report = Some(other),
        }
    }
    (from_a.unwrap(), from_b.unwrap())
}

async fn connected() -> (Side, Side) {
    let (mut a, mut b) = pair().await;
    let reports = carry(&mut a, &mut b, |signal| signal).await;
    assert!(
        matches!(
            reports,
            (
                TransportEvent::Connected { path: Path::Direct, .. },
                TransportEvent::Connected { path: Path::Direct, .. }
            )
        ),
        "{reports:?}"
    );
    (a, b)
}

#[tokio::test]
async fn frames_arrive_whole_and_unaltered_in_both_directions() {
    let (mut host, mut patient) = connected().await;
    let mut keys = keys::sealing_keys();
    let mut sent = Vec::new();
    let mut came = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for step in 0..30_usize {
        // Large ones once the path is known, and each when the one before it is there: how fast is not the question here, and on a
        // machine that is busy what waits for longer than 400 ms is given up.
        let large = step % 10 == 9;
        let voice = keys.audio.seal(vec![step as u8; 80]).unwrap();
        let picture = keys.video.seal(vec![step as u8; if large { 60_000 } else { 5_000 }]).unwrap();
        let mark = if step == 0 || large { Mark::Key } else { Mark::Needed };
        for side in [&host, &patient] {
            side.transport.send(MediaKind::Audio, &voice, Mark::Needed, Layer::Main);
            side.transport.send(MediaKind::Video, &picture, mark, Layer::Main);
        }
        sent.push((voice, picture));
        for (side, (voices, pictures)) in [&mut host, &mut patient].into_iter().zip(&mut came) {
            while voices.len() < sent.len() || pictures.len() < sent.len() {
                match side.frame().await {
                    (MediaKind::Audio, bytes) => voices.push(bytes),
                    (MediaKind::Video, bytes) => pictures.push(bytes),
                    (MediaKind::Screen, _) => panic!("nobody shares a window"),
                }
            }
        }
    }
    for (side, (voices, pictures)) in [&host, &patient].into_iter().zip(came) {
        assert!(sent.iter().zip(&pictures).all(|((_, sealed), bytes)| sealed.as_bytes() == bytes));
        assert!(sent.iter().all(|(sealed, _)| voices.iter().any(|bytes| sealed.as_bytes() == bytes)));
        let stats = side.transport.stats(side.peer).unwrap();
        assert_eq!((stats.frames_received, stats.frames_lost, stats.frames_dropped), (60, 0, 0));
        assert!(stats.packets_received >= 300 && stats.bytes_received > 300_000);
    }
}

#[tokio::test]
async fn a_shared_window_has_a_track_and_a_wish_for_key_frames_of_its_own() {
    let (mut host, mut patient) = connected().await;
    let mut keys = keys::sealing_keys();
    let (camera, window) = (keys.video.seal(vec![1; 5_000]).unwrap(), keys.screen.seal(vec![2; 8_000]).unwrap());
    host.transport.send(MediaKind::Video, &camera, Mark::Key, Layer::Main);
    host.transport.send(MediaKind::Screen, &window, Mark::Key, Layer::Main);
    let mut came = [patient.frame().await, patient.frame().await];
    came.sort_by_key(|(kind, _)| *kind == MediaKind::Screen);
    assert_eq!(came[0], (MediaKind::Video, camera.as_bytes().to_vec()));
    assert_eq!(came[1], (MediaKind::Screen, window.as_bytes().to_vec()));
    patient.transport.request_key_frame(HOST, MediaKind::Screen);
    let asked = loop {
        if let TransportEvent::KeyFrameRequest { kind, .. } = host.event().await {
            break kind;
        }
    };
    assert_eq!(asked, MediaKind::Screen);
}

#[tokio::test]
async fn one_frame_reaches_every_peer_as_the_same_bytes() {
    let config = TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() };
    let (transport, events) = Transport::new(config);
    let mut host = Side { transport, events, peer: PATIENT };
    let mut guests = Vec::new();
    for id in 1..4 {
        host.peer = PeerId(id);
        host.transport.add_peer(host.peer, TransportRole::Answer).await.unwrap();
        let mut guest = Side::new(HOST, TransportRole::Offer).await;
        carry(&mut host, &mut guest, |signal| signal).await;
        guests.push(guest);
    }
    let fingerprints: Vec<_> = (1..4).map(|id| host.transport.local_fingerprint(PeerId(id)).unwrap()).collect();
    assert!(fingerprints[0] != fingerprints[1] && fingerprints[1] != fingerprints[2]);
    let picture = keys::sealing_keys().video.seal(vec![9; 20_000]).unwrap();
    host.transport.send(MediaKind::Video, &picture, Mark::Key, Layer::Main);
    for guest in &mut guests {
        assert_eq!(guest.frame().await, (MediaKind::Video, picture.as_bytes().to_vec()));
    }
}

#[tokio::test]
async fn a_wish_for_a_key_frame_reaches_the_sender() {
    let (mut host, mut patient) = connected().await;
    let mut keys = keys::sealing_keys();
    // A picture that nobody can begin with is not handed over; it makes the receiver ask by itself.
    let picture = keys.video.seal(vec![1; 3_000]).unwrap();
    host.transport.send(MediaKind::Video, &picture, Mark::Needed, Layer::Main);
    let asked = loop {
        match host.event().await {
            TransportEvent::KeyFrameRequest { peer, kind: MediaKind::Video } => break peer,
            _ => continue,
        }
    };
    assert_eq!(asked, PATIENT);
    assert!(matches!(patient.event().await, TransportEvent::FrameLost { count: 1, .. }));
    assert_eq!(patient.transport.stats(HOST).unwrap().key_frames_requested, 1);
}

#[tokio::test]
async fn a_peer_with_another_certificate_than_it_named_is_refused() {
    let (mut host, mut patient) = pair().await;
    let reports = carry(&mut host, &mut patient, |signal| match signal {
        // What a server that sits in the middle would have to do.
        Signal::Offer { sdp } => {
            let named = sdp.split("sha-256 ").nth(1).unwrap()[..2].to_owned();
            let other = if named == "00" { "01" } else { "00" };
            Signal::Offer { sdp: sdp.replacen(&format!("sha-256 {named}"), &format!("sha-256 {other}"), 1) }
        }
        other => other,
    })
    .await;
    assert!(matches!(reports.0, TransportEvent::Refused { reason: Refusal::Handshake, .. }), "{reports:?}");
    assert!(!matches!(reports.1, TransportEvent::Frame { .. }), "{reports:?}");
}

#[tokio::test]
async fn a_peer_that_does_not_promise_sframe_is_refused() {
    let mut host = Side::new(PATIENT, TransportRole::Answer).await;
    let mut patient = Side::new(HOST, TransportRole::Offer).await;
    let TransportEvent::Signal { signal: Signal::Offer { sdp }, .. } = patient.event().await else {
        panic!("the first event is the offer");
    };
    assert_eq!(fingerprint_of(&sdp).ok(), patient.transport.local_fingerprint(HOST));
    let bare = Signal::Offer { sdp: sdp.replace("a=sframe\r\n", "") };
    let error = host.transport.signal(PATIENT, bare).await.unwrap_err();
    assert!(matches!(error, TransportError::Description(SdpError::NoSframe)));
    assert!(matches!(host.event().await, TransportEvent::Refused { peer: PATIENT, reason: Refusal::NoSframe }));
    assert!(host.transport.stats(PATIENT).is_none());
}

#[tokio::test]
async fn signals_out_of_order_and_hostile_ones_are_refused() {
    let host = Side::new(PATIENT, TransportRole::Answer).await;
    let signal = |signal| host.transport.signal(PATIENT, signal);
    let candidate = |candidate: String| Signal::Candidate { candidate, mid: None, index: Some(0) };
    let answer = Signal::Answer { sdp: "v=0\r\n".to_owned() };
    assert!(matches!(signal(answer).await, Err(TransportError::UnexpectedSignal)));
    let long = candidate("x".repeat(513));
    assert!(matches!(signal(long).await, Err(TransportError::Candidate)));
    for _ in 0..32 {
        signal(candidate("candidate:rubbish".to_owned())).await.unwrap();
    }
    assert!(matches!(signal(candidate("candidate:more".to_owned())).await, Err(TransportError::Candidate)));
    let rubbish = Signal::Offer { sdp: "rubbish".to_owned() };
    assert!(matches!(signal(rubbish).await, Err(TransportError::Description(SdpError::Malformed))));
}

#[tokio::test]
async fn a_peer_cannot_make_us_connect_to_an_address_by_tcp() {
    let (host, _patient) = connected().await;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let candidate = format!("candidate:1 1 tcp 1518280447 127.0.0.1 {port} typ host tcptype passive");
    host.transport.signal(PATIENT, Signal::Candidate { candidate, mid: None, index: Some(0) }).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(500), listener.accept()).await.is_err());
}

#[tokio::test]
async fn closing_ends_the_events_and_the_other_side_notices() {
    let (mut host, mut patient) = connected().await;
    host.transport.close().await;
    assert!(matches!(host.transport.add_peer(PATIENT, TransportRole::Offer).await, Err(TransportError::Closed)));
    while let Some(event) = tokio::time::timeout(PATIENCE, host.events.recv()).await.expect("the channel stays open") {
        assert!(matches!(event, TransportEvent::Disconnected { .. }), "{event:?}");
    }
    assert!(matches!(patient.event().await, TransportEvent::Disconnected { peer: HOST }));
}

#[cfg(feature = "lab")]
#[tokio::test]
async fn the_tap_sees_a_mark_in_clear_and_the_receiver_refuses_it() {
    let mut host = Side::new(PATIENT, TransportRole::Answer).await;
    let (tap, mut tapped) = mpsc::channel(1_024);
    host.transport.remove_peer(PATIENT).await;
    host.transport.tap(tap);
    host.transport.add_peer(PATIENT, TransportRole::Answer).await.unwrap();
    let mut patient = Side::new(HOST, TransportRole::Offer).await;
    carry(&mut host, &mut patient, |signal| signal).await;
    patient.transport.plant(b"canary");
    let voice = keys::sealing_keys().audio.seal(b"a known voice".to_vec()).unwrap();
    patient.transport.send(MediaKind::Audio, &voice, Mark::Needed, Layer::Main);
    assert_eq!(host.frame().await, (MediaKind::Audio, voice.as_bytes().to_vec()));
    let mut seen = Vec::new();
    while let Ok(payload) = tapped.try_recv() {
        seen.extend_from_slice(&payload);
    }
    let found = |needle: &[u8]| seen.windows(needle.len()).any(|window| window == needle);
    assert!(found(b"canary") && found(voice.as_bytes()) && !found(b"known voice"));
    assert_eq!(host.transport.stats(PATIENT).unwrap().payloads_refused, 1);
}

/// Prints what set-up takes; asserts nothing on it, since the machine may be busy.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures show with --nocapture")]
async fn connecting_on_loopback_takes_few_round_trips() {
    let mut setups = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let (mut a, mut b) = pair().await;
        let opened = start.elapsed();
        let reports = carry(&mut a, &mut b, |signal| signal).await;
        let (TransportEvent::Connected { setup: x, .. }, TransportEvent::Connected { setup: y, .. }) = reports else {
            panic!("{reports:?}");
        };
        setups.push((opened, x, y, start.elapsed()));
    }
    setups.sort();
    for (opened, x, y, all) in setups {
        println!("opened {opened:.1?}, connected {x:.1?} and {y:.1?} after the description, {all:.1?} in all");
    }
}
