//! REST bodies, in the order of use. JSON, `POST` unless said; a session goes into `Authorization: Bearer …`.
//!
//! | route | who | request → answer |
//! | --- | --- | --- |
//! | `GET /v1/info` | anyone | → [`InfoResponse`] |
//! | `/v1/bootstrap` | one-time secret | [`BootstrapRequest`] → [`EnrolResponse`] |
//! | `/v1/practice/replace` | one-time secret | [`ReplacePracticeRequest`] → [`Empty`] |
//! | `/v1/enrol` | enrolment secret | [`EnrolRequest`] → [`EnrolResponse`] |
//! | `/v1/enrol/confirm` | ticket | [`CodeRequest`] → [`Empty`] |
//! | `/v1/auth/start` | anyone | [`AuthStartRequest`] → [`TicketResponse`] |
//! | `/v1/auth/totp` | ticket | [`CodeRequest`] → [`SessionResponse`] |
//! | `/v1/auth/logout` | session | → [`Empty`] |
//! | `GET /v1/users` | admin, front desk, host | → [`StaffList`] |
//! | `/v1/users` | admin | [`CreateUserRequest`] → [`CreateUserResponse`] |
//! | `GET /v1/appointments` | admin, front desk (all), host (own) | → [`super::AppointmentList`] |
//! | `GET /v1/rooms` | host (not own) | → [`super::RoomsResponse`] |
//! | `POST /v1/certificates` | host (own) | [`PutCertificateRequest`] → [`Empty`] |
//! | `GET /v1/certificates` | host | → [`CertificatesResponse`] |
//! | `/v1/appointments` | admin, front desk, host (own) | [`super::BookRequest`] → [`super::Appointment`] |
//! | `/v1/appointments/{id}/move` | as booking | [`super::MoveRequest`] → [`super::Appointment`] |
//! | `/v1/appointments/{id}/cancel` | as booking | → [`Empty`] |
//! | `/v1/appointments/{id}/invitations` | the appointment's host | [`super::CreateInvitationRequest`] → [`Empty`] |
//! | `/v1/invitations/{invite_id}/revoke` | the appointment's host | → [`Empty`] |
//! | `/v1/join/lookup` | anyone | [`super::JoinLookupRequest`] → [`super::JoinLookupResponse`] |
//! | `/v1/join/redeem` | lobby token | [`super::JoinRedeemRequest`] → [`super::JoinRedeemResponse`] |
//! | `GET /v1/audit?after=N` | auditor | → [`AuditPage`] |
//! | `GET /v1/audit/verify` | auditor | → [`AuditVerdict`] |
//!
//! Every refusal has an [`super::ErrorBody`].

use serde::{Deserialize, Serialize};

use super::{Opaque, Secret, UserId};

/// Seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

/// What a staff account may do. One account has one role; who needs two has two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Manages users; books; never enters a consultation.
    Admin,
    /// A clinician: invites, admits, consults.
    Host,
    /// Reserves slots for hosts; cannot invite.
    FrontDesk,
    /// Reads the audit.
    Auditor,
}

/// A body without content (`{}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// The practice as everybody may know it. A client believes the phone only with a valid signature of the practice key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PracticeInfo {
    /// Name for people.
    pub name: String,
    /// Phone number for people.
    pub phone: String,
    /// Ed25519 public key, 32 bytes.
    pub public_key: Opaque,
    /// Signature of the practice key over the phone number.
    pub phone_signature: Opaque,
}

/// Answer of `GET /v1/info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoResponse {
    /// [`super::PROTOCOL_VERSION`] of the server.
    pub version: u16,
    /// The practice, once it is set up.
    pub practice: Option<PracticeInfo>,
}

/// Sets up the practice and its first admin. May be repeated until the admin's second factor is confirmed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapRequest {
    /// The one-time secret that `quietroom-server init` printed.
    pub secret: Secret,
    /// Name of the practice, at most [`super::MAX_NAME_LEN`] bytes.
    pub practice_name: String,
    /// Phone of the practice, at most 32 bytes.
    pub practice_phone: String,
    /// Ed25519 public key, 32 bytes.
    pub practice_public_key: Opaque,
    /// Signature over the phone, 64 bytes.
    pub phone_signature: Opaque,
    /// Sign-in name of the first admin, at most [`super::MAX_NAME_LEN`] bytes; case does not matter.
    pub admin_name: String,
    /// The login secret that the client derived from the passphrase (base64, 16 to 256 bytes); never the passphrase.
    pub passphrase: Secret,
}

/// Puts another practice key in the place of the one that was lost or stolen. Accounts stay; every invitation ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacePracticeRequest {
    /// The one-time secret that `quietroom-server practice-reset` printed.
    pub secret: Secret,
    /// Ed25519 public key, 32 bytes.
    pub practice_public_key: Opaque,
    /// The new key's signature over the practice's phone, 64 bytes.
    pub phone_signature: Opaque,
    /// Invitations stay open: the old key was not stolen, and vouches for the new one.
    #[serde(default)]
    pub keep_invitations: bool,
}

