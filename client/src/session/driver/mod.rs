//! The task that owns everything with a side effect: connection, keystore, media engine.
//!
//! It feeds the session one input at a time, does what the session asks in the order it asks, and publishes the view.

mod engine;
mod jobs;
mod relay;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{Input, Now, Output, Reply, Session, View};
use crate::connection::{Server, ServerPin, Socket, SocketEvent};
use crate::disclosure::{self, GroupDisclosure};
use crate::keystore::Keystore;
use crate::preferences::Preferences;
use crate::report::ReportBook;
use crate::settings::Settings;
use crate::{AppHandle, Pictures, Private, Waker};
use engine::MediaHand;
pub use engine::{Aids, MediaOptions};

/// Commands that may wait. A person cannot click faster; a script that does loses its clicks.
const COMMANDS: usize = 64;
/// Answers of jobs that may wait; each job sends one or two.
const DONE: usize = 64;
/// Messages of the server that may wait; the socket stops reading while it is full.
const SOCKET_EVENTS: usize = 256;
/// Time for the session's waits of some hundred milliseconds.
const TICK: Duration = Duration::from_millis(250);

/// What the driver needs to know at the start.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// Data folder: settings, keystore.
    pub folder: PathBuf,
    /// Where pictures and sound come from and go to.
    pub media: MediaOptions,
    /// Where the JSON report goes after a consultation.
    pub report: Option<PathBuf>,
    /// Where the keys go after an assessor call. Real calls are refused then.
    pub disclose: Option<PathBuf>,
}

/// What a job hands back.
#[derive(Debug)]
enum Done {
    Input(Input),
    Keystore(Arc<Keystore>),
    MediaStopped(Box<media::MediaStats>),
    Devices(Arc<media::DeviceList>),
    Windows(crate::pictures::Windows),
}

struct Driver {
    config: DriverConfig,
    session: Session,
    started: Instant,
    commands: mpsc::Receiver<super::Command>,
    view: watch::Sender<View>,
    wake: Waker,
    done: mpsc::Receiver<Done>,
    done_sender: mpsc::Sender<Done>,
    socket: Option<Socket>,
    socket_events: Option<mpsc::Receiver<SocketEvent>>,
    /// A connection whose last messages are on their way.
    closing: Option<JoinHandle<()>>,
    keystore: Option<Arc<Keystore>>,
    server: Option<Server>,
    media: MediaHand,
    preferences: Preferences,
    report: ReportBook,
    disclosed: Vec<GroupDisclosure>,
    quit: bool,
}

/// Starts the driver on a runtime. It ends by [`super::Command::Quit`], or when every handle is dropped.
pub fn start(config: DriverConfig, runtime: &Handle) -> (AppHandle, JoinHandle<()>) {
    let (commands_sender, commands) = mpsc::channel(COMMANDS);
    let (done_sender, done) = mpsc::channel(DONE);
    let (view, view_receiver) = watch::channel(View::start());
    let pictures = Pictures::default();
    let wake = Waker::default();
    let account = Settings::load(&config.folder).ok().and_then(|settings| settings.account).unwrap_or_default();
    let preferences = Preferences::load(&config.folder);
    // What was asked for this time alone is not kept for the next time.
    let background = config.media.background.unwrap_or(preferences.background);
    let media =
        MediaHand::new(config.media.clone(), &preferences, background, pictures.clone(), wake.clone(), runtime.clone());
    let session = Session::new(Private::from(account)).with_background(background);
    let driver = Driver {
        session: session.disclosing(config.disclose.is_some()),
        preferences,
        started: Instant::now(),
        commands,
        view,
        wake: wake.clone(),
        done,
        done_sender,
        socket: None,
        socket_events: None,
        closing: None,
        keystore: None,
        server: None,
        media,
        report: ReportBook::new(),
        disclosed: Vec::new(),
        quit: false,
        config,
    };
    let task = runtime.spawn(driver.run());
    (AppHandle { commands: commands_sender, view: view_receiver, pictures, wake }, task)
}

