//! A bounded model of invitation, lobby, group, removal and succession: every interleaving of the clients and a hostile
//! server.
//!
//! The clients are the host, guest A with an invitation, and guest B, who is a member already and may be removed; in
//! [`Start::Staffed`] the host, B and a deputy, who may step in or be handed the call, and B may ask to leave.
//! The server is everything between them: it delivers, drops, duplicates, replays and reorders, and it invents whatever
//! it can build. It reads the link's channel or the code's, and it has an ally (see [`world::Ally`]).
//!
//! | counted, up to [`MESSAGES`] | free, in between | bounded apart |
//! | --- | --- | --- |
//! | what the server hands to a client: messages 1 to 4, Welcomes, commits | clicks, the answer leaving, heartbeats over the peers' own channel | A knocks twice, the host opens four exchanges and removes one member, A and B update once, B asks to leave once; no path updates with a deputy |
//!
//! Cryptography is perfect but for what the setting breaks: terms that cannot be made without their secrets.
//! Left out: the lobby card, media frames, time (an alarm is due at once, not after its grace), recovery after an alarm,
//! the return of a lost guest, staff who join, a second deputy, the order of the list of hosts, the age of a leave request,
//! whom a hostile deputy admits once it hosts, a guest who mistypes the code, and a host that crashes.
//!
//! - [`term`]: messages, keys and epochs. [`world`]: one state, and the settings.
//! - [`client`]: the honest rules. [`server`]: the attacker's moves. [`property`]: what it knows, and what must hold.
//! - [`explore`]: breadth first, with the shortest counterexample; [`show`]: its steps in words.
//!
//! `cargo test -p tests model -- --nocapture` prints states, transitions, depth and counterexamples.

mod client;
mod explore;
mod property;
mod server;
mod show;
mod term;
mod world;

use explore::{Found, Sight, explore};
use property::PROPERTIES;
use term::{Change, Commit, Epochs, Hosts, Who};
use world::{Alarm, Ally, Flaw, Leak, Phase, Setting, World};

/// Most messages that the server hands over.
const MESSAGES: usize = 6;

/// What must be reachable, or the properties would say nothing.
const SIGHTS: [(&str, Sight); 12] = [
    ("host and A meet in one epoch", |world, _| {
        matches!(world.phase, Phase::Joined(_)) && world.member(Who::A).epoch == world.member(Who::Host).epoch
    }),
    ("A is refused and knocks again", |world, _| world.knocks == 2 && world.guest_tries < 3),
    ("all three tries are spent", |world, _| world.desk.spent == 3),
    ("the invitation is consumed", |world, _| world.desk.consumed),
    ("the host is without B", |world, epochs| {
        world.member(Who::Host).epoch.is_some_and(|epoch| !epochs.group(epoch).has(Who::B))
    }),
    ("a commit loses its race", |world, epochs| {
        let of_b = |commit: Commit| commit.by == Who::B && commit.change == Change::Update;
        world.member(Who::Host).epoch.is_some_and(|epoch| epochs.group(epoch).commit.is_some_and(of_b))
    }),
    ("a fork is noticed", |world, _| world.members.iter().any(|member| member.alarm == Some(Alarm::Partition))),
    ("a withheld commit is noticed", |world, _| {
        world.members.iter().any(|member| member.alarm == Some(Alarm::Withheld))
    }),
    ("a deputy has stepped in beside the host", |world, epochs| {
        stands(world, epochs, Who::Host, Hosts::only(Who::Host).with(Who::Deputy))
    }),
    ("the host has handed over", |world, epochs| stands(world, epochs, Who::Host, Hosts::only(Who::Deputy))),
    ("a deputy has removed B", |world, epochs| {
        let removal = |commit: Commit| commit.by == Who::Deputy && commit.change == Change::Remove(Who::B);
        world.members.iter().filter_map(|member| member.epoch).any(|epoch| epochs.history(epoch).any(removal))
    }),
    ("B has left at its own request", |world, epochs| {
        let leave = |commit: Commit| matches!(commit.change, Change::Leave { .. });
        world.members.iter().filter_map(|member| member.epoch).any(|epoch| epochs.history(epoch).any(leave))
    }),
];

fn stands(world: &World, epochs: &Epochs, who: Who, hosts: Hosts) -> bool {
    world.member(who).epoch.is_some_and(|epoch| epochs.group(epoch).hosts == hosts)
}

/// Where an exploration begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// The host and B are in the call, A holds an invitation.
    Lobby,
    /// All three are in the call.
    Call,
    /// The host, B and a deputy are in the call; A's invitation is consumed.
    Staffed,
}

fn run(start: Start, setting: &Setting) -> Found {
    let mut epochs = match start {
        Start::Lobby | Start::Call => Epochs::new(&[Who::Host, Who::B]),
        Start::Staffed => Epochs::new(&[Who::Host, Who::B, Who::Deputy]),
    };
    let world = match start {
        Start::Lobby => World::lobby(),
        Start::Call => server::admitted(setting, &mut epochs),
        Start::Staffed => World::staffed(),
    };
    explore(world, epochs, setting, MESSAGES, &SIGHTS.map(|(_, sight)| sight))
}