/// Makes a staff account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUserRequest {
    /// Sign-in name, unique without regard to case, at most [`super::MAX_NAME_LEN`] bytes.
    pub name: String,
    /// Name that colleagues and patients see, at most [`super::MAX_NAME_LEN`] bytes.
    pub display: String,
    /// What the account may do.
    pub role: StaffRole,
}

/// A new account that waits for its owner.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateUserResponse {
    /// The account.
    pub user: UserId,
    /// Given to its owner in person; valid for 7 days, until the second factor is confirmed.
    pub enrolment_secret: Secret,
}

/// Sets the passphrase of a new account and asks for its second factor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// Sign-in name.
    pub name: String,
    /// From [`CreateUserResponse`].
    pub enrolment_secret: Secret,
    /// The derived login secret, as in [`BootstrapRequest::passphrase`].
    pub passphrase: Secret,
}

/// A second factor to be confirmed with a code.
#[derive(Debug, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// TOTP secret (RFC 6238: SHA-1, 6 digits, 30 s) in base32 without padding.
    pub totp_secret: Secret,
    /// The same as an `otpauth:` address for authenticator apps.
    pub totp_uri: Secret,
    /// For [`CodeRequest`]; valid for 10 minutes.
    pub ticket: Secret,
}

/// A second-factor code, for `/v1/enrol/confirm` and `/v1/auth/totp`.
///
/// A code counts once: the step of a confirmed or refused-as-replayed code must be greater than the last one used. After a
/// confirmation the next sign-in therefore needs the next code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// From the step before.
    pub ticket: Secret,
    /// Six digits.
    pub code: Secret,
}

/// First step of a sign-in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthStartRequest {
    /// Sign-in name.
    pub name: String,
    /// The derived login secret, as in [`BootstrapRequest::passphrase`].
    pub passphrase: Secret,
}

/// The passphrase was right.
#[derive(Debug, Serialize, Deserialize)]
pub struct TicketResponse {
    /// For [`CodeRequest`]; valid for 5 minutes.
    pub ticket: Secret,
}

/// A signed-in session: 15 minutes without use or 12 hours end it; an open WebSocket counts as use.
#[derive(Debug, Serialize, Deserialize)]
pub struct SessionResponse {
    /// Token for `Authorization` and `Hello`.
    pub session: Secret,
    /// The account.
    pub user: UserId,
    /// Name that others see.
    pub display: String,
    /// What the account may do.
    pub roles: Vec<StaffRole>,
    /// The practice.
    pub practice: Option<PracticeInfo>,
    /// End of the 12 hours.
    pub expires_at: UnixSeconds,
}

/// Accounts of the practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffList {
    /// By display name.
    pub staff: Vec<StaffMember>,
}

/// One account as colleagues see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// The account.
    pub user: UserId,
    /// Name that others see.
    pub display: String,
    /// What the account may do.
    pub role: StaffRole,
    /// Whether passphrase and second factor are set.
    pub enrolled: bool,
}

/// Leaves the certificate of the device in use, so that colleagues' devices can name it as a deputy of their calls.
///
/// The server cannot check it and does not read it. The same bytes again renew its time; of one account the newest four
/// stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutCertificateRequest {
    /// 1 to [`super::MAX_CERTIFICATE_LEN`] bytes, `SRV-04` otherwise.
    pub certificate: Opaque,
}

/// Certificates of the devices of all accounts that host, one's own included.
///
/// What the server says here is a proposal: it cannot check a certificate, and could leave some out or add its own. The
/// reader verifies each under the practice's key and drops what does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificatesResponse {
    /// Put within the last 31 days, newest first, at most [`super::MAX_CERTIFICATES`].
    pub certificates: Vec<Opaque>,
}

/// Some rows of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// At most 200, by sequence number.
    pub rows: Vec<AuditRow>,
}

/// One row of the audit: no clinical content, no names of patients, no addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Sequence number from 1, without gaps.
    pub seq: u64,
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// What happened, as `group.event`.
    pub event: String,
    /// Staff or participant id in hex, or empty.
    pub actor: String,
    /// Role of the actor, or empty.
    pub role: String,
    /// Appointment or invitation id in hex, or empty.
    pub subject: String,
    /// `ok` or the code of the refusal.
    pub outcome: String,
    /// SHA-384 over the row before's hash and this row.
    pub hash: Opaque,
}

/// Whether the chain of the audit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerdict {
    /// Number of rows that were checked.
    pub rows: u64,
    /// First sequence number that does not fit (`AUD-01`), if any.
    pub broken_at: Option<u64>,
}
