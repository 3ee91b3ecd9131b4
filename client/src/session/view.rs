//! What the person sees, as plain data.
//!
//! The session is the only writer; a window paints it, the headless driver prints it.
//! Times are Unix seconds of events ("waiting since"), never durations, so that a view changes only when something happens.

use serde::Serialize;

use super::error_code::ErrorCode;
use crate::private::Private;

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
    /// Guest: waiting.
    LobbyGuest(LobbyGuest),
    /// In the consultation.
    Call(Call),
    /// After it.
    Goodbye(Goodbye),
}

/// Staff sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// Which field is asked for.
    pub step: SignInStep,
    /// Name remembered on this computer, to fill in.
    pub name: Private,
    /// A request is under way.
    pub busy: bool,
}

/// Step of the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// Name and passphrase.
    Passphrase,
    /// Six digits of the authenticator.
    SecondFactor,
}

/// Today's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Today {
    /// Name of the person signed in.
    pub display_name: String,
    /// Whether this account may make invitations and open rooms.
    pub may_host: bool,
    /// Appointments by time.
    pub appointments: Vec<AppointmentRow>,
    /// A request is under way.
    pub busy: bool,
    /// Unix seconds of the last good answer of the server.
    pub updated_at: Option<u64>,
}

/// One appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppointmentRow {
    /// Opaque id.
    pub id: String,
    /// Practice's own reference.
    pub label: String,
    /// Unix seconds.
    pub starts_at: u64,
    /// State of its invitation.
    pub invitation: InvitationState,
    /// Guests waiting now, as the server counts them.
    pub waiting: u32,
}

/// State of an appointment's invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// None made.
    None,
    /// Made on this computer and open.
    Made,
    /// Made on another computer: only that one can answer it.
    Elsewhere,
    /// Its guest was admitted.
    Used,
    /// Withdrawn.
    Revoked,
    /// Past its window.
    Expired,
}

/// Booking page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// A request is under way.
    pub busy: bool,
}

/// Link and code, on two pages for two channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invite {
    /// Appointment it belongs to.
    pub appointment: String,
    /// The appointment's label.
    pub label: String,
    /// Unix seconds.
    pub starts_at: u64,
    /// Unix seconds after which the host refuses it.
    pub expires_at: u64,
    /// What is shown now; never both.
    pub page: InvitePage,
}

/// One of the two channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "page", rename_all = "snake_case")]
pub enum InvitePage {
    /// First page: for e-mail, or a QR code.
    Link {
        /// `quietroom:` link.
        link: Private,
    },
    /// Second page: by phone or text message.
    Code {
        /// `1234 5678`.
        code: Private,
    },
}

/// The host's room before anybody was admitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LobbyHost {
    /// The appointment's label.
    pub label: String,
    /// Who waits.
    pub waiting: Vec<Knocker>,
    /// Own devices.
    pub devices: Devices,
    /// Microphone sends once somebody is there.
    pub microphone_on: bool,
    /// Camera sends once somebody is there.
    pub camera_on: bool,
}

/// A guest at the door, as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Knocker {
    /// Opaque id for `Admit` and `Deny`.
    pub participant: String,
    /// From the sealed card, once it came.
    pub name: Option<Private>,
    /// From the sealed card.
    pub birth_date: Option<Private>,
    /// From the sealed card.
    pub phone: Option<Private>,
    /// From the sealed card.
    pub with_them: Option<Private>,
    /// What cryptography says about the guest.
    pub badge: LinkBadge,
    /// Unix seconds.
    pub waiting_since: u64,
    /// The appointment's label.
    pub appointment_label: String,
    /// The guest can be admitted now.
    pub ready: bool,
    /// The admission is under way.
    pub admitting: bool,
}

/// The cryptographic badge of a guest at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LinkBadge {
    /// The guest proved that it holds the link.
    pub link_ok: bool,
    /// The guest proved that it holds the code.
    pub code_ok: bool,
    /// A wrong code was tried with this invitation (`INV-06`).
    pub code_failed: bool,
    /// Tries left of the code.
    pub tries_left: u8,
}

/// Guest: paste the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JoinLink {
    /// The server is being asked about it.
    pub busy: bool,
}

/// Guest: type the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JoinCode {
    /// Tries left, once a try was wrong.
    pub tries_left: Option<u8>,
    /// Unix seconds from which the door is open; a countdown while it lies ahead.
    pub opens_at: Option<u64>,
}

