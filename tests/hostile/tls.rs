//! TLS 1.3 on both sides, with the key that the server's data folder holds.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What both sides need.
#[derive(Clone)]
pub(super) struct Tls {
    /// Towards clients: the operator's own key, or another one.
    pub(super) acceptor: TlsAcceptor,
    /// Towards the real server, which must show the certificate of the folder.
    pub(super) connector: TlsConnector,
}

/// Reads key and certificate of the folder; `other_key` shows clients a key made now in place of them.
pub(super) fn open(data: &Path, other_key: bool) -> Result<Tls> {
    let certificate = fs::read(data.join("server.crt")).context("reading server.crt")?;
    let key = fs::read(data.join("server.key")).context("reading server.key")?;
    let certificate = CertificateDer::from(certificate);
    let provider = Arc::new(rustls::crypto::ring::default_provider());

    let (shown, private) = if other_key { made_up()? } else { (certificate.clone(), key) };
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![shown], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private)))?;

    let mut roots = RootCertStore::empty();
    roots.add(certificate).context("trusting server.crt")?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Tls { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() })
}

fn made_up() -> Result<(CertificateDer<'static>, Vec<u8>)> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["quietroom".to_owned()])?.self_signed(&key)?;
    Ok((certificate.der().clone(), key.serialize_der()))
}