fn honest(leak: Leak, ally: Ally) -> Setting {
    Setting { leak, ally, flaw: None }
}

/// The figures of a run, for people; hidden unless `--nocapture` is given.
#[expect(clippy::print_stdout, reason = "the figures of the model are read by people, with --nocapture")]
fn tell(start: Start, setting: &Setting, found: &Found) {
    println!(
        "model: from {start:?}, {:?} leaked, ally {:?}, flaw {:?}: {} states, {} transitions, depth {} steps, {MESSAGES} messages",
        setting.leak, setting.ally, setting.flaw, found.states, found.transitions, found.depth
    );
    match &found.violation {
        None => {
            for (property, _) in PROPERTIES {
                println!("  holds: {property}");
            }
            for ((name, _), count) in SIGHTS.iter().zip(&found.sights) {
                println!("  seen in {count} states: {name}");
            }
        }
        Some(violation) => {
            println!("  violated: {}", violation.property);
            for (at, step) in violation.trace.iter().enumerate() {
                println!("  {:2}. {step}", at + 1);
            }
        }
    }
}

#[test]
fn every_property_holds_whichever_channel_leaks_and_whoever_helps() {
    let mut seen = [0; SIGHTS.len()];
    // In the call the invitation is consumed: there it makes no difference which channel has leaked.
    let starts = [
        (Start::Lobby, Leak::Link, &[Ally::B, Ally::BrokenKem][..]),
        (Start::Lobby, Leak::Code, &[Ally::B, Ally::BrokenKem]),
        (Start::Call, Leak::Link, &[Ally::B, Ally::BrokenKem]),
        (Start::Staffed, Leak::Link, &[Ally::B, Ally::Deputy, Ally::BrokenKem]),
    ];
    for (start, leak, allies) in starts {
        for &ally in allies {
            let setting = honest(leak, ally);
            let found = run(start, &setting);
            tell(start, &setting, &found);
            assert!(found.violation.is_none());
            for (sum, count) in seen.iter_mut().zip(&found.sights) {
                *sum += count;
            }
        }
    }
    for ((name, _), count) in SIGHTS.iter().zip(seen) {
        assert!(count > 0, "the model never comes to where {name}");
    }
}

#[test]
fn each_flaw_is_caught_by_the_property_that_it_breaks() {
    let cases = [
        (Start::Lobby, Flaw::NoPsk, Leak::Link, Ally::BrokenKem, 0),
        (Start::Call, Flaw::RemoveWithoutPath, Leak::Link, Ally::B, 1),
        (Start::Lobby, Flaw::PackageNotBound, Leak::Code, Ally::BrokenKem, 2),
        (Start::Lobby, Flaw::AnybodyMayAdd, Leak::Code, Ally::B, 2),
        (Start::Lobby, Flaw::NoSignerCheck, Leak::Code, Ally::B, 3),
        (Start::Lobby, Flaw::NeverConsumed, Leak::Code, Ally::BrokenKem, 4),
        (Start::Lobby, Flaw::NoBoundOnTries, Leak::Link, Ally::BrokenKem, 5),
        (Start::Lobby, Flaw::TrySpentAfterAnswer, Leak::Link, Ally::BrokenKem, 6),
        (Start::Lobby, Flaw::NoLinkProof, Leak::Code, Ally::BrokenKem, 7),
        (Start::Call, Flaw::NoHeartbeatCompare, Leak::Code, Ally::BrokenKem, 8),
        (Start::Call, Flaw::NewerEpochIgnored, Leak::Code, Ally::BrokenKem, 8),
        (Start::Call, Flaw::SealsWhileRemoving, Leak::Code, Ally::BrokenKem, 9),
        (Start::Staffed, Flaw::DeputyNamesAnybody, Leak::Link, Ally::Deputy, 10),
        (Start::Staffed, Flaw::AnybodyStepsIn, Leak::Link, Ally::B, 11),
        (Start::Staffed, Flaw::FormerHostKept, Leak::Link, Ally::BrokenKem, 12),
        (Start::Staffed, Flaw::LeaveNotSigned, Leak::Link, Ally::B, 13),
    ];
    let mut caught = [false; PROPERTIES.len()];
    for (start, flaw, leak, ally, property) in cases {
        let setting = Setting { leak, ally, flaw: Some(flaw) };
        let found = run(start, &setting);
        tell(start, &setting, &found);
        let violation = found.violation.unwrap_or_else(|| panic!("{flaw:?} was not caught"));
        assert_eq!(violation.property, PROPERTIES[property].0, "{flaw:?}");
        caught[property] = true;
    }
    assert_eq!(caught, [true; PROPERTIES.len()], "a property that nothing can break says nothing");
}

#[test]
fn whoever_has_link_and_code_gets_in_as_the_design_admits() {
    let setting = honest(Leak::Both, Ally::BrokenKem);
    let found = run(Start::Lobby, &setting);
    tell(Start::Lobby, &setting, &found);
    assert_eq!(found.violation.unwrap().property, PROPERTIES[0].0);
}
