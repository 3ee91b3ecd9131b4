//! Relays of the practice, for paths where no direct way leads through.

use serde::{Deserialize, Serialize};

use super::Opaque;

/// Most relays in one [`ServerMessage::Relays`](super::ServerMessage::Relays).
pub const MAX_RELAYS: usize = 4;

/// A TURN server (RFC 8656) and what lets one participant in for a quarter of an hour. A relay sees sealed packets and the
/// addresses of both ends, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is reached.
    pub line: RelayLine,
    /// SHA-256 of the public key (SPKI) that it shows, 32 bytes: for TLS, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spki_pin: Option<Opaque>,
    /// User name: end of validity in Unix seconds, a colon, and something random. No participant's name or id is in it.
    pub username: String,
    /// HMAC-SHA1 of the user name under the secret that server and relay share; its base64 is the password.
    pub credential: Opaque,
}

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayLine {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A TLS connection.
    Tls,
}
