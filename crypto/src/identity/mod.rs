//! Practice key, staff device key and certificate.

use zeroize::Zeroizing;

use crate::{error::IdentityError, id::StaffRole};

/// SHA-256 over the practice's public key, cut to 20 bytes; printable groups for people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PracticeFingerprint(pub(crate) [u8; 20]);
impl PracticeFingerprint {
    /// The 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
    /// Takes 20 bytes as they are.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}
/// The practice's Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PracticePublicKey(pub(crate) [u8; 32]);
impl PracticePublicKey {
    /// Takes 32 bytes as they are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// What rides in every invitation link.
    pub fn fingerprint(&self) -> PracticeFingerprint {
        todo!()
    }
    /// Checks [`PracticeKey::sign_phone`].
    ///
    /// # Errors
    /// [`IdentityError::BadSignature`].
    pub fn verify_phone(&self, phone: &str, signature: &[u8]) -> Result<(), IdentityError> {
        let _ = (phone, signature);
        todo!()
    }
}
/// The practice's Ed25519 key; lives on the owner's machine.
#[derive(Debug)]
pub struct PracticeKey;
/// What the practice certifies about a device.
#[derive(Debug, Clone)]
pub struct CertificateTerms {
    /// 1 to 100 bytes.
    pub display_name: String,
    /// At least one.
    pub roles: Vec<StaffRole>,
    /// Registration number of the profession, at most 40 bytes.
    pub registration: Option<String>,
    /// Counts up per practice.
    pub serial: u64,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds; at most 30 days after `not_before`.
    pub not_after: u64,
}
impl PracticeKey {
    /// Makes a key; the second part is its PKCS#8 form, to be stored wrapped.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn generate() -> Result<(Self, Zeroizing<Vec<u8>>), IdentityError> {
        todo!()
    }
    /// Reads the PKCS#8 form.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, IdentityError> {
        let _ = bytes;
        todo!()
    }
    /// The public key.
    pub fn public(&self) -> PracticePublicKey {
        todo!()
    }
    /// Fingerprint of the public key.
    pub fn fingerprint(&self) -> PracticeFingerprint {
        todo!()
    }
    /// Certifies a device.
    ///
    /// # Errors
    /// [`IdentityError::BadTerms`], [`IdentityError::BadSignature`] for a request that was not
    /// signed by its own key.
    pub fn certify(
        &self,
        request: &DeviceRequest,
        terms: CertificateTerms,
    ) -> Result<DeviceCertificate, IdentityError> {
        let _ = (request, terms);
        todo!()
    }
    /// Signs the practice's phone number, for links.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn sign_phone(&self, phone: &str) -> Result<Vec<u8>, IdentityError> {
        let _ = phone;
        todo!()
    }
}
/// A staff device's public Ed25519 key: names a host in the group's policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DevicePublicKey(pub(crate) [u8; 32]);
impl DevicePublicKey {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
/// A staff device's secret keys: Ed25519 and HPKE.
#[derive(Debug)]
pub struct DeviceKey;
impl DeviceKey {
    /// Makes the keys.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn generate() -> Result<Self, IdentityError> {
        todo!()
    }
    /// Reads [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let _ = bytes;
        todo!()
    }
    /// The secret keys, to be stored wrapped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        todo!()
    }
    /// The public key.
    pub fn public(&self) -> DevicePublicKey {
        todo!()
    }
    /// What the practice's owner certifies.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn request(&self) -> Result<DeviceRequest, IdentityError> {
        todo!()
    }
}
/// Asks the practice to certify a device; signed by the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest;
impl DeviceRequest {
    /// Wire form.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
    /// Reads and checks the self-signature.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`], [`IdentityError::BadSignature`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let _ = bytes;
        todo!()
    }
}
/// A staff device's certificate, signed by the practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate;
impl DeviceCertificate {
    /// Wire form.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
    /// Reads; believes nothing yet.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let _ = bytes;
        todo!()
    }
    /// Checks signature, practice and validity at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`IdentityError`] of the first check that fails.
    pub fn verify(&self, practice: &PracticePublicKey, now: u64) -> Result<(), IdentityError> {
        let _ = (practice, now);
        todo!()
    }
    /// The same against a fingerprint; the certificate carries the practice's public key.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_pinned(
        &self,
        practice: &PracticeFingerprint,
        now: u64,
    ) -> Result<(), IdentityError> {
        let _ = (practice, now);
        todo!()
    }
    /// Name for people.
    pub fn display_name(&self) -> &str {
        todo!()
    }
    /// What the device may do.
    pub fn roles(&self) -> &[StaffRole] {
        todo!()
    }
    /// Registration number of the profession.
    pub fn registration(&self) -> Option<&str> {
        todo!()
    }
    /// Unix seconds.
    pub fn not_before(&self) -> u64 {
        todo!()
    }
    /// Unix seconds.
    pub fn not_after(&self) -> u64 {
        todo!()
    }
    /// The certified device.
    pub fn device_key(&self) -> DevicePublicKey {
        todo!()
    }
    /// The certifying practice.
    pub fn practice_key(&self) -> PracticePublicKey {
        todo!()
    }
}
