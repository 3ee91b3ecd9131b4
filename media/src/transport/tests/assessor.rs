//! A capture taken outside of both transports opens with what they kept, and with nothing else.

use std::net::SocketAddr;

use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use tokio::net::UdpSocket;

use super::*;

async fn side(peer: PeerId, role: TransportRole, assessor: bool) -> Side {
    Side::of(
        TransportConfig { bind: vec![Ipv4Addr::LOCALHOST.into()], assessor, ..TransportConfig::default() },
        peer,
        role,
    )
    .await
}

/// The same candidate at another port.
fn moved(signal: Signal, port: u16, real: &mut Option<u16>) -> Signal {
    let Signal::Candidate { candidate, mid, index } = signal else {
        return signal;
    };
    let mut words: Vec<_> = candidate.split(' ').map(str::to_owned).collect();
    *real = Some(words[5].parse().unwrap());
    words[5] = port.to_string();
    Signal::Candidate { candidate: words.join(" "), mid, index }
}

/// Stands between the two: each takes a socket here for the other one.
struct Wire {
    /// What the host takes for the patient, and the patient for the host.
    as_patient: UdpSocket,
    as_host: UdpSocket,
    host: SocketAddr,
    patient: SocketAddr,
    /// Every datagram, and whether the host sent it.
    seen: Vec<(bool, Vec<u8>)>,
}

impl Wire {
    /// Hands on one datagram.
    async fn step(&mut self) {
        let (mut a, mut b) = ([0; 2_048], [0; 2_048]);
        tokio::select! {
            got = self.as_patient.recv_from(&mut a) => {
                let datagram = &a[..got.unwrap().0];
                self.as_host.send_to(datagram, self.patient).await.unwrap();
                self.seen.push((true, datagram.to_vec()));
            }
            got = self.as_host.recv_from(&mut b) => {
                let datagram = &b[..got.unwrap().0];
                self.as_patient.send_to(datagram, self.host).await.unwrap();
                self.seen.push((false, datagram.to_vec()));
            }
        }
    }
}

/// Connects both through a wire that is listened to, and sends a frame each way.
async fn captured(host: &mut Side, patient: &mut Side) -> (Wire, Vec<u8>, Vec<u8>) {
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let (as_patient, as_host) = (bind().await.unwrap(), bind().await.unwrap());
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut wire = Wire { as_patient, as_host, host: local(0), patient: local(0), seen: Vec::new() };
    let (to_host, to_patient) =
        (wire.as_patient.local_addr().unwrap().port(), wire.as_host.local_addr().unwrap().port());
    let (mut host_port, mut patient_port, mut connected) = (None, None, 0);
    while connected < 2 {
        tokio::select! {
            event = host.event() => match event {
                TransportEvent::Signal { signal, .. } => {
                    let signal = moved(signal, to_patient, &mut host_port);
                    patient.transport.signal(HOST, signal).await.unwrap();
                }
                event => connected += usize::from(matches!(event, TransportEvent::Connected { .. })),
            },
            event = patient.event() => match event {
                TransportEvent::Signal { signal, .. } => {
                    let signal = moved(signal, to_host, &mut patient_port);
                    host.transport.signal(PATIENT, signal).await.unwrap();
                }
                event => connected += usize::from(matches!(event, TransportEvent::Connected { .. })),
            },
            () = wire.step(), if host_port.is_some() && patient_port.is_some() => {}
        }
        (wire.host, wire.patient) = (local(host_port.unwrap_or(0)), local(patient_port.unwrap_or(0)));
    }
    let mut keys = keys::sealing_keys();
    let [from_host, from_patient] = [b"host", b"mine"].map(|word| keys.audio.seal(word.to_vec()).unwrap());
    host.transport.send(MediaKind::Audio, &from_host, Mark::Needed, Layer::Main);
    patient.transport.send(MediaKind::Audio, &from_patient, Mark::Needed, Layer::Main);
    let (mut at_host, mut at_patient) = (None, None);
    while at_host.is_none() || at_patient.is_none() {
        tokio::select! {
            (_, bytes) = host.frame() => at_host = Some(bytes),
            (_, bytes) = patient.frame() => at_patient = Some(bytes),
            () = wire.step() => {}
        }
    }
    assert_eq!(at_host.as_deref(), Some(from_patient.as_bytes()));
    (wire, from_host.into_vec(), from_patient.into_vec())
}

