use std::time::Duration;

use crypto::{MediaKeys, SenderKeys};

use super::*;
use crate::engine::members::Members;

const PEER: LeafIndex = LeafIndex::new(0).unwrap();

/// The guest's intake with the host as its only sender, and the keys of both sides.
fn intake(members: &mut Members) -> (Intake, SenderKeys, OpeningKeys) {
    let mut intake = Intake::default();
    intake.add(PEER, at(0));
    let (host, guest) = members.keys().unwrap();
    (intake, sender(host), guest.into_parts().1)
}

fn sender(keys: MediaKeys) -> SenderKeys {
    keys.into_parts().0
}

fn at(millis: u64) -> MediaTime {
    MediaTime::from_micros(millis * 1_000)
}

fn audio(keys: &mut SenderKeys, payload: &[u8], millis: u64) -> Arrived {
    Arrived { kind: MediaKind::Audio, bytes: keys.audio.seal(payload.to_vec()).unwrap().into_vec(), at: at(millis) }
}

#[test]
fn a_sealed_frame_opens_once_and_only_on_its_own_stream() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, opening) = intake(&mut members);
    assert!(intake.install(opening, at(0), OLD_KEYS_LIVE).is_empty());
    let frame = audio(&mut keys, b"voice", 1);
    let repeated = Arrived { bytes: frame.bytes.clone(), ..frame };
    let opened = intake.open(PEER, frame, at(1)).unwrap();
    assert_eq!(opened.frame.as_bytes(), b"voice");
    assert!(intake.open(PEER, repeated, at(1)).is_none());
    let astray = Arrived { kind: MediaKind::Video, ..audio(&mut keys, b"voice", 1) };
    assert!(intake.open(PEER, astray, at(1)).is_none());
    let gap = Notice::PictureGap(PEER, MediaKind::Video);
    assert_eq!(intake.notices(), [Notice::Refused(PEER), Notice::Refused(PEER), gap]);
}

#[test]
fn a_frame_over_another_association_does_not_open() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, opening) = intake(&mut members);
    let stranger = LeafIndex::new(5).unwrap();
    intake.add(stranger, at(0));
    intake.install(opening, at(0), OLD_KEYS_LIVE);
    let frame = audio(&mut keys, b"voice", 1);
    assert!(intake.open(stranger, frame, at(1)).is_none());
    assert_eq!(intake.notices(), [Notice::Refused(stranger)]);
    // Who was never added is not even looked at.
    let frame = audio(&mut keys, b"voice", 1);
    assert!(intake.open(LeafIndex::new(9).unwrap(), frame, at(1)).is_none());
    assert!(intake.notices().is_empty());
}

#[test]
fn frames_of_the_next_epoch_wait_for_its_keys() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, _, opening) = intake(&mut members);
    intake.install(opening, at(0), OLD_KEYS_LIVE);
    members.renew().unwrap();
    let (host, guest) = members.keys().unwrap();
    let mut keys = sender(host);
    for number in 0..3_u8 {
        let frame = audio(&mut keys, &[number], 100 + u64::from(number));
        assert!(intake.open(PEER, frame, at(110)).is_none());
    }
    assert!(intake.holds());
    let opened = intake.install(guest.into_parts().1, at(200), OLD_KEYS_LIVE);
    let order: Vec<_> = opened.iter().map(|frame| frame.frame.as_bytes()[0]).collect();
    assert_eq!(order, [0, 1, 2]);
    assert!(!intake.holds());
    assert!(intake.notices().is_empty());
}

#[test]
fn the_old_epoch_s_frames_open_as_long_as_they_may() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut old, opening) = intake(&mut members);
    intake.install(opening, at(0), OLD_KEYS_LIVE);
    members.renew().unwrap();
    let (_, guest) = members.keys().unwrap();
    intake.install(guest.into_parts().1, at(1_000), OLD_KEYS_LIVE_SHORT);
    assert!(intake.open(PEER, audio(&mut old, b"voice", 1_400), at(1_400)).is_some());
    assert!(intake.open(PEER, audio(&mut old, b"voice", 1_600), at(1_600)).is_none());
}

