//! Statements beside the media: what arrives, and what of a hostile peer does not.

use super::*;

const STATEMENT: &[u8] = &[7; 275];

impl Side {
    async fn heartbeat(&mut self) -> Vec<u8> {
        loop {
            if let TransportEvent::Heartbeat { peer, bytes } = self.event().await {
                assert_eq!(peer, self.peer);
                return bytes;
            }
        }
    }

    /// What a peer with a client of its own making does: sends what it likes.
    fn send_raw(&self, bytes: &[u8]) {
        self.transport.peer(self.peer).unwrap().send_heartbeat(&Bytes::copy_from_slice(bytes));
    }
}

#[tokio::test]
async fn a_statement_reaches_every_connected_peer_and_no_other() {
    let config = TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], ..TransportConfig::default() };
    let (transport, events) = Transport::new(config);
    let mut host = Side { transport, events, peer: PATIENT };
    let mut guests = Vec::new();
    for id in 1..3 {
        host.peer = PeerId(id);
        host.transport.add_peer(host.peer, TransportRole::Answer).await.unwrap();
        let mut guest = Side::new(HOST, TransportRole::Offer).await;
        carry(&mut host, &mut guest, |signal| signal).await;
        guests.push(guest);
    }
    host.transport.add_peer(PeerId(3), TransportRole::Answer).await.unwrap();
    // Sent before the channel is open, which takes a round trip after DTLS: it waits.
    host.transport.send_heartbeat(STATEMENT);
    for guest in &mut guests {
        assert_eq!(guest.heartbeat().await, STATEMENT);
        guest.transport.send_heartbeat(&[9]);
    }
    let mut from = [host.event().await, host.event().await].map(|event| match event {
        TransportEvent::Heartbeat { peer, bytes } => (peer, bytes.len()),
        other => panic!("{other:?}"),
    });
    from.sort();
    assert_eq!(from, [(PeerId(1), 1), (PeerId(2), 1)]);
}

#[tokio::test]
async fn too_long_statements_are_neither_sent_nor_handed_on() {
    let (host, mut patient) = connected().await;
    host.transport.send_heartbeat(&[1; 513]);
    host.transport.send_heartbeat(&[]);
    host.send_raw(&[2; 513]);
    host.send_raw(&[3; 512]);
    assert_eq!(patient.heartbeat().await, [3; 512]);
    host.transport.send_heartbeat(STATEMENT);
    assert_eq!(patient.heartbeat().await, STATEMENT);
    assert_eq!(patient.transport.stats(HOST).unwrap().heartbeats_refused, 1);
}

#[tokio::test]
async fn a_flood_of_statements_delays_no_frame_and_fills_nothing() {
    let (host, mut patient) = connected().await;
    host.send_raw(&[0; 8]);
    assert_eq!(patient.heartbeat().await, [0; 8]);
    let mut keys = keys::sealing_keys();
    let flood = async {
        let mut sent = 0_u64;
        while patient.transport.stats(HOST).unwrap().heartbeats_refused < 50 {
            host.send_raw(&[1; 300]);
            sent += 1;
            tokio::task::yield_now().await;
        }
        sent
    };
    let sent = tokio::time::timeout(PATIENCE, flood).await.unwrap();
    assert!(sent > 50);
    let voice = keys.audio.seal(b"a voice".to_vec()).unwrap();
    host.transport.send(MediaKind::Audio, &voice, Mark::Needed, Layer::Main);
    assert_eq!(patient.frame().await, (MediaKind::Audio, voice.as_bytes().to_vec()));
    assert!(patient.events.capacity() > 1_024 - 256);
}

#[tokio::test]
async fn a_peer_that_opens_another_channel_is_refused() {
    let (host, mut patient) = connected().await;
    host.transport.send_heartbeat(STATEMENT);
    assert_eq!(patient.heartbeat().await, STATEMENT);
    let connection = Arc::clone(&host.transport.peer(PATIENT).unwrap().connection);
    let channel = connection.create_data_channel("files", None).await.unwrap();
    let refused = loop {
        match patient.event().await {
            TransportEvent::Refused { peer, reason } => break (peer, reason),
            TransportEvent::Heartbeat { .. } | TransportEvent::Frame { .. } => panic!("something came through"),
            _ => {}
        }
    };
    assert_eq!(refused, (HOST, Refusal::Malformed));
    drop(channel);
}
