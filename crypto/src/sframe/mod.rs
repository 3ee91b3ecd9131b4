//! SFrame (RFC 9605) over ring: suite AES_256_GCM_SHA512_128, whole frames, sealed once.
//!
//! | operation | what it needs | what it refuses |
//! | --- | --- | --- |
//! | [`SealingKey::seal`] | a payload | more than 2^31 frames |
//! | [`KeyRing::install`] | an epoch's [`OpeningKeys`] | nothing; old keys get their end |
//! | [`KeyRing::open`] | association, stream, frame | another stream, another sender, an unknown or dead key, a repeated counter, a bad tag |
//!
//! The counter of a frame is recorded only after its tag was checked. Sealing and opening work in
//! the caller's buffer: one move of the payload and no allocation, unless the buffer must grow.

mod header;
mod key;
mod key_ring;
mod replay;
mod seal;
#[cfg(test)]
mod tests;

pub use key_ring::{KeyRing, OpenedFrame, OpeningKeys};
pub use seal::{SealedFrame, SealingKey, SenderKeys};

use self::{
    key::{FrameKey, KeyBytes, Suite, key_id},
    key_ring::OpeningKey,
};
use crate::{id::LeafIndex, kdf::hash, secret::Secret};

/// Which stream of a sender a frame belongs to: the upper bits of the key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MediaContext {
    /// The voice; its key id fits in one byte.
    Audio = 0,
    /// The camera.
    Video = 1,
    /// A shared screen.
    Screen = 2,
    /// Everything else.
    Data = 3,
}

impl MediaContext {
    const ALL: [Self; 4] = [Self::Audio, Self::Video, Self::Screen, Self::Data];
}

/// The media keys of one epoch: made once by
/// [`CallGroup::media_keys`](crate::CallGroup::media_keys).
#[derive(Debug)]
pub struct MediaKeys {
    sender: SenderKeys,
    opening: OpeningKeys,
}

impl MediaKeys {
    /// Derives all keys of an epoch; the caller drops `base_key` right after.
    ///
    /// `others` are leaf and leaf signature key of every other member.
    pub(crate) fn derive(
        base_key: &Secret<32>,
        epoch: u64,
        own: LeafIndex,
        others: &[(LeafIndex, [u8; 32])],
    ) -> Option<Self> {
        let derive = |context, sender| {
            let id = key_id(context, sender, epoch);
            FrameKey::derive(Suite::Aes256GcmSha512, base_key.expose(), id)
        };
        let sealing = |context| Some(SealingKey::new(derive(context, own)?, context));
        let sender = SenderKeys {
            audio: sealing(MediaContext::Audio)?,
            video: sealing(MediaContext::Video)?,
            screen: sealing(MediaContext::Screen)?,
            data: sealing(MediaContext::Data)?,
        };
        let mut keys = Vec::with_capacity(others.len() * MediaContext::ALL.len());
        for &(sender, owner) in others {
            for context in MediaContext::ALL {
                keys.push(OpeningKey { sender, owner, context, key: derive(context, sender)? });
            }
        }
        Some(Self { sender, opening: OpeningKeys { epoch, keys } })
    }

    /// The MLS epoch they belong to.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.opening.epoch
    }

    /// Splits into what the sending and the receiving threads own.
    #[must_use]
    pub fn into_parts(self) -> (SenderKeys, OpeningKeys) {
        (self.sender, self.opening)
    }
}

/// What a sender's heartbeat commits to: SHA-384 over key id, key and salt of its four streams in
/// one epoch. It tells nothing of the keys; once they are disclosed, they must fit it.
pub(crate) fn commitment(base_key: &Secret<32>, epoch: u64, sender: LeafIndex) -> Option<[u8; 48]> {
    let keys = MediaContext::ALL.map(|context| {
        let id = key_id(context, sender, epoch);
        Some((id.to_be_bytes(), KeyBytes::derive(Suite::Aes256GcmSha512, base_key.expose(), id)?))
    });
    let mut parts = Vec::with_capacity(3 * keys.len());
    for key in &keys {
        let (id, KeyBytes { key, salt }) = key.as_ref()?;
        parts.extend([&id[..], key.expose(), salt]);
    }
    Some(hash("commit", &parts))
}
