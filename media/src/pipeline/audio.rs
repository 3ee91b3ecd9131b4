//! The thread `audio`: every 10 ms the own voice goes out and the other voices come together.
//!
//! ```text
//!  microphone ─→ echo, noise, gain ─→ 20 ms ─→ Opus ─→ seal ─→ transport
//!                       ↑ what is played
//!  opened frames ─→ jitter buffer of each peer ─→ decoder ─→ mix ─→ ring ─→ speaker
//! ```
//!
//! It goes on without a sound device that fails.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crypto::{OpenedFrame, SealingKey};

use super::dump::Dump;
use super::shared::{Peer, Shared, lock};
use super::timeline::Timeline;
use super::voice::PeerVoice;
use crate::chime::Chime;
use crate::codec::audio::{AudioEncoder, PACKET_SAMPLES};
use crate::engine::EngineEvent;
use crate::error::MediaError;
use crate::frame::AudioFrame;
use crate::payload::{PayloadHeader, PayloadKind};
use crate::playout::{Speaker, SpeakerSpec, level_dbov, limit, mix_in};
use crate::process::echo::{VoiceChain, VoiceProcessing};
use crate::rate::{Voice, VoicePlan};
use crate::source::audio::{AudioSource, AudioSourceSpec, TICK};
use crate::time::MediaTime;
use crate::transport::{Layer, Mark, MediaKind, Transport};

/// A voice frame that passed its tag, with its sender.
pub(super) struct AudioInput {
    pub(super) peer: Arc<Peer>,
    pub(super) frame: OpenedFrame,
    pub(super) arrived: MediaTime,
}

/// Frames between actor and thread: five seconds of one sender, a third of a second of fifteen. When it is full, which
/// means that the thread hangs, further frames are dropped.
pub(super) const QUEUE: usize = 256;

/// Sleep while there is neither a source nor a voice.
const IDLE: Duration = Duration::from_millis(100);

/// Ticks that a held-up thread makes up for; what is longer is left out.
const CATCH_UP: Duration = Duration::from_millis(100);

/// What the thread is started with.
pub(super) struct AudioThread {
    pub(super) input: Receiver<AudioInput>,
    pub(super) source: AudioSourceSpec,
    /// Of a stand-in's clock.
    pub(super) skew_ppm: i32,
    pub(super) speaker: SpeakerSpec,
    pub(super) processing: VoiceProcessing,
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Arc<Transport>,
    pub(super) dump: Option<Dump>,
    pub(super) timeline: Option<Timeline>,
}

/// The thread's state.
struct Running {
    shared: Arc<Shared>,
    transport: Arc<Transport>,
    source: AudioSource,
    skew_ppm: i32,
    speaker: Speaker,
    chain: VoiceChain,
    voices: Vec<PeerVoice>,
    outgoing: Outgoing,
    /// Whether anybody was heard yet.
    sounded: bool,
    chime: Option<Chime>,
    dump: Option<Dump>,
    timeline: Option<Timeline>,
}

/// The own voice on its way out.
struct Outgoing {
    encoder: AudioEncoder,
    key: Option<SealingKey>,
    number: u32,
    /// First half of a frame and when it was taken.
    half: Option<(MediaTime, [f32; AudioFrame::SAMPLES])>,
    plan: VoicePlan,
    voice: Voice,
    /// When the first of the encoded frames that wait for each other was taken, and how many there are.
    begun: Option<(MediaTime, u8)>,
    packets: Vec<u8>,
}

