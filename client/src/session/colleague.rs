//! A clinician in a colleague's consultation: let in by certificate, without link and code (E2EE 2).
//!
//! | step | this device | host |
//! | --- | --- | --- |
//! | `VisitRoom` | waits | is told that somebody of the practice waits, and says which group (message 7) |
//! | message 7 | key package with its certificate (message 8) | checks it, and shows the name |
//! | Welcome | joins: signed by a host of its own practice, for this appointment, in a private call | |
//!
//! A host that lost its group says message 7 anew, and the colleague waits again.

use crypto::{CallMode, CallRole, CallTerms, GroupError, GroupId, StaffEntry};
use signaling::protocol::{AppointmentId, ClientMessage, LobbyState, ServerMessage};

use super::desk::{Desk, call_id};
use super::effect::{MediaCommand, Now, Output};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::message::RelayMessage;
use super::returning::Returning;
use super::room::Room;
use super::view::{GoodbyeReason, KnockState, LobbyGuest};
use super::{AtDesk, Command, Session, Stage, handover};
use crate::private::Private;

/// Key packages that are made for one visit; more are a server's game.
const ENTRIES: usize = 8;

/// A visit to a colleague's room.
#[derive(Debug)]
pub(super) struct Colleague {
    pub desk: Desk,
    pub appointment: AppointmentId,
    /// The practice's own reference.
    pub label: String,
    /// The host's name, as the server says.
    host: String,
    waiting: Waiting,
    /// Once admitted.
    pub room: Option<Room>,
    /// The host was asked to bring this member back.
    pub returning: Option<(Returning, StaffEntry)>,
}

#[derive(Debug)]
struct Waiting {
    /// By the group that each is for: whoever named the group may have lied.
    entries: Vec<(GroupId, StaffEntry)>,
    host_present: bool,
    position: u32,
    since: u64,
    knock: KnockState,
}

impl Waiting {
    fn new(now: Now) -> Self {
        let knock = KnockState::Connecting;
        Self { entries: Vec::new(), host_present: false, position: 0, since: now.unix, knock }
    }
}

impl Colleague {
    /// A host that has given the consultation to somebody else, and is in the call still.
    pub(super) fn after_handover(
        now: Now,
        desk: Desk,
        appointment: AppointmentId,
        label: String,
        host: String,
        room: Room,
    ) -> Self {
        Self { desk, appointment, label, host, waiting: Waiting::new(now), room: Some(room), returning: None }
    }

    /// What the person sees while it waits.
    pub(super) fn lobby(&self, devices: super::Devices) -> LobbyGuest {
        LobbyGuest {
            knock: self.waiting.knock,
            host_present: self.waiting.host_present,
            position: self.waiting.position,
            waiting_since: self.waiting.since,
            host_name: Some(self.host.clone()),
            assessor: false,
            devices,
        }
    }

    /// The live connection was lost.
    pub(super) fn on_offline(&mut self) {
        match &mut self.room {
            Some(room) => room.on_offline(),
            None => self.waiting.host_present = false,
        }
    }

    fn on_lobby(&mut self, host_present: bool, position: u32) {
        (self.waiting.host_present, self.waiting.position) = (host_present, position);
        let known = self.waiting.knock == KnockState::Listed;
        if !host_present || !known {
            self.waiting.knock = if host_present { KnockState::Connecting } else { KnockState::WaitingForHost };
        }
    }

    /// Message 7: which group to ask for.
    fn on_group(&mut self, now: Now, group_id: GroupId, fx: &mut Effects) {
        let ask = |entry: &StaffEntry, fx: &mut Effects| {
            let body = RelayMessage::Exchange(8, entry.request()).encode();
            fx.send(ClientMessage::Relay { to: None, body });
        };
        if let Some((_, entry)) = self.waiting.entries.iter().find(|(id, _)| *id == group_id) {
            return ask(entry, fx);
        }
        if self.waiting.entries.len() >= ENTRIES {
            return;
        }
        match self.entry(now, group_id) {
            Ok(entry) => {
                ask(&entry, fx);
                self.waiting.entries.push((group_id, entry));
                self.waiting.knock = KnockState::Listed;
            }
            Err(error) => {
                tracing::warn!(%error, "this device cannot ask to be let in");
                fx.fail(ErrorCode::Key01);
            }
        }
    }

    /// What this device asks with to be brought into a group.
    pub(super) fn entry(&self, now: Now, group_id: GroupId) -> Result<StaffEntry, GroupError> {
        let host = self.desk.host.as_ref().ok_or(GroupError::NotAHost)?;
        // What it knows of the call by itself: a server cannot lead it into another one, nor into one that discloses its
        // keys.
        let terms = CallTerms { call_id: call_id(self.appointment), mode: CallMode::Real };
        let entry = StaffEntry::new(now.unix, &host.device, &host.certificate, CallRole::Host, group_id, terms)?;
        match &host.deny_list {
            Some(list) => entry.with_deny_list(now.unix, list.clone()),
            None => Ok(entry),
        }
    }
}

