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

#[cfg(test)]
mod differential;
mod disclosure;
#[cfg(any(test, feature = "lab"))]
pub(crate) mod fuzz;
mod header;
mod key;
mod key_ring;
#[cfg(any(test, feature = "lab"))]
mod lab;
mod replay;
mod seal;
#[cfg(test)]
mod tests;

pub use disclosure::{DisclosedKey, KeyDisclosure};
pub use key_ring::{KeyRing, OpenedFrame, OpeningKeys};
#[cfg(any(test, feature = "lab"))]
pub use lab::RawFrameKey;
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

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|context| *context as u8 == byte)
    }
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

/// What a sender's heartbeat commits to, see [`commit`].
pub(crate) fn commitment(base_key: &Secret<32>, epoch: u64, sender: LeafIndex) -> Option<[u8; 48]> {
    let keys = MediaContext::ALL.map(|context| {
        let id = key_id(context, sender, epoch);
        Some((id, KeyBytes::derive(Suite::Aes256GcmSha512, base_key.expose(), id)?))
    });
    let keys: Vec<_> = keys.into_iter().collect::<Option<_>>()?;
    Some(commit(keys.iter().map(|(id, key)| (*id, key))))
}

/// H("commit", key id, key and salt of each stream): SHA-384. It tells nothing of the keys; once
/// they are disclosed, they must fit it.
fn commit<'a>(keys: impl Iterator<Item = (u64, &'a KeyBytes)>) -> [u8; 48] {
    let keys: Vec<_> = keys.map(|(id, key)| (id.to_be_bytes(), key)).collect();
    let parts: Vec<_> = keys.iter().flat_map(|(id, key)| [&id[..], key.key.expose(), &key.salt]).collect();
    hash("commit", &parts)
}
