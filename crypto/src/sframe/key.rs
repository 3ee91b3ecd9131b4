//! Per-key-id keys (RFC 9605 §4.4.2) and the AEAD (§4.4.3, §4.5.1).
//!
//! ```text
//! MLS exporter "SFrame 1.0 Base Key"
//!   └ base_key (32 B, one per epoch, dropped after the derivation)
//!       └ HKDF-Extract("") → sframe_secret
//!           ├ Expand("SFrame 1.0 Secret key "  ‖ key id ‖ suite) → sframe_key   (one per key id)
//!           └ Expand("SFrame 1.0 Secret salt " ‖ key id ‖ suite) → sframe_salt
//! nonce = sframe_salt XOR counter
//!
//! key id:  | context | sender | epoch |      context: 0 audio, 1 video, 2 screen, 3 data
//!   bits     ≥ 8       7..4     3..0         sender: leaf index; epoch: MLS epoch modulo 16
//! ```

#[cfg(test)]
use ring::aead::AES_128_GCM;
use ring::{
    aead::{AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};

use super::{MediaContext, header::Header};
use crate::{
    error::{OpenError, SealError},
    id::LeafIndex,
    secret::Secret,
};

/// Length of the tag of both suites, in bytes.
const TAG_LENGTH: usize = 16;

/// Cipher suites of RFC 9605 §4.5. The call uses 0x0005 only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Suite {
    /// 0x0004, for the vectors of the RFC.
    #[cfg(test)]
    Aes128GcmSha256,
    /// 0x0005: AES_256_GCM_SHA512_128.
    Aes256GcmSha512,
}

impl Suite {
    const fn code_point(self) -> u16 {
        match self {
            #[cfg(test)]
            Self::Aes128GcmSha256 => 4,
            Self::Aes256GcmSha512 => 5,
        }
    }

    fn parts(self) -> (&'static Algorithm, hkdf::Algorithm) {
        match self {
            #[cfg(test)]
            Self::Aes128GcmSha256 => (&AES_128_GCM, hkdf::HKDF_SHA256),
            Self::Aes256GcmSha512 => (&AES_256_GCM, hkdf::HKDF_SHA512),
        }
    }
}

/// The key id of our profile: context, sender, epoch.
pub(crate) fn key_id(context: MediaContext, sender: LeafIndex, epoch: u64) -> u64 {
    ((context as u64) << 8) | (u64::from(sender.as_u8()) << 4) | (epoch & 0x0f)
}

/// Key and salt of one key id as bytes; a shorter key is filled up with zeros.
pub(crate) struct KeyBytes {
    pub(crate) key: Secret<32>,
    pub(crate) salt: [u8; NONCE_LEN],
}

impl KeyBytes {
    pub(crate) fn derive(suite: Suite, base_key: &[u8], key_id: u64) -> Option<Self> {
        let (aead, hash) = suite.parts();
        let secret = hkdf::Salt::new(hash, &[]).extract(base_key);
        let id = key_id.to_be_bytes();
        let code_point = suite.code_point().to_be_bytes();

        let info = [b"SFrame 1.0 Secret key ".as_slice(), &id, &code_point];
        let key = Secret::filled(|bytes| {
            let bytes = bytes.get_mut(..aead.key_len())?;
            secret.expand(&info, Length(aead.key_len())).ok()?.fill(bytes).ok()
        })?;
        let mut salt = [0; NONCE_LEN];
        let info = [b"SFrame 1.0 Secret salt ".as_slice(), &id, &code_point];
        secret.expand(&info, Length(NONCE_LEN)).ok()?.fill(&mut salt).ok()?;
        Some(Self { key, salt })
    }
}

/// Key and salt of one key id. ring holds the expanded AES key and does not wipe it.
///
/// It lies on the heap, which the clients' allocator wipes: half a kilobyte that is moved from thread to thread would
/// leave copies on their stacks.
pub(crate) struct FrameKey {
    key_id: u64,
    key: Box<LessSafeKey>,
    salt: [u8; NONCE_LEN],
}

impl FrameKey {
    /// Derives the keys of one key id. `base_key` is as long as the suite's key.
    pub(crate) fn derive(suite: Suite, base_key: &[u8], key_id: u64) -> Option<Self> {
        let (aead, _) = suite.parts();
        let KeyBytes { key, salt } = KeyBytes::derive(suite, base_key, key_id)?;
        let key = key.expose().get(..aead.key_len())?;
        let key = Box::new(LessSafeKey::new(UnboundKey::new(aead, key).ok()?));
        Some(Self { key_id, key, salt })
    }

    /// Turns the payload's buffer into header, ciphertext and tag: one move of the payload, no
    /// second buffer unless it has to grow.
    pub(crate) fn seal(&self, counter: u64, metadata: &[u8], mut payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let header = Header { key_id: self.key_id, counter }.encode();
        let header = header.as_bytes();
        let aad = Aad::from(AadBytes::new(header, metadata).ok_or(SealError::Backend)?);
        payload.reserve(header.len() + TAG_LENGTH);
        payload.splice(..0, header.iter().copied());
        let body = payload.get_mut(header.len()..).ok_or(SealError::Backend)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(counter), aad, body)
            .map_err(|ring::error::Unspecified| SealError::Backend)?;
        payload.extend_from_slice(tag.as_ref());
        Ok(payload)
    }

    /// Opens a frame in its own buffer; `header_length` bytes of it were decoded as `header`.
    pub(crate) fn open(
        &self,
        header: Header,
        header_length: usize,
        metadata: &[u8],
        mut frame: Vec<u8>,
    ) -> Result<Vec<u8>, OpenError> {
        if frame.len() < header_length + TAG_LENGTH {
            return Err(OpenError::Malformed);
        }
        let aad =
            AadBytes::new(frame.get(..header_length).unwrap_or_default(), metadata).ok_or(OpenError::Malformed)?;
        let length = self
            .key
            .open_within(self.nonce(header.counter), Aad::from(aad), &mut frame, header_length..)
            .map_err(|ring::error::Unspecified| OpenError::BadTag)?
            .len();
        frame.truncate(length);
        Ok(frame)
    }

    fn nonce(&self, counter: u64) -> Nonce {
        let mut nonce = self.salt;
        for (to, from) in nonce.iter_mut().skip(NONCE_LEN - 8).zip(counter.to_be_bytes()) {
            *to ^= from;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Header and metadata in one piece on the stack. Our frames have no metadata; the vectors have.
struct AadBytes {
    bytes: [u8; 64],
    length: usize,
}

impl AadBytes {
    fn new(header: &[u8], metadata: &[u8]) -> Option<Self> {
        let length = header.len() + metadata.len();
        let mut bytes = [0; 64];
        let to = bytes.get_mut(..length)?;
        to.iter_mut().zip(header.iter().chain(metadata)).for_each(|(to, from)| *to = *from);
        Some(Self { bytes, length })
    }
}

impl AsRef<[u8]> for AadBytes {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
