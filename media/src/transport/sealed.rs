//! A sealed frame on its way out, the same for all associations: each cuts it into packets and numbers them by itself, so that one
//! which is left out for a peer leaves no gap there.

use bytes::Bytes;
use crypto::SealedFrame;

use super::MediaKind;
use crate::frame::EncodedVideo;
use crate::packet::{self, FrameSizeError, Tag};

/// Who needs a frame. It travels in clear beside the sealed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A receiver can start decoding here.
    Key,
    /// Later frames need it.
    Needed,
    /// No other frame needs it: a peer whose path carries less does without.
    Droppable,
}

impl Mark {
    /// As the codec says of a picture.
    pub(crate) const fn of(picture: &EncodedVideo) -> Self {
        match picture {
            EncodedVideo { key: true, .. } => Self::Key,
            EncodedVideo { droppable: true, .. } => Self::Droppable,
            _ => Self::Needed,
        }
    }
}

/// Which of the pictures of one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The picture that most get.
    Main,
    /// The small one, for peers whose path carries far less than that of the others.
    Low,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Outgoing {
    bytes: Bytes,
    pub(crate) kind: MediaKind,
    pub(crate) mark: Mark,
    pub(crate) layer: Layer,
    #[cfg(feature = "lab")]
    pub(super) raw: bool,
}

impl Outgoing {
    /// Takes a sealed frame, and nothing else.
    ///
    /// # Errors
    ///
    /// [`FrameSizeError`] when it is empty, or too long for its kind: sound takes one packet.
    pub(crate) fn new(frame: &SealedFrame, kind: MediaKind, mark: Mark, layer: Layer) -> Result<Self, FrameSizeError> {
        let packets = packet::packets(frame.len())?;
        if kind == MediaKind::Audio && packets > 1 {
            return Err(FrameSizeError { bytes: frame.len() });
        }
        Ok(Self {
            bytes: Bytes::copy_from_slice(frame.as_bytes()),
            kind,
            mark,
            layer,
            #[cfg(feature = "lab")]
            raw: false,
        })
    }

    /// A payload that nobody sealed.
    #[cfg(feature = "lab")]
    pub(super) fn raw(bytes: Bytes, kind: MediaKind) -> Self {
        Self { bytes, kind, mark: Mark::Needed, layer: Layer::Main, raw: true }
    }

    /// Other bytes in place of the sealed ones.
    #[cfg(feature = "lab")]
    pub(super) fn spoiled(&self, change: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = self.bytes.to_vec();
        change(&mut bytes);
        Self { bytes: bytes.into(), ..*self }
    }

    /// Its payloads under this number. `free` says that it can be decoded without the frame sent before it.
    pub(crate) fn payloads(&self, number: u16, free: bool) -> Vec<Bytes> {
        #[cfg(feature = "lab")]
        if self.raw {
            return vec![self.bytes.clone()];
        }
        // Its length was looked at when it was made.
        packet::packetize(&self.bytes, number, Tag { key: self.mark == Mark::Key, free }).unwrap_or_default()
    }
}
