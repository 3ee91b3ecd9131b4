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

mod commit;
mod disclose;
mod leaving;
mod seat;
mod talk;
mod tend;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use crypto::{Bundle, CallGroup, DevicePublicKey, LeafIndex, MediaCounters, VerifiedGuest};
use media::transport::TransportRole;
use signaling::protocol::{ClientMessage, Opaque, ParticipantId};
use zeroize::Zeroizing;

use super::effect::{Mark, MediaCommand, Now, Output};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::log::Log;
use super::message::Sources;
use super::peer::Peer;
use super::safety::Safety;
use super::view::Held;
use crate::disclosure::HeardCommitment;
use crate::private::Private;
use leaving::Leaver;
use watch::Watch;

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

/// Longest pause that the server may ask for, in seconds: it holds back every own message.
const BUSY_PAUSE: u32 = 10;

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
    /// Bring a member back that lost its group, in place of its old leaf.
    Readmit {
        /// Its id at the server.
        participant: ParticipantId,
        /// What it proved.
        guest: Box<VerifiedGuest>,
    },
    /// Let a colleague in, by its certificate.
    AdmitStaff {
        /// Its id at the server.
        participant: ParticipantId,
        /// Its key package.
        request: Vec<u8>,
        /// Unix seconds of the click.
        at: u64,
    },
    /// Bring a colleague back that lost its group; its certificate is its proof.
    ReadmitStaff {
        /// Its id at the server.
        participant: ParticipantId,
        /// Its new key package.
        request: Vec<u8>,
        /// Unix seconds of its request.
        at: u64,
    },
    /// Take a member out.
    Remove {
        /// Signature key of its leaf.
        key: [u8; 32],
        /// What it is called, since it is cut off at once and the roster lists it on.
        name: Option<Private>,
        /// It asked for that, signed: so may be taken out by whoever is no host.
        request: Option<Opaque>,
    },
    /// Let a colleague run the consultation, and no longer this side.
    HandOver {
        /// Its id at the server, where the host's seat moves with the commit.
        participant: ParticipantId,
        /// Its device.
        device: DevicePublicKey,
    },
    /// Run the consultation beside a host that was lost.
    StepIn,
    /// Take that host off the list: there is one seat at the door.
    HostAlone,
    /// Renew the own path: it heals the group's secrecy.
    Update,
}

#[derive(Debug)]
struct Pending {
    change: Change,
    bundle: Bundle,
}

