//! The call: commits, application messages, replay; fairness between host and guests; the host's seat on its way.

use std::time::Duration;

use super::{
    Effect, HOST_LOST_S, Room, Sender, Who, audit,
    delivery::{Conflict, HistoryGone, Page},
    error,
    role::Standing,
    roster::{Guest, Place},
    send,
};
use crate::protocol::{CommitIntent, Delivery, ErrorCode, Opaque, ParticipantId, ServerMessage};

/// At most one path update per guest in this time, so that updates cannot starve a Remove (E2EE rules of fairness).
const UPDATE_PAUSE: Duration = Duration::from_secs(60);

/// How long commits of guests are held back after a host lost a race.
pub(super) const HOST_FIRST: Duration = Duration::from_secs(2);

impl Room {
    pub(super) fn on_commit(
        &mut self,
        now: Duration,
        sender: &Sender,
        standing: Standing,
        epoch: u64,
        commit: Opaque,
        intent: CommitIntent,
    ) -> Vec<Effect> {
        let (from, is_host) = (sender.participant, standing == Standing::Host);
        // Who steps in finds no host that could come first.
        if !is_host && intent != CommitIntent::StepIn && now < self.host_first_until {
            return vec![error(from, ErrorCode::Busy, Some(2))];
        }
        let last_update = self.roster.guest(from).and_then(|guest| guest.last_update);
        if let Some(last) = last_update.filter(|_| intent == CommitIntent::Update) {
            let wait = UPDATE_PAUSE.saturating_sub(now.saturating_sub(last));
            if !wait.is_zero() {
                return vec![error(from, ErrorCode::Busy, u32::try_from(wait.as_secs() + 1).ok())];
            }
        }
        if let CommitIntent::Remove { participant } = intent {
            let holds_keys = |guest: &Guest| guest.is_admitted() || guest.place == Place::Gone;
            if !self.roster.guest(participant).is_some_and(holds_keys) {
                return vec![error(from, ErrorCode::GuestLeft, None)];
            }
        }
        if let Some(refused) = self.seat_stays(from, intent) {
            return vec![refused];
        }
        let message = match self.log.append(from, epoch, Delivery::Commit { commit, invite_psk: None }) {
            Ok((_, message)) => message,
            Err(conflict) => return self.conflict(now, from, is_host, conflict),
        };
        // The removed one still gets the commit that removes it, and nothing after it.
        let delivered = send(self.roster.listeners(), message);
        let event = match intent {
            CommitIntent::Update => {
                if let Some(guest) = self.roster.guest_mut(from) {
                    guest.last_update = Some(now);
                }
                "group.epoch_changed"
            }
            CommitIntent::Remove { participant } => {
                let guest = self.roster.guest_mut(participant);
                if guest
                    .as_ref()
                    .is_some_and(|guest| guest.place == Place::Gone && matches!(guest.who, Who::Staff { .. }))
                {
                    // Left by itself and holds no keys any more: it may ask again, having spent no invitation.
                    self.roster.forget(participant);
                } else if let Some(guest) = guest {
                    guest.place = Place::Gone;
                }
                "group.member_removed"
            }
            CommitIntent::HandOver { .. } => "host.handed_over",
            CommitIntent::StepIn => "host.stepped_in",
        };
        let mut effects = vec![audit(event, from, if is_host { "host" } else { sender.who.audited() }), delivered];
        match intent {
            CommitIntent::HandOver { participant } => effects.extend(self.move_seat(now, participant)),
            CommitIntent::StepIn => effects.extend(self.move_seat(now, from)),
            CommitIntent::Remove { .. } | CommitIntent::Update => {}
        }
        effects
    }

    /// Why the host's seat cannot move as a commit wants, if so.
    fn seat_stays(&self, from: ParticipantId, intent: CommitIntent) -> Option<Effect> {
        match intent {
            CommitIntent::HandOver { participant } if !self.roster.may_take_seat(participant) => {
                Some(error(from, ErrorCode::GuestLeft, None))
            }
            CommitIntent::StepIn if self.is_hosted() => Some(error(from, ErrorCode::OpenElsewhere, Some(HOST_LOST_S))),
            _ => None,
        }
    }

    /// Moves the host's seat, in the same step as the commit that did it for the members.
    fn move_seat(&mut self, now: Duration, to: ParticipantId) -> Vec<Effect> {
        self.roster.move_seat(now, to, self.log.stand());
        let mut effects = vec![send(self.roster.listeners(), ServerMessage::Seat { host: to })];
        effects.extend(self.tell_lobby(now));
        effects
    }

    pub(super) fn on_application(&mut self, from: ParticipantId, epoch: u64, body: Opaque) -> Vec<Effect> {
        match self.log.append(from, epoch, Delivery::Application { body }) {
            Ok((_, message)) => vec![send(self.roster.listeners(), message)],
            Err(Conflict(epoch)) => vec![send(vec![from], ServerMessage::Conflict { epoch })],
        }
    }

    pub(super) fn on_replay(&self, from: ParticipantId, after: u64) -> Vec<Effect> {
        match self.log.after(after.max(self.roster.reads_after(from))) {
            Ok(Page { entries, goes_on_after }) => {
                let more = goes_on_after.map(|after| Effect::More { to: from, after });
                entries.into_iter().map(|message| send(vec![from], message)).chain(more).collect()
            }
            Err(HistoryGone) => vec![error(from, ErrorCode::HistoryGone, None)],
        }
    }

    pub(super) fn conflict(
        &mut self,
        now: Duration,
        from: ParticipantId,
        is_host: bool,
        conflict: Conflict,
    ) -> Vec<Effect> {
        if is_host {
            self.host_first_until = now + HOST_FIRST;
        }
        vec![send(vec![from], ServerMessage::Conflict { epoch: conflict.0 })]
    }
}
