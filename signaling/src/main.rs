//! `quietroom-server`: makes the data folder, runs the service.

use std::{
    alloc::System,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use signaling::server::{Clock, Config, Relays, Server, init, practice_reset};
use tracing_subscriber::EnvFilter;
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: the copies that libraries make of second factors' secrets and tokens end with them.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// The signaling server of Quietroom.
#[derive(Debug, Parser)]
#[command(name = "quietroom-server", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes keys and database, and prints the one-time secret for `quietroom practice init`.
    Init {
        /// Folder for keys and database.
        #[arg(long)]
        data: PathBuf,
    },
    /// Prints a one-time secret for `quietroom practice replace`, valid for a day: the practice key was lost or stolen.
    PracticeReset {
        /// Folder that `init` made; the service may be running.
        #[arg(long)]
        data: PathBuf,
    },
    /// Runs the service until Ctrl-C or SIGTERM.
    Run {
        /// Folder that `init` made.
        #[arg(long)]
        data: PathBuf,
        /// Address and port; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        /// Relays of the practice.
        #[command(flatten)]
        relays: RelayArguments,
        /// Appends everything after TLS, in clear, to this file.
        #[cfg(feature = "lab")]
        #[arg(long)]
        tap: Option<PathBuf>,
    },
}

/// Relays of the practice: without any, calls need a direct path.
#[derive(Debug, Args)]
struct RelayArguments {
    /// A relay, may be repeated: turn:HOST:PORT?transport=udp, turn:HOST:PORT?transport=tcp, turns:HOST:PORT.
    #[arg(long, requires = "turn_secret")]
    turn: Vec<String>,
    /// File with the secret that this server and the relays share.
    #[arg(long, value_name = "FILE")]
    turn_secret: Option<PathBuf>,
    /// SHA-256 of the public key that the relays show by TLS, 64 hex digits.
    #[arg(long, value_name = "HEX")]
    turn_pin: Option<String>,
}

impl RelayArguments {
    fn relays(&self) -> anyhow::Result<Option<Relays>> {
        let Some(secret) = self.turn_secret.as_ref().filter(|_| !self.turn.is_empty()) else { return Ok(None) };
        Relays::new(&self.turn, secret, self.turn_pin.as_deref()).map(Some)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,signaling=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Init { data } => initialise(&data).await,
        Command::PracticeReset { data } => allow_replacement(&data).await,
        #[cfg(not(feature = "lab"))]
        Command::Run { data, listen, relays } => {
            run(Config { relays: relays.relays()?, ..Config::new(data, listen) }).await
        }
        #[cfg(feature = "lab")]
        Command::Run { data, listen, relays, tap } => {
            let mut config = Config { relays: relays.relays()?, ..Config::new(data, listen) };
            config.tap = tap.as_deref().map(file_tap).transpose()?;
            run(config).await
        }
    }
}

async fn initialise(data: &Path) -> anyhow::Result<()> {
    let made = init(data).await.context("making the data folder")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "secret {}", made.bootstrap_secret.expose())?;
    writeln!(out, "pin {}", hex(&made.spki_pin))?;
    Ok(())
}

async fn allow_replacement(data: &Path) -> anyhow::Result<()> {
    let secret = practice_reset(data, &Clock::system()).await.context("allowing another practice key")?;
    writeln!(std::io::stdout().lock(), "secret {}", secret.expose())?;
    Ok(())
}

async fn run(config: Config) -> anyhow::Result<()> {
    let server = Server::start(config).await.context("starting")?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening {} pin {}", server.address(), hex(&server.spki_pin()))?;
        out.flush()?;
    }
    stop_signal().await?;
    server.shutdown().await;
    Ok(())
}

#[cfg(unix)]
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("listening for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
}

#[cfg(feature = "lab")]
fn file_tap(file: &Path) -> anyhow::Result<signaling::server::Tap> {
    use std::sync::Mutex;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file).context("opening the tap's file")?;
    let file = Mutex::new(file);
    Ok(signaling::server::Tap::new(move |bytes| {
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A test that searches the file notices that it is short.
        file.write_all(bytes).ok();
    }))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
