//! REST bodies of appointments, invitations and joining; the routes stand in `rest.rs`.

use serde::{Deserialize, Serialize};

use super::{AppointmentId, InviteId, Opaque, PracticeInfo, Secret, UnixSeconds, UserId};

/// Role that an invitation is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestRole {
    /// The patient.
    Patient,
    /// Family or another carer.
    Carer,
    /// An interpreter.
    Interpreter,
    /// A captioner.
    Captioner,
}

/// Reserves a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookRequest {
    /// A reference of the practice, not a name; 1 to [`super::MAX_LABEL_LEN`] bytes.
    pub label: String,
    /// Begin.
    pub starts_at: UnixSeconds,
    /// Length in minutes, 1 to 480.
    pub duration_min: u16,
    /// Whose appointment; `None` books for the host who asks.
    pub host: Option<UserId>,
}

/// Moves a slot; invitations made for it then answer `INV-05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveRequest {
    /// New begin.
    pub starts_at: UnixSeconds,
    /// New length in minutes, 1 to 480.
    pub duration_min: u16,
}

/// Appointments from 24 hours ago on, by begin, at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentList {
    /// The appointments.
    pub appointments: Vec<Appointment>,
}

/// One reserved slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Its id, also of its room.
    pub id: AppointmentId,
    /// Reference of the practice.
    pub label: String,
    /// Begin.
    pub starts_at: UnixSeconds,
    /// Length in minutes.
    pub duration_min: u16,
    /// Whose.
    pub host: UserId,
    /// Where it stands.
    pub state: AppointmentState,
    /// Guests and colleagues in its lobby now.
    pub waiting: u32,
    /// Newest last, at most 64.
    pub invitations: Vec<InvitationSummary>,
}

/// Rooms of other hosts of the practice who are in them now, by begin, at most [`super::MAX_OPEN_ROOMS`]. Accounts that do
/// not host are refused with `SRV-02`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomsResponse {
    /// The rooms.
    pub rooms: Vec<OpenRoom>,
}

/// One room that a colleague may visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRoom {
    /// Its appointment, for `VisitRoom`.
    pub appointment: AppointmentId,
    /// Reference of the practice.
    pub label: String,
    /// Display name of the host's account.
    pub host: String,
    /// Begin of the appointment.
    pub starts_at: UnixSeconds,
}

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// Still to come or running.
    Planned,
    /// Cancelled.
    Cancelled,
    /// A host ended its call; the host may open it again.
    Ended,
}

/// One invitation as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationSummary {
    /// Its id.
    pub invite_id: InviteId,
    /// For whom.
    pub role: GuestRole,
    /// Where it stands.
    pub state: InvitationState,
    /// First moment of use.
    pub not_before: UnixSeconds,
    /// Last moment of use.
    pub expires_at: UnixSeconds,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Made, not used yet.
    Made,
    /// A guest holds it and was not admitted yet.
    Redeemed,
    /// Its guest was admitted.
    Used,
    /// Its guest was not admitted.
    Denied,
    /// Withdrawn by the host.
    Revoked,
    /// The appointment was moved or cancelled.
    Moved,
}

/// Registers an invitation that the host's client made. Link secret and code stay there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitationRequest {
    /// From the link.
    pub invite_id: InviteId,
    /// SHA-256 of the lobby token, 32 bytes.
    pub token_hash: Opaque,
    /// For whom.
    pub role: GuestRole,
    /// First moment of use.
    pub not_before: UnixSeconds,
    /// Last moment of use, at most 24 hours after the appointment's end.
    pub expires_at: UnixSeconds,
}

/// Asks what became of an invitation, before any secret is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinLookupRequest {
    /// From the link.
    pub invite_id: InviteId,
}

/// What the server says of an invitation without its token. Unknown ids are refused with `INV-01`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinLookupResponse {
    /// Why redeeming would be refused now, if it would.
    pub refusal: Option<super::ErrorBody>,
    /// Begin of the appointment as it stands now.
    pub starts_at: UnixSeconds,
    /// The practice.
    pub practice: PracticeInfo,
}

/// Binds an invitation to this client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRedeemRequest {
    /// From the link.
    pub invite_id: InviteId,
    /// The lobby token, 32 bytes, as base64.
    pub lobby_token: Secret,
}

/// A guest's session: good for the WebSocket and one room, at most 4 hours.
#[derive(Debug, Serialize, Deserialize)]
pub struct JoinRedeemResponse {
    /// Token for `Hello`.
    pub guest_session: Secret,
    /// End of the session.
    pub expires_at: UnixSeconds,
}
