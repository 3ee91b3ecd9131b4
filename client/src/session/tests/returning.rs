//! A member that lost its group, a host that lost its memory, a server that lost its room.

use signaling::protocol::{Delivery, ErrorCode as ServerCode, Opaque, ServerMessage};

use super::colleague::with_colleague;
use super::harness::{START, Side, World, appointment_id, id};
use super::*;

/// A commit in the host's name that does not open.
fn unreadable(world: &World) -> ServerMessage {
    let commit = Opaque::new(vec![0; 400]);
    let Some(ServerMessage::Entry { entry: Delivery::Commit { commit: model, .. }, .. }) = world
        .entries
        .iter()
        .rev()
        .find(|entry| matches!(entry, ServerMessage::Entry { entry: Delivery::Commit { .. }, .. }))
    else {
        panic!("no commit to alter in {commit:?}")
    };
    // The host's next path update, with its last byte changed.
    let mut bytes = model.clone().into_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    let entry = Delivery::Commit { commit: Opaque::new(bytes), invite_psk: None };
    ServerMessage::Entry { seq: world.entries.len() as u64 + 1, epoch: 1, from: id(Side::Host), entry }
}

/// A world whose guest got a commit of the running epoch that does not open.
fn stranded(host_hears: bool) -> World {
    strand(World::in_call(), host_hears)
}

fn strand(mut world: World, host_hears: bool) -> World {
    world.withhold = true;
    let before = call(&world, Side::Host).epoch;
    while call(&world, Side::Host).epoch == before {
        world.wait(1);
    }
    world.deaf = !host_hears;
    let entry = unreadable(&world);
    let seq = world.last_seq_of(Side::Guest) + 1;
    let ServerMessage::Entry { epoch, from, entry, .. } = entry else { panic!("an entry") };
    world.say(Side::Guest, ServerMessage::Entry { seq, epoch, from, entry });
    world
}

#[test]
fn a_guest_whose_commit_does_not_open_is_brought_back_without_typing_anything() {
    let world = stranded(true);
    let (host, guest) = (call(&world, Side::Host), call(&world, Side::Guest));
    assert_eq!((host.members.len(), guest.members.len()), (2, 2));
    assert_eq!(host.epoch, guest.epoch);
    assert_eq!((guest.held, host.members[1].name.as_deref()), (None, Some("Grace")));
    let told = |side| {
        world.client(side).media.iter().rev().find_map(|command| match command {
            MediaCommand::Hold(held) => Some(*held),
            _ => None,
        })
    };
    assert_eq!(told(Side::Guest), Some(false));
    assert!(world.view(Side::Host).notice.is_none(), "the host has nothing to do");
}

#[test]
fn a_colleague_whose_commit_does_not_open_is_brought_back_by_its_certificate() {
    let world = strand(with_colleague(), true);
    let (host, colleague) = (call(&world, Side::Host), call(&world, Side::Guest));
    assert_eq!((host.members.len(), colleague.members.len()), (2, 2));
    assert_eq!(host.epoch, colleague.epoch);
    assert_eq!((colleague.held, host.members[1].name.as_deref()), (None, Some("Dr Sam")));
    assert!(host.members[1].deputy, "it may be handed the call as before");
}

#[test]
fn a_colleague_that_was_taken_out_does_not_come_back_by_its_certificate() {
    let mut world = with_colleague();
    world.command(Side::Host, Command::Remove { leaf: 1 });
    let epoch = call(&world, Side::Host).epoch;
    let mut asked = world.relayed.iter().filter(|body| body.as_bytes().first() == Some(&8));
    let body = asked.next_back().unwrap().clone();
    world.say(Side::Host, ServerMessage::Relay { from: id(Side::Guest), body });
    assert_eq!((call(&world, Side::Host).epoch, call(&world, Side::Host).members.len()), (epoch, 1));
    assert_eq!(world.view(Side::Host).notice, None);
}

#[test]
fn nothing_is_sent_on_the_way_back_and_without_an_answer_it_ends_in_a_goodbye() {
    let mut world = stranded(false);
    assert_eq!(call(&world, Side::Guest).held, Some(Held::Returning));
    assert!(world.guest.media.iter().any(|command| matches!(command, MediaCommand::Hold(true))));
    for _ in 0..31 {
        world.wait(1);
    }
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::E2e09);
}

#[test]
fn a_guest_that_was_away_too_long_for_the_log_is_brought_back() {
    let mut world = World::in_call();
    let gone = ServerMessage::Error { code: ServerCode::HistoryGone, retry_after_s: None, participant: None };
    world.say(Side::Guest, gone);
    let (host, guest) = (call(&world, Side::Host), call(&world, Side::Guest));
    assert_eq!((host.members.len(), host.epoch), (guest.members.len(), guest.epoch));
    assert_eq!(guest.held, None);
}

