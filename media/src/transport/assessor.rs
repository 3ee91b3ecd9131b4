//! Assessor mode: the keys of SRTP, so that a capture taken outside of the client can be opened (E2EE 9.9).
//!
//! The crate below takes its cryptography from a provider. In assessor mode, and in no other, a recorder stands in front of
//! the built-in one. It changes nothing and notes what passes:
//!
//! ```text
//! new_hmac(master secret), sign("EXTRACTOR-dtls_srtp" | client random | server random)    RFC 5705 section 4
//!   └─> the same derivation, made again ─> client key | server key | client salt | server salt    RFC 5764 section 4.2
//! block_encrypt(AES-128 or AES-256, client key)    RFC 3711 section 4.3 ─> which profile: the keys are in use
//! ```
//!
//! The capture is made by others, of what the system sent; these keys only open it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::Secret;
use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher, CryptoAlgorithm,
    CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey, RTCCrypto, RTCCryptoProvider,
    RTCRandom, SecretVec, SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm, constant_time_eq,
};
use webrtc::error::Error;

use super::{PeerId, TransportError};

/// Associations whose keys are kept; the oldest goes first, and its packets then count as unexplained. A call that needs
/// more was restarted more often than a proof can bear.
const MAX_ASSOCIATIONS: usize = 256;

const LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";
const RANDOM: usize = 32;
/// Two keys and two salts of the larger profile. Those of the smaller one are its beginning.
const MATERIAL: usize = 2 * (32 + SALT);
const SALT: usize = 12;
/// Output of HMAC-SHA-256, the one hash of the cipher suites that the transport offers.
const BLOCK: usize = 32;

/// How SRTP is encrypted, RFC 7714 section 14.2. The transport offers no other profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM`, 0x0007.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`, 0x0008.
    AeadAes256Gcm,
}

impl SrtpProfile {
    const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }
}

/// Master keys and salts of one association, wiped on drop. "Client" and "server" are the DTLS roles.
pub struct SrtpKeys {
    peer: PeerId,
    profile: SrtpProfile,
    client_random: [u8; RANDOM],
    material: Secret<MATERIAL>,
}

impl SrtpKeys {
    /// The other end of the association: a leaf index of the time when it was made.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// Which cipher.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// The random value of the DTLS ClientHello (RFC 5246 section 7.4.1.2), by which the association is found in a capture.
    /// Public.
    #[must_use]
    pub fn client_random(&self) -> &[u8; RANDOM] {
        &self.client_random
    }

    /// Master key of what the DTLS client sends, 16 or 32 bytes.
    #[must_use]
    pub fn client_key(&self) -> &[u8] {
        self.part(0, self.profile.key_len())
    }

    /// Master key of what the DTLS server sends, 16 or 32 bytes.
    #[must_use]
    pub fn server_key(&self) -> &[u8] {
        self.part(self.profile.key_len(), self.profile.key_len())
    }

    /// Master salt of what the DTLS client sends, 12 bytes.
    #[must_use]
    pub fn client_salt(&self) -> &[u8] {
        self.part(2 * self.profile.key_len(), SALT)
    }

    /// Master salt of what the DTLS server sends, 12 bytes.
    #[must_use]
    pub fn server_salt(&self) -> &[u8] {
        self.part(2 * self.profile.key_len() + SALT, SALT)
    }

    fn part(&self, start: usize, len: usize) -> &[u8] {
        self.material.expose().get(start..start + len).unwrap_or_default()
    }

    fn copy(&self) -> Option<Self> {
        let material = Secret::from_slice(self.material.expose())?;
        Some(Self { material, peer: self.peer, profile: self.profile, client_random: self.client_random })
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpKeys({:?}, {:?})", self.peer, self.profile)
    }
}

/// The keys of all associations of a call, those that ended included.
#[derive(Debug, Default)]
pub(crate) struct KeyBook(Mutex<Vec<SrtpKeys>>);

impl KeyBook {
    pub(crate) fn copy(&self) -> Vec<SrtpKeys> {
        locked(&self.0).iter().filter_map(SrtpKeys::copy).collect()
    }

    fn add(&self, keys: SrtpKeys) {
        let mut book = locked(&self.0);
        if book.len() == MAX_ASSOCIATIONS {
            book.remove(0);
        }
        book.push(keys);
    }
}

