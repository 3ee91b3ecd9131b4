//! From the passphrase, and the key store's secret, to the data key.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::{KeystoreError, Protection, SystemStore};

const MAGIC: &[u8] = b"QRH1";
const SALT_LEN: usize = 16;
const NAME_LEN: usize = 16;
/// Nonce, data key, tag.
const WRAPPED_LEN: usize = NONCE_LEN + 32 + 16;
const MIX_LABEL: &[u8] = b"quietroom keystore mixed key v1";

/// A key for AES-256-GCM, wiped on drop.
pub(super) type DataKey = Zeroizing<[u8; 32]>;

/// The head of a keystore, as it lies on disk:
///
/// ```text
/// "QRH1" │ salt (16) │ name of the key store's entry (16), zeros without one │ nonce (12) │ data key, sealed (32 + 16)
///        └───────────────────── authenticated with the data key ───────────────┘
/// ```
pub(super) struct Head {
    salt: [u8; SALT_LEN],
    entry: Option<[u8; NAME_LEN]>,
    wrapped: [u8; WRAPPED_LEN],
}

impl Head {
    /// Makes a data key and wraps it.
    pub(super) fn make(passphrase: &str, system: Option<&SystemStore>) -> Result<(Self, DataKey), KeystoreError> {
        let mut head = Self { salt: [0; SALT_LEN], entry: None, wrapped: [0; WRAPPED_LEN] };
        random(&mut head.salt)?;
        let kept = system.map(SystemStore::keep_new).transpose()?.flatten();
        let secret = kept.map(|(name, secret)| {
            head.entry = Some(name);
            secret
        });
        let mut data_key = Zeroizing::new([0; 32]);
        random(data_key.as_mut_slice())?;
        let wrapping = wrapping_key(passphrase, &head.salt, secret.as_deref())?;
        let sealed = seal(&wrapping, &head.bound(), data_key.as_slice())?;
        head.wrapped = sealed.as_slice().try_into().map_err(|_length| KeystoreError::Backend)?;
        Ok((head, data_key))
    }

    /// Unwraps the data key. `system` is needed for [`Protection::KeyStore`].
    pub(super) fn open(&self, passphrase: &str, system: Option<&SystemStore>) -> Result<DataKey, KeystoreError> {
        let secret = match (&self.entry, system) {
            (None, _) => None,
            (Some(name), Some(system)) => Some(system.secret(name)?),
            (Some(_), None) => return Err(KeystoreError::KeyStoreClosed),
        };
        let wrapping = wrapping_key(passphrase, &self.salt, secret.as_deref())?;
        let data_key = open(&wrapping, &self.bound(), &self.wrapped).ok_or(KeystoreError::WrongPassphrase)?;
        let data_key = data_key.as_slice().try_into().map_err(|_length| KeystoreError::Damaged)?;
        Ok(Zeroizing::new(data_key))
    }

    pub(super) fn protection(&self) -> Protection {
        if self.entry.is_some() { Protection::KeyStore } else { Protection::Passphrase }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [self.bound().as_slice(), &self.wrapped].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let read = || {
            let rest = bytes.strip_prefix(MAGIC)?;
            let (salt, rest) = rest.split_first_chunk()?;
            let (entry, wrapped) = rest.split_first_chunk::<NAME_LEN>()?;
            let entry = (*entry != [0; NAME_LEN]).then_some(*entry);
            Some(Self { salt: *salt, entry, wrapped: wrapped.try_into().ok()? })
        };
        read().ok_or(KeystoreError::Damaged)
    }

    #[cfg(test)]
    pub(super) fn entry(&self) -> Option<[u8; NAME_LEN]> {
        self.entry
    }

    /// What the data key is bound to: everything before it.
    fn bound(&self) -> Vec<u8> {
        [MAGIC, &self.salt, &self.entry.unwrap_or_default()].concat()
    }
}

/// Seals with a random nonce in front. A keystore writes far fewer than 2^32 files under one key.
pub(super) fn seal(key: &DataKey, bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    let mut sealed = Zeroizing::new(secret.to_vec());
    let tag = aead(key)
        .ok_or(KeystoreError::Backend)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut sealed)
        .map_err(|_unspecified| KeystoreError::Backend)?;
    Ok([nonce.as_slice(), &sealed, tag.as_ref()].concat())
}

/// Opens [`seal`]; `None` for another key, another binding, or a changed byte.
pub(super) fn open(key: &DataKey, bound: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut secret = Zeroizing::new(sealed.to_vec());
    let opened = aead(key)?.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut secret);
    let length = opened.ok()?.len();
    secret.truncate(length);
    Some(secret)
}

/// Argon2id with the parameters of OWASP's first choice (19 MiB, 2 passes): some 30 ms here, hard to try in bulk.
pub(super) fn stretch(passphrase: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|_constant| KeystoreError::Backend)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_length| KeystoreError::Damaged)?;
    Ok(key)
}

pub(super) fn random(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    SystemRandom::new().fill(bytes).map_err(|_unspecified| KeystoreError::Backend)
}

/// The stretched passphrase, mixed with the key store's secret where there is one (RFC 5869: the secret is the salt).
fn wrapping_key(passphrase: &str, salt: &[u8], secret: Option<&[u8; 32]>) -> Result<DataKey, KeystoreError> {
    let stretched = stretch(passphrase, salt)?;
    let Some(secret) = secret else { return Ok(stretched) };
    let mixed = Salt::new(HKDF_SHA256, secret).extract(stretched.as_slice());
    let mut key = Zeroizing::new([0; 32]);
    mixed
        .expand(&[MIX_LABEL], HKDF_SHA256)
        .and_then(|key_material| key_material.fill(key.as_mut_slice()))
        .map_err(|_length| KeystoreError::Backend)?;
    Ok(key)
}

/// ring's own key object is made anew each time and dropped right after, because ring does not wipe it.
fn aead(key: &DataKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(LessSafeKey::new)
}