impl Session {
    /// From the desk to a colleague's room, with the own devices opened.
    pub(super) fn visit_room(&mut self, now: Now, id: &str, fx: &mut Effects) {
        let Stage::Desk(at_desk) = &self.stage else { return };
        if self.refuses(CallMode::Real, fx) {
            return;
        }
        let Some(host) = &at_desk.desk.host else { return fx.tell(ErrorCode::Key01) };
        if host.deny_list.as_ref().is_some_and(|list| list.denies(&host.certificate)) {
            return fx.tell(ErrorCode::Key01);
        }
        let Some(room) = at_desk.desk.colleagues_room(id) else { return fx.tell(ErrorCode::Srv03) };
        let (appointment, label, host) = (room.appointment, room.label.clone(), room.host.clone());
        self.start_media(CallMode::Real, fx);
        let Stage::Desk(at_desk) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
        let AtDesk { desk, .. } = *at_desk;
        fx.out.push(Output::OpenSocket { endpoint: desk.endpoint.clone(), token: desk.token.clone() });
        let waiting = Waiting::new(now);
        self.enter(Stage::Colleague(Box::new(Colleague {
            desk,
            appointment,
            label,
            host,
            waiting,
            room: None,
            returning: None,
        })));
    }

    /// What the person wants while it waits, or is in the call.
    pub(super) fn as_colleague(&mut self, now: Now, command: &Command, fx: &mut Effects) {
        let Stage::Colleague(colleague) = &mut self.stage else { return };
        match (command, &mut colleague.room) {
            (Command::SafetyStart, Some(room)) => room.start_safety(fx),
            (Command::SafetyAnswer { matches }, Some(room)) => room.answer_safety(*matches, fx),
            (Command::StepIn, Some(room)) => room.step_in(now, fx),
            (Command::Leave, room) => {
                if let Some(room) = room {
                    room.leave(fx);
                }
                fx.send(ClientMessage::Leave);
                fx.end = Some(GoodbyeReason::Left);
            }
            _ => {}
        }
    }

    /// A message of the server to a colleague.
    pub(super) fn on_colleague_message(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        let sources = self.sources();
        let Stage::Colleague(colleague) = &mut self.stage else { return };
        match message {
            ServerMessage::Lobby { state: LobbyState::Waiting { host_present, position } } => {
                colleague.returning = None;
                if let Some(room) = colleague.room.take() {
                    // The host lost its group.
                    for member in room.group().members().iter().filter(|member| !member.own) {
                        fx.media(MediaCommand::RemovePeer(member.leaf));
                    }
                }
                colleague.on_lobby(host_present, position);
            }
            ServerMessage::Lobby { state: LobbyState::Denied } if colleague.room.is_some() => {
                fx.end = Some(GoodbyeReason::Removed);
            }
            ServerMessage::Lobby { state: LobbyState::Denied } => {
                fx.tell(ErrorCode::Lob04);
                fx.end = Some(GoodbyeReason::Denied);
            }
            ServerMessage::Lobby { state: LobbyState::Closed } => fx.end = Some(GoodbyeReason::Ended),
            ServerMessage::Relay { body, .. } if colleague.room.is_none() => {
                match RelayMessage::decode(body.as_bytes()) {
                    Some(RelayMessage::Exchange(7, id)) => match id.try_into() {
                        Ok(id) => colleague.on_group(now, GroupId::from_bytes(id), fx),
                        Err(_) => tracing::warn!("a group's id of another length was dropped"),
                    },
                    _ => tracing::warn!("a message of the host was not understood"),
                }
            }
            ServerMessage::Admitted { seq, welcome, .. } if colleague.room.is_none() => {
                if colleague.waiting.entries.is_empty() {
                    return tracing::warn!("a welcome that nobody asked for was dropped");
                }
                let entries = colleague.waiting.entries.drain(..);
                let joined = entries.map(|(_, entry)| entry.join(now.unix, welcome.as_bytes())).find_map(Result::ok);
                match joined {
                    // The name is in the certificate.
                    Some(group) => colleague.room = Some(Room::join(now, group, seq, Private::default(), sources, fx)),
                    None => {
                        tracing::warn!("the admission was refused");
                        fx.fail(ErrorCode::E2e05);
                    }
                }
            }
            ServerMessage::Relay { body, .. } if handover::is_share(body.as_bytes()) => {
                let Colleague { desk, appointment, .. } = &mut **colleague;
                handover::take_share(now, desk, *appointment, body.as_bytes(), fx);
            }
            message if colleague.returning.is_some() => self.staff_on_the_way_back(now, message, fx),
            message => {
                if let Some(room) = &mut colleague.room {
                    super::on_event::in_room(now, room, message, fx);
                }
            }
        }
    }
}
