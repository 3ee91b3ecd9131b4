use std::time::Duration;

use super::*;

/// Offset between the clocks of sender and receiver, so that nothing depends on their agreeing.
const START: u64 = 5_000_000;

fn time(millis: u64) -> MediaTime {
    MediaTime::from_micros(START + millis * 1_000)
}

fn voiced(number: u64) -> Voiced {
    Voiced { packet: vec![number as u8], captured: MediaTime::from_micros(number * 20_000) }
}

/// Frame `number` leaves at its capture time plus 20 ms and takes `delay_millis` more.
fn insert(jitter: &mut AudioJitter, number: u64, delay_millis: u64) {
    jitter.insert(number as u32, voiced(number), time(number * 20 + 20 + delay_millis));
}

/// Runs the arrivals `(number, delay)` against a playout every 20 ms from 0 to `until` milliseconds.
fn run(arrivals: &[(u64, u64)], until: u64) -> (AudioJitter, Vec<Play>) {
    let mut jitter = AudioJitter::new();
    let mut arrivals: Vec<_> =
        arrivals.iter().map(|(number, delay)| (number * 20 + 20 + delay, *number, *delay)).collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut plays = Vec::new();
    for now in (0..until).step_by(20) {
        while let Some((_, number, delay)) = arrivals.next_if(|(at, _, _)| *at <= now) {
            insert(&mut jitter, number, delay);
        }
        plays.push(jitter.play(time(now)));
    }
    (jitter, plays)
}

fn numbers(plays: &[Play]) -> Vec<u8> {
    plays
        .iter()
        .filter_map(|play| match play {
            Play::Frame(frame) => Some(frame.packet[0]),
            _ => None,
        })
        .collect()
}

#[test]
fn a_steady_stream_is_played_whole_and_soon() {
    let arrivals: Vec<_> = (0..200).map(|number| (number, 5)).collect();
    let (jitter, plays) = run(&arrivals, 4_000);
    let counts = jitter.counts();
    assert_eq!((counts.concealed, counts.corrected, counts.late), (0, 0, 0));
    assert_eq!(numbers(&plays), (0..counts.played as u8).collect::<Vec<_>>());
    assert_eq!(jitter.delays.target, MIN_TARGET);
    // First captured at 0, there at 25 ms, played by 60 ms.
    assert!(matches!(plays[3], Play::Frame(_)));
}

#[test]
fn reordering_within_the_target_is_invisible() {
    let arrivals: Vec<_> = (0..100).map(|number| (number, if number % 2 == 0 { 25 } else { 0 })).collect();
    let (jitter, plays) = run(&arrivals, 2_000);
    let played = numbers(&plays);
    assert!(played.windows(2).all(|pair| pair[1] > pair[0]));
    assert!(jitter.counts().concealed <= 2, "{:?}", jitter.counts());
}

#[test]
fn a_single_loss_is_corrected_from_the_next_packet() {
    let arrivals: Vec<_> = (0..100).filter(|number| number % 10 != 5).map(|number| (number, 0)).collect();
    let (jitter, plays) = run(&arrivals, 1_900);
    let counts = jitter.counts();
    assert!(counts.corrected >= 8, "{counts:?}");
    assert_eq!(counts.concealed, 0, "{counts:?}");
    let at = plays.iter().position(|play| matches!(play, Play::Recover(_))).unwrap();
    // The packet that was used for the correction is played right after it.
    assert_eq!(plays[at], Play::Recover(voiced(6)));
    assert_eq!(plays[at + 1], Play::Frame(voiced(6)));
}

#[test]
fn a_burst_is_concealed_and_its_last_frame_corrected() {
    let arrivals: Vec<_> = (0..60).filter(|number| !(20..24).contains(number)).map(|number| (number, 0)).collect();
    let (jitter, plays) = run(&arrivals, 1_100);
    let counts = jitter.counts();
    assert!(counts.concealed + counts.corrected == 4, "{counts:?}");
    // The timeline did not move: as many frames as 20 ms passed.
    let began = plays.iter().position(|play| *play != Play::Silence).unwrap();
    assert_eq!(counts.played as usize, plays.len() - began);
    assert_eq!(counts.joined + counts.stretched, 0);
}

