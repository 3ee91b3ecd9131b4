//! Relays (TURN, RFC 8656), for paths where no direct way leads through: by UDP, by TCP, or by TLS on port 443, which passes
//! where nothing else does.
//!
//! The crate below speaks TURN over UDP alone. A relay behind a stream gets an address that no network has; what goes there
//! from one of its sockets goes through a [tunnel](tunnel) instead, and what comes out of it seems to come from there.

mod frame;
mod tunnel;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use webrtc::peer_connection::RTCIceServer;
use zeroize::Zeroizing;

pub(super) use tunnel::TunnelSocket;

/// Addresses for documentation, which lead nowhere (RFC 5737, RFC 3849).
const NOWHERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NOWHERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// Relays of one call; further ones are left out, since each costs a socket of every association.
pub const MAX_RELAYS: usize = 4;

/// How a relay is reached.
#[derive(Clone)]
pub enum RelayLine {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// A TLS connection, with whom to trust. Its content is sealed anyway; TLS is there to pass.
    Tls(Arc<ClientConfig>),
}

/// A TURN server and what it lets us in by.
#[derive(Clone)]
pub struct Relay {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is reached.
    pub line: RelayLine,
    /// Time-limited user name, as the signaling server gave it.
    pub username: String,
    /// Its password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for RelayLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls(_) => "tls",
        })
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("line", &self.line).finish_non_exhaustive()
    }
}

/// The relays as the crate below is told of them.
pub(super) fn ice_servers(relays: &[Relay]) -> Vec<RTCIceServer> {
    let told = relays.iter().take(MAX_RELAYS).enumerate();
    told.map(|(number, relay)| {
        let urls = match relay.line {
            RelayLine::Udp => vec![url(&relay.host, relay.port)],
            RelayLine::Tcp | RelayLine::Tls(_) => nowhere(number).map(|at| format!("turn:{at}?transport=udp")).to_vec(),
        };
        RTCIceServer { urls, username: relay.username.clone(), credential: relay.password.as_str().to_owned() }
    })
    .collect()
}

fn url(host: &str, port: u16) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(host) => format!("turn:[{host}]:{port}?transport=udp"),
        Err(_) => format!("turn:{host}:{port}?transport=udp"),
    }
}

/// The addresses that stand for the relay with this number, one of each family.
fn nowhere(number: usize) -> [SocketAddr; 2] {
    // Four relays at most.
    let port = u16::try_from(number + 1).unwrap_or(u16::MAX);
    [(NOWHERE_V4, port).into(), (NOWHERE_V6, port).into()]
}

/// The relay that an address stands for.
fn behind(relays: &[Relay], address: SocketAddr) -> Option<&Relay> {
    let stands = address.ip() == NOWHERE_V4 || address.ip() == NOWHERE_V6;
    let number = usize::from(address.port()).checked_sub(1).filter(|_| stands)?;
    relays.get(number).filter(|relay| !matches!(relay.line, RelayLine::Udp))
}

/// The messages that a stream from a relay carries, up to where it is none.
#[cfg(feature = "lab")]
pub(super) fn frames(bytes: &[u8]) -> Vec<bytes::Bytes> {
    let (mut framer, mut messages) = (frame::Framer::default(), Vec::new());
    for piece in bytes.chunks(700) {
        framer.push(piece);
        while let Ok(Some(message)) = framer.next() {
            messages.push(message);
        }
    }
    messages
}

/// The name that a relay's certificate must have.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(line: RelayLine) -> Relay {
        Relay {
            host: "relay.example".into(),
            port: 443,
            line,
            username: "1:a".into(),
            password: Zeroizing::new("p".into()),
        }
    }

    #[test]
    fn a_relay_behind_a_stream_stands_at_an_address_that_leads_nowhere() {
        let relays = [relay(RelayLine::Udp), relay(RelayLine::Tcp)];
        let servers = ice_servers(&relays);
        assert_eq!(servers[0].urls, ["turn:relay.example:443?transport=udp"]);
        assert_eq!(servers[1].urls, ["turn:192.0.2.1:2?transport=udp", "turn:[2001:db8::1]:2?transport=udp"]);
        for address in nowhere(1) {
            assert!(behind(&relays, address).is_some_and(|relay| matches!(relay.line, RelayLine::Tcp)));
        }
        assert!(behind(&relays, nowhere(0)[0]).is_none(), "datagrams need no tunnel");
        assert!(behind(&relays, "127.0.0.1:2".parse().unwrap()).is_none());
        assert!(behind(&relays, "192.0.2.1:0".parse().unwrap()).is_none());
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", relay(RelayLine::Tcp)), "Relay { line: tcp, .. }");
    }
}
