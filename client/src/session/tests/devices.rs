//! Another camera, microphone or loudspeaker during the call.

use super::harness::{Side, World};
use super::*;

fn microphone(world: &World) -> DeviceState {
    call(world, Side::Guest).devices.microphone
}

fn use_headset(world: &mut World) {
    world.command(Side::Guest, Command::UseDevice { device: Device::Microphone, id: Some("usb-7".into()) });
}

#[test]
fn a_device_that_is_chosen_is_being_checked_until_it_works() {
    let mut world = World::in_call();
    world.input(Side::Guest, Input::Device(Device::Microphone, DeviceState::Ready));
    use_headset(&mut world);
    assert_eq!(microphone(&world), DeviceState::Checking);
    let told = |c: &MediaCommand| matches!(c, MediaCommand::Use(Device::Microphone, Some(id)) if id == "usb-7");
    assert!(world.guest.media.iter().any(told));
    world.input(Side::Guest, Input::Device(Device::Microphone, DeviceState::Ready));
    assert_eq!(microphone(&world), DeviceState::Ready);
    assert_eq!(call(&world, Side::Guest).devices.camera, DeviceState::Checking, "the others stay as they are");
}

#[test]
fn a_chosen_device_that_fails_is_told_and_another_choice_answers_it() {
    let mut world = World::in_call();
    use_headset(&mut world);
    world.input(Side::Guest, Input::Engine(EngineEvent::Device(DeviceError::NotFound(DeviceKind::Microphone))));
    assert_eq!(microphone(&world), DeviceState::Failed(ErrorCode::Dev02));
    assert_eq!(world.view(Side::Guest).notice.map(|notice| notice.code), Some(ErrorCode::Dev02));
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::Missing);
    world.command(Side::Guest, Command::UseDevice { device: Device::Microphone, id: None });
    assert_eq!(microphone(&world), DeviceState::Checking);
    assert_eq!(world.view(Side::Guest).notice, None);
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::On);
}

#[test]
fn to_look_for_devices_changes_nothing() {
    let mut world = World::in_call();
    let before = world.view(Side::Guest);
    world.command(Side::Guest, Command::LookForDevices);
    assert!(world.guest.media.iter().any(|command| matches!(command, MediaCommand::LookForDevices)));
    assert_eq!(world.view(Side::Guest), before);
}
