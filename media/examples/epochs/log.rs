//! What the members make of the log: commits until their echo, epochs, and a host that is ahead.

use std::sync::Arc;
use std::time::Duration;

use crypto::{Bundle, HeartbeatVerdict, Inbound, LeafIndex, LogEntry};
use media::transport::TransportRole;
use tokio::time::Instant;

use crate::Failure;
use crate::clinic::NOW;
use crate::member::{Change, Id};
use crate::world::{Action, HOST, World};

/// Nobody seals on for longer in a group whose host is in a later epoch (E2EE 5).
const WITHHELD: Duration = Duration::from_secs(1);

/// One place of the log.
pub(crate) struct Entry {
    by: Id,
    bundle: Bundle,
    newcomer: Option<Id>,
    leaver: Option<Id>,
}

impl World {
    /// Makes the next commit of a member that wants one and waits for none.
    pub(crate) fn advance(&mut self, id: Id) -> Result<(), Failure> {
        let member = self.members.get_mut(&id).ok_or("no such member")?;
        let Some(group) = member.group.as_mut().filter(|_| member.pending.is_none()) else {
            return Ok(());
        };
        let Some(change) = member.wishes.pop_front() else {
            return Ok(());
        };
        let (mut newcomer, mut leaver) = (None, None);
        let bundle = match &change {
            Change::Admit(id, guest) => {
                newcomer = Some(*id);
                group.admit(guest)?
            }
            Change::Remove(key) => {
                let leaf = group.members().into_iter().find(|member| member.signature_key == *key);
                leaver = self.by_key.get(key).copied();
                group.remove(leaf.ok_or("nobody to remove")?.leaf)?
            }
            Change::Update => group.update()?,
        };
        member.pending = Some(change);
        let way = member.way;
        self.plan(way, Action::Submit(Entry { by: id, bundle, newcomer, leaver }));
        Ok(())
    }

    /// The log's compare-and-set. A loser learns of it by the winner's entry.
    pub(crate) fn submit(&mut self, entry: Entry) {
        if entry.bundle.epoch != self.epochs {
            return;
        }
        self.epochs += 1;
        let entry = Arc::new(entry);
        self.present.extend(entry.newcomer);
        for id in self.present.clone() {
            match self.members.get(&id) {
                Some(_) if self.withheld == Some(id) => self.kept_back.push(Arc::clone(&entry)),
                Some(member) => self.plan(member.way, Action::Deliver(id, Arc::clone(&entry))),
                None => {}
            }
        }
        self.present.retain(|id| entry.leaver != Some(*id));
    }

    pub(crate) fn deliver(&mut self, to: Id, entry: &Entry) -> Result<(), Failure> {
        let Some(member) = self.members.get_mut(&to) else {
            return Ok(());
        };
        let Some(group) = &mut member.group else {
            return self.join(to, entry);
        };
        let Bundle { commit, invite_psk, .. } = &entry.bundle;
        let inbound = group.handle(NOW, LogEntry::Commit { commit, invite_psk: invite_psk.as_deref() })?;
        let Inbound::Epoch { added, removed, self_removed, .. } = inbound else {
            return Err("a commit led to no epoch".into());
        };
        if self_removed {
            // Nobody who was removed talks on; what a thief does with its keys is its own.
            member.engine.hold(true);
            member.close_accounts();
            return Ok(());
        }
        let alone = member.peers.is_empty();
        for leaf in &removed {
            member.drop_peer(*leaf)?;
        }
        match member.pending.take() {
            // The winner's commit renewed the group's secret as well.
            Some(Change::Update) | None => {}
            Some(change) if entry.by != to => member.wishes.push_front(change),
            Some(_) => {}
        }
        self.reached(to, alone || !removed.is_empty())?;
        if let (Some(leaf), Some(newcomer)) = (added.first(), entry.newcomer) {
            self.member(to)?.add_peer(*leaf, newcomer, TransportRole::Answer)?;
        }
        if to == HOST && !removed.is_empty() && self.beats() {
            // As the client does: who was kept from the Remove hears of its epoch at once, past the log.
            self.start_beats()?;
        }
        self.advance(to)
    }

    fn join(&mut self, to: Id, entry: &Entry) -> Result<(), Failure> {
        let member = self.member(to)?;
        let welcome = entry.bundle.welcome.as_deref().ok_or("no Welcome")?;
        let group = member.invitation.take().ok_or("no invitation")?.join(NOW, welcome)?;
        let others = group.members();
        member.group = Some(group);
        self.reached(to, true)?;
        for other in others.into_iter().filter(|other| !other.own) {
            let id = *self.by_key.get(&other.signature_key).ok_or("a member that nobody knows")?;
            self.member(to)?.add_peer(other.leaf, id, TransportRole::Offer)?;
        }
        Ok(())
    }

    /// A member came to a new epoch: its keys, and whether it is everybody's.
    pub(crate) fn reached(&mut self, id: Id, at_once: bool) -> Result<(), Failure> {
        let member = self.member(id)?;
        member.take_keys(at_once)?;
        let group = member.group.as_ref().ok_or("no group")?;
        let (epoch, authenticator) = (group.epoch(), group.authenticator());
        if member.later.is_some_and(|later| later <= epoch) {
            member.later = None;
            member.engine.hold(false);
        }
        if let Some(key) = member.key() {
            self.by_key.insert(key, id);
        }
        self.forks += u64::from(*self.authenticators.entry(epoch).or_insert(authenticator) != authenticator);
        Ok(())
    }

    pub(crate) fn on_heartbeat(&mut self, id: Id, peer: LeafIndex, bytes: &[u8]) -> Result<(), Failure> {
        let member = self.member(id)?;
        let Some(Ok(heard)) = member.group.as_mut().map(|group| group.check_heartbeat(peer, bytes)) else {
            return Ok(());
        };
        match heard.verdict {
            HeartbeatVerdict::Newer(epoch) if member.later.is_none() => {
                member.later = Some(epoch);
                self.warned = Some(Instant::now());
                self.plan(WITHHELD, Action::HoldLate(id, epoch));
            }
            HeartbeatVerdict::Partition => self.forks += 1,
            _ => {}
        }
        Ok(())
    }
}
