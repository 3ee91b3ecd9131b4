use super::*;
use crate::packet::tests::payloads_of;

fn at(millis: u64) -> MediaTime {
    MediaTime::from_micros(millis * 1_000)
}

/// Chunks of a frame of `size` bytes that all hold the low byte of its number.
fn chunks(number: u16, size: usize, key: bool) -> Vec<Chunk> {
    let frame = vec![number as u8; size];
    payloads_of(&frame, number, key).into_iter().map(|payload| Chunk::parse(payload).unwrap()).collect()
}

fn feed(assembly: &mut Assembly, now: MediaTime, chunks: impl IntoIterator<Item = Chunk>) {
    for chunk in chunks {
        assembly.handle_chunk(now, chunk);
    }
}

/// Stands for a skipped frame.
const SKIPPED: i32 = -1_000;

/// Numbers of the frames that came out, and `-n` for n lost ones.
fn drain(assembly: &mut Assembly) -> Vec<i32> {
    std::iter::from_fn(|| assembly.poll())
        .map(|out| match out {
            Assembled::Frame { number, bytes, .. } => {
                assert!(bytes.iter().all(|byte| *byte == number as u8));
                i32::from(number)
            }
            Assembled::Lost { count } => -i32::from(count),
            Assembled::Skipped => SKIPPED,
        })
        .collect()
}

/// An assembly whose first key frame, number 0, has left.
fn started() -> Assembly {
    let mut assembly = Assembly::new();
    feed(&mut assembly, at(0), chunks(0, 5_000, true));
    assert_eq!(drain(&mut assembly), [0]);
    assembly
}

#[test]
fn chunks_in_any_order_and_twice_make_one_whole_frame() {
    let mut assembly = started();
    let mut parts = chunks(1, 9_000, false);
    parts.reverse();
    feed(&mut assembly, at(1), parts.clone());
    feed(&mut assembly, at(1), parts);
    assert_eq!(drain(&mut assembly), [1]);
}

#[test]
fn a_whole_frame_waits_for_the_one_before_it() {
    let mut assembly = started();
    feed(&mut assembly, at(40), chunks(2, 3_000, false));
    assert!(drain(&mut assembly).is_empty());
    feed(&mut assembly, at(90), chunks(1, 3_000, false));
    assert_eq!(drain(&mut assembly), [1, 2]);
}

#[test]
fn a_missing_frame_is_given_up_at_its_deadline_and_reported_before_the_next() {
    let mut assembly = started();
    feed(&mut assembly, at(100), chunks(3, 500, false));
    assert_eq!(assembly.poll_timeout(), Some(at(400)));
    assembly.handle_timeout(at(399));
    assert!(drain(&mut assembly).is_empty());
    assembly.handle_timeout(at(400));
    assert_eq!(drain(&mut assembly), [-2, 3]);
    feed(&mut assembly, at(410), chunks(1, 500, false));
    assert!(drain(&mut assembly).is_empty(), "too late");
}

#[test]
fn a_large_frame_that_keeps_coming_is_not_given_up() {
    let mut assembly = started();
    let mut parts = chunks(1, 1_180 * 12, true).into_iter();
    for millis in (100..=700).step_by(50) {
        assembly.handle_timeout(at(millis));
        feed(&mut assembly, at(millis), parts.next());
    }
    assert_eq!(drain(&mut assembly), [1]);
}

#[test]
fn a_trickle_of_chunks_does_not_hold_the_head_for_ever() {
    let mut assembly = started();
    let mut parts = chunks(1, 1_180 * 40, false).into_iter();
    for millis in (100..=1_100).step_by(100) {
        assembly.handle_timeout(at(millis));
        feed(&mut assembly, at(millis), parts.next());
    }
    assert_eq!(drain(&mut assembly), [-1]);
}

#[test]
fn a_whole_key_frame_behind_a_gap_is_shown_without_the_full_wait() {
    let mut assembly = started();
    feed(&mut assembly, at(100), chunks(2, 500, false));
    feed(&mut assembly, at(120), chunks(4, 5_000, true));
    assert_eq!(assembly.poll_timeout(), Some(at(180)));
    assembly.handle_timeout(at(180));
    assert_eq!(drain(&mut assembly), [-3, 4]);
}

#[test]
fn before_the_first_key_frame_everything_counts_as_lost() {
    let mut assembly = Assembly::new();
    feed(&mut assembly, at(0), chunks(7, 500, false));
    feed(&mut assembly, at(10), chunks(8, 500, false));
    feed(&mut assembly, at(20), chunks(9, 5_000, true));
    feed(&mut assembly, at(30), chunks(10, 500, false));
    assert_eq!(drain(&mut assembly), [-1, -1, 9, 10]);
}

/// The same frame, which does not need the one before it.
fn free(number: u16, size: usize) -> Vec<Chunk> {
    let tag = Tag { key: false, free: true };
    chunks(number, size, false).into_iter().map(|chunk| Chunk { tag, ..chunk }).collect()
}

#[test]
fn a_frame_that_nobody_needs_is_skipped_without_asking_for_a_key_frame() {
    let mut assembly = started();
    feed(&mut assembly, at(100), free(2, 3_000));
    assert_eq!(assembly.poll_timeout(), Some(at(160)));
    assembly.handle_timeout(at(160));
    assert_eq!(drain(&mut assembly), [SKIPPED, 2]);
    let half = chunks(3, 3_000, false).into_iter().skip(1);
    feed(&mut assembly, at(170), half);
    feed(&mut assembly, at(190), free(4, 3_000));
    feed(&mut assembly, at(220), chunks(5, 3_000, false));
    assembly.handle_timeout(at(250));
    assert_eq!(drain(&mut assembly), [SKIPPED, 4, 5]);
    assert_eq!(assembly.bytes, 0);
}

