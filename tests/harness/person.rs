//! Somebody with a client: gives commands, waits for views.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::session::driver::{Aids, DriverConfig, MediaOptions, start};
use client::session::{
    AppointmentRow, Call, Command, DeviceState, ErrorCode, Goodbye, InvitationState, InvitePage, KnockState, Knocker,
    Phase, SignInStep, View,
};
use client::{AppHandle, Private};
use media::codec::VideoCodec;
use media::process::echo::VoiceProcessing;
use media::{AudioSourceSpec, Bitrate, SpeakerSpec};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Ends a test that failed; a good one never waits so long.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Link and code, and what they are for.
#[derive(Clone)]
pub(crate) struct Invitation {
    pub(crate) appointment: String,
    pub(crate) link: String,
    pub(crate) code: String,
}

/// What a patient writes on the lobby card.
pub(crate) struct Card {
    pub(crate) name: &'static str,
    pub(crate) birth_date: &'static str,
    pub(crate) phone: &'static str,
}

impl Card {
    /// The patient of most tests.
    pub(crate) const ROBIN: Self = Self { name: "Robin Example", birth_date: "1980-02-29", phone: "+61 2 5550 0100" };
}

/// Neither camera nor microphone nor loudspeaker.
pub(crate) fn no_devices() -> MediaOptions {
    MediaOptions {
        video: None,
        audio: AudioSourceSpec::None,
        speaker: SpeakerSpec::Null,
        bitrate: Bitrate::kbps(500),
        codec: VideoCodec::H264,
        background: None,
        voice_processing: VoiceProcessing::NONE,
        bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        relay_only: false,
        aids: Aids::default(),
    }
}

/// Somebody with a running client.
pub(crate) struct Person {
    handle: AppHandle,
    task: JoinHandle<()>,
    // Held for its end only.
    _folder: Option<TempDir>,
}

impl Person {
    /// Somebody at a computer with this data folder.
    pub(crate) fn at(folder: &Path, media: MediaOptions) -> Self {
        let config = DriverConfig { folder: folder.to_owned(), media, report: None, disclose: None };
        let (handle, task) = start(config, &Handle::current());
        Self { handle, task, _folder: None }
    }

    /// Somebody at a computer that knows nothing.
    pub(crate) fn guest(media: MediaOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut person = Self::at(folder.path(), media);
        person._folder = Some(folder);
        person
    }

    /// Gives a command.
    pub(crate) async fn tell(&self, command: Command) {
        self.handle.commands.send(command).await.unwrap();
    }

