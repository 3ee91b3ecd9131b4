//! Where the parts of the session put what is to be done.

use crypto::VerifiedGuest;
use signaling::protocol::ParticipantId;

use super::effect::{MediaCommand, Output};
use super::error_code::ErrorCode;
use super::view::{GoodbyeReason, Notice};

/// Outputs of one input, and what they mean for the session as a whole.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// To be done by the driver, in this order.
    pub out: Vec<Output>,
    /// To be told to the person.
    pub notice: Option<Notice>,
    /// A notice with this code has become untrue.
    pub settled: Option<ErrorCode>,
    /// The consultation is over for this side.
    pub end: Option<GoodbyeReason>,
    /// Guests who are members now.
    pub admitted: Vec<VerifiedGuest>,
    /// A colleague is a member now.
    pub colleague_in: bool,
    /// This guest's group fell behind or does not open what the log has: it must be brought back.
    pub stranded: bool,
    /// A guest whose admission came to nothing: it waits again, with what it proved.
    pub returned: Option<(ParticipantId, Box<VerifiedGuest>)>,
}

impl Effects {
    /// Asks the media engine.
    pub(super) fn media(&mut self, command: MediaCommand) {
        self.out.push(Output::Media(command));
    }

    /// Sends a message over the live connection.
    pub(super) fn send(&mut self, message: signaling::protocol::ClientMessage) {
        self.out.push(Output::Send(message));
    }

    /// Tells the person a code.
    pub(super) fn tell(&mut self, code: ErrorCode) {
        self.notice = Some(Notice::new(code));
    }

    /// Ends the consultation with a code.
    pub(super) fn fail(&mut self, code: ErrorCode) {
        self.tell(code);
        self.end = Some(GoodbyeReason::Failed);
    }
}
