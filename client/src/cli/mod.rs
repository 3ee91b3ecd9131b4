//! The command line: flags of the two faces, and the subcommands that set a practice up.
//!
//! Secrets come by standard input, one a line in the order that each subcommand documents, never as arguments:
//! an argument stands in the process list. On a terminal each line is asked for, and secrets are not echoed.

mod ask;
mod device;
mod practice;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use media::codec::VideoCodec;
use media::source::VideoSourceSpec;
use media::{AudioSourceSpec, Bitrate, SpeakerSpec};

use crate::error::ClientError;
use crate::session::driver::{DriverConfig, MediaOptions};

/// A day's worth of seconds.
const DAY: u64 = 86_400;

/// End-to-end encrypted consultations by video.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// Folder for settings and keys [default: ~/.local/share/quietroom]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Run without a window: commands as JSON lines on standard input, views on standard output
    #[arg(long)]
    pub headless: bool,
    /// Write a JSON report after the consultation
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Devices and their stand-ins.
    #[command(flatten)]
    pub media: MediaArgs,
    /// What to do instead of opening the window.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// Devices and their stand-ins.
#[derive(Debug, Args)]
pub struct MediaArgs {
    /// A Y4M file in place of the camera; it repeats
    #[arg(long, value_name = "FILE.y4m", conflicts_with = "no_camera")]
    pub video: Option<PathBuf>,
    /// A WAV file in place of the microphone; it repeats
    #[arg(long, value_name = "FILE.wav", conflicts_with = "no_microphone")]
    pub audio: Option<PathBuf>,
    /// A moving test pattern in place of the camera
    #[arg(long, value_name = "N", conflicts_with_all = ["no_camera", "video"])]
    pub pattern: Option<u8>,
    /// A synthetic voice in place of the microphone
    #[arg(long, value_name = "N", conflicts_with_all = ["no_microphone", "audio"])]
    pub voice: Option<u8>,
    /// Upper bound of the video bitrate in kbit/s
    #[arg(long, value_name = "K", default_value_t = 2_500, value_parser = clap::value_parser!(u64).range(50..=20_000))]
    pub kbps: u64,
    /// Codec of the own pictures; both are always received
    #[arg(long, value_enum, default_value_t = CodecArg::H264)]
    pub codec: CodecArg,
    /// Play nothing: the sound is decoded and dropped
    #[arg(long)]
    pub null_speaker: bool,
    /// Send no pictures, as without a camera
    #[arg(long)]
    pub no_camera: bool,
    /// Send no sound, as without a microphone
    #[arg(long)]
    pub no_microphone: bool,
    /// Leave the voice as it is: no echo canceller, noise suppression and gain
    #[arg(long)]
    pub no_processing: bool,
    /// Local address for media, may be repeated [default: every one but loopback]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Vec<IpAddr>,
}

/// Codec of the own pictures.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum CodecArg {
    /// H.264.
    H264,
    /// AV1.
    Av1,
}

/// What to do instead of opening the window.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// The practice: its key is made and kept on this computer
    #[command(subcommand)]
    Practice(PracticeAction),
    /// Accounts of the staff
    #[command(subcommand)]
    Staff(StaffAction),
    /// This computer as a host's device
    #[command(subcommand)]
    Device(DeviceAction),
}

/// Where the server is and which key it shows; both are printed by the server.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Address of the server
    #[arg(long, value_name = "HOST:PORT")]
    pub server: String,
    /// SHA-256 of the server's key, 64 hex digits
    #[arg(long, value_name = "HEX")]
    pub pin: String,
}

/// The practice.
#[derive(Debug, Subcommand)]
pub enum PracticeAction {
    /// Make the practice key and register it. Input: one-time secret, practice name, practice phone, sign-in name,
    /// passphrase, then a code of the authenticator that was set up with what is printed
    Init(ServerArgs),
}

/// Accounts of the staff.
#[derive(Debug, Subcommand)]
pub enum StaffAction {
    /// Make an account, on the owner's computer. Input: passphrase, authenticator code, sign-in name and display name of the
    /// new account, its role (host, front_desk, admin or auditor)
    Add,
    /// Take a new account over, on its owner's computer. Input: sign-in name, enrolment secret, new passphrase, then a code of
    /// the authenticator that was set up with what is printed
    Enrol(ServerArgs),
}

