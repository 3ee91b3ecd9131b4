//! The sending half: keys that own their counters.

use std::fmt;

use super::{MediaContext, key::FrameKey};
use crate::error::SealError;

/// Frames that one key may seal before the group must move on; E2EE profile 1.
const FRAMES_PER_KEY: u64 = 1 << 31;

/// A frame that only its call can open. Nothing but [`SealingKey::seal`] makes one.
pub struct SealedFrame(Vec<u8>);

impl SealedFrame {
    /// Header, ciphertext and tag.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: a frame has a header and a tag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the buffer away.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for SealedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedFrame({} bytes)", self.0.len())
    }
}

/// Seals the frames of one stream of this client in one epoch.
///
/// It owns its counter and cannot be cloned, so no counter is ever used twice.
pub struct SealingKey {
    key: FrameKey,
    context: MediaContext,
    next: u64,
}

impl SealingKey {
    pub(crate) fn new(key: FrameKey, context: MediaContext) -> Self {
        Self { key, context, next: 0 }
    }

    /// Seals in place: the payload's buffer becomes the frame, 18 to 23 bytes longer.
    ///
    /// # Errors
    /// [`SealError::Exhausted`] after 2^31 frames; [`SealError::Backend`] if the cipher refuses.
    /// The counter is spent in either case, the payload is gone.
    pub fn seal(&mut self, payload: Vec<u8>) -> Result<SealedFrame, SealError> {
        if self.next >= FRAMES_PER_KEY {
            return Err(SealError::Exhausted);
        }
        let counter = self.next;
        self.next += 1;
        self.key.seal(counter, &[], payload).map(SealedFrame)
    }

    /// Frames sealed so far.
    #[must_use]
    pub fn sealed(&self) -> u64 {
        self.next
    }

    /// The stream that it seals.
    #[must_use]
    pub fn context(&self) -> MediaContext {
        self.context
    }

    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, counter: u64) {
        self.next = counter;
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({:?}, {} sealed)", self.context, self.next)
    }
}

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