/// Guest: the lobby card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AboutYou {
    /// Fields that must be filled in.
    pub missing: Vec<CardField>,
}

/// A field of the lobby card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardField {
    /// Full name.
    Name,
    /// Birth date.
    BirthDate,
    /// Consent to a consultation by video.
    Consent,
}

/// Guest: device check. Self view and level come from the media handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceCheck {
    /// What was found.
    pub devices: Devices,
}

/// State of the three devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Devices {
    /// Camera.
    pub camera: DeviceState,
    /// Microphone.
    pub microphone: DeviceState,
    /// Speaker.
    pub speaker: DeviceState,
}

impl Devices {
    /// All being opened.
    pub const CHECKING: Self =
        Self { camera: DeviceState::Checking, microphone: DeviceState::Checking, speaker: DeviceState::Checking };
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

/// Guest: waiting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LobbyGuest {
    /// How far the knock got.
    pub knock: KnockState,
    /// A host is in the room, as the server says.
    pub host_present: bool,
    /// Place in the queue from 1, as the server says; 0 while unknown.
    pub position: u32,
    /// Unix seconds.
    pub waiting_since: u64,
    /// Host's name from its certificate, once proven.
    pub host_name: Option<String>,
    /// Own devices.
    pub devices: Devices,
}

/// How far the knock got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnockState {
    /// Reaching the server.
    Connecting,
    /// No host is there to answer (`LOB-01`).
    WaitingForHost,
    /// Link and code are being proven.
    Proving,
    /// Proven both ways, card handed over; the host decides.
    Proven,
    /// The host let us in; keys are being taken over.
    Entering,
}

/// In the consultation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Whether this side is the host.
    pub host: bool,
    /// The appointment's label (hosts only; empty for guests).
    pub label: String,
    /// Who holds keys, from the MLS tree and from nothing else.
    pub members: Vec<RosterRow>,
    /// Hosts: who waits.
    pub waiting: Vec<Knocker>,
    /// How media travels.
    pub path: Path,
    /// Epoch of the group.
    pub epoch: u64,
    /// Keys of this epoch are in use for everything sent and received.
    pub encrypted: bool,
    /// The spoken check.
    pub safety: SafetyState,
    /// Own microphone sends.
    pub microphone_on: bool,
    /// Own camera sends.
    pub camera_on: bool,
    /// Own devices.
    pub devices: Devices,
    /// Unix seconds.
    pub started_at: u64,
}

/// One member of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterRow {
    /// Leaf index in the MLS tree; pictures are found by it.
    pub leaf: u32,
    /// Staff: from the certificate; guests: from the sealed card or told inside the group.
    pub name: Option<Private>,
    /// Role in the call.
    pub role: Role,
    /// Who vouches for this member.
    pub vouched: VouchedBy,
    /// The safety words matched with this roster.
    pub verified: bool,
    /// This is us.
    pub you: bool,
    /// What this member sends.
    pub media: MemberMedia,
}

/// Role in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Clinician who runs it.
    Host,
    /// Patient.
    Patient,
    /// Carer.
    Carer,
    /// Interpreter.
    Interpreter,
    /// Another role of a later profile.
    Other,
}

/// Who vouches for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VouchedBy {
    /// The practice key signed this member's device.
    Practice,
    /// The host checked link and code of this member.
    Invitation,
}

/// What a member sends, and whether it opens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemberMedia {
    /// Microphone, as the member says.
    pub microphone: SourceState,
    /// Camera, as the member says.
    pub camera: SourceState,
    /// Transport to this member is up.
    pub connected: bool,
    /// Its media does not open (`E2E-01`): silence and the last picture meanwhile.
    pub undecryptable: bool,
}

/// State of a member's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Sends.
    On,
    /// Muted, or switched off.
    Off,
    /// There is no such device.
    Missing,
}

/// How media travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// Not connected to anybody.
    None,
    /// Straight between the two computers.
    Direct,
    /// Through a relay, which sees ciphertext only.
    Relay,
}

/// The spoken check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SafetyState {
    /// Not asked for with this roster.
    Idle,
    /// Everybody's commitment or reveal is awaited.
    Waiting,
    /// Read these to each other.
    Compare {
        /// Four words.
        words: Vec<String>,
        /// The same as 8 digits.
        digits: String,
    },
    /// Both said the words match.
    Verified,
    /// Somebody said they do not (`E2E-02`).
    Mismatch,
    /// It was verified, then somebody joined.
    RosterChanged,
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
