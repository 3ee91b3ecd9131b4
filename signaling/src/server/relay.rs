//! Time-limited credentials for the practice's relays, by a secret that they share with this server. The relay needs no list
//! of users, and this server none of the relay's state (the scheme of coturn's `use-auth-secret`).

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use ring::{hmac, rand::SecureRandom as _};

use crate::protocol::{MAX_RELAYS, Opaque, RelayLine, RelayServer};

/// Life of a credential in seconds. Shorter would end before a call could be set up anew, longer is of use to a thief.
const LIFE_S: u64 = 15 * 60;
/// Random bytes of a user name: no two participants share an allocation quota.
const RANDOM: usize = 8;

/// The relays, and the secret that they take credentials by.
#[derive(Debug, Clone)]
pub struct Relays {
    places: Vec<(String, u16, RelayLine)>,
    key: hmac::Key,
    spki_pin: Option<[u8; 32]>,
}

impl Relays {
    /// Relays by their URIs (RFC 7065): `turn:HOST:PORT?transport=udp`, `…?transport=tcp`, `turns:HOST:PORT`. The secret stands
    /// in a file of its own, so that no list of processes shows it.
    ///
    /// # Errors
    /// A URI that is none, too many of them, `turns:` without a pin, a secret shorter than 16 bytes.
    pub fn new(urls: &[String], secret: &Path, spki_pin: Option<&str>) -> anyhow::Result<Self> {
        ensure!(urls.len() <= MAX_RELAYS, "{MAX_RELAYS} relays at most");
        let places = urls.iter().map(|url| place(url)).collect::<anyhow::Result<Vec<_>>>()?;
        let spki_pin = spki_pin.map(pin).transpose()?;
        let tls = places.iter().any(|(.., line)| *line == RelayLine::Tls);
        ensure!(!tls || spki_pin.is_some(), "a relay by TLS needs its pin, or nobody could tell it from another");
        let secret = std::fs::read(secret).context("the relays' secret")?;
        let secret = secret.trim_ascii();
        ensure!(secret.len() >= 16, "the relays' secret is shorter than 16 bytes");
        Ok(Self { places, key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), spki_pin })
    }

    /// Fresh credentials for one participant, good from now on. None when the machine gives no randomness.
    pub(crate) fn for_one(&self, now: u64) -> Vec<RelayServer> {
        let mut random = [0; RANDOM];
        if ring::rand::SystemRandom::new().fill(&mut random).is_err() {
            tracing::error!("no randomness for a relay's credential");
            return Vec::new();
        }
        self.by(&username(now + LIFE_S, random))
    }

    fn by(&self, username: &str) -> Vec<RelayServer> {
        let credential = Opaque::new(hmac::sign(&self.key, username.as_bytes()).as_ref().to_vec());
        let server = |(host, port, line): &(String, u16, RelayLine)| RelayServer {
            host: host.clone(),
            port: *port,
            line: *line,
            spki_pin: self.spki_pin.filter(|_| *line == RelayLine::Tls).map(|pin| Opaque::new(pin.to_vec())),
            username: username.to_owned(),
            credential: credential.clone(),
        };
        self.places.iter().map(server).collect()
    }
}

fn username(until: u64, random: [u8; RANDOM]) -> String {
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{until}:{random}")
}

fn place(url: &str) -> anyhow::Result<(String, u16, RelayLine)> {
    let (scheme, rest) = url.split_once(':').with_context(|| format!("{url} is no relay"))?;
    let (address, transport) = match rest.split_once("?transport=") {
        Some((address, transport)) => (address, Some(transport)),
        None => (rest, None),
    };
    let line = match (scheme, transport) {
        ("turn", None | Some("udp")) => RelayLine::Udp,
        ("turn", Some("tcp")) => RelayLine::Tcp,
        ("turns", None | Some("tcp")) => RelayLine::Tls,
        _ => bail!("{url} is no relay: turn: or turns:, transport udp or tcp"),
    };
    let default = if line == RelayLine::Tls { 5349 } else { 3478 };
    let bare = address.ends_with(']') || !address.contains(':');
    let (host, port) = match address.rsplit_once(':').filter(|_| !bare) {
        Some((host, port)) => (host, port.parse().with_context(|| format!("{url} has no port"))?),
        None => (address, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    ensure!(!host.is_empty() && host.len() <= 253, "{url} names no host");
    Ok((host.to_owned(), port, line))
}

fn pin(hex: &str) -> anyhow::Result<[u8; 32]> {
    let digits = hex.as_bytes();
    ensure!(digits.len() == 64, "the relays' pin is not 64 hex digits");
    let mut pin = [0; 32];
    for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair)?;
        *byte = u8::from_str_radix(pair, 16).context("the relays' pin is not hex")?;
    }
    Ok(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(urls: &[&str], pin: Option<&str>) -> anyhow::Result<Relays> {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "a secret of the relay\n").unwrap();
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        Relays::new(&urls, &secret, pin)
    }

    #[test]
    fn a_credential_is_the_one_that_the_relay_computes() {
        let made = relays(&["turn:relay.example"], None).unwrap();
        let name = username(1_700_000_900, [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xaa]);
        assert_eq!(name, "1700000900:00112233445566aa");
        // By `openssl dgst -sha1 -hmac`.
        let digest = [
            0xa0, 0xff, 0x98, 0x83, 0x60, 0x7e, 0xa1, 0x37, 0x07, 0x7d, 0x33, 0x0f, 0x00, 0x4f, 0x88, 0xd0, 0xec, 0x88,
            0x74, 0xca,
        ];
        assert_eq!(made.by(&name)[0].credential.as_bytes(), digest);
    }

    #[test]
    fn two_participants_never_share_a_name_and_it_ends_after_a_quarter_of_an_hour() {
        let made = relays(&["turn:relay.example"], None).unwrap();
        let (one, other) = (made.for_one(1_000), made.for_one(1_000));
        assert_ne!(one[0].username, other[0].username);
        assert!(one[0].username.starts_with("1900:"));
    }

    #[test]
    fn uris_are_read_as_their_standard_says() {
        let pin = "ab".repeat(32);
        let made = relays(
            &[
                "turn:relay.example",
                "turn:[2001:db8::9]:80?transport=tcp",
                "turns:192.0.2.4:443",
                "turns:relay.example",
            ],
            Some(&pin),
        );
        let places = made.unwrap().places;
        assert_eq!(places[0], ("relay.example".into(), 3478, RelayLine::Udp));
        assert_eq!(places[1], ("2001:db8::9".into(), 80, RelayLine::Tcp));
        assert_eq!(places[2], ("192.0.2.4".into(), 443, RelayLine::Tls));
        assert_eq!(places[3], ("relay.example".into(), 5349, RelayLine::Tls));
    }

    #[test]
    fn what_cannot_be_used_is_refused_at_the_start() {
        for urls in [&["stun:relay.example"][..], &["turn:"], &["turn:a:b"], &["turns:relay.example"], &["turn:a"; 5]] {
            assert!(relays(urls, None).is_err(), "{urls:?}");
        }
        assert!(relays(&["turns:relay.example"], Some("abc")).is_err());
    }
}