/// The built-in provider, with the recorder of one association in front.
///
/// # Errors
///
/// [`TransportError::Open`] when the build has no built-in provider.
pub(crate) fn recorder(peer: PeerId, book: Arc<KeyBook>) -> Result<Arc<dyn RTCCryptoProvider>, TransportError> {
    let inner = rtc::crypto::default_provider();
    let inner = inner.map_err(|error| TransportError::Open(Error::Crypto(error.to_string())))?;
    let notes = Arc::new(Notes { peer, book, exported: Mutex::new(None) });
    Ok(Arc::new(Recorder { inner, notes }))
}

/// What was exported, until it is seen in use.
type Exported = ([u8; RANDOM], Secret<MATERIAL>);

struct Notes {
    peer: PeerId,
    book: Arc<KeyBook>,
    exported: Mutex<Option<Exported>>,
}

impl Notes {
    /// A MAC was made over `input`: if it begins the exporter of DTLS-SRTP, make it to its end.
    fn on_sign(&self, mac: &mut dyn Mac, input: &[&[u8]]) -> Result<(), CryptoError> {
        let [seed] = input else {
            return Ok(());
        };
        let Some((client, server)) = seed.strip_prefix(LABEL).and_then(|randoms| randoms.split_at_checked(RANDOM))
        else {
            return Ok(());
        };
        if server.len() != RANDOM || mac.output_len() != BLOCK {
            return Ok(());
        }
        // P_SHA256, RFC 5246 section 5. What is left of the last block is wiped with the rest.
        let mut blocks = SecretVec::new(vec![0; MATERIAL.next_multiple_of(BLOCK)]);
        let (mut chain, mut last) = ([0; BLOCK], [0; BLOCK]);
        mac.sign(&[seed], &mut chain)?;
        for block in blocks.as_mut().chunks_exact_mut(BLOCK) {
            mac.sign(&[&chain, seed], block)?;
            std::mem::swap(&mut last, &mut chain);
            mac.sign(&[&last], &mut chain)?;
        }
        let material = blocks.as_ref().get(..MATERIAL).and_then(Secret::from_slice);
        let random = <[u8; RANDOM]>::try_from(client).ok();
        *locked(&self.exported) = random.zip(material);
        Ok(())
    }

    /// A block cipher was used under `key`: if it is the one that was exported, the profile is known.
    fn on_block(&self, algorithm: BlockCipherAlgorithm, key: &[u8]) {
        let profile = match algorithm {
            BlockCipherAlgorithm::Aes128 => SrtpProfile::AeadAes128Gcm,
            BlockCipherAlgorithm::Aes256 => SrtpProfile::AeadAes256Gcm,
            _ => return,
        };
        let mut exported = locked(&self.exported);
        let Some((client_random, material)) = exported.take() else {
            return;
        };
        let keys = SrtpKeys { peer: self.peer, profile, client_random, material };
        if constant_time_eq(keys.client_key(), key) {
            self.book.add(keys);
        } else {
            *exported = Some((keys.client_random, keys.material));
        }
    }
}

struct Recorder {
    inner: Arc<dyn RTCCryptoProvider>,
    notes: Arc<Notes>,
}

impl RTCCryptoProvider for Recorder {
    fn name(&self) -> &'static str {
        "assessor"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

/// Delegates all, and notes what two of the operations show.
impl RTCCrypto for Recorder {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn block_encrypt(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &mut [u8]) -> Result<(), CryptoError> {
        self.notes.on_block(algorithm, key);
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        let inner = self.inner.crypto().new_hmac(algorithm, key)?;
        Ok(Box::new(RecordedMac { inner, notes: Arc::clone(&self.notes) }))
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.inner.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(&self, algorithm: KeyExchangeAlgorithm) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(&self, scheme: SignatureScheme, pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.crypto().verify_signature(scheme, public_key, message, signature)
    }
}

struct RecordedMac {
    inner: Box<dyn Mac>,
    notes: Arc<Notes>,
}

impl Mac for RecordedMac {
    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        self.notes.on_sign(self.inner.as_mut(), input)?;
        self.inner.sign(input, output)
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        self.inner.verify(input, expected)
    }
}

/// Nothing panics while it holds one of these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
