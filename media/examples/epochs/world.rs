//! The call: members, the ordered log between them, and the paths of their media.
//!
//! The log takes a commit only in its own epoch, and brings every entry to every member after that member's way to the
//! server. It can withhold entries from one member. Signals of the transports take two such ways; that they would be
//! sealed in the log as well is left out, as is the server's fairness between members.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crypto::LeafIndex;
use media::EngineEvent;
use media::transport::{Signal, TransportRole};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::clinic::Clinic;
use crate::ledger::{Balance, Ledger};
use crate::log::Entry;
use crate::member::{Change, Id, Member, lock};
use crate::path::{Link, Network};
use crate::thief::Thief;

/// Events of all engines that may wait.
const EVENTS: usize = 8_192;

/// A host seals nothing in the old epoch after so long without the echo of its Remove; a heartbeat goes out so often
/// (E2EE 5).
const REMOVING: Duration = Duration::from_millis(300);
/// From a failed association to its new beginning: both sides know of it by then.
const AGAIN: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);
const BEAT: Duration = Duration::from_secs(5);

/// The member who hosts, at leaf 0.
pub(crate) const HOST: Id = 0;

/// What happens at its time.
pub(crate) enum Action {
    Submit(Entry),
    Deliver(Id, Arc<Entry>),
    Signal {
        from: Id,
        to: Id,
        signal: Signal,
    },
    Beat,
    /// An association that failed is made anew on both sides.
    Again(Id, Id),
    /// The host seals on only if this member is out.
    HoldHost([u8; 32]),
    /// The member seals on only if it reached this epoch.
    HoldLate(Id, u64),
}

/// See the module.
pub(crate) struct World {
    pub(crate) members: BTreeMap<Id, Member>,
    /// Entries are withheld from this one until it is set to none.
    pub(crate) withheld: Option<Id>,
    /// When a member first heard of an epoch that it does not have.
    pub(crate) warned: Option<Instant>,
    /// Pairs (member, other) whose association stands at the member.
    pub(crate) connected: BTreeSet<(Id, Id)>,
    /// Pairs that failed to connect and wait for a new beginning, and how many began anew.
    failed: BTreeSet<(Id, Id)>,
    pub(crate) restarts: u64,
    /// Epochs that the log passed.
    pub(crate) epochs: u64,
    /// Members that came to another secret in the same epoch, and heartbeats that said so.
    pub(crate) forks: u64,
    /// Added to a member's way to the server, in turn.
    pub(crate) skew: &'static [i32],
    clinic: Clinic,
    network: Network,
    agenda: BTreeMap<(Instant, u64), Action>,
    planned: u64,
    pub(crate) kept_back: Vec<Arc<Entry>>,
    /// Members in the eyes of the log.
    pub(crate) present: BTreeSet<Id>,
    links: HashMap<(Id, Id), Link>,
    pub(crate) authenticators: HashMap<u64, [u8; 48]>,
    pub(crate) by_key: HashMap<[u8; 32], Id>,
    next: Id,
    leaving: Vec<JoinHandle<Arc<Mutex<Ledger>>>>,
    tell: mpsc::Sender<(Id, EngineEvent)>,
    events: mpsc::Receiver<(Id, EngineEvent)>,
}

impl World {
    /// A call with its host alone.
    pub(crate) fn open(network: Network, video: bool) -> Result<Self, Failure> {
        let (tell, events) = mpsc::channel(EVENTS);
        let mut world = Self {
            members: BTreeMap::new(),
            withheld: None,
            warned: None,
            connected: BTreeSet::new(),
            failed: BTreeSet::new(),
            restarts: 0,
            epochs: 0,
            forks: 0,
            skew: &[0],
            leaving: Vec::new(),
            clinic: Clinic::new()?,
            network,
            agenda: BTreeMap::new(),
            planned: 0,
            kept_back: Vec::new(),
            present: BTreeSet::new(),
            links: HashMap::new(),
            authenticators: HashMap::new(),
            by_key: HashMap::new(),
            next: HOST,
            tell,
            events,
        };
        let host = world.seat(video)?;
        let group = world.clinic.open()?;
        world.member(host)?.group = Some(group);
        world.present.insert(host);
        world.reached(host, true)?;
        Ok(world)
    }

    /// The host admits somebody, who gets `thief`'s ears if there is one.
    pub(crate) fn admit(&mut self, video: bool, thief: Option<&Arc<Mutex<Thief>>>) -> Result<Id, Failure> {
        let id = self.seat(video)?;
        let host = self.members.get(&HOST).and_then(|host| host.group.as_ref()).ok_or("no host")?;
        let (invitation, verified) = self.clinic.lobby(host)?;
        let member = self.member(id)?;
        member.invitation = Some(invitation);
        member.thief = thief.cloned();
        self.wish(HOST, Change::Admit(id, Box::new(verified)))?;
        Ok(id)
    }

