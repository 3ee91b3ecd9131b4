//! Measuring aids of the feature `lab`: what RTP carries, seen next to the wire, and a mark in clear to prove the sight.

use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{MediaKind, Transport};

impl Transport {
    /// Copies each RTP payload of peers added from now on, both ways, to `tap`: after SRTP on the way in, before it on the
    /// way out. What finds the channel full is not copied.
    pub fn tap(&self, tap: mpsc::Sender<Bytes>) {
        self.state().tap = Some(tap);
    }

    /// Sends `mark` in clear to every connected peer, in a payload that each receiver refuses: its descriptor has no
    /// version. A search of the tapped payloads that does not find it would find nothing else either.
    pub fn plant(&self, mark: &[u8]) {
        let mut payload = BytesMut::with_capacity(mark.len() + 1);
        payload.put_u8(0);
        payload.put_slice(mark);
        self.send_payloads(MediaKind::Audio, &[payload.freeze()].into());
    }
}
