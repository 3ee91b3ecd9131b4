//! The session as a whole, without I/O: two clients and an honest or lying server in memory.

mod assessor;
mod background;
mod colleague;
mod desk;
mod devices;
mod handover;
mod harness;
mod hostile;
mod lobby;
mod returning;
mod share;
mod watch;

use media::transport::{Refusal, Signal, TransportRole};
use media::{DeviceError, DeviceKind, EngineEvent};
use signaling::protocol::{Delivery, Opaque, ParticipantId, ServerMessage};

use super::*;
use crate::connection::SocketEvent;
use harness::{Side, World, id, leaf};

fn call(world: &World, side: Side) -> Call {
    match world.view(side).phase {
        Phase::Call(call) => call,
        other => panic!("{side:?} is not in the call: {other:?}"),
    }
}

fn goodbye(world: &World, side: Side) -> Goodbye {
    match world.view(side).phase {
        Phase::Goodbye(goodbye) => goodbye,
        other => panic!("{side:?} has not left: {other:?}"),
    }
}

fn offer() -> Signal {
    let hex = vec!["AB"; 32].join(":");
    Signal::Offer { sdp: format!("v=0\r\na=fingerprint:sha-256 {hex}\r\n") }
}

#[test]
fn a_guest_with_link_and_code_is_admitted_and_both_see_the_same_two_members() {
    let world = World::in_call();
    let (host, guest) = (call(&world, Side::Host), call(&world, Side::Guest));
    let roster = |call: &Call| call.members.iter().map(|row| (row.leaf, row.role, row.vouched)).collect::<Vec<_>>();
    assert_eq!(roster(&host), [(0, Role::Host, VouchedBy::Practice), (1, Role::Patient, VouchedBy::Invitation)]);
    assert_eq!(roster(&host), roster(&guest));
    assert_eq!(host.members[1].name.as_deref(), Some("Grace"));
    assert_eq!(guest.members[0].name.as_deref(), Some("Dr Ada"));
    assert!(host.encrypted && guest.encrypted && host.epoch == 1 && guest.epoch == 1);
    assert!(host.members[0].you && guest.members[1].you);
}

#[test]
fn the_newer_member_offers_and_both_install_the_new_keys_at_once() {
    let world = World::in_call();
    let has = |side, wanted: &dyn Fn(&MediaCommand) -> bool| world.client(side).media.iter().any(wanted);
    assert!(has(Side::Guest, &|c| matches!(c, MediaCommand::AddPeer(l, TransportRole::Offer) if *l == leaf(0))));
    assert!(has(Side::Host, &|c| matches!(c, MediaCommand::AddPeer(l, TransportRole::Answer) if *l == leaf(1))));
    for side in [Side::Host, Side::Guest] {
        assert!(has(side, &|c| matches!(c, MediaCommand::InstallEpoch { at_once: true, .. })));
    }
}

#[test]
fn the_host_sees_badge_and_card_before_it_decides() {
    let knocker = World::knocked().knocker();
    assert_eq!(knocker.name.as_deref(), Some("Grace"));
    assert!(knocker.badge.link_ok && knocker.badge.code_ok && !knocker.badge.code_failed && knocker.ready);
}

#[test]
fn the_chime_rings_once_for_who_proved_link_and_code_and_not_before() {
    let rings = |world: &World| world.host.media.iter().filter(|c| matches!(c, MediaCommand::Chime)).count();
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    let wrong = if code.starts_with('1') { "2222 2222" } else { "1111 1111" };
    world.walk_in(&link, wrong);
    assert_eq!(rings(&world), 0);
    world.command(Side::Guest, Command::EnterCode { code: code.as_str().into() });
    assert_eq!(rings(&world), 1);
    assert!(!world.guest.media.iter().any(|c| matches!(c, MediaCommand::Chime)));
}

#[test]
fn nobody_is_admitted_without_the_hosts_word_on_identity() {
    let mut world = World::knocked();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: false });
    assert!(matches!(world.view(Side::Host).phase, Phase::LobbyHost(_)));
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)));
}

#[test]
fn a_try_is_stored_before_its_answer_leaves() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    world.host.trace.clear();
    world.walk_in(&link, &code);
    assert_eq!(world.host.trace.first(), Some(&"store"), "{:?}", world.host.trace);
}

