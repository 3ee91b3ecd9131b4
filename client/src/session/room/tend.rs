//! Members' transports, and time: resending, gaps, members who are lost.

use std::time::Duration;

use crypto::{HeartbeatError, LeafIndex};
use media::EngineEvent;
use media::transport::{Refusal, TransportRole};
use signaling::protocol::{ClientMessage, Opaque, ParticipantId};

use super::{CRASH_TIME, Change, RESTART_TIME, Room};
use crate::private::Private;
use crate::session::effect::{MediaCommand, Now};
use crate::session::effects::Effects;
use crate::session::error_code::ErrorCode;
use crate::session::message::CallMessage;
use crate::session::peer::{Peer, negotiation_id};
use crate::session::view::Notice;

/// Time between two renewals of a host's path.
const HOST_UPDATE: Duration = Duration::from_secs(60);
/// Time between two renewals of another member's path; the server takes one in 60 s.
const GUEST_UPDATE: Duration = Duration::from_secs(120);
/// Least time between two associations that a member's words begin anew.
const MOVED_TIME: Duration = Duration::from_secs(1);
/// Own messages that may wait before a heartbeat is left out of the log.
const BEATS_IN_OUTBOX: usize = 8;

impl Room {
    /// What the media engine says.
    pub(in crate::session) fn on_engine(&mut self, now: Now, event: EngineEvent, fx: &mut Effects) {
        match event {
            EngineEvent::Signal { peer, signal } => self.signal_to(peer, signal, fx),
            EngineEvent::Connected { peer, path, .. } => {
                if let Some(peer) = self.peers.get_mut(&peer.as_u8()) {
                    (peer.path, peer.lost_since) = (Some(path), None);
                }
            }
            EngineEvent::Disconnected { peer } => {
                if let Some(peer) = self.peers.get_mut(&peer.as_u8()) {
                    peer.path = None;
                    peer.lost_since.get_or_insert(now.since_start);
                }
            }
            EngineEvent::Refused { peer, reason } => {
                if let Some(known) = self.peers.get_mut(&peer.as_u8()) {
                    known.path = None;
                    known.lost_since.get_or_insert(now.since_start);
                    // Whom no path leads to has proved nothing, and failed nothing: it is tried again.
                    if reason != Refusal::Unreachable {
                        fx.notice = Some(Notice { person: self.name_of(peer), ..Notice::new(ErrorCode::E2e04) });
                    }
                }
            }
            EngineEvent::Undecryptable { peer } => {
                if let Some(known) = self.peers.get_mut(&peer.as_u8()) {
                    known.undecryptable = true;
                    fx.notice = Some(Notice { person: self.name_of(peer), ..Notice::new(ErrorCode::E2e01) });
                }
            }
            EngineEvent::Recovered { peer } => {
                if let Some(peer) = self.peers.get_mut(&peer.as_u8()) {
                    peer.undecryptable = false;
                    fx.settled = Some(ErrorCode::E2e01);
                }
            }
            EngineEvent::VideoPaused => fx.tell(ErrorCode::Net03),
            EngineEvent::VideoResumed => fx.settled = Some(ErrorCode::Net03),
            EngineEvent::Heartbeat { peer, bytes } => self.on_heartbeat(now, peer, &bytes, fx),
            _ => {}
        }
    }

    /// A heartbeat, by the log or over the member's own association; a copy that came both ways counts once.
    pub(super) fn on_heartbeat(&mut self, now: Now, sender: LeafIndex, bytes: &[u8], fx: &mut Effects) {
        let heard = match self.group.check_heartbeat(sender, bytes) {
            Ok(heard) => heard,
            Err(HeartbeatError::Replayed) => return,
            Err(error) => return tracing::warn!(%error, "a heartbeat was dropped"),
        };
        self.note_commitment(sender, &heard);
        let members = self.group.members();
        let by_host = members.iter().any(|member| member.leaf == sender && member.hosts);
        if self.watch.on_beat(now.since_start, heard.verdict, by_host) && self.online {
            fx.send(ClientMessage::Replay { after: self.log.last().unwrap_or(0) });
        }
        self.look(now, fx);
    }

    /// Stops or goes on sending, as what was seen of the group demands.
    pub(super) fn look(&mut self, now: Now, fx: &mut Effects) {
        let host = self.is_host();
        if let Some(held) = self.watch.decide(now.since_start, host) {
            tracing::warn!(?held, "sending changed");
            fx.media(MediaCommand::Hold(held.is_some()));
        }
    }

    /// Plans the next renewal of the own path (E2EE 5): a host every 60 s, others every 120 s, a fifth more or less, so
    /// that they do not meet.
    pub(super) fn plan_update(&mut self, now: Duration) {
        let period = if self.is_host() { HOST_UPDATE } else { GUEST_UPDATE };
        let [jitter, ..] = negotiation_id(&self.group.authenticator(), &self.own_key, self.group.own_leaf(), 0);
        self.update_at = now + period * 4 / 5 + period * 2 / 5 * u32::from(jitter) / 255;
    }

    /// Sends an own heartbeat when one is due.
    pub(super) fn beat(&mut self, now: Now, fx: &mut Effects) {
        if self.peers.is_empty() || !self.group.is_active() || !self.watch.take_beat(now.since_start) {
            return;
        }
        match self.group.heartbeat(self.sealed) {
            Ok(body) => {
                fx.media(MediaCommand::Heartbeat(body.clone()));
                // A log that does not move is not filled with them.
                if self.outbox.len() < BEATS_IN_OUTBOX {
                    self.say(&CallMessage::Heartbeat { body: Opaque::new(body) }, fx);
                }
            }
            Err(error) => tracing::error!(%error, "a heartbeat could not be made"),
        }
    }

