//! Colleagues at the host's door: who says to be of the practice, and whose certificate says so.

use std::collections::BTreeMap;

use crypto::{CallGroup, CallMode};
use signaling::protocol::{ClientMessage, ParticipantId, Visitor, WaitingGuest};

use super::effect::{MediaCommand, Now};
use super::effects::Effects;
use super::message::RelayMessage;
use super::view::{Knocker, LinkBadge};
use crate::private::Private;

/// Colleagues who are looked at; a server can list as many as it likes.
const COLLEAGUES: usize = 16;

/// Colleagues who wait, by the server's name for them.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    waiting: BTreeMap<ParticipantId, Visit>,
}

#[derive(Debug)]
struct Visit {
    since: u64,
    /// Key package and name, once the certificate was verified.
    proven: Option<(Vec<u8>, Private)>,
}

impl Visitors {
    /// The server's list of who waits: each new colleague is told which group to ask for.
    pub(super) fn on_waiting(&mut self, now: Now, guests: &[WaitingGuest], group: &CallGroup, fx: &mut Effects) {
        let listed = guests.iter().filter(|guest| guest.visitor == Visitor::Colleague).take(COLLEAGUES);
        let listed: BTreeMap<_, _> = listed.map(|guest| (guest.participant, guest.waited_ms)).collect();
        self.waiting.retain(|id, _| listed.contains_key(id));
        // A call that discloses its keys is between those who were asked by their invitation.
        if group.mode() != CallMode::Real {
            return;
        }
        for (id, waited_ms) in listed {
            self.waiting.entry(id).or_insert_with(|| {
                let body = RelayMessage::Exchange(7, group.group_id().as_bytes()).encode();
                fx.send(ClientMessage::Relay { to: Some(id), body });
                Visit { since: now.unix.saturating_sub(waited_ms / 1_000), proven: None }
            });
        }
    }

    /// A relayed message of a colleague. False for anybody else.
    pub(super) fn on_relay(
        &mut self,
        now: Now,
        from: ParticipantId,
        body: &[u8],
        group: &CallGroup,
        fx: &mut Effects,
    ) -> bool {
        let Some(visit) = self.waiting.get_mut(&from) else { return false };
        match RelayMessage::decode(body) {
            Some(RelayMessage::Exchange(8, request)) => match group.staff_name(now.unix, request) {
                Ok(name) => {
                    if visit.proven.is_none() {
                        fx.media(MediaCommand::Chime);
                    }
                    visit.proven = Some((request.to_vec(), name.into()));
                }
                Err(error) => tracing::warn!(%error, "a colleague's request was refused"),
            },
            _ => tracing::warn!(length = body.len(), "a message of a colleague was not understood"),
        }
        true
    }

    /// Message 8 of a colleague in the call that lost its group: its new key package, by a certificate that holds. Whether
    /// it is in the call the group says.
    pub(super) fn on_return(now: Now, body: &[u8], group: &CallGroup) -> Option<Vec<u8>> {
        let Some(RelayMessage::Exchange(8, request)) = RelayMessage::decode(body) else { return None };
        match group.staff_name(now.unix, request) {
            Ok(_) => Some(request.to_vec()),
            Err(error) => {
                tracing::warn!(%error, "a colleague's request to be brought back was refused");
                None
            }
        }
    }

    /// The request of a colleague whose certificate was verified.
    pub(super) fn request(&self, id: ParticipantId) -> Option<Vec<u8>> {
        self.waiting.get(&id)?.proven.as_ref().map(|(request, _)| request.clone())
    }

    /// A colleague that was denied, or admitted.
    pub(super) fn forget(&mut self, id: ParticipantId) {
        self.waiting.remove(&id);
    }

    /// The id that a window sends back, if that colleague waits.
    pub(super) fn find(&self, id: &str) -> Option<ParticipantId> {
        ParticipantId::from_hex(id).ok().filter(|id| self.waiting.contains_key(id))
    }

    /// Who waits.
    pub(super) fn view<'a>(
        &'a self,
        label: &'a str,
        is_admitting: impl Fn(ParticipantId) -> bool + 'a,
    ) -> impl Iterator<Item = Knocker> + 'a {
        self.waiting.iter().map(move |(id, visit)| Knocker {
            participant: id.to_hex(),
            colleague: true,
            name: visit.proven.as_ref().map(|(_, name)| name.clone()),
            birth_date: None,
            phone: None,
            with_them: None,
            badge: LinkBadge { link_ok: false, code_ok: false, code_failed: false, tries_left: 0 },
            link_by_server: false,
            waiting_since: visit.since,
            appointment_label: label.to_owned(),
            ready: visit.proven.is_some() && !is_admitting(*id),
            admitting: is_admitting(*id),
        })
    }
}
