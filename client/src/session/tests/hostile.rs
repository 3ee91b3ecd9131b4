//! What a lying server or a lying member sends into a running call, and a server that is busy or forgot.

use signaling::protocol::{ClientMessage, Delivery, ErrorCode as ServerCode, Opaque, ParticipantId, ServerMessage};

use super::harness::{Side, World, id, leaf};
use super::*;

fn guest_room(world: &mut World) -> &mut Room {
    match &mut world.guest.session.stage {
        Stage::Guest(visiting) => &mut visiting.room,
        _ => panic!("the guest is not in the call"),
    }
}

fn commit(world: &World, from: ParticipantId, commit: Vec<u8>) -> ServerMessage {
    let seq = world.entries.len() as u64 + 1;
    let entry = Delivery::Commit { commit: Opaque::new(commit), invite_psk: None };
    ServerMessage::Entry { seq, epoch: 1, from, entry }
}

fn busy(about: Option<ParticipantId>) -> ServerMessage {
    ServerMessage::Error { code: ServerCode::Busy, retry_after_s: Some(1), participant: about }
}

#[test]
fn a_strangers_external_commit_is_refused_and_told_once_and_the_call_goes_on() {
    let mut world = World::in_call();
    let forged = crypto::lab::external_commit(guest_room(&mut world).group());
    let before = (call(&world, Side::Host), call(&world, Side::Guest));
    let entry = commit(&world, ParticipantId::from_bytes([66; 16]), forged);
    let ServerMessage::Entry { seq, epoch, from, entry: delivery } = entry.clone() else { panic!("an entry") };
    let again = ServerMessage::Entry { seq: seq + 1, epoch, from, entry: delivery };
    for side in [Side::Host, Side::Guest] {
        world.say(side, entry.clone());
    }
    assert_eq!((call(&world, Side::Host), call(&world, Side::Guest)), before);
    for side in [Side::Host, Side::Guest] {
        assert_eq!(world.view(side).notice.unwrap().code, ErrorCode::E2e12);
    }
    world.command(Side::Host, Command::Dismiss);
    world.say(Side::Host, again);
    assert!(world.view(Side::Host).notice.is_none(), "a server cannot fill the screen with it");
    assert_eq!(call(&world, Side::Host), before.0);
}

#[test]
fn a_guest_that_adds_or_removes_somebody_ends_the_call_with_its_name() {
    for crafted in [crypto::lab::Crafted::AddStranger, crypto::lab::Crafted::Remove(leaf(0))] {
        let mut world = World::in_call();
        let forged = crypto::lab::craft(guest_room(&mut world).group_mut(), &crafted);
        world.say(Side::Host, commit(&world, id(Side::Guest), forged));
        let notice = world.view(Side::Host).notice.unwrap();
        assert_eq!((notice.code, notice.person.as_deref()), (ErrorCode::E2e09, Some("Grace")), "{crafted:?}");
        assert!(goodbye(&world, Side::Host).devices_closed, "nothing is sent any more");
    }
}

#[test]
fn what_a_busy_server_dropped_is_sent_again_after_the_pause() {
    let mut world = World::in_call();
    world.deaf = true;
    world.command(Side::Guest, Command::Mute { muted: true });
    world.deaf = false;
    world.say(Side::Guest, busy(None));
    assert!(world.view(Side::Guest).notice.is_none(), "a pause of a second needs no words");
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::On);
    world.wait(1);
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::Off);
}

#[test]
fn a_guest_whose_admission_was_refused_can_be_admitted_again() {
    let mut world = World::knocked();
    let participant = world.knocker().participant;
    world.deaf = true;
    world.command(Side::Host, Command::Admit { participant: participant.clone(), identity_confirmed: true });
    world.deaf = false;
    world.say(Side::Host, busy(Some(id(Side::Guest))));
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::Srv05);
    assert!(world.knocker().ready);
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    assert_eq!(call(&world, Side::Guest).members.len(), 2);
}

#[test]
fn a_room_that_the_server_lost_is_told_and_the_call_goes_on() {
    let mut world = World::in_call();
    world.say(Side::Host, ServerMessage::Conflict { epoch: 0 });
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::Net08);
    assert_eq!(call(&world, Side::Host).members.len(), 2);
    world.host.trace.clear();
    world.command(Side::Host, Command::Mute { muted: true });
    assert!(world.host.trace.is_empty(), "nothing of this call fits into another log");
}

#[test]
fn an_engine_that_does_not_take_its_keys_ends_the_call() {
    let mut world = World::in_call();
    world.input(Side::Host, Input::MediaBroken);
    assert_eq!(goodbye(&world, Side::Host).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::Dev05);
}

#[test]
fn a_change_that_lost_the_race_is_made_anew_in_the_winners_epoch() {
    let mut world = World::in_call();
    // Both commit in epoch 1: the guest's path update wins, the host's Remove is made anew behind it.
    let update = guest_room(&mut world).group_mut().update().unwrap();
    world.deaf = true;
    world.input(Side::Host, Input::Engine(EngineEvent::Disconnected { peer: leaf(1) }));
    world.say(Side::Host, ServerMessage::Presence { participant: id(Side::Guest), present: false });
    world.wait(16);
    let winner = commit(&world, id(Side::Guest), update.commit);
    world.say(Side::Host, winner);
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::E2e03);
    let commits = world.lost.iter().filter_map(|message| match message {
        ClientMessage::Commit { epoch, .. } => Some(*epoch),
        _ => None,
    });
    let epochs: Vec<_> = commits.collect();
    assert_eq!(epochs, [1, 2]);
}

#[test]
fn neither_a_missing_camera_nor_the_next_click_hides_that_something_was_refused() {
    let mut world = World::in_call();
    let entry = Delivery::Commit { commit: Opaque::new(vec![1; 200]), invite_psk: None };
    let (seq, epoch) = (world.last_seq_of(Side::Host) + 1, call(&world, Side::Host).epoch);
    world.say(Side::Host, ServerMessage::Entry { seq, epoch, from: id(Side::Guest), entry });
    let told = |world: &World| world.view(Side::Host).notice.map(|notice| notice.code);
    assert_eq!(told(&world), Some(ErrorCode::E2e12));
    world.input(Side::Host, Input::Engine(EngineEvent::Device(DeviceError::NotFound(DeviceKind::Camera))));
    assert_eq!(told(&world), Some(ErrorCode::E2e12));
    world.command(Side::Host, Command::SafetyStart);
    assert_eq!(told(&world), Some(ErrorCode::E2e12), "a step in the call does not take it away unread");
    world.command(Side::Host, Command::Dismiss);
    assert_eq!(told(&world), None);
}