impl Driver {
    async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.quit {
            let wake = self.session.next_wake().map(|at| self.started + at);
            let input = tokio::select! {
                // A click before anything else.
                biased;
                command = self.commands.recv() => Input::Command(command.unwrap_or(super::Command::Quit)),
                event = self.media.event() => {
                    self.report.on_engine(&event);
                    Input::Engine(event)
                }
                event = next(&mut self.socket_events) => Input::Socket(event),
                done = self.done.recv() => match done {
                    Some(Done::Input(input)) => input,
                    Some(Done::Keystore(keystore)) => {
                        self.keystore = Some(keystore);
                        continue;
                    }
                    Some(Done::MediaStopped(stats)) => {
                        self.media.stopped(&self.done_sender);
                        self.report.on_stats(*stats);
                        self.write_report().await;
                        Input::MediaStopped
                    }
                    Some(Done::Devices(devices)) => {
                        self.media.show_devices(devices);
                        continue;
                    }
                    Some(Done::Windows(windows)) => {
                        self.media.show_windows(windows);
                        continue;
                    }
                    // The own sender lives in `self`.
                    None => break,
                },
                _ = tick.tick() => {
                    for (device, state) in self.media.poll() {
                        self.handle(Input::Device(device, state)).await;
                    }
                    self.report.tick(self.media.counted());
                    if let Some(sealed) = self.media.sealed() {
                        self.handle(Input::Sealed(sealed)).await;
                    }
                    Input::Tick
                }
                () = until(wake) => Input::Tick,
            };
            self.handle(input).await;
            if self.media.take_broken() {
                self.handle(Input::MediaBroken).await;
            }
        }
        self.close().await;
    }

    async fn handle(&mut self, input: Input) {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = Now { unix, since_start: self.started.elapsed() };
        for output in self.session.handle(now, input) {
            self.perform(output).await;
        }
        let view = self.session.view();
        let changed = self.view.send_if_modified(|shown| {
            let changed = *shown != view;
            if changed {
                *shown = view;
            }
            changed
        });
        if changed {
            self.wake.wake();
        }
    }

    async fn perform(&mut self, output: Output) {
        match output {
            Output::Request(number, request) => self.start_job(number, request),
            Output::OpenSocket { endpoint, token } => {
                let Ok(address) = endpoint.address.parse() else {
                    tracing::error!("an address that was checked before does not parse");
                    return;
                };
                let (events, receiver) = mpsc::channel(SOCKET_EVENTS);
                let server = Server::new(address, ServerPin(endpoint.pin));
                self.socket = Some(Socket::open(server, zeroize::Zeroizing::new(token.as_str().to_owned()), events));
                self.socket_events = Some(receiver);
            }
            Output::CloseSocket => {
                self.socket_events = None;
                if let Some(socket) = self.socket.take() {
                    // What was said last goes out first; the window does not wait for it, the end of the program does.
                    self.closing = Some(tokio::spawn(socket.close()));
                }
            }
            Output::Send(message) => self.send(message),
            Output::StoreThenSend { invite, record, message } => {
                let Some(keystore) = self.keystore.clone() else { return };
                let stored = tokio::task::spawn_blocking(move || keystore.store_invitation(&invite, &record)).await;
                match (stored, message) {
                    (Ok(Ok(())), Some(message)) => self.send(message),
                    (Ok(Ok(())), None) => {}
                    (Ok(Err(error)), _) => {
                        tracing::error!(%error, "an invitation's record was not stored, so its message stays here");
                        self.reply(u64::MAX, Reply::NotStored(error.code()));
                    }
                    (Err(error), _) => tracing::error!(%error, "storing an invitation's record broke off"),
                }
            }
            Output::Disclose(group) => self.disclose(*group).await,
            Output::Media(command) => {
                if let Some(stats) = self.media.before(&command) {
                    self.report.on_stats(stats);
                }
                let chosen = self.preferences.take(&command);
                // Before the disk: who hides the room waits for nothing.
                self.media.perform(command, &self.done_sender);
                if chosen {
                    keep(self.preferences.clone(), self.config.folder.clone()).await;
                }
            }
            Output::Mark(mark) => self.report.mark(mark),
            Output::Quit => self.quit = true,
        }
    }

    fn send(&self, message: signaling::protocol::ClientMessage) {
        match &self.socket {
            Some(socket) => socket.send(message),
            None => tracing::warn!("a message had no connection to go over"),
        }
    }

    fn reply(&self, number: u64, reply: Reply) {
        if self.done_sender.try_send(Done::Input(Input::Reply(number, reply))).is_err() {
            tracing::error!("an answer was dropped: the driver is behind");
        }
    }

    /// Writes the keys of all groups of the call so far; without a file to write to they are dropped here.
    async fn disclose(&mut self, group: GroupDisclosure) {
        let Some(path) = self.config.disclose.clone() else { return };
        self.disclosed.push(group);
        let written = match disclosure::encode(&self.disclosed, &self.media.srtp_keys()) {
            Ok(text) => tokio::task::spawn_blocking(move || disclosure::write(&path, &text)).await,
            Err(error) => Ok(Err(error)),
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the keys of the assessor call were not written"),
            Err(error) => tracing::error!(%error, "writing the keys of the assessor call broke off"),
        }
    }

    async fn write_report(&mut self) {
        let (Some(path), Some(text)) = (self.config.report.clone(), self.report.finish()) else { return };
        let written = tokio::task::spawn_blocking(move || crate::report::write(&path, &text)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(%error, "the report was not written");
        }
    }

    /// Nothing stays behind: the devices are closed and the last messages sent before the task ends.
    async fn close(mut self) {
        if let Some(stats) = self.media.stop_now().await {
            self.report.on_stats(stats);
        } else {
            // A stop that is under way tells when it is done.
            while self.media.is_stopping() {
                match tokio::time::timeout(Duration::from_secs(5), self.done.recv()).await {
                    Ok(Some(Done::MediaStopped(stats))) => {
                        self.report.on_stats(*stats);
                        self.media.stopped(&self.done_sender);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
        }
        self.write_report().await;
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        if let Some(closing) = self.closing.take()
            && closing.await.is_err()
        {
            tracing::error!("closing the connection broke off");
        }
    }
}

/// Writes the choices for the next time; without them it goes on as well. One after the other, so that the latest stays.
async fn keep(preferences: Preferences, folder: PathBuf) {
    let written = tokio::task::spawn_blocking(move || preferences.save(&folder)).await;
    if let Ok(Err(error)) = written {
        tracing::warn!(%error, "the preferences were not written");
    }
}

/// Ends at `due`, never without one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

async fn next<T>(events: &mut Option<mpsc::Receiver<T>>) -> T {
    match events {
        Some(receiver) => match receiver.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