#[test]
fn jitter_raises_the_target_until_nothing_is_late() {
    // Every seventh frame takes 60 ms longer.
    let arrivals: Vec<_> = (0..500).map(|number| (number, if number % 7 == 0 { 60 } else { 0 })).collect();
    let (jitter, _) = run(&arrivals[..100], 2_000);
    let before = jitter.counts().concealed;
    let (jitter, _) = run(&arrivals, 10_000);
    assert!(jitter.delays.target >= Duration::from_millis(60));
    // All concealment happened at the start.
    assert_eq!(jitter.counts().concealed, before);
    assert!(before <= 8, "{before}");
}

#[test]
fn a_longer_way_shifts_the_voice_instead_of_dropping_it() {
    // From frame 50 on everything takes 120 ms longer.
    let arrivals: Vec<_> = (0..200).map(|number| (number, if number < 50 { 0 } else { 120 })).collect();
    let (jitter, plays) = run(&arrivals, 4_100);
    assert_eq!(jitter.counts().late, 0);
    let played = numbers(&plays).len() as u64 + 2 * jitter.counts().joined;
    assert!(played >= 190, "{played}");
}

#[test]
fn too_much_delay_is_worked_off_by_joining() {
    // A spike of 200 ms once, then the quick way again.
    let arrivals: Vec<_> = (0..600)
        .map(|number| (number, if (50..54).contains(&number) { 200 - 20 * (number - 50) } else { 0 }))
        .collect();
    let (jitter, plays) = run(&arrivals, 12_000);
    assert!(jitter.counts().joined >= 1, "{:?}", jitter.counts());
    // At the end the delay is again target and less than two frames.
    let Some(Play::Frame(last)) = plays.iter().rev().find(|play| matches!(play, Play::Frame(_))) else {
        panic!("nothing played");
    };
    assert!(!last.packet.is_empty());
    let delay = difference(time(11_980), last.captured) - START as i64;
    assert!(delay < 100_000, "{delay}");
}

#[test]
fn what_a_stall_piled_up_is_cut_away() {
    let mut jitter = AudioJitter::new();
    for number in 0..10 {
        insert(&mut jitter, number, 0);
        jitter.play(time(number * 20 + 40));
    }
    // The reader stands still for a second while frames arrive.
    for number in 10..60 {
        insert(&mut jitter, number, 0);
    }
    assert!(matches!(jitter.play(time(1_240)), Play::Frame(_)));
    assert!(jitter.frames.len() < 4, "{}", jitter.frames.len());
    for number in 60..100 {
        insert(&mut jitter, number, 0);
        assert!(matches!(jitter.play(time(number * 20 + 40)), Play::Frame(_)));
    }
    assert_eq!(jitter.counts().concealed, 0);
}

#[test]
fn an_ended_voice_falls_silent_and_begins_anew() {
    let arrivals: Vec<_> = (0..50).chain(150..200).map(|number| (number, 0)).collect();
    let (jitter, plays) = run(&arrivals, 4_000);
    assert!(plays[90..140].iter().all(|play| *play == Play::Silence));
    assert!(matches!(plays[170], Play::Frame(_)));
    // 100 frames never came; all of them count.
    let concealed = jitter.counts().concealed;
    assert!((98..=102).contains(&concealed), "{concealed}");
}

#[test]
fn numbers_wrap() {
    let mut jitter = AudioJitter::new();
    let first = u32::MAX - 2;
    for step in 0..6_u32 {
        let at = u64::from(step);
        jitter.insert(first.wrapping_add(step), voiced(at), time(at * 20));
    }
    let plays: Vec<_> = (2..8).map(|step| jitter.play(time(step * 20))).collect();
    assert_eq!(numbers(&plays), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn wild_numbers_and_times_neither_panic_nor_grow() {
    let mut jitter = AudioJitter::new();
    let mut state = 1_u64;
    for step in 0..20_000_u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let frame = Voiced { packet: Vec::new(), captured: MediaTime::from_micros(state) };
        let number = if state & 3 == 0 { (state >> 32) as u32 } else { (state >> 58) as u32 };
        jitter.insert(number, frame, MediaTime::from_micros(state.rotate_left(17)));
        if step % 3 == 0 {
            jitter.play(MediaTime::from_micros(state.rotate_left(29)));
        }
        assert!(jitter.frames.len() <= CAPACITY);
    }
}
