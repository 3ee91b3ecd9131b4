//! A call between two engines of this process over loopback, without devices or a window. Prints what both counted.
//!
//! Half-way the epoch changes.
//!
//! `loopback_call [--seconds N] [--kbps K] [--av1] [--video FILE.y4m] [--audio FILE.wav] [--devices] [--no-processing] [--dump DIR]`
//! (`--devices`: the host's microphone and loudspeaker are real; `--dump` with the feature `lab` only).

mod members;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crypto::LeafIndex;
use media::codec::VideoCodec;
use media::process::background::Background;
use media::process::echo::VoiceProcessing;
use media::source::VideoSourceSpec;
use media::transport::TransportRole;
use media::{
    AudioSourceSpec, Bitrate, Engine, EngineConfig, EngineEvent, EpochSwitch, MediaStats, SpeakerSpec, VideoFormat,
};
use tokio::sync::mpsc;

use members::Members;

type Failure = Box<dyn std::error::Error>;

struct Options {
    seconds: u64,
    kbps: u64,
    codec: VideoCodec,
    video: Option<PathBuf>,
    audio: Option<PathBuf>,
    devices: bool,
    processing: bool,
    dump: Option<PathBuf>,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let mut options = Self {
            seconds: 10,
            kbps: 1_500,
            codec: VideoCodec::H264,
            video: None,
            audio: None,
            devices: false,
            processing: true,
            dump: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse()?,
                "--kbps" => options.kbps = value()?.parse()?,
                "--av1" => options.codec = VideoCodec::Av1,
                "--video" => options.video = Some(value()?.into()),
                "--audio" => options.audio = Some(value()?.into()),
                "--devices" => options.devices = true,
                "--dump" => options.dump = Some(value()?.into()),
                "--no-processing" => options.processing = false,
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        Ok(options)
    }

    fn config(&self, variant: u8) -> EngineConfig {
        let devices = self.devices && variant == 0;
        let video = match &self.video {
            Some(path) => VideoSourceSpec::File(path.clone()),
            None => VideoSourceSpec::TestPattern { variant },
        };
        let audio = match &self.audio {
            Some(path) => AudioSourceSpec::File(path.clone()),
            None if devices => AudioSourceSpec::Microphone(None),
            None => AudioSourceSpec::Voice { variant },
        };
        EngineConfig {
            video: Some(video),
            audio,
            speaker: if devices { SpeakerSpec::Device(None) } else { SpeakerSpec::Null },
            format: VideoFormat::HD,
            video_bitrate: Bitrate::kbps(self.kbps),
            codec: self.codec,
            background: Background::Shown,
            voice_processing: if self.processing { VoiceProcessing::ALL } else { VoiceProcessing::NONE },
            bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            assessor: false,
            relay_only: false,
            wake: None,
            warm_up: Duration::from_secs(2),
            #[cfg(feature = "lab")]
            dump: self.dump.as_ref().map(|folder| folder.join(variant.to_string())),
            #[cfg(feature = "lab")]
            timeline: None,
            #[cfg(feature = "lab")]
            skew_ppm: 0,
        }
    }
}

struct Party {
    name: &'static str,
    other: LeafIndex,
    engine: Engine,
    events: mpsc::Receiver<EngineEvent>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let options = Options::parse()?;
    let runtime = tokio::runtime::Handle::current();
    let mut members = Members::admitted()?;
    let (host_keys, guest_keys) = members.keys()?;
    let (host_leaf, guest_leaf) = (leaf(0)?, leaf(1)?);
    let mut parties = Vec::new();
    for (name, variant, other) in [("host", 0, guest_leaf), ("guest", 1, host_leaf)] {
        let (engine, events) = Engine::start(options.config(variant), &runtime)?;
        parties.push(Party { name, other, engine, events });
    }
    let [mut host, mut guest] = <[Party; 2]>::try_from(parties).map_err(|_other| "two parties")?;
    let mut out = std::io::stdout();
    let started = Instant::now();
    host.engine.install_epoch(host_keys, EpochSwitch::Now)?;
    guest.engine.install_epoch(guest_keys, EpochSwitch::Now)?;
    host.engine.add_peer(guest_leaf, TransportRole::Answer)?;
    guest.engine.add_peer(host_leaf, TransportRole::Offer)?;
    let cpu_before = cpu_seconds()?;
    let end = tokio::time::sleep(Duration::from_secs(options.seconds));
    let middle = tokio::time::sleep(Duration::from_secs(options.seconds) / 2);
    let mut renewed = false;
    tokio::pin!(end, middle);
    loop {
        let (name, event) = tokio::select! {
            () = &mut middle, if !renewed => {
                renewed = true;
                members.renew()?;
                let (host_keys, guest_keys) = members.keys()?;
                let switch = EpochSwitch::Within(Duration::from_millis(500));
                host.engine.install_epoch(host_keys, switch)?;
                guest.engine.install_epoch(guest_keys, switch)?;
                continue;
            }
            Some(event) = host.events.recv() => (host.name, carry(event, &guest)?),
            Some(event) = guest.events.recv() => (guest.name, carry(event, &host)?),
            () = &mut end => break,
        };
        if let Some(event) = event {
            writeln!(out, "{:>6} ms {name}: {event:?}", started.elapsed().as_millis())?;
        }
    }
    let cpu = cpu_seconds()? - cpu_before;
    writeln!(out, "cpu {:.3} s/s for both parties", cpu / options.seconds as f64)?;
    for party in [host, guest] {
        let stats = party.engine.stop().await;
        print(&mut out, party.name, &stats)?;
    }
    Ok(())
}

/// Carries a signal to the other side; gives other events back.
fn carry(event: EngineEvent, to: &Party) -> Result<Option<EngineEvent>, Failure> {
    match event {
        EngineEvent::Signal { signal, .. } => {
            to.engine.signal(to.other, signal)?;
            Ok(None)
        }
        event => Ok(Some(event)),
    }
}

fn print(out: &mut impl Write, name: &str, stats: &MediaStats) -> std::io::Result<()> {
    writeln!(out, "{name}: {:#?}", stats)
}

fn leaf(index: u32) -> Result<LeafIndex, Failure> {
    LeafIndex::new(index).ok_or_else(|| "leaf out of range".into())
}

/// CPU time of this process, from /proc.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / 100.0)
}
