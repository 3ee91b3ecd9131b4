//! What the engine's handle and its threads share: switches, peers, sealing keys on their way, levels and counters.
//!
//! Locks are held for a few loads and stores, never across a codec, a device or a wait.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::{LeafIndex, MediaCounters};
use tokio::sync::mpsc;

use super::keys::KeyInbox;
use super::meters::{PeerMeter, SentMeter};
use super::wish::SourceWish;
use crate::engine::{EngineEvent, Levels, Wake};
use crate::frame::VideoFrame;
use crate::playout::SpeakerSpec;
use crate::process::background::Background;
use crate::process::echo::VoiceProcessing;
use crate::slot::Slot;
use crate::source::VideoSourceSpec;
use crate::source::audio::AudioSourceSpec;
use crate::time::MediaTime;
use crate::transport::{MediaKind, PeerId, Transport};

/// Shared by handle, actor and threads.
pub(crate) struct Shared {
    stopped: AtomicBool,
    held: AtomicBool,
    microphone: AtomicBool,
    chime: AtomicBool,
    camera: SourceWish,
    screen: SourceWish,
    background: Mutex<Background>,
    sound: Mutex<SoundWishes>,
    /// Peers whose association is up.
    pub(crate) connected: AtomicUsize,
    /// Pictures are paused: the path carries the voice alone.
    paused: AtomicBool,
    /// The next own picture must be a key frame: the camera's, the shared window's.
    key_wanted: [AtomicBool; 2],
    pub(crate) self_view: Arc<Slot<VideoFrame>>,
    /// The shared window as the others see it.
    pub(crate) screen_view: Arc<Slot<VideoFrame>>,
    pub(crate) audio_keys: KeyInbox,
    pub(crate) video_keys: KeyInbox,
    pub(crate) screen_keys: KeyInbox,
    pub(crate) own_level: Level,
    pub(crate) sent: Mutex<SentMeter>,
    peers: Mutex<Vec<Arc<Peer>>>,
    events: mpsc::Sender<EngineEvent>,
    wake: Option<Wake>,
    /// Who is told of each voice frame.
    #[cfg(feature = "lab")]
    pub(crate) voices: std::sync::OnceLock<mpsc::Sender<super::VoiceStep>>,
}

/// What the owner wishes of the sound devices anew.
#[derive(Default)]
pub(crate) struct SoundWishes {
    pub(crate) source: Option<AudioSourceSpec>,
    pub(crate) speaker: Option<SpeakerSpec>,
    pub(crate) processing: Option<VoiceProcessing>,
}