#[test]
fn a_removed_guest_that_claims_to_be_lost_stays_out() {
    let mut world = World::in_call();
    let request = {
        let Stage::Guest(visiting) = &mut world.guest.session.stage else { panic!("the guest is in the call") };
        let Visiting { entering, room, .. } = &mut **visiting;
        entering.joining.ask_back(room.group()).unwrap()
    };
    world.command(Side::Guest, Command::Leave);
    assert_eq!(call(&world, Side::Host).members.len(), 1);
    world.say(Side::Host, ServerMessage::Relay { from: id(Side::Guest), body: request });
    assert_eq!(call(&world, Side::Host).members.len(), 1);
}

#[test]
fn after_a_host_lost_its_memory_the_same_guest_comes_in_by_the_same_link_and_code() {
    let mut world = World::in_call();
    world.crash_host();
    assert!(matches!(world.view(Side::Guest).phase, Phase::Call(_)), "the guest waits in its call");
    world.start();
    let knocker = world.knocker();
    assert!(knocker.ready && knocker.badge.code_ok, "the guest proved itself again, without typing");
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    let (host, guest) = (call(&world, Side::Host), call(&world, Side::Guest));
    assert_eq!((host.members.len(), guest.members.len(), host.epoch), (2, 2, guest.epoch));
}

#[test]
fn a_guest_that_stopped_for_a_crashed_host_sends_again_in_the_new_group() {
    let mut world = World::in_call();
    world.channel = false;
    world.crash_host();
    for _ in 0..16 {
        world.input(Side::Guest, Input::Tick);
        world.seconds += 1;
    }
    assert_eq!(call(&world, Side::Guest).held, Some(Held::Silent));
    world.channel = true;
    world.start();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    assert_eq!(call(&world, Side::Guest).held, None);
    let last = world.guest.media.iter().rev().find_map(|command| match command {
        MediaCommand::Hold(held) => Some(*held),
        _ => None,
    });
    assert_eq!(last, Some(false), "the engine was told to go on");
}

#[test]
fn after_a_call_that_was_ended_the_link_is_used_up() {
    let mut world = World::in_call();
    world.command(Side::Host, Command::EndForAll);
    world.command(Side::Host, Command::Done);
    world.command(Side::Host, Command::StartConsultation { appointment: appointment_id() });
    let Stage::Host(hosting) = &world.host.session.stage else { panic!("the room is open") };
    assert!(hosting.desk.invitations.is_empty());
}

#[test]
fn a_link_that_demands_a_deny_list_is_answered_by_a_host_that_has_it_and_by_no_other() {
    let mut world = World::new();
    let terms = crypto::DenyTerms { version: 7, issued_at: START, serials: vec![99], devices: Vec::new() };
    world.deny_list = Some(world.practice.deny(terms).unwrap());
    world.crash_host();
    let (link, code) = world.invite();
    world.start();
    world.walk_in(&link, &code);
    assert!(world.knocker().ready);
    // The same computer with its list rolled back answers nobody.
    world.deny_list = None;
    world.crash_host();
    world.start();
    let knocker = world.knocker();
    assert!(!knocker.ready && !knocker.badge.code_ok);
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)));
}

#[test]
fn a_host_whose_certificate_was_withdrawn_opens_no_room() {
    let mut world = World::new();
    let terms = crypto::DenyTerms { version: 1, issued_at: START, serials: vec![1], devices: Vec::new() };
    world.deny_list = Some(world.practice.deny(terms).unwrap());
    world.crash_host();
    world.start();
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::Key01);
}

/// Who makes the association between the two anew, and how often so far.
fn restarts(world: &World, side: Side) -> usize {
    let again = |command: &&MediaCommand| matches!(command, MediaCommand::RestartPeer(_, TransportRole::Offer));
    world.client(side).media.iter().filter(again).count()
}

#[test]
fn whoever_changed_its_address_gets_a_new_path_at_once_whichever_side_offers() {
    for moved in [Side::Guest, Side::Host] {
        let mut world = World::in_call();
        world.wait(1);
        world.input(moved, Input::Socket(SocketEvent::Moved));
        assert_eq!(world.view(moved).connection, ConnectionState::Reconnecting);
        world.say(moved, ServerMessage::Ready { participant: id(moved), version: 1 });
        world.wait(1);
        assert_eq!((restarts(&world, Side::Guest), restarts(&world, Side::Host)), (1, 0), "the newer member offers");
        assert_eq!(call(&world, Side::Host).members.len(), 2, "nobody knocks again");
    }
}

#[test]
fn a_member_that_says_again_and_again_that_it_moved_is_heard_once_a_second() {
    let mut world = World::in_call();
    world.wait(1);
    for _ in 0..5 {
        world.input(Side::Host, Input::Socket(SocketEvent::Moved));
        world.say(Side::Host, ServerMessage::Ready { participant: id(Side::Host), version: 1 });
    }
    world.wait(1);
    assert_eq!(restarts(&world, Side::Guest), 1);
}
