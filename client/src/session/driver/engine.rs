//! The driver's hand on the media engine.

mod devices;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::codec::VideoCodec;
use media::process::echo::VoiceProcessing;
use media::source::VideoSourceSpec;
use media::transport::Relay;
use media::{
    AudioSourceSpec, Bitrate, Engine, EngineConfig, EngineError, EngineEvent, EpochSwitch, MediaStats, SpeakerSpec,
    VideoFormat,
};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Done;
use super::relay::relays;
use crate::health::HealthBook;
use crate::preferences::{BackgroundChoice, Preferences};
use crate::session::{Device, DeviceState, Input, MediaCommand};
use crate::{Pictures, Waker};

/// A device that has not failed by then works. Sound servers answer within 200 ms.
const SETTLED: Duration = Duration::from_millis(600);
/// Old members seal under the old keys for so long after an Add (E2EE 7).
const SWITCH: Duration = Duration::from_millis(500);

/// Where pictures and sound come from and go to.
#[derive(Clone, Debug)]
pub struct MediaOptions {
    /// Pictures; `None` sends none.
    pub video: Option<VideoSourceSpec>,
    /// Voice.
    pub audio: AudioSourceSpec,
    /// Loudspeaker.
    pub speaker: SpeakerSpec,
    /// Upper bound of the video bitrate.
    pub bitrate: Bitrate,
    /// Codec of the own pictures.
    pub codec: VideoCodec,
    /// Steps on the own voice.
    pub voice_processing: VoiceProcessing,
    /// What others see behind the person; `None` is what was chosen last time.
    pub background: Option<BackgroundChoice>,
    /// Local addresses for candidates; empty means all but loopback.
    pub bind: Vec<IpAddr>,
    /// Only relayed paths, so that nobody in the call learns this computer's address.
    pub relay_only: bool,
    /// What only a build with the feature `lab` does.
    pub aids: Aids,
}

/// Measuring aids. A build without the feature `lab` has none.
#[derive(Clone, Debug, Default)]
pub struct Aids {
    /// Folder for what was received.
    #[cfg(feature = "lab")]
    pub dump: Option<std::path::PathBuf>,
    /// File for what was shown and heard, moment by moment.
    #[cfg(feature = "lab")]
    pub timeline: Option<std::path::PathBuf>,
    /// A stand-in's sound clock runs faster by so many millionths.
    #[cfg(feature = "lab")]
    pub skew_ppm: i32,
    /// Gets a copy of every RTP payload, as it is without SRTP.
    #[cfg(feature = "lab")]
    pub tap: Option<mpsc::Sender<bytes::Bytes>>,
    /// Spoils the own frames on their way out.
    #[cfg(feature = "lab")]
    pub spoil: Option<media::transport::Spoil>,
}

/// The running engine, if there is one.
pub(super) struct MediaHand {
    options: MediaOptions,
    pictures: Pictures,
    wake: Waker,
    runtime: Handle,
    engine: Option<Engine>,
    events: Option<mpsc::Receiver<EngineEvent>>,
    started: Instant,
    /// Camera, microphone, speaker: still to be told, and from when on that they work.
    untold: [Option<Instant>; 3],
    /// Which of them the person chose: the system's takes the place of one that is gone.
    chosen: [bool; 3],
    /// Stops under way.
    stopping: usize,
    /// A start was asked for while the devices of the last engine were still closing.
    start_again: bool,
    /// Those of the practice whose room was entered last.
    relays: Vec<Relay>,
    background: BackgroundChoice,
    /// The keys of the transport are kept for the disclosure.
    assessor: bool,
    broken: bool,
    health: HealthBook,
}

impl MediaHand {
    pub(super) fn new(
        asked: MediaOptions,
        preferences: &Preferences,
        background: BackgroundChoice,
        pictures: Pictures,
        wake: Waker,
        runtime: Handle,
    ) -> Self {
        let started = Instant::now();
        let options = preferences.applied_to(asked.clone());
        // What was asked for at the start is no choice of the person: it is opened, or its absence is told.
        let chosen = [options.video != asked.video, options.audio != asked.audio, options.speaker != asked.speaker];
        Self {
            options,
            pictures,
            wake,
            runtime,
            engine: None,
            events: None,
            started,
            untold: [None; 3],
            chosen,
            stopping: 0,
            start_again: false,
            relays: Vec::new(),
            background,
            assessor: false,
            broken: false,
            health: HealthBook::default(),
        }
    }