#[test]
fn a_wrong_code_brings_the_field_back_and_the_host_is_told() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    let wrong = if code.starts_with('1') { "2222 2222" } else { "1111 1111" };
    world.walk_in(&link, wrong);
    let Phase::JoinCode(page) = world.view(Side::Guest).phase else { panic!("the code page") };
    assert_eq!(page.tries_left, Some(2));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Inv03);
    let badge = world.knocker().badge;
    assert_eq!((badge.link_ok, badge.code_ok, badge.code_failed, badge.tries_left), (true, false, true, 2));
    // The right one then goes on from there, without another page.
    world.command(Side::Guest, Command::EnterCode { code: code.as_str().into() });
    assert!(world.knocker().badge.code_ok && world.knocker().badge.code_failed);
}

#[test]
fn three_wrong_codes_lock_the_invitation() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    let wrong = if code.starts_with('1') { "2222 2222" } else { "1111 1111" };
    world.walk_in(&link, wrong);
    world.command(Side::Guest, Command::EnterCode { code: wrong.into() });
    world.command(Side::Guest, Command::EnterCode { code: wrong.into() });
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Inv04);
    assert_eq!(world.knocker().badge.tries_left, 0);
}

#[test]
fn a_guest_who_comes_first_knocks_by_itself_when_the_host_comes() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.walk_in(&link, &code);
    let Phase::LobbyGuest(lobby) = world.view(Side::Guest).phase else { panic!("the lobby") };
    assert_eq!((lobby.host_present, lobby.knock), (false, KnockState::WaitingForHost));
    world.start();
    assert!(world.knocker().ready);
}

#[test]
fn a_damaged_link_is_told_and_nothing_is_asked_of_any_server() {
    let mut world = World::new();
    let (link, _code) = world.invite();
    world.command(Side::Guest, Command::ChooseGuest);
    world.command(Side::Guest, Command::PasteLink { text: link[..link.len() - 2].into() });
    assert!(matches!(world.view(Side::Guest).phase, Phase::JoinLink(_)));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Inv01);
}

#[test]
fn the_practices_phone_is_the_signed_one_and_not_the_servers() {
    let world = World::knocked();
    assert_eq!(world.view(Side::Guest).practice.unwrap().phone, "02 5550 0000");
}

#[test]
fn a_welcome_that_nobody_asked_for_is_dropped() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.walk_in(&link, &code);
    world.say(Side::Guest, ServerMessage::Admitted { seq: 1, epoch: 0, welcome: Opaque::new(vec![1; 900]) });
    assert!(matches!(world.view(Side::Guest).phase, Phase::LobbyGuest(_)));
}

#[test]
fn presence_of_a_stranger_changes_no_roster() {
    let mut world = World::in_call();
    let before = (call(&world, Side::Host), call(&world, Side::Guest));
    let participant = ParticipantId::from_bytes([66; 16]);
    for side in [Side::Host, Side::Guest] {
        world.say(side, ServerMessage::Presence { participant, present: true });
    }
    assert_eq!((call(&world, Side::Host), call(&world, Side::Guest)), before);
}

#[test]
fn an_entry_from_the_past_or_of_nobody_changes_nothing() {
    let mut world = World::in_call();
    let before = call(&world, Side::Host);
    for entry in world.entries.clone() {
        world.say(Side::Host, entry);
    }
    let junk = Delivery::Application { body: Opaque::new(vec![7; 300]) };
    world.say(Side::Host, ServerMessage::Entry { seq: 99, epoch: 1, from: id(Side::Guest), entry: junk });
    assert_eq!(call(&world, Side::Host), before);
}

#[test]
fn an_offer_reaches_the_other_sides_transport_and_a_repeated_one_does_not() {
    let mut world = World::in_call();
    world.input(Side::Guest, Input::Engine(EngineEvent::Signal { peer: leaf(0), signal: offer() }));
    let offers = |world: &World| {
        world
            .host
            .media
            .iter()
            .filter(|c| matches!(c, MediaCommand::Signal(l, Signal::Offer { .. }) if *l == leaf(1)))
            .count()
    };
    assert_eq!(offers(&world), 1);
    let last = world.entries.last().cloned().unwrap();
    world.say(Side::Host, last);
    assert_eq!(offers(&world), 1);
}

