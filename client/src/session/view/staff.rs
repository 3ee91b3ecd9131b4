//! What staff see before the call: sign-in, today's list, invitations, the door.

use serde::Serialize;

use super::Devices;
use crate::private::Private;

/// Staff sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// Which field is asked for.
    pub step: SignInStep,
    /// Name remembered on this computer, to fill in.
    #[serde(rename = "account")]
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
    /// Whole days until this device's certificate ends, once fewer than 7 are left: it has to be renewed.
    pub renew_in_days: Option<u64>,
    /// Appointments by time.
    pub appointments: Vec<AppointmentRow>,
    /// Rooms in which a colleague is now.
    pub colleagues: Vec<ColleagueRoom>,
    /// A request is under way.
    pub busy: bool,
    /// Unix seconds of the last good answer of the server.
    pub updated_at: Option<u64>,
}

/// A colleague's open room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColleagueRoom {
    /// Opaque id.
    pub id: String,
    /// Practice's own reference.
    pub label: String,
    /// Name of the colleague's account, as the server says.
    pub host: String,
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
    /// That invitation leads to a call whose keys are disclosed.
    pub assessor: bool,
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
    /// The code was wrong too often.
    Locked,
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
    /// It leads to a call whose keys are disclosed.
    pub assessor: bool,
    /// The link goes through the server, which then knows it.
    pub by_server: bool,
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
    /// The keys of this call are disclosed afterwards.
    pub assessor: bool,
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
    /// A clinician of the practice, who comes by certificate: there is no card, and no link and code.
    pub colleague: bool,
    /// From the sealed card, once it came; a colleague's from its certificate, once that was verified.
    pub name: Option<Private>,
    /// From the sealed card.
    pub birth_date: Option<Private>,
    /// From the sealed card.
    pub phone: Option<Private>,
    /// From the sealed card.
    pub with_them: Option<Private>,
    /// What cryptography says about the guest.
    pub badge: LinkBadge,
    /// The server knows the guest's link: the safety words must be compared.
    pub link_by_server: bool,
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
