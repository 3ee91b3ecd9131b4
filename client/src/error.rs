//! Errors at the edge of the program, by who must act.

use crate::connection::{AddressError, RestError};
use crate::keystore::KeystoreError;
use crate::recovery::RecoveryError;
use crate::settings::SettingsError;

/// Why a subcommand did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Standard input ended before this was given.
    #[error("{0} was expected on standard input")]
    InputMissing(&'static str),
    /// A value on standard input or in a file has no such form.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// It was not done, for this reason; the sentence says what to do instead.
    #[error("{0}")]
    Refused(&'static str),
    /// The words of a recovery sheet.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// Address or pin of the server.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Keys, certificates, signatures.
    #[error(transparent)]
    Identity(#[from] crypto::IdentityError),
    /// The server, or the way to it.
    #[error("{} ({error})", error.code().as_str())]
    Server {
        /// What happened.
        #[from]
        error: RestError,
    },
    /// Secrets on this computer.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Settings on this computer.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file or standard input or output.
    #[error("reading or writing failed")]
    Io(#[from] std::io::Error),
}
