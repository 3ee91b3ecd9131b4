//! What becomes of a captured picture, given what the paths carry.

use std::time::Duration;

use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::process::scale::Scaler;
use crate::rate::{Ladder, Rung, Voice};
use crate::time::{Bitrate, MediaTime};
use crate::transport::{Budget, Layer};

/// Share of the rest that is picture: headers and seals of its packets take the remainder.
const PICTURE: f64 = 0.94;
/// What each lost packet costs to send again, in packets.
const REPAIR: f64 = 1.2;
/// Pictures are left out while what waits takes this long to leave: they would only wait as well.
const BACKLOG: Duration = Duration::from_millis(100);
/// No picture gets lower than this, whatever the path carries: below it a face is not one.
const LEAST_HEIGHT: u32 = 180;
/// Before the first packet nothing is known of the path: the estimator begins there as well.
const START: Bitrate = Bitrate::kbps(240);
/// The encoder is told of a higher rate from this factor on; of a lower one at once.
const NOTABLE: f64 = 1.04;

/// How one picture is to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// What each side is divided by.
    pub(super) divisor: u32,
    /// How many of three captured pictures are sent.
    pub(super) of_three: u32,
    /// Rate of the encoder.
    pub(super) bitrate: Bitrate,
}

/// Decides for one sender of pictures.
pub(super) struct Adaptation {
    most: Bitrate,
    top: Rung,
    breaks: u64,
    ladder: Ladder,
    rung: Rung,
    told: Bitrate,
    captured: u64,
    scaler: Scaler,
}

impl Adaptation {
    /// Never asks for more than `most`, nor, for the small picture, for more than a quarter of each side.
    pub(super) fn new(layer: Layer, most: Bitrate) -> Self {
        let (rung, top) = match layer {
            Layer::Main => (Rung::Half, Rung::Full),
            Layer::Low => (Rung::Quarter, Rung::Quarter),
        };
        Self {
            most,
            top,
            breaks: 0,
            ladder: Ladder::new(rung),
            rung,
            told: Bitrate::ZERO,
            captured: 0,
            scaler: Scaler::new(),
        }
    }

    /// What becomes of the next captured picture, of this height; `None` leaves it out. Without a budget nothing was sent yet.
    pub(super) fn plan(&mut self, now: MediaTime, height: u32, budget: Option<Budget>) -> Option<Plan> {
        self.captured += 1;
        let rate = budget.map_or(START, picture_rate).min(self.most);
        let breaks = budget.map_or(0, |budget| budget.breaks);
        if breaks > std::mem::replace(&mut self.breaks, breaks) {
            self.ladder.collapse();
        }
        self.rung = self.ladder.step(now, rate).min(self.top);
        if rate < self.told || rate > self.told.scaled(NOTABLE) {
            self.told = rate;
        }
        let of_three = self.rung.of_three();
        let waits = budget.is_some_and(|budget| budget.backlog > BACKLOG);
        if waits || self.captured % 3 >= u64::from(of_three) {
            return None;
        }
        let divisor = self.rung.divisor().min(height / LEAST_HEIGHT).max(1);
        Some(Plan { divisor, of_three, bitrate: self.told })
    }

    /// Whether pictures are paused because the path carries the voice alone.
    pub(super) fn paused(&self) -> bool {
        self.rung == Rung::None
    }

    /// The picture in the size of the plan. Sides stay even, as 4:2:0 and the encoders want them.
    pub(super) fn scale(&mut self, frame: &VideoFrame, plan: Plan) -> Result<VideoFrame, MediaError> {
        let side = |side: u32| (side / plan.divisor).max(16) & !1;
        match plan.divisor {
            1 => Ok(frame.clone()),
            _ => self.scaler.scale(frame, side(frame.width()), side(frame.height())),
        }
    }
}

