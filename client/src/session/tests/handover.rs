//! The consultation goes to a colleague.

use signaling::protocol::{ClientMessage, CommitIntent, ErrorCode as ServerCode, ServerMessage};

use super::colleague::with_colleague;
use super::harness::{Side, World, id, leaf};
use super::*;
use crate::session::message::RelayMessage;

fn lose_host(world: &mut World) {
    world.say(Side::Guest, ServerMessage::Presence { participant: id(Side::Host), present: false });
}

/// Who hosts, by the roster of one side.
fn hosts(world: &World, side: Side) -> Vec<u32> {
    call(world, side).members.iter().filter(|member| member.hosts).map(|member| member.leaf).collect()
}

fn code(world: &World, side: Side) -> Option<ErrorCode> {
    world.view(side).notice.map(|notice| notice.code)
}

#[test]
fn a_host_hands_over_to_a_colleague_and_stays_in_the_call_without_rights() {
    let mut world = with_colleague();
    assert!(call(&world, Side::Host).members[1].deputy);
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    for side in [Side::Host, Side::Guest] {
        assert_eq!(hosts(&world, side), [1]);
        assert_eq!(call(&world, side).held, None);
    }
    assert!(call(&world, Side::Guest).host && !call(&world, Side::Host).host);
    assert_eq!(call(&world, Side::Guest).label, "10:20");
    world.command(Side::Host, Command::Remove { leaf: 1 });
    assert_eq!(call(&world, Side::Guest).members.len(), 2, "the former host takes nobody out");
    world.command(Side::Guest, Command::Remove { leaf: 0 });
    assert_eq!(goodbye(&world, Side::Host).reason, GoodbyeReason::Removed);
    assert!(goodbye(&world, Side::Host).host, "there is a desk to go back to");
}

