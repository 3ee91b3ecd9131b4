//! What staff are told at their desk.

use super::harness::{Side, World};
use super::*;

#[test]
fn a_certificate_in_its_last_week_is_announced_with_todays_list() {
    let world = World::new();
    match world.view(Side::Host).phase {
        // The harness certifies the host for a day.
        Phase::Today(today) => assert!(matches!(today.renew_in_days, Some(0 | 1)), "{:?}", today.renew_in_days),
        other => panic!("not at the desk: {other:?}"),
    }
}
