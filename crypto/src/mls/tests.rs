//! The group as its members and its attackers see it.

use super::*;
use crate::{
    error::{GroupError, PolicyViolation},
    id::LeafIndex,
    sframe::{KeyRing, MediaContext},
    testing::{Clinic, NOW, deliver, handle},
};

fn leaf(index: u32) -> LeafIndex {
    LeafIndex::new(index).unwrap()
}

fn application<'a>(body: &'a [u8]) -> LogEntry<'a> {
    LogEntry::Application { body }
}

#[test]
fn a_guest_joins_and_both_hear_each_other() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let [host, guest] = &mut members[..] else { unreachable!() };
    assert_eq!((host.epoch(), guest.epoch()), (1, 1));
    assert_eq!(host.authenticator(), guest.authenticator());
    let (epoch, body) = host.seal(b"offer").unwrap();
    assert_eq!(epoch, 1);
    assert_eq!(host.handle(NOW, application(&body)), Ok(Inbound::Echo));
    let heard = Inbound::Application { sender: leaf(0), data: b"offer".to_vec() };
    assert_eq!(guest.handle(NOW, application(&body)), Ok(heard));
    let replayed = guest.handle(NOW, application(&body));
    assert_eq!(replayed, Err(GroupError::Undecryptable));

    let (mut ours, mut ring) = (host.media_keys().unwrap().into_parts().0, KeyRing::new());
    let now = std::time::Duration::ZERO;
    ring.install(guest.media_keys().unwrap().into_parts().1, now, now);
    let frame = ours.audio.seal(b"voice".to_vec()).unwrap().into_vec();
    let opened = ring.open(leaf(0), MediaContext::Audio, frame, now).unwrap();
    assert_eq!(opened.as_bytes(), b"voice");
    assert_eq!(host.media_keys().unwrap_err(), GroupError::KeysTaken);
}
