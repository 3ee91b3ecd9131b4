//! What a client may say on the WebSocket.

use serde::{Deserialize, Serialize};

use super::{AppointmentId, Opaque, ParticipantId, Secret};

/// One message of a client. Everything but `Hello` passes the room's authority check (role × action, default deny).
///
/// What is said of guests holds for a colleague as well, which comes by `VisitRoom` and has no invitation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message of both kinds of session; anything else before it closes the socket.
    Hello {
        /// [`super::PROTOCOL_VERSION`] of the client.
        version: u16,
        /// Token of a staff or guest session.
        token: Secret,
    },
    /// Host: be present for this appointment. Leaves another room that this socket was in. Answered with `Waiting`.
    OpenRoom {
        /// The host's own appointment, or the one whose host's seat it took over, as long as that room lasts.
        appointment: AppointmentId,
    },
    /// Guest: wait (or, once admitted, be reconnected) in the room that its invitation names. Answered with `Lobby`, or
    /// with `Admitted` again; whoever was removed meanwhile, or left, with `Lobby` `Denied`.
    EnterLobby,
    /// Staff who host, at a colleague's appointment: wait at its room (or, once admitted, be reconnected). Leaves another
    /// room that this socket was in. Answered as `EnterLobby` is.
    VisitRoom {
        /// An appointment of another host, or one's own whose room another one hosts now. `SRV-03`: there is none;
        /// `INV-05`: it was cancelled; `SRV-02`: one's own otherwise, or not an account that hosts.
        appointment: AppointmentId,
    },
    /// Opaque message before admission, at most [`super::MAX_RELAY_LEN`] bytes. Not stored: without a host a guest is
    /// answered with `LOB-01`; what a host says to somebody who does not wait is dropped without a word, since
    /// `Waiting` tells that already. What one guest may say in 10 s is bounded (64 KiB, entering included); beyond it
    /// the message is dropped and answered with `SRV-05`.
    Relay {
        /// Host: a waiting guest, or an admitted one that asked to be brought back. Guest: `None`, the host.
        to: Option<ParticipantId>,
        /// Bytes of the key exchange or a sealed card.
        body: Opaque,
    },
    /// Host: let a waiting guest in, or bring an admitted one back that lost its group. Commit, Welcome and PSK are one atomic bundle. Answered with the `Entry`, `Conflict`
    /// or an `Error` that names the participant (`LOB-02`: it does not wait).
    Admit {
        /// The waiting guest.
        participant: ParticipantId,
        /// Epoch that the commit was made in (compare-and-set).
        epoch: u64,
        /// MLS commit (RFC 9420 section 12.4) as a `PrivateMessage`.
        commit: Opaque,
        /// MLS Welcome for the guest.
        welcome: Opaque,
        /// The sealed external PSK for the members present, if there are any besides the host.
        invite_psk: Option<Opaque>,
    },
    /// Host: refuse a waiting guest. Its invitation, if it has one, is spent. Nothing happens when it does not wait.
    Deny {
        /// The waiting guest.
        participant: ParticipantId,
    },
    /// Member: a commit that admits nobody.
    Commit {
        /// Epoch that the commit was made in (compare-and-set).
        epoch: u64,
        /// MLS commit as a `PrivateMessage`.
        commit: Opaque,
        /// What it does, as far as the server must know.
        intent: CommitIntent,
    },
    /// Member: an application message; ordered in the same log as commits, and refused with `Conflict` in a past epoch.
    Application {
        /// Epoch that the message was sealed in.
        epoch: u64,
        /// MLS `PrivateMessage`.
        body: Opaque,
    },
    /// Member: send the log again, from the entry after `after` to its newest one. It comes in pages, each when the one
    /// before it is written; new entries may come in between.
    Replay {
        /// Last sequence number that the client has.
        after: u64,
    },
    /// Leave the room; the socket stays.
    Leave,
    /// Host: end the consultation for everyone.
    EndCall,
}

impl ClientMessage {
    /// Whom a refusal of this message names: an admission, a removal and a handover are matched by it.
    #[must_use]
    pub const fn subject(&self) -> Option<ParticipantId> {
        match self {
            Self::Admit { participant, .. }
            | Self::Commit {
                intent: CommitIntent::Remove { participant } | CommitIntent::HandOver { participant },
                ..
            } => Some(*participant),
            _ => None,
        }
    }
}

/// What a commit does. The server cannot verify it, and no client believes it: it is for order, fairness and audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommitIntent {
    /// Removes this participant's leaf: any by a host, by others one that said `Leave`.
    Remove {
        /// Who holds no keys afterwards. It gets this commit and no later entry.
        participant: ParticipantId,
    },
    /// The committer's own path update; at most one per 60 s for a member who is not a host.
    Update,
    /// Host: gives its seat to a colleague and stays as one itself. The log goes on. Answered with the `Entry` and `Seat`,
    /// `Conflict`, or an `Error` that names the participant (`LOB-02`: no admitted colleague who is there).
    HandOver {
        /// The colleague who hosts afterwards.
        participant: ParticipantId,
    },
    /// Admitted colleague: takes the seat of a host who is not there. The log goes on. Answered with the `Entry`, `Seat`
    /// and `Waiting`, `Conflict`, or an `Error` (`HOF-02`: the host is there).
    StepIn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_agreed_form() {
        let message: ClientMessage = serde_json::from_str(r#"{"type":"application","epoch":3,"body":"AA=="}"#).unwrap();
        assert!(matches!(message, ClientMessage::Application { epoch: 3, .. }));
        assert_eq!(serde_json::to_string(&ClientMessage::EnterLobby).unwrap(), r#"{"type":"enter_lobby"}"#);
        let visit = ClientMessage::VisitRoom { appointment: AppointmentId::from_bytes([0x11; 16]) };
        let id = "11".repeat(16);
        assert_eq!(serde_json::to_string(&visit).unwrap(), format!(r#"{{"type":"visit_room","appointment":"{id}"}}"#));
        let update = ClientMessage::Commit { epoch: 0, commit: Opaque::default(), intent: CommitIntent::Update };
        assert_eq!(
            serde_json::to_string(&update).unwrap(),
            r#"{"type":"commit","epoch":0,"commit":"","intent":{"kind":"update"}}"#
        );
        let participant = ParticipantId::from_bytes([0x11; 16]);
        for (intent, form) in [
            (CommitIntent::HandOver { participant }, format!(r#"{{"kind":"hand_over","participant":"{id}"}}"#)),
            (CommitIntent::StepIn, r#"{"kind":"step_in"}"#.to_owned()),
        ] {
            assert_eq!(serde_json::to_string(&intent).unwrap(), form);
            assert_eq!(serde_json::from_str::<CommitIntent>(&form).unwrap(), intent);
        }
    }

    #[test]
    fn unknown_types_and_fields_are_refused() {
        for text in [
            r#"{"type":"whisper"}"#,
            r#"{"type":"replay","after":1,"also":2}"#,
            r#"{"type":"replay"}"#,
            r#"{"type":"replay","after":-1}"#,
            r#"{"type":"visit_room"}"#,
            "[]",
            "",
        ] {
            assert!(serde_json::from_str::<ClientMessage>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hello_does_not_print_its_token() {
        let hello = ClientMessage::Hello { version: 1, token: Secret::new("abc".to_owned()) };
        assert!(!format!("{hello:?}").contains("abc"));
    }
}
