//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// One consultation on this machine, with windows or without.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// No windows: both clients are driven by explicit commands.
    #[arg(long)]
    pub(crate) headless: bool,
    /// How long both sides see and hear each other, in seconds (without windows, or with --auto).
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
    /// So many guests, each with an invitation of its own (with --headless).
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) guests: u8,
    /// The guests send neither picture nor sound.
    #[arg(long, requires = "headless")]
    pub(crate) listeners: bool,
    /// The patient's sound clock runs faster by so many millionths, and the host's slower; needs the build with the feature `lab`.
    #[arg(long, requires = "timeline")]
    pub(crate) skew: Option<i32>,
    /// File for what the two clients take, every ten seconds: seconds, then CPU seconds a second and MB of the host and the
    /// patient.
    #[arg(long, requires = "headless")]
    pub(crate) usage: Option<PathBuf>,
    /// Folder for one JSON report a participant.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Fixed bitrate of each side's picture, in kbit/s.
    #[arg(long)]
    pub(crate) kbps: Option<u32>,
    /// The host's picture (y4m) in place of its camera.
    #[arg(long)]
    pub(crate) video: Option<PathBuf>,
    /// The host's sound (wav) in place of its microphone.
    #[arg(long)]
    pub(crate) audio: Option<PathBuf>,
    /// The patient's picture (y4m).
    #[arg(long)]
    pub(crate) video_b: Option<PathBuf>,
    /// The patient's sound (wav).
    #[arg(long)]
    pub(crate) audio_b: Option<PathBuf>,
    /// No echo canceller, noise suppression and gain, so that a played voice can be compared with its source.
    #[arg(long)]
    pub(crate) no_processing: bool,
    /// Address of a sound server whose default source and sink the host uses, unprocessed (with --headless).
    #[arg(long, requires = "headless", conflicts_with = "audio")]
    pub(crate) sound: Option<String>,
    /// The same for the patient.
    #[arg(long, requires = "headless", conflicts_with = "audio_b")]
    pub(crate) sound_b: Option<String>,
    /// Folder for every tenth received picture and the played sound; needs the build with the feature `lab`.
    #[arg(long)]
    pub(crate) dump: Option<PathBuf>,
    /// Lets the patient's client spoil its sound and pictures behind their sealing, from the tenth second to the twentieth,
    /// so that the host refuses them: "altered" or "bare"; needs the build with the feature `lab`.
    #[arg(long, conflicts_with = "headless")]
    pub(crate) spoil: Option<String>,
    /// Folder for what each side showed and played, moment by moment; needs the build with the feature `lab`.
    #[arg(long, requires = "headless")]
    pub(crate) timeline: Option<PathBuf>,
    /// The program `netlab`: server, host and patient each get a network of their own, with paths between them; needs root
    /// (with --headless). The schedule begins when both have compared their safety words.
    #[arg(long, requires = "headless", conflicts_with_all = ["attack", "canaries", "proof"])]
    pub(crate) netlab: Option<PathBuf>,
    /// That network knows nothing but IPv6: no side has an address of IPv4. Without a relay: clients ask a relay for addresses
    /// of IPv4 alone.
    #[arg(long, requires = "netlab", conflicts_with = "relay")]
    pub(crate) ipv6: bool,
    /// What the paths do to packets from the start, as netlab says it: a is the host, b the patient, s the server and further guests.
    #[arg(long, requires = "netlab")]
    pub(crate) link: Vec<String>,
    /// What changes when: time and command, as netlab says it.
    #[arg(long, requires = "netlab")]
    pub(crate) at: Vec<String>,
    /// Starts a relay (coturn), which clients reach by "udp", "tcp", "tls" or "all" of them.
    #[arg(long, value_parser = ["udp", "tcp", "tls", "all"])]
    pub(crate) relay: Option<String>,
    /// Both clients hide their addresses: everything goes through the relay.
    #[arg(long, requires = "relay")]
    pub(crate) relay_only: bool,
    /// Looks for the secrets in memory, database and logs, during and after the call; needs root (with --headless or
    /// --auto).
    #[arg(long)]
    pub(crate) canaries: bool,
    /// Folder for what an assessor needs: the call is made in assessor mode, both sides write their key files here, and the
    /// server's address stands in a file (with --headless).
    #[arg(long, requires = "headless", conflicts_with_all = ["attack", "canaries"])]
    pub(crate) proof: Option<PathBuf>,
    /// Puts the hostile server in front of the real one, with this attack; `quietroom-hostile --list` names them.
    #[arg(long)]
    pub(crate) attack: Option<String>,
    /// Clicks through both windows by role and label; needs the build with the feature `lab`.
    #[arg(long)]
    pub(crate) auto: bool,
    /// Folder for a screenshot of each step of --auto.
    #[arg(long, requires = "auto")]
    pub(crate) shots: Option<PathBuf>,
    /// Folder with the stand-ins' clips (host.y4m, host.wav, patient.y4m, patient.wav).
    #[arg(long)]
    pub(crate) content: Option<PathBuf>,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The clinician.
    Host,
    /// The patient.
    Patient,
    /// A further guest, from the second on.
    Further(u8),
}

impl Side {
    /// Name of its report and of its folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Patient => "patient",
            Self::Further(2) => "guest-2",
            Self::Further(3) => "guest-3",
            Self::Further(4) => "guest-4",
            Self::Further(_) => "guest-5",
        }
    }
}

impl Options {
    /// Everybody in the call, the host first.
    pub(crate) fn sides(&self) -> Vec<Side> {
        let further = (2..=self.guests).map(Side::Further);
        [Side::Host, Side::Patient].into_iter().chain(further).collect()
    }

    /// The picture file of `side`: the one asked for, else its stand-in's clip.
    pub(crate) fn video_of(&self, side: Side) -> Option<PathBuf> {
        if self.listeners && side != Side::Host {
            return None;
        }
        let asked = if side == Side::Host { &self.video } else { &self.video_b };
        asked.clone().or_else(|| self.stand_in(side, "y4m"))
    }

    /// The sound server of `side`, where real devices are asked for.
    pub(crate) fn sound_of(&self, side: Side) -> Option<&str> {
        let asked = if side == Side::Host { &self.sound } else { &self.sound_b };
        asked.as_deref()
    }

    /// The sound file of `side`: the one asked for, else its stand-in's voice; none where a sound server is asked for.
    pub(crate) fn audio_of(&self, side: Side) -> Option<PathBuf> {
        if self.sound_of(side).is_some() || (self.listeners && side != Side::Host) {
            return None;
        }
        let asked = if side == Side::Host { &self.audio } else { &self.audio_b };
        asked.clone().or_else(|| self.stand_in(side, "wav"))
    }

    fn stand_in(&self, side: Side, kind: &str) -> Option<PathBuf> {
        let who = if side == Side::Host { "host" } else { "patient" };
        let path = self.content.as_ref()?.join(format!("{who}.{kind}"));
        path.is_file().then_some(path)
    }
}
