//! The rules of one room, pure: a message goes in, effects come out, and `now` is given.
//!
//! One rule of use: every client message passes [`Room::handle`], where the table of `role.rs` is asked before anything
//! else happens; it is asked again for each further page of a replay and when a socket goes to another room. Effects are
//! carried out in order by the room's task.
//!
//! | operation | nobody hosts | host present | host's socket lost |
//! | --- | --- | --- | --- |
//! | `OpenRoom` by the same participant | new group | list again | resume the log |
//! | `OpenRoom` by another device of the host | new group | `HOF-02` | new group, admitted guests wait again |
//! | `OpenRoom` by the owner, a colleague holds the seat | – | `HOF-02` | new group, admitted guests wait again |
//! | `EnterLobby`, `VisitRoom` | wait, `host_present: false` | wait | wait, `host_present: false` |
//! | `Relay` of a guest or colleague | `LOB-01` | delivered, `SRV-05` beyond its allowance | `LOB-01` |
//! | `HandOver` of the host | – | the seat moves, the log goes on | – |
//! | `StepIn` of an admitted colleague | as when it is lost | `HOF-02` | the seat moves, the log goes on |
//! | `VisitRoom` of a former host | – | `Admitted` without a Welcome | `Admitted` without a Welcome |
//! | `EndCall`, `Leave` of the host | – | log dropped | – |
//!
//! The host is who holds the seat: the appointment's owner, until it moves to a colleague. With the room that is over.

mod allowance;
mod call;
mod delivery;
mod lobby;
mod role;
mod roster;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{
    allowance::Allowances,
    delivery::Log,
    role::{Action, Standing},
    roster::{Place, Roster},
};
use crate::protocol::{
    AppointmentId, ClientMessage, CommitIntent, ErrorCode, GuestRole, InviteId, MAX_RELAY_LEN, Opaque, ParticipantId,
    ServerMessage, StaffRole, UserId,
};

/// Most refusals that one room writes to the audit; a hostile guest cannot fill the disk.
const AUDITED_REFUSALS: u16 = 64;

/// When a host that seems to be there is known to be lost at the latest, in seconds: the silence that a socket may keep.
const HOST_LOST_S: u32 = 20;

/// Who sends, as its session says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) participant: ParticipantId,
    pub(crate) who: Who,
}

/// Kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Staff { user: UserId, role: StaffRole },
    Guest { appointment: AppointmentId, invite_id: InviteId, role: GuestRole },
}

/// Who somebody is over all of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    Invitation(InviteId),
    Account(UserId),
}

impl Who {
    pub(crate) const fn identity(self) -> Identity {
        match self {
            Self::Staff { user, .. } => Identity::Account(user),
            Self::Guest { invite_id, .. } => Identity::Invitation(invite_id),
        }
    }

    /// Role as the audit writes it.
    const fn audited(self) -> &'static str {
        match self {
            Self::Staff { .. } => "staff",
            Self::Guest { .. } => "guest",
        }
    }
}

/// What must happen because of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Deliver; whoever has no socket misses it.
    Send { to: Vec<ParticipantId>, message: ServerMessage },
    /// Deliver credentials for the relays, of its own to each.
    Relays { to: Vec<ParticipantId> },
    /// Write to the audit, before anything is sent.
    Audit { event: &'static str, actor: ParticipantId, role: &'static str, outcome: Option<ErrorCode> },
    /// The invitation is spent; durable before anything is sent.
    Spend { invite_id: InviteId, admitted: bool },
    /// The replay has more: call [`Room::resume`] when the socket has written what was sent before.
    More { to: ParticipantId, after: u64 },
    /// The call is over: end the sessions of its guests, not those of colleagues, and drop the room.
    Over,
}

/// One room.
#[derive(Debug)]
pub(crate) struct Room {
    roster: Roster,
    log: Log,
    allowances: Allowances,
    /// Guests' commits wait until then.
    host_first_until: Duration,
    refusals_left: u16,
}

impl Room {
    /// An empty room of an appointment and its host.
    pub(crate) fn new(appointment: AppointmentId, owner: UserId) -> Self {
        Self {
            roster: Roster::new(appointment, owner),
            log: Log::default(),
            allowances: Allowances::default(),
            host_first_until: Duration::ZERO,
            refusals_left: AUDITED_REFUSALS,
        }
    }

    /// Handles one message of one sender: the single authority check, then the action.
    pub(crate) fn handle(&mut self, now: Duration, sender: &Sender, message: ClientMessage) -> Vec<Effect> {
        let action = self.action(&message);
        let standing = self.roster.standing(sender.participant, &sender.who, action);
        let subject = message.subject();
        let mut effects = if role::allows(standing, action) {
            self.act(now, sender, standing, message)
        } else {
            self.refuse(sender, role::refusal(standing, action))
        };
        // Errors go to the sender only: here they learn what they answer, all in one place.
        for effect in &mut effects {
            if let Effect::Send { message: ServerMessage::Error { participant, .. }, .. } = effect {
                *participant = subject;
            }
        }
        effects
    }

