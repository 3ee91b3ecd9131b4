use super::*;
use crate::{
    error::PolicyViolation,
    mls::{Crafted, craft, tests::leaf},
    testing::{Clinic, deliver, handle},
};

const QUIET: MediaCounters = MediaCounters { audio: 0, video: 0, screen: 0, data: 0 };

#[test]
fn members_of_one_epoch_agree_and_tell_their_counters() {
    let mut members = Clinic::new().full_call(1);
    let mut keys = members[0].media_keys().unwrap().into_parts().0;
    keys.audio.seal(vec![1]).unwrap();
    let counters = MediaCounters::from(&keys);
    assert_eq!(counters, MediaCounters { audio: 1, ..QUIET });
    let bytes = members[0].heartbeat(counters).unwrap();
    assert_eq!(bytes.len(), LENGTH);
    let heard = members[1].check_heartbeat(leaf(0), &bytes).unwrap();
    assert_eq!((heard.verdict, heard.epoch, heard.counters), (HeartbeatVerdict::Agrees, 1, counters));
}

#[test]
fn a_commitment_is_one_senders_and_one_epochs() {
    let mut members = Clinic::new().full_call(1);
    let commitments: Vec<_> = members.iter().map(|member| member.own_commitment().unwrap()).collect();
    assert_ne!(commitments[0], commitments[1]);
    let bundle = members[0].update().unwrap();
    deliver(&mut members, &bundle);
    assert_ne!(members[0].own_commitment().unwrap(), commitments[0]);
}

#[test]
fn a_withheld_commit_shows_as_newer_and_the_one_left_behind_as_older() {
    let mut members = Clinic::new().full_call(2);
    let bundle = members[0].remove(leaf(2)).unwrap();
    handle(&mut members[0], &bundle).unwrap();
    let ahead = members[0].heartbeat(QUIET).unwrap();
    let behind = members[1].heartbeat(QUIET).unwrap();
    let epoch = members[0].epoch();
    assert_eq!(members[1].check_heartbeat(leaf(0), &ahead).unwrap().verdict, HeartbeatVerdict::Newer(epoch));
    assert_eq!(members[0].check_heartbeat(leaf(1), &behind).unwrap().verdict, HeartbeatVerdict::Older(epoch - 1));
    handle(&mut members[1], &bundle).unwrap();
    let caught_up = members[1].heartbeat(QUIET).unwrap();
    assert_eq!(members[0].check_heartbeat(leaf(1), &caught_up).unwrap().verdict, HeartbeatVerdict::Agrees);
    // Who was removed is no member for us; we are none of its business either.
    let removed = members[2].heartbeat(QUIET).unwrap();
    assert_eq!(members[0].check_heartbeat(leaf(2), &removed), Err(HeartbeatError::NoSuchMember));
}

/// The server gives each of two members a commit of its own for the same epoch.
fn split(members: &mut [CallGroup]) {
    for at in [0, 1] {
        let bundle = members[at].update().unwrap();
        handle(&mut members[at], &bundle).unwrap();
    }
}

#[test]
fn two_halves_of_a_split_group_see_a_partition() {
    let mut members = Clinic::new().full_call(1);
    split(&mut members);
    for (from, to) in [(0, 1), (1, 0)] {
        let bytes = members[from].heartbeat(QUIET).unwrap();
        let heard = members[to].check_heartbeat(leaf(from as u32), &bytes).unwrap();
        assert_eq!(heard.verdict, HeartbeatVerdict::Partition);
    }
}

#[test]
fn a_half_that_fell_behind_still_shows_as_a_partition() {
    let mut members = Clinic::new().full_call(1);
    split(&mut members);
    let late = members[1].heartbeat(QUIET).unwrap();
    for _ in 0..PAST_EPOCHS {
        let bundle = members[0].update().unwrap();
        handle(&mut members[0], &bundle).unwrap();
    }
    let heard = members[0].check_heartbeat(leaf(1), &late).unwrap();
    assert_eq!(heard.verdict, HeartbeatVerdict::Partition);
    let bundle = members[0].update().unwrap();
    handle(&mut members[0], &bundle).unwrap();
    let later = members[1].heartbeat(QUIET).unwrap();
    let heard = members[0].check_heartbeat(leaf(1), &later).unwrap();
    assert_eq!(heard.verdict, HeartbeatVerdict::Older(2), "too long ago to compare");
    assert_eq!(members[0].heartbeats.past.len(), PAST_EPOCHS);
}

