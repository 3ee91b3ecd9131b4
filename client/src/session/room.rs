//! The group of a consultation: its log, its commits, its members.
//!
//! | event \ state | quiet | own commit in flight | offline |
//! | --- | --- | --- | --- |
//! | wish for a change | committed and sent | queued | queued |
//! | own message | sealed and sent | queued | queued |
//! | echo of the commit | – | merged; next change | by replay |
//! | another's commit | merged; messages in flight are sealed anew | own one abandoned, made anew (`E2E-03`) | by replay |
//! | `Conflict` of a later epoch | messages in flight are sealed anew | abandoned, made anew | – |
//!
//! The roster is the MLS tree. What the server says about presence only decides when a lost member is taken out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crypto::{Bundle, CallGroup, GroupError, Inbound, LeafIndex, LogEntry, VerifiedGuest};
use media::EngineEvent;
use media::transport::{Signal, TransportRole};
use signaling::protocol::{ClientMessage, CommitIntent, Delivery, Opaque, ParticipantId};

use super::effect::{Mark, MediaCommand, Now};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::log::{Entry, Log};
use super::message::{CallMessage, SignalMessage};
use super::peer::{Peer, SignalRefusal, negotiation_id};
use super::safety::Safety;
use super::view::{Notice, SourceState};
use crate::private::Private;

/// Own messages that wait for their echo. Signals of sixteen associations fit; above it the log does not move any more.
const OUTBOX: usize = 512;
/// Changes that wait for their commit.
const WISHES: usize = 16;
/// After a reconnect the replay brings the echoes of what had arrived; what is missing then is sent again.
const REPLAY_TIME: Duration = Duration::from_millis(700);
/// A member without socket and transport is taken out after this (E2EE 7).
const CRASH_TIME: Duration = Duration::from_secs(15);
/// An association that is lost so long is made anew by the side that offers.
const RESTART_TIME: Duration = Duration::from_secs(8);

/// A change of the group that this host wants.
#[derive(Debug)]
pub(super) enum Change {
    /// Let a guest in.
    Admit {
        /// Its id at the server.
        participant: ParticipantId,
        /// What it proved.
        guest: Box<VerifiedGuest>,
        /// From its card.
        name: Option<Private>,
    },
    /// Take a member out.
    Remove {
        /// Signature key of its leaf.
        key: [u8; 32],
    },
}

#[derive(Debug)]
struct Pending {
    change: Change,
    bundle: Bundle,
}

/// An own message until its echo.
#[derive(Debug)]
struct Outgoing {
    data: Vec<u8>,
    in_flight: bool,
}

/// One side's own sources, as the others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sources {
    /// Own microphone.
    pub microphone: SourceState,
    /// Own camera.
    pub camera: SourceState,
}

/// The consultation's group, seen from this side.
#[derive(Debug)]
pub(super) struct Room {
    group: CallGroup,
    own_key: [u8; 32],
    log: Log,
    outbox: VecDeque<Outgoing>,
    pending: Option<Pending>,
    wishes: VecDeque<Change>,
    peers: BTreeMap<u8, Peer>,
    participants: BTreeMap<[u8; 32], ParticipantId>,
    safety: Safety,
    online: bool,
    resend_at: Option<Duration>,
    negotiations: u64,
    own_name: Option<Private>,
    sources: Sources,
    /// Keys of the current epoch went to the engine.
    pub keyed: bool,
    /// Unix seconds.
    pub started_at: u64,
}

impl Room {
    /// The host's room: alone, epoch 0.
    pub(super) fn open(now: Now, group: CallGroup, sources: Sources) -> Self {
        Self::new(now, group, Log::default(), None, sources)
    }

    /// A guest's room, right after its Welcome, which stands at `seq` in the log.
    pub(super) fn join(now: Now, group: CallGroup, seq: u64, name: Private, sources: Sources, fx: &mut Effects) -> Self {
        let mut room = Self::new(now, group, Log::after(seq), Some(name), sources);
        room.online = true;
        room.take_keys(true, fx);
        for member in room.group.members() {
            if !member.own {
                // The newer member offers.
                room.add_peer(member.leaf, member.signature_key, TransportRole::Offer, fx);
            }
        }
        room.say_hello(fx);
        room
    }