    /// What an allowed message does.
    fn act(&mut self, now: Duration, sender: &Sender, standing: Standing, message: ClientMessage) -> Vec<Effect> {
        let from = sender.participant;
        match message {
            ClientMessage::Hello { .. } => Vec::new(),
            ClientMessage::OpenRoom { .. } => self.on_open(now, sender),
            ClientMessage::EnterLobby | ClientMessage::VisitRoom { .. } => self.on_enter(now, sender),
            ClientMessage::Relay { to, body } => self.on_relay(now, sender, standing, to, body),
            ClientMessage::Admit { participant, epoch, commit, welcome, invite_psk } => {
                self.on_admit(now, from, participant, epoch, commit, welcome, invite_psk)
            }
            ClientMessage::Deny { participant } => self.on_deny(now, participant),
            ClientMessage::Commit { epoch, commit, intent } => {
                self.on_commit(now, sender, standing, epoch, commit, intent)
            }
            ClientMessage::Application { epoch, body } => self.on_application(from, epoch, body),
            ClientMessage::Replay { after } => self.on_replay(from, after),
            ClientMessage::Leave => self.on_leave(now, sender, standing),
            ClientMessage::EndCall => self.on_end(from),
        }
    }

    /// The next page of a replay. Whoever may not read the log any more gets nothing: it did not ask just now.
    pub(crate) fn resume(&self, sender: &Sender, after: u64) -> Vec<Effect> {
        if !role::allows(self.roster.standing(sender.participant, &sender.who, Action::Replay), Action::Replay) {
            return Vec::new();
        }
        self.on_replay(sender.participant, after)
    }

    /// The sender's socket goes to another room. Whoever has nothing to leave is not refused: it did not ask.
    pub(crate) fn depart(&mut self, now: Duration, sender: &Sender) -> Vec<Effect> {
        let standing = self.roster.standing(sender.participant, &sender.who, Action::Leave);
        let mut effects = Vec::new();
        if role::allows(standing, Action::Leave) {
            effects = self.on_leave(now, sender, standing);
        }
        effects.extend(self.lose(now, sender.participant));
        effects
    }

    /// A participant's socket is gone.
    pub(crate) fn lose(&mut self, now: Duration, participant: ParticipantId) -> Vec<Effect> {
        match self.roster.lose(now, participant) {
            Some(Standing::Admitted | Standing::ColleagueAdmitted) => self.presence(participant, false),
            Some(Standing::Host) => {
                let mut effects = self.presence(participant, false);
                effects.extend(self.tell_lobby(now));
                effects
            }
            Some(Standing::Waiting | Standing::ColleagueWaiting) => self.tell_lobby(now),
            _ => Vec::new(),
        }
    }

    /// Forgets whose time is over; call it now and then.
    pub(crate) fn expire(&mut self, now: Duration) {
        self.roster.expire(now);
    }

    /// Guests and colleagues who wait with an open socket.
    pub(crate) fn waiting_count(&self) -> usize {
        self.roster.queue().len()
    }

    /// Everyone who may use the relays now.
    pub(crate) fn relayed(&self) -> Vec<ParticipantId> {
        self.roster.listeners()
    }

    /// Whether the host is there.
    pub(crate) fn is_hosted(&self) -> bool {
        self.roster.present_host().is_some()
    }

    /// Whether no socket is there at all.
    pub(crate) fn is_deserted(&self) -> bool {
        self.roster.is_deserted()
    }

    fn action(&self, message: &ClientMessage) -> Action {
        match message {
            ClientMessage::Hello { .. } => Action::Hello,
            ClientMessage::OpenRoom { .. } => Action::OpenRoom,
            ClientMessage::EnterLobby => Action::EnterLobby,
            ClientMessage::VisitRoom { .. } => Action::VisitRoom,
            ClientMessage::Relay { .. } => Action::Relay,
            ClientMessage::Admit { .. } => Action::Admit,
            ClientMessage::Deny { .. } => Action::Deny,
            ClientMessage::Commit { intent: CommitIntent::Update, .. } => Action::Update,
            ClientMessage::Commit { intent: CommitIntent::HandOver { .. }, .. } => Action::HandOver,
            ClientMessage::Commit { intent: CommitIntent::StepIn, .. } => Action::StepIn,
            ClientMessage::Commit { intent: CommitIntent::Remove { participant }, .. } => {
                match self.roster.guest(*participant) {
                    Some(guest) if guest.place == Place::Gone => Action::RemoveLeaver,
                    _ => Action::RemoveMember,
                }
            }
            ClientMessage::Application { .. } => Action::Application,
            ClientMessage::Replay { .. } => Action::Replay,
            ClientMessage::Leave => Action::Leave,
            ClientMessage::EndCall => Action::EndCall,
        }
    }