#[test]
fn another_roster_or_another_leaf_for_the_same_key_is_a_partition() {
    let mut members = Clinic::new().full_call(1);
    let true_bytes = members[0].heartbeat(QUIET).unwrap();
    for at in [18, 83] {
        let mut forged = true_bytes[..LENGTH - SIGNATURE].to_vec();
        // A member's own lie, so the signature is its own.
        forged[at] ^= 1;
        forged[26] = 9 + at as u8;
        let signature = members[0].leaf_key.sign_parts(LABEL, &[&forged]).unwrap();
        forged.extend_from_slice(&signature);
        let heard = members[1].check_heartbeat(leaf(0), &forged).unwrap();
        assert_eq!(heard.verdict, HeartbeatVerdict::Partition, "byte {at}");
    }
}

#[test]
fn a_repeated_or_older_heartbeat_is_refused_for_each_sender_apart() {
    let mut members = Clinic::new().full_call(2);
    let first = members[0].heartbeat(QUIET).unwrap();
    let second = members[0].heartbeat(QUIET).unwrap();
    assert!(members[1].check_heartbeat(leaf(0), &second).is_ok());
    for replayed in [&first, &second] {
        assert_eq!(members[1].check_heartbeat(leaf(0), replayed), Err(HeartbeatError::Replayed));
    }
    let other = members[2].heartbeat(QUIET).unwrap();
    assert!(members[1].check_heartbeat(leaf(2), &other).is_ok());
    assert!(members[2].check_heartbeat(leaf(0), &first).is_ok());
}

#[test]
fn every_altered_or_cut_heartbeat_is_refused_and_costs_the_sender_nothing() {
    let mut members = Clinic::new().full_call(1);
    let bytes = members[0].heartbeat(QUIET).unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(members[1].check_heartbeat(leaf(0), &altered).is_err(), "byte {at}");
        assert_eq!(members[1].check_heartbeat(leaf(0), &bytes[..at]), Err(HeartbeatError::Malformed));
    }
    assert!(members[1].check_heartbeat(leaf(0), &bytes).is_ok());
}

#[test]
fn a_heartbeat_counts_only_from_its_own_sender_and_group() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(2);
    let bytes = members[2].heartbeat(QUIET).unwrap();
    assert_eq!(members[0].check_heartbeat(leaf(1), &bytes), Err(HeartbeatError::WrongSender), "relayed by another");
    assert_eq!(members[2].check_heartbeat(leaf(1), &bytes), Err(HeartbeatError::WrongSender), "reflected");
    assert_eq!(members[2].check_heartbeat(leaf(2), &bytes), Err(HeartbeatError::NoSuchMember), "from ourselves");
    assert_eq!(members[0].check_heartbeat(leaf(9), &bytes), Err(HeartbeatError::NoSuchMember));
    let mut claimed = bytes;
    claimed[18] = 1;
    assert_eq!(members[0].check_heartbeat(leaf(1), &claimed), Err(HeartbeatError::BadSignature));
    let foreign = clinic.full_call(1)[1].heartbeat(QUIET).unwrap();
    assert_eq!(members[0].check_heartbeat(leaf(1), &foreign), Err(HeartbeatError::WrongGroup));
}

#[test]
fn the_next_owner_of_a_leaf_starts_its_own_numbers() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    for _ in 0..5 {
        let bytes = members[1].heartbeat(QUIET).unwrap();
        members[0].check_heartbeat(leaf(1), &bytes).unwrap();
    }
    let bundle = members[0].remove(leaf(1)).unwrap();
    deliver(&mut members, &bundle);
    members.truncate(1);
    let (_, mut guest, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    let mut next = guest.join(crate::testing::NOW, bundle.welcome.as_ref().unwrap()).unwrap();
    let bytes = next.heartbeat(QUIET).unwrap();
    assert_eq!(members[0].check_heartbeat(leaf(1), &bytes).unwrap().verdict, HeartbeatVerdict::Agrees);
    assert_eq!(members[0].heartbeats.heard.len(), 1);
}

#[test]
fn a_group_that_is_over_neither_sends_nor_checks() {
    let mut members = Clinic::new().full_call(1);
    let bytes = members[0].heartbeat(QUIET).unwrap();
    let forged = craft(&mut members[0], &Crafted::DropPolicy);
    let refused = crate::mls::tests::commit(&mut members[1], &forged);
    assert_eq!(refused, crate::mls::tests::refused(Some(0), PolicyViolation::PolicyChanged));
    assert_eq!(members[1].check_heartbeat(leaf(0), &bytes), Err(HeartbeatError::Inactive));
    assert_eq!(members[1].heartbeat(QUIET), Err(GroupError::Inactive));
}
