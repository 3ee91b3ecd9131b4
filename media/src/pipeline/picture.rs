//! One of our pictures on its way out: what becomes of each captured one, and its encoder.

use std::time::Duration;

use super::adapt::{Adaptation, Plan};
use crate::codec::{Content, EncoderSettings, VideoCodec, VideoEncoder};
use crate::frame::{EncodedVideo, VideoFrame};
use crate::time::{Bitrate, MediaTime};
use crate::transport::{Budget, Layer};

/// Key frames that peers ask for are at least this far apart: they are ten times as large as others, and one serves all.
const KEY_INTERVAL: Duration = Duration::from_millis(300);
/// A key frame should be on its way for no longer than this: until it is whole, nothing moves.
const KEY_TIME: Duration = Duration::from_millis(100);
/// Bits of a key frame for each pixel, as OpenH264 makes them at its leisure: of 1280x720, and the power by which they grow with fewer
/// pixels, since a smaller picture of the same face has more detail in each.
const KEY_BITS: (f64, f64) = (0.46, 0.2);
const KEY_PIXELS: f64 = 1280.0 * 720.0;
/// Least share of the rate that a key frame is encoded for: below it the face is lost.
const KEY_SHARE: f64 = 0.25;
/// The first picture of an encoder has a quality of its own, whatever the rate. If it is longer than it should be by this, it is encoded
/// once more: knowing the picture, OpenH264 makes a key frame so many times as long as others.
const TOO_LONG: f64 = 1.25;
const KEY_RATIO: f64 = 4.0;

/// The rate that a key frame is encoded for: lower than that of other pictures where it would take too long to send.
fn key_rate(frame: &VideoFrame, rate: Bitrate) -> Bitrate {
    let pixels = f64::from(frame.width()) * f64::from(frame.height());
    let bits = pixels * KEY_BITS.0 * (KEY_PIXELS / pixels.max(1.0)).powf(KEY_BITS.1);
    let share = rate.as_bps() as f64 * KEY_TIME.as_secs_f64() / bits;
    rate.scaled(share.clamp(KEY_SHARE, 1.0))
}

/// See the module. The encoder is there only while it is needed.
pub(super) struct Picture {
    codec: VideoCodec,
    adaptation: Adaptation,
    /// How many of three captured pictures the encoder counts on.
    of_three: u32,
    encoder: Option<VideoEncoder>,
    /// The next one must be a key frame.
    key_owed: bool,
    last_key_frame: Option<MediaTime>,
    /// Size of the last one.
    shape: Option<(u32, u32)>,
}

impl Picture {
    /// Takes no more than `most`, however much the paths carry.
    pub(super) fn new(layer: Layer, codec: VideoCodec, most: Bitrate) -> Self {
        Self {
            codec,
            adaptation: Adaptation::new(layer, most),
            of_three: 3,
            encoder: None,
            key_owed: true,
            last_key_frame: None,
            shape: None,
        }
    }

    /// Forgets what it encoded so far.
    pub(super) fn reset(&mut self) {
        self.encoder = None;
    }

    /// A peer wants a key frame.
    pub(super) fn want_key_frame(&mut self) {
        self.key_owed = true;
    }

    /// The next one is a key frame, however short ago the last one was.
    pub(super) fn owe_key_frame(&mut self) {
        self.last_key_frame = None;
        self.key_owed = true;
    }

    /// Whether it is paused because the path carries the voice alone.
    pub(super) fn paused(&self) -> bool {
        self.adaptation.paused()
    }

