//! Heartbeats between two sessions: a group that was split, a commit held back, a host gone silent.

use signaling::protocol::ServerMessage;

use super::harness::{Side, World, id, leaf};
use super::*;

/// Whether this side sends, by the last that the engine was told.
fn sends(world: &World, side: Side) -> bool {
    let told = world.client(side).media.iter().rev().find_map(|command| match command {
        MediaCommand::Hold(held) => Some(*held),
        _ => None,
    });
    !told.unwrap_or(false)
}

fn wait_until_held(world: &mut World, side: Side, held: Held) -> u64 {
    (1..=200)
        .find(|_| {
            world.wait(1);
            call(world, side).held == Some(held)
        })
        .unwrap_or_else(|| panic!("{side:?} was never stopped by {held:?}"))
}

#[test]
fn members_of_one_group_go_on_for_minutes_and_renew_its_secret() {
    let mut world = World::in_call();
    for _ in 0..300 {
        world.wait(1);
    }
    for side in [Side::Host, Side::Guest] {
        assert_eq!((call(&world, side).held, sends(&world, side)), (None, true));
        assert!(world.view(side).notice.is_none());
    }
    let (host, guest) = (call(&world, Side::Host).epoch, call(&world, Side::Guest).epoch);
    assert_eq!(host, guest);
    // Once a minute by the host, every two minutes by the guest, a fifth more or less.
    assert!((5..=11).contains(&host), "{host} epochs in five minutes");
}

#[test]
fn a_commit_that_the_server_keeps_from_a_guest_stops_it_until_the_commit_comes() {
    let mut world = World::in_call();
    world.withhold = true;
    wait_until_held(&mut world, Side::Guest, Held::Withheld);
    assert!(!sends(&world, Side::Guest) && sends(&world, Side::Host));
    assert!(call(&world, Side::Host).epoch > call(&world, Side::Guest).epoch);
    world.withhold = false;
    for entry in world.entries.clone() {
        world.say(Side::Guest, entry);
    }
    world.wait(1);
    assert_eq!(call(&world, Side::Guest).held, None);
    assert!(sends(&world, Side::Guest));
}

#[test]
fn a_server_that_splits_the_call_stops_both_for_good() {
    let mut world = World::in_call();
    world.split = true;
    for side in [Side::Host, Side::Guest] {
        wait_until_held(&mut world, side, Held::Split);
    }
    world.split = false;
    for _ in 0..30 {
        world.wait(1);
    }
    for side in [Side::Host, Side::Guest] {
        assert_eq!((call(&world, side).held, sends(&world, side)), (Some(Held::Split), false));
    }
}

#[test]
fn a_split_is_not_seen_by_the_log_alone_which_is_why_heartbeats_go_over_the_association_too() {
    let mut world = World::in_call();
    (world.split, world.channel) = (true, false);
    for _ in 0..100 {
        world.wait(1);
    }
    assert_ne!(call(&world, Side::Host).held, Some(Held::Split));
    assert_eq!(call(&world, Side::Guest).held, Some(Held::Silent), "the guest stops all the same");
}

#[test]
fn a_guest_whose_host_is_silent_for_15_seconds_stops_and_goes_on_with_its_heartbeat() {
    let mut world = World::in_call();
    (world.withhold, world.channel) = (true, false);
    let seconds = wait_until_held(&mut world, Side::Guest, Held::Silent);
    assert!((15..=20).contains(&seconds), "{seconds}");
    assert_eq!(call(&world, Side::Host).held, None);
    world.channel = true;
    for _ in 0..6 {
        world.wait(1);
    }
    assert_ne!(call(&world, Side::Guest).held, Some(Held::Silent));
}

#[test]
fn a_server_that_loses_a_remove_stops_the_host_300_ms_after_it() {
    let mut world = World::in_call();
    world.input(Side::Host, Input::Engine(EngineEvent::Disconnected { peer: leaf(1) }));
    world.say(Side::Host, ServerMessage::Presence { participant: id(Side::Guest), present: false });
    world.deaf = true;
    world.wait(16);
    let gone = |c: &MediaCommand| matches!(c, MediaCommand::RemovePeer(l) if *l == leaf(1));
    assert!(world.host.media.iter().any(gone), "its association is closed at once");
    assert_eq!(world.host.session.next_wake(), Some(Duration::from_millis(16_300)));
    world.wait(1);
    assert_eq!(call(&world, Side::Host).held, Some(Held::Removing));
    assert!(!sends(&world, Side::Host));
}

#[test]
fn a_forged_or_repeated_heartbeat_changes_nothing() {
    let mut world = World::in_call();
    let before = (call(&world, Side::Host), call(&world, Side::Guest));
    for bytes in [vec![], vec![0; 275], vec![7; 5_000]] {
        world.input(Side::Guest, Input::Engine(EngineEvent::Heartbeat { peer: leaf(0), bytes }));
    }
    assert_eq!((call(&world, Side::Host), call(&world, Side::Guest)), before);
}

#[test]
fn a_guest_who_is_removed_is_cut_off_on_the_click_and_gone_with_the_commit() {
    let mut world = World::in_call();
    world.deaf = true;
    world.command(Side::Host, Command::Remove { leaf: 1 });
    let gone = |c: &MediaCommand| matches!(c, MediaCommand::RemovePeer(l) if *l == leaf(1));
    assert!(world.host.media.iter().any(gone), "its association is closed before anything was committed");
    assert!(call(&world, Side::Host).members[1].removing);
    world.deaf = false;
    for message in std::mem::take(&mut world.lost) {
        world.pass_on(Side::Host, message);
    }
    assert_eq!(call(&world, Side::Host).members.len(), 1);
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Removed);
}

#[test]
fn nobody_removes_themselves_nobody_or_as_a_guest() {
    let mut world = World::in_call();
    for (side, leaf) in [(Side::Host, 0), (Side::Host, 7), (Side::Host, u32::MAX), (Side::Guest, 0)] {
        world.command(side, Command::Remove { leaf });
        assert_eq!(call(&world, Side::Host).members.len(), 2, "{side:?} {leaf}");
        assert!(call(&world, Side::Host).members.iter().all(|row| !row.removing));
    }
}