fn context(keys: &SrtpKeys, client: bool) -> Context {
    assert_eq!(keys.profile(), SrtpProfile::AeadAes256Gcm);
    let (key, salt) =
        if client { (keys.client_key(), keys.client_salt()) } else { (keys.server_key(), keys.server_salt()) };
    let provider = rtc::crypto::default_provider().unwrap();
    Context::new(key, salt, ProtectionProfile::AeadAes256Gcm, None, None, provider.crypto()).unwrap()
}

#[tokio::test]
async fn a_capture_opens_with_the_keys_of_its_association_down_to_the_sealed_frame() {
    let mut host = side(PATIENT, TransportRole::Answer, true).await;
    let mut patient = side(HOST, TransportRole::Offer, true).await;
    let (wire, from_host, from_patient) = captured(&mut host, &mut patient).await;
    let (hosts, patients) = (host.transport.srtp_keys(), patient.transport.srtp_keys());
    assert_eq!((hosts.len(), patients.len()), (1, 1));
    let keys = &hosts[0];
    assert_eq!((keys.peer(), patients[0].peer()), (PATIENT, HOST));
    assert_eq!(keys.client_random(), patients[0].client_random());
    assert!(keys.client_key() == patients[0].client_key() && keys.server_key() == patients[0].server_key());
    assert!(keys.client_salt() == patients[0].client_salt() && keys.server_salt() == patients[0].server_salt());
    assert!(keys.client_key() != keys.server_key() && keys.client_salt() != keys.server_salt());

    // The ClientHello on the wire names the association and who is the client.
    let hello = |(_, datagram): &&(bool, Vec<u8>)| datagram.first() == Some(&22) && datagram.get(13) == Some(&1);
    let (host_is_client, hello) = wire.seen.iter().find(hello).unwrap();
    assert_eq!(hello[27..59], keys.client_random()[..]);
    let mut opened = Vec::new();
    let mut contexts = [context(keys, !host_is_client), context(keys, *host_is_client)];
    for (by_host, datagram) in &wire.seen {
        if (128..192).contains(&datagram[0]) && !(192..224).contains(&datagram[1]) {
            let [of_patient, of_host] = &mut contexts;
            let (right, wrong) = if *by_host { (of_host, of_patient) } else { (of_patient, of_host) };
            assert!(wrong.decrypt_rtp(datagram).is_err());
            opened.push((*by_host, right.decrypt_rtp(datagram).unwrap()));
        }
    }
    let holds =
        |by_host: bool, frame: &[u8]| opened.iter().any(|(by, packet)| *by == by_host && packet.ends_with(frame));
    assert!(holds(true, &from_host) && holds(false, &from_patient) && !holds(true, &from_patient));

    // The keys of an association that ended stay for the proof.
    host.transport.remove_peer(PATIENT).await;
    assert_eq!(host.transport.srtp_keys().len(), 1);
    let printed = format!("{:?}", host.transport.srtp_keys());
    assert_eq!(printed, "[SrtpKeys(peer 1, AeadAes256Gcm)]");
}

#[tokio::test]
async fn a_transport_of_a_real_call_keeps_no_keys() {
    let mut host = side(PATIENT, TransportRole::Answer, false).await;
    let mut patient = side(HOST, TransportRole::Offer, true).await;
    captured(&mut host, &mut patient).await;
    assert!(host.transport.srtp_keys().is_empty());
    assert_eq!(patient.transport.srtp_keys().len(), 1);
}
