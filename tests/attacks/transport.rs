//! Attacks on the association between two members: descriptions travel inside MLS, so it takes a member to lie in them.

use std::net::Ipv4Addr;

use client::session::ErrorCode;
use lab::hostile::Honest;
use lab::hostile::operator::opaque;
use media::transport::{
    Fingerprint, PeerId, Signal, Transport, TransportConfig, TransportEvent, TransportRole, fingerprint_of,
};
use serde_json::json;
use tokio::time::timeout;

use super::mallory::Mallory;
use crate::harness::{Clinic, LIMIT, Person};

use super::spy::Spy;

/// A genuine description of an association that is offered.
async fn description() -> (Transport, String) {
    let (transport, mut events) =
        Transport::new(TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() });
    transport.add_peer(PeerId(0), TransportRole::Offer).await.unwrap();
    let offered = async {
        loop {
            if let TransportEvent::Signal { signal: Signal::Offer { sdp }, .. } = events.recv().await.unwrap() {
                return sdp;
            }
        }
    };
    let sdp = timeout(LIMIT, offered).await.expect("no offer was made");
    (transport, sdp)
}

/// What Mallory says to the host, under a negotiation of this number.
fn offer(mallory: &Mallory, number: u8, fingerprint: Fingerprint, sdp: &str) -> serde_json::Value {
    json!({
        "type": "signal",
        "from": opaque(&mallory.own_key()),
        "to": opaque(&mallory.host_key()),
        "negotiation": opaque(&[number; 16]),
        "fingerprint": fingerprint,
        "signal": {"type": "offer", "sdp": sdp},
    })
}

/// A host that has answered Mallory's honest offer.
async fn answered() -> (Clinic, Person, Mallory, Transport, String) {
    let (_, operator) = Spy::on(Box::new(Honest));
    let clinic = Clinic::open_with(operator).await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut mallory = Mallory::join(&clinic, &mut host, &invitation).await;
    host.in_call("the call at the host", |_| Some(())).await;
    let (transport, sdp) = description().await;
    let honest = offer(&mallory, 1, fingerprint_of(&sdp).unwrap(), &sdp);
    mallory.say(&honest);
    mallory.until(|message| message["signal"]["type"] == "answer").await;
    (clinic, host, mallory, transport, sdp)
}

async fn is_told_with_the_name(host: &mut Person) {
    host.told(ErrorCode::E2e04).await;
    let person = host.view().notice.and_then(|notice| notice.person);
    assert_eq!(person.as_deref(), Some("Mallory Example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fingerprint_other_than_the_descriptions_is_refused() {
    let (clinic, mut host, mut mallory, transport, sdp) = answered().await;
    let swapped = offer(&mallory, 2, Fingerprint([6; 32]), &sdp);
    mallory.say(&swapped);
    is_told_with_the_name(&mut host).await;
    transport.close().await;
    mallory.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_promise_sealed_media_is_refused() {
    let (clinic, mut host, mut mallory, transport, sdp) = answered().await;
    let bare = sdp.replace("a=sframe\r\n", "");
    assert_ne!(bare, sdp);
    let stripped = offer(&mallory, 2, fingerprint_of(&bare).unwrap(), &bare);
    mallory.say(&stripped);
    is_told_with_the_name(&mut host).await;
    transport.close().await;
    mallory.quit().await;
    host.quit().await;
    clinic.close().await;
}