    /// The next event of the running engine.
    pub(super) async fn event(&mut self) -> EngineEvent {
        loop {
            let event = super::next(&mut self.events).await;
            if let EngineEvent::Device(error) = &event
                && self.failed(error)
            {
                continue;
            }
            return event;
        }
    }

    /// What was counted of a peer goes with it: take it before the peer, or the engine, goes.
    pub(super) fn before(&self, command: &MediaCommand) -> Option<MediaStats> {
        match command {
            MediaCommand::RemovePeer(_) => self.engine.as_ref().map(Engine::stats),
            _ => None,
        }
    }

    pub(super) fn perform(&mut self, command: MediaCommand, done: &mpsc::Sender<Done>) {
        let command = match command {
            MediaCommand::Start { assessor } => {
                self.assessor = assessor;
                return self.start(done);
            }
            MediaCommand::Stop => return self.stop(done),
            MediaCommand::Relays(told) => {
                self.relays = relays(told);
                if let Some(engine) = &self.engine {
                    engine.set_relays(self.relays.clone());
                }
                return;
            }
            MediaCommand::LookForWindows => return self.look_for_windows(done),
            MediaCommand::LookForDevices => return self.look_for_devices(done),
            MediaCommand::Use(device, id) => return self.use_device(device, id),
            MediaCommand::Background(choice) => {
                // Also for the engine that starts next.
                self.background = choice;
                command
            }
            command => command,
        };
        let Some(engine) = &self.engine else {
            tracing::debug!("a media command without an engine was dropped");
            return;
        };
        let outcome: Result<(), EngineError> = match command {
            MediaCommand::InstallEpoch { keys, at_once } => {
                engine.install_epoch(*keys, if at_once { EpochSwitch::Now } else { EpochSwitch::Within(SWITCH) })
            }
            MediaCommand::AddPeer(leaf, role) => {
                let added = engine.add_peer(leaf, role);
                self.pictures.set_remote(u32::from(leaf.as_u8()), engine.picture_of(leaf));
                added
            }
            MediaCommand::RestartPeer(leaf, role) => engine.restart_peer(leaf, role),
            MediaCommand::RemovePeer(leaf) => {
                self.pictures.set_remote(u32::from(leaf.as_u8()), None);
                self.pictures.set_remote_screen(u32::from(leaf.as_u8()), None);
                engine.remove_peer(leaf)
            }
            MediaCommand::Signal(leaf, signal) => engine.signal(leaf, signal),
            MediaCommand::Microphone(on) => {
                engine.set_microphone(on);
                Ok(())
            }
            MediaCommand::Camera(on) => {
                engine.set_camera(on);
                Ok(())
            }
            MediaCommand::Share(window) => {
                engine.share_screen(window.map(VideoSourceSpec::Window));
                self.pictures.set_screen(window.map(|_| engine.screen_view()));
                Ok(())
            }
            MediaCommand::MayShare(leaf, may) => {
                engine.allow_screen(leaf, may);
                self.pictures.set_remote_screen(leaf.as_u8().into(), engine.screen_of(leaf).filter(|_| may));
                Ok(())
            }
            MediaCommand::Background(choice) => {
                engine.set_background(choice.as_media());
                Ok(())
            }
            MediaCommand::Chime => {
                engine.chime();
                Ok(())
            }
            MediaCommand::Heartbeat(bytes) => engine.heartbeat(bytes),
            MediaCommand::Hold(held) => {
                engine.hold(held);
                Ok(())
            }
            MediaCommand::Start { .. }
            | MediaCommand::Stop
            | MediaCommand::Relays(_)
            | MediaCommand::LookForDevices
            | MediaCommand::LookForWindows
            | MediaCommand::Use(..) => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "the media engine did not take a command");
            self.broken = true;
        }
    }

    /// Whether the engine has not taken a command since this was asked last.
    pub(super) fn take_broken(&mut self) -> bool {
        std::mem::take(&mut self.broken)
    }

    /// Frames sealed under the keys in use.
    pub(super) fn sealed(&self) -> Option<crypto::MediaCounters> {
        self.engine.as_ref().map(Engine::sealed)
    }

    /// Keys of SRTP of every association so far, in an assessor call.
    pub(super) fn srtp_keys(&self) -> Vec<media::transport::SrtpKeys> {
        self.engine.as_ref().map(Engine::srtp_keys).unwrap_or_default()
    }

    /// Takes over what the engine counted, for whoever looks at it.
    fn look_at_health(&mut self) {
        let health = self.engine.as_ref().map(|engine| self.health.add(self.started.elapsed(), engine.stats()));
        self.pictures.set_health(health.map(Arc::new));
    }

    /// What the engine had counted when that was looked at last.
    pub(super) fn counted(&self) -> Option<&MediaStats> {
        self.health.newest()
    }

    /// Whether a stop is under way.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping > 0
    }

    /// The stop is done: every device is closed, and may be opened again.
    pub(super) fn stopped(&mut self, done: &mpsc::Sender<Done>) {
        self.stopping = self.stopping.saturating_sub(1);
        if self.stopping == 0 && std::mem::take(&mut self.start_again) {
            self.start(done);
        }
    }

    /// Stops and waits; `None` when nothing ran.
    pub(super) async fn stop_now(&mut self) -> Option<MediaStats> {
        self.pictures.clear();
        self.events = None;
        self.start_again = false;
        let engine = self.engine.take()?;
        Some(engine.stop().await)
    }

    fn start(&mut self, done: &mpsc::Sender<Done>) {
        if self.engine.is_some() {
            return;
        }
        if self.is_stopping() {
            self.start_again = true;
            return;
        }
        let wake = self.wake.clone();
        let config = EngineConfig {
            video: self.options.video.clone(),
            audio: self.options.audio.clone(),
            speaker: self.options.speaker.clone(),
            format: VideoFormat::HD,
            video_bitrate: self.options.bitrate,
            codec: self.options.codec,
            background: self.background.as_media(),
            voice_processing: self.options.voice_processing,
            bind: self.options.bind.clone(),
            assessor: self.assessor,
            relay_only: self.options.relay_only,
            wake: Some(Arc::new(move || wake.wake())),
            warm_up: crate::report::WARM_UP,
            #[cfg(feature = "lab")]
            dump: self.options.aids.dump.clone(),
            #[cfg(feature = "lab")]
            timeline: self.options.aids.timeline.clone(),
            #[cfg(feature = "lab")]
            skew_ppm: self.options.aids.skew_ppm,
        };
        let mut off = Vec::new();
        match Engine::start(config, &self.runtime) {
            Ok((engine, events)) => {
                engine.set_relays(self.relays.clone());
                self.started = Instant::now();
                let (now, settled) = (self.started, self.started + SETTLED);
                let (video, audio) = (self.options.video.is_some(), self.options.audio != AudioSourceSpec::None);
                self.untold = [video.then_some(now), audio.then_some(settled), Some(settled)];
                self.pictures.set_own(video.then(|| engine.self_view()));
                #[cfg(feature = "lab")]
                {
                    if let Some(tap) = &self.options.aids.tap {
                        engine.tap(tap.clone());
                    }
                    if let Some(spoil) = self.options.aids.spoil {
                        engine.spoil(spoil);
                    }
                }
                self.engine = Some(engine);
                self.events = Some(events);
                if self.options.video.is_none() {
                    off.push(Device::Camera);
                }
                if self.options.audio == AudioSourceSpec::None {
                    off.push(Device::Microphone);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the media engine did not start");
                off = vec![Device::Camera, Device::Microphone, Device::Speaker];
            }
        }
        for device in off {
            // Three at most, in a queue of many.
            done.try_send(Done::Input(Input::Device(device, DeviceState::Off))).ok();
        }
    }

    fn stop(&mut self, done: &mpsc::Sender<Done>) {
        self.relays.clear();
        self.health.clear();
        self.pictures.clear();
        self.events = None;
        self.start_again = false;
        self.stopping += 1;
        let (engine, done) = (self.engine.take(), done.clone());
        self.runtime.spawn(async move {
            let stats = match engine {
                Some(engine) => engine.stop().await,
                None => MediaStats::default(),
            };
            // Without a driver nobody waits for it.
            done.send(Done::MediaStopped(Box::new(stats))).await.ok();
        });
    }
}