    /// The host's click: the association is closed at once, the commit goes to the log.
    pub(crate) fn remove(&mut self, id: Id) -> Result<(), Failure> {
        let key = self.member(id)?.key().ok_or("not in the call yet")?;
        let host = self.member(HOST)?;
        let leaf = host.peers.iter().find(|(_, peer)| **peer == id).map(|(leaf, _)| *leaf);
        if let Some(leaf) = leaf.and_then(|leaf| LeafIndex::new(leaf.into())) {
            host.drop_peer(leaf)?;
        }
        self.plan(REMOVING, Action::HoldHost(key));
        self.wish(HOST, Change::Remove(key))
    }

    pub(crate) fn wish(&mut self, id: Id, change: Change) -> Result<(), Failure> {
        self.member(id)?.wishes.push_back(change);
        self.advance(id)
    }

    /// Whether the host's heartbeats go out.
    pub(crate) fn beats(&self) -> bool {
        self.agenda.values().any(|action| matches!(action, Action::Beat))
    }

    /// The host's heartbeats begin, or begin anew, now.
    pub(crate) fn start_beats(&mut self) -> Result<(), Failure> {
        self.agenda.retain(|_, action| !matches!(action, Action::Beat));
        self.perform(Action::Beat)
    }

    /// The log gives out what it withheld.
    pub(crate) fn release(&mut self) {
        if let Some(id) = self.withheld.take() {
            for entry in std::mem::take(&mut self.kept_back) {
                self.plan(self.network.one_way, Action::Deliver(id, entry));
            }
        }
    }

    /// Lets the call go on for so long.
    pub(crate) async fn run(&mut self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        loop {
            let due = self.agenda.first_key_value().map(|((due, _), _)| *due).filter(|due| *due <= end);
            if due.is_some_and(|due| due <= Instant::now()) {
                if let Some((_, action)) = self.agenda.pop_first() {
                    self.perform(action)?;
                }
                continue;
            }
            tokio::select! {
                Some((id, event)) = self.events.recv() => self.on_event(id, event).await?,
                () = sleep_until(due.unwrap_or(end)) => if due.is_none() {
                    return Ok(());
                },
            }
        }
    }

    /// Lets the call go on until each of `ids` is connected with each other one; true if that took at most `limit`.
    pub(crate) async fn connect(&mut self, ids: &[Id], limit: Duration) -> Result<bool, Failure> {
        let end = Instant::now() + limit;
        let connected =
            |world: &Self| ids.iter().all(|a| ids.iter().all(|b| a == b || world.connected.contains(&(*a, *b))));
        while !connected(self) && Instant::now() < end {
            self.run(Duration::from_millis(20)).await?;
        }
        Ok(connected(self))
    }

    /// Takes a member out of the world; its engine ends beside the call.
    pub(crate) fn stop(&mut self, id: Id) -> Result<(), Failure> {
        let member = self.members.remove(&id).ok_or("no such member")?;
        self.present.remove(&id);
        self.connected.retain(|(a, b)| *a != id && *b != id);
        self.links.retain(|(a, b), _| *a != id && *b != id);
        self.leaving.push(member.stop());
        Ok(())
    }

