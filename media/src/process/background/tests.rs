use super::*;
use crate::frame::VideoFormat;
use crate::source::TestPattern;
use crate::time::MediaTime;

fn picture(width: u32, height: u32, value: u8) -> VideoFrame {
    let data = vec![value; VideoFrame::data_len(width, height).unwrap()];
    VideoFrame::new(width, height, MediaTime::from_micros(3), 4, data).unwrap()
}

/// An effect that sees a person in the middle third, and counts how often it looks.
fn middle() -> (Effect, std::sync::Arc<std::sync::atomic::AtomicU32>) {
    let looks = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&looks);
    let effect = Effect::with(Box::new(move |_frame, likely| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (at, value) in likely.iter_mut().enumerate() {
            *value = if (85..171).contains(&(at % mask::SIDE)) { 1.0 } else { 0.0 };
        }
        Ok(())
    }));
    (effect, looks)
}

#[test]
fn the_person_stays_and_the_room_is_replaced() {
    let (mut effect, _) = middle();
    let frame = picture(1_280, 720, 90);
    let plain = effect.apply(&frame, &Background::Plain(PlainColour { y: 30, u: 40, v: 50 })).unwrap();
    let row = &plain.y()[360 * 1_280..361 * 1_280];
    assert_eq!((row[640], row[10], row[1_270]), (90, 30, 30));
    assert_eq!((plain.u()[10], plain.v()[10]), (40, 50));
    assert_eq!((plain.captured, plain.number), (frame.captured, frame.number));
    let own = effect.apply(&frame, &Background::Picture(picture(800, 800, 200))).unwrap();
    let row = &own.y()[360 * 1_280..361 * 1_280];
    assert_eq!((row[640], row[10]), (90, 200));
}

#[test]
fn a_private_room_is_looked_at_in_every_picture_and_a_blurred_one_in_every_second() {
    let (mut effect, looks) = middle();
    let read = || looks.load(std::sync::atomic::Ordering::Relaxed);
    let frame = picture(640, 360, 90);
    for _ in 0..10 {
        effect.apply(&frame, &Background::Plain(PlainColour::CALM)).unwrap();
    }
    assert_eq!(read(), 10);
    for _ in 0..10 {
        effect.apply(&frame, &Background::Blurred(BlurStrength::Strong)).unwrap();
    }
    assert_eq!(read(), 15);
}

#[test]
fn after_a_pause_a_mask_of_before_is_not_used() {
    let (mut effect, looks) = middle();
    let blurred = Background::Blurred(BlurStrength::Strong);
    let frame = picture(640, 360, 90);
    effect.apply(&frame, &blurred).unwrap();
    effect.forget();
    effect.apply(&frame, &blurred).unwrap();
    assert_eq!(looks.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[test]
fn a_picture_behind_keeps_its_shape() {
    // Left half dark, right half light, twice as wide as it should be: the middle of it is taken.
    let mut wide = picture(400, 100, 0);
    for row in wide.planes_mut().0.chunks_exact_mut(400) {
        row[150..250].fill(250);
    }
    let middle = cut(&wide, 100, 100).unwrap();
    assert_eq!((middle.width(), middle.height()), (100, 100));
    assert!(middle.y().iter().all(|value| *value == 250));
    for (width, height) in [(1, 1), (3_840, 2), (2, 3_840), (99, 77)] {
        let cut = cut(&picture(64, 48, 9), width, height).unwrap();
        assert!(cut.width() <= 64 && cut.height() <= 48);
    }
}

#[test]
fn sizes_may_change_from_picture_to_picture() {
    let (mut effect, _) = middle();
    for (width, height) in [(640, 360), (1_280, 720), (333, 77), (2, 2), (640, 480)] {
        for background in [
            Background::Blurred(BlurStrength::Soft),
            Background::Plain(PlainColour::CALM),
            Background::Picture(picture(64, 64, 7)),
        ] {
            let out = effect.apply(&picture(width, height, 90), &background).unwrap();
            assert_eq!((out.width(), out.height()), (width, height));
        }
    }
}

#[test]
fn the_model_loads_runs_and_finds_nobody_in_a_test_pattern() {
    let frame = TestPattern::new(0, VideoFormat::HD).unwrap().paint(1, MediaTime::default()).unwrap();
    let mut effect = Effect::new().unwrap();
    let out = effect.apply(&frame, &Background::Plain(PlainColour::CALM)).unwrap();
    let hidden = out.y().iter().filter(|value| **value == PlainColour::CALM.y).count();
    assert!(hidden > out.y().len() / 2, "{hidden} of {} points", out.y().len());
}
