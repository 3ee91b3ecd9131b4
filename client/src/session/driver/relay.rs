//! The practice's relays, as the server names them, in the form that the media engine takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::transport::{Relay, RelayLine};
use signaling::protocol::{MAX_RELAYS, RelayLine as Line, RelayServer};

use crate::connection::{ServerPin, pinned_relay_config};

/// Those that can be used: one by TLS must come with the key that it shows.
pub(super) fn relays(told: Vec<RelayServer>) -> Vec<Relay> {
    told.into_iter().take(MAX_RELAYS).filter_map(relay).collect()
}

fn relay(told: RelayServer) -> Option<Relay> {
    let line = match told.line {
        Line::Udp => RelayLine::Udp,
        Line::Tcp => RelayLine::Tcp,
        Line::Tls => {
            let Some(pin) = told.spki_pin.and_then(|pin| <[u8; 32]>::try_from(pin.as_bytes()).ok()) else {
                tracing::warn!("a relay by TLS came without its key, and is not used");
                return None;
            };
            RelayLine::Tls(pinned_relay_config(ServerPin(pin)))
        }
    };
    let password = STANDARD.encode(told.credential.as_bytes()).into();
    Some(Relay { host: told.host, port: told.port, line, username: told.username, password })
}

#[cfg(test)]
mod tests {
    use signaling::protocol::Opaque;

    use super::*;

    fn told(line: Line, pin: Option<usize>) -> RelayServer {
        RelayServer {
            host: "relay.example".into(),
            port: 443,
            line,
            spki_pin: pin.map(|length| Opaque::new(vec![1; length])),
            username: "1:aa".into(),
            credential: Opaque::new(vec![0xFF; 20]),
        }
    }

    #[test]
    fn the_password_is_what_the_relay_computes_from_the_name() {
        let relays = relays(vec![told(Line::Udp, None)]);
        assert_eq!(relays[0].password.as_str(), "//////////////////////////8=");
    }

    #[test]
    fn a_relay_by_tls_that_cannot_be_told_from_another_is_not_used() {
        let told = vec![told(Line::Tls, None), told(Line::Tls, Some(31)), told(Line::Tls, Some(32))];
        assert_eq!(relays(told).len(), 1);
    }
}
