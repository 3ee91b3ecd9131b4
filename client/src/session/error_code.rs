//! The stable codes that people read to support staff: the server's, and those of what happens on this side.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What went wrong, as a code that stays the same for support and tests.
        ///
        /// The sentence that people read for each stands in the locale files; the server's own codes are among these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl ErrorCode {
            /// Every code there is, for the test that each has its sentence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it is shown, such as `AUTH-01`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The code with this text, if there is one.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    /// Name or passphrase is wrong (the same for an unknown user).
    Auth01 = "AUTH-01",
    /// Too many tries.
    Auth02 = "AUTH-02",
    /// The account has no second factor yet.
    Auth03 = "AUTH-03",
    /// The second-factor code is wrong; often the clock is off.
    Auth04 = "AUTH-04",
    /// The server's key is not the one this computer knows.
    Auth05 = "AUTH-05",
    /// This second-factor code was used already.
    Auth06 = "AUTH-06",
    /// The session ended; sign in again.
    Auth07 = "AUTH-07",
    /// The one-time or enrolment secret is wrong, used or too old.
    Auth08 = "AUTH-08",
    /// No connection to the server.
    Net01 = "NET-01",
    /// The own picture is paused to keep the sound.
    Net03 = "NET-03",
    /// The connection was lost; reconnecting.
    Net04 = "NET-04",
    /// A message or version that the receiver does not know: update needed.
    Net05 = "NET-05",
    /// A message above the limit.
    Net06 = "NET-06",
    /// The log no longer holds what was missed: join again.
    Net07 = "NET-07",
    /// The server lost the room of this call.
    Net08 = "NET-08",
    /// No camera.
    Dev01 = "DEV-01",
    /// No microphone.
    Dev02 = "DEV-02",
    /// A device is in use elsewhere.
    Dev03 = "DEV-03",
    /// No speaker.
    Dev04 = "DEV-04",
    /// The media engine of this computer does not keep up, or has stopped.
    Dev05 = "DEV-05",
    /// The background cannot be shown as it was chosen.
    Fx01 = "FX-01",
    /// A part of the invitation is missing or damaged.
    Inv01 = "INV-01",
    /// The invitation expired.
    Inv02 = "INV-02",
    /// The code is wrong; tries are left.
    Inv03 = "INV-03",
    /// The code was wrong too often.
    Inv04 = "INV-04",
    /// The appointment was moved or cancelled.
    Inv05 = "INV-05",
    /// The code failed at least once before it matched.
    Inv06 = "INV-06",
    /// Too early.
    Inv07 = "INV-07",
    /// Used already, or another device holds it now.
    Inv08 = "INV-08",
    /// Not expected at this appointment.
    Inv09 = "INV-09",
    /// The invitation was withdrawn.
    Inv10 = "INV-10",
    /// The fallback phone number is missing.
    Inv11 = "INV-11",
    /// The host is not proven to belong to the practice of the invitation.
    Inv12 = "INV-12",
    /// This computer is not set up: no server, no device key or no valid certificate.
    Key01 = "KEY-01",
    /// The passphrase does not open the keys on this computer.
    Key02 = "KEY-02",
    /// Keys could not be read or written.
    Key03 = "KEY-03",
    /// This computer's key store is locked, or lost its part of the keys.
    Key04 = "KEY-04",
    /// No host is there yet.
    Lob01 = "LOB-01",
    /// The guest left meanwhile.
    Lob02 = "LOB-02",
    /// A lobby message was not delivered.
    Lob03 = "LOB-03",
    /// Not admitted this time.
    Lob04 = "LOB-04",
    /// Not admitted yet.
    Lob05 = "LOB-05",
    /// Incoming media could not be verified.
    E2e01 = "E2E-01",
    /// The safety words do not match.
    E2e02 = "E2E-02",
    /// Someone else changed the group first; trying again.
    E2e03 = "E2E-03",
    /// A connection did not prove whose it is.
    E2e04 = "E2E-04",
    /// The admission could not be verified.
    E2e05 = "E2E-05",
    /// A host's commit is held back on its way here.
    E2e06 = "E2E-06",
    /// The group was split.
    E2e07 = "E2E-07",
    /// No host has been heard of for a while.
    E2e08 = "E2E-08",
    /// The group is not what it should be.
    E2e09 = "E2E-09",
    /// This member lost the group and is being brought back.
    E2e10 = "E2E-10",
    /// This program was started to disclose keys, which a real call never does.
    E2e11 = "E2E-11",
    /// A change by nobody of this call was refused.
    E2e12 = "E2E-12",
    /// The patient declined.
    Con02 = "CON-02",
    /// The platform refuses sharing.
    Shr01 = "SHR-01",
    /// The shared window closed.
    Shr02 = "SHR-02",
    /// Recording does not start or stops.
    Rec02 = "REC-02",
    /// The colleague is not available.
    Hof01 = "HOF-01",
    /// The room is open on another device of this host.
    Hof02 = "HOF-02",
    /// A device could not be released.
    End01 = "END-01",
    /// The wrong system for this program.
    Open01 = "OPEN-01",
    /// The sign-in name is taken.
    Adm01 = "ADM-01",
    /// The last admin cannot be removed.
    Adm02 = "ADM-02",
    /// Weakening a protection needs a fresh sign-in and a reason.
    Adm04 = "ADM-04",
    /// Link and code on the same channel.
    Msg01 = "MSG-01",
    /// The code was not sent.
    Msg02 = "MSG-02",
    /// The audit chain is broken.
    Aud01 = "AUD-01",
    /// The range is larger than the retention.
    Aud02 = "AUD-02",
    /// The server gave a reason of a newer version.
    Srv00 = "SRV-00",
    /// The server failed; it was logged there.
    Srv01 = "SRV-01",
    /// This role may not do that.
    Srv02 = "SRV-02",
    /// There is no such thing, or not for this session.
    Srv03 = "SRV-03",
    /// A value is malformed or out of its bounds.
    Srv04 = "SRV-04",
    /// A limit is reached; try again later.
    Srv05 = "SRV-05",
}

impl ErrorCode {
    /// Whether it is about a camera, microphone or speaker, or the picture of the camera.
    pub(super) fn is_of_a_device(self) -> bool {
        self.as_str().starts_with("DEV-") || self == Self::Fx01
    }

    /// Whether something was refused that would have broken the encryption.
    pub(super) fn is_refusal(self) -> bool {
        self.as_str().starts_with("E2E-")
    }
}

impl From<signaling::protocol::ErrorCode> for ErrorCode {
    fn from(code: signaling::protocol::ErrorCode) -> Self {
        Self::from_text(code.as_str()).unwrap_or(Self::Srv00)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_server_has_its_twin_here() {
        for code in signaling::protocol::ErrorCode::ALL {
            assert_eq!(ErrorCode::from(*code).as_str(), code.as_str());
        }
    }

    #[test]
    fn every_code_reads_back_from_its_own_text() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_text(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
