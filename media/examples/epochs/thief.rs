//! A removed member that keeps its keys and sees everything that the others send, to anybody, without DTLS or SRTP
//! between: more than a tap of the wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crypto::{KeyRing, LeafIndex, MediaContext, MediaKeys, OpenError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::member::lock;

/// Payloads that may wait for the thief.
const PAYLOADS: usize = 16_384;

/// Its keys, which never grow old, and the time of the last frame of each sender that they opened.
#[derive(Default)]
pub(crate) struct Thief {
    ring: KeyRing,
    last: BTreeMap<u8, Instant>,
    /// When a frame was last sent that it had opened before: to another member, or as a retransmission.
    pub(crate) repeated: Option<Instant>,
    /// Parts of pictures by sender and number.
    parts: BTreeMap<(u8, u16), Vec<Bytes>>,
}

impl Thief {
    pub(crate) fn take(&mut self, keys: MediaKeys) {
        self.ring.install(keys.into_parts().1, Duration::ZERO, Duration::MAX);
    }

    /// When a frame of this sender was last sent that the keys open.
    pub(crate) fn last(&self, sender: LeafIndex) -> Option<Instant> {
        self.last.get(&sender.as_u8()).copied()
    }

    /// Sees a payload at the sender's or at a receiver's end. It may be a retransmission, with two bytes in front.
    fn see(&mut self, sender: LeafIndex, payload: &Bytes) {
        self.read(sender, payload.clone());
        if payload.len() > 2 {
            self.read(sender, payload.slice(2..));
        }
    }

    /// The layout stands in `media::packet`.
    fn read(&mut self, sender: LeafIndex, payload: Bytes) {
        let frame = match payload[..] {
            [descriptor, _, _, _, ..] if descriptor & 0b1101_1111 == 0b0101_0000 => payload[3..].to_vec(),
            [descriptor, a, b, c, d, e, f, _, ..] if descriptor & 0b1101_1111 == 0b0100_0000 => {
                let [number, index, count] = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
                if count > 1_024 || index >= count {
                    return;
                }
                let parts = self.parts.entry((sender.as_u8(), number)).or_default();
                parts.resize(count.into(), Bytes::new());
                parts[usize::from(index)] = payload.slice(7..);
                if parts.iter().any(Bytes::is_empty) {
                    return;
                }
                parts.concat()
            }
            _ => return,
        };
        for context in [MediaContext::Audio, MediaContext::Video] {
            match self.ring.open(sender, context, frame.clone(), Duration::ZERO) {
                Ok(_) => drop(self.last.insert(sender.as_u8(), Instant::now())),
                Err(OpenError::Replayed) => self.repeated = Some(Instant::now()),
                Err(_) => {}
            }
        }
    }
}

/// Gives the end of a tap on one member, which the thief listens to.
pub(crate) fn listen(thief: &Arc<Mutex<Thief>>, sender: LeafIndex) -> mpsc::Sender<Bytes> {
    let (tap, mut payloads) = mpsc::channel(PAYLOADS);
    let thief = Arc::clone(thief);
    tokio::spawn(async move {
        while let Some(payload) = payloads.recv().await {
            lock(&thief).see(sender, &payload);
        }
    });
    tap
}
