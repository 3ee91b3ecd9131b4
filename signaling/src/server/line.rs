//! From an authenticated socket to its room.

use std::sync::Arc;

use super::{
    Shared,
    hub::{Hub, RoomHandle},
    room_task::{Outbox, RoomInput},
};
use crate::{
    error::Error,
    protocol::{AppointmentId, ClientMessage, ErrorCode, InvitationState, LobbyState, ServerMessage, UserId},
    room::{Sender, Who},
    store::{Holder, Session, redeemable},
};

/// The authenticated side of a socket: which room its messages go to.
pub(crate) struct Line {
    pub(crate) session: Session,
    pub(crate) number: u64,
    pub(crate) outbox: Outbox,
    pub(crate) room: Option<(AppointmentId, RoomHandle)>,
}

impl Line {
    /// Hands a message to its room. An answer that needs no room comes back.
    pub(crate) async fn forward(
        &mut self,
        shared: &Arc<Shared>,
        message: ClientMessage,
    ) -> Result<Option<ServerMessage>, Error> {
        match (self.session.holder, &message) {
            // Whose the appointment is decides in the room what comes of it.
            (
                Holder::Staff { .. },
                ClientMessage::OpenRoom { appointment } | ClientMessage::VisitRoom { appointment },
            ) => {
                let appointment = *appointment;
                let owner = shared.store.room_owner(&appointment).await?;
                if self.room.as_ref().is_some_and(|(current, _)| *current != appointment) {
                    self.depart().await;
                }
                self.room = Some((appointment, Hub::room(shared, appointment, owner)));
            }
            // Without a room there is nothing that staff could do.
            (Holder::Staff { .. }, _) if self.room.is_none() => {
                return Err(ErrorCode::NotAllowed.into());
            }
            (Holder::Guest { invite_id, .. }, ClientMessage::EnterLobby) => {
                let invitation = shared.store.invitation(&invite_id).await?.ok_or(ErrorCode::InvitationDamaged)?;
                match invitation.state {
                    InvitationState::Denied => {
                        return Ok(Some(ServerMessage::Lobby { state: LobbyState::Denied }));
                    }
                    // Admitted before: this is a reconnect.
                    InvitationState::Used => {}
                    _ => redeemable(&invitation, false, shared.clock.now()).map_err(Error::Refused)?,
                }
                self.enter(shared, invitation.appointment, invitation.host);
            }
            (Holder::Guest { appointment, .. }, _) if self.room.is_none() => {
                // Even what is certainly refused is refused in one place, the room.
                let owner = shared.store.room_owner(&appointment).await?;
                self.enter(shared, appointment, owner);
            }
            _ => {}
        }
        self.post(message).await.or(Err(ErrorCode::Busy))?;
        Ok(None)
    }

    fn enter(&mut self, shared: &Arc<Shared>, appointment: AppointmentId, owner: UserId) {
        self.room = Some((appointment, Hub::room(shared, appointment, owner)));
    }

    async fn post(&self, message: ClientMessage) -> Result<(), RoomGone> {
        let Some((_, room)) = &self.room else {
            return Ok(());
        };
        let (sender, outbox) = (self.sender(), self.outbox.clone());
        let input = RoomInput::Message { sender, socket: self.number, outbox, message };
        room.mailbox.send(input).await.or(Err(RoomGone))
    }

    /// Tells the room that a page of a replay is written, unless the socket is in another room by now.
    pub(crate) async fn written(&self, page_of: AppointmentId, after: u64) {
        if let Some((_, room)) = self.room.as_ref().filter(|(current, _)| *current == page_of) {
            let written = RoomInput::Written { sender: self.sender(), socket: self.number, after };
            // A room that ended has no log.
            room.mailbox.send(written).await.ok();
        }
    }

    const fn sender(&self) -> Sender {
        let who = match self.session.holder {
            Holder::Staff { user, role } => Who::Staff { user, role },
            Holder::Guest { invite_id, appointment, role } => Who::Guest { appointment, invite_id, role },
        };
        Sender { participant: self.session.participant, who }
    }

    /// Leaves the room for another one.
    async fn depart(&mut self) {
        if let Some((_, room)) = self.room.take() {
            let moved = RoomInput::Moved { sender: self.sender(), socket: self.number };
            // A room that ended needs no word.
            room.mailbox.send(moved).await.ok();
        }
    }

    /// Tells the room that the socket is gone.
    pub(crate) async fn lose(&mut self) {
        if let Some((_, room)) = self.room.take() {
            let lost = RoomInput::Lost { participant: self.session.participant, socket: self.number };
            // A room that ended needs no word.
            room.mailbox.send(lost).await.ok();
        }
    }
}

/// The room's task ended between two messages; the client enters again.
#[derive(Debug)]
struct RoomGone;
