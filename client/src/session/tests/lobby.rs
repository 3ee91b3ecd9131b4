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
fn a_used_invitation_leaves_the_hosts_memory_with_the_call() {
    let mut world = World::in_call();
    let Stage::Host(hosting) = &world.host.session.stage else { panic!("the host is not in the call") };
    assert!(hosting.desk.invitations.values().all(crypto::OwnedInvitation::is_consumed));
    assert_eq!(hosting.desk.invitations.len(), 1, "a guest that lost its memory may need it");
    world.command(Side::Host, Command::EndForAll);
    let Stage::Goodbye(ended) = &world.host.session.stage else { panic!("the host has not left") };
    assert!(ended.desk.as_ref().unwrap().invitations.is_empty());
}
