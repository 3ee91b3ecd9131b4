//! Wires the stages of a call together; owns the threads and the bounded channels between them.
//!
//! ```text
//!  capture slot ─→ video-send ────┐                              ┌─→ video-receive ─→ picture slots, wake
//!  (newest wins)  encode, seal    ├─→ transport ─→ peers ─→ actor ┤
//!  sound source ─→ audio ─────────┘                 open frames   └─→ audio ─→ mix ─→ ring ─→ speaker
//! ```
//!
//! The actor is the only owner of the opening keys; each sealing key belongs to the thread that seals with it.

mod actor;
mod adapt;
mod audio;
mod backdrop;
mod dump;
mod intake;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod meters;
mod picture;
mod receive;
mod screen;
mod send;
mod shared;
mod timeline;
mod voice;
mod wish;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use self::actor::Actor;
use self::audio::AudioThread;
use self::receive::VideoReceive;
use self::screen::ScreenSend;
use self::send::VideoSend;
use crate::engine::{EngineConfig, EngineError, EngineEvent};
use crate::transport::{Transport, TransportConfig};

pub(crate) use self::actor::Command;
#[cfg(feature = "lab")]
pub use self::lab::{VoiceFate, VoiceStep};
pub(crate) use self::shared::{Shared, lock};

/// Commands between owner and actor; one more and the owner is told that it is too fast.
const COMMANDS: usize = 256;

/// Events between engine and owner; one more is dropped.
const EVENTS: usize = 1_024;

/// A running pipeline.
pub(crate) struct Pipeline {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) events: mpsc::Receiver<EngineEvent>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) actor: tokio::task::JoinHandle<()>,
}

/// Starts threads and actor.
pub(crate) fn start(config: EngineConfig, runtime: &Handle) -> Result<Pipeline, EngineError> {
    let (events_in, events) = mpsc::channel(EVENTS);
    let (commands, commands_out) = mpsc::channel(COMMANDS);
    let shared = Arc::new(Shared::new(events_in, config.wake, config.video, config.background));
    let (transport, transport_events) = {
        let _inside = runtime.enter();
        Transport::new(TransportConfig { bind: config.bind, assessor: config.assessor, relay_only: config.relay_only })
    };
    let transport = Arc::new(transport);
    let (video, video_out) = sync_channel(receive::QUEUE);
    let (audio, audio_out) = sync_channel(audio::QUEUE);
    let mut threads = Vec::new();

    #[cfg(feature = "lab")]
    let dump = match &config.dump {
        Some(folder) => {
            let (dump, thread) = dump::start(folder).map_err(EngineError::Thread)?;
            threads.push(thread);
            Some(dump)
        }
        None => None,
    };
    #[cfg(feature = "lab")]
    let (picture_dump, sound_dump) = (dump.clone(), dump);
    #[cfg(not(feature = "lab"))]
    let (picture_dump, sound_dump) = (None, None);
    #[cfg(feature = "lab")]
    let timeline = match &config.timeline {
        Some(path) => {
            let (timeline, thread) = timeline::start(path, Arc::clone(&transport)).map_err(EngineError::Thread)?;
            threads.push(thread);
            Some(timeline)
        }
        None => None,
    };
    #[cfg(feature = "lab")]
    let (picture_timeline, voice_timeline, sent_timeline) = (timeline.clone(), timeline.clone(), timeline);
    #[cfg(not(feature = "lab"))]
    let (picture_timeline, voice_timeline, sent_timeline) = (None, None, None);

    #[cfg(feature = "lab")]
    let skew_ppm = config.skew_ppm;
    #[cfg(not(feature = "lab"))]
    let skew_ppm = 0;

    let receive = VideoReceive {
        input: video_out,
        shared: Arc::clone(&shared),
        transport: Arc::clone(&transport),
        dump: picture_dump,
        timeline: picture_timeline,
    };
    threads.push(spawn("video-receive", move || receive.run())?);
    let audio_thread = AudioThread {
        input: audio_out,
        source: config.audio,
        skew_ppm,
        speaker: config.speaker,
        processing: config.voice_processing,
        shared: Arc::clone(&shared),
        transport: Arc::clone(&transport),
        dump: sound_dump,
        timeline: voice_timeline,
    };
    threads.push(spawn("audio", move || audio_thread.run())?);
    let send = VideoSend {
        format: config.format,
        codec: config.codec,
        bitrate: config.video_bitrate,
        shared: Arc::clone(&shared),
        transport: Arc::clone(&transport),
        timeline: sent_timeline,
    };
    threads.push(spawn("video-send", move || send.run())?);
    let screen = ScreenSend { shared: Arc::clone(&shared), transport: Arc::clone(&transport) };
    threads.push(spawn("screen-send", move || screen.run())?);

    let actor = Actor::new(Arc::clone(&shared), Arc::clone(&transport), video, audio, config.warm_up);
    let actor = runtime.spawn(actor.run(commands_out, transport_events));
    Ok(Pipeline { commands, events, shared, transport, threads, actor })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, EngineError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(EngineError::Thread)
}
