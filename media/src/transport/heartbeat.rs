//! The data channel of an association: signed statements about the group, over the path that the server cannot cut.
//!
//! It is negotiated beforehand under a fixed number, unordered, and resends once: a newer statement follows anyway.
//! What comes in is only bytes of a bounded length at a bounded rate; whoever reads them checks the signature.
//!
//! Queues: 4 statements on the way out (one more is dropped), 256 events of the crate's on the way in, which are read at
//! once. A peer that opens a channel besides this one is refused, see `task.rs`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::PeerConnection;

use super::outbox::Events;
use super::shared::{Count, Shared};
use super::task::until;
use super::{PeerId, TransportError, TransportEvent};
use crate::time::MediaTime;

/// Longest statement in bytes, both ways. Ours are 275; more would let a peer make us carry other things.
pub(crate) const MAX_BYTES: usize = 512;

/// Statements of one peer that are handed on within [`WINDOW`]. One comes every 5 s and one with each epoch; fewer would
/// lose some in a storm of epochs, more would let a peer keep our signature check busy.
const MAX_IN_WINDOW: usize = 8;
const WINDOW: Duration = Duration::from_secs(1);

/// Statements that wait for the channel to open or to take them.
const OUTBOX: usize = 4;

/// Bytes that a dead path may keep from being sent; what finds more is dropped.
pub(crate) const UNSENT_BYTES: usize = 4 * 1_024;

/// How often a lost statement is sent again. More would deliver old ones after an outage; fewer would let one lost packet
/// count as a missed heartbeat.
const RESENT: u16 = 1;

/// Time from the channel being open here to the first statement. The crate below acknowledges and drops what arrives in the
/// moment in which the other end finishes its handshake, half a round trip after us. Shorter would lose the first statement on
/// long paths; a peer that was heard before is ready.
const SETTLE: Duration = Duration::from_millis(500);

/// Number of the channel, the same on both sides (RFC 8831 section 6.5).
const STREAM: u16 = 0;

/// Adds the channel to the connection, so that it stands in the description.
pub(crate) async fn open(connection: &dyn PeerConnection) -> Result<Arc<dyn DataChannel>, TransportError> {
    let options = RTCDataChannelInit {
        ordered: false,
        max_retransmits: Some(RESENT),
        negotiated: Some(STREAM),
        ..Default::default()
    };
    connection.create_data_channel("heartbeat", Some(options)).await.map_err(TransportError::Open)
}

/// The queue to the task that sends.
pub(crate) fn outbox() -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
    mpsc::channel(OUTBOX)
}

/// Sends what comes through `outbox`, once the channel is open, and hands on what arrives, until the channel closes.
pub(crate) async fn run(
    peer: PeerId,
    channel: Arc<dyn DataChannel>,
    mut outbox: mpsc::Receiver<Bytes>,
    events: Events,
    shared: Arc<Shared>,
) {
    let (mut settled_at, mut ready, mut limit) = (None, false, Limit::default());
    loop {
        let settle = settled_at;
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => settled_at = Some(Instant::now() + SETTLE),
                Some(DataChannelEvent::OnMessage(message)) => {
                    ready = true;
                    let taken = !message.is_string && limit.takes(message.data.len(), MediaTime::now());
                    let event = TransportEvent::Heartbeat { peer, bytes: message.data.to_vec() };
                    if !taken || !events.offer_rare(event) {
                        shared.count(Count::HeartbeatsRefused, 1);
                    }
                }
                Some(DataChannelEvent::OnClosing | DataChannelEvent::OnClose) | None => return,
                Some(_) => {}
            },
            () = until(settle), if !ready => ready = true,
            Some(bytes) = outbox.recv(), if ready => {
                // It fails when the channel is closing or the path is dead; the next statement says it all anew.
                channel.try_send(BytesMut::from(&bytes[..])).await.ok();
            }
        }
    }
}

/// What a peer may say. Pure.
#[derive(Default)]
struct Limit {
    /// When the last [`MAX_IN_WINDOW`] were taken, oldest first.
    taken: VecDeque<MediaTime>,
}

impl Limit {
    fn takes(&mut self, len: usize, now: MediaTime) -> bool {
        if len == 0 || len > MAX_BYTES {
            return false;
        }
        if self.taken.len() == MAX_IN_WINDOW {
            if self.taken.front().is_some_and(|oldest| now.since(*oldest) < WINDOW) {
                return false;
            }
            self.taken.pop_front();
        }
        self.taken.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    #[test]
    fn a_flood_is_cut_to_eight_in_any_second() {
        let mut limit = Limit::default();
        let taken: Vec<u64> = (0..4_000).filter(|millis| limit.takes(275, at(*millis))).collect();
        assert_eq!(taken.len(), 32);
        assert!(taken.windows(MAX_IN_WINDOW + 1).all(|part| part[MAX_IN_WINDOW] - part[0] >= 1_000));
    }

    #[test]
    fn statements_that_are_empty_or_too_long_are_dropped_and_use_up_nothing() {
        let mut limit = Limit::default();
        assert!((0..20).all(|_| !limit.takes(MAX_BYTES + 1, at(0)) && !limit.takes(0, at(0))));
        assert!((0..MAX_IN_WINDOW).all(|_| limit.takes(MAX_BYTES, at(0))));
        assert!(!limit.takes(1, at(0)));
    }
}