#[test]
fn the_new_host_answers_the_invitations_that_were_open() {
    let mut world = with_colleague();
    let records = |session: &Session| match &session.stage {
        Stage::Host(hosting) => {
            hosting.desk.invitations.values().map(|own| (own.tries_left(), own.devices())).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(records(&world.host.session), [(3, 1)]);
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert_eq!(records(&world.guest.session), [(3, 2)], "three tries of its own, and both devices are counted");
    // The server says it again, to give tries back: the record at hand stays.
    let share = world.relayed.iter().rev().find(|body| RelayMessage::decode(body.as_bytes()).is_some()).cloned();
    world.say(Side::Guest, ServerMessage::Relay { from: id(Side::Host), body: share.unwrap() });
    assert_eq!(records(&world.guest.session).len(), 1);
}

#[test]
fn a_certificate_that_the_practice_did_not_sign_makes_no_deputy() {
    let mut world = World::new();
    world.invite();
    world.start();
    let Stage::Host(hosting) = &world.host.session.stage else { panic!("the host's room") };
    assert_eq!(
        hosting.room.group().deputies().len(),
        2,
        "the host and its colleague, and nobody else whom the server lists"
    );
}

#[test]
fn a_record_that_no_device_of_the_practice_gave_is_dropped() {
    let mut world = with_colleague();
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    for bytes in [&[][..], &[0; 64], &[7; 3_000]] {
        let body = RelayMessage::Exchange(9, bytes).encode();
        world.say(Side::Guest, ServerMessage::Relay { from: id(Side::Host), body });
    }
    assert!(call(&world, Side::Guest).host);
    assert_eq!(world.view(Side::Guest).notice, None);
}

#[test]
fn the_consultation_comes_back_to_who_gave_it() {
    let mut world = with_colleague();
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert!(call(&world, Side::Guest).members[0].deputy);
    world.command(Side::Guest, Command::HandOver { leaf: 0 });
    assert_eq!(hosts(&world, Side::Guest), [0]);
    assert!(call(&world, Side::Host).host);
}

#[test]
fn a_colleague_who_is_gone_cannot_take_over_and_the_host_reads_so() {
    let mut world = with_colleague();
    world.say(Side::Host, ServerMessage::Presence { participant: id(Side::Guest), present: false });
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert_eq!(code(&world, Side::Host), Some(ErrorCode::Hof01));
    // It was there when the host asked, and gone when the server looked.
    world.say(Side::Host, ServerMessage::Presence { participant: id(Side::Guest), present: true });
    world.command(Side::Host, Command::Dismiss);
    world.deaf = true;
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    let asked = world.lost.iter().any(|message| match message {
        ClientMessage::Commit { intent: CommitIntent::HandOver { participant }, .. } => *participant == id(Side::Guest),
        _ => false,
    });
    assert!(asked, "the seat moves with the commit");
    let participant = Some(id(Side::Guest));
    world.say(Side::Host, ServerMessage::Error { code: ServerCode::GuestLeft, retry_after_s: None, participant });
    assert_eq!(code(&world, Side::Host), Some(ErrorCode::Hof01));
    assert_eq!(hosts(&world, Side::Host), [0]);
    world.deaf = false;
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert_eq!(hosts(&world, Side::Host), [1], "and it can be asked again");
}

#[test]
fn nobody_hands_over_to_a_guest() {
    let mut world = World::in_call();
    assert!(!call(&world, Side::Host).members[1].deputy);
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    assert_eq!(hosts(&world, Side::Host), [0]);
}

#[test]
fn a_colleague_steps_in_for_a_lost_host_and_is_the_only_host_then() {
    let mut world = with_colleague();
    assert!(!call(&world, Side::Guest).may_step_in);
    world.command(Side::Guest, Command::StepIn);
    assert_eq!(hosts(&world, Side::Guest), [0], "not while the host is there");
    lose_host(&mut world);
    assert!(call(&world, Side::Guest).may_step_in);
    world.command(Side::Guest, Command::StepIn);
    for side in [Side::Host, Side::Guest] {
        assert_eq!(hosts(&world, side), [1]);
    }
    assert!(call(&world, Side::Guest).host && !call(&world, Side::Host).host);
    assert!(!call(&world, Side::Guest).may_step_in);
}

#[test]
fn a_new_host_takes_the_lost_one_out_although_it_keeps_trying_to_reach_it() {
    let mut world = with_colleague();
    world.command(Side::Host, Command::HandOver { leaf: 1 });
    lose_host(&mut world);
    world.channel = false;
    let lost = MediaCommand::RestartPeer(leaf(0), TransportRole::Offer);
    for _ in 0..17 {
        assert_eq!(call(&world, Side::Guest).members.len(), 2);
        world.wait(1);
    }
    assert!(
        world.guest.media.iter().any(|command| format!("{command:?}") == format!("{lost:?}")),
        "it was tried again"
    );
    assert_eq!(goodbye(&world, Side::Host).reason, GoodbyeReason::Removed);
    assert_eq!(call(&world, Side::Guest).members.len(), 1);
}

#[test]
fn a_server_that_still_sees_the_host_lets_nobody_step_in() {
    let mut world = with_colleague();
    lose_host(&mut world);
    world.deaf = true;
    world.command(Side::Guest, Command::StepIn);
    let refusal = ServerMessage::Error { code: ServerCode::OpenElsewhere, retry_after_s: None, participant: None };
    world.say(Side::Guest, refusal);
    assert_eq!(code(&world, Side::Guest), Some(ErrorCode::Hof01));
    assert_eq!(hosts(&world, Side::Guest), [0]);
}

#[test]
fn a_host_whose_seat_was_taken_meanwhile_comes_back_as_a_colleague() {
    let mut world = with_colleague();
    world.deaf = true;
    world.input(Side::Host, Input::Socket(SocketEvent::Lost(ErrorCode::Net04)));
    world.say(Side::Host, ServerMessage::Ready { participant: id(Side::Host), version: 1 });
    let refusal = ServerMessage::Error { code: ServerCode::NotAllowed, retry_after_s: None, participant: None };
    world.say(Side::Host, refusal);
    assert!(world.lost.iter().any(|message| matches!(message, ClientMessage::VisitRoom { .. })));
    assert!(call(&world, Side::Host).host, "until the log says otherwise");
}

#[test]
fn a_server_that_names_another_host_changes_nothing() {
    let mut world = with_colleague();
    for side in [Side::Host, Side::Guest] {
        world.say(side, ServerMessage::Seat { host: id(Side::Guest) });
        assert_eq!(hosts(&world, side), [0]);
    }
}