#[test]
fn an_offer_of_the_older_member_is_refused() {
    let mut world = World::in_call();
    world.input(Side::Host, Input::Engine(EngineEvent::Signal { peer: leaf(1), signal: offer() }));
    assert!(!world.guest.media.iter().any(|c| matches!(c, MediaCommand::Signal(..))));
}

#[test]
fn a_guest_without_a_camera_joins_and_the_host_is_told() {
    let mut world = World::new();
    let (link, code) = world.invite();
    world.start();
    world.walk_in(&link, &code);
    world.input(Side::Guest, Input::Engine(EngineEvent::Device(DeviceError::NotFound(DeviceKind::Camera))));
    world.input(Side::Guest, Input::Device(Device::Microphone, DeviceState::Off));
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    let media = call(&world, Side::Host).members[1].media;
    assert_eq!((media.camera, media.microphone), (SourceState::Missing, SourceState::Missing));
    assert!(world.view(Side::Host).notice.unwrap().person.is_some());
}

#[test]
fn muting_is_told_to_the_others() {
    let mut world = World::in_call();
    world.command(Side::Guest, Command::Mute { muted: true });
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::Off);
    assert!(!call(&world, Side::Guest).microphone_on);
}

#[test]
fn a_guest_who_leaves_is_removed_by_the_hosts_commit_and_the_host_stays() {
    let mut world = World::in_call();
    world.command(Side::Guest, Command::Leave);
    let left = goodbye(&world, Side::Guest);
    assert_eq!((left.reason, left.devices_closed), (GoodbyeReason::Left, true));
    let host = call(&world, Side::Host);
    assert_eq!((host.members.len(), host.epoch), (1, 2));
}

#[test]
fn a_member_who_is_lost_for_fifteen_seconds_is_removed() {
    let mut world = World::in_call();
    world.input(Side::Host, Input::Engine(EngineEvent::Disconnected { peer: leaf(1) }));
    world.wait(16);
    assert_eq!(call(&world, Side::Host).members.len(), 2, "its socket is there");
    world.say(Side::Host, ServerMessage::Presence { participant: id(Side::Guest), present: false });
    world.wait(1);
    assert_eq!(call(&world, Side::Host).members.len(), 1);
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Removed);
}

#[test]
fn a_denied_guest_hears_neutral_words_and_its_devices_close() {
    let mut world = World::knocked();
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Deny { participant });
    let denied = goodbye(&world, Side::Guest);
    assert_eq!((denied.reason, denied.devices_closed), (GoodbyeReason::Denied, true));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Lob04);
}

#[test]
fn the_host_ends_it_for_all_and_goes_back_to_its_desk() {
    let mut world = World::in_call();
    world.input(Side::Guest, Input::Engine(EngineEvent::Undecryptable { peer: leaf(0) }));
    world.command(Side::Host, Command::EndForAll);
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Ended);
    assert!(world.view(Side::Guest).notice.is_none(), "a banner of the call ends with it");
    assert!(goodbye(&world, Side::Host).host && goodbye(&world, Side::Host).devices_closed);
    world.command(Side::Host, Command::Done);
    assert!(matches!(world.view(Side::Host).phase, Phase::Today(_)));
}

#[test]
fn a_message_of_somebody_who_does_not_wait_is_dropped() {
    let mut world = World::in_call();
    world.command(Side::Guest, Command::Leave);
    world.say(Side::Host, ServerMessage::Relay { from: id(Side::Guest), body: Opaque::new(vec![1, 2, 3]) });
    assert_eq!(call(&world, Side::Host).members.len(), 1);
    assert!(call(&world, Side::Host).waiting.is_empty());
}

#[test]
fn a_refused_admission_is_told_and_a_refusal_about_somebody_else_is_not_taken_for_it() {
    let mut world = World::knocked();
    world.deaf = true;
    let participant = world.knocker().participant;
    world.command(Side::Host, Command::Admit { participant, identity_confirmed: true });
    let refused = |about| ServerMessage::Error {
        code: signaling::protocol::ErrorCode::GuestLeft,
        retry_after_s: None,
        participant: Some(about),
    };
    world.say(Side::Host, refused(ParticipantId::from_bytes([66; 16])));
    assert!(world.knocker().admitting);
    world.say(Side::Host, refused(id(Side::Guest)));
    assert!(!world.knocker().admitting);
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::Lob02);
}

