//! Ed25519 over ring: one type for the practice, devices and leaves.

use std::fmt;

use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use zeroize::Zeroizing;

use crate::{error::IdentityError, kdf::framed};

/// A private key in its PKCS#8 form (RFC 8410), wiped on drop.
///
/// ring's own key object is made anew for each signature and dropped right after it, because
/// ring does not wipe it.
pub(crate) struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: [u8; 32],
}

impl SigningKey {
    pub(crate) fn generate() -> Result<Self, IdentityError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|ring::error::Unspecified| IdentityError::Backend)?;
        Self::from_pkcs8(document.as_ref())
    }

    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<Self, IdentityError> {
        let pair = pair(bytes)?;
        let public = pair.public_key().as_ref().try_into();
        let public = public.map_err(|_length| IdentityError::Malformed)?;
        Ok(Self { pkcs8: Zeroizing::new(bytes.to_vec()), public })
    }

    pub(crate) fn pkcs8(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Signs a label and parts, each with its length.
    pub(crate) fn sign_parts(&self, label: &str, parts: &[&[u8]]) -> Result<[u8; 64], IdentityError> {
        let signature = pair(&self.pkcs8)?.sign(&framed(label, parts));
        signature.as_ref().try_into().map_err(|_length| IdentityError::Backend)
    }
}

impl Signer for SigningKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let pair = pair(&self.pkcs8).map_err(|_malformed| SignerError::SigningError)?;
        Ok(pair.sign(payload).as_ref().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// Checks [`SigningKey::sign_parts`].
pub(crate) fn verify_parts(
    public: &[u8; 32],
    label: &str,
    parts: &[&[u8]],
    signature: &[u8],
) -> Result<(), IdentityError> {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(&framed(label, parts), signature)
        .map_err(|ring::error::Unspecified| IdentityError::BadSignature)
}

fn pair(pkcs8: &[u8]) -> Result<Ed25519KeyPair, IdentityError> {
    Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_rejected| IdentityError::Malformed)
}
