//! The three tracks of an association: what they are called, and the halves that send and receive.
//!
//! Sending takes what was made of a `SealedFrame`, and nothing else. Receiving hands on whole frames.

use std::sync::Arc;

use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpRtxParameters, RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::outbox::Events;
use super::sealed::Outgoing;
use super::shared::{Count, Shared};
use super::{Mark, MediaKind, PeerId, TransportError, TransportEvent};
use crate::jitter::{Assembled, Assembly, KeyRequest, SeenWindow};
use crate::packet::{self, Chunk};
use crate::time::MediaTime;

/// What tells the shared window's track from the camera's, which is of the same kind.
const SCREEN: &str = "screen";

/// Frames that wait for the association to take them; a frame that finds the outbox full is dropped.
pub(crate) const OUTBOX_FRAMES: usize = 64;

/// Whether a stream of this media type, as the interceptors name it, is the audio track.
pub(crate) fn is_audio(mime_type: &str) -> bool {
    mime_type.starts_with("audio/")
}

/// Fixed facts of a track, the same on both sides.
struct Format {
    name: &'static str,
    kind: RtpCodecKind,
    /// No codec name: what is inside is sealed.
    mime_type: &'static str,
    rtx_mime_type: &'static str,
    payload_type: u8,
    rtx_payload_type: u8,
    clock_rate: u32,
}

fn format(kind: MediaKind) -> &'static Format {
    match kind {
        MediaKind::Audio => &Format {
            name: "audio",
            kind: RtpCodecKind::Audio,
            mime_type: "audio/sframe",
            rtx_mime_type: "audio/rtx",
            payload_type: 111,
            rtx_payload_type: 112,
            clock_rate: 48_000,
        },
        MediaKind::Video => &VIDEO,
        // The same codec on a track of its own.
        MediaKind::Screen => &Format { name: SCREEN, ..VIDEO },
    }
}

const VIDEO: Format = Format {
    name: "video",
    kind: RtpCodecKind::Video,
    mime_type: "video/sframe",
    rtx_mime_type: "video/rtx",
    payload_type: 96,
    rtx_payload_type: 97,
    clock_rate: 90_000,
};

fn codec(format: &Format) -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    let mut rtcp_feedback = vec![feedback("nack", "")];
    if format.kind == RtpCodecKind::Video {
        rtcp_feedback.push(feedback("nack", "pli"));
    }
    RTCRtpCodec {
        mime_type: format.mime_type.to_owned(),
        clock_rate: format.clock_rate,
        rtcp_feedback,
        ..Default::default()
    }
}

/// What to register for a track: its opaque codec and the retransmission of it (RFC 4588).
pub(crate) fn codecs(kind: MediaKind) -> ([RTCRtpCodecParameters; 2], RtpCodecKind) {
    let format = format(kind);
    let rtx = RTCRtpCodec {
        mime_type: format.rtx_mime_type.to_owned(),
        clock_rate: format.clock_rate,
        sdp_fmtp_line: format!("apt={}", format.payload_type),
        ..Default::default()
    };
    let parameters = |rtp_codec, payload_type| RTCRtpCodecParameters { rtp_codec, payload_type };
    ([parameters(codec(format), format.payload_type), parameters(rtx, format.rtx_payload_type)], format.kind)
}

/// Flow identifiers and first sequence number of a sending track, random per association.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    pub(crate) first_sequence: u16,
}

impl Flow {
    /// A new flow of the system's randomness.
    ///
    /// # Errors
    ///
    /// [`TransportError::Random`] when the system has none.
    pub(crate) fn random() -> Result<Self, TransportError> {
        let mut bytes = [0; 10];
        SystemRandom::new().fill(&mut bytes).map_err(|Unspecified| TransportError::Random)?;
        let [a, b, c, d, e, f, g, h, i, j] = bytes;
        Ok(Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            rtx_ssrc: u32::from_be_bytes([e, f, g, h]),
            first_sequence: u16::from_be_bytes([i, j]),
        })
    }
}

/// Makes the sending track for the connection.
pub(crate) fn local(kind: MediaKind, flow: Flow) -> Arc<TrackLocalStaticRTP> {
    let format = format(kind);
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(flow.ssrc),
            rtx: Some(RTCRtpRtxParameters { ssrc: flow.rtx_ssrc }),
            ..Default::default()
        },
        codec: codec(format),
        ..Default::default()
    };
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "sealed".to_owned(),
        format.name.to_owned(),
        format.name.to_owned(),
        format.kind,
        vec![coding],
    )))
}

