//! The way to the server: TLS 1.3 to a key that was told beforehand, short REST calls, one WebSocket.
//!
//! There is no certificate authority in this: the server's key is pinned by the SHA-256 of its SPKI, which came with
//! the invitation or with the enrolment. Another key ends the attempt with `AUTH-05`, whatever certificate it shows.

mod rest;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::session::ErrorCode;

pub use rest::RestError;
pub use socket::{Socket, SocketEvent};
use tls::pinned_config;
pub(crate) use tls::pinned_relay_config;

/// SHA-256 of the server's SubjectPublicKeyInfo.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ServerPin(pub [u8; 32]);

impl ServerPin {
    /// Hex in groups of four, as people compare it.
    pub fn grouped(&self) -> String {
        let hex: Vec<char> = self.to_string().chars().collect();
        hex.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for ServerPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ServerPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "ServerPin({first:02x}{second:02x}…)")
    }
}

impl FromStr for ServerPin {
    type Err = AddressError;

    /// Reads 64 hex digits; spaces and colons between them are ignored.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':')
            .filter_map(|c| c.to_digit(16))
            .map(|d| d as u8)
            .collect();
        let clean = text.chars().all(|c| c.is_ascii_hexdigit() || c.is_whitespace() || c == ':');
        if !clean || digits.len() != 64 {
            return Err(AddressError::Pin);
        }
        let mut pin = [0; 32];
        for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
        }
        Ok(Self(pin))
    }
}

/// Host and port of a server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerAddress(…)")
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text.trim().rsplit_once(':').ok_or(AddressError::Address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.len() > 253 || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c))
        {
            return Err(AddressError::Address);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Address)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Text that names no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not `host:port`.
    #[error("the server's address is not HOST:PORT")]
    Address,
    /// Not 64 hex digits.
    #[error("the server's pin is not 64 hex digits")]
    Pin,
}

/// One server, with the key it must show.
#[derive(Clone, Debug)]
pub struct Server {
    address: ServerAddress,
    pin: ServerPin,
    tls: Arc<rustls::ClientConfig>,
}

impl Server {
    /// A server that is trusted by this pin and by nothing else.
    pub fn new(address: ServerAddress, pin: ServerPin) -> Self {
        Self { address, pin, tls: pinned_config(pin) }
    }

    /// Its host and port.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// The key it must show.
    pub fn pin(&self) -> ServerPin {
        self.pin
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server shows another key than the pinned one: do not go on.
    #[error("the server shows another key than the one this computer knows")]
    KeyDiffers,
    /// Name, route, port or time: try again.
    #[error("the server cannot be reached")]
    Unreachable(#[source] std::io::Error),
    /// It did not answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// TLS failed for another reason than the key.
    #[error("the secure connection could not be made")]
    Tls(#[source] std::io::Error),
    /// The server does not speak WebSocket where it should.
    #[error("the server refused the live connection")]
    Upgrade(#[source] Box<tokio_tungstenite::tungstenite::Error>),
}

impl ConnectError {
    /// The code people are shown.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::KeyDiffers => ErrorCode::Auth05,
            Self::Unreachable(_) | Self::TimedOut | Self::Tls(_) | Self::Upgrade(_) => ErrorCode::Net01,
        }
    }
}
