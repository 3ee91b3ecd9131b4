//! What the server says on the WebSocket.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, GuestRole, InviteId, Opaque, ParticipantId, RelayServer};

/// One message of the server. A guest or a colleague who was not admitted gets `Ready`, `Lobby`, `Relay`, `Error` and
/// `Admitted`, nothing else, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerMessage {
    /// The session is valid.
    Ready {
        /// The receiver's own id in rooms.
        participant: ParticipantId,
        /// [`super::PROTOCOL_VERSION`] of the server.
        version: u16,
    },
    /// To hosts: everyone who waits, first come first, whole list at each change.
    Waiting {
        /// At most 50.
        guests: Vec<WaitingGuest>,
    },
    /// To guests and colleagues: how they stand in the lobby.
    Lobby {
        /// Current state; it replaces the one before.
        state: LobbyState,
    },
    /// An opaque message before admission.
    Relay {
        /// Who sent it.
        from: ParticipantId,
        /// Bytes of the key exchange or a sealed card.
        body: Opaque,
    },
    /// One entry of the call's log, to everyone admitted, the sender included: that is the echo.
    Entry {
        /// Position in the log, from 1, without gaps for a receiver since its own admission.
        seq: u64,
        /// Epoch that the bytes were made in. After a commit the log is in the next one.
        epoch: u64,
        /// Who sent it.
        from: ParticipantId,
        /// The bytes.
        entry: Delivery,
    },
    /// To the admitted guest or colleague only. To a former host who comes back by `VisitRoom`: how the log stood when its
    /// seat went to a colleague, and no Welcome; it holds the group already and asks for a `Replay` from where it was.
    Admitted {
        /// Position of the commit that admitted it; later entries follow, `Replay` starts here.
        seq: u64,
        /// Epoch that the commit was made in; the joiner's group is in the next one. For a former host the log's epoch.
        epoch: u64,
        /// MLS Welcome; empty for a former host.
        welcome: Opaque,
    },
    /// To host and admitted participants, before anything that lets them in: the practice's relays with credentials of their
    /// own. It replaces the one before, and comes again before that ends.
    Relays {
        /// At most [`super::MAX_RELAYS`]; none where the practice has no relay.
        relays: Vec<RelayServer>,
    },
    /// The compare-and-set on the epoch was lost; the winner comes or came as an `Entry`.
    Conflict {
        /// Epoch that the log is in.
        epoch: u64,
    },
    /// To admitted participants: a socket came or went. Advice only, the roster is the MLS membership.
    Presence {
        /// Whose.
        participant: ParticipantId,
        /// Whether a socket is there.
        present: bool,
    },
    /// To host and admitted participants: the host's seat went to a colleague, by the commit that came just before. Advice
    /// only, who hosts is known from the group's policy.
    Seat {
        /// Who holds it now.
        host: ParticipantId,
    },
    /// To admitted participants: the host ended the consultation.
    Ended,
    /// A message, or the session, was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// When trying again makes sense, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u32>,
        /// Set when an `Admit` or a `Commit` that removes or hands over was refused: whom it named. What is under way
        /// for anybody else goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        participant: Option<ParticipantId>,
    },
}

/// Somebody who waits, as the host sees it; who it is comes sealed through `Relay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingGuest {
    /// Its id in rooms.
    pub participant: ParticipantId,
    /// What it came with.
    pub visitor: Visitor,
    /// Time since it came, in milliseconds; a short loss of the socket does not reset it.
    pub waited_ms: u64,
}

/// What somebody who waits came with, as the server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Visitor {
    /// With an invitation.
    Guest {
        /// Role that the invitation was made for.
        role: GuestRole,
        /// Its invitation.
        invite_id: InviteId,
    },
    /// With the session of a staff account that hosts, by `VisitRoom`. Which one, its certificate says through `Relay`.
    Colleague,
}

/// How a guest or a colleague stands in the lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LobbyState {
    /// Wait. Sent to a guest who was admitted before, it says that the group is gone and the knock must be repeated.
    Waiting {
        /// Whether a host is there to answer a knock.
        host_present: bool,
        /// Place in the queue, from 1.
        position: u32,
    },
    /// Not admitted this time (`LOB-04`), or removed from the call meanwhile: it is over for this invitation, or for this
    /// session of a colleague as long as the room lasts.
    Denied,
    /// The consultation is over.
    Closed,
}

/// Bytes of one log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// A commit; it moves the log to the next epoch.
    Commit {
        /// MLS `PrivateMessage`.
        commit: Opaque,
        /// The sealed external PSK that the commit names, for members present; it belongs to this commit only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite_psk: Option<Opaque>,
    },
    /// An application message.
    Application {
        /// MLS `PrivateMessage`.
        body: Opaque,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_wire() {
        let from = ParticipantId::from_bytes([1; 16]);
        for message in [
            ServerMessage::Ready { participant: from, version: 1 },
            ServerMessage::Lobby { state: LobbyState::Waiting { host_present: true, position: 2 } },
            ServerMessage::Lobby { state: LobbyState::Denied },
            ServerMessage::Entry {
                seq: 1,
                epoch: 0,
                from,
                entry: Delivery::Commit { commit: Opaque::new(vec![1]), invite_psk: None },
            },
            ServerMessage::Seat { host: from },
            ServerMessage::Ended,
            ServerMessage::Error { code: ErrorCode::TooManyTries, retry_after_s: Some(300), participant: None },
            ServerMessage::Error { code: ErrorCode::GuestLeft, retry_after_s: None, participant: Some(from) },
        ] {
            let json = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<ServerMessage>(&json).unwrap(), message, "{json}");
        }
    }

    #[test]
    fn whoever_waits_has_the_agreed_form() {
        let participant = ParticipantId::from_bytes([1; 16]);
        let invited = Visitor::Guest { role: GuestRole::Patient, invite_id: InviteId::from_bytes([2; 16]) };
        let (hex, invite) = (participant.to_hex(), InviteId::from_bytes([2; 16]).to_hex());
        for (visitor, form) in [
            (invited, format!(r#"{{"kind":"guest","role":"patient","invite_id":"{invite}"}}"#)),
            (Visitor::Colleague, r#"{"kind":"colleague"}"#.to_owned()),
        ] {
            let waits = WaitingGuest { participant, visitor, waited_ms: 5 };
            let json = serde_json::to_string(&waits).unwrap();
            assert_eq!(json, format!(r#"{{"participant":"{hex}","visitor":{form},"waited_ms":5}}"#));
            assert_eq!(serde_json::from_str::<WaitingGuest>(&json).unwrap(), waits);
        }
    }

    #[test]
    fn a_refusal_of_nobody_in_particular_is_short() {
        let error = ServerMessage::Error { code: ErrorCode::NoHost, retry_after_s: None, participant: None };
        assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"type":"error","code":"LOB-01"}"#);
    }
}
