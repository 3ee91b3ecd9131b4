//! The host's side of the door: who knocks, what they proved, who may come in.
//!
//! | stage \ from the guest | message 1 | message 3 | message 5 | message 6 | gone from the list |
//! | --- | --- | --- | --- | --- | --- |
//! | Waiting, Proving | answered, try spent first | proven, or wrong code | – | – | forgotten |
//! | Proven | answered anew | – | card | proven anew, no try spent | forgotten |
//! | being admitted | – | – | – | answered, too late for this admission | admission withdrawn |

use std::collections::BTreeMap;

use crypto::{CallGroup, Delivery, InvitationError, LobbyCard, OwnedInvitation, ProofReply, VerifiedGuest};
use signaling::protocol::{ClientMessage, ParticipantId, Visitor, WaitingGuest};

use super::effect::{Mark, MediaCommand, Now, Output};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::message::RelayMessage;
use super::view::{Knocker, LinkBadge};
use crate::private::Private;

/// Guests the server may list; more are not looked at.
const GUESTS: usize = 50;

/// Invitations made on this computer, by id.
pub(super) type Invitations = BTreeMap<[u8; 16], OwnedInvitation>;

/// Everybody who waits at this host's room.
#[derive(Debug, Default)]
pub(super) struct Door {
    knocks: BTreeMap<ParticipantId, Knock>,
    order: Vec<ParticipantId>,
}

#[derive(Debug)]
struct Knock {
    invite: [u8; 16],
    waiting_since: u64,
    link_ok: bool,
    code_failed: bool,
    guest: Option<Box<VerifiedGuest>>,
    /// Stays when the guest moves on to the group, for its name.
    proven: bool,
    card: Option<LobbyCard>,
}

impl Door {
    /// The server's list of who waits, whole at each change. Gives back who went away.
    pub(super) fn on_waiting(&mut self, now: Now, guests: &[WaitingGuest]) -> Vec<ParticipantId> {
        let invited = guests.iter().filter_map(|guest| match guest.visitor {
            Visitor::Guest { invite_id, .. } => Some((guest, *invite_id.as_bytes())),
            Visitor::Colleague => None,
        });
        let listed: Vec<_> = invited.take(GUESTS).collect();
        self.order = listed.iter().map(|(guest, _)| guest.participant).collect();
        let gone: Vec<_> = self.knocks.keys().filter(|id| !self.order.contains(id)).copied().collect();
        for id in &gone {
            self.knocks.remove(id);
        }
        for (guest, invite) in listed {
            let knock = self.knocks.entry(guest.participant).or_insert_with(|| Knock {
                invite,
                waiting_since: now.unix.saturating_sub(guest.waited_ms / 1_000),
                link_ok: false,
                code_failed: false,
                guest: None,
                proven: false,
                card: None,
            });
            if knock.invite != invite {
                // The server gave the place to another invitation: nothing that was proven counts for it.
                *knock = Knock {
                    invite,
                    link_ok: false,
                    code_failed: false,
                    guest: None,
                    proven: false,
                    card: None,
                    ..*knock
                };
            }
        }
        gone
    }

    /// A relayed message of a waiting guest.
    pub(super) fn on_relay(
        &mut self,
        now: Now,
        from: ParticipantId,
        body: &[u8],
        invitations: &mut Invitations,
        group: &CallGroup,
        fx: &mut Effects,
    ) {
        let Some(knock) = self.knocks.get_mut(&from) else {
            tracing::info!("a message of somebody who does not wait was dropped");
            return;
        };
        let Some(message) = RelayMessage::decode(body) else {
            tracing::warn!(length = body.len(), "a message of a waiting guest was not understood");
            return;
        };
        let Some(invitation) = invitations.get_mut(&knock.invite) else {
            // Made on another computer: only that one can answer.
            return refuse(from, ErrorCode::Lob01, fx);
        };
        match message {
            RelayMessage::Exchange(1, bytes) => knock.on_knock(now, from, bytes, invitation, group, fx),
            RelayMessage::Exchange(3, bytes) => {
                let reply = invitation.on_proof(now.unix, bytes);
                knock.on_proven(from, reply, invitation, fx);
            }
            // Its admission failed, or the server made it believe so: it proved link and code before.
            RelayMessage::Exchange(6, bytes) if knock.proven => {
                let reply = invitation.on_retry(now.unix, bytes, group);
                knock.on_proven(from, reply, invitation, fx);
            }
            // The card of another exchange would put one person's name beside another's key.
            RelayMessage::Exchange(5, bytes) if !knock.guest.as_ref().is_some_and(|guest| guest.sent(bytes)) => {
                tracing::warn!("a lobby card of another exchange was dropped");
            }
            RelayMessage::Exchange(5, bytes) => match invitation.on_card(bytes) {
                Ok(card) => {
                    // Only for who proved link and code, and once: the server cannot make it ring.
                    if knock.card.is_none() {
                        fx.media(MediaCommand::Chime);
                    }
                    knock.card = Some(card);
                    fx.out.push(Output::Mark(Mark::Known));
                }
                Err(error) => tracing::warn!(%error, "a lobby card was refused"),
            },
            // Advice: it can only make the badge worse.
            RelayMessage::CodeFailed if !knock.proven => knock.code_failed = true,
            RelayMessage::CodeFailed
            | RelayMessage::Refused(_)
            | RelayMessage::KnockAgain
            | RelayMessage::Exchange(..) => {
                tracing::info!("a message that a guest does not send was dropped");
            }
        }
    }