#[test]
fn it_is_shown_all_the_same_when_it_comes_in_time() {
    let mut assembly = started();
    feed(&mut assembly, at(100), free(2, 500));
    feed(&mut assembly, at(150), chunks(1, 500, false));
    assert_eq!(drain(&mut assembly), [1, 2]);
}

#[test]
fn two_frames_missing_are_a_loss_whatever_the_next_one_needs() {
    let mut assembly = started();
    feed(&mut assembly, at(100), free(3, 500));
    assembly.handle_timeout(at(399));
    assert!(drain(&mut assembly).is_empty());
    assembly.handle_timeout(at(400));
    assert_eq!(drain(&mut assembly), [-2, 3]);
}

#[test]
fn parity_puts_in_what_was_lost_at_once() {
    for lost in 0..4 {
        let mut assembly = started();
        let payloads = payloads_of(&[1; 4_000], 1, false);
        let parity = crate::packet::parity(&payloads, 2);
        let mut all: Vec<Chunk> =
            payloads.into_iter().chain(parity).map(|payload| Chunk::parse(payload).unwrap()).collect();
        all.remove(lost);
        feed(&mut assembly, at(50), all);
        assert_eq!(drain(&mut assembly), [1], "{lost}");
        assert_eq!(assembly.bytes, 0);
    }
}

#[test]
fn numbers_wrap_without_a_loss() {
    let mut assembly = Assembly::new();
    feed(&mut assembly, at(0), chunks(65_534, 500, true));
    for number in [65_535, 0, 1] {
        feed(&mut assembly, at(10), chunks(number, 500, false));
    }
    assert_eq!(drain(&mut assembly), [65_534, 65_535, 0, 1]);
}

#[test]
fn a_sender_that_counts_anew_is_heard_again() {
    let mut assembly = Assembly::new();
    feed(&mut assembly, at(0), chunks(40_000, 500, true));
    drain(&mut assembly);
    for number in 0..70 {
        feed(&mut assembly, at(10), chunks(20_000 + number, 500, number == 66));
    }
    let out = drain(&mut assembly);
    assert_eq!(out.last(), Some(&20_069), "{out:?}");
}

#[test]
fn chunks_that_contradict_their_frame_are_dropped() {
    let mut assembly = started();
    let good = chunks(1, 3_000, false);
    feed(&mut assembly, at(1), good[..1].iter().cloned());
    feed(&mut assembly, at(1), [Chunk { count: 900, index: 800, ..good[1].clone() }]);
    feed(&mut assembly, at(1), [Chunk { tag: Tag { key: true, free: false }, ..good[1].clone() }]);
    feed(&mut assembly, at(1), [Chunk { data: Bytes::from_static(b"other"), ..good[0].clone() }]);
    feed(&mut assembly, at(1), good[1..].iter().cloned());
    assert_eq!(drain(&mut assembly), [1]);
}

#[test]
fn a_flood_of_unfinished_frames_stays_within_its_bounds() {
    let mut assembly = started();
    let data = Bytes::from(vec![0; 1_183]);
    let mut random = 1_u32;
    for step in 0..20_000_u64 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (random >> 16) as u16;
        let tag = Tag { key: random & 64 == 0, free: random & 32 == 0 };
        let parity = (random & 16 == 0).then_some(Parity { groups: 8, lengths: random as u16 });
        let index = if parity.is_some() { (random & 7) as u16 } else { (random & 1_023) as u16 };
        let chunk = Chunk { number, tag, index, count: 1_024, data: data.clone(), parity };
        assembly.handle_chunk(MediaTime::from_micros(step), chunk);
        assert!(assembly.pending.len() <= MAX_PENDING && assembly.bytes <= MAX_BYTES);
        assert_eq!(assembly.bytes, assembly.pending.values().map(|partial| partial.bytes).sum::<usize>());
        drain(&mut assembly);
    }
}

#[test]
fn over_a_path_with_loss_and_retransmission_nearly_all_frames_come_in_order() {
    // 5 % of the chunks are lost and come again 80 ms later; 5 % of those never do. Others are up to 20 ms late.
    let mut random = 7_u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 8
    };
    let mut arrivals: Vec<(u64, Chunk)> = Vec::new();
    for number in 0..3_000_u16 {
        for chunk in chunks(number, 6_000, number % 300 == 0) {
            let sent = u64::from(number) * 33;
            let lost = next() % 100 < 5;
            match (lost, next() % 100 < 5) {
                (true, true) => {}
                (true, false) => arrivals.push((sent + 80, chunk)),
                (false, _) => arrivals.push((sent + u64::from(next() % 20), chunk)),
            }
        }
    }
    arrivals.sort_by_key(|(millis, _)| *millis);
    let mut assembly = Assembly::new();
    let mut out = Vec::new();
    for (millis, chunk) in arrivals {
        assembly.handle_timeout(at(millis));
        assembly.handle_chunk(at(millis), chunk);
        out.extend(drain(&mut assembly));
    }
    assembly.handle_timeout(at(200_000));
    out.extend(drain(&mut assembly));
    let frames: Vec<i32> = out.iter().copied().filter(|number| *number >= 0).collect();
    let lost: i32 = out.iter().copied().filter(|number| *number < 0).map(i32::abs).sum();
    assert!(frames.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(frames.len() as i32 + lost, 3_000);
    assert!(lost < 60, "{lost}");
}