/// Sends what comes through `outbox` until it closes or the connection does.
pub(crate) async fn send(
    kind: MediaKind,
    flow: Flow,
    track: Arc<TrackLocalStaticRTP>,
    mut outbox: mpsc::Receiver<Arc<Outgoing>>,
    shared: Arc<Shared>,
) {
    let format = format(kind);
    let mut sequence = flow.first_sequence;
    let mut number = 0_u16;
    let mut after_droppable = false;
    while let Some(frame) = outbox.recv().await {
        let free = std::mem::replace(&mut after_droppable, frame.mark == Mark::Droppable);
        let mut payloads = frame.payloads(number, free);
        number = number.wrapping_add(1);
        if kind != MediaKind::Audio {
            let groups = packet::groups(payloads.len(), shared.path_loss(), shared.round_trip().unwrap_or_default());
            shared.note_parity(groups, payloads.len());
            payloads.extend(packet::parity(&payloads, groups));
        }
        // RTP time is of no use to the receiver, who reads the capture time inside the seal: it only feeds reports.
        let ticks = u128::from(MediaTime::now().as_micros()) * u128::from(format.clock_rate) / 1_000_000;
        let last = payloads.len().saturating_sub(1);
        for (index, payload) in payloads.into_iter().enumerate() {
            let header = rtp::header::Header {
                version: 2,
                marker: index == last,
                payload_type: format.payload_type,
                sequence_number: sequence,
                timestamp: ticks as u32,
                ssrc: flow.ssrc,
                ..Default::default()
            };
            sequence = sequence.wrapping_add(1);
            if track.write_rtp(rtp::Packet { header, payload }).await.is_err() {
                return;
            }
        }
    }
}

/// The receiving half of a track: payloads in, events out.
pub(crate) struct Receiver {
    peer: PeerId,
    track: Arc<dyn TrackRemote>,
    shared: Arc<Shared>,
    events: Events,
    /// The peer's flow, which feedback names.
    ssrc: u32,
}

impl Receiver {
    pub(crate) fn new(peer: PeerId, track: Arc<dyn TrackRemote>, shared: Arc<Shared>, events: Events) -> Self {
        Self { peer, track, shared, events, ssrc: 0 }
    }

    /// Runs until the track ends. Drains the track's channel (256 packets) at once, whatever the reader of the events does.
    pub(crate) async fn run(self) {
        match self.track.kind().await {
            RtpCodecKind::Audio => self.run_audio().await,
            // A peer that names its tracks otherwise mixes its own pictures up, which then do not open.
            RtpCodecKind::Video if self.track.track_id().await == SCREEN => self.run_pictures(MediaKind::Screen).await,
            RtpCodecKind::Video => self.run_pictures(MediaKind::Video).await,
            _ => {}
        }
    }

    async fn run_audio(mut self) {
        let mut seen = SeenWindow::default();
        while let Some(event) = self.track.poll().await {
            let Some(chunk) = self.chunk_of(event) else {
                continue;
            };
            if chunk.count == 1 && chunk.parity.is_none() && seen.is_new(chunk.number) {
                self.deliver(MediaKind::Audio, chunk.number, chunk.data.into());
            }
        }
    }

    async fn run_pictures(mut self, kind: MediaKind) {
        let mut assembly = Assembly::new();
        let mut request = KeyRequest::default();
        loop {
            let round_trip = self.shared.round_trip();
            let due = [assembly.poll_timeout(), request.poll_timeout(round_trip)].into_iter().flatten().min();
            let wait = due.map(|due| due.since(MediaTime::now()));
            tokio::select! {
                event = self.track.poll() => {
                    let Some(event) = event else {
                        return;
                    };
                    if let Some(chunk) = self.chunk_of(event) {
                        assembly.handle_chunk(MediaTime::now(), chunk);
                    }
                }
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                    assembly.handle_timeout(MediaTime::now());
                }
                () = self.shared.we_asked[kind.picture()].notified() => {}
            }
            if self.shared.take_want_key_frame(kind) {
                request.want();
            }
            while let Some(out) = assembly.poll() {
                match out {
                    Assembled::Frame { number, key, bytes } => {
                        if key {
                            request.satisfied();
                        }
                        self.deliver(kind, number, bytes);
                    }
                    Assembled::Skipped => self.shared.count(Count::FramesLost, 1),
                    Assembled::Lost { count } => {
                        request.want();
                        self.shared.count(Count::FramesLost, u64::from(count));
                        self.events.offer(TransportEvent::FrameLost { peer: self.peer, kind, count });
                    }
                }
            }
            if request.poll(MediaTime::now(), round_trip) {
                self.shared.count(Count::KeyFramesRequested, 1);
                let request = PictureLossIndication { sender_ssrc: 0, media_ssrc: self.ssrc };
                if self.track.write_rtcp(vec![Box::new(request)]).await.is_err() {
                    return;
                }
            }
        }
    }

    fn chunk_of(&mut self, event: TrackRemoteEvent) -> Option<Chunk> {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else {
            return None;
        };
        self.ssrc = packet.header.ssrc;
        let chunk = Chunk::parse(packet.payload).ok();
        if chunk.is_none() {
            self.shared.count(Count::PayloadsRefused, 1);
        }
        chunk
    }

    fn deliver(&self, kind: MediaKind, number: u16, bytes: Vec<u8>) {
        self.shared.count(Count::FramesReceived, 1);
        let event = TransportEvent::Frame { peer: self.peer, kind, number, bytes, arrived: MediaTime::now() };
        if !self.events.offer(event) {
            self.shared.count(Count::FramesDropped, 1);
        }
    }
}