    /// Message 6 of a member that lost its group: answered, and its readmission handed on. `None` for anything else.
    pub(super) fn on_return(
        from: ParticipantId,
        body: &[u8],
        invitations: &mut Invitations,
        group: &CallGroup,
        fx: &mut Effects,
    ) -> Option<Box<VerifiedGuest>> {
        let Some(RelayMessage::Exchange(6, message)) = RelayMessage::decode(body) else { return None };
        // Few, and each refuses at once what names another invitation.
        let answered = invitations.values_mut().filter(|invitation| invitation.is_consumed()).find_map(|invitation| {
            let reply = invitation.on_rejoin(message, group).ok()?;
            let answer = relay(from, &RelayMessage::Exchange(4, &reply.message4));
            fx.out.push(store_then_send(invitation, Some(answer)));
            Some(Box::new(reply.guest))
        });
        if answered.is_none() {
            tracing::warn!("a member's request to be brought back was refused");
        }
        answered
    }

    /// Another device answered this invitation until now: whoever waits with it proves itself to this one.
    pub(super) fn ask_again(&self, invite: &[u8; 16], fx: &mut Effects) {
        for (id, _) in self.knocks.iter().filter(|(_, knock)| knock.invite == *invite) {
            fx.send(relay(*id, &RelayMessage::KnockAgain));
        }
    }

    /// Takes what a guest proved, for its admission.
    pub(super) fn take_guest(&mut self, participant: ParticipantId) -> Option<(Box<VerifiedGuest>, Option<Private>)> {
        let knock = self.knocks.get_mut(&participant)?;
        let name = knock.card.as_ref().map(|card| Private::from(card.name.as_str()))?;
        Some((knock.guest.take()?, Some(name)))
    }

    /// A guest whose admission came to nothing can be admitted again, if it still waits.
    pub(super) fn give_back(&mut self, participant: ParticipantId, guest: Box<VerifiedGuest>) {
        if let Some(knock) = self.knocks.get_mut(&participant)
            && knock.guest.is_none()
            && knock.invite == *guest.invite_id().as_bytes()
        {
            knock.guest = Some(guest);
        }
    }

    /// A guest that was denied, or admitted.
    pub(super) fn forget(&mut self, participant: ParticipantId) {
        self.knocks.remove(&participant);
        self.order.retain(|id| *id != participant);
    }

    /// The id that a window sends back, if that guest waits.
    pub(super) fn find(&self, id: &str) -> Option<ParticipantId> {
        ParticipantId::from_hex(id).ok().filter(|id| self.knocks.contains_key(id))
    }

    /// Who waits, in the server's order.
    pub(super) fn view(
        &self,
        invitations: &Invitations,
        label: &str,
        is_admitting: impl Fn(ParticipantId) -> bool,
    ) -> Vec<Knocker> {
        let knocks = self.order.iter().filter_map(|id| Some((id, self.knocks.get(id)?)));
        knocks.map(|(id, knock)| knock.view(*id, invitations, label, is_admitting(*id))).collect()
    }
}

impl Knock {
    fn on_knock(
        &mut self,
        now: Now,
        from: ParticipantId,
        message: &[u8],
        invitation: &mut OwnedInvitation,
        group: &CallGroup,
        fx: &mut Effects,
    ) {
        fx.out.push(Output::Mark(Mark::Knock));
        match invitation.on_knock(now.unix, message, group) {
            Ok(reply) => {
                // A second try means that the first failed.
                self.code_failed |= self.link_ok && reply.try_spent && !self.proven;
                self.link_ok = true;
                if reply.try_spent {
                    // Another exchange: what the last one proved and said does not speak for this one.
                    (self.guest, self.proven, self.card) = (None, false, None);
                }
                // Also when the try was counted before: the record may not have reached the disk then.
                let answer = relay(from, &RelayMessage::Exchange(2, &reply.message2));
                fx.out.push(store_then_send(invitation, Some(answer)));
            }
            Err(error) => {
                tracing::info!(%error, "a knock was refused");
                let code = match error {
                    InvitationError::TriesSpent => {
                        self.code_failed = true;
                        ErrorCode::Inv04
                    }
                    InvitationError::Consumed => ErrorCode::Inv08,
                    InvitationError::TooEarly => ErrorCode::Inv07,
                    InvitationError::Expired => ErrorCode::Inv02,
                    _ => ErrorCode::Inv01,
                };
                refuse(from, code, fx);
            }
        }
    }

