//! The engine: everything between the devices and the peers of one call.
//!
//! One rule of use: start it, listen to its events, and [`Engine::stop`] it; it captures at once (device check, lobby)
//! but sends nothing before it has both an epoch's keys and a connected peer.
//!
//! ```text
//!               start ─→ add_peer / install_epoch (any order) ─→ Connected ─→ FirstAudio, FirstVideo ─→ … ─→ stop
//!                  └──── self_view, levels, set_camera, set_microphone: at any time ────────────────────────┘
//! ```

mod error;
mod event;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crypto::{LeafIndex, MediaCounters, MediaKeys};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

pub use self::error::EngineError;
pub use self::event::EngineEvent;
use crate::codec::VideoCodec;
use crate::frame::{VideoFormat, VideoFrame};
use crate::pipeline::{Command, Shared, lock};
use crate::playout::SpeakerSpec;
use crate::process::background::Background;
use crate::process::echo::VoiceProcessing;
use crate::slot::Slot;
use crate::source::VideoSourceSpec;
use crate::source::audio::AudioSourceSpec;
use crate::stats::{MediaStats, PeerMedia};
use crate::time::{Bitrate, MediaTime};
use crate::transport::{MAX_HEARTBEAT_BYTES, MediaKind, Relay, Signal, SrtpKeys, Transport, TransportRole};

/// Called on a media thread whenever a new picture lies in a slot: must return at once and never block.
/// The window's coalescing repaint request goes here.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What to capture, how to send it, where to play.
#[derive(Clone)]
pub struct EngineConfig {
    /// Where pictures come from; `None` sends no video until [`Engine::set_video_source`] names a source.
    pub video: Option<VideoSourceSpec>,
    /// What others see behind the person, from the first picture on.
    pub background: Background,
    /// Where the voice comes from.
    pub audio: AudioSourceSpec,
    /// Where the other voices go.
    pub speaker: SpeakerSpec,
    /// Size and frame rate asked of the video source.
    pub format: VideoFormat,
    /// Upper bound of the video bitrate.
    pub video_bitrate: Bitrate,
    /// Codec of the own video; both are always decoded.
    pub codec: VideoCodec,
    /// Steps on the own voice. None for measuring, music and heart sounds.
    pub voice_processing: VoiceProcessing,
    /// Local addresses to gather candidates on; empty means every interface.
    pub bind: Vec<IpAddr>,
    /// Only relayed paths, so that nobody in the call learns this computer's address.
    pub relay_only: bool,
    /// Keeps the keys of SRTP for [`Engine::srtp_keys`]. Only for a call whose policy has the assessor flag.
    pub assessor: bool,
    /// Called when a picture was put into the self view or a peer's slot.
    pub wake: Option<Wake>,
    /// Statistics begin anew this long after the first peer is connected; zero counts everything.
    pub warm_up: Duration,
    /// Lab only: folder for every 10th received picture and the played sound.
    #[cfg(feature = "lab")]
    pub dump: Option<std::path::PathBuf>,
    /// Lab only: file for what was shown and heard, moment by moment.
    #[cfg(feature = "lab")]
    pub timeline: Option<std::path::PathBuf>,
    /// A stand-in's sound clock runs faster by so many millionths.
    #[cfg(feature = "lab")]
    pub skew_ppm: i32,
}

/// When the own media changes to a new epoch's keys. Opening keys are installed at once in both cases.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EpochSwitch {
    /// Immediately: somebody was removed.
    Now,
    /// After this time, so that everybody has the new keys: somebody was added, or keys were renewed.
    Within(Duration),
}

/// Sound levels for meters, in dB relative to full scale: −127 (silence) to 0.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Own microphone after processing, also while muted, so that "you are muted" can be told.
    pub microphone_dbov: f32,
    /// What was last played of each peer.
    pub peers: Vec<(LeafIndex, f32)>,
}

/// One call's media: devices, codecs, keys and peers. See the module for its rule.
///
/// All methods but [`Engine::stop`] return at once. Dropping it without `stop` ends the threads as well, but does not
/// wait for them.
pub struct Engine {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    transport: Arc<Transport>,
    threads: Vec<JoinHandle<()>>,
    actor: tokio::task::JoinHandle<()>,
}

impl Engine {
    /// Opens the devices and starts the threads `video-send`, `screen-send`, `video-receive` and `audio`. A device that fails is
    /// reported as [`EngineEvent::Device`], and the engine runs without it.
    ///
    /// The event channel holds 1,024 events; an owner that lets it fill loses further ones.
    ///
    /// # Errors
    /// [`EngineError::Thread`] when the machine cannot start a thread.
    pub fn start(config: EngineConfig, runtime: &Handle) -> Result<(Self, mpsc::Receiver<EngineEvent>), EngineError> {
        let pipeline = crate::pipeline::start(config, runtime)?;
        let engine = Self {
            commands: pipeline.commands,
            shared: pipeline.shared,
            transport: pipeline.transport,
            threads: pipeline.threads,
            actor: pipeline.actor,
        };
        Ok((engine, pipeline.events))
    }