    /// Takes a member out, unless that is under way; the own leaf stays.
    pub(in crate::session) fn remove(&mut self, now: Now, leaf: u32, fx: &mut Effects) {
        let members = self.group.members();
        let Some(member) = members.iter().find(|member| u32::from(member.leaf.as_u8()) == leaf && !member.own) else {
            return;
        };
        let key = member.signature_key;
        if !self.is_removing(&key) && !self.wish(now, Change::Remove { key, name: None, request: None }, fx) {
            fx.tell(ErrorCode::Srv05);
        }
    }

    /// Whether the member with this key waits to be taken out.
    pub(in crate::session) fn is_removing(&self, member: &[u8; 32]) -> bool {
        self.removal(member).is_some()
    }

    /// What a member is called that waits to be taken out: what it said of itself went with its association.
    pub(in crate::session) fn removed_name(&self, member: &[u8; 32]) -> Option<Private> {
        match self.removal(member) {
            Some(Change::Remove { name, .. }) => name.clone(),
            _ => None,
        }
    }

    fn removal(&self, member: &[u8; 32]) -> Option<&Change> {
        let pending = self.pending.as_ref().map(|pending| &pending.change);
        let mut changes = self.wishes.iter().chain(pending);
        changes.find(|change| matches!(change, Change::Remove { key, .. } if key == member))
    }

    /// Presence of a participant as the server says: advice.
    pub(in crate::session) fn on_presence(&mut self, participant: ParticipantId, present: bool) {
        let key = self.participants.iter().find(|(_, known)| **known == participant).map(|(key, _)| *key);
        if let Some(peer) = key.and_then(|key| self.peers.values_mut().find(|peer| peer.key == key)) {
            peer.absent = !present;
        }
    }

    /// Time passed.
    pub(in crate::session) fn tick(&mut self, now: Now, fx: &mut Effects) {
        if self.online && self.resend_at.is_some_and(|at| at <= now.since_start) {
            self.resend_at = None;
            self.outbox.iter_mut().for_each(|message| message.in_flight = false);
            if let Some(pending) = &self.pending {
                self.send_bundle(&pending.change, &pending.bundle, fx);
            }
            self.advance(fx);
        }
        if let Some(after) = self.log.overdue(now.since_start).filter(|_| self.online) {
            fx.send(ClientMessage::Replay { after });
        }
        self.mend(now, fx);
        self.let_leavers_go(now, fx);
        if now.since_start >= self.update_at {
            self.plan_update(now.since_start);
            let quiet = self.pending.is_none() && self.wishes.is_empty();
            if quiet && self.online && !self.peers.is_empty() {
                self.wish(now, Change::Update, fx);
            }
        }
        self.beat(now, fx);
        self.look(now, fx);
    }

    /// This computer's address changed: paths that began at the old one are dead, and waiting until that shows takes seconds.
    pub(in crate::session) fn on_moved(&mut self, now: Now, fx: &mut Effects) {
        for peer in self.peers.values_mut() {
            peer.restarted_at = None;
        }
        let leaves: Vec<_> = self.peers.keys().filter_map(|leaf| LeafIndex::new(u32::from(*leaf))).collect();
        let offers = |leaf: &LeafIndex| self.peer(*leaf).is_some_and(Peer::offers);
        let (ours, theirs): (Vec<_>, Vec<_>) = leaves.into_iter().partition(offers);
        for leaf in ours {
            self.restart(now, leaf, fx);
        }
        if !theirs.is_empty() {
            self.say(&CallMessage::Moved, fx);
        }
    }

    /// A member's address changed. It says so where this side has to offer; more often than a network changes it is not heard.
    pub(super) fn on_member_moved(&mut self, now: Now, leaf: LeafIndex, fx: &mut Effects) {
        let soon = |peer: &Peer| peer.restarted_at.is_some_and(|at| now.since_start < at + MOVED_TIME);
        if self.peer(leaf).is_some_and(|peer| peer.offers() && !soon(peer)) {
            self.restart(now, leaf, fx);
        }
    }

    /// Makes an association anew, from the offering side.
    fn restart(&mut self, now: Now, leaf: LeafIndex, fx: &mut Effects) {
        if let Some(peer) = self.peers.get_mut(&leaf.as_u8()) {
            (peer.path, peer.restarted_at) = (None, Some(now.since_start));
            fx.media(MediaCommand::RestartPeer(leaf, TransportRole::Offer));
        }
    }

    /// Lost members: the offering side makes the association anew, a host takes out who is gone altogether.
    fn mend(&mut self, now: Now, fx: &mut Effects) {
        let after =
            |since: Option<Duration>| since.map_or(Duration::ZERO, |since| now.since_start.saturating_sub(since));
        let lost = |peer: &Peer| after(peer.lost_since);
        // Whoever is tried again and again is lost since the first time.
        let untried = |peer: &Peer| after(peer.lost_since.max(peer.restarted_at));
        let host = self.is_host();
        let mut gone = Vec::new();
        for (leaf, peer) in &mut self.peers {
            if peer.path.is_none() {
                // Also counts for an association that never came up.
                peer.lost_since.get_or_insert(now.since_start);
            }
            if host && peer.absent && lost(peer) > CRASH_TIME {
                gone.push(peer.key);
            } else if peer.offers()
                && peer.path.is_none()
                && untried(peer) > RESTART_TIME
                && let Some(leaf) = LeafIndex::new(u32::from(*leaf))
            {
                peer.restarted_at = Some(now.since_start);
                fx.media(MediaCommand::RestartPeer(leaf, TransportRole::Offer));
            }
        }
        for key in gone {
            self.wish(now, Change::Remove { key, name: None, request: None }, fx);
        }
    }
}
