//! A member that lost its group comes back: it asks the host, who brings it in by one commit (E2EE 5).
//!
//! | step | this member | host |
//! | --- | --- | --- |
//! | stranded | holds its media, closes its associations, sends message 6 | |
//! | | | checks it, answers with message 4, commits Remove and Add |
//! | answered | takes message 4 | |
//! | Welcome | joins, sends again | |
//!
//! A colleague asks with message 8 instead: its certificate is its proof, and the Welcome its answer.
//!
//! Nobody is asked anything: who comes back proves that it is who was there. What does not come about in time ends the
//! consultation with a sentence.

use std::time::Duration;

use signaling::protocol::{ClientMessage, Opaque, ServerMessage};

use super::effect::{MediaCommand, Now};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::message::RelayMessage;
use super::room::Room;
use super::{Session, Stage, Visiting};
use crate::private::Private;

/// Time between two requests; the host may just be reconnecting.
const AGAIN: Duration = Duration::from_secs(2);
/// Then it is given up.
const GIVE_UP: Duration = Duration::from_secs(30);

/// How far a return got.
#[derive(Debug)]
pub(super) struct Returning {
    since: Duration,
    asked: Duration,
    answered: bool,
    /// The request: the same bytes until an answer comes.
    request: Opaque,
}

impl Session {
    /// Begins the way back.
    pub(super) fn ask_back(&mut self, now: Now, fx: &mut Effects) {
        match &mut self.stage {
            Stage::Guest(visiting) if visiting.returning.is_none() => {
                close_associations(&visiting.room, fx);
                match visiting.entering.joining.ask_back(visiting.room.group()) {
                    Some(request) => visiting.returning = Some(Returning::ask(now, request, fx)),
                    None => fx.fail(ErrorCode::E2e09),
                }
            }
            Stage::Colleague(colleague) if colleague.returning.is_none() => {
                let Some(room) = &colleague.room else { return };
                close_associations(room, fx);
                match colleague.entry(now, room.group().group_id()) {
                    Ok(entry) => {
                        let request = RelayMessage::Exchange(8, entry.request()).encode();
                        colleague.returning = Some((Returning::ask(now, request, fx), entry));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "this device cannot ask to be brought back");
                        fx.fail(ErrorCode::E2e09);
                    }
                }
            }
            Stage::Guest(_) | Stage::Colleague(_) => {}
            _ => fx.fail(ErrorCode::E2e09),
        }
    }

    /// The host opened a new group: the exchange begins anew.
    pub(super) fn back_to_lobby(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        let Stage::Guest(visiting) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
        let Visiting { mut entering, room, .. } = *visiting;
        for member in room.group().members().iter().filter(|member| !member.own) {
            fx.media(MediaCommand::RemovePeer(member.leaf));
        }
        super::disclose(room, fx);
        entering.joining.start_over();
        self.enter(Stage::Joining(Box::new(entering)));
        self.in_lobby(now, message, fx);
    }

    /// Time passed on the way back.
    pub(super) fn wait_for_return(&mut self, now: Now, fx: &mut Effects) {
        let returning = match &mut self.stage {
            Stage::Guest(visiting) => visiting.returning.as_mut(),
            Stage::Colleague(colleague) => colleague.returning.as_mut().map(|(returning, _)| returning),
            _ => None,
        };
        let Some(returning) = returning else { return };
        if now.since_start.saturating_sub(returning.since) >= GIVE_UP {
            return fx.fail(ErrorCode::E2e09);
        }
        if now.since_start.saturating_sub(returning.asked) >= AGAIN {
            returning.asked = now.since_start;
            fx.send(ask(&returning.request));
        }
    }

    /// A message of the server on the way back; what the log has is of no use until the Welcome.
    pub(super) fn on_the_way_back(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        let sources = self.sources();
        let Stage::Guest(visiting) = &mut self.stage else { return };
        let Some(returning) = &mut visiting.returning else { return };
        match message {
            ServerMessage::Relay { body, .. } if !returning.answered => {
                if let Some(RelayMessage::Exchange(4, bytes)) = RelayMessage::decode(body.as_bytes()) {
                    returning.answered = visiting.entering.joining.on_welcome_back(bytes);
                }
            }
            // The Welcome of the first admission may come again with a new connection.
            ServerMessage::Admitted { seq, welcome, .. } if returning.answered && seq > visiting.room.last_seq() => {
                match visiting.entering.joining.join_again(now, welcome.as_bytes()) {
                    Ok(group) => {
                        visiting.returning = None;
                        let name = visiting.entering.joining.own_name();
                        let started_at = visiting.room.started_at;
                        let room = Room::join(now, group, seq, name, sources, fx);
                        super::disclose(std::mem::replace(&mut visiting.room, room), fx);
                        visiting.room.started_at = started_at;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the Welcome on the way back was refused");
                        fx.fail(ErrorCode::E2e05);
                    }
                }
            }
            _ => tracing::debug!("a message was left out on the way back"),
        }
    }
}

impl Session {
    /// The same for a colleague: its certificate is its proof, so that no message 4 comes before the Welcome.
    pub(super) fn staff_on_the_way_back(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        let sources = self.sources();
        let Stage::Colleague(colleague) = &mut self.stage else { return };
        let Some(old) = &colleague.room else { return };
        let ServerMessage::Admitted { seq, welcome, .. } = message else { return };
        // The Welcome of the first admission may come again with a new connection.
        if seq <= old.last_seq() || welcome.is_empty() {
            return;
        }
        let Some((_, entry)) = colleague.returning.take() else { return };
        match entry.join(now.unix, welcome.as_bytes()) {
            Ok(group) => {
                let started_at = old.started_at;
                let mut room = Room::join(now, group, seq, Private::default(), sources, fx);
                room.started_at = started_at;
                colleague.room = Some(room);
            }
            Err(error) => {
                tracing::warn!(%error, "the Welcome on the way back was refused");
                fx.fail(ErrorCode::E2e05);
            }
        }
    }
}

impl Returning {
    fn ask(now: Now, request: Opaque, fx: &mut Effects) -> Self {
        tracing::warn!("this member lost its group and asks to be brought back");
        fx.send(ask(&request));
        Self { since: now.since_start, asked: now.since_start, answered: false, request }
    }
}

/// Nothing is sent or played until the way back is done.
fn close_associations(room: &Room, fx: &mut Effects) {
    fx.media(MediaCommand::Hold(true));
    for member in room.group().members().iter().filter(|member| !member.own) {
        fx.media(MediaCommand::RemovePeer(member.leaf));
    }
}

/// To the host, past the log.
fn ask(request: &Opaque) -> ClientMessage {
    ClientMessage::Relay { to: None, body: request.clone() }
}
