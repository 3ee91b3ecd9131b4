//! What everybody sees in the call.

use serde::Serialize;

use super::{Devices, Knocker};
use crate::private::Private;
use crate::session::ErrorCode;

/// In the consultation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Whether this side is the host.
    pub host: bool,
    /// The appointment's label (staff only; empty for guests).
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
    /// The keys of this call are disclosed afterwards, by its policy: shown to everybody, always.
    pub assessor: bool,
    /// Why nothing is sent, while that is so.
    pub held: Option<Held>,
    /// This side may run the consultation, and whoever does seems to be lost.
    pub may_step_in: bool,
    /// The server knows a link to this call, so the spoken check is due: nothing else shows who came with it.
    pub must_compare: bool,
    /// The spoken check.
    pub safety: SafetyState,
    /// Own microphone sends.
    pub microphone_on: bool,
    /// Own camera sends.
    pub camera_on: bool,
    /// Title of the own window that the others see.
    pub sharing: Option<Private>,
    /// Own devices.
    pub devices: Devices,
    /// Unix seconds.
    pub started_at: u64,
}

/// Why a member sends nothing for the time being.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Somebody was taken out, and the others have not heard of it yet.
    Removing,
    /// A host's commit is held back on its way here.
    Withheld,
    /// No host has been heard of for 15 s.
    Silent,
    /// The group was split.
    Split,
    /// This member lost its group and is being brought back.
    Returning,
}

impl Held {
    /// The code whose sentences tell it.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            // Over in a moment, unless the server holds the change back.
            Self::Removing | Self::Withheld => ErrorCode::E2e06,
            Self::Split => ErrorCode::E2e07,
            Self::Silent => ErrorCode::E2e08,
            Self::Returning => ErrorCode::E2e10,
        }
    }
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
    /// Guests: who checked link and code and let them in. Only hosts can, so it is known where there is one.
    pub admitted_by: Option<AdmittedBy>,
    /// The safety words matched with this roster.
    pub verified: bool,
    /// Runs the consultation, by the policy in the group.
    pub hosts: bool,
    /// A colleague to whom the host can hand the consultation over.
    pub deputy: bool,
    /// This is us.
    pub you: bool,
    /// It gets nothing any more, and its removal is on its way.
    pub removing: bool,
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

/// The host that let a guest in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmittedBy {
    /// This side.
    You,
    /// The host of this name, from its certificate.
    Host(Private),
}

/// What a member sends, and whether it opens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemberMedia {
    /// Microphone, as the member says.
    pub microphone: SourceState,
    /// Camera, as the member says.
    pub camera: SourceState,
    /// A shared window, as the member says. Of who does not host none is shown.
    pub screen: SourceState,
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
