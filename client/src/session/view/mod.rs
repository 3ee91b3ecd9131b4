//! What the person sees, as plain data.
//!
//! The session is the only writer; a window paints it, the headless driver prints it.
//! Times are Unix seconds of events ("waiting since"), never durations, so that a view changes only when something happens.

mod call;
mod guest;
mod staff;

use serde::Serialize;

use super::error_code::ErrorCode;
use crate::preferences::BackgroundChoice;
use crate::private::Private;

pub use call::*;
pub use guest::*;
pub use staff::*;

/// Everything that a screen needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Where the person stands.
    pub phase: Phase,
    /// Something to be told, until it is dismissed or the phase changes.
    pub notice: Option<Notice>,
    /// Link to the server.
    pub connection: ConnectionState,
    /// Practice, once known from the link or the server.
    pub practice: Option<PracticeInfo>,
    /// Server this client talks to.
    pub server: Option<ServerInfo>,
}

impl View {
    /// The first view of a fresh client.
    pub fn start() -> Self {
        Self { phase: Phase::Start, notice: None, connection: ConnectionState::Idle, practice: None, server: None }
    }
}

/// An error or a fact that needs a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Which sentence.
    pub code: ErrorCode,
    /// Person it is about.
    pub person: Option<Private>,
    /// Tries left, where tries are counted.
    pub tries_left: Option<u8>,
    /// Seconds after which trying again makes sense.
    pub retry_after_s: Option<u32>,
}

impl Notice {
    /// A notice without details.
    pub fn new(code: ErrorCode) -> Self {
        Self { code, person: None, tries_left: None, retry_after_s: None }
    }
}

/// Link to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No connection is wanted yet.
    Idle,
    /// Connected, or a request just went well.
    Online,
    /// Lost; trying again by itself.
    Reconnecting,
}

/// Who runs the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PracticeInfo {
    /// Practice name, as the server says; empty when it is not known.
    pub name: String,
    /// Practice phone; from an invitation it is signed by the practice key.
    pub phone: String,
}

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// `host:port`.
    pub address: String,
    /// SHA-256 of the server's key, hex in groups of four.
    pub fingerprint: String,
}

/// Where the person stands, with the data valid there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// "I have an invitation" or "I work here".
    Start,
    /// Staff: passphrase, then second factor.
    SignIn(SignIn),
    /// Staff: today's list.
    Today(Today),
    /// Staff: booking page.
    Booking(Booking),
    /// Host: link page, then code page.
    Invite(Invite),
    /// Host: room open, nobody admitted yet.
    LobbyHost(LobbyHost),
    /// Guest: paste the link.
    JoinLink(JoinLink),
    /// Guest: type the code.
    JoinCode(JoinCode),
    /// Guest: the lobby card.
    AboutYou(AboutYou),
    /// Guest: devices and self view.
    DeviceCheck(DeviceCheck),
    /// Guest: whether to take part in a call whose keys are disclosed.
    Assessor(AssessorQuestion),
    /// Guest: waiting.
    LobbyGuest(LobbyGuest),
    /// In the consultation.
    Call(Call),
    /// After it.
    Goodbye(Goodbye),
}

/// State of the three devices, and what others see behind the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Devices {
    /// Camera.
    pub camera: DeviceState,
    /// Microphone.
    pub microphone: DeviceState,
    /// Speaker.
    pub speaker: DeviceState,
    /// What others see behind the person.
    pub background: BackgroundChoice,
    /// It cannot be shown so: an outline stands for the person.
    pub background_failed: bool,
}

impl Devices {
    /// All being opened.
    pub const CHECKING: Self = Self {
        camera: DeviceState::Checking,
        microphone: DeviceState::Checking,
        speaker: DeviceState::Checking,
        background: BackgroundChoice::Shown,
        background_failed: false,
    };
}

/// State of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "code", rename_all = "snake_case")]
pub enum DeviceState {
    /// Being opened.
    Checking,
    /// Works.
    Ready,
    /// Does not; one can go on without.
    Failed(ErrorCode),
    /// Not wanted.
    Off,
}

/// After the consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Goodbye {
    /// Why it ended.
    pub reason: GoodbyeReason,
    /// Camera, microphone and speaker are closed and their threads joined.
    pub devices_closed: bool,
    /// Whether this side was the host, who goes back to today's list.
    pub host: bool,
    /// What became of the keys of this call.
    pub keys: CallKeys,
}

/// What became of the keys of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKeys {
    /// This side never held any.
    None,
    /// They are gone from memory.
    Destroyed,
    /// They were disclosed, by the call's policy.
    Disclosed,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodbyeReason {
    /// This side left.
    Left,
    /// The host ended it for all.
    Ended,
    /// Not admitted this time (`LOB-04`).
    Denied,
    /// The host took this side out.
    Removed,
    /// It could not go on; the notice says why.
    Failed,
}