impl AudioThread {
    /// Runs until the actor drops the other end of the queue.
    pub(super) fn run(self) {
        let encoder = match AudioEncoder::new() {
            Ok(encoder) => encoder,
            // Only a machine out of memory comes here; without a voice codec there is no call.
            Err(error) => return tracing::error!(%error, "the audio thread cannot start"),
        };
        let source = AudioSource::open(&self.source, self.skew_ppm).unwrap_or_else(|error| {
            self.shared.tell(EngineEvent::Device(error));
            AudioSource::None
        });
        let speaker = Speaker::open(&self.speaker).unwrap_or_else(|error| {
            self.shared.tell(EngineEvent::Device(error));
            Speaker::null()
        });
        let mut running = Running {
            shared: self.shared,
            transport: self.transport,
            source,
            skew_ppm: self.skew_ppm,
            speaker,
            chain: VoiceChain::new(self.processing),
            voices: Vec::new(),
            outgoing: Outgoing {
                encoder,
                key: None,
                number: 0,
                half: None,
                plan: VoicePlan::new(),
                voice: Voice::Single,
                begun: None,
                packets: Vec::new(),
            },
            sounded: false,
            chime: None,
            dump: self.dump,
            timeline: self.timeline,
        };
        let mut tick = MediaTime::now();
        loop {
            running.follow_wishes();
            if running.shared.take_chime() {
                running.chime = Some(Chime::default());
            }
            if running.is_idle() {
                match self.input.recv_timeout(IDLE) {
                    Ok(frame) => running.take(frame),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                tick = MediaTime::now();
            }
            loop {
                match self.input.try_recv() {
                    Ok(frame) => running.take(frame),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            // Played first: the echo canceller must know a sound before the microphone hears it.
            running.play();
            running.record();
            tick = tick + TICK;
            let now = MediaTime::now();
            if now.since(tick) > CATCH_UP {
                tick = now;
            }
            std::thread::sleep(tick.since(now));
        }
    }
}

impl Running {
    fn is_idle(&self) -> bool {
        self.source.is_none() && self.voices.is_empty() && self.chime.is_none()
    }

    /// Other devices, or other steps for the own voice. The old device is closed before the new one opens: it may be the same.
    fn follow_wishes(&mut self) {
        let wishes = self.shared.take_sound_wishes();
        if let Some(spec) = wishes.source {
            self.source = AudioSource::None;
            self.shared.own_level.store(-127.0);
            self.source = AudioSource::open(&spec, self.skew_ppm).unwrap_or_else(|error| {
                self.shared.tell(EngineEvent::Device(error));
                AudioSource::None
            });
        }
        if let Some(spec) = wishes.speaker {
            self.speaker = Speaker::null();
            self.speaker = Speaker::open(&spec).unwrap_or_else(|error| {
                self.shared.tell(EngineEvent::Device(error));
                Speaker::null()
            });
        }
        if let Some(steps) = wishes.processing {
            self.chain = VoiceChain::new(steps);
        }
    }

    fn take(&mut self, input: AudioInput) {
        if input.peer.is_gone() {
            return;
        }
        let known = self.voices.iter_mut().find(|voice| Arc::ptr_eq(&voice.peer, &input.peer));
        let voice = match known {
            Some(voice) => voice,
            None => match PeerVoice::new(input.peer) {
                Ok(voice) => {
                    self.voices.push(voice);
                    let last = self.voices.len() - 1;
                    &mut self.voices[last]
                }
                Err(error) => return tracing::error!(%error, "a voice cannot be decoded"),
            },
        };
        voice.insert(input.frame.as_bytes(), input.arrived);
    }

    fn play(&mut self) {
        self.voices.retain(|voice| !voice.peer.is_gone());
        let now = MediaTime::now();
        loop {
            match self.speaker.wants(now) {
                Ok(true) => self.play_tick(now),
                Ok(false) => return,
                Err(error) => {
                    self.shared.tell(EngineEvent::Device(error));
                    self.speaker = Speaker::null();
                }
            }
        }
    }

    fn play_tick(&mut self, now: MediaTime) {
        let mut mix = [0.0; AudioFrame::SAMPLES];
        let heard_at = now + self.speaker.delay();
        for voice in &mut self.voices {
            if let Some(samples) = voice.next(now, heard_at, self.timeline.as_ref()) {
                mix_in(&mut mix, samples);
                if voice.is_first() {
                    self.sounded = true;
                    self.shared.tell(EngineEvent::FirstAudio { peer: voice.peer.leaf });
                }
            }
        }
        if let Some(chime) = &mut self.chime {
            match chime.next() {
                Some(samples) => mix_in(&mut mix, &samples),
                None => self.chime = None,
            }
        }
        limit(&mut mix);
        self.chain.play(&mix);
        self.speaker.push(&mix);
        if let Some(dump) = &self.dump
            && self.sounded
        {
            dump.sound(&mix);
        }
    }

    fn record(&mut self) {
        let mut samples = [0.0; AudioFrame::SAMPLES];
        loop {
            let now = MediaTime::now();
            match self.source.read(now, &mut samples) {
                Ok(Some(captured)) => self.send_tick(captured, &mut samples, now),
                Ok(None) => return,
                Err(error) => {
                    self.shared.tell(EngineEvent::Device(error));
                    self.source = AudioSource::None;
                    self.shared.own_level.store(-127.0);
                    return;
                }
            }
        }
    }

    fn send_tick(&mut self, captured: MediaTime, samples: &mut [f32; AudioFrame::SAMPLES], now: MediaTime) {
        for sample in samples.iter_mut() {
            // A broken driver's value must not live on in the filters.
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        let delay = (self.speaker.delay() + now.since(captured)).as_millis();
        self.chain.capture(samples, u16::try_from(delay).unwrap_or(u16::MAX));
        self.shared.own_level.store(level_dbov(samples));
        if !self.shared.microphone() {
            samples.fill(0.0);
        }
        let Some((captured, first)) = self.outgoing.half.take() else {
            self.outgoing.half = Some((captured, *samples));
            return;
        };
        let mut packet = [0.0; PACKET_SAMPLES];
        let (begin, end) = packet.split_at_mut(AudioFrame::SAMPLES);
        begin.copy_from_slice(&first);
        end.copy_from_slice(samples);
        if let Err(error) = self.send_frame(captured, &packet) {
            tracing::warn!(%error, "encoding the voice failed");
        }
    }

    fn send_frame(&mut self, captured: MediaTime, samples: &[f32; PACKET_SAMPLES]) -> Result<(), MediaError> {
        let outgoing = &mut self.outgoing;
        let rate = self.transport.budget().map(|budget| budget.rate);
        let planned = outgoing.plan.step(MediaTime::now(), rate);
        if let Some(key) = self.shared.audio_keys.take_due(MediaTime::now()) {
            outgoing.key = Some(key);
        }
        let Some(key) = &mut outgoing.key else {
            return Ok(());
        };
        if self.shared.held() || !self.shared.anyone_listens() {
            outgoing.begun = None;
            return Ok(());
        }
        let (captured, before) = outgoing.begun.take().unwrap_or((captured, 0));
        if before == 0 {
            outgoing.packets.clear();
            if std::mem::replace(&mut outgoing.voice, planned) != planned {
                outgoing.encoder.set_bitrate(planned.bitrate())?;
            }
        }
        outgoing.encoder.encode(samples, &mut outgoing.packets)?;
        let frames = before + 1;
        if frames < outgoing.voice.frames() {
            outgoing.begun = Some((captured, frames));
            return Ok(());
        }
        let header = PayloadHeader { kind: PayloadKind::Opus(frames), key: false, number: outgoing.number, captured };
        outgoing.number = outgoing.number.wrapping_add(u32::from(frames));
        match key.seal(header.wrap(&outgoing.packets)) {
            Ok(sealed) => {
                self.shared.audio_keys.note_sealed(key);
                self.transport.send(MediaKind::Audio, &sealed, Mark::Needed, Layer::Main);
                lock(&self.shared.sent).audio(frames, sealed.len(), MediaTime::now());
            }
            Err(error) => {
                // The key is used up: nothing is sent until the next epoch.
                tracing::warn!(%error, "sealing the voice failed");
                outgoing.key = None;
            }
        }
        Ok(())
    }
}
