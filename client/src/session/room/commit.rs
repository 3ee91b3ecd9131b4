//! The log's entries, and own changes of the group until their echo.

use crypto::{Bundle, GroupError, Inbound, LeafIndex, LogEntry};
use media::transport::TransportRole;
use signaling::protocol::{ClientMessage, CommitIntent, Delivery, Opaque, ParticipantId};

use super::{Change, Pending, Room};
use crate::session::effect::Now;
use crate::session::effects::Effects;
use crate::session::error_code::ErrorCode;
use crate::session::log::Entry;
use crate::session::view::{GoodbyeReason, Notice};

impl Room {
    /// An entry of the log.
    pub(in crate::session) fn on_entry(
        &mut self,
        now: Now,
        seq: u64,
        from: ParticipantId,
        delivery: Delivery,
        fx: &mut Effects,
    ) {
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
                    fx.end = Some(GoodbyeReason::Removed);
                    return;
                }
                self.on_epoch(now, own, &added, &removed, fx);
            }
            Err(GroupError::PastEpoch) => {}
            Err(error) => {
                tracing::warn!(%error, is_commit, "an entry of the log was refused");
                if !self.group.is_active() || is_commit && leaves_behind(&error) {
                    // Never go on in the old epoch as if nothing had happened.
                    let committer = match error {
                        GroupError::Refused { committer, .. } => committer,
                        _ => None,
                    };
                    if committer.is_none() && self.group.is_active() && !self.is_host() {
                        // Nobody broke a rule: this side lost the thread, and asks to be brought back.
                        fx.stranded = true;
                        return;
                    }
                    let person = committer.and_then(|leaf| self.name_of(leaf));
                    fx.fail(ErrorCode::E2e09);
                    fx.notice = Some(Notice { person, ..Notice::new(ErrorCode::E2e09) });
                } else if is_commit && !std::mem::replace(&mut self.outsider_told, true) {
                    fx.tell(ErrorCode::E2e12);
                }
            }
        }
    }

    fn on_echo(&mut self) {
        if self.outbox.front().is_some_and(|message| message.in_flight) {
            self.outbox.pop_front();
        }
    }

    fn on_epoch(&mut self, now: Now, own: bool, added: &[LeafIndex], removed: &[LeafIndex], fx: &mut Effects) {
        if own && matches!(&self.pending, Some(Pending { change: Change::HandOver { .. }, .. })) {
            self.watch.on_handed_over(now.since_start);
        }
        let alone = self.peers.is_empty();
        let returned_name = removed.first().and_then(|leaf| self.peer(*leaf)).and_then(|peer| peer.name.clone());
        for leaf in removed {
            self.drop_peer(leaf.as_u8(), fx);
        }
        self.watch.on_epoch(self.group.epoch(), !removed.is_empty());
        self.leavers.retain(|key, _| self.group.members().iter().any(|member| member.signature_key == *key));
        if self.wishes.iter().any(|wish| matches!(wish, Change::Remove { request: None, .. })) {
            // Another one waits behind it.
            self.watch.on_remove(now.since_start);
        }
        if own {
            self.plan_update(now.since_start);
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
        if own {
            fx.settled = Some(ErrorCode::E2e03);
        }
        match self.pending.take() {
            Some(Pending { change: Change::Admit { participant, guest, name }, .. }) if own => {
                fx.admitted.push(*guest);
                if let Some(peer) = added.first().and_then(|leaf| self.peers.get_mut(&leaf.as_u8())) {
                    peer.name = name;
                    self.participants.insert(peer.key, participant);
                }
            }
            Some(Pending { change: Change::Readmit { participant, guest }, .. }) if own => {
                fx.admitted.push(*guest);
                if let Some(peer) = added.first().and_then(|leaf| self.peers.get_mut(&leaf.as_u8())) {
                    peer.name = returned_name;
                    self.participants.insert(peer.key, participant);
                }
            }
            Some(Pending { change: Change::AdmitStaff { participant, .. }, .. }) if own => {
                if let Some(peer) = added.first().and_then(|leaf| self.peers.get(&leaf.as_u8())) {
                    self.participants.insert(peer.key, participant);
                }
                fx.colleague_in = true;
            }
            Some(Pending { change: Change::ReadmitStaff { participant, .. }, .. }) if own => {
                if let Some(peer) = added.first().and_then(|leaf| self.peers.get(&leaf.as_u8())) {
                    self.participants.insert(peer.key, participant);
                }
            }
            Some(Pending { change: Change::StepIn, .. }) if own => self.wishes.push_back(Change::HostAlone),
            Some(_) if own => {}
            Some(pending) => self.retry(pending, fx),
            None => {}
        }
        self.safety.on_epoch(!added.is_empty());
        if !added.is_empty() {
            self.say_hello(fx);
        }
        self.look(now, fx);
        self.beat(now, fx);
    }

    /// An own commit lost the race: made anew in the winner's epoch.
    fn retry(&mut self, pending: Pending, fx: &mut Effects) {
        self.group.abandon_pending();
        if matches!(pending.change, Change::Update) {
            // The winner's commit renewed the group's secret as well; the own path follows at its next time.
            return;
        }
        self.wishes.push_front(pending.change);
        fx.tell(ErrorCode::E2e03);
    }

    /// The server refused the commit about this participant. False when none is under way for it.
    pub(in crate::session) fn on_refused(&mut self, about: ParticipantId, code: ErrorCode, fx: &mut Effects) -> bool {
        match &self.pending {
            Some(Pending { change: Change::Admit { participant, .. }, .. }) if *participant == about => {
                self.group.abandon_pending();
                if let Some(Pending { change: Change::Admit { participant, guest, .. }, .. }) = self.pending.take() {
                    fx.returned = Some((participant, guest));
                }
                fx.tell(code);
                self.advance(fx);
                true
            }
            Some(Pending { change: Change::AdmitStaff { participant, .. }, .. }) if *participant == about => {
                // It still waits, with the same key package.
                self.withdraw(code, fx);
                true
            }
            Some(Pending { change: Change::HandOver { participant, .. }, .. }) if *participant == about => {
                self.withdraw(ErrorCode::Hof01, fx);
                true
            }
            // The server has not heard that it left: a host will take it out.
            Some(Pending { change: Change::Remove { key, request: Some(_), .. }, .. })
                if self.participants.get(key) == Some(&about) && !self.is_host() =>
            {
                self.group.abandon_pending();
                self.pending = None;
                self.advance(fx);
                true
            }
            // Its leaf still holds keys: the commit goes out without naming it to the server.
            Some(Pending { change: change @ Change::Remove { key, .. }, bundle })
                if self.participants.get(key) == Some(&about) =>
            {
                self.participants.remove(key);
                self.send_bundle(change, bundle, fx);
                true
            }
            _ => false,
        }
    }

    /// The log is in a later epoch than something that was sent.
    pub(in crate::session) fn on_conflict(&mut self, epoch: u64, fx: &mut Effects) {
        if epoch < self.group.epoch() {
            // The server began a new log: it lost this room. Nothing of ours fits there any more.
            self.online = false;
            self.lost = true;
            return fx.tell(ErrorCode::Net08);
        }
        self.log_epoch = self.log_epoch.max(epoch);
        if self.pending.as_ref().is_some_and(|pending| pending.bundle.epoch < epoch)
            && let Some(pending) = self.pending.take()
        {
            self.retry(pending, fx);
        }
        if self.group.epoch() < epoch {
            // The winner's entry is missing: ask, and send again after it came.
            self.outbox.iter_mut().for_each(|message| message.in_flight = false);
            fx.send(ClientMessage::Replay { after: self.log.last().unwrap_or(0) });
        } else {
            self.advance(fx);
        }
    }

    /// Sends what can be sent now: a commit first, then messages while none is in flight.
    pub(super) fn advance(&mut self, fx: &mut Effects) {
        if !self.online || self.resend_at.is_some() || !self.group.is_active() || self.group.epoch() < self.log_epoch {
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
            Change::Readmit { guest, .. } => self.group.readmit(guest),
            Change::AdmitStaff { request, at, .. } => self.group.admit_staff(*at, request),
            Change::ReadmitStaff { request, at, .. } => self.group.readmit_staff(*at, request),
            Change::Update => self.group.update(),
            Change::HandOver { device, .. } => self.group.set_hosts(&[*device]),
            Change::StepIn => self.group.step_in(),
            Change::HostAlone => self.host_alone(),
            Change::Remove { key, request, .. } => match self.leaf_of(key) {
                Some(leaf) => match request {
                    Some(request) if !self.is_host() => self.group.remove_leaver(leaf, request.as_bytes()),
                    _ => self.group.remove(leaf),
                },
                // Somebody else removed it first.
                None => return self.watch.on_removed_already(),
            },
        };
        match made {
            Ok(bundle) => {
                self.send_bundle(&change, &bundle, fx);
                self.pending = Some(Pending { change, bundle });
            }
            Err(error) => {
                tracing::error!(%error, "a change of the group could not be made");
                match change {
                    // Who asked to come back and is none of us hears nothing; and a host that is gone needs no word.
                    Change::Readmit { .. } | Change::ReadmitStaff { .. } | Change::HostAlone => {}
                    Change::HandOver { .. } | Change::StepIn => fx.tell(ErrorCode::Hof01),
                    _ => fx.tell(ErrorCode::E2e05),
                }
                if let Change::Admit { participant, guest, .. } = change {
                    fx.returned = Some((participant, guest));
                }
            }
        }
    }

    pub(super) fn send_bundle(&self, change: &Change, bundle: &Bundle, fx: &mut Effects) {
        let (epoch, commit) = (bundle.epoch, Opaque::new(bundle.commit.clone()));
        match change {
            Change::Admit { participant, .. }
            | Change::AdmitStaff { participant, .. }
            | Change::Readmit { participant, .. }
            | Change::ReadmitStaff { participant, .. } => fx.send(ClientMessage::Admit {
                participant: *participant,
                epoch,
                commit,
                welcome: Opaque::new(bundle.welcome.clone().unwrap_or_default()),
                invite_psk: bundle.invite_psk.clone().map(Opaque::new),
            }),
            Change::Remove { key, .. } => {
                let intent = self
                    .participants
                    .get(key)
                    .map_or(CommitIntent::Update, |participant| CommitIntent::Remove { participant: *participant });
                fx.send(ClientMessage::Commit { epoch, commit, intent });
            }
            Change::HandOver { participant, .. } => {
                let intent = CommitIntent::HandOver { participant: *participant };
                fx.send(ClientMessage::Commit { epoch, commit, intent });
            }
            Change::StepIn => fx.send(ClientMessage::Commit { epoch, commit, intent: CommitIntent::StepIn }),
            Change::Update | Change::HostAlone => {
                fx.send(ClientMessage::Commit { epoch, commit, intent: CommitIntent::Update });
            }
        }
    }
}

/// Whether the log went on with this commit while this group could not: others may be in an epoch that it never reaches.
///
/// What is no message of this group at all (a stranger's external commit among it) is not of that kind: it is dropped,
/// told once, and the call goes on.
fn leaves_behind(error: &GroupError) -> bool {
    matches!(
        error,
        GroupError::MissingPsk | GroupError::ForgedEcho | GroupError::Undecryptable | GroupError::FutureEpoch
    )
}
