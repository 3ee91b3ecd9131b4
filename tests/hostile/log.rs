//! Attacks on the call's log, and on what the server says about who is there.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::door::GHOST;
use super::operator::{Operator, Said, Scene, Way, guest, opaque};

/// How late a late entry comes: long enough to be overtaken, shorter than a client's patience.
const LATE: Duration = Duration::from_millis(300);

/// Says that the members have gone and others are there, and lists somebody at the door.
pub(super) fn forge_presence() -> impl Operator {
    let mut scene = Scene::default();
    move |mut said: Said| {
        scene.note(&said);
        let line = said.line;
        let mut also = Vec::new();
        if said.is(Way::Down, "entry") {
            for (participant, present) in [(said.message["from"].clone(), false), (GHOST.into(), true)] {
                let presence = json!({"type": "presence", "participant": participant, "present": present});
                also.push(Said::new(line, Way::Down, presence));
            }
            if scene.host() == Some(line) {
                also.push(Said::new(line, Way::Down, json!({"type": "waiting", "guests": [ghost()]})));
            }
        }
        if said.is(Way::Down, "waiting")
            && let Some(guests) = said.message["guests"].as_array_mut()
        {
            guests.push(ghost());
        }
        std::iter::once(said).chain(also).collect()
    }
}

fn ghost() -> serde_json::Value {
    json!({"participant": GHOST, "visitor": guest(&GHOST.into()), "waited_ms": 1000})
}

/// Delivers every entry three times.
pub(super) fn duplicate() -> impl Operator {
    |said: Said| if said.is(Way::Down, "entry") { vec![said.clone(), said.clone(), said] } else { vec![said] }
}

/// Delivers every second entry late.
pub(super) fn reorder() -> impl Operator {
    |mut said: Said| {
        if said.is(Way::Down, "entry") && said.message["seq"].as_u64().is_some_and(|seq| seq % 2 == 0) {
            said.after = LATE;
        }
        vec![said]
    }
}

/// Changes the last byte of every commit before it comes back to its host.
pub(super) fn alter_echo() -> impl Operator {
    let mut scene = Scene::default();
    move |mut said: Said| {
        scene.note(&said);
        let to_host = scene.host() == Some(said.line);
        if to_host && said.is(Way::Down, "entry") && said.message["entry"]["kind"] == "commit" {
            flip_last(&mut said, "/entry/commit");
        }
        vec![said]
    }
}

/// Changes the last byte of every message between members.
pub(super) fn alter_messages() -> impl Operator {
    |mut said: Said| {
        if said.is(Way::Down, "entry") && said.message["entry"]["kind"] == "application" {
            flip_last(&mut said, "/entry/body");
        }
        vec![said]
    }
}

/// Slips a commit of somebody outside into every member's log (RFC 9420 12.4.3.2), once for each.
///
/// Its head is right: the group's id and epoch stand in clear in every message of the log. What would make MLS itself take
/// it, the group's public key for outsiders, is published to nobody.
pub(super) fn stranger_commit() -> impl Operator {
    let mut done = BTreeSet::new();
    move |said: Said| {
        let message = said.bytes("/entry/body");
        let to_member = said.is(Way::Down, "entry") && said.message["entry"]["kind"] == "application";
        let Some((group_id, epoch)) = head(&message).filter(|_| to_member && done.insert(said.line)) else {
            return vec![said];
        };
        // mls10, mls_public_message; sender new_member_commit, no authenticated data, a commit.
        let forged = [&[0, 1, 0, 1], group_id, epoch, &[4, 0, 3], &[0; 200]].concat();
        let entry = json!({"kind": "commit", "commit": opaque(&forged)});
        let from = said.message["from"].clone();
        let slipped = json!({"type": "entry", "epoch": said.message["epoch"], "from": from, "entry": entry});
        let slipped = Said::new(said.line, Way::Down, slipped);
        vec![said, slipped]
    }
}

/// Group id, its length included, and epoch of a `PrivateMessage` (RFC 9420 6.3).
fn head(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let fields = message.get(4..)?;
    let end = 1 + usize::from(*fields.first().filter(|length| **length < 64)?);
    Some((fields.get(..end)?, fields.get(end..end + 8)?))
}

/// Swallows every commit that takes somebody out.
pub(super) fn drop_removal() -> impl Operator {
    |said: Said| {
        let removes = said.is(Way::Up, "commit") && said.message["intent"]["kind"] == "remove";
        if removes { Vec::new() } else { vec![said] }
    }
}

/// Delivers every commit to its host alone, and nothing of what guests would find missing behind it.
pub(super) fn withhold_commits() -> impl Operator {
    let (mut scene, mut withheld) = (Scene::default(), BTreeSet::new());
    move |said: Said| {
        scene.note(&said);
        let to_guest = said.is(Way::Down, "entry") && scene.is_guest(said.line);
        if to_guest && said.message["entry"]["kind"] == "commit" {
            withheld.insert(said.line);
        }
        if to_guest && withheld.contains(&said.line) { Vec::new() } else { vec![said] }
    }
}

fn flip_last(said: &mut Said, pointer: &str) {
    let mut bytes = said.bytes(pointer);
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
        said.set_bytes(pointer, &bytes);
    }
}
