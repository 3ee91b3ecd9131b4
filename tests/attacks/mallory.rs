//! A member with a client of its own making, invited and admitted like any other.

use client::connection::{Socket, SocketEvent};
use client::settings::encode;
use crypto::{CallGroup, GuestInvitation, Inbound, InvitationCode, InvitationLink, LobbyCard, LogEntry};
use signaling::protocol::{
    ClientMessage, CommitIntent, Delivery, InviteId, JoinRedeemRequest, JoinRedeemResponse, LobbyState, Opaque, Secret,
    ServerMessage,
};
use tokio::sync::mpsc;

use super::rogue::now;
use crate::admission::next;
use crate::harness::{Clinic, Invitation, Person};

/// A guest that has been admitted.
pub(super) struct Mallory {
    socket: Socket,
    heard: mpsc::Receiver<SocketEvent>,
    /// Its own state of the group.
    pub(super) group: CallGroup,
    /// What it came in by.
    pub(super) invitation: GuestInvitation,
}

impl Mallory {
    /// Joins by link and code, and is admitted by the host.
    pub(super) async fn join(clinic: &Clinic, host: &mut Person, invitation: &Invitation) -> Self {
        let link = InvitationLink::parse(&invitation.link).unwrap();
        let code = InvitationCode::parse(&invitation.code).unwrap();
        let body = JoinRedeemRequest {
            invite_id: InviteId::from_bytes(*link.invite_id().as_bytes()),
            lobby_token: Secret::new(encode(link.lobby_token().unwrap().as_bytes())),
        };
        let redeemed: JoinRedeemResponse = clinic.connection().post("/v1/join/redeem", None, &body).await.unwrap();
        let (events, mut heard) = mpsc::channel(256);
        let token = redeemed.guest_session.expose().to_owned().into();
        let socket = Socket::open(clinic.connection(), token, events);
        // What is sent before is dropped with the connection that it was meant for.
        while !matches!(next(&mut heard).await, ServerMessage::Ready { .. }) {}
        socket.send(ClientMessage::EnterLobby);
        // A knock before the host is there reaches nobody.
        let here = |message: &ServerMessage| {
            matches!(message, ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, .. } })
        };
        while !here(&next(&mut heard).await) {}
        let mut guest = GuestInvitation::new(link);
        let relay = |number: u8, message: Vec<u8>| {
            socket.send(ClientMessage::Relay { to: None, body: Opaque::new([vec![number], message].concat()) });
        };
        relay(1, guest.knock(&code).unwrap());
        relay(3, guest.on_challenge(now(), &answer(&mut heard, 2).await).unwrap());
        guest.on_confirm(&answer(&mut heard, 4).await).unwrap();
        let card = LobbyCard {
            name: "Mallory Example".to_owned(),
            birth_date: "1980-02-29".to_owned(),
            phone: "+61 2 5550 0666".to_owned(),
            with_them: None,
            note: None,
        };
        relay(5, guest.card(&card).unwrap());
        host.admit().await;
        let welcome = loop {
            if let ServerMessage::Admitted { welcome, .. } = next(&mut heard).await {
                break welcome;
            }
        };
        let group = guest.join(now(), welcome.as_bytes()).unwrap();
        Self { socket, heard, group, invitation: guest }
    }

    /// Key of the own leaf.
    pub(super) fn own_key(&self) -> [u8; 32] {
        self.group.members().iter().find(|member| member.own).unwrap().signature_key
    }

    /// Key of the host's leaf.
    pub(super) fn host_key(&self) -> [u8; 32] {
        self.group.members().iter().find(|member| !member.own).unwrap().signature_key
    }

    /// Commits whatever it likes.
    pub(super) fn commit(&self, commit: Vec<u8>) {
        let (epoch, commit) = (self.group.epoch(), Opaque::new(commit));
        self.socket.send(ClientMessage::Commit { epoch, commit, intent: CommitIntent::Update });
    }

    /// Says something to all members, sealed.
    pub(super) fn say(&mut self, message: &serde_json::Value) {
        let (epoch, body) = self.group.seal(message.to_string().as_bytes()).unwrap();
        self.socket.send(ClientMessage::Application { epoch, body: Opaque::new(body) });
    }

    /// Waits for a message of a member that fits.
    pub(super) async fn until(&mut self, fits: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let ServerMessage::Entry { entry, .. } = next(&mut self.heard).await else { continue };
            let handled = match &entry {
                Delivery::Application { body } => {
                    self.group.handle(now(), LogEntry::Application { body: body.as_bytes() })
                }
                Delivery::Commit { commit, invite_psk } => {
                    let invite_psk = invite_psk.as_ref().map(Opaque::as_bytes);
                    self.group.handle(now(), LogEntry::Commit { commit: commit.as_bytes(), invite_psk })
                }
            };
            if let Ok(Inbound::Application { data, .. }) = handled {
                let message = serde_json::from_slice(&data).unwrap();
                if fits(&message) {
                    return message;
                }
            }
        }
    }

    /// Closes its connection without a word.
    pub(super) async fn quit(self) {
        self.socket.close().await;
    }
}

/// The host's message of this number.
async fn answer(heard: &mut mpsc::Receiver<SocketEvent>, number: u8) -> Vec<u8> {
    loop {
        if let ServerMessage::Relay { body, .. } = next(heard).await {
            let (kind, message) = body.as_bytes().split_first().unwrap();
            assert_eq!(*kind, number, "the host answered otherwise");
            return message.to_vec();
        }
    }
}