#[test]
fn frames_whose_keys_never_come_are_counted_and_told() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, _) = intake(&mut members);
    // A second after the sender was added nobody may expect them any more.
    for (start, told) in [(0, false), (2_000, true)] {
        for number in 0..4 {
            let time = start + number;
            assert!(intake.open(PEER, audio(&mut keys, b"voice", time), at(time)).is_none());
        }
        intake.expire(at(start + 200));
        assert!(intake.notices().is_empty());
        intake.expire(at(start + 300));
        let notices = intake.notices();
        let refused = notices.iter().filter(|notice| matches!(notice, Notice::Refused(..))).count();
        assert_eq!((refused, notices.contains(&Notice::Undecryptable(PEER))), (4, told));
    }
}

#[test]
fn a_newcomer_misses_the_old_epoch_s_pictures_without_a_freeze() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut old, _) = intake(&mut members);
    let video = |keys: &mut SenderKeys, millis| Arrived {
        kind: MediaKind::Video,
        bytes: keys.video.seal(b"picture".to_vec()).unwrap().into_vec(),
        at: at(millis),
    };
    members.renew().unwrap();
    let (host, guest) = members.keys().unwrap();
    intake.install(guest.into_parts().1, at(0), OLD_KEYS_LIVE);
    let mut new = sender(host);
    assert!(intake.open(PEER, video(&mut old, 10), at(10)).is_none());
    assert!(intake.open(PEER, video(&mut new, 20), at(20)).is_some());
    intake.expire(at(400));
    assert_eq!(intake.notices(), [Notice::Refused(PEER)]);
}

#[test]
fn a_flood_of_unknown_frames_stays_within_its_bounds() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, _) = intake(&mut members);
    for _ in 0..200 {
        intake.open(PEER, audio(&mut keys, &[0; 100], 0), at(0));
    }
    assert_eq!(intake.senders[0].held.len(), HOLD_FRAMES);
    for _ in 0..40 {
        intake.open(PEER, audio(&mut keys, &vec![0; 100_000], 0), at(0));
    }
    assert!(intake.senders[0].held_bytes <= HOLD_BYTES);
}

#[test]
fn trouble_is_told_once_and_its_end_too() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, opening) = intake(&mut members);
    intake.install(opening, at(0), OLD_KEYS_LIVE);
    let altered = |keys: &mut SenderKeys| {
        let mut frame = audio(keys, b"voice", 1);
        *frame.bytes.last_mut().unwrap() ^= 1;
        frame
    };
    // One altered frame among good ones is no trouble.
    assert!(intake.open(PEER, altered(&mut keys), at(1)).is_none());
    assert!(intake.open(PEER, audio(&mut keys, b"voice", 1), at(1)).is_some());
    assert!(!intake.notices().contains(&Notice::Undecryptable(PEER)));
    for _ in 0..20 {
        assert!(intake.open(PEER, altered(&mut keys), at(1)).is_none());
    }
    let told = intake.notices().into_iter().filter(|n| *n == Notice::Undecryptable(PEER)).count();
    assert_eq!(told, 1);
    for _ in 0..30 {
        assert!(intake.open(PEER, audio(&mut keys, b"voice", 1), at(1)).is_some());
    }
    assert_eq!(intake.notices(), [Notice::Recovered(PEER)]);
}

#[test]
fn a_removed_sender_opens_nothing_more() {
    let mut members = Members::admitted().unwrap();
    let (mut intake, mut keys, opening) = intake(&mut members);
    intake.install(opening, at(0), OLD_KEYS_LIVE);
    intake.remove(PEER);
    intake.add(PEER, at(0));
    assert!(intake.open(PEER, audio(&mut keys, b"voice", 1), at(1)).is_none());
    assert!(intake.holds());
    assert_eq!(HOLD, Duration::from_millis(250));
}
