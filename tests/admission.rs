//! From the knock to the call and out again, with the real server between two real clients.

use client::connection::{Socket, SocketEvent};
use client::session::{Call, Command, ErrorCode, GoodbyeReason, Phase, Role, SafetyState, View, VouchedBy};
use signaling::protocol::{
    ClientMessage, Empty, GuestRole, InviteId, JoinRedeemRequest, JoinRedeemResponse, LobbyState, Opaque, Secret,
    ServerMessage, UnixSeconds,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::harness::{Card, Clinic, LIMIT, Person, no_devices};
use crate::invitation::refused;

/// 1. The host opens a room; the patient joins with link and code.
/// 2. The host sees both badges and the card, confirms the identity, admits.
/// 3. Both see two members from the MLS tree and read the same safety words.
/// 4. The patient leaves, the host ends; both see their devices closed.
#[tokio::test(flavor = "multi_thread")]
async fn link_and_code_lead_to_one_sealed_call_and_out_again() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;

    let knocker = host.knocker().await;
    assert!(knocker.badge.link_ok && knocker.badge.code_ok && !knocker.badge.code_failed);
    assert_eq!(knocker.name.as_deref(), Some("Robin Example"));
    assert_eq!(knocker.birth_date.as_deref(), Some("1980-02-29"));
    host.admit().await;

    let at_host = host.in_call("the call at the host", |call| Some((call.epoch, call.members.clone()))).await;
    let at_patient = patient.in_call("the call at the patient", |call| Some((call.epoch, call.members.clone()))).await;
    assert_eq!(at_host.0, at_patient.0, "both are in one epoch");
    for members in [&at_host.1, &at_patient.1] {
        let role = |role| members.iter().find(|member| member.role == role).unwrap();
        assert_eq!(role(Role::Host).vouched, VouchedBy::Practice);
        assert_eq!(role(Role::Patient).vouched, VouchedBy::Invitation);
        assert_eq!(members.iter().filter(|member| member.you).count(), 1);
    }

    host.tell(Command::SafetyStart).await;
    let words = |call: &Call| match &call.safety {
        SafetyState::Compare { words, .. } => Some(words.clone()),
        _ => None,
    };
    let at_host = host.in_call("safety words at the host", words).await;
    let at_patient = patient.in_call("safety words at the patient", words).await;
    assert_eq!(at_host.len(), 4);
    assert_eq!(at_host, at_patient);

    patient.tell(Command::Leave).await;
    assert_eq!(patient.goodbye().await.reason, GoodbyeReason::Left);
    host.tell(Command::EndForAll).await;
    assert!(host.goodbye().await.host);
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_confirmed_identity_nobody_is_admitted() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;

    let participant = host.knocker().await.participant;
    host.tell(Command::Admit { participant: participant.clone(), identity_confirmed: false }).await;
    // Commands are done in order: had the first admitted, the patient would not be turned away.
    host.tell(Command::Deny { participant }).await;
    assert_eq!(patient.goodbye().await.reason, GoodbyeReason::Denied);
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// 1. The host closes the room without having admitted anybody: the patient stays, and is told that nobody is there.
/// 2. The host opens it again: the patient proves link and code by itself, at no try, and is admitted.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_keeps_its_place_while_the_room_is_closed() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.knocker().await;

    host.tell(Command::Leave).await;
    assert_eq!(host.goodbye().await.reason, GoodbyeReason::Left);
    let alone = |view: &View| matches!(&view.phase, Phase::LobbyGuest(lobby) if !lobby.host_present).then_some(());
    patient.until("the waiting room without a host", alone).await;

    host.tell(Command::Done).await;
    host.start(&invitation.appointment).await;
    let knocker = host.knocker().await;
    assert_eq!((knocker.badge.code_failed, knocker.badge.tries_left), (false, 3));
    host.admit().await;
    patient.in_call("the call at the patient", |call| (call.members.len() == 2).then_some(())).await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_guest_reads_neutral_words_and_its_link_is_spent() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    let participant = host.knocker().await.participant;
    host.tell(Command::Deny { participant }).await;
    assert_eq!(patient.goodbye().await.reason, GoodbyeReason::Denied);
    patient.quit().await;

    let refused = refused(&invitation.link).await;
    assert!([ErrorCode::Lob04, ErrorCode::Inv08].contains(&refused), "{refused:?}");
    host.quit().await;
    clinic.close().await;
}

