//! TLS with the server's key pinned: 1.3 to the practice's server, 1.2 as well to its relays.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ConnectError, Server, ServerPin};

/// A person waits behind it: longer feels broken, shorter fails on a satellite link.
const CONNECT_TIME: Duration = Duration::from_secs(8);

/// To the practice's server: TLS 1.3 only, the pin as the only trust.
pub(crate) fn pinned_config(pin: ServerPin) -> Arc<ClientConfig> {
    config(pin, &[&TLS13])
}

/// To a relay: the same, and TLS 1.2, which is all that the coturn of Debian 12 speaks. What goes through is sealed before.
pub(crate) fn pinned_relay_config(pin: ServerPin) -> Arc<ClientConfig> {
    config(pin, &[&TLS13, &TLS12])
}

/// Ring, no session tickets written anywhere.
fn config(pin: ServerPin, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(PinVerifier { pin, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("ring's default suites hold TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Arc::new(config)
}

/// Opens one TLS connection.
///
/// # Errors
/// [`ConnectError::KeyDiffers`] when the pin does not match; the others are worth another try.
pub(super) async fn connect(server: &Server) -> Result<TlsStream<TcpStream>, ConnectError> {
    tokio::time::timeout(CONNECT_TIME, open(server)).await.unwrap_or(Err(ConnectError::TimedOut))
}

async fn open(server: &Server) -> Result<TlsStream<TcpStream>, ConnectError> {
    let address = &server.address;
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(ConnectError::Unreachable)?;
    tcp.set_nodelay(true).map_err(ConnectError::Unreachable)?;
    let name = ServerName::try_from(address.host.clone())
        .map_err(|e| ConnectError::Unreachable(std::io::Error::new(std::io::ErrorKind::InvalidInput, e)))?;
    TlsConnector::from(Arc::clone(&server.tls)).connect(name, tcp).await.map_err(|error| {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        if matches!(cause, Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))) {
            ConnectError::KeyDiffers
        } else {
            ConnectError::Tls(error)
        }
    })
}

/// Accepts exactly one public key. Names and dates in the certificate say nothing that the pin does not.
#[derive(Debug)]
struct PinVerifier {
    pin: ServerPin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let spki = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let digest = ring::digest::digest(&ring::digest::SHA256, spki.as_ref());
        if digest.as_ref() == self.pin.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
