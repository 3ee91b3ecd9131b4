//! A clinician who joins a colleague's consultation.

use signaling::protocol::{LobbyState, Opaque, ServerMessage};

use super::harness::{Side, World, appointment_id, id, leaf};
use super::*;
use crate::session::message::RelayMessage;

/// A host in its room, and a colleague who asks to be let in.
fn visited() -> World {
    let mut world = World::new();
    world.invite();
    world.start();
    world.command(Side::Guest, Command::ChooseStaff);
    world.command(Side::Guest, Command::SignIn { name: "sam".into(), passphrase: "correct horse".into() });
    world.command(Side::Guest, Command::SecondFactor { code: "123456".into() });
    world.command(Side::Guest, Command::VisitRoom { appointment: appointment_id() });
    world
}

/// The same, let in.
pub(super) fn with_colleague() -> World {
    let mut world = visited();
    admit(&mut world);
    world
}

fn admit(world: &mut World) {
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
}

fn knock(world: &World) -> Option<KnockState> {
    match world.view(Side::Guest).phase {
        Phase::LobbyGuest(lobby) => Some(lobby.knock),
        _ => None,
    }
}

#[test]
fn a_colleague_is_listed_by_its_certificate_and_joins_without_link_or_code() {
    let mut world = visited();
    let knocker = world.knocker();
    assert!(knocker.colleague && knocker.ready);
    assert_eq!(knocker.name.as_deref(), Some("Dr Sam"));
    assert_eq!(knock(&world), Some(KnockState::Listed));
    admit(&mut world);
    for side in [Side::Host, Side::Guest] {
        let members = call(&world, side).members;
        assert_eq!(members[1].name.as_deref(), Some("Dr Sam"));
        assert_eq!((members[1].role, members[1].vouched), (Role::Host, VouchedBy::Practice));
        assert_eq!(members[1].admitted_by, None);
    }
    assert!(!call(&world, Side::Guest).host, "it is in the call, and does not run it");
}

#[test]
fn nobody_is_let_in_before_the_host_said_that_the_others_know() {
    let mut world = visited();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: false });
    assert_eq!(knock(&world), Some(KnockState::Listed));
}

#[test]
fn a_colleague_leaves_and_is_back_at_its_desk() {
    let mut world = visited();
    admit(&mut world);
    world.command(Side::Guest, Command::Leave);
    assert!(goodbye(&world, Side::Guest).host, "there is a desk to go back to");
    assert_eq!(call(&world, Side::Host).members.len(), 1);
    world.command(Side::Guest, Command::Done);
    assert!(matches!(world.view(Side::Guest).phase, Phase::Today(_)));
}

#[test]
fn a_colleague_is_removed_like_anybody() {
    let mut world = visited();
    admit(&mut world);
    world.command(Side::Host, Command::Remove { leaf: 1 });
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Removed);
}

#[test]
fn a_denied_colleague_reads_so() {
    let mut world = visited();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Deny { participant });
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Denied);
}

#[test]
fn somebody_of_another_practice_whom_the_server_lists_is_never_ready() {
    let mut world = World::new();
    world.invite();
    world.start();
    // The server lets a stranger's account in, whose device another practice certified.
    world.practice = crypto::PracticeKey::generate().unwrap().0;
    world.command(Side::Guest, Command::ChooseStaff);
    world.command(Side::Guest, Command::SignIn { name: "eve".into(), passphrase: "correct horse".into() });
    world.command(Side::Guest, Command::SecondFactor { code: "123456".into() });
    world.command(Side::Guest, Command::VisitRoom { appointment: appointment_id() });
    let knocker = world.knocker();
    assert!(!knocker.ready && knocker.name.is_none());
    world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
    assert!(matches!(world.view(Side::Host).phase, Phase::LobbyHost(_)));
}

#[test]
fn a_server_that_leads_a_colleague_into_another_group_leads_it_nowhere() {
    let mut world = visited();
    let body = RelayMessage::Exchange(7, &[9; 16]).encode();
    world.say(Side::Guest, ServerMessage::Relay { from: id(Side::Host), body });
    assert!(world.knocker().ready, "its request for the host's own group stands");
    admit(&mut world);
    assert_eq!(call(&world, Side::Guest).members.len(), 2);
}

#[test]
fn a_made_up_welcome_ends_the_visit_and_a_flood_of_groups_makes_few_keys() {
    let mut world = visited();
    for byte in 0..100 {
        let body = RelayMessage::Exchange(7, &[byte; 16]).encode();
        world.say(Side::Guest, ServerMessage::Relay { from: id(Side::Host), body });
    }
    let sent = world.guest.trace.iter().filter(|kind| **kind == "send").count();
    assert!(sent < 12, "{sent} messages");
    world.say(Side::Guest, ServerMessage::Admitted { seq: 1, epoch: 0, welcome: Opaque::new(vec![1; 900]) });
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::E2e05);
}

#[test]
fn a_host_that_lost_its_group_makes_the_colleague_wait_again() {
    let mut world = visited();
    admit(&mut world);
    let state = LobbyState::Waiting { host_present: false, position: 1 };
    world.say(Side::Guest, ServerMessage::Lobby { state });
    assert_eq!(knock(&world), Some(KnockState::WaitingForHost));
    let gone = |c: &MediaCommand| matches!(c, MediaCommand::RemovePeer(l) if *l == leaf(0));
    assert!(world.guest.media.iter().any(gone));
}
