//! A frame key whose key id and counter the caller chooses, to compare with other programs.

use super::{
    header::Header,
    key::{FrameKey, Suite},
};
use crate::error::{OpenError, SealError};

/// Key and salt of one key id in suite 0x0005 (RFC 9605 §4.5). Only for tests: it neither counts
/// nor remembers what it saw.
pub struct RawFrameKey(FrameKey);

impl RawFrameKey {
    /// Derives it (RFC 9605 §4.4.2); `None` if the cipher refuses.
    #[must_use]
    pub fn derive(base_key: &[u8; 32], key_id: u64) -> Option<Self> {
        FrameKey::derive(Suite::Aes256GcmSha512, base_key, key_id).map(Self)
    }

    /// Seals a payload under any counter.
    ///
    /// # Errors
    /// [`SealError::Backend`].
    pub fn seal(&self, counter: u64, payload: Vec<u8>) -> Result<Vec<u8>, SealError> {
        self.0.seal(counter, &[], payload)
    }

    /// Opens a frame by the counter in its header, whatever its key id.
    ///
    /// # Errors
    /// [`OpenError::Malformed`], [`OpenError::BadTag`].
    pub fn open(&self, frame: Vec<u8>) -> Result<Vec<u8>, OpenError> {
        let (header, length) = Header::decode(&frame).ok_or(OpenError::Malformed)?;
        self.0.open(header, length, &[], frame)
    }
}

impl std::fmt::Debug for RawFrameKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawFrameKey")
    }
}
