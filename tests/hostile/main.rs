//! `quietroom-hostile`: the server gone bad, to watch clients refuse it.
//!
//! It stands where clients expect their server, with the key of the real server's data folder, and passes everything on
//! to the real one, except for what the chosen attack does. `--list` says what each attack tries and what the clients
//! must do. It ends on Ctrl-C, SIGTERM, or after `--seconds`.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use lab::hostile::{Attack, Hostile};
use tokio::signal::unix::{SignalKind, signal};

/// The server gone bad.
#[derive(Debug, Parser)]
#[command(name = "quietroom-hostile", version)]
struct Options {
    /// Prints every attack, what it tries, and what the clients must do.
    #[arg(long)]
    list: bool,
    /// Which attack.
    #[arg(long, default_value = "none")]
    attack: Attack,
    /// Data folder of the real server: clients know its key.
    #[arg(long, required_unless_present = "list")]
    data: Option<PathBuf>,
    /// Where the real server listens.
    #[arg(long, required_unless_present = "list")]
    server: Option<SocketAddr>,
    /// Where clients expect their server; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Ends by itself after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if options.list {
        for attack in Attack::ALL {
            say(&format!("{}\n  tries: {}\n  clients: {}", attack.name(), attack.tries(), attack.must()))?;
        }
        return Ok(());
    }
    let (Some(data), Some(server)) = (options.data, options.server) else { return Ok(()) };
    let hostile = match options.attack {
        Attack::OtherKey => Hostile::start_with_other_key(&data, options.listen, server).await?,
        attack => Hostile::start(&data, options.listen, server, attack.operator()).await?,
    };
    say(&format!("listening {} attack {}", hostile.address(), options.attack.name()))?;
    say(options.attack.tries())?;
    say(options.attack.must())?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let time_is_up = async {
        match options.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("listening for Ctrl-C")?,
        _ = terminate.recv() => {}
        () = time_is_up => {}
    }
    hostile.close().await;
    Ok(())
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
