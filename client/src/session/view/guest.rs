//! What a guest sees before the call.

use serde::Serialize;

use super::Devices;

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

/// Guest, before anything was handed over: the call discloses its keys. Take part, or leave?
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssessorQuestion {
    /// Host's name from its certificate.
    pub host_name: Option<String>,
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
    /// The guest agreed to a call whose keys are disclosed.
    pub assessor: bool,
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
    /// A colleague: the host knows who waits, by certificate.
    Listed,
    /// The host let us in; keys are being taken over.
    Entering,
}
