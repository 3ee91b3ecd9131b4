//! What an attack is made of: every message passes an operator, who says what goes on instead.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Clients that an operator keeps apart; the oldest is forgotten first.
const LINES: usize = 64;

/// One live connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(pub u64);

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From a client to the server.
    Up,
    /// From the server to a client.
    Down,
}

/// One live message and where it goes.
#[derive(Clone, Debug)]
pub struct Said {
    /// On whose connection.
    pub line: Line,
    /// To the server or to the client.
    pub way: Way,
    /// How long it is held back; what comes later overtakes it.
    pub after: Duration,
    /// The message, as JSON.
    pub message: Value,
}

/// One answer of the REST interface.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Path that was asked.
    pub path: String,
    /// What was asked.
    pub request: Value,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Value,
}

/// Whoever runs the server.
pub trait Operator: Send {
    /// A live message comes by; what is given back goes on in its place, in this order.
    fn live(&mut self, said: Said) -> Vec<Said>;

    /// An answer comes by; what is given back goes to the client.
    fn answer(&mut self, answer: Answer) -> Answer {
        answer
    }
}

impl<F: FnMut(Said) -> Vec<Said> + Send> Operator for F {
    fn live(&mut self, said: Said) -> Vec<Said> {
        self(said)
    }
}

/// Who waits by this invitation, as the server lists it.
#[must_use]
pub fn guest(invite_id: &Value) -> Value {
    json!({"kind": "guest", "role": "patient", "invite_id": invite_id})
}

/// Changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Operator for Honest {
    fn live(&mut self, said: Said) -> Vec<Said> {
        vec![said]
    }
}

impl Said {
    /// A message that the operator makes up.
    #[must_use]
    pub fn new(line: Line, way: Way, message: Value) -> Self {
        Self { line, way, after: Duration::ZERO, message }
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.message["type"].as_str().unwrap_or_default()
    }

    /// Whether it goes this way and is of this type.
    #[must_use]
    pub fn is(&self, way: Way, kind: &str) -> bool {
        self.way == way && self.kind() == kind
    }

    /// Bytes of an opaque field; none when it is not there.
    #[must_use]
    pub fn bytes(&self, pointer: &str) -> Vec<u8> {
        let text = self.message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        STANDARD.decode(text).unwrap_or_default()
    }

    /// Puts other bytes into an opaque field that is there.
    pub fn set_bytes(&mut self, pointer: &str, bytes: &[u8]) {
        if let Some(field) = self.message.pointer_mut(pointer) {
            *field = opaque(bytes);
        }
    }

    /// Number of the invitation exchange's message that it relays, and that message.
    #[must_use]
    pub fn exchange(&self) -> Option<(u8, Vec<u8>)> {
        let bytes = self.bytes("/body");
        let (number, message) = bytes.split_first().filter(|_| self.kind() == "relay")?;
        (1..=6).contains(number).then(|| (*number, message.to_vec()))
    }

    /// Relays another message under the same number.
    pub fn set_exchange(&mut self, number: u8, message: &[u8]) {
        self.set_bytes("/body", &[&[number], message].concat());
    }
}

/// Bytes as the protocol writes them.
#[must_use]
pub fn opaque(bytes: &[u8]) -> Value {
    Value::String(STANDARD.encode(bytes))
}

/// Who is who, as far as the messages tell.
#[derive(Debug, Default)]
pub struct Scene {
    participants: BTreeMap<Line, String>,
    host: Option<Line>,
    guests: Vec<Line>,
}

impl Scene {
    /// Learns from a message; every message should be shown, before it is changed.
    pub fn note(&mut self, said: &Said) {
        match (said.way, said.kind()) {
            (Way::Down, "ready") => {
                let id = said.message["participant"].as_str().unwrap_or_default();
                self.participants.insert(said.line, id.to_owned());
                while self.participants.len() > LINES {
                    self.participants.pop_first();
                }
            }
            (Way::Up, "open_room") => self.host = Some(said.line),
            (Way::Up, "enter_lobby") if !self.guests.contains(&said.line) => {
                self.guests.push(said.line);
                if self.guests.len() > LINES {
                    self.guests.remove(0);
                }
            }
            _ => {}
        }
    }

    /// Connection of the host who opened a room last.
    #[must_use]
    pub fn host(&self) -> Option<Line> {
        self.host
    }

    /// Whether this is a guest's connection.
    #[must_use]
    pub fn is_guest(&self, line: Line) -> bool {
        self.guests.contains(&line)
    }

    /// The server's name for whoever is on this connection.
    #[must_use]
    pub fn participant(&self, line: Line) -> Option<&str> {
        self.participants.get(&line).map(String::as_str)
    }

    /// The newest connection of a participant.
    #[must_use]
    pub fn line_of(&self, participant: &str) -> Option<Line> {
        self.participants.iter().rev().find(|(_, id)| *id == participant).map(|(line, _)| *line)
    }
}
