//! The thread `video-send`: newest captured picture → encoded once, and once more small if a peer's path is far narrower than the
//! others' → sealed once → every peer.
//!
//! It owns the camera. While the camera is off the device is closed and the thread sleeps on a condition variable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::SealingKey;

use super::picture::Picture;
use super::shared::{Shared, lock};
use super::timeline::Timeline;
use crate::codec::VideoCodec;
use crate::engine::EngineEvent;
use crate::frame::{EncodedVideo, VideoFormat, VideoFrame};
use crate::payload::{PayloadHeader, PayloadKind};
use crate::slot::Slot;
use crate::source::{VideoCapture, VideoSourceSpec};
use crate::time::{Bitrate, MediaTime};
use crate::transport::{Layer, Mark, MediaKind, Transport};

/// How long to wait for a picture before looking whether the camera was switched off.
const LOOK: Duration = Duration::from_millis(100);

/// What the thread is started with.
pub(super) struct VideoSend {
    pub(super) source: VideoSourceSpec,
    pub(super) format: VideoFormat,
    pub(super) codec: VideoCodec,
    pub(super) bitrate: Bitrate,
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Arc<Transport>,
    pub(super) timeline: Option<Timeline>,
}

/// Our pictures, and the key that they are sealed with.
struct Outgoing {
    main: Picture,
    low: Picture,
    key: Option<SealingKey>,
}

impl VideoSend {
    /// Runs until the engine stops.
    pub(super) fn run(self) {
        let mut outgoing = Outgoing {
            main: Picture::new(Layer::Main, self.codec, self.bitrate),
            low: Picture::new(Layer::Low, self.codec, self.bitrate),
            key: None,
        };
        while !self.shared.stopped() {
            self.shared.wait_for_camera(true);
            if self.shared.stopped() {
                break;
            }
            let slot = Arc::new(Slot::new());
            let failed = Arc::new(AtomicBool::new(false));
            let on_error = {
                let (shared, failed) = (Arc::clone(&self.shared), Arc::clone(&failed));
                move |error| {
                    failed.store(true, Ordering::Release);
                    shared.tell(EngineEvent::Device(error));
                }
            };
            let opened = VideoCapture::start(self.source.clone(), self.format, Arc::clone(&slot), on_error);
            match opened {
                Ok(capture) => {
                    self.send_pictures(&slot, &failed, capture.format(), &mut outgoing);
                    drop(capture);
                }
                Err(error) => self.shared.tell(EngineEvent::Device(error)),
            }
            self.shared.self_view.clear();
            self.shared.wake();
            // After a failure the camera stays closed until it is switched off and on again.
            if self.shared.camera() {
                self.shared.wait_for_camera(false);
            }
        }
    }

    fn send_pictures(
        &self,
        slot: &Slot<VideoFrame>,
        failed: &AtomicBool,
        format: VideoFormat,
        outgoing: &mut Outgoing,
    ) {
        // The pictures before the pause are gone at the receivers too.
        outgoing.main.reset();
        outgoing.low.reset();
        while self.shared.camera() && !failed.load(Ordering::Acquire) {
            let Some(frame) = slot.take_timeout(LOOK) else {
                continue;
            };
            self.shared.self_view.put(frame.clone());
            self.shared.wake();
            self.send_picture(&frame, format.fps, outgoing);
        }
    }

    fn send_picture(&self, frame: &VideoFrame, fps: u32, outgoing: &mut Outgoing) {
        let now = MediaTime::now();
        if self.take_key(outgoing, now) || self.shared.held() {
            outgoing.owe_key_frames();
        }
        if outgoing.key.is_none() || self.shared.held() || !self.shared.anyone_listens() {
            return;
        }
        let (budgets, changed) = self.transport.deal();
        if self.shared.key_wanted.swap(false, Ordering::AcqRel) || changed {
            outgoing.main.want_key_frame();
            outgoing.low.want_key_frame();
        }
        let main = outgoing.main.encode(now, frame, fps, budgets.main);
        self.shared.tell_paused(outgoing.main.paused());
        let low = match budgets.low {
            Some(_) => outgoing.low.encode(now, frame, fps, budgets.low),
            None => {
                outgoing.low.reset();
                None
            }
        };
        // Encoding took its time. From the moment of a switch, or of a hold, nothing is sealed with the old key; what the peers
        // then get begins with a key frame.
        if self.take_key(outgoing, MediaTime::now()) || self.shared.held() {
            outgoing.owe_key_frames();
        }
        if self.shared.held() {
            return;
        }
        for (encoded, layer) in [(main, Layer::Main), (low, Layer::Low)] {
            if let Some(encoded) = encoded {
                self.seal_and_send(&encoded, layer, outgoing);
            }
        }
    }

    /// Takes a new epoch's key if its switch is due, and says whether it was.
    fn take_key(&self, outgoing: &mut Outgoing, now: MediaTime) -> bool {
        let due = self.shared.video_keys.take_due(now);
        let taken = due.is_some();
        outgoing.key = due.or_else(|| outgoing.key.take());
        taken
    }

    fn seal_and_send(&self, encoded: &EncodedVideo, layer: Layer, outgoing: &mut Outgoing) {
        let header = PayloadHeader {
            kind: match encoded.codec {
                VideoCodec::H264 => PayloadKind::H264,
                VideoCodec::Av1 => PayloadKind::Av1,
            },
            key: encoded.key,
            number: encoded.number,
            captured: encoded.captured,
        };
        let Some(key) = outgoing.key.as_mut() else {
            return;
        };
        match key.seal(header.wrap(&encoded.data)) {
            Ok(sealed) => {
                self.shared.video_keys.note_sealed(key);
                let mark = match encoded {
                    EncodedVideo { key: true, .. } => Mark::Key,
                    EncodedVideo { droppable: true, .. } => Mark::Droppable,
                    _ => Mark::Needed,
                };
                self.transport.send(MediaKind::Video, &sealed, mark, layer);
                if layer == Layer::Low {
                    return;
                }
                let now = MediaTime::now();
                let shape = (encoded.codec, encoded.width, encoded.height);
                if let Some(timeline) = &self.timeline {
                    timeline.sent(encoded, sealed.len(), now);
                }
                lock(&self.shared.sent).video(shape, encoded.key, sealed.len(), encoded.captured, now);
            }
            Err(error) => {
                // The key is used up: nothing is sent until the next epoch.
                tracing::warn!(%error, "sealing a picture failed");
                outgoing.key = None;
            }
        }
    }
}

impl Outgoing {
    fn owe_key_frames(&mut self) {
        self.main.owe_key_frame();
        self.low.owe_key_frame();
    }
}
