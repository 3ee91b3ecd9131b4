//! What members say to each other inside the group.

use crypto::LeafIndex;
use media::transport::{Signal, TransportRole};
use signaling::protocol::{Opaque, ParticipantId};

use super::{OUTBOX, Outgoing, Room};
use crate::session::effect::{MediaCommand, Now};
use crate::session::effects::Effects;
use crate::session::error_code::ErrorCode;
use crate::session::message::{CallMessage, SignalMessage, Sources};
use crate::session::peer::{SignalRefusal, negotiation_id};
use crate::session::view::{Notice, SourceState};

impl Room {
    /// Seals and sends a message to all members, now or as soon as it can be.
    pub(in crate::session) fn say(&mut self, message: &CallMessage, fx: &mut Effects) {
        if self.peers.is_empty() {
            return;
        }
        match message.encode() {
            Some(data) if self.outbox.len() < OUTBOX => self.outbox.push_back(Outgoing { data, in_flight: false }),
            _ => {
                tracing::error!("an own message was dropped: too long, or the log does not move");
                return;
            }
        }
        self.advance(fx);
    }

    pub(super) fn say_hello(&mut self, fx: &mut Effects) {
        self.say(&CallMessage::Hello { name: self.own_name.clone(), sources: self.sources }, fx);
    }

    /// Tells the others what this side sends, when that changed.
    pub(in crate::session) fn set_sources(&mut self, sources: Sources, fx: &mut Effects) {
        if self.sources != sources {
            self.sources = sources;
            self.say(&CallMessage::Sources(sources), fx);
        }
    }

    pub(super) fn on_message(
        &mut self,
        now: Now,
        sender: LeafIndex,
        from: ParticipantId,
        data: &[u8],
        fx: &mut Effects,
    ) {
        let Some(message) = CallMessage::decode(data) else {
            tracing::warn!(length = data.len(), "a member's message was not understood");
            return;
        };
        let Some(peer) = self.peers.get_mut(&sender.as_u8()) else { return };
        // For the server's intent field only; the leaf is what counts here.
        self.participants.entry(peer.key).or_insert(from);
        match message {
            CallMessage::Hello { name, sources } => {
                if peer.name.is_none() {
                    peer.name = name;
                }
                self.on_sources(sender, sources, fx);
            }
            CallMessage::Sources(sources) => self.on_sources(sender, sources, fx),
            CallMessage::Signal(signal) => self.on_signal(sender, signal, fx),
            CallMessage::Heartbeat { body } => self.on_heartbeat(now, sender, body.as_bytes(), fx),
            CallMessage::Safety { body } => {
                if let Some(answer) = self.safety.on_message(&self.group, sender, body.as_bytes()) {
                    self.say(&CallMessage::Safety { body: Opaque::new(answer) }, fx);
                }
            }
            CallMessage::SafetyAnswer { matches } => {
                self.safety.on_answer(matches);
                if !matches {
                    fx.notice = Some(Notice { person: self.name_of(sender), ..Notice::new(ErrorCode::E2e02) });
                }
            }
            CallMessage::Moved => self.on_member_moved(now, sender, fx),
            CallMessage::Leaving { request } => {
                let key = peer.key;
                tracing::info!(since = ?now.since_start, "a member leaves");
                self.on_leaving(now, sender, key, request, fx);
            }
        }
    }

    /// No camera or no microphone at the other side: said once, as a notice beside the roster's sign.
    fn on_sources(&mut self, sender: LeafIndex, sources: Sources, fx: &mut Effects) {
        let Some(peer) = self.peers.get_mut(&sender.as_u8()) else { return };
        let newly = |before, now| before != SourceState::Missing && now == SourceState::Missing;
        let missing = if newly(peer.microphone, sources.microphone) {
            Some(ErrorCode::Dev02)
        } else if newly(peer.camera, sources.camera) {
            Some(ErrorCode::Dev01)
        } else {
            None
        };
        let stopped = peer.screen == SourceState::On && sources.screen != SourceState::On;
        (peer.microphone, peer.camera, peer.screen) = (sources.microphone, sources.camera, sources.screen);
        if stopped && self.sharers.contains(&sender.as_u8()) {
            // Its last picture goes, or it would be the first one of the next window.
            fx.media(MediaCommand::MayShare(sender, false));
            fx.media(MediaCommand::MayShare(sender, true));
        }
        if let Some(code) = missing {
            fx.notice = Some(Notice { person: self.name_of(sender), ..Notice::new(code) });
        }
    }

    fn on_signal(&mut self, sender: LeafIndex, message: SignalMessage, fx: &mut Effects) {
        let Some(peer) = self.peers.get_mut(&sender.as_u8()) else { return };
        let sender_key = peer.key;
        match peer.incoming(&self.own_key, &sender_key, message) {
            Ok(accepted) => {
                if accepted.restart {
                    peer.path = None;
                    fx.media(MediaCommand::RestartPeer(sender, TransportRole::Answer));
                }
                fx.media(MediaCommand::Signal(sender, accepted.signal));
            }
            Err(SignalRefusal::NotForUs) => {}
            Err(refusal) => {
                tracing::warn!(?refusal, "a member's signal was refused");
                if matches!(refusal, SignalRefusal::WrongFingerprint | SignalRefusal::WrongSender) {
                    fx.notice = Some(Notice { person: self.name_of(sender), ..Notice::new(ErrorCode::E2e04) });
                }
            }
        }
    }

    /// Starts a spoken check.
    pub(in crate::session) fn start_safety(&mut self, fx: &mut Effects) {
        if let Some(message) = self.safety.start(&self.group) {
            self.say(&CallMessage::Safety { body: Opaque::new(message) }, fx);
        }
    }

    /// What the person found on comparing the words.
    pub(in crate::session) fn answer_safety(&mut self, matches: bool, fx: &mut Effects) {
        if self.safety.answer(matches) {
            self.say(&CallMessage::SafetyAnswer { matches }, fx);
            match matches {
                true => fx.settled = Some(ErrorCode::E2e02),
                false => fx.tell(ErrorCode::E2e02),
            }
        }
    }

    pub(super) fn signal_to(&mut self, leaf: LeafIndex, signal: Signal, fx: &mut Effects) {
        self.negotiations += 1;
        let fresh = negotiation_id(&self.group.authenticator(), &self.own_key, leaf, self.negotiations);
        let own_key = self.own_key;
        let Some(peer) = self.peers.get_mut(&leaf.as_u8()) else { return };
        match peer.outgoing(&own_key, fresh, signal) {
            Some(message) => self.say(&CallMessage::Signal(message), fx),
            None => tracing::warn!("an own signal came before its description"),
        }
    }
}
