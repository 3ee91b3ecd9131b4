//! Measuring aids of the feature `lab`: each frame of a voice from its arrival to its opening.

use crypto::LeafIndex;

use super::actor::Actor;
use super::intake::Opened;
use crate::payload::PayloadHeader;
use crate::time::MediaTime;
use crate::transport::MediaKind;

/// One step of a sealed voice frame at its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceStep {
    /// Whose association it came over.
    pub peer: LeafIndex,
    /// Counts the sender's frames over all epochs, from 0, wrapping.
    pub number: u16,
    /// When it happened.
    pub at: MediaTime,
    /// What happened.
    pub what: VoiceFate,
}

/// What happened to a voice frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceFate {
    /// The transport handed it on.
    Arrived {
        /// Epoch of its key, modulo 16, as the frame says.
        epoch: u8,
    },
    /// It passed its tag.
    Opened,
}

impl Actor {
    /// A frame came from the transport.
    pub(super) fn tell_arrived(&self, peer: LeafIndex, kind: MediaKind, number: u16, frame: &[u8], at: MediaTime) {
        // RFC 9605 section 4.3; the key ids of voices fit in one byte.
        let key_id = match frame {
            [config, key_id, ..] if config & 0x80 != 0 => *key_id,
            [config, ..] => config >> 4,
            [] => return,
        };
        if kind == MediaKind::Audio {
            self.tell_step(VoiceStep { peer, number, at, what: VoiceFate::Arrived { epoch: key_id & 0x0f } });
        }
    }

    /// A frame was opened.
    pub(super) fn tell_opened(&self, opened: &Opened) {
        if let (MediaKind::Audio, Ok((header, _))) = (opened.kind, PayloadHeader::parse(opened.frame.as_bytes())) {
            let (peer, number, at) = (opened.peer, header.number as u16, MediaTime::now());
            self.tell_step(VoiceStep { peer, number, at, what: VoiceFate::Opened });
        }
    }

    fn tell_step(&self, step: VoiceStep) {
        if let Some(voices) = self.shared.voices.get() {
            voices.try_send(step).ok();
        }
    }
}
