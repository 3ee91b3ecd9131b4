//! The thread `video-send`: newest captured picture → encoded once → sealed once → every peer.
//!
//! It owns the camera. While the camera is off the device is closed and the thread sleeps on a condition variable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::SealingKey;

use super::shared::{Shared, lock};
use crate::codec::{EncoderSettings, VideoCodec, VideoEncoder};
use crate::engine::EngineEvent;
use crate::frame::{EncodedVideo, VideoFormat, VideoFrame};
use crate::payload::{PayloadHeader, PayloadKind};
use crate::slot::Slot;
use crate::source::{VideoCapture, VideoSourceSpec};
use crate::time::{Bitrate, MediaTime};
use crate::transport::{MediaKind, Transport};

/// How long to wait for a picture before looking whether the camera was switched off.
const LOOK: Duration = Duration::from_millis(100);

/// Key frames that peers ask for are at least this far apart: they are ten times as large as others, and one serves all.
const KEY_INTERVAL: Duration = Duration::from_millis(300);

/// What the thread is started with.
pub(super) struct VideoSend {
    pub(super) source: VideoSourceSpec,
    pub(super) format: VideoFormat,
    pub(super) codec: VideoCodec,
    pub(super) bitrate: Bitrate,
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Arc<Transport>,
}

/// Encoder and key, both there only while needed.
#[derive(Default)]
struct Outgoing {
    encoder: Option<VideoEncoder>,
    key: Option<SealingKey>,
    last_key_frame: Option<MediaTime>,
}

impl VideoSend {
    /// Runs until the engine stops.
    pub(super) fn run(self) {
        let mut outgoing = Outgoing::default();
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
        outgoing.encoder = None;
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
        let mut force_key = self.take_key(outgoing, now);
        if self.shared.held() {
            return self.owe_key_frame(outgoing);
        }
        if outgoing.key.is_none() || !self.shared.anyone_listens() {
            return;
        }
        let long_ago = outgoing.last_key_frame.is_none_or(|last| now.since(last) >= KEY_INTERVAL);
        if long_ago && self.shared.key_wanted.swap(false, Ordering::AcqRel) {
            force_key = true;
        }
        let Some(encoded) = self.encode(frame, fps, force_key, outgoing) else {
            return;
        };
        if encoded.key {
            outgoing.last_key_frame = Some(now);
        }
        // Encoding took its time. From the moment of a switch, or of a hold, nothing is sealed with the old key; what the peers
        // then get begins with a key frame.
        if self.take_key(outgoing, MediaTime::now()) {
            self.owe_key_frame(outgoing);
        }
        if self.shared.held() {
            return self.owe_key_frame(outgoing);
        }
        self.seal_and_send(&encoded, outgoing);
    }

    /// Takes a new epoch's key if its switch is due, and says whether it was.
    fn take_key(&self, outgoing: &mut Outgoing, now: MediaTime) -> bool {
        let due = self.shared.video_keys.take_due(now);
        let taken = due.is_some();
        outgoing.key = due.or_else(|| outgoing.key.take());
        taken
    }

    /// Makes the next picture a key frame, however short ago the last one was.
    fn owe_key_frame(&self, outgoing: &mut Outgoing) {
        outgoing.last_key_frame = None;
        self.shared.key_wanted.store(true, Ordering::Release);
    }

    fn encode(&self, frame: &VideoFrame, fps: u32, force_key: bool, outgoing: &mut Outgoing) -> Option<EncodedVideo> {
        if outgoing.encoder.is_none() {
            let settings = EncoderSettings { width: frame.width(), height: frame.height(), fps, bitrate: self.bitrate };
            match VideoEncoder::new(self.codec, settings) {
                Ok(encoder) => outgoing.encoder = Some(encoder),
                Err(error) => tracing::warn!(%error, "opening the video encoder failed"),
            }
        }
        match outgoing.encoder.as_mut()?.encode(frame, force_key) {
            Ok(None) => {
                // The rate control skipped it; the key frame is still owed.
                if force_key {
                    self.shared.key_wanted.store(true, Ordering::Release);
                }
                None
            }
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::warn!(%error, "encoding a picture failed");
                outgoing.encoder = None;
                None
            }
        }
    }

    fn seal_and_send(&self, encoded: &EncodedVideo, outgoing: &mut Outgoing) {
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
                self.transport.send(MediaKind::Video, &sealed, encoded.key);
                let now = MediaTime::now();
                let shape = (encoded.codec, encoded.width, encoded.height);
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
