//! A staff device: its keys, the request, and the certificate that the practice signs.

use std::fmt;

use openmls_rust_crypto::RustCrypto;
use openmls_traits::{crypto::OpenMlsCrypto, types::HpkeKeyPair};
use zeroize::Zeroizing;

use super::{
    practice::{PracticeFingerprint, PracticePublicKey},
    signing::{SigningKey, verify_parts},
};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::IdentityError,
    id::StaffRole,
    mls::SUITE,
    secret::Secret,
};

/// Longest validity, in seconds: 30 days. Short life stands in for revocation.
const MAX_VALIDITY: u64 = 30 * 24 * 3600;
/// Longest display name and registration number, in bytes.
const MAX_NAME: usize = 100;
const MAX_REGISTRATION: usize = 40;
/// Longest HPKE public key: ML-KEM-768+X25519 has 1,216 bytes.
const MAX_HPKE_KEY: usize = 2048;
/// Longest request or certificate that is read, in bytes.
const MAX_ENCODING: usize = 4096;

/// A staff device's public Ed25519 key: names a host in the group's policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DevicePublicKey([u8; 32]);

impl DevicePublicKey {
    /// Takes 32 bytes as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DevicePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "DevicePublicKey({a:02x}{b:02x}…)")
    }
}

/// A staff device's secret keys: Ed25519 for calls, and the seed of an HPKE key (the call's own
/// post-quantum KEM) for records that another device seals to it.
#[derive(Debug)]
pub struct DeviceKey {
    signing: SigningKey,
    hpke_seed: Secret<32>,
}

impl DeviceKey {
    /// Makes the keys.
    ///
    /// # Errors
    /// [`IdentityError::Backend`] without random bytes.
    pub fn generate() -> Result<Self, IdentityError> {
        let signing = SigningKey::generate()?;
        let hpke_seed = Secret::random().ok_or(IdentityError::Backend)?;
        Ok(Self { signing, hpke_seed })
    }

    /// Reads [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let version = reader.u16()?;
            let seed = Secret::from_slice(reader.take(32)?)?;
            let pkcs8 = reader.bytes(256)?;
            reader.end()?;
            (version == PROFILE_VERSION).then_some((seed, pkcs8))
        };
        let (hpke_seed, pkcs8) = read().ok_or(IdentityError::Malformed)?;
        Ok(Self { signing: SigningKey::from_pkcs8(pkcs8)?, hpke_seed })
    }

    /// The secret keys, for the caller to store wrapped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(256));
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.hpke_seed.expose());
        bytes.put_bytes(self.signing.pkcs8());
        bytes
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> DevicePublicKey {
        DevicePublicKey(*self.signing.public())
    }

    /// What the practice's owner certifies.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn request(&self) -> Result<DeviceRequest, IdentityError> {
        let hpke_key = self.hpke_pair()?.public;
        let mut request = DeviceRequest { device: self.public(), hpke_key, signature: [0; 64] };
        request.signature = self.signing.sign_parts(REQUEST_LABEL, &[&request.device.0, &request.hpke_key])?;
        Ok(request)
    }

    pub(crate) fn hpke_pair(&self) -> Result<HpkeKeyPair, IdentityError> {
        RustCrypto::default()
            .derive_hpke_keypair(SUITE.hpke_config(), self.hpke_seed.expose())
            .map_err(|_failed| IdentityError::Backend)
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }
}

/// Asks the practice to certify a device; signed by the device, so that nobody can have another
/// one's key certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    device: DevicePublicKey,
    hpke_key: Vec<u8>,
    signature: [u8; 64],
}

impl DeviceRequest {
    /// The wire form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(&self.device.0);
        bytes.put_bytes(&self.hpke_key);
        bytes.put(&self.signature);
        bytes
    }

    /// Reads a request and checks that the device signed it.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`], [`IdentityError::BadSignature`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let version = reader.u16()?;
            let device = DevicePublicKey(reader.array()?);
            let hpke_key = reader.bytes(MAX_HPKE_KEY)?.to_vec();
            let signature = reader.array()?;
            reader.end()?;
            (version == PROFILE_VERSION).then_some(Self { device, hpke_key, signature })
        };
        let request = read().ok_or(IdentityError::Malformed)?;
        let parts = [&request.device.0[..], &request.hpke_key];
        verify_parts(&request.device.0, REQUEST_LABEL, &parts, &request.signature)?;
        Ok(request)
    }

    /// The device that asks.
    #[must_use]
    pub fn device_key(&self) -> DevicePublicKey {
        self.device
    }
}

/// What the practice certifies about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateTerms {
    /// Name for people, 1 to 100 bytes.
    pub display_name: String,
    /// At least one.
    pub roles: Vec<StaffRole>,
    /// Registration number of the profession, at most 40 bytes.
    pub registration: Option<String>,
    /// Counts up per practice.
    pub serial: u64,
    /// First second of validity, Unix.
    pub not_before: u64,
    /// Last second of validity, Unix; at most 30 days after `not_before`.
    pub not_after: u64,
}

/// A staff device's certificate, signed by the practice. It carries the practice's public key, so
/// that a fingerprint is enough to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    practice: PracticePublicKey,
    device: DevicePublicKey,
    hpke_key: Vec<u8>,
    terms: CertificateTerms,
    signature: [u8; 64],
}

