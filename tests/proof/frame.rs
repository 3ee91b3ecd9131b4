//! From RTP payloads to sealed frames, and those opened: by the `sframe` crate, with keys that the files hold.
//!
//! ```text
//! payload = 01 K S 0000 | frame number u16 | (S = 0: index u16 | count u16) | a part of the sealed frame
//! ```

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sframe::CipherSuite;
use sframe::crypto::{AeadDecrypt, DecryptionBufferView, KeyDerivation};
use sframe::error::{Result as SframeResult, SframeError};
use sframe::frame::EncryptedFrameView;
use sframe::header::{Counter, KeyId};
use sframe::key::GenericDecryptionKey;

use super::keys::RawKey;

/// Longest RTP payload.
const MAX_PAYLOAD: usize = 1_190;
/// Most parts of a frame.
const MAX_PARTS: u16 = 1_024;

/// A part of a sealed frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Number of the frame in its stream, wrapping.
    pub number: u16,
    /// Place of this part.
    pub index: u16,
    /// How many there are.
    pub count: u16,
    /// Bytes of the frame.
    pub data: &'a [u8],
}

impl<'a> Part<'a> {
    /// Takes an RTP payload apart.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let (&first, rest) = payload.split_first()?;
        let (number, rest) = u16_of(rest)?;
        if first & 0b1100_1111 != 0b0100_0000 || payload.len() > MAX_PAYLOAD {
            return None;
        }
        if first & 0b0001_0000 != 0 {
            return (!rest.is_empty()).then_some(Self { number, index: 0, count: 1, data: rest });
        }
        let (index, rest) = u16_of(rest)?;
        let (count, data) = u16_of(rest)?;
        let fits = (2..=MAX_PARTS).contains(&count) && index < count && !data.is_empty();
        fits.then_some(Self { number, index, count, data })
    }
}

fn u16_of(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

/// Key id and counter of a sealed frame (RFC 9605 section 4.3).
#[must_use]
pub fn header(frame: &[u8]) -> Option<(u64, u64)> {
    let view = EncryptedFrameView::try_new(frame).ok()?;
    Some((view.header().key_id(), view.header().counter()))
}

/// A key that opens frames. Cached: making one costs more than opening a frame of sound.
#[derive(Debug)]
pub struct FrameKey(GenericDecryptionKey<Aes256Gcm, AsTheyAre>);

impl FrameKey {
    /// The key of this key id.
    #[must_use]
    pub fn new(key_id: u64, raw: &RawKey) -> Option<Self> {
        let material = [&raw.key[..], &raw.salt].concat();
        GenericDecryptionKey::derive_from(CipherSuite::AesGcm256Sha512, key_id, material).ok().map(Self)
    }

    /// Whether the frame opens, to its last byte.
    #[must_use]
    pub fn opens(&self, frame: &[u8]) -> bool {
        EncryptedFrameView::try_new(frame).is_ok_and(|view| view.decrypt(&self.0).is_ok())
    }
}

/// The files hold keys that are derived already: nothing is derived here.
struct AsTheyAre;

struct Material {
    key: LessSafeKey,
    salt: [u8; 12],
}

struct Aes256Gcm;

impl std::fmt::Debug for Aes256Gcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aes256Gcm")
    }
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Material")
    }
}

impl KeyDerivation for AsTheyAre {
    type Secret = Material;

    fn expand_from<M: AsRef<[u8]>, K: Into<KeyId>>(_: CipherSuite, material: M, _: K) -> SframeResult<Material> {
        let (key, salt) = material.as_ref().split_at_checked(32).ok_or(SframeError::KeyDerivationFailure)?;
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_length| SframeError::KeyDerivationFailure)?;
        let salt = salt.try_into().map_err(|_length| SframeError::KeyDerivationFailure)?;
        Ok(Material { key: LessSafeKey::new(key), salt })
    }
}

impl TryFrom<CipherSuite> for Aes256Gcm {
    type Error = SframeError;

    fn try_from(suite: CipherSuite) -> SframeResult<Self> {
        if suite == CipherSuite::AesGcm256Sha512 { Ok(Self) } else { Err(SframeError::UnsupportedCipherSuite) }
    }
}

impl AeadDecrypt for Aes256Gcm {
    type Secret = Material;

    fn decrypt<'a, B>(&self, secret: &Material, buffer: B, counter: Counter) -> SframeResult<()>
    where
        B: Into<DecryptionBufferView<'a>>,
    {
        let view: DecryptionBufferView<'a> = buffer.into();
        let mut nonce = secret.salt;
        nonce[4..].iter_mut().zip(counter.to_be_bytes()).for_each(|(to, from)| *to ^= from);
        let opened = secret.key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(&*view.aad), view.data);
        opened.map(|_plain| ()).map_err(|_tag| SframeError::DecryptionFailure)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Call;
    use super::*;

    #[test]
    fn a_frame_opens_under_its_own_key_alone_and_not_when_a_byte_was_changed() {
        let call = Call::new();
        let frame = call.seal(1, 0, super::super::keys::Stream::Audio, 700, b"sound");
        assert_eq!(header(&frame), Some((0x01, 700)));
        let key =
            |epoch, sender| FrameKey::new(0x01, &call.raw(epoch, sender, super::super::keys::Stream::Audio)).unwrap();
        assert!(key(1, 0).opens(&frame));
        assert!(!key(2, 0).opens(&frame) && !key(1, 1).opens(&frame));
        for at in 0..frame.len() {
            let mut altered = frame.clone();
            altered[at] ^= 1;
            assert!(!key(1, 0).opens(&altered), "{at}");
            assert!(!key(1, 0).opens(&frame[..at]), "{at}");
        }
    }

    #[test]
    fn a_payload_of_another_form_is_no_part() {
        assert_eq!(Part::parse(&[0x50, 0, 9, 1]), Some(Part { number: 9, index: 0, count: 1, data: &[1] }));
        assert_eq!(Part::parse(&[0x60, 0, 9, 0, 1, 0, 2, 7]), Some(Part { number: 9, index: 1, count: 2, data: &[7] }));
        for payload in [
            &[][..],
            &[0x50, 0, 0],
            &[0x90, 0, 0, 1],
            &[0x51, 0, 0, 1],
            &[0x40, 0, 0, 0, 0, 0, 1, 1],
            &[0x40, 0, 0, 0, 2, 0, 2, 1],
            &[0x40, 0, 0, 0, 0, 4, 1, 1],
            &[0x50; MAX_PAYLOAD + 1],
        ] {
            assert_eq!(Part::parse(payload), None);
        }
    }
}
