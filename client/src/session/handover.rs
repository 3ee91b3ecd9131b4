//! The consultation goes to a colleague: given by its host, or taken over when the host was lost (E2EE 5).
//!
//! Who hosts is what the group's policy says, so this side follows each change of it, its own or another's:
//!
//! | the policy | this side was | it becomes | and |
//! | --- | --- | --- | --- |
//! | names this device | a colleague in the call | the host | answers the door |
//! | no longer names it | the host | a colleague in the call | gives the open invitations' records away (message 9) |
//!
//! A record goes from device to device, sealed and signed: the server sees neither link nor code in it, and can plant none.
//! Each device has three tries of its own for a code. The record of a used one goes too, for its guest's way back and for
//! nothing else, and to every deputy as soon as there is one, for a host that is lost gives nothing. The patient stays where it is: nothing of this touches its media.

use crypto::{DeviceCertificate, InviteId, OwnedInvitation, Sharing};
use signaling::protocol::{AppointmentId, ClientMessage, ErrorCode as ServerCode, ParticipantId};

use super::colleague::Colleague;
use super::desk::Desk;
use super::door::{self, Door};
use super::effect::Now;
use super::effects::Effects;
use super::message::RelayMessage;
use super::visitors::Visitors;
use super::{Hosting, Session, Stage};

impl Session {
    /// Changes the side at the door when the policy did.
    pub(super) fn follow_the_seat(&mut self, now: Now, fx: &mut Effects) {
        match &self.stage {
            Stage::Host(hosting) if hosting.room.group().is_active() && !hosting.room.is_host() => {
                let Stage::Host(hosting) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
                let colleague = hosting.give_up(now, fx);
                self.enter(Stage::Colleague(Box::new(colleague)));
            }
            Stage::Colleague(colleague) if colleague.room.as_ref().is_some_and(super::Room::is_host) => {
                let Stage::Colleague(colleague) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
                let Colleague { desk, appointment, label, room: Some(room), .. } = *colleague else { return };
                let (door, visitors) = (Door::default(), Visitors::default());
                let (called, visits) = (true, false);
                let hosting = Hosting { desk, appointment, label, door, visitors, room, called, visits };
                self.enter(Stage::Host(Box::new(hosting)));
            }
            _ => {}
        }
    }

    /// The server refused something about the seat. False for anything else.
    pub(super) fn on_seat_refused(&mut self, now: Now, code: ServerCode, fx: &mut Effects) -> bool {
        match (code, &mut self.stage) {
            (ServerCode::OpenElsewhere, _) => self.room().is_some_and(|room| room.on_step_in_refused(fx)),
            // A colleague stepped in while this side was away: it comes back as one, and reads in the log what happened.
            (ServerCode::NotAllowed, Stage::Host(hosting)) if !hosting.visits => {
                hosting.visits = true;
                fx.send(ClientMessage::VisitRoom { appointment: hosting.appointment });
                hosting.room.on_online(now, fx);
                true
            }
            _ => false,
        }
    }
}

impl Hosting {
    /// Somebody else hosts: it gets what it needs to let the guests in who are still to come.
    fn give_up(self, now: Now, fx: &mut Effects) -> Colleague {
        let Self { mut desk, appointment, label, room, .. } = self;
        let new_host = room.hosts_certificate();
        if let Some(to) = &new_host {
            share(now, &mut desk, appointment, to, None, |_| true, fx);
        }
        desk.end_used_invitations(fx);
        let name = new_host.map_or_else(String::new, |certificate| certificate.display_name().to_owned());
        Colleague::after_handover(now, desk, appointment, label, name, room)
    }

    /// Gives the records of guests in the call to those who could go on without this host: if it is lost, a guest that
    /// loses its group comes back by one of them. They let nobody in, so no guess is added.
    pub(super) fn share_used(&mut self, now: Now, fx: &mut Effects) {
        for (participant, to) in self.room.deputies() {
            let used = OwnedInvitation::is_consumed;
            share(now, &mut self.desk, self.appointment, &to, Some(participant), used, fx);
        }
    }

    /// Message 9: the record of an invitation to this call, from a device of the practice.
    pub(super) fn on_share(&mut self, now: Now, body: &[u8], fx: &mut Effects) {
        if let Some(open) = take_share(now, &mut self.desk, self.appointment, body, fx) {
            self.door.ask_again(&open, fx);
        }
    }
}

/// Seals records of a call's invitations for another device.
fn share(
    now: Now,
    desk: &mut Desk,
    appointment: AppointmentId,
    to: &DeviceCertificate,
    participant: Option<ParticipantId>,
    wanted: impl Fn(&OwnedInvitation) -> bool,
    fx: &mut Effects,
) {
    let Some(host) = &desk.host else { return };
    let sharing = Sharing { now: now.unix, deny: host.deny_list.as_ref() };
    let of_this_call = appointment.to_hex();
    for invitation in desk.invitations.values_mut().filter(|invitation| wanted(invitation)) {
        if invitation.appointment() != of_this_call || now.unix > invitation.expires_at() {
            continue;
        }
        match invitation.share_with(&sharing, &host.device, &host.certificate, to) {
            Ok(share) => {
                let body = RelayMessage::Exchange(9, &share).encode();
                let message = ClientMessage::Relay { to: participant, body };
                fx.out.push(door::store_then_send(invitation, Some(message)));
            }
            Err(error) => tracing::info!(%error, "the record of an invitation stays here"),
        }
    }
}

/// Takes a record that another device gave, if it is of this call. Gives the invitation's id when it may let somebody in.
pub(super) fn take_share(
    now: Now,
    desk: &mut Desk,
    appointment: AppointmentId,
    body: &[u8],
    fx: &mut Effects,
) -> Option<[u8; 16]> {
    let (Some(RelayMessage::Exchange(9, share)), Some(host)) = (RelayMessage::decode(body), &desk.host) else {
        return None;
    };
    let sharing = Sharing { now: now.unix, deny: host.deny_list.as_ref() };
    let held: Vec<_> = desk.invitations.keys().map(|id| InviteId::from_bytes(*id)).collect();
    let invitation = match host.device.open_share(&sharing, &host.practice.fingerprint(), &held, share) {
        Ok((invitation, _)) if invitation.appointment() == appointment.to_hex() => invitation,
        Ok(_) => {
            tracing::warn!("the record of an invitation to another call was dropped");
            return None;
        }
        Err(error) => {
            tracing::warn!(%error, "the record of an invitation was refused");
            return None;
        }
    };
    let id = *invitation.invite_id().as_bytes();
    let used = invitation.is_consumed();
    // A used one brings its guest back and lets nobody in; another copy of it would turn its attempts back.
    if used && desk.invitations.get(&id).is_some_and(OwnedInvitation::is_consumed) {
        return None;
    }
    fx.out.push(door::store_then_send(&invitation, None));
    desk.invitations.insert(id, invitation);
    (!used).then_some(id)
}

/// Whether a relayed message is the record of an invitation.
pub(super) fn is_share(body: &[u8]) -> bool {
    matches!(RelayMessage::decode(body), Some(RelayMessage::Exchange(9, _)))
}