    fn on_open(&mut self, now: Duration, sender: &Sender) -> Vec<Effect> {
        let from = sender.participant;
        if self.roster.present_host().is_some_and(|host| host != from) {
            return vec![error(from, ErrorCode::OpenElsewhere, Some(HOST_LOST_S))];
        }
        let mut effects = Vec::new();
        if self.roster.seat_host(sender) {
            self.log = Log::default();
            effects.push(audit("group.created", from, "host"));
        } else {
            effects.extend(self.presence(from, true));
        }
        effects.push(Effect::Relays { to: vec![from] });
        // The list goes out even when it is empty: it answers `OpenRoom`.
        effects.extend(self.tell_lobby(now));
        effects
    }

    fn on_relay(
        &mut self,
        now: Duration,
        sender: &Sender,
        standing: Standing,
        to: Option<ParticipantId>,
        body: Opaque,
    ) -> Vec<Effect> {
        let from = sender.participant;
        if body.len() > MAX_RELAY_LEN {
            return vec![error(from, ErrorCode::MessageTooLarge, None)];
        }
        if standing == Standing::Host {
            let waits = |id: &ParticipantId| {
                self.roster
                    .guest(*id)
                    .is_some_and(|guest| guest.present && (guest.place == Place::Waiting || guest.is_admitted()))
            };
            // Said into a change of the queue: `Waiting` told the host already.
            return to
                .filter(waits)
                .map(|to| send(vec![to], ServerMessage::Relay { from, body }))
                .into_iter()
                .collect();
        }
        // A guest may reach the host only, whatever it names.
        let Some(host) = self.roster.present_host() else {
            return vec![error(from, ErrorCode::NoHost, None)];
        };
        if let Err(wait) = self.spend_allowance(now, sender, body.len()) {
            return vec![error(from, ErrorCode::Busy, Some(wait))];
        }
        vec![send(vec![host], ServerMessage::Relay { from, body })]
    }

    /// Charges a guest for what the host is about to hear of it.
    fn spend_allowance(&mut self, now: Duration, sender: &Sender, len: usize) -> Result<(), u32> {
        self.allowances.take(now, sender.who.identity(), len)
    }

    fn on_leave(&mut self, now: Duration, sender: &Sender, standing: Standing) -> Vec<Effect> {
        let from = sender.participant;
        match standing {
            Standing::Host => {
                self.roster.unseat_host();
                let mut effects = vec![audit("call.left", from, "host")];
                effects.extend(self.presence(from, false));
                effects.extend(self.tell_lobby(now));
                effects
            }
            Standing::Admitted | Standing::ColleagueAdmitted => {
                if let Some(guest) = self.roster.guest_mut(from) {
                    guest.place = Place::Gone;
                }
                let mut effects = vec![audit("call.left", from, sender.who.audited())];
                effects.extend(self.presence(from, false));
                effects
            }
            // The host was faster than its word: it left by itself, and may ask again.
            Standing::ColleagueGone => {
                self.roster.forget(from);
                Vec::new()
            }
            Standing::Waiting | Standing::ColleagueWaiting => {
                self.roster.forget(from);
                let mut effects = vec![audit("lobby.left", from, sender.who.audited())];
                effects.extend(self.tell_lobby(now));
                effects
            }
            _ => Vec::new(),
        }
    }

    fn on_end(&mut self, from: ParticipantId) -> Vec<Effect> {
        let mut effects = vec![audit("call.ended", from, "host")];
        effects.push(send(self.roster.listeners(), ServerMessage::Ended));
        let waiting: Vec<_> = self.roster.queue().into_iter().map(|(id, _)| id).collect();
        if !waiting.is_empty() {
            effects.push(send(waiting, ServerMessage::Lobby { state: crate::protocol::LobbyState::Closed }));
        }
        // The room is not open any more, even before it is dropped.
        self.roster.unseat_host();
        effects.push(Effect::Over);
        effects
    }

    fn presence(&self, participant: ParticipantId, present: bool) -> Vec<Effect> {
        let others: Vec<_> = self.roster.listeners().into_iter().filter(|id| *id != participant).collect();
        if others.is_empty() {
            return Vec::new();
        }
        vec![send(others, ServerMessage::Presence { participant, present })]
    }

    fn refuse(&mut self, sender: &Sender, code: ErrorCode) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.refusals_left > 0 {
            self.refusals_left -= 1;
            let (actor, role) = (sender.participant, sender.who.audited());
            effects.push(Effect::Audit { event: "room.refused", actor, role, outcome: Some(code) });
        }
        effects.push(error(sender.participant, code, None));
        effects
    }
}

const fn audit(event: &'static str, actor: ParticipantId, role: &'static str) -> Effect {
    Effect::Audit { event, actor, role, outcome: None }
}

const fn send(to: Vec<ParticipantId>, message: ServerMessage) -> Effect {
    Effect::Send { to, message }
}

fn error(to: ParticipantId, code: ErrorCode, retry_after_s: Option<u32>) -> Effect {
    send(vec![to], ServerMessage::Error { code, retry_after_s, participant: None })
}