/// One member as the threads see it. A member that left and another that took its leaf are two of these.
pub(crate) struct Peer {
    pub(crate) leaf: LeafIndex,
    /// Its picture for the screen.
    pub(crate) picture: Arc<Slot<VideoFrame>>,
    /// The window that it shares.
    pub(crate) screen: Arc<Slot<VideoFrame>>,
    pub(crate) level: Level,
    pub(crate) meter: Mutex<PeerMeter>,
    pub(crate) connected: AtomicBool,
    gone: AtomicBool,
    /// Locked while a picture of its window comes or goes, so that none is seen once it may no more.
    may_share: Mutex<bool>,
    /// The video thread lost frames of it and waits for a key frame: of its camera, of its window.
    gaps: [AtomicBool; 2],
    voice_delay: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        events: mpsc::Sender<EngineEvent>,
        wake: Option<Wake>,
        video: Option<VideoSourceSpec>,
        background: Background,
    ) -> Self {
        Self {
            stopped: AtomicBool::new(false),
            held: AtomicBool::new(false),
            microphone: AtomicBool::new(true),
            chime: AtomicBool::new(false),
            camera: SourceWish::new(video),
            screen: SourceWish::new(None),
            background: Mutex::new(background),
            sound: Mutex::default(),
            connected: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            key_wanted: Default::default(),
            self_view: Arc::default(),
            screen_view: Arc::default(),
            audio_keys: KeyInbox::default(),
            video_keys: KeyInbox::default(),
            screen_keys: KeyInbox::default(),
            own_level: Level::default(),
            sent: Mutex::default(),
            peers: Mutex::default(),
            events,
            wake,
            #[cfg(feature = "lab")]
            voices: std::sync::OnceLock::new(),
        }
    }

    /// Adds a member unless it is there.
    pub(crate) fn add_peer(&self, leaf: LeafIndex) {
        let mut peers = lock(&self.peers);
        if peers.iter().all(|peer| peer.leaf != leaf) {
            peers.push(Arc::new(Peer::new(leaf)));
        }
    }

    /// Removes a member: its picture closes, and the threads drop what they keep of it.
    pub(crate) fn remove_peer(&self, leaf: LeafIndex) {
        lock(&self.peers).retain(|peer| {
            let stays = peer.leaf != leaf;
            if !stays {
                peer.gone.store(true, Ordering::Release);
                peer.picture.close();
                peer.screen.close();
                self.set_connected(peer, false);
            }
            stays
        });
    }

    pub(crate) fn peer(&self, leaf: LeafIndex) -> Option<Arc<Peer>> {
        lock(&self.peers).iter().find(|peer| peer.leaf == leaf).cloned()
    }

    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        lock(&self.peers).clone()
    }

    /// Notes that the association of a peer came up or broke.
    pub(crate) fn set_connected(&self, peer: &Peer, up: bool) {
        if peer.connected.swap(up, Ordering::AcqRel) != up {
            if up {
                self.connected.fetch_add(1, Ordering::AcqRel);
                self.want_key_frames();
            } else {
                self.connected.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    pub(crate) fn anyone_listens(&self) -> bool {
        self.connected.load(Ordering::Acquire) > 0
    }

    /// Tells the owner when pictures are paused for want of bandwidth, and when they go on.
    pub(crate) fn tell_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::AcqRel) != paused {
            self.tell(if paused { EngineEvent::VideoPaused } else { EngineEvent::VideoResumed });
        }
    }

    /// Asks for a chime from the own speaker; while one is asked for, another changes nothing.
    pub(crate) fn ring(&self) {
        self.chime.store(true, Ordering::Release);
    }

    pub(crate) fn take_chime(&self) -> bool {
        self.chime.swap(false, Ordering::AcqRel)
    }

    /// Holds back or releases what is sent. The first picture after it is a key frame.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
        if !held {
            self.want_key_frames();
        }
    }

    fn want_key_frames(&self) {
        self.want_key_frame(MediaKind::Video);
        self.want_key_frame(MediaKind::Screen);
    }

    /// The next own picture of this kind must be a key frame.
    pub(crate) fn want_key_frame(&self, kind: MediaKind) {
        self.key_wanted[kind.picture()].store(true, Ordering::Release);
    }

    pub(crate) fn take_key_wanted(&self, kind: MediaKind) -> bool {
        self.key_wanted[kind.picture()].swap(false, Ordering::AcqRel)
    }

    pub(crate) fn held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Frames sealed in the newest epoch.
    pub(crate) fn sealed(&self) -> MediaCounters {
        MediaCounters {
            audio: self.audio_keys.sealed(),
            video: self.video_keys.sealed(),
            screen: self.screen_keys.sealed(),
            data: 0,
        }
    }

    pub(crate) fn set_microphone(&self, on: bool) {
        self.microphone.store(on, Ordering::Release);
    }

    pub(crate) fn microphone(&self) -> bool {
        self.microphone.load(Ordering::Acquire)
    }

    /// The wish for the source of these pictures.
    pub(crate) const fn source_of(&self, kind: MediaKind) -> &SourceWish {
        match kind {
            MediaKind::Screen => &self.screen,
            MediaKind::Audio | MediaKind::Video => &self.camera,
        }
    }

    /// Whether a window is shared.
    pub(crate) fn is_sharing(&self) -> bool {
        self.screen.is_wanted()
    }

    pub(crate) fn set_background(&self, background: Background) {
        *lock(&self.background) = background;
    }

    /// Notes a wish for the audio thread; a later one of the same kind takes the place of the earlier one.
    pub(crate) fn wish_sound(&self, wish: impl FnOnce(&mut SoundWishes)) {
        wish(&mut lock(&self.sound));
    }

    /// What was wished since this was asked last.
    pub(crate) fn take_sound_wishes(&self) -> SoundWishes {
        std::mem::take(&mut *lock(&self.sound))
    }

    pub(crate) fn background(&self) -> Background {
        lock(&self.background).clone()
    }

    pub(crate) fn levels(&self) -> Levels {
        Levels {
            microphone_dbov: self.own_level.load(),
            peers: self.peers().iter().map(|peer| (peer.leaf, peer.level.load())).collect(),
        }
    }

    /// Takes over the transport's counters.
    pub(crate) fn read_transport(&self, transport: &Transport) {
        for peer in self.peers() {
            if let Some(stats) = transport.stats(PeerId(peer.leaf.as_u8().into())) {
                lock(&peer.meter).transport(&stats);
            }
        }
    }

    pub(crate) fn mark_steady(&self, now: MediaTime) {
        lock(&self.sent).mark(now);
        for peer in self.peers() {
            lock(&peer.meter).mark();
        }
    }

    /// Tells the owner. An owner that left 1,024 events unread loses this one.
    pub(crate) fn tell(&self, event: EngineEvent) {
        if self.events.try_send(event).is_err() && !self.stopped() {
            tracing::warn!("the owner of the media engine does not read its events");
        }
    }

    pub(crate) fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.camera.stop();
        self.screen.stop();
        self.self_view.close();
        self.screen_view.close();
        for peer in self.peers() {
            peer.picture.close();
            peer.screen.close();
        }
    }
}