/// An own message until its echo.
struct Outgoing {
    data: Zeroizing<Vec<u8>>,
    in_flight: bool,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes, in flight: {})", self.data.len(), self.in_flight)
    }
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
    /// Members who asked to be taken out, by a host first.
    leavers: BTreeMap<[u8; 32], Leaver>,
    safety: Safety,
    watch: Watch,
    /// What the others committed to, in assessor mode.
    commitments: Vec<HeardCommitment>,
    /// Frames sealed in this epoch, as the engine counted last.
    pub sealed: MediaCounters,
    /// When the own path is renewed next.
    update_at: Duration,
    online: bool,
    resend_at: Option<Duration>,
    /// Epoch that the log is in, as far as the server said: nothing is sent before the group is there too.
    log_epoch: u64,
    negotiations: u64,
    own_name: Option<Private>,
    sources: Sources,
    /// Whose windows are shown here: those of who hosts.
    sharers: BTreeSet<u8>,
    /// The server has another log than this group's: media go on, nobody can join, nothing can be said.
    lost: bool,
    /// A change by nobody of this call was told: once, or a server could fill the screen.
    outsider_told: bool,
    /// A guest came with a link that the server knows.
    pub must_compare: bool,
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
    pub(super) fn join(
        now: Now,
        group: CallGroup,
        seq: u64,
        name: Private,
        sources: Sources,
        fx: &mut Effects,
    ) -> Self {
        let mut room = Self::new(now, group, Log::after(seq), Some(name), sources);
        room.online = true;
        // What stopped the sending in an earlier group says nothing about this one.
        fx.media(MediaCommand::Hold(false));
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
        let mut room = Self {
            group,
            own_key,
            log,
            outbox: VecDeque::new(),
            pending: None,
            wishes: VecDeque::new(),
            peers: BTreeMap::new(),
            participants: BTreeMap::new(),
            leavers: BTreeMap::new(),
            safety: Safety::default(),
            watch: Watch::new(now.since_start),
            commitments: Vec::new(),
            sealed: MediaCounters::default(),
            update_at: now.since_start,
            online: false,
            resend_at: None,
            log_epoch: 0,
            negotiations: 0,
            own_name,
            sources,
            sharers: BTreeSet::new(),
            lost: false,
            outsider_told: false,
            must_compare: false,
            keyed: false,
            started_at: now.unix,
        };
        room.plan_update(now.since_start);
        room
    }

    /// The group, to be named in an invitation exchange and shown in the roster.
    pub(super) fn group(&self) -> &CallGroup {
        &self.group
    }

    /// The group, for a test that lets a member misbehave.
    #[cfg(test)]
    pub(super) fn group_mut(&mut self) -> &mut CallGroup {
        &mut self.group
    }

    /// What the other side of a leaf said of itself; `None` for the own leaf.
    pub(super) fn peer(&self, leaf: LeafIndex) -> Option<&Peer> {
        self.peers.get(&leaf.as_u8())
    }

    /// All other members.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// Why nothing is sent.
    pub(super) fn held(&self) -> Option<Held> {
        self.watch.held()
    }

    /// When to look again at the latest.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        self.watch.wake_at()
    }

    /// Number of the last entry of the log that was taken.
    pub(super) fn last_seq(&self) -> u64 {
        self.log.last().unwrap_or(0)
    }

    /// Whether the server lost this room.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// The spoken check.
    pub(super) fn safety(&self) -> &Safety {
        &self.safety
    }

    /// The live connection is back and the server knows the room: fetch what was missed.
    pub(super) fn on_online(&mut self, now: Now, fx: &mut Effects) {
        if self.lost {
            return fx.tell(ErrorCode::Net08);
        }
        self.online = true;
        self.log_epoch = 0;
        // A first commit may have won although its echo never came: the log tells, from its beginning.
        let logged = self.log.last().or_else(|| self.pending.as_ref().map(|_| 0));
        if let Some(after) = logged {
            fx.send(ClientMessage::Replay { after });
        }
        // What never left needs no answer of the log.
        let unsure = self.pending.is_some() || self.outbox.iter().any(|message| message.in_flight);
        self.resend_at = Some(now.since_start + if logged.is_some() && unsure { REPLAY_TIME } else { Duration::ZERO });
        self.tick(now, fx);
    }

    /// The live connection is lost; media go on without it.
    pub(super) fn on_offline(&mut self) {
        self.online = false;
    }

    /// Wishes for a change of the group; false when too many wait.
    pub(super) fn wish(&mut self, now: Now, mut change: Change, fx: &mut Effects) -> bool {
        if self.wishes.len() >= WISHES {
            return false;
        }
        if let Change::Remove { key, name, request } = &mut change {
            // Fail closed: the person is cut off on the click, not on the commit.
            let peer = self.peers.values().find(|peer| peer.key == *key);
            *name = peer.and_then(|peer| peer.name.clone()).or_else(|| name.take());
            let gone: Vec<u8> = self.peers.iter().filter(|(_, peer)| peer.key == *key).map(|(leaf, _)| *leaf).collect();
            gone.into_iter().for_each(|leaf| self.drop_peer(leaf, fx));
            if request.is_none() {
                self.watch.on_remove(now.since_start);
            }
        }
        self.wishes.push_back(change);
        self.advance(fx);
        true
    }

    /// Whether this guest's admission waits or is under way.
    pub(super) fn is_admitting(&self, guest: ParticipantId) -> bool {
        let is = |change: &Change| match change {
            Change::Admit { participant, .. } | Change::AdmitStaff { participant, .. } => *participant == guest,
            _ => false,
        };
        self.wishes.iter().any(is) || self.pending.as_ref().is_some_and(|pending| is(&pending.change))
    }

    /// Whether no change of the group waits or is under way.
    pub(super) fn is_settled(&self) -> bool {
        self.wishes.is_empty() && self.pending.is_none()
    }

    /// The server dropped what was sent last and says when to send it again.
    pub(super) fn on_busy(&mut self, now: Now, retry_after_s: Option<u32>) {
        if self.pending.as_ref().is_some_and(|pending| matches!(pending.change, Change::Update)) {
            // It can wait, and everything else must not wait for it.
            self.group.abandon_pending();
            self.pending = None;
            self.plan_update(now.since_start);
        }
        let pause = Duration::from_secs(retry_after_s.unwrap_or(1).clamp(1, BUSY_PAUSE).into());
        self.resend_at = Some(now.since_start + pause);
    }

    /// Whether the group's policy lets this side run the consultation.
    pub(super) fn is_host(&self) -> bool {
        self.group.members().iter().any(|member| member.own && member.hosts)
    }

    fn name_of(&self, leaf: LeafIndex) -> Option<Private> {
        let certified =
            self.group.members().into_iter().find(|member| member.leaf == leaf).and_then(|member| member.name);
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
        // Whoever gets this leaf next is asked for anew.
        self.sharers.remove(&leaf);
    }

    fn take_keys(&mut self, at_once: bool, fx: &mut Effects) {
        match self.group.media_keys() {
            Ok(keys) => {
                self.keyed = true;
                fx.out.push(Output::Mark(Mark::Epoch));
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