    /// A captured picture, of a source with so many a second, encoded for this budget; `None` if it is left out.
    pub(super) fn encode(
        &mut self,
        now: MediaTime,
        frame: &VideoFrame,
        fps: u32,
        budget: Option<Budget>,
    ) -> Option<EncodedVideo> {
        let plan = self.adaptation.plan(now, frame.height(), budget)?;
        let frame = match self.adaptation.scale(frame, plan) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(%error, "scaling a picture failed");
                return None;
            }
        };
        let begins = self.prepare(&frame, fps, plan);
        let shape = (frame.width(), frame.height());
        let fresh = self.shape.replace(shape) != Some(shape) || begins;
        let long_ago = self.last_key_frame.is_none_or(|last| now.since(last) >= KEY_INTERVAL);
        let force_key = self.key_owed && long_ago;
        let encoder = self.encoder.as_mut()?;
        let bitrate = if force_key || fresh { key_rate(&frame, plan.bitrate) } else { plan.bitrate };
        if let Err(error) = encoder.set_bitrate(bitrate) {
            tracing::warn!(%error, "the encoder did not take a rate");
        }
        let mut outcome = encoder.encode(&frame, force_key);
        if let Ok(Some(first)) = &outcome
            && fresh
            && first.data.len() as f64 * 8.0 > plan.bitrate.as_bps() as f64 * KEY_TIME.as_secs_f64() * TOO_LONG
        {
            // Nobody gets the first one: if nothing comes of the second, the next picture begins anew.
            (self.key_owed, self.last_key_frame) = (true, None);
            let pace = f64::from(encoder.settings().fps) / KEY_RATIO;
            let shorter = plan.bitrate.scaled(KEY_TIME.as_secs_f64() * pace);
            outcome = encoder.set_bitrate(shorter).and_then(|()| encoder.encode(&frame, true));
        }
        match outcome {
            Ok(encoded) => {
                // The rate control may have skipped it; then a key frame is still owed.
                if encoded.as_ref().is_some_and(|encoded| encoded.key) {
                    self.last_key_frame = Some(now);
                    self.key_owed = false;
                }
                encoded
            }
            Err(error) => {
                tracing::warn!(%error, "encoding a picture failed");
                self.encoder = None;
                None
            }
        }
    }

    /// Opens an encoder if there is none that counts on this pace. Whether it did.
    fn prepare(&mut self, frame: &VideoFrame, fps: u32, plan: Plan) -> bool {
        if std::mem::replace(&mut self.of_three, plan.of_three) != plan.of_three {
            self.encoder = None;
        }
        let begins = self.encoder.is_none();
        if begins {
            let fps = (fps * plan.of_three / 3).max(1);
            let settings = EncoderSettings {
                width: frame.width(),
                height: frame.height(),
                fps,
                bitrate: plan.bitrate,
                content: Content::Camera,
            };
            match VideoEncoder::new(self.codec, settings) {
                Ok(encoder) => self.encoder = Some(encoder),
                Err(error) => tracing::warn!(%error, "opening the video encoder failed"),
            }
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::VideoFormat;
    use crate::source::TestPattern;

    /// As hard to encode as a patterned shirt.
    fn noisy(number: u32) -> VideoFrame {
        let captured = MediaTime::from_micros(1_000_000 + u64::from(number) * 33_333);
        let pattern = TestPattern::new(0, VideoFormat::HD).unwrap();
        let mut frame = pattern.paint(number, captured).unwrap();
        for (at, value) in frame.planes_mut().0.iter_mut().enumerate() {
            let (x, y) = (at % 1_280 / 6, at / 1_280 / 6);
            let thread = ((x * 2_654_435_761) ^ (y * 40_503_871)) >> 7;
            *value = value.saturating_add((thread % 48) as u8);
        }
        frame
    }

    #[test]
    fn a_picture_that_becomes_larger_begins_with_a_key_frame_that_is_on_its_way_quickly() {
        let mut picture = Picture::new(Layer::Main, VideoCodec::available()[0], Bitrate::kbps(2_500));
        let budget = Budget { rate: Bitrate::kbps(360), backlog: Duration::ZERO, loss: 0.0, parity: 0.0, breaks: 0 };
        let mut keys = Vec::new();
        for number in 0..90 {
            let frame = noisy(number);
            // After a break it is small for two seconds.
            let budget = Budget { breaks: u64::from(number > 1), ..budget };
            if let Some(encoded) = picture.encode(frame.captured, &frame, 30, Some(budget))
                && encoded.key
            {
                keys.push((encoded.height, encoded.data.len() * 8 / 360));
            }
        }
        let heights: Vec<_> = keys.iter().map(|(height, _)| *height).collect();
        assert_eq!(heights, [360, 180, 360]);
        assert!(keys.iter().all(|(_, millis)| *millis < 150), "{keys:?}");
    }
}
