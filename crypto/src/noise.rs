//! Noise for the parsers of what members, devices and practices say outside the five messages and
//! the log; `vectors.rs` has those.

use proptest::prelude::*;

use crate::{
    CallGroup, CallRole, DenyList, DeviceKey, KeyDisclosure, LeafIndex, OwnedInvitation, PracticeSuccession, Sharing,
    testing::{Clinic, NOW},
};

fn feed(bytes: &[u8], device: &DeviceKey, clinic: &Clinic, call: &mut CallGroup, owned: &mut OwnedInvitation) {
    let sharing = Sharing { now: NOW, deny: None };
    assert!(DenyList::decode(bytes).is_err());
    let pinned = clinic.practice.fingerprint();
    // Any bytes of its one length spell a statement; none of them is signed.
    assert!(!PracticeSuccession::decode(bytes).is_ok_and(|statement| statement.verify(&pinned).is_ok()));
    assert!(device.open_share(&sharing, &pinned, &[], bytes).is_err());
    assert!(call.admit_staff(NOW, bytes).is_err());
    assert!(call.readmit_staff(NOW, bytes).is_err());
    for leaf in [0, 1, 2].map(|index| LeafIndex::new(index).unwrap()) {
        assert!(call.check_heartbeat(leaf, bytes).is_err());
        assert!(call.remove_leaver(leaf, bytes).is_err());
    }
    assert!(owned.on_retry(NOW, bytes, call).is_err());
    assert!(owned.on_rejoin(bytes, call).is_err());
    assert!(KeyDisclosure::decode(bytes).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_refused_by_every_other_parser(noise in proptest::collection::vec(any::<u8>(), 0..600)) {
        let clinic = Clinic::new();
        let device = DeviceKey::generate().unwrap();
        let mut members = clinic.full_call(1);
        let (mut owned, _, _) = clinic.invite(CallRole::Patient);
        let call = &mut members[0];
        feed(&noise, &device, &clinic, call, &mut owned);
        // Past the first checks: profile, then a group's id, a practice's key, message 6.
        let (group, practice, id) = (call.group_id(), clinic.practice.public(), owned.invite_id());
        for head in [&group.as_bytes()[..], practice.as_bytes(), &[&[6], &id.as_bytes()[..]].concat()] {
            feed(&[&[0, 1], head, &noise].concat(), &device, &clinic, call, &mut owned);
        }
        // The one length of a heartbeat, and the head of a disclosure that claims four billion keys.
        let mut heartbeat = [&[0, 1], &group.as_bytes()[..], &[1], &noise].concat();
        heartbeat.resize(275, 7);
        feed(&heartbeat, &device, &clinic, call, &mut owned);
        feed(&[&[0, 1], &[9; 32][..], &[0xff; 4], &noise].concat(), &device, &clinic, call, &mut owned);
        prop_assert!(call.is_active() && !call.is_pending());
        prop_assert_eq!(owned.tries_left(), 3);
    }
}
