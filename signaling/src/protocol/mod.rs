//! The wire: what the two sides say to each other over TLS 1.3, as serde types without any I/O.
//!
//! REST (JSON bodies, `Authorization: Bearer <session>`) keeps state; one WebSocket at [`SOCKET_PATH`] carries live
//! messages, one JSON text frame each: [`ClientMessage`] up, [`ServerMessage`] down. Opaque bytes are base64 strings.
//!
//! ```text
//! staff:  Hello -> Ready;  OpenRoom -> Relays, Waiting (now and at each change);  Relay <-> waiting guests;
//!         Admit | Commit | Application -> Entry (the echo, to everyone admitted) or Conflict
//! guest:  Hello -> Ready;  EnterLobby -> Lobby (now and at each change);  Relay <-> host;
//!         Relays, Admitted -> Entry… ;  Commit | Application -> Entry or Conflict
//! colleague (staff, at another host's appointment): Hello -> Ready;  VisitRoom -> Lobby;  then as a guest
//! handover: Commit (HandOver by the host, StepIn by a colleague) -> Entry, Seat (to everyone admitted), Waiting (new host)
//! after a lost socket: Hello, then OpenRoom, EnterLobby or VisitRoom again, then Replay { after: last number seen }
//! ```
//!
//! A message that the server does not know is answered with [`ErrorCode::MessageUnknown`] and the socket stays; one above
//! [`MAX_MESSAGE_LEN`] is answered with [`ErrorCode::MessageTooLarge`] and the socket closes.

mod booking;
mod client;
mod error;
mod id;
mod opaque;
mod relay;
mod rest;
mod server;

pub use booking::{
    Appointment, AppointmentList, AppointmentState, BookRequest, CreateInvitationRequest, GuestRole, InvitationState,
    InvitationSummary, JoinLookupRequest, JoinLookupResponse, JoinRedeemRequest, JoinRedeemResponse, MoveRequest,
    OpenRoom, RoomsResponse,
};
pub use client::{ClientMessage, CommitIntent};
pub use error::{ErrorBody, ErrorCode};
pub use id::{AppointmentId, InviteId, MalformedId, ParticipantId, UserId};
pub use opaque::{Opaque, Secret};
pub use relay::{MAX_RELAYS, RelayLine, RelayServer};
pub use rest::{
    AuditPage, AuditRow, AuditVerdict, AuthStartRequest, BootstrapRequest, CertificatesResponse, CodeRequest,
    CreateUserRequest, CreateUserResponse, Empty, EnrolRequest, EnrolResponse, InfoResponse, PracticeInfo,
    PutCertificateRequest, ReplacePracticeRequest, SessionResponse, StaffList, StaffMember, StaffRole, TicketResponse,
    UnixSeconds,
};
pub use server::{Delivery, LobbyState, ServerMessage, Visitor, WaitingGuest};

/// Version of messages and REST bodies; both sides must say the same.
pub const PROTOCOL_VERSION: u16 = 1;

/// Path of the WebSocket.
pub const SOCKET_PATH: &str = "/v1/socket";

/// Largest WebSocket message and REST body in bytes, checked before it is buffered.
///
/// An admission of sixteen members (commit, Welcome and PSK, base64) stays below it; raising it lets an unauthenticated
/// peer hold more memory.
pub const MAX_MESSAGE_LEN: usize = 64 * 1024;

/// Largest body of [`ClientMessage::Relay`] in bytes before base64.
pub const MAX_RELAY_LEN: usize = 16 * 1024;

/// Most participants who hold keys at once (SFrame key ids have four bits for the sender).
pub const MAX_MEMBERS: usize = 16;

/// Most rooms in one answer of `GET /v1/rooms`.
pub const MAX_OPEN_ROOMS: usize = 64;

/// Longest certificate of a device in bytes before base64, well above what a signed key and a name take.
pub const MAX_CERTIFICATE_LEN: usize = 4096;

/// Most certificates in one answer of `GET /v1/certificates`.
pub const MAX_CERTIFICATES: usize = 64;

/// Longest label of an appointment in bytes.
pub const MAX_LABEL_LEN: usize = 64;

/// Longest sign-in name or display name in bytes.
pub const MAX_NAME_LEN: usize = 96;
