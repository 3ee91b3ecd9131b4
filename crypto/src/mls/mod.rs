//! The call's group: MLS (RFC 9420) over OpenMLS, with our rules around it.
//!
//! | operation | alone or settled | own commit pending | over (removed, or refused a commit) |
//! | --- | --- | --- | --- |
//! | `admit`, `readmit`, `admit_staff`, `readmit_staff`, `remove`, `set_hosts` | → pending; `NotAHost` | `CommitPending` | `Inactive` |
//! | `step_in` | → pending; `NotAHost` unless a deputy, `Refused` if a host | `CommitPending` | `Inactive` |
//! | `update`, `remove_leaver` | → pending | `CommitPending` | `Inactive` |
//! | `seal`, `heartbeat`, `leave_request`, `check_heartbeat` | current epoch | current epoch | `Inactive` |
//! | `handle` own commit's echo | `ForgedEcho` | merged → settled | `Inactive` |
//! | `handle` another's commit | merged, or refused → over | merged, own one dropped | `Inactive` |
//! | `handle` application | opened | opened | `Inactive` |
//! | `set_deny_list` | for all that comes | for all that comes | for nothing |
//! | `abandon_pending` | nothing | → settled | nothing |
//! | `media_keys` | once per epoch | once per epoch | `Inactive` |
//! | `into_disclosure` | assessor mode only | assessor mode only | assessor mode only |
//!
//! ```text
//!  bytes ─> wire format, size, group, epoch ─> OpenMLS: decrypt, verify ─> staged commit
//!                     (inbound.rs)                                             │
//!                            merged <─ rules.rs:  who, what, whom, which key <─┘
//! ```
//!
//! Handshakes travel as PrivateMessages only. A commit from outside the group, which OpenMLS
//! would stage, is dropped by its wire format before OpenMLS sees it.

mod admit;
#[cfg(test)]
mod assessor;
mod attached;
#[cfg(any(test, feature = "lab"))]
mod craft;
mod denied;
#[cfg(test)]
mod deputies;
#[cfg(any(test, feature = "lab"))]
pub(crate) mod fuzz;
mod group;
mod heartbeat;
#[cfg(test)]
mod hostile;
mod hosts;
mod inbound;
#[cfg(test)]
mod interop;
mod join;
mod leave;
mod media;
mod package;
mod policy;
mod profile;
mod returning;
#[cfg(test)]
mod returns;
mod roster;
mod rules;
mod staff;
#[cfg(test)]
mod staffing;
mod storage;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

#[cfg(any(test, feature = "lab"))]
pub use craft::{Crafted, craft, craft_attached, external_commit, fork, openmls_accepts, raw_application};
pub use group::{Bundle, CallGroup, CallTerms};
pub use heartbeat::{Heartbeat, HeartbeatVerdict, MediaCounters};
pub use inbound::{Inbound, LogEntry};
pub use roster::{Member, Vouched};
pub use staff::StaffEntry;

#[cfg(test)]
pub(crate) use craft::{fork_with, fork_with_staff, welcome_in_other_mode, welcome_of_new_host};
pub(crate) use group::external_psk;
pub(crate) use join::{Expected, Signer, join};
pub(crate) use package::{MAX_PACKAGE, ReadPackage, make_package, read_package};
pub(crate) use policy::psk_id;
pub(crate) use profile::{Provider, SUITE};
pub(crate) use returning::ReturnProof;
