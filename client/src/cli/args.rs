//! The command line as types: what each flag and subcommand is called and says.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use media::codec::VideoCodec;
use media::process::echo::VoiceProcessing;
use media::source::VideoSourceSpec;
use media::{AudioSourceSpec, Bitrate, SpeakerSpec};

use crate::keystore::SystemStore;
use crate::preferences::BackgroundChoice;
use crate::session::driver::{Aids, DriverConfig, MediaOptions};

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
    /// After an assessor call, write its keys to this new file; other calls are refused
    #[arg(long, value_name = "FILE")]
    pub disclose: Option<PathBuf>,
    /// An invitation that came as a file
    #[arg(value_name = "FILE.quietroom")]
    pub invitation: Option<PathBuf>,
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
    /// What others see behind you [default: what was chosen last time]
    #[arg(long, value_name = "CHOICE")]
    pub background: Option<BackgroundChoice>,
    /// Local address for media, may be repeated [default: every one but loopback]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Vec<IpAddr>,
    /// Hide this computer's address from the others: only the practice's relays carry the call
    #[arg(long)]
    pub relay_only: bool,
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

/// How the keys of a computer are locked when it is set up.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Do not use this computer's key store: the passphrase alone protects the keys
    #[arg(long)]
    pub passphrase_only: bool,
}

/// A computer that joins a practice which exists already.
#[derive(Debug, Args)]
pub struct JoinArgs {
    /// Address of the practice's server; needed on a computer that was not set up yet
    #[arg(long, value_name = "HOST:PORT", requires = "pin")]
    pub server: Option<String>,
    /// SHA-256 of the server's key, 64 hex digits
    #[arg(long, value_name = "HEX", requires = "server")]
    pub pin: Option<String>,
    /// Lock of the keys.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// The practice.
#[derive(Debug, Subcommand)]
pub enum PracticeAction {
    /// Make the practice key and register it. Input: one-time secret, practice name, practice phone, sign-in name,
    /// passphrase, then a code of the authenticator that was set up with what is printed
    Init {
        /// Server.
        #[command(flatten)]
        server: ServerArgs,
        /// Lock of the keys.
        #[command(flatten)]
        lock: LockArgs,
    },
    /// What this computer holds of the practice and how it is protected
    Status,
    /// Write the practice key as words for paper, the only copy there is. Input: passphrase
    RecoverySheet {
        /// A new file, to be printed and deleted [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Bring the practice key back from its sheet, in an empty data folder. Input: the nine rows; with a server your
    /// sign-in name and passphrase, without one a new passphrase
    Recover(JoinArgs),
    /// List the devices that the practice key on this computer certified
    Devices,
    /// Withdraw a device's certificate before it ends. Input: passphrase
    Deny {
        /// Number of the certificate, as `practice devices` lists it
        #[arg(long, value_name = "NUMBER")]
        serial: u64,
        /// Where the list for the hosts goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put a new practice key in the place of one that was lost or stolen. Input: on a computer that was not set up yet your
    /// sign-in name; passphrase, one-time secret of `quietroom-server practice-reset`
    Replace {
        /// How this computer comes to the practice, if it does not belong to it yet.
        #[command(flatten)]
        join: JoinArgs,
        /// The old key is on this computer and was never in other hands: invitations that were sent stay good
        #[arg(long)]
        keep_invitations: bool,
    },
}

/// Accounts of the staff.
#[derive(Debug, Subcommand)]
pub enum StaffAction {
    /// Make an account, on the owner's computer. Input: passphrase, authenticator code, sign-in name and display name of the
    /// new account, its role (host, front_desk, admin or auditor)
    Add,
    /// Take a new account over, on its owner's computer. Input: sign-in name, enrolment secret, new passphrase, then a code of
    /// the authenticator that was set up with what is printed
    Enrol {
        /// Server.
        #[command(flatten)]
        server: ServerArgs,
        /// Lock of the keys.
        #[command(flatten)]
        lock: LockArgs,
    },
}

/// This computer as a host's device.
#[derive(Debug, Subcommand)]
pub enum DeviceAction {
    /// Make this device's key and a request for its certificate, or for a renewed one. Input: on a computer that was not set
    /// up yet your sign-in name; passphrase
    Request {
        /// A computer beside the first.
        #[command(flatten)]
        join: JoinArgs,
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
    /// Install the certificate on the device that asked for it. Input: only after the practice key was replaced, the new
    /// key's fingerprint
    Install {
        /// The certificate
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
    },
    /// Take the practice's list of withdrawn certificates
    DenyList {
        /// The list
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
    },
}

impl Cli {
    /// The data folder.
    pub fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(default_folder)
    }

    /// What the driver needs.
    pub fn driver(&self, aids: Aids) -> DriverConfig {
        DriverConfig {
            folder: self.folder(),
            media: self.media.options(aids),
            report: self.report.clone(),
            disclose: self.disclose.clone(),
        }
    }
}

impl JoinArgs {
    /// The practice's server, where it was given.
    pub(super) fn server(&self) -> Option<ServerArgs> {
        self.server.clone().zip(self.pin.clone()).map(|(server, pin)| ServerArgs { server, pin })
    }
}

impl LockArgs {
    /// The key store that new keys are locked with, if there is one and it may be used.
    pub(super) fn system(&self) -> Option<SystemStore> {
        if self.passphrase_only { None } else { SystemStore::connect() }
    }
}

impl MediaArgs {
    fn options(&self, aids: Aids) -> MediaOptions {
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
            voice_processing: if self.no_processing { VoiceProcessing::NONE } else { VoiceProcessing::ALL },
            background: self.background,
            bind: self.bind.clone(),
            relay_only: self.relay_only,
            aids,
        }
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
        let mut open = vec![Cli::command()];
        while let Some(command) = open.pop() {
            for word in ["passphrase", "secret", "code", "link", "words"] {
                assert!(command.get_arguments().all(|argument| argument.get_id().as_str() != word), "{word}");
            }
            open.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn without_flags_the_real_devices_are_used() {
        let options = Cli::parse_from(["quietroom"]).media.options(Aids::default());
        assert_eq!(options.video, Some(VideoSourceSpec::Camera(None)));
        assert_eq!(options.audio, AudioSourceSpec::Microphone(None));
        let options = Cli::parse_from(["quietroom", "--no-camera", "--no-microphone", "--null-speaker"])
            .media
            .options(Aids::default());
        assert_eq!((options.video, options.audio), (None, AudioSourceSpec::None));
    }

    #[test]
    fn an_invitation_comes_as_a_file_and_a_command_is_no_file() {
        let opened = Cli::parse_from(["quietroom", "R-1042.quietroom"]);
        assert_eq!(opened.invitation.as_deref(), Some(std::path::Path::new("R-1042.quietroom")));
        let command = Cli::parse_from(["quietroom", "practice", "status"]);
        assert!(command.invitation.is_none() && command.action.is_some());
    }
}