    fn new(now: Now, group: CallGroup, log: Log, own_name: Option<Private>, sources: Sources) -> Self {
        let own_key = group.members().iter().find(|member| member.own).map_or([0; 32], |member| member.signature_key);
        Self {
            group,
            own_key,
            log,
            outbox: VecDeque::new(),
            pending: None,
            wishes: VecDeque::new(),
            peers: BTreeMap::new(),
            participants: BTreeMap::new(),
            safety: Safety::default(),
            online: false,
            resend_at: None,
            negotiations: 0,
            own_name,
            sources,
            keyed: false,
            started_at: now.unix,
        }
    }

    /// The group, to be named in an invitation exchange and shown in the roster.
    pub(super) fn group(&self) -> &CallGroup {
        &self.group
    }

    /// What the other side of a leaf said of itself; `None` for the own leaf.
    pub(super) fn peer(&self, leaf: LeafIndex) -> Option<&Peer> {
        self.peers.get(&leaf.as_u8())
    }

    /// All other members.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// The spoken check.
    pub(super) fn safety(&self) -> &Safety {
        &self.safety
    }

    /// The live connection is back and the server knows the room: fetch what was missed.
    pub(super) fn on_online(&mut self, now: Now, fx: &mut Effects) {
        self.online = true;
        if let Some(after) = self.log.last() {
            fx.send(ClientMessage::Replay { after });
            self.resend_at = Some(now.since_start + REPLAY_TIME);
        } else {
            self.resend_at = Some(now.since_start);
        }
        self.tick(now, fx);
    }

    /// The live connection is lost; media go on without it.
    pub(super) fn on_offline(&mut self) {
        self.online = false;
    }

    /// Wishes for a change of the group; false when too many wait.
    pub(super) fn wish(&mut self, change: Change, fx: &mut Effects) -> bool {
        if self.wishes.len() >= WISHES {
            return false;
        }
        if let Change::Remove { key } = &change {
            // Fail closed: the person is cut off on the click, not on the commit.
            let gone: Vec<u8> = self.peers.iter().filter(|(_, peer)| peer.key == *key).map(|(leaf, _)| *leaf).collect();
            gone.into_iter().for_each(|leaf| self.drop_peer(leaf, fx));
        }
        self.wishes.push_back(change);
        self.advance(fx);
        true
    }

    /// Whether this guest's admission waits or is under way.
    pub(super) fn is_admitting(&self, guest: ParticipantId) -> bool {
        let is = |change: &Change| matches!(change, Change::Admit { participant, .. } if *participant == guest);
        self.wishes.iter().any(is) || self.pending.as_ref().is_some_and(|pending| is(&pending.change))
    }

    /// The guest went away before it was admitted.
    pub(super) fn forget_guest(&mut self, guest: ParticipantId) {
        let is = |change: &Change| matches!(change, Change::Admit { participant, .. } if *participant == guest);
        self.wishes.retain(|change| !is(change));
        if self.pending.as_ref().is_some_and(|pending| is(&pending.change)) {
            self.group.abandon_pending();
            self.pending = None;
        }
    }

    /// The server refused an admission: the guest left meanwhile.
    pub(super) fn on_guest_left(&mut self, fx: &mut Effects) {
        if let Some(Pending { change: Change::Admit { participant, .. }, .. }) = &self.pending {
            let participant = *participant;
            self.forget_guest(participant);
            fx.tell(ErrorCode::Lob02);
            self.advance(fx);
        }
    }

    /// An entry of the log.
    pub(super) fn on_entry(&mut self, now: Now, seq: u64, from: ParticipantId, delivery: Delivery, fx: &mut Effects) {
        for entry in self.log.take(now.since_start, seq, Entry { from, delivery }) {
            self.on_due(now, &entry, fx);
            if fx.end.is_some() {
                return;
            }
        }
        self.advance(fx);
    }