/// What of a budget is left for the pictures themselves.
fn picture_rate(budget: Budget) -> Bitrate {
    // The voice comes first, with its headers and seals.
    let rest = budget.rate.as_bps().saturating_sub(Voice::for_rate(budget.rate).wire().as_bps());
    Bitrate::bps(rest)
        .scaled(PICTURE * (1.0 - budget.parity.clamp(0.0, 0.5)) * (1.0 - budget.loss.clamp(0.0, 0.5) * REPAIR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(kbps: u64) -> Option<Budget> {
        Some(Budget { rate: Bitrate::kbps(kbps), backlog: Duration::ZERO, loss: 0.0, parity: 0.0, breaks: 0 })
    }

    fn at(number: u64) -> MediaTime {
        MediaTime::from_micros(1_000_000 + number * 33_333)
    }

    /// Plans of so many pictures under one budget.
    fn plans(adaptation: &mut Adaptation, from: u64, count: u64, budget: Option<Budget>) -> Vec<Plan> {
        (from..from + count).filter_map(|number| adaptation.plan(at(number), 720, budget)).collect()
    }

    fn plans_of(adaptation: &mut Adaptation, height: u32, count: u64, budget: Option<Budget>) -> Vec<Plan> {
        (0..count).filter_map(|number| adaptation.plan(at(number), height, budget)).collect()
    }

    #[test]
    fn a_good_path_gets_the_whole_picture_and_no_more_than_was_asked_for() {
        let mut adaptation = Adaptation::new(Layer::Main, Bitrate::kbps(1_500));
        let last = plans(&mut adaptation, 0, 90, budget(4_000)).pop().unwrap();
        assert_eq!(last, Plan { divisor: 1, of_three: 3, bitrate: Bitrate::kbps(1_500) });
    }

    #[test]
    fn a_thin_path_gets_a_small_picture_at_two_thirds_of_the_pace() {
        let mut adaptation = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        let sent = plans(&mut adaptation, 0, 300, budget(130));
        assert_eq!(sent.len(), 200);
        assert!(sent.iter().all(|plan| plan.divisor == 4 && plan.bitrate > Bitrate::kbps(70)), "{sent:?}");
    }

    #[test]
    fn a_small_camera_is_not_made_smaller() {
        let mut small = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        assert_eq!(plans_of(&mut small, 180, 300, budget(150)).pop().unwrap().divisor, 1);
        let mut thin = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        assert_eq!(plans_of(&mut thin, 360, 300, budget(150)).pop().unwrap().divisor, 2);
    }

    #[test]
    fn a_path_for_the_voice_alone_gets_no_picture() {
        let mut adaptation = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        assert!(plans(&mut adaptation, 0, 300, budget(40)).is_empty());
        assert!(adaptation.paused());
        assert!(!plans(&mut adaptation, 300, 300, budget(500)).is_empty());
        assert!(!adaptation.paused());
    }

    #[test]
    fn pictures_are_left_out_while_others_wait() {
        let mut adaptation = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        let full = Budget { backlog: Duration::from_millis(150), ..budget(2_000).unwrap() };
        assert!(plans(&mut adaptation, 0, 30, Some(full)).is_empty());
    }

    #[test]
    fn what_is_lost_is_sent_again_out_of_the_same_budget() {
        let lossy = Budget { loss: 0.1, ..budget(1_060).unwrap() };
        assert_eq!(picture_rate(lossy).as_kbps(), 818);
        assert_eq!(picture_rate(budget(1_060).unwrap()).as_kbps(), 930);
    }

    #[test]
    fn the_picture_is_scaled_to_even_sides() {
        let mut adaptation = Adaptation::new(Layer::Main, Bitrate::kbps(2_500));
        let data = vec![128; VideoFrame::data_len(1_278, 718).unwrap()];
        let frame = VideoFrame::new(1_278, 718, MediaTime::default(), 0, data).unwrap();
        let plan = Plan { divisor: 4, of_three: 2, bitrate: Bitrate::kbps(100) };
        let scaled = adaptation.scale(&frame, plan).unwrap();
        assert_eq!((scaled.width(), scaled.height()), (318, 178));
    }
}