    /// Takes a new epoch's keys: opening keys at once (the old ones stay valid for 2 s, with [`EpochSwitch::Now`] 0.5 s), sealing keys as `switch` says,
    /// then with a key frame.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Stopped`].
    pub fn install_epoch(&self, keys: MediaKeys, switch: EpochSwitch) -> Result<(), EngineError> {
        self.command(Command::InstallEpoch(Box::new(keys), switch))
    }

    /// Makes the association with a member. Signals follow as events. Adding a peer twice does nothing.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Stopped`].
    pub fn add_peer(&self, peer: LeafIndex, role: TransportRole) -> Result<(), EngineError> {
        self.shared.add_peer(peer);
        self.command(Command::AddPeer(peer, role))
    }

    /// Makes the association with a member anew, under the same keys: after an outage, or when the member itself began anew.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Stopped`].
    pub fn restart_peer(&self, peer: LeafIndex, role: TransportRole) -> Result<(), EngineError> {
        self.command(Command::RestartPeer(peer, role))
    }

    /// Ends the association with a member; its picture is gone at once, frames of it are dropped.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Stopped`].
    pub fn remove_peer(&self, peer: LeafIndex) -> Result<(), EngineError> {
        self.shared.remove_peer(peer);
        self.command(Command::RemovePeer(peer))
    }

    /// Hands on what the peer's transport said. The caller vouches that it came in an MLS message of exactly this leaf.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Stopped`].
    pub fn signal(&self, peer: LeafIndex, signal: Signal) -> Result<(), EngineError> {
        self.command(Command::Signal(peer, signal))
    }

    /// The relays of associations that are made from now on; those that stand keep theirs.
    pub fn set_relays(&self, relays: Vec<Relay>) {
        self.transport.set_relays(relays);
    }

