//! A call whose keys are disclosed: nobody gets into one unasked, and no other call ever becomes one.

use super::*;
use harness::appointment_id;

fn assessor_invitation(world: &mut World) -> (String, String) {
    world.invite_by(Command::MakeAssessorInvitation { appointment: appointment_id() })
}

/// A guest who was asked and has not answered.
fn asked() -> World {
    let mut world = World::new();
    let (link, code) = assessor_invitation(&mut world);
    world.start();
    world.walk_in(&link, &code);
    world
}

fn admitted() -> World {
    let mut world = asked();
    world.command(Side::Guest, Command::AcceptAssessor);
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    world
}

#[test]
fn a_guest_who_is_not_asked_does_not_come_in_and_gives_nothing_away() {
    let mut world = asked();
    assert!(matches!(world.view(Side::Guest).phase, Phase::Assessor(_)));
    let knocker = world.knocker();
    assert!(!knocker.ready && !knocker.badge.code_ok && knocker.name.is_none());
    // The host cannot admit, and whatever the server sends does not answer for the guest.
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    let welcome = ServerMessage::Admitted { seq: 1, epoch: 0, welcome: Opaque::new(vec![0; 64]) };
    world.say(Side::Guest, welcome);
    for host_present in [false, true] {
        let state = signaling::protocol::LobbyState::Waiting { host_present, position: 1 };
        world.say(Side::Guest, ServerMessage::Lobby { state });
    }
    assert!(matches!(world.view(Side::Guest).phase, Phase::Assessor(_)));
    assert!(!world.knocker().badge.code_ok);
}

#[test]
fn a_guest_who_agrees_comes_in_by_the_same_try_and_both_see_what_it_is() {
    let mut world = asked();
    let Phase::LobbyHost(lobby) = world.view(Side::Host).phase else { panic!("the host's lobby") };
    assert!(lobby.assessor);
    world.command(Side::Guest, Command::AcceptAssessor);
    let Phase::LobbyGuest(lobby) = world.view(Side::Guest).phase else { panic!("the guest's lobby") };
    assert!(lobby.assessor && lobby.knock == KnockState::Proven);
    let knocker = world.knocker();
    assert!(knocker.ready);
    assert_eq!(knocker.badge, World::knocked().knocker().badge, "being asked costs no try");
    let world = admitted();
    assert!(call(&world, Side::Host).assessor && call(&world, Side::Guest).assessor);
    let starts = |side| world.client(side).media.iter().find(|c| matches!(c, MediaCommand::Start { .. }));
    for side in [Side::Host, Side::Guest] {
        assert!(matches!(starts(side), Some(MediaCommand::Start { assessor: true })));
    }
}

#[test]
fn a_guest_who_declines_leaves() {
    let mut world = asked();
    world.command(Side::Guest, Command::Leave);
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Left);
    assert!(world.guest.disclosed.is_empty());
}

#[test]
fn consent_counts_for_nothing_where_nobody_asked() {
    let mut world = World::new();
    let (link, code) = assessor_invitation(&mut world);
    world.walk_in(&link, &code);
    world.command(Side::Guest, Command::AcceptAssessor);
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)));
    world.start();
    assert!(matches!(world.view(Side::Guest).phase, Phase::Assessor(_)), "asked all the same");
}

#[test]
fn a_host_that_comes_back_while_the_guest_thinks_gets_its_answer() {
    let mut world = asked();
    for host_present in [false, true] {
        let state = signaling::protocol::LobbyState::Waiting { host_present, position: 1 };
        world.say(Side::Guest, ServerMessage::Lobby { state });
    }
    world.command(Side::Guest, Command::AcceptAssessor);
    assert!(world.knocker().ready);
}

#[test]
fn a_real_link_is_refused_by_an_assessor_call_and_the_other_way_round() {
    for (first, second) in [(true, false), (false, true)] {
        let mut world = World::new();
        let make = |world: &mut World, assessor| match assessor {
            true => assessor_invitation(world),
            false => world.invite(),
        };
        let (link, code) = make(&mut world, first);
        // The room is opened for the invitation that ends last: a later one, of the other mode.
        world.seconds += 10;
        make(&mut world, second);
        world.start();
        world.walk_in(&link, &code);
        let Phase::LobbyHost(lobby) = world.view(Side::Host).phase else { panic!("the host's lobby") };
        assert_eq!(lobby.assessor, second);
        assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)), "never even asked");
        let knocker = world.knocker();
        assert!(!knocker.ready && !knocker.badge.code_ok);
    }
}

#[test]
fn both_hand_out_the_same_keys_after_an_assessor_call_and_what_the_other_committed_to() {
    let mut world = admitted();
    world.wait(5);
    world.command(Side::Host, Command::EndForAll);
    let told = |client: &harness::Client| {
        let [group] = &client.disclosed[..] else { panic!("one group") };
        let mut keys: Vec<_> = group.keys.keys().iter().map(|key| (key.epoch(), key.key_id())).collect();
        keys.sort_unstable();
        let fits = |heard: &crate::disclosure::HeardCommitment| {
            group.keys.verify_commitment(heard.epoch, heard.sender, &heard.commitment)
        };
        assert!(!group.commitments.is_empty() && group.commitments.iter().all(fits));
        keys
    };
    assert_eq!(told(&world.host), told(&world.guest));
    assert_eq!(told(&world.host).len(), 8, "two members, four streams each, one epoch");
}

#[test]
fn after_a_real_call_nobody_hands_out_anything() {
    let mut world = World::in_call();
    assert!(!call(&world, Side::Host).assessor && !call(&world, Side::Guest).assessor);
    world.wait(5);
    world.command(Side::Host, Command::EndForAll);
    assert!(world.host.disclosed.is_empty() && world.guest.disclosed.is_empty());
}

#[test]
fn a_client_that_was_told_to_hand_out_keys_takes_part_in_no_real_call() {
    let mut world = World::new();
    let (link, _code) = world.invite();
    world.host.session = std::mem::replace(&mut world.host.session, Session::new("".into())).disclosing(true);
    world.guest.session = Session::new("".into()).disclosing(true);
    world.start();
    assert!(matches!(world.view(Side::Host).phase, Phase::Today(_)));
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::E2e11);
    world.command(Side::Guest, Command::PasteLink { text: link.as_str().into() });
    assert!(matches!(world.view(Side::Guest).phase, Phase::JoinLink(_)));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::E2e11);
}

#[test]
fn the_keys_before_and_after_a_return_are_both_handed_out() {
    let mut world = admitted();
    let gone = signaling::protocol::ErrorCode::HistoryGone;
    world.say(Side::Guest, ServerMessage::Error { code: gone, retry_after_s: None, participant: None });
    assert!(call(&world, Side::Guest).assessor && call(&world, Side::Guest).held.is_none());
    world.command(Side::Host, Command::EndForAll);
    let epochs = |client: &harness::Client| {
        let keys = client.disclosed.iter().flat_map(|group| group.keys.keys());
        keys.map(crypto::DisclosedKey::epoch).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(world.guest.disclosed.len(), 2);
    assert_eq!(epochs(&world.guest), epochs(&world.host));
}

#[test]
fn after_a_crash_of_the_host_the_new_group_is_an_assessors_too_and_the_guest_has_the_keys_of_both() {
    let mut world = admitted();
    world.crash_host();
    world.start();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    assert!(call(&world, Side::Host).assessor && call(&world, Side::Guest).assessor);
    world.command(Side::Host, Command::EndForAll);
    let [before, after] = &world.guest.disclosed[..] else { panic!("two groups") };
    assert_ne!(before.keys.group_id(), after.keys.group_id());
}