    fn on_due(&mut self, now: Now, entry: &Entry, fx: &mut Effects) {
        let (handled, is_commit) = match &entry.delivery {
            Delivery::Commit { commit, invite_psk } => {
                let invite_psk = invite_psk.as_ref().map(Opaque::as_bytes);
                (self.group.handle(now.unix, LogEntry::Commit { commit: commit.as_bytes(), invite_psk }), true)
            }
            Delivery::Application { body } => {
                (self.group.handle(now.unix, LogEntry::Application { body: body.as_bytes() }), false)
            }
        };
        match handled {
            Ok(Inbound::Echo) => self.on_echo(),
            Ok(Inbound::Application { sender, data }) => self.on_message(now, sender, entry.from, &data, fx),
            Ok(Inbound::Epoch { own, added, removed, self_removed }) => {
                if self_removed {
                    fx.end = Some(super::view::GoodbyeReason::Removed);
                    return;
                }
                self.on_epoch(own, &added, &removed, fx);
            }
            Err(GroupError::PastEpoch) => {}
            Err(error) => {
                tracing::warn!(%error, is_commit, "an entry of the log was refused");
                if !self.group.is_active() {
                    // A refused commit of a member: never go on in the old epoch as if nothing had happened.
                    let committer = match error {
                        GroupError::Refused { committer, .. } => committer,
                        _ => None,
                    };
                    let person = committer.and_then(|leaf| self.name_of(leaf));
                    fx.fail(ErrorCode::E2e09);
                    fx.notice = Some(Notice { person, ..Notice::new(ErrorCode::E2e09) });
                }
            }
        }
    }

    fn on_echo(&mut self) {
        if self.outbox.front().is_some_and(|message| message.in_flight) {
            self.outbox.pop_front();
        }
    }

    fn on_epoch(&mut self, own: bool, added: &[LeafIndex], removed: &[LeafIndex], fx: &mut Effects) {
        let alone = self.peers.is_empty();
        for leaf in removed {
            self.drop_peer(leaf.as_u8(), fx);
        }
        // What was in flight in the old epoch and has not come back was refused by the log.
        self.outbox.iter_mut().for_each(|message| message.in_flight = false);
        self.take_keys(alone || !removed.is_empty(), fx);
        let members = self.group.members();
        for leaf in added {
            if let Some(member) = members.iter().find(|member| member.leaf == *leaf) {
                self.add_peer(*leaf, member.signature_key, TransportRole::Answer, fx);
            }
        }
        match self.pending.take() {
            Some(Pending { change: Change::Admit { participant, guest, name }, .. }) if own => {
                fx.consumed.push(*guest.invite_id().as_bytes());
                if let Some(peer) = added.first().and_then(|leaf| self.peers.get_mut(&leaf.as_u8())) {
                    peer.name = name;
                    self.participants.insert(peer.key, participant);
                }
            }
            Some(_) if own => {}
            Some(pending) => self.retry(pending, fx),
            None => {}
        }
        self.safety.on_epoch(!added.is_empty());
        if !added.is_empty() {
            self.say_hello(fx);
        }
    }

    /// An own commit lost the race: made anew in the winner's epoch.
    fn retry(&mut self, pending: Pending, fx: &mut Effects) {
        self.group.abandon_pending();
        self.wishes.push_front(pending.change);
        fx.tell(ErrorCode::E2e03);
    }

    /// The log is in a later epoch than something that was sent.
    pub(super) fn on_conflict(&mut self, epoch: u64, fx: &mut Effects) {
        if self.pending.as_ref().is_some_and(|pending| pending.bundle.epoch < epoch)
            && let Some(pending) = self.pending.take()
        {
            self.retry(pending, fx);
        }
        if self.group.epoch() < epoch {
            // The winner's entry is missing: ask, and send again after it came.
            self.outbox.iter_mut().for_each(|message| message.in_flight = false);
            if let Some(after) = self.log.last() {
                fx.send(ClientMessage::Replay { after });
            }
        } else {
            self.advance(fx);
        }
    }

    /// Sends what can be sent now: a commit first, then messages while none is in flight.
    fn advance(&mut self, fx: &mut Effects) {
        if !self.online || self.resend_at.is_some() || !self.group.is_active() {
            return;
        }
        while self.pending.is_none()
            && let Some(change) = self.wishes.pop_front()
        {
            self.commit(change, fx);
        }
        if self.pending.is_some() {
            return;
        }
        for message in self.outbox.iter_mut().filter(|message| !message.in_flight) {
            match self.group.seal(&message.data) {
                Ok((epoch, body)) => {
                    message.in_flight = true;
                    fx.send(ClientMessage::Application { epoch, body: Opaque::new(body) });
                }
                Err(error) => {
                    tracing::error!(%error, "an own message could not be sealed");
                    return;
                }
            }
        }
    }

