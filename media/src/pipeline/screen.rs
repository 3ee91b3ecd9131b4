//! The thread `screen-send`: the shared window → encoded once, for text → sealed once → every peer.
//!
//! It owns the capture of the window. While nothing is shared it sleeps on a condition variable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::SealingKey;

use super::shared::Shared;
use crate::codec::{Content, EncoderSettings, VideoCodec, VideoEncoder};
use crate::engine::EngineEvent;
use crate::error::MediaError;
use crate::frame::{EncodedVideo, VideoFormat, VideoFrame};
use crate::payload::PayloadHeader;
use crate::process::scale::Scaler;
use crate::slot::Slot;
use crate::source::VideoCapture;
use crate::time::{Bitrate, MediaTime};
use crate::transport::{Budget, Layer, Mark, MediaKind, Transport};

/// How long to wait for a picture before looking whether something else is to be done.
const LOOK: Duration = Duration::from_millis(66);
/// Pictures a second that the encoder counts on.
const FPS: u32 = 15;
/// Larger windows are made smaller: nobody reads more, and encoding them would take a core.
const LARGEST: (u32, u32) = (1_920, 1_200);
/// Share of what may be sent that the window takes: the camera has the rest.
const SHARE: f64 = 0.65;
/// What is known before the first packet, and the most that text needs.
const RATES: (Bitrate, Bitrate) = (Bitrate::kbps(300), Bitrate::kbps(2_500));
/// A picture waits while what waits takes this long to leave.
const BACKLOG: Duration = Duration::from_millis(100);
/// Least time between two key frames.
const KEY_INTERVAL: Duration = Duration::from_millis(700);

/// What the thread is started with.
pub(super) struct ScreenSend {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Arc<Transport>,
}

/// What is sent of the window, and the key that it is sealed with.
struct Outgoing {
    encoder: Option<VideoEncoder>,
    scaler: Scaler,
    key: Option<SealingKey>,
    key_owed: bool,
    last_key_frame: Option<MediaTime>,
    /// The newest picture, for those who ask for a key frame while the window stands still.
    newest: Option<VideoFrame>,
    /// It was not sent yet.
    waits: bool,
}

impl ScreenSend {
    /// Runs until the engine stops.
    pub(super) fn run(self) {
        let wish = self.shared.source_of(MediaKind::Screen);
        let (mut key, mut last) = (None, 0);
        while let Some((source, number)) = wish.next(last) {
            last = number;
            let slot = Arc::new(Slot::new());
            let ended = Arc::new(AtomicBool::new(false));
            let on_error = {
                let (shared, ended) = (Arc::clone(&self.shared), Arc::clone(&ended));
                move |error| {
                    // A window that closes while another one takes its place ends nothing.
                    if shared.source_of(MediaKind::Screen).stands(number) {
                        shared.tell(EngineEvent::ScreenEnded(error));
                    }
                    ended.store(true, Ordering::Release);
                }
            };
            let wanted = VideoFormat { width: LARGEST.0, height: LARGEST.1, fps: FPS };
            match VideoCapture::start(source, wanted, Arc::clone(&slot), on_error) {
                Ok(capture) => {
                    let goes_on = || wish.stands(number) && !ended.load(Ordering::Acquire);
                    key = self.share(&slot, goes_on, key);
                    drop(capture);
                }
                Err(error) if wish.stands(number) => self.shared.tell(EngineEvent::ScreenEnded(error)),
                Err(_) => {}
            }
            // The window is gone, unless another one is wished: nothing is shared until a window is chosen again.
            wish.give_up(number);
            self.shared.screen_view.clear();
            self.shared.wake();
        }
    }

    /// Shares one window to its end, and hands the sealing key back.
    fn share(
        &self,
        slot: &Slot<VideoFrame>,
        goes_on: impl Fn() -> bool,
        key: Option<SealingKey>,
    ) -> Option<SealingKey> {
        let mut outgoing = Outgoing {
            encoder: None,
            scaler: Scaler::new(),
            key,
            key_owed: true,
            last_key_frame: None,
            newest: None,
            waits: false,
        };
        while goes_on() {
            if let Some(frame) = slot.take_timeout(LOOK) {
                match outgoing.fit(&frame) {
                    Ok(frame) => {
                        self.shared.screen_view.put(frame.clone());
                        self.shared.wake();
                        (outgoing.newest, outgoing.waits) = (Some(frame), true);
                    }
                    Err(error) => tracing::warn!(%error, "a picture of the window was not made smaller"),
                }
            }
            self.send_newest(&mut outgoing, &goes_on);
        }
        outgoing.key
    }

