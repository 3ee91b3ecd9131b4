//! Attacks on the way in: the invitation exchange, and the admission.

use serde_json::{Value, json};

use super::operator::{Answer, Line, Operator, Said, Scene, Way, guest, opaque};

/// Where message 2 holds the host's leaf key: behind version, number, invitation, group, role, mode, delivery
/// and attempt.
const HOST_KEY: std::ops::Range<usize> = 42..74;
/// Where message 3 holds the length of its first field: behind version, number, invitation and attempt.
const PROOF_FIELDS: usize = 23;
/// Somebody who does not exist.
pub(super) const GHOST: &str = "66666666666666666666666666666666";
/// What the operator gives a client in place of a session.
const FORGED_SESSION: &str = "Zm9yZ2Vk";

/// Writes version 0 into messages 1 and 2.
pub(super) fn old_version() -> impl Operator {
    |mut said: Said| {
        if let Some((number @ 1..=2, mut message)) = said.exchange()
            && let Some(version) = message.get_mut(..2)
        {
            version.fill(0);
            said.set_exchange(number, &message);
        }
        vec![said]
    }
}

/// Puts a key package in place of the one in every proof: `package`, else that of the proof before, else a damaged one.
pub fn swap_key_package(package: Option<Vec<u8>>) -> impl Operator {
    let mut other = package;
    move |mut said: Said| {
        if said.way == Way::Up
            && let Some((3, message)) = said.exchange()
            && let Some((before, own, after)) = key_package(&message)
        {
            let put = other.clone().unwrap_or_else(|| {
                let mut damaged = own.to_vec();
                damaged.last_mut().into_iter().for_each(|byte| *byte ^= 1);
                damaged
            });
            other.get_or_insert_with(|| own.to_vec());
            let length = u16::try_from(put.len()).unwrap_or_default().to_be_bytes();
            said.set_exchange(3, &[before, &length, &put, after].concat());
        }
        vec![said]
    }
}

/// A proof around its key package: what stands before its length, itself, what comes behind.
#[must_use]
pub fn key_package(message: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let length = |at: usize| Some(usize::from(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?)));
    let at = PROOF_FIELDS + 2 + length(PROOF_FIELDS)?;
    let end = at + 2 + length(at)?;
    Some((message.get(..at)?, message.get(at + 2..end)?, message.get(end..)?))
}

/// Puts another leaf key in place of the host's.
pub(super) fn fake_host() -> impl Operator {
    |mut said: Said| {
        if said.way == Way::Down
            && let Some((2, mut message)) = said.exchange()
            && let Some(key) = message.get_mut(HOST_KEY)
        {
            key.fill(0x66);
            said.set_exchange(2, &message);
        }
        vec![said]
    }
}

/// Repeats what every guest says to the host, in the name of somebody invented with the same invitation.
pub(super) fn replay_knock() -> impl Operator {
    let mut scene = Scene::default();
    move |mut said: Said| {
        scene.note(&said);
        if said.is(Way::Up, "relay") && said.message["to"] == GHOST {
            return Vec::new();
        }
        if said.is(Way::Down, "waiting")
            && let Some(guests) = said.message["guests"].as_array_mut()
            && let Some(mut ghost) = guests.first().cloned()
        {
            ghost["participant"] = GHOST.into();
            guests.push(ghost);
        }
        let copy = said.is(Way::Down, "relay").then(|| said.clone()).map(|mut copy| {
            copy.message["from"] = GHOST.into();
            copy
        });
        // The host hears the ghost behind the guest.
        let to_host = copy.filter(|copy| scene.host() == Some(copy.line));
        std::iter::once(said).chain(to_host).collect()
    }
}

/// Admits whoever knocks, with a made-up Welcome.
pub(super) fn early_admission() -> impl Operator {
    |said: Said| {
        let admitted = said.is(Way::Up, "relay") && matches!(said.exchange(), Some((1, _)));
        let line = said.line;
        std::iter::once(said).chain(admitted.then(|| welcome(line, 1, &[7; 4096]))).collect()
    }
}

