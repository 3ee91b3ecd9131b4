//! Two transports in one process, real sockets on loopback.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::*;

const HOST: PeerId = PeerId(0);
const PATIENT: PeerId = PeerId(1);
/// No assertion is on time; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// One side: it knows the other as `peer`.
struct Side {
    transport: Transport,
    events: mpsc::Receiver<TransportEvent>,
    peer: PeerId,
}

impl Side {
    async fn new(peer: PeerId, role: TransportRole) -> Self {
        let config = TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() };
        let (transport, events) = Transport::new(config);
        transport.add_peer(peer, role).await.unwrap();
        Self { transport, events, peer }
    }

    async fn event(&mut self) -> TransportEvent {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("no event").expect("channel ended")
    }
}

/// The newer member offers.
async fn pair() -> (Side, Side) {
    (Side::new(PATIENT, TransportRole::Answer).await, Side::new(HOST, TransportRole::Offer).await)
}

/// Carries signals, changed by `tamper`, both ways until each side has reported something else; returns those.
async fn carry(a: &mut Side, b: &mut Side, mut tamper: impl FnMut(Signal) -> Signal) -> (TransportEvent, TransportEvent) {
    let (mut from_a, mut from_b) = (None, None);
    while from_a.is_none() || from_b.is_none() {
        let (event, receiver, report) = tokio::select! {
            event = a.event(), if from_a.is_none() => (event, &*b, &mut from_a),
            event = b.event(), if from_b.is_none() => (event, &*a, &mut from_b),
        };
        match event {
            TransportEvent::Signal { signal, .. } => {
                // A refused description shows as an event, too.
                receiver.transport.signal(receiver.peer, tamper(signal)).await.ok();
            }
            other => *report = Some(other),
        }
    }
    (from_a.unwrap(), from_b.unwrap())
}

#[tokio::test]
async fn debug_connect() {
    let start = Instant::now();
    let (mut a, mut b) = pair().await;
    let out = carry(&mut a, &mut b, |signal| {
        if let Signal::Offer { sdp } | Signal::Answer { sdp } = &signal {
            eprintln!("{sdp}");
        }
        signal
    })
    .await;
    eprintln!("{out:?} {:?}", start.elapsed());
}