    /// Waits for a view in which `found` finds what it looks for.
    pub(crate) async fn until<T>(&mut self, what: &str, mut found: impl FnMut(&View) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(value) = found(&self.handle.view.borrow_and_update()) {
                    return value;
                }
                self.handle.view.changed().await.expect("the client ended");
            }
        };
        match timeout(LIMIT, wait).await {
            Ok(value) => value,
            Err(_) => panic!("waited in vain: {what}; the client stands at {}", self.whereabouts()),
        }
    }

    /// Puts the notice away, so that the next one is a new one.
    pub(crate) async fn dismiss(&mut self) {
        self.tell(Command::Dismiss).await;
        self.until("no notice", |view| view.notice.is_none().then_some(())).await;
    }

    /// Waits for a notice with this code; gives the tries left, where they are counted.
    pub(crate) async fn told(&mut self, code: ErrorCode) -> Option<u8> {
        let what = format!("notice {}", code.as_str());
        self.until(&what, |view| view.notice.as_ref().filter(|notice| notice.code == code).map(|n| n.tries_left)).await
    }

    /// Types name and passphrase, and waits for the answer.
    pub(crate) async fn try_sign_in(&self, name: &str, passphrase: &str) {
        self.tell(Command::ChooseStaff).await;
        self.tell(Command::SignIn { name: name.into(), passphrase: passphrase.into() }).await;
    }

    /// Passes the first step of the sign-in.
    pub(crate) async fn sign_in(&mut self, name: &str, passphrase: &str) {
        self.try_sign_in(name, passphrase).await;
        self.until("the second factor is asked for", |view| match &view.phase {
            Phase::SignIn(sign_in) if sign_in.step == SignInStep::SecondFactor => Some(()),
            _ => None,
        })
        .await;
    }

    /// Passes the second step of the sign-in.
    pub(crate) async fn second_factor(&mut self, code: &str) {
        self.tell(Command::SecondFactor { code: code.into() }).await;
        self.until("today's list", |view| matches!(view.phase, Phase::Today(_)).then_some(())).await;
    }

    /// Books an appointment, makes its invitation and returns to today's list.
    pub(crate) async fn invite(&mut self, label: &str) -> Invitation {
        let starts_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.tell(Command::OpenBooking).await;
        self.tell(Command::Book { label: label.to_owned(), starts_at }).await;
        let appointment = self
            .until("the appointment is listed", |view| match &view.phase {
                Phase::Today(today) if !today.busy => {
                    today.appointments.iter().find(|row| row.label == label).map(|row| row.id.clone())
                }
                _ => None,
            })
            .await;
        self.invite_to(&appointment).await
    }

    /// Makes one more invitation for an appointment and returns to today's list.
    pub(crate) async fn invite_to(&mut self, appointment: &str) -> Invitation {
        let appointment = appointment.to_owned();
        self.tell(Command::MakeInvitation { appointment: appointment.clone() }).await;
        let link = self
            .until("the link", |view| {
                page(view, |page| match page {
                    InvitePage::Link { link } => Some(link.clone()),
                    InvitePage::Code { .. } => None,
                })
            })
            .await;
        self.tell(Command::InvitationNext).await;
        let code = self
            .until("the code", |view| {
                page(view, |page| match page {
                    InvitePage::Code { code } => Some(code.clone()),
                    InvitePage::Link { .. } => None,
                })
            })
            .await;
        self.tell(Command::InvitationSent).await;
        self.until("today's list again", |view| match &view.phase {
            Phase::Today(today) => {
                let made = |row: &AppointmentRow| row.id == appointment && row.invitation == InvitationState::Made;
                today.appointments.iter().any(made).then_some(())
            }
            _ => None,
        })
        .await;
        Invitation { appointment, link: link.as_str().to_owned(), code: code.as_str().to_owned() }
    }

    /// Opens the room of an appointment.
    pub(crate) async fn start(&mut self, appointment: &str) {
        self.tell(Command::StartConsultation { appointment: appointment.to_owned() }).await;
        self.until("the open room", |view| matches!(view.phase, Phase::LobbyHost(_)).then_some(())).await;
    }

    /// Pastes a link and waits for the page that asks for the code.
    pub(crate) async fn open_link(&mut self, link: &str) {
        self.tell(Command::ChooseGuest).await;
        self.tell(Command::PasteLink { text: link.into() }).await;
        self.until("the code is asked for", |view| matches!(view.phase, Phase::JoinCode(_)).then_some(())).await;
    }

    /// Enters a code, fills in the card and knocks.
    pub(crate) async fn knock(&mut self, code: &str, card: &Card) {
        self.tell(Command::EnterCode { code: code.into() }).await;
        self.tell(Command::AboutYou {
            name: card.name.into(),
            birth_date: card.birth_date.into(),
            phone: card.phone.into(),
            with_them: None,
            consent: true,
        })
        .await;
        self.until("the device check, or the lobby", |view| match &view.phase {
            Phase::DeviceCheck(check) => (check.devices.camera != DeviceState::Checking).then_some(()),
            Phase::LobbyGuest(_) => Some(()),
            _ => None,
        })
        .await;
        self.tell(Command::DevicesOk).await;
    }

    /// From the link to a proven knock.
    pub(crate) async fn join(&mut self, invitation: &Invitation, card: &Card) {
        self.open_link(&invitation.link).await;
        self.knock(&invitation.code, card).await;
        self.until("link and code are proven", |view| match &view.phase {
            Phase::LobbyGuest(lobby) => (lobby.knock == KnockState::Proven).then_some(()),
            _ => None,
        })
        .await;
    }

    /// Waits for somebody at the door who proved link and code.
    pub(crate) async fn knocker(&mut self) -> Knocker {
        self.until("a proven knock", |view| {
            let waiting = match &view.phase {
                Phase::LobbyHost(lobby) => &lobby.waiting,
                Phase::Call(call) => &call.waiting,
                _ => return None,
            };
            waiting.iter().find(|knocker| knocker.ready).cloned()
        })
        .await
    }

    /// Admits whoever waits, with the identity confirmed.
    pub(crate) async fn admit(&mut self) {
        let participant = self.knocker().await.participant;
        self.tell(Command::Admit { participant, identity_confirmed: true }).await;
    }

    /// Waits for a call with two members, sealed, in which `found` finds what it looks for.
    pub(crate) async fn in_call<T>(&mut self, what: &str, mut found: impl FnMut(&Call) -> Option<T>) -> T {
        self.until(what, |view| match &view.phase {
            Phase::Call(call) if call.members.len() == 2 && call.encrypted => found(call),
            _ => None,
        })
        .await
    }

    /// Waits for the goodbye page with everything closed.
    pub(crate) async fn goodbye(&mut self) -> Goodbye {
        self.until("goodbye, with devices closed", |view| match &view.phase {
            Phase::Goodbye(goodbye) if goodbye.devices_closed => Some(*goodbye),
            _ => None,
        })
        .await
    }

    /// What the client shows now.
    pub(crate) fn view(&self) -> View {
        self.handle.view.borrow().clone()
    }

    /// The client's pictures.
    pub(crate) fn pictures(&self) -> client::Pictures {
        self.handle.pictures.clone()
    }

    /// Closes the client and waits until it has ended.
    pub(crate) async fn quit(self) {
        // It may have ended by itself.
        self.handle.commands.send(Command::Quit).await.ok();
        timeout(LIMIT, self.task).await.expect("the client did not end").unwrap();
    }

    /// The computer dies: nothing is said and nothing closed.
    pub(crate) async fn crash(self) {
        self.task.abort();
        self.task.await.ok();
    }

    fn whereabouts(&self) -> String {
        let view = self.handle.view.borrow();
        let notice = view.notice.as_ref().map_or("no notice", |notice| notice.code.as_str());
        // Views print names as "Private(…)".
        format!("{:?}, {notice}", view.phase)
    }
}

fn page(view: &View, found: impl FnOnce(&InvitePage) -> Option<Private>) -> Option<Private> {
    match &view.phase {
        Phase::Invite(invite) => found(&invite.page),
        _ => None,
    }
}