/// Admits whoever sent the lobby card, with a made-up Welcome.
pub(super) fn forge_welcome() -> impl Operator {
    |said: Said| {
        let proven = said.is(Way::Up, "relay") && matches!(said.exchange(), Some((5, _)));
        let line = said.line;
        std::iter::once(said).chain(proven.then(|| welcome(line, 1, &[7; 4096]))).collect()
    }
}

/// Keeps the first Welcome, and hands it to everybody.
pub(super) fn replay_welcome() -> impl Operator {
    let mut first: Option<Vec<u8>> = None;
    move |mut said: Said| {
        if !said.is(Way::Down, "admitted") {
            return vec![said];
        }
        match &first {
            Some(welcome) => {
                said.set_bytes("/welcome", welcome);
                vec![said]
            }
            None => {
                first = Some(said.bytes("/welcome"));
                vec![said.clone(), said]
            }
        }
    }
}

/// An admission that nobody decided.
#[must_use]
pub fn welcome(line: Line, seq: u64, bytes: &[u8]) -> Said {
    let message = json!({"type": "admitted", "seq": seq, "epoch": 0, "welcome": opaque(bytes)});
    Said::new(line, Way::Down, message)
}

/// Opens a used link once more: answers for the real server, which would refuse, and plays the lobby to its guest.
#[derive(Debug, Default)]
pub(super) struct OfferUsedAgain {
    scene: Scene,
    invitation: Value,
    guest: Option<Line>,
    waiting: bool,
}

impl Operator for OfferUsedAgain {
    fn answer(&mut self, mut answer: Answer) -> Answer {
        match answer.path.as_str() {
            "/v1/join/lookup" => answer.body["refusal"] = Value::Null,
            "/v1/join/redeem" if answer.status != 200 => {
                self.invitation = answer.request["invite_id"].clone();
                answer.status = 200;
                answer.body = json!({"guest_session": FORGED_SESSION, "expires_at": u32::MAX});
            }
            _ => {}
        }
        answer
    }

    fn live(&mut self, mut said: Said) -> Vec<Said> {
        self.scene.note(&said);
        if said.is(Way::Up, "hello") && said.message["token"] == FORGED_SESSION {
            self.guest = Some(said.line);
            let ready = json!({"type": "ready", "participant": GHOST, "version": said.message["version"]});
            return vec![Said::new(said.line, Way::Down, ready)];
        }
        if said.way == Way::Up && self.guest == Some(said.line) {
            return self.on_guest(&said);
        }
        if said.is(Way::Up, "relay") && said.message["to"] == GHOST {
            let Some(guest) = self.guest else { return Vec::new() };
            let from = self.scene.participant(said.line).unwrap_or(GHOST).to_owned();
            let relay = json!({"type": "relay", "from": from, "body": said.message["body"]});
            return vec![Said::new(guest, Way::Down, relay)];
        }
        if self.waiting
            && said.is(Way::Down, "waiting")
            && let Some(guests) = said.message["guests"].as_array_mut()
        {
            guests.push(self.listed());
        }
        vec![said]
    }
}

impl OfferUsedAgain {
    fn on_guest(&mut self, said: &Said) -> Vec<Said> {
        let Some(host) = self.scene.host() else { return Vec::new() };
        match said.kind() {
            "enter_lobby" => {
                self.waiting = true;
                let state = json!({"kind": "waiting", "host_present": true, "position": 1});
                let lobby = json!({"type": "lobby", "state": state});
                let waiting = json!({"type": "waiting", "guests": [self.listed()]});
                vec![Said::new(host, Way::Down, waiting), Said::new(said.line, Way::Down, lobby)]
            }
            "relay" => {
                let relay = json!({"type": "relay", "from": GHOST, "body": said.message["body"]});
                vec![Said::new(host, Way::Down, relay)]
            }
            _ => Vec::new(),
        }
    }

    fn listed(&self) -> Value {
        json!({"participant": GHOST, "visitor": guest(&self.invitation), "waited_ms": 0})
    }
}
