//! Errors of the server, sorted by who must act.

use crate::protocol::{ErrorBody, ErrorCode};

/// Why something did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller was refused and is told this.
    #[error("refused with {}", .0.code.as_str())]
    Refused(ErrorBody),
    /// The operator must act: the data folder is not usable as it is.
    #[error("the data folder: {0}")]
    Data(&'static str),
    /// The operator must act: a file or socket failed.
    #[error("{doing} failed")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The certificate could not be made or read.
    #[error("the certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// A primitive failed on sound input: random numbers, hashing or sealing.
    #[error("{0} failed")]
    Crypto(&'static str),
}

impl Error {
    /// A refusal that names when to try again.
    pub(crate) const fn later(code: ErrorCode, retry_after_s: u32) -> Self {
        Self::Refused(ErrorBody { code, retry_after_s: Some(retry_after_s) })
    }

    /// Says what was attempted with a file or socket.
    pub(crate) const fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        // Whoever is told that a limit is reached may always try again.
        let retry_after_s = (code == ErrorCode::Busy).then_some(1);
        Self::Refused(ErrorBody { code, retry_after_s })
    }
}
