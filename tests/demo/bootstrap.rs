//! A practice on this machine: server with fresh data, practice key, clinician with a second factor, certified device.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use lab::totp;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::network::Network;
use crate::options::{Options, Side};
use crate::programs::{Place, Running, STEP, once, say};
use crate::relay::Relay;

/// Sign-in name of the clinician; no such person exists.
const CLINICIAN: &str = "ada";

/// A staff account of the demonstration.
pub(crate) struct Staff {
    pub(crate) name: &'static str,
    pub(crate) passphrase: String,
    pub(crate) authenticator: Authenticator,
}

/// What an authenticator app would hold.
pub(crate) struct Authenticator {
    secret: String,
    /// Last time step whose code was given away: the server takes each code once.
    used: Mutex<u64>,
}

impl Authenticator {
    pub(crate) fn new(secret: String) -> Self {
        Self { secret, used: Mutex::new(0) }
    }

    /// What the server gave, in base32.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// A code that was not used yet: of the earliest step that the server still accepts.
    ///
    /// The server accepts one step of skew either way; when even the coming step's code is used, this waits.
    pub(crate) async fn next_code(&self) -> Result<String> {
        let mut used = self.used.lock().await;
        loop {
            let step = now()? / totp::STEP_S;
            let next = (*used + 1).max(step - 1);
            // The oldest code must still stand when it arrives.
            let late = next < step && now()? % totp::STEP_S > totp::STEP_S - 3;
            if next <= step + 1 && !late {
                *used = next;
                return totp::code(&self.secret, next * totp::STEP_S);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// The code to type now, and how long it stands: the present step's, or the coming one's when that was used already.
    pub(crate) async fn shown(&self) -> Result<(String, Duration)> {
        let now = now()?;
        let step = (now / totp::STEP_S).max(*self.used.lock().await + 1).min(now / totp::STEP_S + 1);
        Ok((totp::code(&self.secret, step * totp::STEP_S)?, Duration::from_secs(totp::STEP_S - now % totp::STEP_S)))
    }
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs())
}

/// Everything that runs and lies on disk for one consultation.
pub(crate) struct House {
    folder: PathBuf,
    /// Where the clients expect the server.
    pub(crate) address: String,
    server: Running,
    /// Stands where the clients expect the server, when an attack was asked for.
    hostile: Option<Running>,
    /// The clinician.
    pub(crate) staff: Staff,
    /// The relay, when one was asked for.
    relay: Option<Relay>,
    /// What lies between server, host and patient, when a network was asked for.
    pub(crate) network: Option<Network>,
}

impl House {
    /// Starts the server with fresh data below `folder`, makes the practice, its clinician and the certified device.
    pub(crate) async fn build(folder: &Path, options: &Options) -> Result<Self> {
        let network = match &options.netlab {
            Some(program) => Some(Network::start(program, folder, options).await?),
            None => None,
        };
        let (place, listen) = match &network {
            Some(network) => (network.server(), SocketAddr::new(network.server_address(), 0).to_string()),
            None => (Place::default(), "127.0.0.1:0".to_owned()),
        };
        let data = folder.join("server");
        let made = once("server init", "quietroom-server", &words(&["init", "--data"], &data), &[], place).await?;
        let secret = after(&made, "secret").context("step \"server init\": it printed no one-time secret")?;
        let mut run = words(&["run", "--data"], &data);
        run.extend([OsString::from("--listen"), listen.into()]);
        let relay = match &options.relay {
            Some(line) => {
                let address = network.as_ref().map_or_else(|| Ipv4Addr::LOCALHOST.into(), Network::server_address);
                let relay = Relay::start(folder, address, place).await?;
                run.extend(relay.arguments(line));
                Some(relay)
            }
            None => None,
        };
        let mut server = Running::start("quietroom-server", &run, &folder.join("server.log"), place)?;
        let line = timeout(STEP, server.line()).await.context("step \"server run\": it printed nothing")??;
        let mut address = after(&line, "listening").context("step \"server run\": it printed no address")?;
        let pin = after(&line, "pin").context("step \"server run\": it printed no pin")?;
        let hostile = match &options.attack {
            None => None,
            Some(attack) => {
                let (hostile, front) = in_front(folder, &data, &address, attack).await?;
                address = front;
                Some(hostile)
            }
        };
        say(&format!("the server listens on {address}; making the practice and its clinician"));
        let named = ["--server", &address, "--pin", &pin].map(OsString::from);
        let staff = practice(folder, &named, &secret, place).await?;
        Ok(Self { folder: folder.to_owned(), address, server, hostile, staff, relay, network })
    }

    /// Arguments of the client of `side`, but for those of its mode.
    pub(crate) fn arguments(&self, side: Side, options: &Options) -> Vec<OsString> {
        let mut arguments = words(&["--data"], &self.folder.join(side.name()));
        let mut add = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                arguments.extend([OsString::from(name), value]);
            }
        };
        // In a network of its own a client uses every address that it has, also one that comes later.
        add("--bind", self.network.is_none().then(|| "127.0.0.1".into()));
        add("--video", options.video_of(side).map(Into::into));
        add("--audio", options.audio_of(side).map(Into::into));
        add("--kbps", options.kbps.map(|kbps| kbps.to_string().into()));
        add("--timeline", options.timeline.as_ref().map(|folder| folder.join(format!("{}.csv", side.name())).into()));
        let skew = options.skew.map(|ppm| if side == Side::Host { -ppm } else { ppm });
        add("--skew", skew.map(|ppm| ppm.to_string().into()));
        add("--dump", options.dump.as_ref().map(|dump| dump.join(side.name()).into()));
        add("--spoil", options.spoil.as_ref().filter(|_| side == Side::Patient).map(Into::into));
        if let Some(proof) = &options.proof {
            add("--disclose", Some(proof.join(format!("{}.keys.json", side.name())).into()));
            // What is shown does not matter, so the clips need not be made.
            let variant = if side == Side::Host { "1" } else { "2" };
            add("--pattern", options.video_of(side).is_none().then(|| variant.into()));
            add("--voice", options.audio_of(side).is_none().then(|| variant.into()));
        }
        if options.listeners && side != Side::Host {
            arguments.extend(["--no-camera", "--no-microphone"].map(OsString::from));
        }
        if options.relay_only {
            arguments.push("--relay-only".into());
        }
        if options.no_processing || options.sound_of(side).is_some() {
            arguments.push("--no-processing".into());
        }
        arguments
    }