    fn commit(&mut self, change: Change, fx: &mut Effects) {
        let made = match &change {
            Change::Admit { guest, .. } => self.group.admit(guest),
            Change::Remove { key } => match self.group.members().iter().find(|member| member.signature_key == *key) {
                Some(member) => self.group.remove(member.leaf),
                // Somebody else removed it first.
                None => return,
            },
        };
        match made {
            Ok(bundle) => {
                self.send_bundle(&change, &bundle, fx);
                self.pending = Some(Pending { change, bundle });
            }
            Err(error) => {
                tracing::error!(%error, "a change of the group could not be made");
                fx.tell(ErrorCode::E2e05);
            }
        }
    }

    fn send_bundle(&self, change: &Change, bundle: &Bundle, fx: &mut Effects) {
        let (epoch, commit) = (bundle.epoch, Opaque::new(bundle.commit.clone()));
        match change {
            Change::Admit { participant, .. } => fx.send(ClientMessage::Admit {
                participant: *participant,
                epoch,
                commit,
                welcome: Opaque::new(bundle.welcome.clone().unwrap_or_default()),
                invite_psk: bundle.invite_psk.clone().map(Opaque::new),
            }),
            Change::Remove { key } => {
                let intent = self
                    .participants
                    .get(key)
                    .map_or(CommitIntent::Update, |participant| CommitIntent::Remove { participant: *participant });
                fx.send(ClientMessage::Commit { epoch, commit, intent });
            }
        }
    }

