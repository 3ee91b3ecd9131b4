//! Stands between the camera and everybody else, the own screen included: no picture passes whose background is not as it was
//! chosen. What cannot be made so is replaced by an outline of a person.

use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::process::background::{Background, Effect};
use crate::process::stand_in::StandIn;

/// What the owner is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// An outline stands for the person from now on.
    Failed,
    /// The person is to be seen again.
    Works,
}

/// See the module. The model is loaded when it is first needed, and freed when the background is shown again.
pub(super) struct Backdrop {
    make: fn() -> Result<Effect, MediaError>,
    effect: Option<Effect>,
    stand_in: StandIn,
    failed: bool,
}

impl Backdrop {
    pub(super) fn new() -> Self {
        Self::with(Effect::new)
    }

    fn with(make: fn() -> Result<Effect, MediaError>) -> Self {
        Self { make, effect: None, stand_in: StandIn::default(), failed: false }
    }

    /// Pictures of another camera, or after a pause, come now: where the person was says nothing of where they are.
    pub(super) fn begin(&mut self) {
        if let Some(effect) = &mut self.effect {
            effect.forget();
        }
    }

    /// The picture as everybody may see it, `None` if there is none, and what changed.
    pub(super) fn pass(&mut self, frame: &VideoFrame, background: &Background) -> (Option<VideoFrame>, Option<Change>) {
        if background.is_shown() {
            self.effect = None;
            return (Some(frame.clone()), self.now_failed(false));
        }
        match self.hide(frame, background) {
            Ok(hidden) => (Some(hidden), self.now_failed(false)),
            Err(error) => {
                tracing::debug!(%error, "a picture is replaced by an outline");
                (self.stand_in.of(frame).ok(), self.now_failed(true))
            }
        }
    }

    fn hide(&mut self, frame: &VideoFrame, background: &Background) -> Result<VideoFrame, MediaError> {
        let effect = match &mut self.effect {
            Some(effect) => effect,
            none => none.insert((self.make)()?),
        };
        effect.apply(frame, background)
    }

    fn now_failed(&mut self, failed: bool) -> Option<Change> {
        let before = std::mem::replace(&mut self.failed, failed);
        (before != failed).then_some(if failed { Change::Failed } else { Change::Works })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::background::{BlurStrength, PlainColour};
    use crate::time::MediaTime;

    /// What the room shows: a value that neither the outline nor the colour has.
    const ROOM: u8 = 33;

    fn picture() -> VideoFrame {
        let data = vec![ROOM; VideoFrame::data_len(640, 360).unwrap()];
        VideoFrame::new(640, 360, MediaTime::from_micros(5), 5, data).unwrap()
    }

    fn shows_the_room(frame: &VideoFrame) -> bool {
        frame.data().contains(&ROOM)
    }

    /// Finds nobody, but fails at every third picture.
    fn fails_at_times() -> Result<Effect, MediaError> {
        let mut count = 0;
        Ok(Effect::with(Box::new(move |_frame, likely| {
            count += 1;
            likely.fill(0.0);
            if count % 3 == 0 { Err(MediaError::Background("a test")) } else { Ok(()) }
        })))
    }

    #[test]
    fn whatever_fails_and_whenever_no_picture_of_the_room_passes() {
        let cannot_load: fn() -> Result<Effect, MediaError> = || Err(MediaError::Background("a test"));
        let takes_all_for_a_person: fn() -> Result<Effect, MediaError> = || {
            Ok(Effect::with(Box::new(|_frame, likely| {
                likely.fill(1.0);
                Ok(())
            })))
        };
        let damaged: fn() -> Result<Effect, MediaError> = || {
            Ok(Effect::with(Box::new(|_frame, likely| {
                likely.fill(f32::NAN);
                Ok(())
            })))
        };
        for make in [cannot_load, takes_all_for_a_person, damaged, fails_at_times] {
            let mut backdrop = Backdrop::with(make);
            for number in 0..60 {
                let (shown, _) = backdrop.pass(&picture(), &Background::Plain(PlainColour::CALM));
                assert!(!shows_the_room(&shown.unwrap()), "picture {number}");
            }
        }
    }

    #[test]
    fn a_failure_and_its_end_are_told_once_each() {
        let mut backdrop = Backdrop::with(fails_at_times);
        let plain = Background::Plain(PlainColour::CALM);
        let told: Vec<_> = (0..6).map(|_| backdrop.pass(&picture(), &plain).1).collect();
        assert_eq!(told, [None, None, Some(Change::Failed), Some(Change::Works), None, Some(Change::Failed)]);
        assert_eq!(backdrop.pass(&picture(), &Background::Shown).1, Some(Change::Works));
    }

    #[test]
    fn without_an_effect_pictures_pass_untouched_and_with_the_model_it_works_from_the_first_one() {
        let mut backdrop = Backdrop::new();
        let frame = picture();
        assert!(backdrop.pass(&frame, &Background::Shown).0.unwrap().shares_pixels(&frame));
        // Nobody is in a plain picture, so nothing of it may be left.
        let (hidden, change) = backdrop.pass(&frame, &Background::Plain(PlainColour::CALM));
        assert!(!shows_the_room(&hidden.unwrap()));
        assert_eq!(change, None, "it did not fail");
        let blurred = backdrop.pass(&frame, &Background::Blurred(BlurStrength::Soft)).0.unwrap();
        assert_eq!((blurred.width(), blurred.number), (640, 5));
    }
}