/// 1. A stranger with a token that the server takes waits in the lobby, by raw messages.
/// 2. Meanwhile a patient is admitted and talks in the same room.
/// 3. The stranger is denied, having heard of nothing but its own waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_guest_gets_no_key_roster_or_candidate() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let (stranger, mut heard) = stranger(&clinic, &invitation.appointment).await;
    stranger.send(ClientMessage::EnterLobby);
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    host.in_call("the call at the host", |_| Some(())).await;
    patient.in_call("the call at the patient", |_| Some(())).await;
    // It tries what a member may do.
    stranger.send(ClientMessage::Replay { after: 0 });
    stranger.send(ClientMessage::Application { epoch: 1, body: Opaque::new(vec![7; 64]) });

    let waiting = host
        .until("the stranger at the door", |view| match &view.phase {
            Phase::Call(call) => call.waiting.first().map(|knocker| (knocker.participant.clone(), knocker.ready)),
            _ => None,
        })
        .await;
    assert!(!waiting.1, "who proved nothing cannot be admitted");
    host.tell(Command::Admit { participant: waiting.0.clone(), identity_confirmed: true }).await;
    host.tell(Command::Deny { participant: waiting.0 }).await;

    loop {
        match next(&mut heard).await {
            ServerMessage::Lobby { state: LobbyState::Denied } => break,
            ServerMessage::Ready { .. } | ServerMessage::Lobby { .. } | ServerMessage::Relay { .. } => {}
            ServerMessage::Error { .. } => {}
            other => panic!("a waiting guest got {other:?}"),
        }
    }
    stranger.close().await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// Somebody whose token the server takes, for this appointment, but who holds neither link nor code.
pub(crate) async fn stranger(clinic: &Clinic, appointment: &str) -> (Socket, mpsc::Receiver<SocketEvent>) {
    let token = [9_u8; 32];
    let hash = ring::digest::digest(&ring::digest::SHA256, &token);
    let invite_id = InviteId::from_bytes([3; 16]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let request = signaling::protocol::CreateInvitationRequest {
        invite_id,
        token_hash: Opaque::new(hash.as_ref().to_vec()),
        role: GuestRole::Carer,
        not_before: UnixSeconds(now - 60),
        expires_at: UnixSeconds(now + 3600),
    };
    let session = clinic.session().await;
    let path = format!("/v1/appointments/{appointment}/invitations");
    let _: Empty = clinic.connection().post(&path, Some(&session), &request).await.unwrap();
    let lobby_token = Secret::new(client::settings::encode(&token));
    let body = JoinRedeemRequest { invite_id, lobby_token };
    let redeemed: JoinRedeemResponse = clinic.connection().post("/v1/join/redeem", None, &body).await.unwrap();
    let (events, mut heard) = mpsc::channel(64);
    let token = redeemed.guest_session.expose().to_owned().into();
    let socket = Socket::open(clinic.connection(), token, events);
    // What is sent before is dropped with the connection that it was meant for.
    while !matches!(next(&mut heard).await, ServerMessage::Ready { .. }) {}
    (socket, heard)
}

/// The next message of the server.
pub(crate) async fn next(heard: &mut mpsc::Receiver<SocketEvent>) -> ServerMessage {
    let message = async {
        loop {
            if let SocketEvent::Message(message) = heard.recv().await.expect("the connection is gone") {
                return *message;
            }
        }
    };
    timeout(LIMIT, message).await.expect("the server says nothing")
}

/// 1. The host takes the patient out of a running call.
/// 2. The patient's client says so and closes its devices; the host is alone, and can invite anew.
/// 3. The link that was used lets nobody in again.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_out_and_stays_out() {
    let clinic = Clinic::open().await;
    let (mut host, invitation) = clinic.open_room().await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    let other = |call: &Call| call.members.iter().find(|row| !row.you && row.media.connected).map(|row| row.leaf);
    let leaf = host.in_call("the patient, connected", other).await;
    host.tell(Command::Remove { leaf }).await;
    assert_eq!(patient.goodbye().await.reason, GoodbyeReason::Removed);
    let alone = |view: &View| match &view.phase {
        Phase::Call(call) if call.members.len() == 1 => Some(()),
        _ => None,
    };
    host.until("the host alone", alone).await;

    assert_eq!(refused(&invitation.link).await, ErrorCode::Inv08);
    for person in [patient, host] {
        person.quit().await;
    }
    clinic.close().await;
}