impl Peer {
    fn new(leaf: LeafIndex) -> Self {
        Self {
            leaf,
            picture: Arc::default(),
            screen: Arc::default(),
            level: Level::default(),
            meter: Mutex::default(),
            connected: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            may_share: Mutex::new(false),
            gaps: Default::default(),
            voice_delay: AtomicU64::new(NO_VOICE),
        }
    }

    /// Where it is noted that pictures of this kind are missing.
    pub(crate) const fn gap(&self, kind: MediaKind) -> &AtomicBool {
        &self.gaps[kind.picture()]
    }

    pub(crate) fn allow_screen(&self, allowed: bool) {
        let mut may_share = lock(&self.may_share);
        *may_share = allowed;
        if !allowed {
            self.screen.clear();
        }
    }

    pub(crate) fn may_share(&self) -> bool {
        *lock(&self.may_share)
    }

    /// Shows a picture of its window if it may share at this moment.
    pub(crate) fn show_screen(&self, picture: VideoFrame) {
        let may_share = lock(&self.may_share);
        if *may_share {
            self.screen.put(picture);
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// From capture (sender's clock) to the loudspeaker (own clock), or `None` while its voice is silent.
    pub(crate) fn set_voice_delay(&self, played: Option<(MediaTime, MediaTime)>) {
        let micros = played.map_or(NO_VOICE, |(captured, heard)| heard.as_micros().wrapping_sub(captured.as_micros()));
        self.voice_delay.store(micros, Ordering::Release);
    }

    /// When a picture captured then (sender's clock) belongs on the screen (own clock), by its voice.
    pub(crate) fn due_by_voice(&self, captured: MediaTime) -> Option<MediaTime> {
        let micros = self.voice_delay.load(Ordering::Acquire);
        (micros != NO_VOICE).then(|| MediaTime::from_micros(captured.as_micros().wrapping_add(micros)))
    }
}

const NO_VOICE: u64 = u64::MAX;

/// A level in dB relative to full scale.
pub(crate) struct Level(AtomicU32);

impl Level {
    pub(crate) fn store(&self, dbov: f32) {
        self.0.store(dbov.to_bits(), Ordering::Relaxed);
    }

    fn load(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(AtomicU32::new((-127.0_f32).to_bits()))
    }
}

/// No holder leaves the value half changed, so a panic elsewhere does not make it unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
