//! Members' transports, and time: resending, gaps, members who are lost.

use std::time::Duration;

use crypto::LeafIndex;
use media::EngineEvent;
use media::transport::TransportRole;
use signaling::protocol::{ClientMessage, ParticipantId};

use super::{CRASH_TIME, Change, RESTART_TIME, Room};
use crate::session::effect::{MediaCommand, Now};
use crate::session::effects::Effects;
use crate::session::error_code::ErrorCode;
use crate::session::peer::Peer;
use crate::session::view::Notice;

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
                    (peer.path, peer.lost_since) = (None, Some(now.since_start));
                }
            }
            EngineEvent::Refused { peer, .. } => {
                if let Some(known) = self.peers.get_mut(&peer.as_u8()) {
                    (known.path, known.lost_since) = (None, Some(now.since_start));
                    fx.notice = Some(Notice { person: self.name_of(peer), ..Notice::new(ErrorCode::E2e04) });
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
            _ => {}
        }
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
    }

    /// Lost members: the offering side makes the association anew, a host takes out who is gone altogether.
    fn mend(&mut self, now: Now, fx: &mut Effects) {
        let lost = |peer: &Peer| peer.lost_since.map_or(Duration::ZERO, |since| now.since_start.saturating_sub(since));
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
                && lost(peer) > RESTART_TIME
                && let Some(leaf) = LeafIndex::new(u32::from(*leaf))
            {
                peer.lost_since = Some(now.since_start);
                fx.media(MediaCommand::RestartPeer(leaf, TransportRole::Offer));
            }
        }
        for key in gone {
            self.wish(Change::Remove { key }, fx);
        }
    }
}
