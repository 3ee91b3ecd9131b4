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