#[test]
fn both_read_the_same_words_and_a_yes_verifies_the_roster() {
    let mut world = World::in_call();
    world.command(Side::Guest, Command::SafetyStart);
    let (host, guest) = (call(&world, Side::Host), call(&world, Side::Guest));
    assert!(matches!(host.safety, SafetyState::Compare { .. }));
    assert_eq!(host.safety, guest.safety);
    world.command(Side::Host, Command::SafetyAnswer { matches: true });
    assert!(call(&world, Side::Host).members.iter().all(|row| row.verified));
    assert!(!call(&world, Side::Guest).members[0].verified, "each side decides for itself");
    world.command(Side::Guest, Command::SafetyAnswer { matches: false });
    assert_eq!(call(&world, Side::Host).safety, SafetyState::Mismatch);
    assert_eq!(world.view(Side::Host).notice.unwrap().code, ErrorCode::E2e02);
}

#[test]
fn what_was_lost_with_the_connection_is_sent_again() {
    let mut world = World::in_call();
    world.deaf = true;
    world.command(Side::Guest, Command::Mute { muted: true });
    world.input(Side::Guest, Input::Socket(SocketEvent::Lost(ErrorCode::Net04)));
    assert_eq!(world.view(Side::Guest).connection, ConnectionState::Reconnecting);
    assert_eq!(call(&world, Side::Guest).members.len(), 2, "the call goes on");
    world.deaf = false;
    world.say(Side::Guest, ServerMessage::Ready { participant: id(Side::Guest), version: 1 });
    world.wait(2);
    assert_eq!(call(&world, Side::Host).members[1].media.microphone, SourceState::Off);
}

#[test]
fn another_key_of_the_server_ends_everything() {
    let mut world = World::in_call();
    world.input(Side::Guest, Input::Socket(SocketEvent::KeyDiffers));
    assert_eq!(goodbye(&world, Side::Guest).reason, GoodbyeReason::Failed);
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Auth05);
}

#[test]
fn media_that_does_not_open_is_told_with_the_persons_name() {
    let mut world = World::in_call();
    world.input(Side::Host, Input::Engine(EngineEvent::Undecryptable { peer: leaf(1) }));
    let notice = world.view(Side::Host).notice.unwrap();
    assert_eq!((notice.code, notice.person.as_deref()), (ErrorCode::E2e01, Some("Grace")));
    assert!(call(&world, Side::Host).members[1].media.undecryptable);
    world.input(Side::Host, Input::Engine(EngineEvent::Recovered { peer: leaf(1) }));
    assert!(!call(&world, Side::Host).members[1].media.undecryptable);
    assert!(world.view(Side::Host).notice.is_none(), "the banner goes with its cause");
}

#[test]
fn answers_to_an_earlier_stage_are_dropped() {
    let mut world = World::new();
    world.command(Side::Guest, Command::ChooseStaff);
    world.input(Side::Guest, Input::Reply(0, Reply::Ticket(Err(ErrorCode::Auth01.into()))));
    assert_eq!(world.view(Side::Guest).notice.unwrap().code, ErrorCode::Auth01);
    world.command(Side::Guest, Command::SignIn { name: "x".into(), passphrase: "y".into() });
    world.command(Side::Guest, Command::Back);
    world.command(Side::Guest, Command::Back);
    world.input(Side::Guest, Input::Reply(0, Reply::Ticket(Err(ErrorCode::Auth01.into()))));
    assert!(world.view(Side::Guest).notice.is_none());
}

#[test]
fn whoever_cannot_be_reached_is_not_said_to_have_failed_a_proof() {
    let mut world = World::in_call();
    let told = Some(ErrorCode::E2e04);
    for (reason, expected) in [
        (Refusal::Unreachable, None),
        (Refusal::Handshake, told),
        (Refusal::NoSframe, told),
        (Refusal::Malformed, told),
    ] {
        world.command(Side::Host, Command::Dismiss);
        world.input(Side::Host, Input::Engine(EngineEvent::Refused { peer: leaf(1), reason }));
        assert_eq!(world.view(Side::Host).notice.map(|notice| notice.code), expected, "{reason:?}");
    }
}
