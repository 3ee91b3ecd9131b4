//! The practice's key: made and kept on the owner's machine.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    deny::{DenyList, DenyTerms},
    device::{CertificateTerms, DeviceCertificate, DeviceRequest},
    signing::{SigningKey, verify_parts},
    succession::PracticeSuccession,
};
use crate::{error::IdentityError, kdf};

/// SHA-256 over the practice's public key, cut to 20 bytes: what a link pins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PracticeFingerprint([u8; 20]);

impl PracticeFingerprint {
    /// Takes 20 bytes as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Debug for PracticeFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "PracticeFingerprint({a:02x}{b:02x}…)")
    }
}

/// The practice's Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PracticePublicKey([u8; 32]);

impl PracticePublicKey {
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

    /// What certificates are checked against.
    #[must_use]
    pub fn fingerprint(&self) -> PracticeFingerprint {
        let mut fingerprint = [0; 20];
        let hash = kdf::sha256(&kdf::framed("practice", &[&self.0]));
        fingerprint.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        PracticeFingerprint(fingerprint)
    }

    /// Checks [`PracticeKey::sign_phone`].
    ///
    /// # Errors
    /// [`IdentityError::BadSignature`].
    pub fn verify_phone(&self, phone: &str, signature: &[u8]) -> Result<(), IdentityError> {
        verify_parts(&self.0, PHONE_LABEL, &[phone.as_bytes()], signature)
    }
}

impl fmt::Debug for PracticePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PracticePublicKey({:?})", self.fingerprint())
    }
}

/// The practice's Ed25519 key. It certifies devices and signs the phone number; it never takes
/// part in a call.
#[derive(Debug)]
pub struct PracticeKey(SigningKey);

impl PracticeKey {
    /// Makes a key; the second part is its PKCS#8 form, for the caller to store wrapped.
    ///
    /// # Errors
    /// [`IdentityError::Backend`] without random bytes.
    pub fn generate() -> Result<(Self, Zeroizing<Vec<u8>>), IdentityError> {
        let key = SigningKey::generate()?;
        let pkcs8 = key.pkcs8().clone();
        Ok((Self(key), pkcs8))
    }

    /// Reads the PKCS#8 form.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, IdentityError> {
        SigningKey::from_pkcs8(bytes).map(Self)
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PracticePublicKey {
        PracticePublicKey(*self.0.public())
    }

    /// Fingerprint of the public key.
    #[must_use]
    pub fn fingerprint(&self) -> PracticeFingerprint {
        self.public().fingerprint()
    }

    /// Certifies a device for at most 30 days.
    ///
    /// # Errors
    /// [`IdentityError::BadTerms`] for terms out of their bounds.
    pub fn certify(
        &self,
        request: &DeviceRequest,
        terms: CertificateTerms,
    ) -> Result<DeviceCertificate, IdentityError> {
        DeviceCertificate::sign(&self.0, request, terms)
    }

    /// Signs a deny list; serials and devices are sorted.
    ///
    /// # Errors
    /// [`IdentityError::BadTerms`] for version 0, or more entries than a list may have.
    pub fn deny(&self, terms: DenyTerms) -> Result<DenyList, IdentityError> {
        DenyList::sign(&self.0, terms)
    }

    /// Names the key that takes the place of this one.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn succeed_by(&self, new: PracticePublicKey) -> Result<PracticeSuccession, IdentityError> {
        PracticeSuccession::sign(&self.0, new)
    }

    /// Signs the practice's phone number, which stands in every link.
    ///
    /// # Errors
    /// [`IdentityError::Backend`].
    pub fn sign_phone(&self, phone: &str) -> Result<Vec<u8>, IdentityError> {
        Ok(self.0.sign_parts(PHONE_LABEL, &[phone.as_bytes()])?.to_vec())
    }
}

const PHONE_LABEL: &str = "practice phone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_the_same_key() {
        let (key, pkcs8) = PracticeKey::generate().unwrap();
        let read = PracticeKey::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(read.public(), key.public());
        assert!(PracticeKey::from_pkcs8(&pkcs8[1..]).is_err());
        assert!(PracticeKey::from_pkcs8(b"").is_err());
    }

    #[test]
    fn a_changed_phone_number_is_refused() {
        let (key, _) = PracticeKey::generate().unwrap();
        let signature = key.sign_phone("02 5550 0100").unwrap();
        assert_eq!(key.public().verify_phone("02 5550 0100", &signature), Ok(()));
        let refused = key.public().verify_phone("02 5550 0199", &signature);
        assert_eq!(refused, Err(IdentityError::BadSignature));
        let (other, _) = PracticeKey::generate().unwrap();
        assert!(other.public().verify_phone("02 5550 0100", &signature).is_err());
    }

    #[test]
    fn printing_shows_a_prefix() {
        let key = PracticePublicKey::from_bytes([1; 32]);
        assert!(format!("{key:?}").len() < 60);
    }
}
