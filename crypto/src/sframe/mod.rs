//! SFrame (RFC 9605).

use std::time::Duration;

use crate::{
    error::{OpenError, SealError},
    id::LeafIndex,
};

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

/// A frame that only its call can open. Nothing but [`SealingKey::seal`] makes one.
pub struct SealedFrame(Vec<u8>);
/// A payload that passed its tag. Nothing but [`KeyRing::open`] makes one.
pub struct OpenedFrame(Vec<u8>);
/// Seals the frames of one stream of this client in one epoch. Owns its counter; not `Clone`.
pub struct SealingKey;
/// The four sealing keys of this client in one epoch.
#[derive(Debug)]
pub struct SenderKeys {
    /// Seals the voice.
    pub audio: SealingKey,
    /// Seals the camera.
    pub video: SealingKey,
    /// Seals a shared screen.
    pub screen: SealingKey,
    /// Seals everything else.
    pub data: SealingKey,
}
/// The keys of all other members in one epoch, for [`KeyRing::install`].
#[derive(Debug)]
pub struct OpeningKeys;
/// The media keys of one epoch.
#[derive(Debug)]
pub struct MediaKeys;
/// Opening keys by key id, over the switches of epochs.
#[derive(Debug, Default)]
pub struct KeyRing;

impl SealedFrame {
    /// Header, ciphertext and tag.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Never: a frame has a header and a tag.
    pub fn is_empty(&self) -> bool {
        false
    }
    /// Gives the buffer away.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}
impl std::fmt::Debug for SealedFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedFrame({} bytes)", self.0.len())
    }
}
impl OpenedFrame {
    /// The payload.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// Gives the buffer away.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}
impl std::fmt::Debug for OpenedFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedFrame({} bytes)", self.0.len())
    }
}
impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey")
    }
}
impl SealingKey {
    /// Seals in place: the payload's buffer becomes the frame (17 to 23 bytes longer).
    ///
    /// # Errors
    /// [`SealError::Exhausted`] after 2^31 frames.
    pub fn seal(&mut self, payload: Vec<u8>) -> Result<SealedFrame, SealError> {
        let _ = payload;
        todo!()
    }
    /// Frames sealed so far.
    pub fn sealed(&self) -> u64 {
        todo!()
    }
}
impl MediaKeys {
    /// The MLS epoch they belong to.
    pub fn epoch(&self) -> u64 {
        todo!()
    }
    /// Splits into what the sending and the receiving threads own.
    pub fn into_parts(self) -> (SenderKeys, OpeningKeys) {
        todo!()
    }
}
impl KeyRing {
    /// An empty ring: nothing opens.
    pub fn new() -> Self {
        Self
    }
    /// Installs an epoch's keys. Old keys live `old_keys_live` longer; keys of members that are
    /// gone, and keys with an id of the new epoch, are dropped at once.
    pub fn install(&mut self, keys: OpeningKeys, now: Duration, old_keys_live: Duration) {
        let _ = (keys, now, old_keys_live);
        todo!()
    }
    /// Opens a frame that came from `sender`'s own association on the stream `context`.
    ///
    /// # Errors
    /// [`OpenError`]; the frame is gone.
    pub fn open(
        &mut self,
        sender: LeafIndex,
        context: MediaContext,
        frame: Vec<u8>,
        now: Duration,
    ) -> Result<OpenedFrame, OpenError> {
        let _ = (sender, context, frame, now);
        todo!()
    }
    /// Drops every key: after it nothing opens.
    pub fn clear(&mut self) {
        todo!()
    }
}