/// This computer as a host's device.
#[derive(Debug, Subcommand)]
pub enum DeviceAction {
    /// Make this device's key and a request for its certificate. Input: passphrase
    Request {
        /// Where the request goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Certify a colleague's device, on the owner's computer. Input: passphrase
    Certify {
        /// The request
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// Name that patients see
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Registration number of the profession
        #[arg(long, value_name = "NUMBER")]
        registration: Option<String>,
        /// Days until it has to be renewed
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=30))]
        days: u64,
        /// Where the certificate goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Install the certificate on the device that asked for it
    Install {
        /// The certificate
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
}

impl Cli {
    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(default_folder)
    }

    /// What the driver needs; `dump` is for builds with the feature `lab`.
    pub fn driver(&self, dump: Option<PathBuf>) -> DriverConfig {
        DriverConfig { folder: self.folder(), media: self.media.options(dump), report: self.report.clone() }
    }
}

impl MediaArgs {
    fn options(&self, dump: Option<PathBuf>) -> MediaOptions {
        let video = match (&self.video, self.pattern) {
            _ if self.no_camera => None,
            (Some(path), _) => Some(VideoSourceSpec::File(path.clone())),
            (None, Some(variant)) => Some(VideoSourceSpec::TestPattern { variant }),
            (None, None) => Some(VideoSourceSpec::Camera(None)),
        };
        let audio = match (&self.audio, self.voice) {
            _ if self.no_microphone => AudioSourceSpec::None,
            (Some(path), _) => AudioSourceSpec::File(path.clone()),
            (None, Some(variant)) => AudioSourceSpec::Voice { variant },
            (None, None) => AudioSourceSpec::Microphone(None),
        };
        MediaOptions {
            video,
            audio,
            speaker: if self.null_speaker { SpeakerSpec::Null } else { SpeakerSpec::Device(None) },
            bitrate: Bitrate::kbps(self.kbps),
            codec: match self.codec {
                CodecArg::H264 => VideoCodec::H264,
                CodecArg::Av1 => VideoCodec::Av1,
            },
            voice_processing: !self.no_processing,
            bind: self.bind.clone(),
            dump,
            #[cfg(feature = "lab")]
            tap: None,
        }
    }
}

/// Does a subcommand, printing what to do next.
///
/// # Errors
/// See [`ClientError`].
pub async fn perform(cli: &Cli, action: &Action) -> Result<(), ClientError> {
    let folder = cli.folder();
    let ask = ask::Ask::new();
    match action {
        Action::Practice(PracticeAction::Init(server)) => practice::init(&folder, server, &ask).await,
        Action::Staff(StaffAction::Add) => practice::add(&folder, &ask).await,
        Action::Staff(StaffAction::Enrol(server)) => practice::enrol(&folder, server, &ask).await,
        Action::Device(DeviceAction::Request { out }) => device::request(&folder, out, &ask),
        Action::Device(DeviceAction::Certify { request, name, registration, days, out }) => {
            let wanted =
                device::Wanted { request, name, registration: registration.as_deref(), valid_s: days * DAY, out };
            device::certify(&folder, &wanted, &ask)
        }
        Action::Device(DeviceAction::Install { certificate }) => device::install(&folder, certificate, &ask),
    }
}

fn default_folder() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
    std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty()).map_or_else(home, PathBuf::from).join("quietroom")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed_and_takes_no_secret() {
        Cli::command().debug_assert();
        for word in ["passphrase", "secret", "code", "link"] {
            assert!(Cli::command().get_arguments().all(|argument| argument.get_id().as_str() != word), "{word}");
        }
    }

    #[test]
    fn without_flags_the_real_devices_are_used() {
        let options = Cli::parse_from(["quietroom"]).media.options(None);
        assert_eq!(options.video, Some(VideoSourceSpec::Camera(None)));
        assert_eq!(options.audio, AudioSourceSpec::Microphone(None));
        let options =
            Cli::parse_from(["quietroom", "--no-camera", "--no-microphone", "--null-speaker"]).media.options(None);
        assert_eq!((options.video, options.audio), (None, AudioSourceSpec::None));
    }
}