    /// Seals and sends a message to all members, now or as soon as it can be.
    pub(super) fn say(&mut self, message: &CallMessage, fx: &mut Effects) {
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

    fn say_hello(&mut self, fx: &mut Effects) {
        let Sources { microphone, camera } = self.sources;
        self.say(&CallMessage::Hello { name: self.own_name.clone(), microphone, camera }, fx);
    }

    /// Tells the others what this side sends, when that changed.
    pub(super) fn set_sources(&mut self, sources: Sources, fx: &mut Effects) {
        if self.sources != sources {
            self.sources = sources;
            let Sources { microphone, camera } = sources;
            self.say(&CallMessage::Sources { microphone, camera }, fx);
        }
    }

    fn on_message(&mut self, now: Now, sender: LeafIndex, from: ParticipantId, data: &[u8], fx: &mut Effects) {
        let Some(message) = CallMessage::decode(data) else {
            tracing::warn!(length = data.len(), "a member's message was not understood");
            return;
        };
        let Some(peer) = self.peers.get_mut(&sender.as_u8()) else { return };
        // For the server's intent field only; the leaf is what counts here.
        self.participants.entry(peer.key).or_insert(from);
        match message {
            CallMessage::Hello { name, microphone, camera } => {
                (peer.microphone, peer.camera) = (microphone, camera);
                if peer.name.is_none() {
                    peer.name = name;
                }
                self.tell_missing(sender, fx);
            }
            CallMessage::Sources { microphone, camera } => {
                (peer.microphone, peer.camera) = (microphone, camera);
                self.tell_missing(sender, fx);
            }
            CallMessage::Signal(signal) => self.on_signal(sender, signal, fx),
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
            CallMessage::Leaving => {
                let key = peer.key;
                tracing::info!(since = ?now.since_start, "a member leaves");
                if self.is_host() {
                    self.wish(Change::Remove { key }, fx);
                } else {
                    self.drop_peer(sender.as_u8(), fx);
                }
            }
        }
    }

    /// No camera or no microphone at the other side: said once, as a notice beside the roster's sign.
    fn tell_missing(&self, sender: LeafIndex, fx: &mut Effects) {
        let Some(peer) = self.peers.get(&sender.as_u8()) else { return };
        let code = match (peer.microphone, peer.camera) {
            (SourceState::Missing, _) => ErrorCode::Dev02,
            (_, SourceState::Missing) => ErrorCode::Dev01,
            _ => return,
        };
        fx.notice = Some(Notice { person: self.name_of(sender), ..Notice::new(code) });
    }

    fn on_signal(&mut self, sender: LeafIndex, message: SignalMessage, fx: &mut Effects) {
        let Some(peer) = self.peers.get_mut(&sender.as_u8()) else { return };
        let sender_key = peer.key;
        match peer.incoming(&self.own_key, &sender_key, message) {
            Ok(accepted) => {
                if accepted.restart {
                    peer.path = None;
                    fx.media(MediaCommand::RemovePeer(sender));
                    fx.media(MediaCommand::AddPeer(sender, TransportRole::Answer));
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

    /// What the media engine says.
    pub(super) fn on_engine(&mut self, now: Now, event: EngineEvent, fx: &mut Effects) {
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
            EngineEvent::Undecryptable { peer } => {
                if let Some(known) = self.peers.get_mut(&peer.as_u8()) {
                    known.undecryptable = true;
                    fx.notice = Some(Notice { person: self.name_of(peer), ..Notice::new(ErrorCode::E2e01) });
                }
            }
            EngineEvent::Recovered { peer } => {
                if let Some(peer) = self.peers.get_mut(&peer.as_u8()) {
                    peer.undecryptable = false;
                }
            }
            _ => {}
        }
    }

    fn signal_to(&mut self, leaf: LeafIndex, signal: Signal, fx: &mut Effects) {
        self.negotiations += 1;
        let fresh = negotiation_id(&self.group.authenticator(), &self.own_key, leaf, self.negotiations);
        let own_key = self.own_key;
        let Some(peer) = self.peers.get_mut(&leaf.as_u8()) else { return };
        match peer.outgoing(&own_key, fresh, signal) {
            Some(message) => self.say(&CallMessage::Signal(message), fx),
            None => tracing::warn!("an own signal came before its description"),
        }
    }

    /// Presence of a participant as the server says: advice.
    pub(super) fn on_presence(&mut self, participant: ParticipantId, present: bool) {
        let key = self.participants.iter().find(|(_, known)| **known == participant).map(|(key, _)| *key);
        if let Some(peer) = key.and_then(|key| self.peers.values_mut().find(|peer| peer.key == key)) {
            peer.absent = !present;
        }
    }

    /// Starts a spoken check.
    pub(super) fn start_safety(&mut self, fx: &mut Effects) {
        if let Some(message) = self.safety.start(&self.group) {
            self.say(&CallMessage::Safety { body: Opaque::new(message) }, fx);
        }
    }

    /// What the person found on comparing the words.
    pub(super) fn answer_safety(&mut self, matches: bool, fx: &mut Effects) {
        if self.safety.answer(matches) {
            self.say(&CallMessage::SafetyAnswer { matches }, fx);
            if !matches {
                fx.tell(ErrorCode::E2e02);
            }
        }
    }

    /// Time passed.
    pub(super) fn tick(&mut self, now: Now, fx: &mut Effects) {
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
            if host && peer.absent && lost(peer) > CRASH_TIME {
                gone.push(peer.key);
            } else if peer.offers() && lost(peer) > RESTART_TIME
                && let Some(leaf) = LeafIndex::new(u32::from(*leaf))
            {
                peer.lost_since = Some(now.since_start);
                fx.media(MediaCommand::RemovePeer(leaf));
                fx.media(MediaCommand::AddPeer(leaf, TransportRole::Offer));
            }
        }
        for key in gone {
            self.wish(Change::Remove { key }, fx);
        }
    }

    fn is_host(&self) -> bool {
        self.group.members().iter().any(|member| member.own && member.role == crypto::CallRole::Host)
    }

    fn name_of(&self, leaf: LeafIndex) -> Option<Private> {
        let certified = self.group.members().into_iter().find(|member| member.leaf == leaf).and_then(|member| member.name);
        certified.map(Private::from).or_else(|| self.peer(leaf).and_then(|peer| peer.name.clone()))
    }

    fn add_peer(&mut self, leaf: LeafIndex, key: [u8; 32], role: TransportRole, fx: &mut Effects) {
        self.peers.insert(leaf.as_u8(), Peer::new(key, role));
        fx.media(MediaCommand::AddPeer(leaf, role));
    }

    fn drop_peer(&mut self, leaf: u8, fx: &mut Effects) {
        if self.peers.remove(&leaf).is_some()
            && let Some(leaf) = LeafIndex::new(u32::from(leaf))
        {
            fx.media(MediaCommand::RemovePeer(leaf));
        }
    }

    fn take_keys(&mut self, at_once: bool, fx: &mut Effects) {
        match self.group.media_keys() {
            Ok(keys) => {
                self.keyed = true;
                fx.out.push(super::effect::Output::Mark(Mark::Epoch));
                fx.media(MediaCommand::InstallEpoch { keys: Box::new(keys), at_once });
            }
            Err(error) => {
                tracing::error!(%error, "the media keys of an epoch could not be made");
                self.keyed = false;
                fx.fail(ErrorCode::E2e09);
            }
        }
    }
}
