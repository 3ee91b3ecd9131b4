//! The thread `video-receive`: opened frames → pictures, shown in time with their voice.
//!
//! A picture is decoded as soon as it is there and then kept until its voice is heard, so that lips and words agree.
//! After a lost frame a sender's picture stands still until its next key frame, instead of smearing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crypto::OpenedFrame;

use super::dump::Dump;
use super::shared::{Peer, Shared, lock};
use super::timeline::Timeline;
use crate::codec::{VideoCodec, VideoDecoder};
use crate::engine::EngineEvent;
use crate::frame::VideoFrame;
use crate::payload::{PayloadHeader, PayloadKind};
use crate::time::MediaTime;
use crate::transport::{MediaKind, PeerId, Transport};

/// A frame that passed its tag, with its sender.
pub(super) struct VideoInput {
    pub(super) peer: Arc<Peer>,
    /// Of its camera, or of the window that it shares.
    pub(super) kind: MediaKind,
    pub(super) frame: OpenedFrame,
}

/// Frames between actor and thread: half a second of two senders. When it is full the frame is dropped and its sender
/// stands still until the key frame that is then asked for.
pub(super) const QUEUE: usize = 32;

/// How far a picture may run ahead of its voice. People notice sound that is 45 ms early or 125 ms late (ITU-R BT.1359),
/// so some lead costs nothing and saves delay.
const LEAD: Duration = Duration::from_millis(30);

/// A picture waits at most this long for its voice.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Decoded pictures waiting per sender, each 1.4 MB at 720p. One more and the oldest is shown at once.
const WAITING: usize = 8;

/// Sleep when nothing waits; only to notice that the engine stops.
const IDLE: Duration = Duration::from_millis(500);

/// What the thread is started with.
pub(super) struct VideoReceive {
    pub(super) input: Receiver<VideoInput>,
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Arc<Transport>,
    pub(super) dump: Option<Dump>,
    pub(super) timeline: Option<Timeline>,
}

/// One sender's picture of one kind.
struct View {
    peer: Arc<Peer>,
    kind: MediaKind,
    decoder: Option<(VideoCodec, VideoDecoder)>,
    waiting: VecDeque<(MediaTime, VideoFrame)>,
    shown_any: bool,
    last_number: u32,
}

impl VideoReceive {
    /// Runs until the actor drops the other end of the queue.
    pub(super) fn run(self) {
        let mut views: Vec<View> = Vec::new();
        loop {
            let now = MediaTime::now();
            let next = views.iter().filter_map(|view| view.waiting.front()).map(|(due, _)| *due).min();
            let sleep = next.map_or(IDLE, |due| due.since(now));
            match self.input.recv_timeout(sleep) {
                Ok(VideoInput { peer, kind, frame }) => {
                    views.retain(|view| !view.peer.is_gone());
                    if !peer.is_gone() {
                        let view = view_of(&mut views, peer, kind);
                        self.decode(view, &frame);
                    }
                }
                Err(RecvTimeoutError::Timeout) => views.retain(|view| !view.peer.is_gone()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = MediaTime::now();
            for view in &mut views {
                self.show_due(view, now);
            }
        }
    }

    fn decode(&self, view: &mut View, frame: &OpenedFrame) {
        let Ok((header, data)) = PayloadHeader::parse(frame.as_bytes()) else {
            return;
        };
        let codec = match header.kind {
            PayloadKind::H264 => VideoCodec::H264,
            PayloadKind::Av1 => VideoCodec::Av1,
            PayloadKind::Opus(_) => return,
        };
        if header.key {
            view.peer.gap(view.kind).store(false, Ordering::Release);
        } else if view.peer.gap(view.kind).load(Ordering::Acquire) {
            // The transport limits how often this goes out.
            return self.request_key(view);
        }
        let same = view.decoder.as_ref().is_some_and(|(open, _)| *open == codec);
        if !same {
            // The codec changes at key frames only.
            if !header.key {
                return self.request_key(view);
            }
            view.decoder = VideoDecoder::new(codec).ok().map(|decoder| (codec, decoder));
        }
        let Some((_, decoder)) = &mut view.decoder else {
            return;
        };
        match decoder.decode(data) {
            Ok(Some(mut picture)) => {
                picture.captured = header.captured;
                picture.number = header.number;
                let now = MediaTime::now();
                if view.kind == MediaKind::Screen {
                    // No lips to go with the voice: it is shown at once.
                    view.waiting.push_back((now, picture));
                    return;
                }
                let shape = (codec, picture.width(), picture.height());
                lock(&view.peer.meter).decoded(shape, header.captured, now);
                if let Some(timeline) = &self.timeline {
                    timeline.decoded(view.peer.leaf, header.captured, now);
                }
                if let Some(dump) = &self.dump {
                    dump.picture(view.peer.leaf, &picture, now);
                }
                if header.number < std::mem::replace(&mut view.last_number, header.number) {
                    // The source counts anew: its camera was off, which is no freeze.
                    lock(&view.peer.meter).freezes.pause();
                }
                let due = view
                    .peer
                    .due_by_voice(header.captured)
                    .map_or(now, |due| (due - LEAD).clamp(now, now + LONGEST_WAIT));
                view.waiting.push_back((due, picture));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a picture could not be decoded");
                view.decoder = None;
                self.request_key(view);
            }
        }
    }

    fn request_key(&self, view: &View) {
        view.peer.gap(view.kind).store(true, Ordering::Release);
        lock(&view.peer.meter).key_requests += 1;
        self.transport.request_key_frame(PeerId(view.peer.leaf.as_u8().into()), view.kind);
    }

    /// Shows the newest picture whose time has come; those before it are skipped.
    fn show_due(&self, view: &mut View, now: MediaTime) {
        let mut newest = None;
        while view.waiting.len() > WAITING || view.waiting.front().is_some_and(|(due, _)| *due <= now) {
            newest = view.waiting.pop_front().map(|(_, picture)| picture);
        }
        let Some(picture) = newest else {
            return;
        };
        if view.kind == MediaKind::Screen {
            view.peer.show_screen(picture);
            return self.shared.wake();
        }
        lock(&view.peer.meter).shown(picture.captured, now);
        if let Some(timeline) = &self.timeline {
            timeline.picture(view.peer.leaf, &picture, now);
        }
        view.peer.picture.put(picture);
        self.shared.wake();
        if !std::mem::replace(&mut view.shown_any, true) {
            self.shared.tell(EngineEvent::FirstVideo { peer: view.peer.leaf });
        }
    }
}

/// The view of exactly this member, made when it sends its first frame. At most two for each leaf.
fn view_of(views: &mut Vec<View>, peer: Arc<Peer>, kind: MediaKind) -> &mut View {
    let is_it = |view: &View| Arc::ptr_eq(&view.peer, &peer) && view.kind == kind;
    let place = views.iter().position(is_it).unwrap_or_else(|| {
        views.push(View { peer, kind, decoder: None, waiting: VecDeque::new(), shown_any: false, last_number: 0 });
        views.len() - 1
    });
    &mut views[place]
}
