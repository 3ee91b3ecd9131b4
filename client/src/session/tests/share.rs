//! A shared window: of who hosts alone, and no longer than that.

use super::colleague::with_colleague;
use super::harness::{Side, World, leaf};
use super::*;

fn share(world: &mut World, side: Side) {
    world.command(side, Command::ShareWindow { window: 7, title: "X-ray".into() });
}

/// The windows that one side's engine was told to share, `None` for the end of it.
fn shared(world: &World, side: Side) -> Vec<Option<u32>> {
    let commands = world.client(side).media.iter();
    let told = commands.filter_map(|command| match command {
        MediaCommand::Share(window) => Some(*window),
        _ => None,
    });
    told.collect()
}

/// What one side's engine was told last of showing a member's window.
fn may_share(world: &World, side: Side, member: u32) -> Option<bool> {
    world.client(side).media.iter().rev().find_map(|command| match command {
        MediaCommand::MayShare(of, may) if *of == leaf(member) => Some(*may),
        _ => None,
    })
}

fn title(world: &World, side: Side) -> Option<String> {
    call(world, side).sharing.map(|title| title.as_str().to_owned())
}

#[test]
fn who_hosts_shares_a_window_and_the_others_hear_of_it_without_its_title() {
    let mut world = World::in_call();
    share(&mut world, Side::Host);
    assert_eq!(shared(&world, Side::Host), [Some(7)]);
    assert_eq!(title(&world, Side::Host).as_deref(), Some("X-ray"));
    assert_eq!(title(&world, Side::Guest), None);
    assert_eq!(call(&world, Side::Guest).members[0].media.screen, SourceState::On);
    world.command(Side::Host, Command::StopSharing);
    assert_eq!(shared(&world, Side::Host), [Some(7), None]);
    assert_eq!(title(&world, Side::Host), None);
    assert_eq!(call(&world, Side::Guest).members[0].media.screen, SourceState::Off);
}

#[test]
fn a_guest_shares_nothing_and_nobody_would_show_it() {
    let mut world = World::in_call();
    share(&mut world, Side::Guest);
    assert!(shared(&world, Side::Guest).iter().all(Option::is_none));
    assert_eq!(title(&world, Side::Guest), None);
    assert_eq!(call(&world, Side::Host).members[1].media.screen, SourceState::Off);
    assert_eq!(may_share(&world, Side::Host, 1), None, "an engine shows nobody's window unasked");
    assert_eq!(may_share(&world, Side::Guest, 0), Some(true));
}

#[test]
fn before_anybody_is_let_in_nothing_is_shared() {
    let mut world = World::knocked();
    share(&mut world, Side::Host);
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    assert!(shared(&world, Side::Host).iter().all(Option::is_none));
    assert_eq!(title(&world, Side::Host), None);
}

#[test]
fn who_hands_over_shares_no_more_and_the_new_host_may() {
    let mut world = with_colleague();
    share(&mut world, Side::Host);
    assert_eq!((may_share(&world, Side::Guest, 0), may_share(&world, Side::Host, 1)), (Some(true), None));
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert_eq!(shared(&world, Side::Host), [Some(7), None]);
    assert_eq!(title(&world, Side::Host), None);
    assert_eq!((may_share(&world, Side::Guest, 0), may_share(&world, Side::Host, 1)), (Some(false), Some(true)));
    share(&mut world, Side::Host);
    assert_eq!(shared(&world, Side::Host).last(), Some(&None), "not even when it is asked again");
    share(&mut world, Side::Guest);
    assert_eq!(title(&world, Side::Guest).as_deref(), Some("X-ray"));
}

#[test]
fn a_window_that_closes_is_told_and_is_shared_no_more() {
    let mut world = World::in_call();
    let closed = || Input::Engine(EngineEvent::ScreenEnded(DeviceError::NotFound(DeviceKind::Window)));
    share(&mut world, Side::Host);
    world.input(Side::Host, closed());
    assert_eq!(world.view(Side::Host).notice.map(|notice| notice.code), Some(ErrorCode::Shr02));
    assert_eq!(shared(&world, Side::Host), [Some(7), None], "the engine forgets it as well");
    assert_eq!(title(&world, Side::Host), None);
    assert_eq!(call(&world, Side::Guest).members[0].media.screen, SourceState::Off);
    // Sharing again answers it; and what ended after the person had ended it needs no words.
    share(&mut world, Side::Host);
    assert_eq!(world.view(Side::Host).notice, None);
    world.command(Side::Host, Command::StopSharing);
    world.input(Side::Host, closed());
    assert_eq!(world.view(Side::Host).notice, None);
}

#[test]
fn a_window_that_cannot_be_captured_is_told_otherwise() {
    let mut world = World::in_call();
    share(&mut world, Side::Host);
    let error = DeviceError::Failed { kind: DeviceKind::Window, attempt: "take a picture" };
    world.input(Side::Host, Input::Engine(EngineEvent::ScreenEnded(error)));
    assert_eq!(world.view(Side::Host).notice.map(|notice| notice.code), Some(ErrorCode::Shr01));
    assert_eq!(title(&world, Side::Host), None);
}

#[test]
fn the_last_picture_of_a_window_goes_before_the_next_window_comes() {
    let mut world = World::in_call();
    share(&mut world, Side::Host);
    let told = |world: &World| {
        let commands = world.guest.media.iter();
        commands.filter(|command| matches!(command, MediaCommand::MayShare(_, false))).count()
    };
    assert_eq!(told(&world), 0);
    world.command(Side::Host, Command::StopSharing);
    assert_eq!(told(&world), 1);
    assert_eq!(may_share(&world, Side::Guest, 0), Some(true), "it may share again");
}

#[test]
fn the_end_of_a_call_ends_the_sharing_and_the_next_call_begins_without() {
    let mut world = World::in_call();
    share(&mut world, Side::Host);
    world.command(Side::Host, Command::EndForAll);
    assert!(goodbye(&world, Side::Host).devices_closed);
    assert!(world.host.session.sharing.is_none());
    world.input(Side::Host, Input::Engine(EngineEvent::ScreenEnded(DeviceError::NotFound(DeviceKind::Window))));
    assert_eq!(world.view(Side::Host).notice, None);
}
