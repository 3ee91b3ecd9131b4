//! A practice and its sockets, as tests use them.

use super::*;

impl Practice {
    pub(super) async fn open() -> Self {
        let house = House::open().await;
        let owner = house.bootstrap().await;
        let admin = house.sign_in(&owner).await;
        let host = house.hire(&admin, "host", StaffRole::Host).await;
        let session = house.sign_in(&host).await;
        let appointment = book(&house, &session).await;
        Self { house, host, session, appointment, owner }
    }

    pub(super) async fn invite_within(&self, invite: u8, not_before: u64, expires_at: u64) -> Result<Empty, ErrorCode> {
        let request = CreateInvitationRequest {
            invite_id: InviteId::from_bytes([invite; 16]),
            token_hash: Opaque::new(TokenHash::of_bytes(&token(invite)).as_bytes().to_vec()),
            role: GuestRole::Patient,
            not_before: UnixSeconds(not_before),
            expires_at: UnixSeconds(expires_at),
        };
        let path = format!("/v1/appointments/{}/invitations", self.appointment.to_hex());
        self.house.post(&path, &self.session, &request).await
    }

    pub(super) async fn invite(&self, invite: u8) {
        self.invite_within(invite, self.house.now(), self.house.now() + 3600).await.unwrap();
    }

    pub(super) async fn redeem(&self, invite: u8) -> Result<String, ErrorCode> {
        self.redeem_with(invite, &token(invite)).await
    }

    pub(super) async fn redeem_with(&self, invite: u8, token: &[u8]) -> Result<String, ErrorCode> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let request = JoinRedeemRequest {
            invite_id: InviteId::from_bytes([invite; 16]),
            lobby_token: STANDARD.encode(token).into(),
        };
        let answer: JoinRedeemResponse = self.house.post("/v1/join/redeem", "", &request).await?;
        Ok(answer.guest_session.expose().to_owned())
    }

    pub(super) async fn revoke(&self, invite: u8) -> Result<Empty, ErrorCode> {
        let path = format!("/v1/invitations/{}/revoke", InviteId::from_bytes([invite; 16]).to_hex());
        self.house.post(&path, &self.session, &Empty {}).await
    }

    /// The host in its room, nobody waiting.
    pub(super) async fn host_in_room(&self) -> (Line, ParticipantId) {
        let (mut line, participant) = self.house.greet(&self.session).await;
        line.say(&ClientMessage::OpenRoom { appointment: self.appointment }).await;
        assert_eq!(line.hear().await, Some(ServerMessage::Waiting { guests: Vec::new() }));
        (line, participant)
    }

    /// A guest in the lobby; `host` is told.
    pub(super) async fn guest_in_lobby(&self, invite: u8, host: &mut Line) -> (Line, ParticipantId) {
        self.invite(invite).await;
        let session = self.redeem(invite).await.unwrap();
        let (mut line, participant) = self.house.greet(&session).await;
        line.say(&ClientMessage::EnterLobby).await;
        let told = line.hear().await;
        assert!(
            matches!(told, Some(ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, .. } })),
            "{told:?}"
        );
        assert!(matches!(host.hear().await, Some(ServerMessage::Waiting { .. })));
        (line, participant)
    }
}

impl Line {
    pub(super) async fn say(&mut self, message: &ClientMessage) {
        self.say_raw(&serde_json::to_string(message).unwrap()).await;
    }

    pub(super) async fn say_raw(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next message, or `None` when the socket closed.
    pub(super) async fn hear(&mut self) -> Option<ServerMessage> {
        loop {
            let next = timeout(Duration::from_secs(30), self.0.next()).await.expect("the server stays silent");
            match next {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    pub(super) async fn hear_error(&mut self) -> ErrorCode {
        match self.hear().await {
            Some(ServerMessage::Error { code, .. }) => code,
            other => panic!("{other:?} instead of an error"),
        }
    }
}