    fn on_proven(
        &mut self,
        from: ParticipantId,
        reply: Result<ProofReply, InvitationError>,
        invitation: &OwnedInvitation,
        fx: &mut Effects,
    ) {
        match reply {
            Ok(reply) => {
                (self.guest, self.proven) = (Some(Box::new(reply.guest)), true);
                let answer = relay(from, &RelayMessage::Exchange(4, &reply.message4));
                fx.out.push(store_then_send(invitation, Some(answer)));
            }
            Err(error) => {
                tracing::info!(%error, "a proof was refused");
                let code = match error {
                    InvitationError::WrongCode { .. } => {
                        self.code_failed = true;
                        ErrorCode::Inv03
                    }
                    InvitationError::Expired => ErrorCode::Inv02,
                    _ => ErrorCode::Inv01,
                };
                refuse(from, code, fx);
            }
        }
    }

    fn view(&self, id: ParticipantId, invitations: &Invitations, label: &str, admitting: bool) -> Knocker {
        let field = |read: fn(&LobbyCard) -> &str| self.card.as_ref().map(|card| Private::from(read(card)));
        let with_them = self.card.as_ref().and_then(|card| card.with_them.as_deref()).map(Private::from);
        Knocker {
            participant: id.to_hex(),
            colleague: false,
            name: field(|card| &card.name),
            birth_date: field(|card| &card.birth_date),
            phone: field(|card| &card.phone),
            with_them,
            badge: LinkBadge {
                link_ok: self.link_ok,
                code_ok: self.proven,
                code_failed: self.code_failed,
                tries_left: invitations.get(&self.invite).map_or(0, OwnedInvitation::tries_left),
            },
            link_by_server: invitations
                .get(&self.invite)
                .is_some_and(|invitation| invitation.delivery() != Delivery::Client),
            waiting_since: self.waiting_since,
            appointment_label: label.to_owned(),
            ready: self.guest.is_some() && self.card.is_some() && !admitting,
            admitting,
        }
    }
}

fn relay(to: ParticipantId, message: &RelayMessage<'_>) -> ClientMessage {
    ClientMessage::Relay { to: Some(to), body: message.encode() }
}

fn refuse(to: ParticipantId, code: ErrorCode, fx: &mut Effects) {
    fx.send(relay(to, &RelayMessage::Refused(code.as_str())));
}

/// The record of an invitation must be on disk before this message leaves.
pub(super) fn store_then_send(invitation: &OwnedInvitation, message: Option<ClientMessage>) -> Output {
    Output::StoreThenSend { invite: *invitation.invite_id().as_bytes(), record: invitation.encode(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signaling::protocol::{GuestRole, InviteId};
    use std::time::Duration;

    const NOW: Now = Now { unix: 1_000, since_start: Duration::ZERO };

    fn guest(id: u8, invite: u8) -> WaitingGuest {
        WaitingGuest {
            participant: ParticipantId::from_bytes([id; 16]),
            visitor: Visitor::Guest { role: GuestRole::Patient, invite_id: InviteId::from_bytes([invite; 16]) },
            waited_ms: 5_000,
        }
    }

    #[test]
    fn who_is_listed_without_a_proof_is_shown_unverified_and_cannot_be_taken() {
        let mut door = Door::default();
        door.on_waiting(NOW, &[guest(1, 1)]);
        let view = door.view(&Invitations::default(), "10:20", |_| false);
        assert_eq!(view[0].badge, LinkBadge { link_ok: false, code_ok: false, code_failed: false, tries_left: 0 });
        assert!(!view[0].ready);
        assert_eq!(view[0].waiting_since, 995);
        assert!(door.take_guest(ParticipantId::from_bytes([1; 16])).is_none());
    }

    #[test]
    fn who_leaves_the_list_is_forgotten_and_the_list_is_bounded() {
        let mut door = Door::default();
        door.on_waiting(NOW, &[guest(1, 1), guest(2, 2)]);
        assert_eq!(door.on_waiting(NOW, &[guest(2, 2)]), vec![ParticipantId::from_bytes([1; 16])]);
        let crowd: Vec<_> = (0..200).map(|id| guest(id, id)).collect();
        door.on_waiting(NOW, &crowd);
        assert_eq!(door.knocks.len(), GUESTS);
    }
}
