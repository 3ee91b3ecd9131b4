//! A practice's change of key: the old key names the new one.
//!
//! ```text
//! profile u16 | old key 32 | new key 32 | signature of the old key 64
//! ```
//!
//! It carries links that were sent under the old key, and nothing else. Against a **stolen** old
//! key it is no help, since the thief can sign one too: those links must be revoked.

use super::{
    practice::{PracticeFingerprint, PracticePublicKey},
    signing::{SigningKey, verify_parts},
};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::IdentityError,
};

const LABEL: &str = "practice succession";

/// The old practice key's statement about the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PracticeSuccession {
    old: PracticePublicKey,
    new: PracticePublicKey,
    signature: [u8; 64],
}

impl PracticeSuccession {
    pub(super) fn sign(old: &SigningKey, new: PracticePublicKey) -> Result<Self, IdentityError> {
        let signature = old.sign_parts(LABEL, &[old.public(), new.as_bytes()])?;
        Ok(Self { old: PracticePublicKey::from_bytes(*old.public()), new, signature })
    }

    /// The wire form, 130 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(130);
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.old.as_bytes());
        bytes.put(self.new.as_bytes());
        bytes.put(&self.signature);
        bytes
    }

    /// Reads a statement; believes nothing of it yet.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let version = reader.u16()?;
            let (old, new) = (reader.array()?, reader.array()?);
            let signature = reader.array()?;
            reader.end()?;
            let (old, new) = (PracticePublicKey::from_bytes(old), PracticePublicKey::from_bytes(new));
            (version == PROFILE_VERSION).then_some(Self { old, new, signature })
        };
        read().ok_or(IdentityError::Malformed)
    }

    /// The key that stands for the pinned one now.
    ///
    /// # Errors
    /// [`IdentityError::WrongPractice`] if it speaks of another key than the pinned one,
    /// [`IdentityError::BadSignature`].
    pub fn verify(&self, pinned: &PracticeFingerprint) -> Result<PracticePublicKey, IdentityError> {
        if self.old.fingerprint() != *pinned {
            return Err(IdentityError::WrongPractice);
        }
        verify_parts(self.old.as_bytes(), LABEL, &[self.old.as_bytes(), self.new.as_bytes()], &self.signature)?;
        Ok(self.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PracticeKey;

    #[test]
    fn only_the_pinned_key_names_its_successor() {
        let [old, new, other] = [(); 3].map(|()| PracticeKey::generate().unwrap().0);
        let statement = old.succeed_by(new.public()).unwrap();
        let bytes = statement.encode();
        let read = PracticeSuccession::decode(&bytes).unwrap();
        assert_eq!(read.verify(&old.fingerprint()), Ok(new.public()));
        assert_eq!(read.verify(&other.fingerprint()), Err(IdentityError::WrongPractice));
        assert_eq!(read.verify(&new.fingerprint()), Err(IdentityError::WrongPractice), "not backwards");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let accepted =
                PracticeSuccession::decode(&altered).is_ok_and(|read| read.verify(&old.fingerprint()).is_ok());
            assert!(!accepted, "byte {at}");
            assert!(PracticeSuccession::decode(&bytes[..at]).is_err());
        }
    }
}