    /// Sends a signed statement of `crypto::CallGroup::heartbeat` to every connected peer, each over its own association, so
    /// that it arrives even where the server withholds the log. It overtakes commands that wait; one may get lost.
    ///
    /// # Errors
    /// [`EngineError::HeartbeatLength`], [`EngineError::Stopped`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a statement is said once; the signature leaves room for a queue"
    )]
    pub fn heartbeat(&self, bytes: Vec<u8>) -> Result<(), EngineError> {
        if bytes.is_empty() || bytes.len() > MAX_HEARTBEAT_BYTES {
            return Err(EngineError::HeartbeatLength(bytes.len()));
        }
        if self.commands.is_closed() {
            return Err(EngineError::Stopped);
        }
        self.transport.send_heartbeat(&bytes);
        Ok(())
    }

    /// Frames sealed in the newest epoch that was installed: zero until its keys are switched to.
    #[must_use]
    pub fn sealed(&self) -> MediaCounters {
        self.shared.sealed()
    }

    /// Holds back the own media, or releases it. While held nothing is sealed and nothing new is sent, from the next frame on;
    /// what was sealed before may still be on its way for the pacer's 400 ms. Devices stay open, opening goes on, new epochs
    /// are installed and do not release it. The first picture afterwards is a key frame.
    pub fn hold(&self, held: bool) {
        self.shared.hold(held);
    }

    /// Keys of SRTP of every association so far (at most the latest 256), for the assessor of a call that was made for one: with
    /// them a capture taken outside opens down to the sealed frames. Empty unless the engine was started with
    /// [`EngineConfig::assessor`]; the recorder is not even built in then.
    #[must_use]
    pub fn srtp_keys(&self) -> Vec<SrtpKeys> {
        self.transport.srtp_keys()
    }

    /// Mutes or opens the microphone. Takes effect with the next 10 ms: a muted voice is replaced by silence before it
    /// reaches the encoder.
    pub fn set_microphone(&self, on: bool) {
        self.shared.set_microphone(on);
    }

    /// Switches the camera. Off closes the device and empties the self view; nothing is sent until it is on again.
    pub fn set_camera(&self, on: bool) {
        self.shared.source_of(MediaKind::Video).switch(on);
    }

    /// Another camera, without a new negotiation; the same one again after it failed; `None` for none.
    pub fn set_video_source(&self, source: Option<VideoSourceSpec>) {
        self.shared.source_of(MediaKind::Video).set(source);
    }

    /// Shares a window, or another one; `None` ends it. A window that is closed ends it as well, see
    /// [`EngineEvent::ScreenEnded`].
    pub fn share_screen(&self, window: Option<VideoSourceSpec>) {
        self.shared.source_of(MediaKind::Screen).set(window);
    }

    /// Whether windows that this peer shares are shown. Nobody's are until this is said: what is not allowed is dropped unseen,
    /// whatever the peer's own client lets it do.
    pub fn allow_screen(&self, peer: LeafIndex, allowed: bool) {
        if let Some(peer) = self.shared.peer(peer) {
            peer.allow_screen(allowed);
        }
    }

    /// The shared window as the others see it. Look, do not take.
    #[must_use]
    pub fn screen_view(&self) -> Arc<Slot<VideoFrame>> {
        Arc::clone(&self.shared.screen_view)
    }

    /// The window that a peer shares, as [`Engine::picture_of`].
    #[must_use]
    pub fn screen_of(&self, peer: LeafIndex) -> Option<Arc<Slot<VideoFrame>>> {
        self.shared.peer(peer).map(|peer| Arc::clone(&peer.screen))
    }

    /// What others see behind the person, from the next picture on. While it cannot be shown so, an outline of a person is sent
    /// instead ([`EngineEvent::BackgroundFailed`]), never the room.
    pub fn set_background(&self, background: Background) {
        self.shared.set_background(background);
    }

    /// Another microphone; the same one again after it failed.
    pub fn set_audio_source(&self, source: AudioSourceSpec) {
        self.shared.wish_sound(|wishes| wishes.source = Some(source));
    }

    /// Another loudspeaker; the same one again after it failed.
    pub fn set_speaker(&self, speaker: SpeakerSpec) {
        self.shared.wish_sound(|wishes| wishes.speaker = Some(speaker));
    }

    /// Other steps on the own voice, from the next 10 ms on.
    pub fn set_voice_processing(&self, steps: VoiceProcessing) {
        self.shared.wish_sound(|wishes| wishes.processing = Some(steps));
    }

    /// Plays a chime of 0.6 s on the own speaker, to nobody else: somebody is at the door.
    pub fn chime(&self) {
        self.shared.ring();
    }

    /// Own pictures as they are sent. Look with [`Slot::latest`] and [`Slot::version`]; do not take.
    #[must_use]
    pub fn self_view(&self) -> Arc<Slot<VideoFrame>> {
        Arc::clone(&self.shared.self_view)
    }

    /// A peer's pictures, newest wins, in time with its voice. Look with [`Slot::latest`] and [`Slot::version`];
    /// do not take. `None` for a peer that was not added. Closed when the peer is removed.
    #[must_use]
    pub fn picture_of(&self, peer: LeafIndex) -> Option<Arc<Slot<VideoFrame>>> {
        self.shared.peer(peer).map(|peer| Arc::clone(&peer.picture))
    }

    /// Sound levels of the last 100 ms.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.shared.levels()
    }

    /// What was counted since the start or the last [`Engine::mark_steady`].
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        let now = MediaTime::now();
        self.shared.read_transport(&self.transport);
        let sent = lock(&self.shared.sent);
        let mut stats = MediaStats {
            window: sent.window(now),
            video_sent: sent.video_summary(),
            audio_sent: sent.audio_summary(),
            peers: Vec::new(),
        };
        drop(sent);
        for peer in self.shared.peers() {
            let meter = lock(&peer.meter);
            stats.peers.push(PeerMedia {
                peer: peer.leaf,
                video: meter.video_summary(),
                audio: meter.audio_summary(),
                undecryptable_frames: meter.undecryptable,
                retransmissions: meter.retransmissions(),
                round_trip_ms: meter.round_trip_ms(),
                path: meter.path(),
            });
        }
        stats
    }

    /// Begins the statistics anew, so that set-up is left out.
    pub fn mark_steady(&self) {
        self.shared.read_transport(&self.transport);
        self.shared.mark_steady(MediaTime::now());
    }

    /// Stops capture and playback, closes devices and associations, and returns when every thread has ended.
    pub async fn stop(self) -> MediaStats {
        let stats = self.stats();
        self.shared.stop();
        drop(self.commands);
        // A failed join is a thread that panicked: it has ended, and its panic was reported on its own.
        self.actor.await.ok();
        tokio::task::spawn_blocking(move || {
            for thread in self.threads {
                thread.join().ok();
            }
        })
        .await
        .ok();
        stats
    }

    fn command(&self, command: Command) -> Result<(), EngineError> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => EngineError::Overloaded,
            TrySendError::Closed(_) => EngineError::Stopped,
        })
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("video", &self.video)
            .field("audio", &self.audio)
            .field("speaker", &self.speaker)
            .field("format", &self.format)
            .field("codec", &self.codec)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

#[cfg(feature = "lab")]
mod lab;
#[cfg(test)]
#[path = "../examples/loopback_call/members.rs"]
pub(crate) mod members;
#[cfg(test)]
mod tests;
