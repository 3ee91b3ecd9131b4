//! The lobby: enter, admit, deny, and telling both sides how it stands.

use std::time::Duration;

use super::{
    Effect, Room, Sender, Who,
    allowance::ENTRY,
    audit, error,
    roster::{Guest, Place},
    send,
};
use crate::protocol::{Delivery, ErrorCode, LobbyState, Opaque, ParticipantId, ServerMessage};

impl Room {
    pub(super) fn on_enter(&mut self, now: Duration, sender: &Sender) -> Vec<Effect> {
        let from = sender.participant;
        let known = self.roster.guest(from).is_some();
        if matches!(self.roster.guest(from).map(|guest| &guest.place), Some(Place::Denied | Place::Gone)) {
            // It holds no seat any more: this is all that it hears.
            return vec![send(vec![from], ServerMessage::Lobby { state: LobbyState::Denied })];
        }
        // A member comes back whatever it said before.
        if !self.roster.guest(from).is_some_and(Guest::is_admitted)
            && let Err(wait) = self.spend_allowance(now, sender, ENTRY)
        {
            return vec![error(from, ErrorCode::Busy, Some(wait))];
        }
        if !self.roster.seat_guest(now, sender) {
            return vec![error(from, ErrorCode::Busy, Some(60))];
        }
        match self.roster.guest(from).map(|guest| &guest.place) {
            Some(Place::Admitted { admitted, .. }) => {
                let mut effects = vec![Effect::Relays { to: vec![from] }, send(vec![from], (**admitted).clone())];
                effects.extend(self.presence(from, true));
                effects
            }
            _ => {
                let mut effects = Vec::new();
                if !known {
                    effects.push(audit("lobby.entered", from, sender.who.audited()));
                }
                effects.extend(self.tell_lobby(now));
                effects
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one message and who sent it")]
    pub(super) fn on_admit(
        &mut self,
        now: Duration,
        from: ParticipantId,
        participant: ParticipantId,
        epoch: u64,
        commit: Opaque,
        welcome: Opaque,
        invite_psk: Option<Opaque>,
    ) -> Vec<Effect> {
        let comes = |guest: &&Guest| guest.present && (guest.place == Place::Waiting || guest.is_admitted());
        let Some(guest) = self.roster.guest(participant).filter(comes) else {
            return vec![error(from, ErrorCode::GuestLeft, None)];
        };
        // Who is admitted already lost its group and is brought back in place of its old leaf.
        let (who, returns) = (guest.who, guest.is_admitted());
        if !returns && !self.roster.has_room() {
            return vec![error(from, ErrorCode::Busy, Some(10))];
        }
        let (seq, entry) = match self.log.append(from, epoch, Delivery::Commit { commit, invite_psk }) {
            Ok(appended) => appended,
            Err(conflict) => return self.conflict(now, from, true, conflict),
        };
        let event = if returns { "group.member_returned" } else { "lobby.admitted" };
        let mut effects = Vec::new();
        if !returns {
            effects.extend(spend(who, true));
        }
        effects.push(audit(event, participant, who.audited()));
        effects.push(send(self.roster.listeners(), entry));
        let admitted = ServerMessage::Admitted { seq, epoch, welcome };
        if let Some(guest) = self.roster.guest_mut(participant) {
            guest.place = Place::Admitted { seq, admitted: Box::new(admitted.clone()) };
        }
        effects.push(Effect::Relays { to: vec![participant] });
        effects.push(send(vec![participant], admitted));
        effects.extend(self.presence(participant, true));
        effects.extend(self.tell_lobby(now));
        effects
    }

    pub(super) fn on_deny(&mut self, now: Duration, participant: ParticipantId) -> Vec<Effect> {
        // Said into a change of the queue; `Waiting` told the host already.
        let Some(guest) = self.roster.guest_mut(participant).filter(|guest| guest.place == Place::Waiting) else {
            return Vec::new();
        };
        guest.place = Place::Denied;
        let who = guest.who;
        let mut effects: Vec<_> = spend(who, false).into_iter().collect();
        effects.push(audit("lobby.denied", participant, who.audited()));
        effects.push(send(vec![participant], ServerMessage::Lobby { state: LobbyState::Denied }));
        effects.extend(self.tell_lobby(now));
        effects
    }

    /// Tells the host the list, and each waiting guest what is new to it.
    pub(super) fn tell_lobby(&mut self, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        let host = self.roster.present_host();
        if let Some(host) = host {
            effects.push(send(vec![host], ServerMessage::Waiting { guests: self.roster.waiting(now) }));
        }
        let queue: Vec<_> = self.roster.queue().into_iter().map(|(id, _)| id).collect();
        for (position, participant) in (1..).zip(queue) {
            let state = LobbyState::Waiting { host_present: host.is_some(), position };
            let Some(guest) = self.roster.guest_mut(participant) else {
                continue;
            };
            if guest.told != Some(state) {
                guest.told = Some(state);
                effects.push(send(vec![participant], ServerMessage::Lobby { state }));
            }
        }
        effects
    }
}

/// A colleague has no invitation to spend.
const fn spend(who: Who, admitted: bool) -> Option<Effect> {
    match who {
        Who::Guest { invite_id, .. } => Some(Effect::Spend { invite_id, admitted }),
        Who::Staff { .. } => None,
    }
}
