//! What both programs share: arguments, logging, runtime, and one of the two faces.

use anyhow::Context;
use clap::Parser;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroize;

use crate::cli::{self, Ask, Cli};
use crate::keystore::FolderLock;
use crate::session::Command;
use crate::session::driver::{self, Aids};
use crate::{AppHandle, app, disclosure, headless, invitation_file};

/// Tasks are few and short; media has its own threads.
const WORKERS: usize = 2;

/// Bytes of stack that [`wipe_stack`] overwrites: more than session, MLS and WebRTC were seen to reach down.
const WIPED: usize = 128 << 10;

/// The program `quietroom`.
///
/// # Errors
/// Those of the subcommand, the window or the runtime, with a sentence.
pub fn main() -> anyhow::Result<()> {
    run(&Cli::parse(), Aids::default(), app::run)
}

/// Runs one of the faces; `window` opens the window.
///
/// # Errors
/// As [`main`].
pub fn run<E: std::fmt::Display>(
    cli: &Cli,
    aids: Aids,
    window: impl FnOnce(AppHandle) -> Result<(), E>,
) -> anyhow::Result<()> {
    start_log();
    refuse_core_dumps();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("session")
        .on_thread_park(wipe_stack)
        .enable_all()
        .build()
        .context("the program could not start its threads")?;
    let folder = FolderLock::take(&cli.folder())?;
    if let Some(action) = &cli.action {
        return Ok(runtime.block_on(cli::perform(cli, action, &Ask::standard()))?);
    }
    if let Some(path) = &cli.disclose {
        disclosure::check_target(path).map_err(anyhow::Error::msg)?;
    }
    let invitation = cli.invitation.as_deref().map(invitation_file::read).transpose();
    let invitation = invitation.context("the invitation's file could not be read")?;
    let (handle, task) = driver::start(cli.driver(aids), runtime.handle());
    if let Some(text) = invitation {
        // The queue is new and empty.
        handle.commands.try_send(Command::PasteLink { text }).ok();
    }
    if cli.headless {
        runtime.block_on(headless::run(handle, task, std::io::stdout())).context("the headless driver broke off")?;
    } else {
        let commands = handle.commands.clone();
        let closed = window(handle);
        finish(&runtime, commands, task);
        closed.map_err(|error| anyhow::anyhow!("the window could not be opened: {error}"))?;
    }
    // Engine and socket have ended with the driver; nothing else is worth waiting for.
    runtime.shutdown_background();
    drop(folder);
    Ok(())
}

/// What is freed is wiped by the allocator, but moved keys leave copies on the stack, the libraries' too, until a thread
/// happens to come by there again. So each worker wipes below itself whenever it has nothing to do.
#[inline(never)]
fn wipe_stack() {
    let mut stack = [0_u64; WIPED / 8];
    stack.zeroize();
}

/// The window is closed: the session ends what is running and closes the devices before the program ends.
fn finish(runtime: &Runtime, commands: tokio::sync::mpsc::Sender<Command>, task: tokio::task::JoinHandle<()>) {
    runtime.block_on(async {
        // A driver that has ended already needs no command.
        commands.send(Command::Quit).await.ok();
        drop(commands);
        if task.await.is_err() {
            tracing::error!("the session did not end by itself");
        }
    });
}

/// A crash must not write keys to disk, and no other process of this user may read them from memory.
fn refuse_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let limit = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    if let Err(error) = limit.and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable)) {
        tracing::warn!(%error, "core dumps could not be refused");
    }
}

/// Warnings to standard error, more by `RUST_LOG`. No log line of ours holds a name, address, token or code.
fn start_log() {
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("warn"));
    // The transport's libraries log addresses: they stay silent, whatever is asked for.
    for silent in ["rtc=off", "webrtc=off"] {
        match silent.parse() {
            Ok(directive) => filter = filter.add_directive(directive),
            Err(error) => tracing::error!(%error, "a directive of the log does not parse"),
        }
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if let Err(error) = log.try_init() {
        tracing::debug!(%error, "a log was there already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_window_nor_command_works_beside_another_client_on_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let other = FolderLock::take(folder.path()).unwrap();
        let data = folder.path().to_str().unwrap();
        for words in [&["quietroom", "--data", data][..], &["quietroom", "--data", data, "practice", "status"]] {
            let window = |_: AppHandle| -> Result<(), String> { panic!("a window opened") };
            let refused = run(&Cli::parse_from(words), Aids::default(), window).unwrap_err();
            assert!(refused.to_string().contains("another Quietroom uses this data folder"), "{refused}");
        }
        drop(other);
        run(&Cli::parse_from(["quietroom", "--data", data]), Aids::default(), |_| Ok::<_, String>(())).unwrap();
    }
}
