//! A relay for one consultation: coturn, with a secret and a certificate of its own.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use ring::hmac;
use serde_json::Value;
use tokio::time::sleep;

use crate::bootstrap::passphrase;
use crate::programs::{Place, Running, STEP, once, say};

/// Debian's package puts it here.
const PROGRAM: &str = "/usr/bin/turnserver";
/// Life of a credential of the test, in seconds.
const LIFE_S: u64 = 600;

/// The running relay. It ends with this handle.
pub(crate) struct Relay {
    running: Running,
    address: IpAddr,
    ports: (u16, u16),
    secret: PathBuf,
    pin: String,
}

impl Relay {
    /// Starts it at this address, where the clients reach it.
    pub(crate) async fn start(folder: &Path, address: IpAddr, place: Place<'_>) -> Result<Self> {
        ensure!(Path::new(PROGRAM).is_file(), "coturn is missing: scripts/setup.sh relay installs it");
        let folder = folder.join("relay");
        fs::create_dir(&folder)?;
        // A network of its own has both ports free; on this machine they are asked for.
        let ports = if place.network.is_some() { (3478, 443) } else { (free_port(address)?, free_port(address)?) };
        let secret = passphrase()?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["relay.invalid".to_owned()])?.self_signed(&key)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
        let pin = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let file = |name: &str, text: &str| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("the relay's {name}"))?;
            Ok(path)
        };
        let (cert, pkey) = (file("certificate", &certificate.pem())?, file("key", &key.serialize_pem())?);
        let log = folder.join("log");
        let mut lines = vec![
            format!(
                "listening-ip={address}\nrelay-ip={address}\nlistening-port={}\ntls-listening-port={}",
                ports.0, ports.1
            ),
            format!("realm=quietroom\nuse-auth-secret\nstatic-auth-secret={secret}"),
            format!("cert={}\npkey={}\nuserdb={}", cert.display(), pkey.display(), folder.join("users").display()),
            format!("log-file={}\nsimple-log\npidfile={}", log.display(), folder.join("pid").display()),
            "no-dtls\nno-cli\nno-multicast-peers\nno-tcp-relay\nfingerprint\nno-tlsv1\nno-tlsv1_1".to_owned(),
        ];
        if address.is_loopback() {
            // Both ends and the relay are this machine.
            lines.push(format!("allow-loopback-peers\ncli-password={}", passphrase()?));
        }
        let settings = file("turnserver.conf", &(lines.join("\n") + "\n"))?;
        let arguments: [OsString; 3] = ["-c".into(), settings.into(), "--no-stdout-log".into()];
        let running = Running::start_at(Path::new(PROGRAM), &arguments, &folder.join("said"), place)?;
        let end = Instant::now() + STEP;
        while ask(address, ports.0, None, place).await.is_err() {
            ensure!(Instant::now() < end, "step \"relay\": it does not answer");
            sleep(Duration::from_millis(50)).await;
        }
        guarded(address, ports.0, &secret, place).await?;
        let secret = file("secret", &secret)?;
        Ok(Self { running, address, ports, secret, pin })
    }

    /// What the server must know of it: every line, or the one asked for.
    pub(crate) fn arguments(&self, line: &str) -> Vec<OsString> {
        let (address, (port, tls)) = (self.address, self.ports);
        let urls = [
            ("udp", format!("turn:{address}:{port}?transport=udp")),
            ("tcp", format!("turn:{address}:{port}?transport=tcp")),
            ("tls", format!("turns:{address}:{tls}")),
        ];
        let wanted = urls.into_iter().filter(|(name, _)| line == "all" || *name == line);
        let mut arguments: Vec<OsString> = wanted.flat_map(|(_, url)| ["--turn".into(), url.into()]).collect();
        arguments.extend(["--turn-secret".into(), self.secret.clone().into()]);
        arguments.extend(["--turn-pin".into(), self.pin.clone().into()]);
        arguments
    }

    /// Stops it.
    pub(crate) async fn close(self) -> Result<()> {
        self.running.kill().await
    }
}

/// Asks the relay who it lets in: nobody without a credential of now.
async fn guarded(address: IpAddr, port: u16, secret: &str, place: Place<'_>) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (good, stale) = (credential(secret, now + LIFE_S), credential(secret, now - 1));
    let forged = credential(&passphrase()?, now + LIFE_S);
    let longer = (format!("{}:forged", now + 10 * LIFE_S), good.1.clone());
    let cases = [
        ("no credential", None, false),
        ("a forged one", Some(forged), false),
        ("one whose end was put off", Some(longer), false),
        ("an expired one", Some(stale), false),
        ("one of now", Some(good), true),
    ];
    for (words, credential, allowed) in cases {
        let said = ask(address, port, credential.as_ref(), place).await?;
        ensure!(said.pointer("/allowed") == Some(&allowed.into()), "step \"relay\": {words}: {said}");
        match said.pointer("/code") {
            Some(code) => say(&format!("the relay refuses {words} ({code})")),
            None => say(&format!("the relay takes {words}")),
        }
    }
    Ok(())
}

/// User name and password that the relay computes from its secret.
fn credential(secret: &str, until: u64) -> (String, String) {
    let name = format!("{until}:demonstration");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let password = BASE64.encode(hmac::sign(&key, name.as_bytes()));
    (name, password)
}

/// What the relay answers to whoever shows this, asked from where it runs.
async fn ask(address: IpAddr, port: u16, credential: Option<&(String, String)>, place: Place<'_>) -> Result<Value> {
    let mut arguments: Vec<OsString> = vec!["relay".into(), SocketAddr::new(address, port).to_string().into()];
    if let Some((name, password)) = credential {
        arguments.extend(["--username".into(), name.into(), "--password".into(), password.into()]);
    }
    Ok(serde_json::from_str(once("step \"relay\"", "quietroom-check", &arguments, &[], place).await?.trim())?)
}

/// A port that nothing uses now, neither by UDP nor by TCP.
fn free_port(address: IpAddr) -> Result<u16> {
    for _ in 0..20 {
        let port = std::net::TcpListener::bind((address, 0))?.local_addr()?.port();
        if std::net::UdpSocket::bind((address, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port for the relay")
}
