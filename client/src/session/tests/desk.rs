//! What staff are told at their desk.

use super::harness::{START, Side, World, appointment_id};
use super::*;

#[test]
fn a_certificate_in_its_last_week_is_announced_with_todays_list() {
    let world = World::new();
    // The harness certifies the host for a day.
    let left = today(&world).renew_in_days;
    assert!(matches!(left, Some(0 | 1)), "{left:?}");
}

#[test]
fn a_list_that_was_overtaken_on_its_way_does_not_hide_a_newer_one() {
    let mut world = World::new();
    let older = asked(&mut world, Input::Command(Command::Refresh));
    let newer = asked(&mut world, Input::Command(Command::Refresh));
    assert!(older < newer);
    let full = Day { appointments: world.appointments(), ..Day::default() };
    world.input(Side::Host, Input::Reply(newer, Reply::Appointments(Ok(full))));
    world.input(Side::Host, Input::Reply(older, Reply::Appointments(Ok(Day::default()))));
    assert_eq!(today(&world).appointments.len(), 1);
    // What is shown can be worked with.
    world.invite();
}

#[test]
fn a_click_waits_for_its_own_answer_and_for_no_other() {
    let mut world = World::new();
    let invitation = Command::MakeInvitation { appointment: appointment_id() };
    let made = asked(&mut world, Input::Command(invitation.clone()));
    world.wait(60);
    assert!(today(&world).busy, "the list that is read now and then answered the click");
    assert!(
        world.outputs(Side::Host, Input::Command(invitation)).is_empty(),
        "a second click made a second invitation"
    );
    world.input(Side::Host, Input::Reply(made, Reply::Registered(Ok(()))));
    assert!(matches!(world.view(Side::Host).phase, Phase::Invite(_)));
}

#[test]
fn after_a_booking_the_desk_is_busy_until_the_list_shows_it() {
    let mut world = World::new();
    let booking = Command::Book { label: "10:40".into(), starts_at: START };
    let booked = asked(&mut world, Input::Command(booking));
    let read = asked(&mut world, Input::Reply(booked, Reply::Done(Ok(()))));
    assert!(today(&world).busy);
    world.input(Side::Host, Input::Reply(read, Reply::Appointments(Ok(Day::default()))));
    assert!(!today(&world).busy);
}

/// Number of the request that this input leads to; nobody answers it.
fn asked(world: &mut World, input: Input) -> u64 {
    let outputs = world.outputs(Side::Host, input);
    let number = outputs.into_iter().find_map(|output| match output {
        Output::Request(number, _) => Some(number),
        _ => None,
    });
    number.expect("the server is asked")
}

fn today(world: &World) -> Today {
    match world.view(Side::Host).phase {
        Phase::Today(today) => today,
        other => panic!("not at the desk: {other:?}"),
    }
}
