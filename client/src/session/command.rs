//! What a person can ask of the session.

use serde::{Deserialize, Serialize};

use super::effect::Device;
use crate::preferences::BackgroundChoice;
use crate::private::Private;

/// One wish of the person, from a screen or from a line of the headless driver.
///
/// As a JSON line: `{"command":"sign_in","name":"ada","passphrase":"…"}`.
/// What a phase does not allow is ignored there, so a late click does no harm.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// "I have an invitation".
    ChooseGuest,
    /// "I work here".
    ChooseStaff,
    /// Opens the keys on this computer and starts the sign-in.
    SignIn {
        /// Account name.
        name: Private,
        /// Typed passphrase; it never leaves this computer.
        passphrase: Private,
    },
    /// The second factor's six digits.
    SecondFactor {
        /// Digits; spaces are accepted.
        code: Private,
    },
    /// Back to the start, with every key dropped.
    SignOut,
    /// Reads today's list anew.
    Refresh,
    /// Opens the booking page.
    OpenBooking,
    /// Books an appointment.
    Book {
        /// Practice's own reference, never a patient's name.
        label: String,
        /// Unix seconds.
        starts_at: u64,
    },
    /// Makes link and code for an appointment.
    MakeInvitation {
        /// Id from today's list.
        appointment: String,
    },
    /// Makes link and code for a call whose keys are disclosed afterwards (E2EE 9.9): a command of its own, so that no
    /// forgotten field switches it on.
    MakeAssessorInvitation {
        /// Id from today's list.
        appointment: String,
    },
    /// The link that is shown goes through the server's own e-mail or web page. It cannot be taken back.
    LinkPassesServer,
    /// The link is sent: show the code, for the other channel.
    InvitationNext,
    /// Both are sent: back to today's list.
    InvitationSent,
    /// Withdraws the invitation of an appointment.
    RevokeInvitation {
        /// Id from today's list.
        appointment: String,
    },
    /// Opens the room of an appointment, with this device alone in its group.
    StartConsultation {
        /// Id from today's list.
        appointment: String,
    },
    /// Asks to be let into a colleague's open room.
    VisitRoom {
        /// Id from today's list of colleagues' rooms.
        appointment: String,
    },
    /// Guest: the invitation's link, as pasted.
    PasteLink {
        /// Text holding a `quietroom:` link.
        text: Private,
    },
    /// Guest: the 8 digits of the other channel.
    EnterCode {
        /// Digits; spaces are accepted.
        code: Private,
    },
    /// Guest: the lobby card, which is sealed to the clinician.
    AboutYou {
        /// Full name.
        name: Private,
        /// As typed, `YYYY-MM-DD`.
        birth_date: Private,
        /// Number to call when the connection is lost; may be empty.
        phone: Private,
        /// Who is with the guest, if anybody.
        #[serde(default)]
        with_them: Option<Private>,
        /// The guest agrees to a consultation by video.
        consent: bool,
    },
    /// Devices are checked, or skipped: go on and knock.
    DevicesOk,
    /// Guest, asked by the page of its own: take part in a call whose keys are disclosed. `Leave` is the other answer.
    AcceptAssessor,
    /// Host: lets a waiting guest in.
    Admit {
        /// Id from the waiting list.
        participant: String,
        /// The host has compared the card with what it knows; without it nobody is admitted.
        identity_confirmed: bool,
    },
    /// Host: turns a waiting guest away.
    Deny {
        /// Id from the waiting list.
        participant: String,
    },
    /// Host: takes a member out of the call, for good.
    Remove {
        /// Leaf index in the MLS tree, as the roster lists it.
        leaf: u32,
    },
    /// Host: lets this colleague run the consultation from now on.
    HandOver {
        /// Leaf index in the MLS tree, as the roster lists it.
        leaf: u32,
    },
    /// A colleague in the call: runs it from now on, since its host was lost.
    StepIn,
    /// Microphone off (`true`) or on.
    Mute {
        /// Whether to mute.
        muted: bool,
    },
    /// Camera on or off.
    Camera {
        /// Whether the camera sends.
        on: bool,
    },
    /// Finds out which devices there are.
    LookForDevices,
    /// Another device, from now on and the next time.
    UseDevice {
        /// Which of the three.
        device: Device,
        /// Its id from the list; without one the system chooses.
        id: Option<String>,
    },
    /// What others see behind the person, from now on and the next time.
    Background {
        /// The choice.
        choice: BackgroundChoice,
    },
    /// Host: finds out which windows could be shared.
    LookForWindows,
    /// Host: lets the others see one window of another program.
    ShareWindow {
        /// Its id from the list.
        window: u32,
        /// Its title, for the own eyes.
        title: Private,
    },
    /// The others see no window any more.
    StopSharing,
    /// Starts a safety-words check with everybody in the call.
    SafetyStart,
    /// What the people found on comparing the words.
    SafetyAnswer {
        /// Whether the words were the same.
        matches: bool,
    },
    /// Leaves; for a host that has not handed over, that is the end for all.
    Leave,
    /// Host: ends the consultation for everybody.
    EndForAll,
    /// One page back where there is one.
    Back,
    /// The notice was read.
    Dismiss,
    /// Leaves the goodbye page.
    Done,
    /// Closes the program, with everything that is open.
    Quit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_becomes_a_command() {
        let line = r#"{"command":"admit","participant":"p1","identity_confirmed":true}"#;
        assert!(matches!(serde_json::from_str::<Command>(line), Ok(Command::Admit { identity_confirmed: true, .. })));
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<Command>(r#"{"command":"deny","participant":"p","why":"x"}"#).is_err());
    }

    #[test]
    fn debug_of_a_sign_in_shows_no_passphrase() {
        let command = Command::SignIn { name: "ada".into(), passphrase: "correct horse".into() };
        assert!(!format!("{command:?}").contains("horse"));
    }
}
