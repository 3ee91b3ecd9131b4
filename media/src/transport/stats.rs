//! Counters of one association, our own: those of the crate below stay partly at zero.

use std::time::Duration;

use crate::time::Bitrate;

/// What one association did since it was made. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PeerStats {
    /// RTP packets sent, retransmissions included.
    pub packets_sent: u64,
    /// RTP packets received, retransmissions included.
    pub packets_received: u64,
    /// Bytes of RTP (header and payload) sent, retransmissions included.
    pub bytes_sent: u64,
    /// Bytes of RTP (header and payload) received, retransmissions included.
    pub bytes_received: u64,
    /// Retransmissions that we sent because the peer asked.
    pub retransmissions_sent: u64,
    /// Packets that a retransmission from the peer recovered for us.
    pub retransmissions_received: u64,
    /// Packets that we asked for again; each counts once however often it was asked for.
    pub packets_requested: u64,
    /// Packets from the peer that never arrived.
    pub packets_lost: u64,
    /// Packets that our pacer dropped because they were older than its age limit.
    pub packets_expired: u64,
    /// Frames handed to the packet queue, audio and video.
    pub frames_sent: u64,
    /// Frames received whole, audio and video.
    pub frames_received: u64,
    /// Frames given up because a part never arrived.
    pub frames_lost: u64,
    /// Whole frames dropped on our side: received ones because the reader of the events was too slow, outgoing ones because
    /// the association did not take them fast enough.
    pub frames_dropped: u64,
    /// Key-frame requests that we sent.
    pub key_frames_requested: u64,
    /// RTP payloads refused because they were not of our making.
    pub payloads_refused: u64,
    /// Heartbeats dropped because they were empty, too long, or too many.
    pub heartbeats_refused: u64,
    /// Latest round trip time, measured by ICE.
    pub round_trip: Option<Duration>,
    /// What the path to the peer carries, as far as is known. Zero before the first packet.
    pub estimate: Bitrate,
    /// What may be sent to it now: the estimate, or less while a queue is emptied.
    pub target: Bitrate,
    /// Queue that stands on the path.
    pub path_queue: Duration,
    /// How much later than the quickest ones our packets come, beside that queue.
    pub path_jitter: Duration,
    /// Share of our packets that the path lost lately, 0 to 1.
    pub path_loss: f64,
    /// How long what waits in our pacer takes to leave.
    pub backlog: Duration,
}