    /// Where the complaints of `side` go.
    pub(crate) fn log(&self, side: Side) -> PathBuf {
        self.folder.join(format!("{}.log", side.name()))
    }

    /// Everything on disk: the folders of server and clients, and their logs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Process id of the server.
    pub(crate) fn server_id(&self) -> Result<u32> {
        self.server.id()
    }

    /// Stops the server.
    pub(crate) async fn close(self) -> Result<()> {
        if let Some(hostile) = self.hostile {
            hostile.kill().await?;
        }
        self.server.kill().await?;
        if let Some(relay) = self.relay {
            relay.close().await?;
        }
        match self.network {
            Some(network) => network.close().await,
            None => Ok(()),
        }
    }
}

/// Starts the hostile server in front of the one at `server`; gives its address.
async fn in_front(folder: &Path, data: &Path, server: &str, attack: &str) -> Result<(Running, String)> {
    let mut arguments = words(&["--data"], data);
    arguments.extend(["--server", server, "--listen", "127.0.0.1:0", "--attack", attack].map(OsString::from));
    let mut hostile = Running::start("quietroom-hostile", &arguments, &folder.join("hostile.log"), Place::default())?;
    let mut line =
        async || timeout(STEP, hostile.line()).await.context("step \"hostile server\": it printed nothing")?;
    let address = after(&line().await?, "listening").context("step \"hostile server\": it printed no address")?;
    say(&format!("HOSTILE SERVER, attack {attack}"));
    // What it tries, and what the clients must do.
    for _ in 0..2 {
        say(&format!("  {}", line().await?));
    }
    Ok((hostile, address))
}

