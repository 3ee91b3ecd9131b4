//! One member of the call: its group, its engine, and what it knows of the others.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crypto::{CallGroup, GuestInvitation, LeafIndex, VerifiedGuest};
use media::codec::VideoCodec;
use media::process::background::Background;
use media::process::echo::VoiceProcessing;
use media::source::VideoSourceSpec;
use media::{
    AudioSourceSpec, Bitrate, Engine, EngineConfig, EngineEvent, EpochSwitch, SpeakerSpec, VideoFormat, VoiceStep,
};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::ledger::Ledger;
use crate::thief::Thief;

/// Steps of voice frames that may wait for the ledger: seconds of them.
const STEPS: usize = 16_384;

/// When a sender switches after an Add or an Update (E2EE 7).
const SWITCH: Duration = Duration::from_millis(500);

/// Which member, in the order of coming. Not used twice.
pub(crate) type Id = usize;

/// A change of the group that a member wants.
pub(crate) enum Change {
    Admit(Id, Box<VerifiedGuest>),
    Remove([u8; 32]),
    Update,
}

/// See the module.
pub(crate) struct Member {
    /// None until the Welcome came.
    pub(crate) group: Option<CallGroup>,
    /// None once the Welcome was used.
    pub(crate) invitation: Option<GuestInvitation>,
    pub(crate) engine: Engine,
    /// The others by their leaf.
    pub(crate) peers: BTreeMap<u8, Id>,
    /// One way to the server.
    pub(crate) way: Duration,
    pub(crate) wishes: VecDeque<Change>,
    pub(crate) pending: Option<Change>,
    /// The later epoch that a host spoke of, until it is reached.
    pub(crate) later: Option<u64>,
    /// Where its keys go instead of its engine.
    pub(crate) thief: Option<Arc<Mutex<Thief>>>,
    ledger: Arc<Mutex<Ledger>>,
    reader: JoinHandle<()>,
    events: JoinHandle<()>,
}

impl Member {
    /// Starts its engine; `tell` gets the engine's events.
    pub(crate) fn start(
        id: Id,
        video: bool,
        way: Duration,
        tell: mpsc::Sender<(Id, EngineEvent)>,
    ) -> Result<Self, Failure> {
        let (engine, mut events) = Engine::start(config(id, video), &Handle::current())?;
        let (steps, mut read) = mpsc::channel::<VoiceStep>(STEPS);
        engine.follow_voices(steps);
        let ledger = Arc::<Mutex<Ledger>>::default();
        let book = Arc::clone(&ledger);
        let reader = tokio::spawn(async move {
            while let Some(step) = read.recv().await {
                lock(&book).note(step);
            }
        });
        let events = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if tell.send((id, event)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            group: None,
            invitation: None,
            engine,
            peers: BTreeMap::new(),
            way,
            wishes: VecDeque::new(),
            pending: None,
            later: None,
            thief: None,
            ledger,
            reader,
            events,
        })
    }

    /// Takes the keys of the epoch that its group just reached.
    pub(crate) fn take_keys(&mut self, at_once: bool) -> Result<(), Failure> {
        let group = self.group.as_mut().ok_or("no group")?;
        let keys = group.media_keys()?;
        lock(&self.ledger).epoch(group.epoch());
        match &self.thief {
            Some(thief) => lock(thief).take(keys),
            None => {
                let switch = if at_once { EpochSwitch::Now } else { EpochSwitch::Within(SWITCH) };
                self.engine.install_epoch(keys, switch)?;
            }
        }
        Ok(())
    }

    pub(crate) fn drop_peer(&mut self, leaf: LeafIndex) -> Result<(), Failure> {
        if self.peers.remove(&leaf.as_u8()).is_some() {
            self.engine.remove_peer(leaf)?;
            lock(&self.ledger).close(leaf.as_u8());
        }
        Ok(())
    }

    pub(crate) fn add_peer(
        &mut self,
        leaf: LeafIndex,
        id: Id,
        role: media::transport::TransportRole,
    ) -> Result<(), Failure> {
        self.peers.insert(leaf.as_u8(), id);
        lock(&self.ledger).open(leaf.as_u8());
        Ok(self.engine.add_peer(leaf, role)?)
    }

    /// Says nothing more.
    pub(crate) fn hush(&self) {
        self.engine.hold(true);
        lock(&self.ledger).hush();
    }

    /// Ends its accounts: what comes from now on does not count.
    pub(crate) fn close_accounts(&self) {
        lock(&self.ledger).close_all();
    }

    pub(crate) fn key(&self) -> Option<[u8; 32]> {
        self.group.as_ref()?.members().into_iter().find(|member| member.own).map(|member| member.signature_key)
    }

    /// Stops its engine; the task gives what it wrote down.
    pub(crate) fn stop(self) -> JoinHandle<Arc<Mutex<Ledger>>> {
        self.close_accounts();
        let Self { engine, ledger, reader, events, .. } = self;
        tokio::spawn(async move {
            engine.stop().await;
            // Both end with the engine; a panic in them was reported on its own.
            reader.await.ok();
            events.await.ok();
            ledger
        })
    }
}

/// A voice, and a small picture if asked for: what is sealed before a Remove may wait in the pacer behind it.
fn config(id: Id, video: bool) -> EngineConfig {
    let variant = id as u8;
    EngineConfig {
        video: video.then_some(VideoSourceSpec::TestPattern { variant }),
        audio: AudioSourceSpec::Voice { variant },
        speaker: SpeakerSpec::Null,
        format: VideoFormat { width: 320, height: 180, fps: 15 },
        video_bitrate: Bitrate::kbps(200),
        codec: VideoCodec::H264,
        background: Background::Shown,
        voice_processing: VoiceProcessing::NONE,
        bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        wake: None,
        warm_up: Duration::ZERO,
        assessor: false,
        relay_only: false,
        dump: None,
        timeline: None,
        skew_ppm: 0,
    }
}

/// No holder panics halfway through a change.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
