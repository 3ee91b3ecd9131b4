//! The command line: flags of the two faces, and the subcommands that set a practice up.
//!
//! Secrets come by standard input, one a line in the order that each subcommand documents, never as arguments:
//! an argument stands in the process list. On a terminal each line is asked for, and secrets are not echoed.

mod args;
mod ask;
mod deny;
mod device;
mod join;
mod practice;
mod recover;
mod replace;
mod staff;
#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

pub use self::args::{
    Action, Cli, CodecArg, DeviceAction, JoinArgs, LockArgs, MediaArgs, PracticeAction, ServerArgs, StaffAction,
};
pub use self::ask::Ask;
use crate::error::ClientError;

/// A day's worth of seconds.
const DAY: u64 = 86_400;

/// Does a subcommand, printing what to do next.
///
/// The caller holds the [`FolderLock`](crate::keystore::FolderLock) of the data folder.
///
/// # Errors
/// See [`ClientError`].
pub async fn perform(cli: &Cli, action: &Action, ask: &Ask) -> Result<(), ClientError> {
    let folder = cli.folder();
    match action {
        Action::Practice(PracticeAction::Init { server, lock }) => practice::init(&folder, server, lock, ask).await,
        Action::Practice(PracticeAction::Status) => practice::status(&folder, ask),
        Action::Practice(PracticeAction::RecoverySheet { out }) => recover::sheet(&folder, out.as_deref(), ask),
        Action::Practice(PracticeAction::Recover(join)) => recover::recover(&folder, join, ask).await,
        Action::Practice(PracticeAction::Devices) => practice::devices(&folder, ask),
        Action::Practice(PracticeAction::Deny { serial, out }) => deny::deny(&folder, *serial, out, ask),
        Action::Practice(PracticeAction::Replace { join, keep_invitations }) => {
            replace::replace(&folder, join, *keep_invitations, ask).await
        }
        Action::Staff(StaffAction::Add) => staff::add(&folder, ask).await,
        Action::Staff(StaffAction::Enrol { server, lock }) => staff::enrol(&folder, server, lock, ask).await,
        Action::Device(DeviceAction::Request { join, out }) => device::request(&folder, join, out, ask).await,
        Action::Device(DeviceAction::Certify { request, name, registration, days, out }) => {
            let wanted =
                device::Wanted { request, name, registration: registration.as_deref(), valid_s: days * DAY, out };
            device::certify(&folder, &wanted, ask)
        }
        Action::Device(DeviceAction::DenyList { list }) => device::deny_list(&folder, list, ask),
        Action::Device(DeviceAction::Install { certificate }) => device::install(&folder, certificate, ask),
    }
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
