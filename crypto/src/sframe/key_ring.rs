//! The receiving half: opening keys by key id, each with its replay window.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    MediaContext,
    header::Header,
    key::{FrameKey, key_id},
    replay::ReplayWindow,
};
use crate::{error::OpenError, id::LeafIndex};

/// A payload that passed its tag. Nothing but [`KeyRing::open`] makes one, and decoders take
/// nothing else.
pub struct OpenedFrame(Vec<u8>);

impl OpenedFrame {
    /// The payload.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the buffer away.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for OpenedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedFrame({} bytes)", self.0.len())
    }
}

/// One sender's key of one stream. `owner` is the sender's leaf signature key: leaf indices are
/// reused, signature keys are not.
pub(crate) struct OpeningKey {
    pub(crate) sender: LeafIndex,
    pub(crate) owner: [u8; 32],
    pub(crate) context: MediaContext,
    pub(crate) key: FrameKey,
}

/// The keys of all other members in one epoch, for [`KeyRing::install`].
pub struct OpeningKeys {
    pub(crate) epoch: u64,
    pub(crate) keys: Vec<OpeningKey>,
}

impl OpeningKeys {
    /// The MLS epoch they belong to.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl fmt::Debug for OpeningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningKeys(epoch {}, {} keys)", self.epoch, self.keys.len())
    }
}

struct Entry {
    sender: LeafIndex,
    owner: [u8; 32],
    key: FrameKey,
    window: ReplayWindow,
    /// When an old epoch's key dies; `None` while its epoch is the current one.
    dies_at: Option<Duration>,
}

/// Opening keys by key id, over the switches of epochs.
///
/// One key id selects exactly one key; nothing is ever tried twice. At most 1,024 entries, as
/// many as there are key ids.
#[derive(Default)]
pub struct KeyRing {
    entries: BTreeMap<u64, Entry>,
}

impl KeyRing {
    /// An empty ring: nothing opens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Installs an epoch's keys. `now` counts from any fixed start.
    ///
    /// Keys of earlier epochs live at most `old_keys_live` longer (2 s after an Add or Update,
    /// 500 ms after a Remove); those of members that are gone, and those with a key id of the
    /// new epoch, are dropped at once.
    pub fn install(&mut self, keys: OpeningKeys, now: Duration, old_keys_live: Duration) {
        let end = now.saturating_add(old_keys_live);
        self.entries.retain(|_, entry| {
            entry.dies_at = Some(entry.dies_at.map_or(end, |dies_at| dies_at.min(end)));
            entry.dies_at > Some(now)
                && keys.keys.iter().any(|key| key.sender == entry.sender && key.owner == entry.owner)
        });
        for OpeningKey { sender, owner, context, key } in keys.keys {
            let id = key_id(context, sender, keys.epoch);
            let window = ReplayWindow::new();
            self.entries.insert(id, Entry { sender, owner, key, window, dies_at: None });
        }
    }

    /// Opens a frame that came over `sender`'s own association on the stream `context`, in the
    /// frame's buffer.
    ///
    /// # Errors
    /// [`OpenError`]: the frame is dropped, nothing of it reaches a decoder. Only
    /// [`OpenError::UnknownKey`] can mean that a commit is still on its way.
    pub fn open(
        &mut self,
        sender: LeafIndex,
        context: MediaContext,
        frame: Vec<u8>,
        now: Duration,
    ) -> Result<OpenedFrame, OpenError> {
        let (header, header_length) = Header::decode(&frame).ok_or(OpenError::Malformed)?;
        if header.key_id >> 8 != context as u64 {
            return Err(OpenError::WrongContext);
        }
        if (header.key_id >> 4) & 0x0f != u64::from(sender.as_u8()) {
            return Err(OpenError::WrongSender);
        }
        let entry = self.entries.get_mut(&header.key_id).ok_or(OpenError::UnknownKey)?;
        if entry.dies_at.is_some_and(|dies_at| dies_at <= now) {
            self.entries.remove(&header.key_id);
            return Err(OpenError::UnknownKey);
        }
        if !entry.window.allows(header.counter) {
            return Err(OpenError::Replayed);
        }
        let payload = entry.key.open(header, header_length, &[], frame)?;
        entry.window.record(header.counter);
        Ok(OpenedFrame(payload))
    }

    /// Drops every key: after it nothing opens.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Drops the keys of one member at once, before the commit that removes it has come back.
    pub fn drop_sender(&mut self, sender: LeafIndex) {
        self.entries.retain(|_, entry| entry.sender != sender);
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.entries.len())
    }
}
