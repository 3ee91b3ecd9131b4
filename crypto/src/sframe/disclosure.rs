//! What an assessor gets after a call that was made for it: every key that a frame of the call can
//! have been sealed with (E2EE 9.9).
//!
//! ```text
//! profile u16 | call id 16 | group id 16 | count u32
//! | count × (epoch u64 | sender u8 | context u8 | key 32 | salt 12)
//! ```
//!
//! Only a group in assessor mode makes one; that mode stands in its policy from the creation on.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    MediaContext, commit,
    key::{KeyBytes, Suite, key_id},
};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::IdentityError,
    id::{CallId, GroupId, LeafIndex},
    secret::Secret,
};

/// Most keys of one disclosure: 8 hours with 16 members, 16 MiB.
///
/// Fewer ends long calls early; more lets a call's memory grow further.
const MAX_KEYS: usize = 1 << 18;
const HEAD: usize = 2 + 16 + 16 + 4;
const ENTRY: usize = 8 + 1 + 1 + 32 + 12;

/// The key of one sender's stream in one epoch; wiped on drop.
pub struct DisclosedKey {
    epoch: u64,
    sender: LeafIndex,
    context: MediaContext,
    bytes: KeyBytes,
}

impl DisclosedKey {
    /// SFrame key id (RFC 9605 §4.3): context, sender, epoch modulo 16.
    #[must_use]
    pub fn key_id(&self) -> u64 {
        key_id(self.context, self.sender, self.epoch)
    }

    /// MLS epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whose frames it seals: a place in the tree of that epoch.
    #[must_use]
    pub fn sender(&self) -> LeafIndex {
        self.sender
    }

    /// The stream.
    #[must_use]
    pub fn context(&self) -> MediaContext {
        self.context
    }

    /// `sframe_key` of AES_256_GCM_SHA512_128 (RFC 9605 §4.4.2).
    #[must_use]
    pub fn key(&self) -> &Secret<32> {
        &self.bytes.key
    }

    /// `sframe_salt`, to be combined with the counter.
    #[must_use]
    pub fn salt(&self) -> &[u8; 12] {
        &self.bytes.salt
    }
}

impl fmt::Debug for DisclosedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DisclosedKey({:?}, {:?}, epoch {})", self.context, self.sender, self.epoch)
    }
}

/// The keys of a call in assessor mode; wiped on drop.
pub struct KeyDisclosure {
    call_id: CallId,
    group_id: GroupId,
    keys: Vec<DisclosedKey>,
}

impl KeyDisclosure {
    pub(crate) fn new(call_id: CallId, group_id: GroupId) -> Self {
        Self { call_id, group_id, keys: Vec::new() }
    }

    /// Adds the keys of one epoch; `None` when it is full.
    pub(crate) fn add(
        &mut self,
        base_key: &Secret<32>,
        epoch: u64,
        senders: impl Iterator<Item = LeafIndex>,
    ) -> Option<()> {
        for sender in senders {
            for context in MediaContext::ALL {
                if self.keys.len() >= MAX_KEYS {
                    return None;
                }
                let id = key_id(context, sender, epoch);
                let bytes = KeyBytes::derive(Suite::Aes256GcmSha512, base_key.expose(), id)?;
                self.keys.push(DisclosedKey { epoch, sender, context, bytes });
            }
        }
        Some(())
    }

    /// The consultation.
    #[must_use]
    pub fn call_id(&self) -> CallId {
        self.call_id
    }

    /// The MLS group.
    #[must_use]
    pub fn group_id(&self) -> GroupId {
        self.group_id
    }

    /// All keys, in the order in which their epochs came.
    #[must_use]
    pub fn keys(&self) -> &[DisclosedKey] {
        &self.keys
    }

    /// Whether the disclosed keys of a sender are those that its heartbeat committed to while the
    /// call ran ([`Heartbeat::commitment`](crate::Heartbeat)): `false` for any other key, a
    /// missing one, or one too many.
    #[must_use]
    pub fn verify_commitment(&self, epoch: u64, sender: LeafIndex, commitment: &[u8; 48]) -> bool {
        let ours = self.keys.iter().filter(|key| key.epoch == epoch && key.sender == sender);
        commit(ours.map(|key| (key.key_id(), &key.bytes))) == *commitment
    }

    /// The file for the assessor; secret until the person hands it over.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + ENTRY * self.keys.len()));
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.call_id.as_bytes());
        bytes.put(self.group_id.as_bytes());
        bytes.put_u32(self.keys.len() as u32);
        for key in &self.keys {
            bytes.put_u64(key.epoch);
            bytes.put_u8(key.sender.as_u8());
            bytes.put_u8(key.context as u8);
            bytes.put(key.bytes.key.expose());
            bytes.put(&key.bytes.salt);
        }
        bytes
    }

    /// Reads [`encode`](Self::encode).
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        Self::read(bytes).ok_or(IdentityError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let (call_id, group_id) = (CallId::from_bytes(reader.array()?), GroupId::from_bytes(reader.array()?));
        let count = usize::try_from(reader.u32()?).ok()?;
        if count > MAX_KEYS || bytes.len() != HEAD + ENTRY * count {
            return None;
        }
        let keys = (0..count).map(|_| {
            Some(DisclosedKey {
                epoch: reader.u64()?,
                sender: LeafIndex::new(u32::from(reader.u8()?))?,
                context: MediaContext::from_byte(reader.u8()?)?,
                bytes: KeyBytes { key: Secret::from_slice(reader.take(32)?)?, salt: reader.array()? },
            })
        });
        let keys = keys.collect::<Option<Vec<_>>>()?;
        reader.end()?;
        Some(Self { call_id, group_id, keys })
    }
}

impl fmt::Debug for KeyDisclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDisclosure({} keys)", self.keys.len())
    }
}