/// Fixed words, then a path.
fn words(fixed: &[&str], path: &Path) -> Vec<OsString> {
    fixed.iter().map(OsString::from).chain([path.into()]).collect()
}

/// The practice by its own commands: the owner makes it, adds the clinician, certifies the clinician's device.
async fn practice(folder: &Path, server: &[OsString], secret: &str, place: Place<'_>) -> Result<Staff> {
    let owner = folder.join("owner");
    let host = folder.join(Side::Host.name());
    let owners = passphrase()?;
    let staff = passphrase()?;

    let lines = [secret, "Banksia Street Practice", "+61 2 5550 0199", "owner", &owners];
    let admin = with_second_factor(
        "practice init",
        &quietroom(&owner, &["practice", "init", "--passphrase-only"], server),
        &lines,
        place,
    )
    .await?;

    let code = admin.next_code().await?;
    let lines = [&owners, &code, CLINICIAN, "Dr Ada Example", "host"];
    let added = once("staff add", "quietroom", &quietroom(&owner, &["staff", "add"], &[]), &lines, place).await?;
    let secret = after(&added, "enrolment secret:").context("step \"staff add\": no enrolment secret was printed")?;
    let lines = [CLINICIAN, &secret, &staff];
    let authenticator = with_second_factor(
        "staff enrol",
        &quietroom(&host, &["staff", "enrol", "--passphrase-only"], server),
        &lines,
        place,
    )
    .await?;

    let request = folder.join("device.request");
    let certificate = folder.join("device.certificate");
    let arguments = quietroom(&host, &["device", "request", "--out"], &[request.clone().into()]);
    once("device request", "quietroom", &arguments, &[&staff], place).await?;
    let rest = ["--name".into(), "Dr Ada Example".into(), "--out".into(), certificate.clone().into()];
    let mut arguments = quietroom(&owner, &["device", "certify", "--request"], &[request.into()]);
    arguments.extend(rest);
    once("device certify", "quietroom", &arguments, &[&owners], place).await?;
    let arguments = quietroom(&host, &["device", "install", "--certificate"], &[certificate.into()]);
    once("device install", "quietroom", &arguments, &[], place).await?;
    Ok(Staff { name: CLINICIAN, passphrase: staff, authenticator })
}

/// Runs a command that prints an authenticator secret and asks for one of its codes.
///
/// It gets the code of the past time step, which the server still takes, so that the present one is left for a sign-in.
async fn with_second_factor(
    step: &str,
    arguments: &[OsString],
    lines: &[&str],
    place: Place<'_>,
) -> Result<Authenticator> {
    let run = async {
        let mut command = Running::start("quietroom", arguments, Path::new("/dev/null"), place)?;
        for line in lines {
            command.write(line).await?;
        }
        let authenticator = loop {
            if let Some(secret) = after(&command.line().await?, "authenticator secret:") {
                break Authenticator::new(secret);
            }
        };
        command.write(&authenticator.next_code().await?).await?;
        command.ended().await?;
        Ok::<_, anyhow::Error>(authenticator)
    };
    timeout(STEP, run)
        .await
        .with_context(|| format!("step \"{step}\": it did not end"))?
        .with_context(|| format!("step \"{step}\""))
}

/// Arguments of the client program with a data folder.
fn quietroom(data: &Path, fixed: &[&str], rest: &[OsString]) -> Vec<OsString> {
    let mut arguments = words(&["--data"], data);
    arguments.extend(fixed.iter().map(OsString::from));
    arguments.extend_from_slice(rest);
    arguments
}

/// The word that follows `label` in a printed text.
fn after(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    rest.split_ascii_whitespace().next().map(str::to_owned)
}

/// A passphrase of 96 random bits, in groups that can be read out.
pub(crate) fn passphrase() -> Result<String> {
    let mut bytes = [0_u8; 12];
    SystemRandom::new().fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    let groups: Vec<String> =
        bytes.chunks(2).map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    Ok(groups.join("-"))
}