impl DeviceCertificate {
    pub(super) fn sign(
        practice: &SigningKey,
        request: &DeviceRequest,
        mut terms: CertificateTerms,
    ) -> Result<Self, IdentityError> {
        terms.roles.sort_unstable();
        terms.roles.dedup();
        if !terms_in_bounds(&terms) {
            return Err(IdentityError::BadTerms);
        }
        let mut certificate = Self {
            practice: PracticePublicKey::from_bytes(*practice.public()),
            device: request.device,
            hpke_key: request.hpke_key.clone(),
            terms,
            signature: [0; 64],
        };
        certificate.signature = practice.sign_parts(CERTIFICATE_LABEL, &[&certificate.signed_part()])?;
        Ok(certificate)
    }

    /// The wire form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.signed_part();
        bytes.put(&self.signature);
        bytes
    }

    /// Reads a certificate; believes nothing of it yet.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > MAX_ENCODING {
            return Err(IdentityError::Malformed);
        }
        let certificate = Self::read(bytes).ok_or(IdentityError::Malformed)?;
        // One certificate has one spelling, so that equal bytes mean equal certificates.
        if terms_in_bounds(&certificate.terms) && certificate.encode() == bytes {
            Ok(certificate)
        } else {
            Err(IdentityError::Malformed)
        }
    }

    /// Checks signature, practice and validity at `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`IdentityError`] of the first check that fails.
    pub fn verify(&self, practice: &PracticePublicKey, now: u64) -> Result<(), IdentityError> {
        self.verify_pinned(&practice.fingerprint(), now)
    }

    /// The same against the fingerprint that a link carries.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_pinned(&self, practice: &PracticeFingerprint, now: u64) -> Result<(), IdentityError> {
        if self.practice.fingerprint() != *practice {
            return Err(IdentityError::WrongPractice);
        }
        let key = self.practice.as_bytes();
        verify_parts(key, CERTIFICATE_LABEL, &[&self.signed_part()], &self.signature)?;
        if now < self.terms.not_before {
            return Err(IdentityError::NotYetValid);
        }
        if now > self.terms.not_after {
            return Err(IdentityError::Expired);
        }
        Ok(())
    }

    /// Name for people.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.terms.display_name
    }

    /// What the device may do, sorted.
    #[must_use]
    pub fn roles(&self) -> &[StaffRole] {
        &self.terms.roles
    }

    /// Registration number of the profession.
    #[must_use]
    pub fn registration(&self) -> Option<&str> {
        self.terms.registration.as_deref()
    }

    /// Number of the certificate within the practice.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.terms.serial
    }

    /// First second of validity, Unix.
    #[must_use]
    pub fn not_before(&self) -> u64 {
        self.terms.not_before
    }

    /// Last second of validity, Unix.
    #[must_use]
    pub fn not_after(&self) -> u64 {
        self.terms.not_after
    }

    /// The certified device.
    #[must_use]
    pub fn device_key(&self) -> DevicePublicKey {
        self.device
    }

    /// The certifying practice.
    #[must_use]
    pub fn practice_key(&self) -> PracticePublicKey {
        self.practice
    }

    pub(crate) fn hpke_key(&self) -> &[u8] {
        &self.hpke_key
    }

    fn signed_part(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1536);
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.practice.as_bytes());
        bytes.put(&self.device.0);
        bytes.put_bytes(&self.hpke_key);
        bytes.put_bytes(self.terms.display_name.as_bytes());
        bytes.put_u8(self.terms.roles.len() as u8);
        self.terms.roles.iter().for_each(|role| bytes.put_u8(*role as u8));
        bytes.put_bytes(self.terms.registration.as_deref().unwrap_or_default().as_bytes());
        bytes.put_u64(self.terms.serial);
        bytes.put_u64(self.terms.not_before);
        bytes.put_u64(self.terms.not_after);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let practice = PracticePublicKey::from_bytes(reader.array()?);
        let device = DevicePublicKey(reader.array()?);
        let hpke_key = reader.bytes(MAX_HPKE_KEY)?.to_vec();
        let display_name = reader.text(MAX_NAME)?.to_owned();
        let count = reader.u8()?;
        let roles = reader.take(usize::from(count))?.iter();
        let roles = roles.map(|byte| StaffRole::from_byte(*byte).ok()).collect::<Option<_>>()?;
        let registration = reader.text(MAX_REGISTRATION)?;
        let registration = (!registration.is_empty()).then(|| registration.to_owned());
        let serial = reader.u64()?;
        let not_before = reader.u64()?;
        let not_after = reader.u64()?;
        let signature = reader.array()?;
        reader.end()?;
        let terms = CertificateTerms { display_name, roles, registration, serial, not_before, not_after };
        Some(Self { practice, device, hpke_key, terms, signature })
    }
}

fn terms_in_bounds(terms: &CertificateTerms) -> bool {
    let name = terms.display_name.trim();
    let sorted = terms.roles.is_sorted_by(|a, b| a < b);
    let registration = terms.registration.as_deref().unwrap_or("x");
    !name.is_empty()
        && terms.display_name.len() <= MAX_NAME
        && !terms.display_name.chars().any(char::is_control)
        && !terms.roles.is_empty()
        && sorted
        && (1..=MAX_REGISTRATION).contains(&registration.len())
        && terms.not_before < terms.not_after
        && terms.not_after - terms.not_before <= MAX_VALIDITY
}

const REQUEST_LABEL: &str = "device request";
const CERTIFICATE_LABEL: &str = "device certificate";
