//! The data folder: TLS key and certificate, sealing key, database.
//!
//! ```text
//! DIR/server.key   P-256 private key (PKCS #8), 0600      DIR/seal.key      32 bytes that seal second factors, 0600
//! DIR/server.crt   its own certificate (DER)               DIR/quietroom.db  the database
//! ```
//! Clients pin SHA-256 of the SubjectPublicKeyInfo, so that the certificate may be renewed and the key may not.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData as _};
use ring::digest;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use zeroize::Zeroizing;

use super::Clock;
use crate::{
    auth::{SecretSeal, new_token, random},
    error::Error,
    protocol::Secret,
    store::Store,
};

/// How long the secret of [`practice_reset`] is good for, in seconds: time to walk from the console to the owner.
const RESET_LIFE_S: u64 = 24 * 3600;

/// What `init` made.
#[derive(Debug)]
pub struct Initialised {
    /// The one-time secret of the bootstrap; only its hash is stored.
    pub bootstrap_secret: Secret,
    /// SHA-256 of the server key's SubjectPublicKeyInfo.
    pub spki_pin: [u8; 32],
}

/// Makes what is missing in the data folder, and a new one-time secret.
///
/// # Errors
/// [`Error::Data`] when the practice is set up already; otherwise what failed.
pub async fn init(data: &Path) -> Result<Initialised, Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(Error::io("making the data folder"))?;
    if !key_file(data).exists() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        write_new(&key_file(data), &Zeroizing::new(key.serialize_der()))?;
    }
    if !seal_file(data).exists() {
        write_new(&seal_file(data), &Zeroizing::new(random::<{ SecretSeal::KEY_LEN }>()?)[..])?;
    }
    let key = read_key(data)?;
    if !certificate_file(data).exists() {
        let mut params = CertificateParams::new(vec!["quietroom".to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "quietroom");
        write_new(&certificate_file(data), params.self_signed(&key)?.der())?;
    }
    let store = open_store(data, true).await?;
    let (bootstrap_secret, hash) = new_token()?;
    let stored = store.set_bootstrap(hash).await;
    store.close().await;
    stored?;
    Ok(Initialised { bootstrap_secret, spki_pin: pin(&key) })
}

/// Makes a one-time secret for `quietroom practice replace`, valid for a day; an older one ends. The service may be running.
///
/// Whoever can read and write the data folder may do it: who owns the server's console names the practice's key.
///
/// # Errors
/// [`Error::Data`] before a practice was set up; otherwise what failed.
pub async fn practice_reset(data: &Path, clock: &Clock) -> Result<Secret, Error> {
    let store = open_store(data, false).await?;
    let (secret, hash) = new_token()?;
    let stored = store.set_practice_reset(hash, clock.now() + RESET_LIFE_S).await;
    store.close().await;
    stored?;
    Ok(secret)
}

/// TLS 1.3 with the folder's certificate, and its pin.
pub(crate) fn tls(data: &Path) -> Result<(Arc<ServerConfig>, [u8; 32]), Error> {
    let key = read_key(data)?;
    let certificate = fs::read(certificate_file(data)).map_err(Error::io("reading the certificate"))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The provider is named: with two linked and none named, rustls panics at first use.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), pin(&key)))
}

pub(crate) fn seal(data: &Path) -> Result<SecretSeal, Error> {
    let key = Zeroizing::new(fs::read(seal_file(data)).map_err(Error::io("reading the sealing key"))?);
    SecretSeal::new(&key)
}

pub(crate) async fn open_store(data: &Path, create: bool) -> Result<Store, Error> {
    Store::open(&data.join("quietroom.db"), create).await
}

fn pin(key: &KeyPair) -> [u8; 32] {
    let mut pin = [0; 32];
    pin.copy_from_slice(digest::digest(&digest::SHA256, &key.subject_public_key_info()).as_ref());
    pin
}

fn read_key(data: &Path) -> Result<KeyPair, Error> {
    let der = Zeroizing::new(fs::read(key_file(data)).map_err(Error::io("reading the server key"))?);
    Ok(KeyPair::try_from(der.as_slice())?)
}

fn key_file(data: &Path) -> PathBuf {
    data.join("server.key")
}

fn certificate_file(data: &Path) -> PathBuf {
    data.join("server.crt")
}

fn seal_file(data: &Path) -> PathBuf {
    data.join("seal.key")
}

/// Writes a file that did not exist, readable by its owner only.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(Error::io("writing a key file"))
}
