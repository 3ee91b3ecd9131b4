//! The thread `video-send`: newest captured picture → background hidden if that was chosen → encoded once, and once more
//! small if a peer's path is far narrower than the others' → sealed once → every peer.
//!
//! It owns the camera. While the camera is off the device is closed and the thread sleeps on a condition variable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::SealingKey;

use super::backdrop::{Backdrop, Change};
use super::picture::Picture;
use super::shared::{Shared, lock};
use super::timeline::Timeline;
use crate::codec::VideoCodec;
use crate::engine::EngineEvent;
use crate::frame::{EncodedVideo, VideoFormat, VideoFrame};
use crate::payload::PayloadHeader;
use crate::process::background::Background;
use crate::slot::Slot;
use crate::source::VideoCapture;
use crate::time::{Bitrate, MediaTime};
use crate::transport::{Budget, Layer, Mark, MediaKind, Transport};

/// How long to wait for a picture before looking whether the camera was switched off.
const LOOK: Duration = Duration::from_millis(100);

/// Share of what may be sent that is left to the camera while a window is shared.
const BESIDE_SCREEN: f64 = 0.3;

/// What the thread is started with.
pub(super) struct VideoSend {
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
        let (mut backdrop, mut last) = (Backdrop::new(), 0);
        // After a failure the camera stays closed until something is wished anew.
        while let Some((source, number)) = self.shared.source_of(MediaKind::Video).next(last) {
            last = number;
            let slot = Arc::new(Slot::new());
            let failed = Arc::new(AtomicBool::new(false));
            let on_error = {
                let (shared, failed) = (Arc::clone(&self.shared), Arc::clone(&failed));
                move |error| {
                    failed.store(true, Ordering::Release);
                    shared.tell(EngineEvent::Device(error));
                }
            };
            let opened = VideoCapture::start(source, self.format, Arc::clone(&slot), on_error);
            match opened {
                Ok(capture) => {
                    let wish = self.shared.source_of(MediaKind::Video);
                    let goes_on = || wish.stands(number) && !failed.load(Ordering::Acquire);
                    self.send_pictures(&slot, goes_on, capture.format(), &mut backdrop, &mut outgoing);
                    // Before the device is closed, which a slow driver takes seconds for: the old picture says nothing of the next.
                    self.shared.self_view.clear();
                    drop(capture);
                }
                Err(error) => self.shared.tell(EngineEvent::Device(error)),
            }
            self.shared.self_view.clear();
            self.shared.wake();
        }
    }

    fn send_pictures(
        &self,
        slot: &Slot<VideoFrame>,
        goes_on: impl Fn() -> bool,
        format: VideoFormat,
        backdrop: &mut Backdrop,
        outgoing: &mut Outgoing,
    ) {
        // The pictures before the pause are gone at the receivers too.
        outgoing.main.reset();
        outgoing.low.reset();
        backdrop.begin();
        while goes_on() {
            let Some(frame) = slot.take_timeout(LOOK) else {
                continue;
            };
            // Everybody sees the same picture, the person included.
            let background = self.shared.background();
            let (frame, change) = backdrop.pass(&frame, &background);
            if let Some(change) = change {
                self.shared.tell(match change {
                    Change::Failed => EngineEvent::BackgroundFailed,
                    Change::Works => EngineEvent::BackgroundWorks,
                });
            }
            let Some(frame) = frame else {
                continue;
            };
            self.shared.self_view.put(frame.clone());
            self.shared.wake();
            self.send_picture(&frame, &background, format.fps, outgoing);
        }
    }

    fn send_picture(&self, frame: &VideoFrame, background: &Background, fps: u32, outgoing: &mut Outgoing) {
        let now = MediaTime::now();
        if self.take_key(outgoing, now) || self.shared.held() {
            outgoing.owe_key_frames();
        }
        if outgoing.key.is_none() || self.shared.held() || !self.shared.anyone_listens() {
            return;
        }
        let (budgets, changed) = self.transport.deal();
        if self.shared.take_key_wanted(MediaKind::Video) || changed {
            outgoing.main.want_key_frame();
            outgoing.low.want_key_frame();
        }
        // What a shared window shows is what the call is about then.
        let share = if self.shared.is_sharing() { BESIDE_SCREEN } else { 1.0 };
        let of = |budget: Option<Budget>| budget.map(|budget| Budget { rate: budget.rate.scaled(share), ..budget });
        let main = outgoing.main.encode(now, frame, fps, of(budgets.main));
        self.shared.tell_paused(outgoing.main.paused());
        let low = match budgets.low {
            Some(_) => outgoing.low.encode(now, frame, fps, of(budgets.low)),
            None => {
                outgoing.low.reset();
                None
            }
        };
        // Encoding took its time. From the moment of a switch, or of a hold, nothing is sealed with the old key, and nothing of
        // the room once it is to be hidden; what the peers then get begins with a key frame.
        let outdated = self.shared.background() != *background;
        if self.take_key(outgoing, MediaTime::now()) || self.shared.held() || outdated {
            outgoing.owe_key_frames();
        }
        if self.shared.held() || outdated {
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
        let header = PayloadHeader::of(encoded);
        let Some(key) = outgoing.key.as_mut() else {
            return;
        };
        match key.seal(header.wrap(&encoded.data)) {
            Ok(sealed) => {
                self.shared.video_keys.note_sealed(key);
                self.transport.send(MediaKind::Video, &sealed, Mark::of(encoded), layer);
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
