use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn list() -> (NackList, MediaTime) {
    (NackList::new(ms(600)), MediaTime::from_micros(5_000_000))
}

#[test]
fn a_missing_packet_is_asked_for_after_the_reorder_wait_and_once_per_round_trip() {
    let (mut list, start) = list();
    list.handle_arrival(start, 10, false, 0);
    list.handle_arrival(start, 12, false, 0);
    assert!(list.poll_requests(start, Some(ms(40))).is_empty());
    assert_eq!(list.poll_timeout(), Some(start + ms(3)));
    assert_eq!(list.poll_requests(start + ms(3), Some(ms(40))), [11]);
    assert_eq!(list.poll_requests(start + ms(11), Some(ms(40))), [11], "the second copy");
    // 3 + 40 and four deviations of 5 ms.
    assert_eq!(list.poll_timeout(), Some(start + ms(63)));
    assert!(list.poll_requests(start + ms(62), Some(ms(40))).is_empty());
    assert_eq!(list.poll_requests(start + ms(63), Some(ms(40))), [11]);
    list.handle_arrival(start + ms(105), 11, true, 0);
    assert!(list.poll_requests(start + ms(300), Some(ms(40))).is_empty());
    assert_eq!((list.counts(), list.poll_timeout()), ((0, 1, 1), None));
}

#[test]
fn the_lost_end_of_a_frame_is_asked_for_before_the_next_frame() {
    let (mut list, before) = list();
    for sequence in 0..6 {
        list.handle_arrival(before + ms(u64::from(sequence)), sequence, false, 5 - sequence);
    }
    let start = before + ms(33);
    for sequence in 6..10 {
        list.handle_arrival(start + ms(u64::from(sequence) - 6), sequence, false, 11 - sequence);
    }
    let due = list.poll_timeout().unwrap();
    assert!(due <= start + ms(3 + 6), "{:?}", due.since(start));
    assert_eq!(list.poll_requests(due, Some(ms(40))), [10, 11]);
    list.handle_arrival(start + ms(33), 12, false, 0);
    assert_eq!(list.counts().1, 2);
}

#[test]
fn the_pauses_of_a_slow_link_are_not_mistaken_for_loss_for_long() {
    let (mut list, start) = list();
    for frame in 0..50_u16 {
        for part in 0..10 {
            let at = start + ms(20) * u32::from(frame * 10 + part);
            let asked = list.poll_requests(at, Some(ms(40)));
            assert!(frame <= 1 || asked.is_empty(), "frame {frame}: {asked:?}");
            list.handle_arrival(at, frame * 10 + part, false, 9 - part);
        }
    }
}

#[test]
fn a_late_packet_makes_the_list_more_patient() {
    let (mut list, start) = list();
    for step in 0..40_u16 {
        // Every other packet is 16 ms behind its successor.
        let at = start + ms(20) * u32::from(step);
        list.handle_arrival(at, 2 * step + 1, false, 0);
        let early = list.poll_requests(at + ms(15), Some(ms(40)));
        assert!(step < 2 || early.is_empty(), "asked for a packet that was only late: {early:?}");
        list.handle_arrival(at + ms(16), 2 * step, false, 0);
    }
    assert!(list.counts().1 <= 2, "{:?}", list.counts());
}

#[test]
fn a_packet_too_old_to_be_useful_is_lost_and_not_asked_for() {
    let (mut list, start) = list();
    list.handle_arrival(start, 65_535, false, 0);
    list.handle_arrival(start, 1, false, 0);
    let mut asked = 0;
    let mut now = start;
    while let Some(due) = list.poll_timeout() {
        now = due;
        asked += list.poll_requests(now, Some(ms(100))).len();
    }
    // Every 150 ms, in two copies.
    assert_eq!((asked, now.since(start), list.counts()), (8, ms(600), (1, 1, 0)));
}

#[test]
fn an_outage_is_not_asked_for() {
    let (mut list, start) = list();
    list.handle_arrival(start, 0, false, 0);
    list.handle_arrival(start, 1_000, false, 0);
    assert!(list.poll_requests(start + ms(100), None).is_empty());
    assert_eq!(list.counts(), (999, 0, 0));
}

#[test]
fn of_a_short_silence_only_what_can_come_in_time_is_asked_for_and_of_an_outage_nothing() {
    let mut list = NackList::new(ms(250));
    let start = MediaTime::from_micros(5_000_000);
    list.handle_arrival(start, 0, false, 0);
    // A voice of 50 packets a second.
    let later = start + ms(240);
    list.handle_arrival(later, 12, false, 0);
    assert_eq!(list.poll_requests(later + ms(3), Some(ms(100))), [5, 6, 7, 8, 9, 10, 11], "the others are too old");
    let back = later + ms(3_000);
    list.handle_arrival(back, 162, false, 0);
    assert!(list.poll_requests(back + ms(3), Some(ms(100))).is_empty());
    assert_eq!((list.counts().0, list.poll_timeout()), (160, None));
}

#[test]
fn the_round_trip_is_learned_from_answers() {
    let (mut list, start) = list();
    list.handle_arrival(start, 0, false, 0);
    for step in 0..50_u16 {
        let at = start + ms(500) * u32::from(step);
        list.handle_arrival(at, 2 * step + 2, false, 0);
        assert_eq!(list.poll_requests(at + ms(3), None), [2 * step + 1]);
        list.handle_arrival(at + ms(203), 2 * step + 1, true, 0);
    }
    assert_eq!(list.retry(None), ms(206));
}

#[test]
fn hostile_sequence_numbers_keep_the_list_bounded() {
    let (mut list, start) = list();
    let mut random = 3_u32;
    for step in 0..50_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let now = start + Duration::from_micros(step * 50);
        list.handle_arrival(now, (random >> 16) as u16, random & 1 == 0, random as u16 & 1_023);
        assert!(list.missing.len() <= MAX_MISSING);
        assert!(list.poll_requests(now, None).len() <= MAX_MISSING);
    }
}

#[test]
fn what_could_not_come_in_time_is_not_asked_for() {
    let (mut list, start) = list();
    list.handle_arrival(start, 10, false, 0);
    list.handle_arrival(start, 12, false, 0);
    for millis in (0..1_000).step_by(10) {
        assert!(list.poll_requests(start + ms(millis), Some(ms(700))).is_empty());
    }
    assert_eq!((list.counts(), list.poll_timeout()), ((1, 0, 0), None));
}
