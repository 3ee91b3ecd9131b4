//! What happens to a proven guest when connections come and go before the admission.

use signaling::protocol::LobbyState;

use super::harness::{Side, World};
use super::*;

#[test]
fn a_proven_guest_can_be_admitted_after_the_host_was_away() {
    let mut world = World::knocked();
    for host_present in [false, true] {
        let state = LobbyState::Waiting { host_present, position: 1 };
        world.say(Side::Guest, ServerMessage::Lobby { state });
    }
    let knocker = world.knocker();
    assert!(knocker.ready && knocker.badge.code_ok && !knocker.badge.code_failed);
    assert_eq!(knocker.name.as_deref(), Some("Grace"));
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    assert_eq!(call(&world, Side::Guest).members.len(), 2);
}

#[test]
fn who_waits_keeps_its_place_while_the_host_closes_the_room_and_opens_it_again() {
    let mut world = World::knocked();
    world.command(Side::Host, Command::Leave);
    assert_eq!(goodbye(&world, Side::Host).reason, GoodbyeReason::Left);
    let Phase::LobbyGuest(lobby) = world.view(Side::Guest).phase else { panic!("the guest was sent away") };
    assert!(!lobby.host_present);
    world.command(Side::Host, Command::Done);
    world.start();
    let knocker = world.knocker();
    assert!(knocker.ready && knocker.badge.code_ok && !knocker.badge.code_failed);
    assert_eq!((knocker.name.as_deref(), knocker.badge.tries_left), (Some("Grace"), 3));
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    assert_eq!(call(&world, Side::Guest).members.len(), 2);
}

#[test]
fn who_comes_back_with_a_locked_invitation_is_sent_away_and_the_host_sees_the_lock() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    let wrong = if code.starts_with('1') { "2222 2222" } else { "1111 1111" };
    world.walk_in(&link, wrong);
    for _ in 0..2 {
        world.command(Side::Guest, Command::EnterCode { code: wrong.into() });
    }
    world.command(Side::Guest, Command::Done);
    world.walk_in(&link, &code);
    let end = goodbye(&world, Side::Guest);
    assert_eq!((end.reason, end.keys), (GoodbyeReason::Failed, CallKeys::None));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Inv04);
    world.command(Side::Host, Command::Leave);
    world.command(Side::Host, Command::Done);
    let Phase::Today(today) = world.view(Side::Host).phase else { panic!("today's list") };
    assert_eq!(today.appointments[0].invitation, InvitationState::Locked);
}

#[test]
fn a_used_invitation_leaves_the_hosts_memory_with_the_call() {
    let mut world = World::in_call();
    let Stage::Host(hosting) = &world.host.session.stage else { panic!("the host is not in the call") };
    assert!(hosting.desk.invitations.values().all(crypto::OwnedInvitation::is_consumed));
    assert_eq!(hosting.desk.invitations.len(), 1, "a guest that lost its memory may need it");
    world.command(Side::Host, Command::EndForAll);
    let Stage::Goodbye(ended) = &world.host.session.stage else { panic!("the host has not left") };
    assert!(ended.desk.as_ref().unwrap().invitations.is_empty());
}

fn forged_welcome(world: &mut World) {
    world.say(Side::Guest, ServerMessage::Admitted { seq: 1, epoch: 0, welcome: Opaque::new(vec![1; 900]) });
}

#[test]
fn a_guest_whose_admission_was_forged_comes_again_without_its_code_and_is_admitted() {
    let mut world = World::knocked();
    forged_welcome(&mut world);
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(lobby) if lobby.knock == KnockState::Proven));
    let knocker = world.knocker();
    assert!(knocker.ready && knocker.badge.code_ok);
    assert_eq!(knocker.badge.tries_left, 3, "it cost no try");
    assert_eq!(knocker.name.as_deref(), Some("Grace"));
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    assert_eq!(call(&world, Side::Guest).members.len(), 2);
}

#[test]
fn admissions_that_are_forged_again_and_again_end_in_a_goodbye_and_not_in_a_call() {
    let mut world = World::knocked();
    for _ in 0..4 {
        forged_welcome(&mut world);
    }
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::E2e05);
}

#[test]
fn a_guest_whom_nobody_answers_after_a_failed_admission_does_not_wait_for_ever() {
    let mut world = World::knocked();
    world.deaf = true;
    forged_welcome(&mut world);
    world.wait(4);
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)));
    world.wait(1);
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
}

#[test]
fn the_roster_says_who_let_a_guest_in() {
    let world = World::in_call();
    let guest_row = |side| call(&world, side).members.into_iter().find(|row| row.role == Role::Patient).unwrap();
    assert_eq!(guest_row(Side::Host).admitted_by, Some(AdmittedBy::You));
    let hosts_name = call(&world, Side::Guest).members[0].name.clone().unwrap();
    assert_eq!(guest_row(Side::Guest).admitted_by, Some(AdmittedBy::Host(hosts_name)));
    assert_eq!(call(&world, Side::Guest).members[0].admitted_by, None, "a host is there by its certificate");
}

#[test]
fn a_link_that_goes_through_the_server_is_told_to_both_until_the_words_match() {
    let mut world = World::new();
    world.command(Side::Host, Command::MakeInvitation { appointment: harness::appointment_id() });
    world.command(Side::Host, Command::LinkPassesServer);
    let Phase::Invite(invite) = world.view(Side::Host).phase else { panic!("the link page") };
    let InvitePage::Link { link } = invite.page else { panic!("the link first") };
    assert!(invite.by_server);
    world.command(Side::Host, Command::InvitationNext);
    let Phase::Invite(invite) = world.view(Side::Host).phase else { panic!("the code page") };
    let InvitePage::Code { code } = invite.page else { panic!("the code then") };
    world.command(Side::Host, Command::InvitationSent);
    world.start();
    world.walk_in(&link, &code);
    let knocker = world.knocker();
    assert!(knocker.link_by_server);
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    for side in [Side::Host, Side::Guest] {
        assert!(call(&world, side).must_compare, "{side:?}");
    }
    world.command(Side::Host, Command::SafetyStart);
    for side in [Side::Host, Side::Guest] {
        world.command(side, Command::SafetyAnswer { matches: true });
    }
    for side in [Side::Host, Side::Guest] {
        assert!(!call(&world, side).must_compare, "{side:?}");
    }
    assert!(!call(&World::in_call(), Side::Host).must_compare);
}