    fn send_newest(&self, outgoing: &mut Outgoing, goes_on: impl Fn() -> bool) {
        let now = MediaTime::now();
        self.take_key(outgoing, now);
        if self.shared.take_key_wanted(MediaKind::Screen) {
            outgoing.key_owed = true;
        }
        if outgoing.key.is_none() || self.shared.held() || !self.shared.anyone_listens() {
            outgoing.owe_key_frame();
            return;
        }
        // All get the same picture of a window, and can do without none of them: what the narrowest path carries counts.
        let budget = self.transport.budget();
        let waits = budget.is_some_and(|budget| budget.backlog > BACKLOG);
        if waits || !(outgoing.waits || outgoing.key_owed) {
            return;
        }
        let encoded = match outgoing.encode(now, budget) {
            Ok(Some(encoded)) => encoded,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "a picture of the window was not encoded");
                outgoing.encoder = None;
                return outgoing.owe_key_frame();
            }
        };
        // Encoding took its time: from the moment of a switch, or of a hold, nothing is sealed with the old key, and nothing at
        // all once sharing was ended.
        self.take_key(outgoing, MediaTime::now());
        if goes_on() && !self.shared.held() {
            self.seal_and_send(&encoded, outgoing);
        }
    }

    /// Takes a new epoch's key if its switch is due; what is sent then begins with a key frame.
    fn take_key(&self, outgoing: &mut Outgoing, now: MediaTime) {
        if let Some(key) = self.shared.screen_keys.take_due(now) {
            outgoing.key = Some(key);
            outgoing.owe_key_frame();
        }
    }

    fn seal_and_send(&self, encoded: &EncodedVideo, outgoing: &mut Outgoing) {
        let header = PayloadHeader::of(encoded);
        let Some(key) = outgoing.key.as_mut() else {
            return;
        };
        match key.seal(header.wrap(&encoded.data)) {
            Ok(sealed) => {
                self.shared.screen_keys.note_sealed(key);
                self.transport.send(MediaKind::Screen, &sealed, Mark::of(encoded), Layer::Main);
            }
            Err(error) => {
                // The key is used up: nothing is sent until the next epoch.
                tracing::warn!(%error, "sealing a picture of the window failed");
                outgoing.key = None;
            }
        }
    }
}

impl Outgoing {
    /// The picture no larger than is sent.
    fn fit(&mut self, frame: &VideoFrame) -> Result<VideoFrame, MediaError> {
        let (wide, high) = (f64::from(frame.width()), f64::from(frame.height()));
        let shrink = (f64::from(LARGEST.0) / wide).min(f64::from(LARGEST.1) / high).min(1.0);
        let side = |side: f64| ((side * shrink) as u32).max(16) & !1;
        self.scaler.scale(frame, side(wide), side(high))
    }

    fn owe_key_frame(&mut self) {
        (self.key_owed, self.last_key_frame) = (true, None);
    }

    /// The newest picture, encoded; `None` if the rate control leaves it out.
    fn encode(&mut self, now: MediaTime, budget: Option<Budget>) -> Result<Option<EncodedVideo>, MediaError> {
        let Some(frame) = &self.newest else { return Ok(None) };
        let rate = budget.map_or(RATES.0, |budget| budget.rate.scaled(SHARE)).min(RATES.1);
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            // Whatever the camera is encoded with: every client decodes it, and it alone has tools for text.
            none => none.insert(VideoEncoder::new(
                VideoCodec::Av1,
                EncoderSettings {
                    width: frame.width(),
                    height: frame.height(),
                    fps: FPS,
                    bitrate: rate,
                    content: Content::Screen,
                },
            )?),
        };
        encoder.set_bitrate(rate)?;
        let long_ago = self.last_key_frame.is_none_or(|last| now.since(last) >= KEY_INTERVAL);
        let encoded = encoder.encode(frame, self.key_owed && long_ago)?;
        self.waits = false;
        if encoded.as_ref().is_some_and(|encoded| encoded.key) {
            (self.key_owed, self.last_key_frame) = (false, Some(now));
        }
        Ok(encoded)
    }
}