    /// Ends the call and gives what all who were in it wrote down.
    pub(crate) async fn close(mut self) -> Result<Balance, Failure> {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.stop(id)?;
        }
        let mut balance = Balance::default();
        for leaving in self.leaving {
            let ledger = leaving.await?;
            lock(&ledger).settle(&mut balance);
        }
        Ok(balance)
    }

    /// Whether all members are in the same epoch with the same secret.
    pub(crate) fn agree(&self) -> bool {
        let mut views = self.members.values().map(|member| member.group.as_ref().map(crypto::CallGroup::authenticator));
        let first = views.next().flatten();
        first.is_some() && views.all(|view| view == first)
    }

    /// Nobody speaks any more; what is under way arrives. Then everybody's accounts close.
    pub(crate) async fn hush(&mut self, time: Duration) -> Result<(), Failure> {
        self.members.values().for_each(Member::hush);
        self.run(time).await?;
        self.members.values().for_each(Member::close_accounts);
        Ok(())
    }

    /// Engines begin their statistics anew.
    pub(crate) fn steady(&self) {
        self.members.values().for_each(|member| member.engine.mark_steady());
    }

    /// Most of a voice that somebody's loudspeaker had to invent since then, in per cent.
    pub(crate) fn concealed(&self) -> f64 {
        let voices = self.members.values().flat_map(|member| member.engine.stats().peers);
        voices.map(|peer| peer.audio.concealed_ratio * 100.0).fold(0.0, f64::max)
    }

    /// As the host's first association measured it last.
    pub(crate) fn round_trip_ms(&self) -> f64 {
        let stats = self.members.get(&HOST).map(|host| host.engine.stats());
        stats.and_then(|stats| stats.peers.first()?.round_trip_ms).unwrap_or_default()
    }

    /// Engine and place of somebody new, not in the group yet.
    fn seat(&mut self, video: bool) -> Result<Id, Failure> {
        let id = self.next;
        self.next += 1;
        let skew = self.skew.get(id % self.skew.len()).copied().unwrap_or_default();
        let millis = i64::try_from(self.network.one_way.as_millis())? + i64::from(skew);
        let way = Duration::from_millis(u64::try_from(millis)?);
        self.members.insert(id, Member::start(id, video, way, self.tell.clone())?);
        Ok(id)
    }

    pub(crate) fn member(&mut self, id: Id) -> Result<&mut Member, Failure> {
        self.members.get_mut(&id).ok_or_else(|| "no such member".into())
    }

    pub(crate) fn plan(&mut self, after: Duration, action: Action) {
        self.planned += 1;
        self.agenda.insert((Instant::now() + after, self.planned), action);
    }

    fn perform(&mut self, action: Action) -> Result<(), Failure> {
        match action {
            Action::Submit(entry) => self.submit(entry),
            Action::Deliver(to, entry) => return self.deliver(to, &entry),
            Action::Signal { from, to, signal } => {
                if let Some(member) = self.members.get(&to)
                    && let Some((leaf, _)) = member.peers.iter().find(|(_, id)| **id == from)
                    && let Some(leaf) = LeafIndex::new(u32::from(*leaf))
                {
                    member.engine.signal(leaf, signal)?;
                }
            }
            Action::Beat => {
                let host = self.member(HOST)?;
                let sealed = host.engine.sealed();
                let beat = host.group.as_mut().ok_or("no host")?.heartbeat(sealed)?;
                host.engine.heartbeat(beat)?;
                self.plan(BEAT, Action::Beat);
            }
            Action::HoldHost(key) => {
                let host = self.member(HOST)?;
                let members = host.group.as_ref().map(crypto::CallGroup::members).unwrap_or_default();
                let inside = members.iter().any(|member| member.signature_key == key);
                host.engine.hold(inside);
                if inside {
                    self.plan(LOOK, action);
                }
            }
            Action::Again(id, other) => {
                self.failed.remove(&(id, other));
                self.restarts += 1;
                for (id, other) in [(id, other), (other, id)] {
                    if let Some(member) = self.members.get(&id)
                        && let Some((leaf, _)) = member.peers.iter().find(|(_, peer)| **peer == other)
                        && let Some(leaf) = LeafIndex::new(u32::from(*leaf))
                    {
                        let role = if id > other { TransportRole::Offer } else { TransportRole::Answer };
                        member.engine.restart_peer(leaf, role)?;
                    }
                }
            }
            Action::HoldLate(id, epoch) => {
                if let Some(member) = self.members.get(&id) {
                    member.engine.hold(member.group.as_ref().is_some_and(|group| group.epoch() < epoch));
                }
            }
        }
        Ok(())
    }

    async fn on_event(&mut self, id: Id, event: EngineEvent) -> Result<(), Failure> {
        let peer_of = |world: &Self, leaf: LeafIndex| world.members.get(&id)?.peers.get(&leaf.as_u8()).copied();
        match event {
            EngineEvent::Signal { peer, signal } => {
                if let Some(to) = peer_of(self, peer) {
                    self.send_signal(id, to, signal).await?;
                }
            }
            EngineEvent::Connected { peer, .. } => {
                self.connected.extend(peer_of(self, peer).map(|other| (id, other)));
            }
            EngineEvent::Refused { peer, .. } => {
                if let Some(other) = peer_of(self, peer).filter(|other| !self.failed.contains(&(*other, id))) {
                    self.failed.insert((id, other));
                    self.plan(AGAIN, Action::Again(id, other));
                }
            }
            EngineEvent::Heartbeat { peer, bytes } => self.on_heartbeat(id, peer, &bytes)?,
            EngineEvent::Device(error) => return Err(error.into()),
            _ => {}
        }
        Ok(())
    }

    async fn send_signal(&mut self, from: Id, to: Id, signal: Signal) -> Result<(), Failure> {
        let pair = (from.min(to), from.max(to));
        if !self.links.contains_key(&pair) {
            let link = Link::new(self.network, (pair.0 * 1_000 + pair.1) as u64).await?;
            self.links.insert(pair, link);
        }
        let passed = self.links.get(&pair).and_then(|link| link.pass(usize::from(from > to), signal));
        let ways = [from, to].iter().filter_map(|id| self.members.get(id)).map(|member| member.way).sum();
        if let Some(signal) = passed {
            self.plan(ways, Action::Signal { from, to, signal });
        }
        Ok(())
    }
}
