//! Policy and the intake of the log. See [`crate::fuzz`].

use std::cell::RefCell;

use super::{
    attached::Attached,
    craft::{Crafted, craft, raw_application},
    join::{Expected, join},
    policy::Policy,
    profile::Provider,
    *,
};
use crate::{
    CallMode, GuestInvitation, OwnedInvitation,
    fuzz::{NOW, Practice},
    identity::SigningKey,
};

pub(crate) fn policy(bytes: &[u8]) {
    if let Some(policy) = Policy::decode(bytes) {
        assert_eq!(policy.encode(), bytes, "one policy has one spelling");
    }
}

/// What stands beside a commit in clear.
pub(crate) fn attached(bytes: &[u8]) {
    if let Some(attached) = Attached::read(bytes) {
        assert_eq!(attached.encode(), bytes, "one proof has one spelling");
    }
}

/// A request to leave in another's name.
pub(crate) fn leave_request(bytes: &[u8]) {
    Pair::with(|pair| {
        let leaf = pair.guest.own_leaf();
        assert!(pair.host.remove_leaver(leaf, bytes).is_err(), "nobody else has the leaf key");
        assert!(pair.host.is_active());
    });
}

/// An entry of the log as the server may invent it.
pub(crate) fn message(bytes: &[u8]) {
    Pair::with(|pair| {
        for member in [&mut pair.host, &mut pair.guest] {
            let entries = [
                LogEntry::Application { body: bytes },
                LogEntry::Commit { commit: bytes, invite_psk: None },
                LogEntry::Commit { commit: bytes, invite_psk: Some(bytes) },
            ];
            for entry in entries {
                assert!(member.handle(NOW, entry).is_err(), "the server is no member");
            }
            assert!(member.is_active(), "a message of nobody ends no call");
        }
    });
}

/// The content of an application message of a member.
pub(crate) fn content(bytes: &[u8]) {
    Pair::with(|pair| {
        let body = raw_application(&mut pair.guest, bytes);
        let heard = pair.host.handle(NOW, LogEntry::Application { body: &body });
        let is_data = bytes.first() == Some(&0);
        assert_eq!(heard.is_ok(), is_data, "{heard:?}");
    });
}

/// What a member sealed as the pre-shared key beside a commit.
pub(crate) fn invite_psk(bytes: &[u8]) {
    Pair::with(|pair| {
        let psk = raw_application(&mut pair.guest, bytes);
        let entry = LogEntry::Commit { commit: &pair.broken_commit, invite_psk: Some(&psk) };
        assert!(pair.host.handle(NOW, entry).is_err(), "the commit is broken");
        assert!(pair.host.is_active(), "a commit of nobody ends no call");
    });
}

/// A heartbeat as it comes over an association.
pub(crate) fn heartbeat(bytes: &[u8]) {
    Pair::with(|pair| {
        let sender = pair.guest.own_leaf();
        assert!(pair.host.check_heartbeat(sender, bytes).is_err(), "nobody else has the leaf key");
    });
}

/// A Welcome to somebody whose key package it does not name.
pub(crate) fn welcome(bytes: &[u8]) {
    let expected = Practice::with(|practice| {
        let (host_credential, host_leaf_key) = practice.call.host_leaf().expect("the host is there");
        Expected {
            group_id: practice.call.group_id(),
            signer: Signer::Leaf { key: host_leaf_key, credential: host_credential },
            practice: practice.call.practice(),
            mode: CallMode::Real,
            call_id: None,
            deny: None,
            psk_id: Some(b"inv/1/1".to_vec()),
        }
    });
    let leaf_key = SigningKey::generate().expect("there are random bytes");
    assert!(join(Provider::default(), leaf_key, &expected, NOW, bytes).is_err());
}

/// A host and a guest who may be hostile, kept over many inputs.
struct Pair {
    host: CallGroup,
    guest: CallGroup,
    /// A commit of the guest with a changed tag: it passes every check before its decryption.
    broken_commit: Vec<u8>,
    messages: u32,
}

thread_local! {
    static PAIR: RefCell<Option<Pair>> = const { RefCell::new(None) };
}

impl Pair {
    /// Runs with the pair of this thread; a new one after so many messages that a ratchet would end.
    fn with(work: impl FnOnce(&mut Self)) {
        PAIR.with_borrow_mut(|slot| {
            let pair = slot.take().filter(|pair| pair.messages < 100_000).unwrap_or_else(Self::new);
            let pair = slot.insert(pair);
            pair.messages += 1;
            work(pair);
        });
    }

    fn new() -> Self {
        let Practice { mut call, terms, .. } = Practice::new();
        let (mut owned, link, code) = OwnedInvitation::create(terms).expect("the terms are in bounds");
        let mut guest = GuestInvitation::new(link);
        let message1 = guest.knock(&code).expect("a first knock");
        let knock = owned.on_knock(NOW, &message1, &call).expect("the host answers");
        let message3 = guest.on_challenge(NOW, &knock.message2).expect("the code is right");
        let proof = owned.on_proof(NOW, &message3).expect("the code is right");
        guest.on_confirm(&proof.message4).expect("the host knows the code");
        let bundle = call.admit(&proof.guest).expect("the host admits");
        call.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk: None }).expect("its echo");
        let mut guest = guest.join(NOW, &bundle.welcome.unwrap_or_default()).expect("the guest joins");
        let mut broken_commit = craft(&mut guest, &Crafted::Remove(call.own_leaf()));
        if let Some(last) = broken_commit.last_mut() {
            *last ^= 1;
        }
        Self { host: call, guest, broken_commit, messages: 0 }
    }
}
