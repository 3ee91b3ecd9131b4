//! What others see behind a person: chosen, kept, and told when it fails.

use super::harness::{Side, World};
use super::*;
use crate::preferences::BackgroundChoice;

#[test]
fn a_choice_reaches_the_engine_and_stays_for_the_next_call() {
    let mut world = World::in_call();
    world.command(Side::Guest, Command::Background { choice: BackgroundChoice::Plain });
    let told = |c: &MediaCommand| matches!(c, MediaCommand::Background(BackgroundChoice::Plain));
    assert!(world.client(Side::Guest).media.iter().any(told));
    assert_eq!(call(&world, Side::Guest).devices.background, BackgroundChoice::Plain);
    assert_eq!(call(&world, Side::Host).devices.background, BackgroundChoice::Shown, "each for itself");
    let again = Session::new(Private::from("")).with_background(BackgroundChoice::Plain);
    assert_eq!(again.devices.background, BackgroundChoice::Plain);
}

#[test]
fn a_background_that_fails_is_told_until_it_works_again() {
    let mut world = World::in_call();
    world.input(Side::Guest, Input::Engine(EngineEvent::BackgroundFailed));
    assert!(call(&world, Side::Guest).devices.background_failed);
    assert_eq!(world.view(Side::Guest).notice.map(|notice| notice.code), Some(ErrorCode::Fx01));
    world.input(Side::Guest, Input::Engine(EngineEvent::BackgroundWorks));
    assert!(!call(&world, Side::Guest).devices.background_failed);
    assert_eq!(world.view(Side::Guest).notice, None);
}
