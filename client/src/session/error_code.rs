//! The stable codes that people read to support staff.

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
    /// Name, passphrase or code are wrong (the same for an unknown user).
    Auth01 = "AUTH-01",
    /// Too many tries.
    Auth02 = "AUTH-02",
    /// A second factor is needed first.
    Auth03 = "AUTH-03",
    /// The second-factor code does not match; the clock may be off.
    Auth04 = "AUTH-04",
    /// The server's key is not the one this computer knows.
    Auth05 = "AUTH-05",
    /// This second-factor code was used already.
    Auth06 = "AUTH-06",
    /// The session has ended; sign in again.
    Auth07 = "AUTH-07",
    /// This role may not do that.
    Auth08 = "AUTH-08",
    /// No camera.
    Dev01 = "DEV-01",
    /// No microphone.
    Dev02 = "DEV-02",
    /// The device is used by another program.
    Dev03 = "DEV-03",
    /// No speaker.
    Dev04 = "DEV-04",
    /// Incoming sound or picture could not be verified.
    E2e01 = "E2E-01",
    /// Safety words do not match.
    E2e02 = "E2E-02",
    /// Someone else changed the group first; trying again.
    E2e03 = "E2E-03",
    /// The other side's connection did not prove who it is.
    E2e04 = "E2E-04",
    /// The admission could not be verified.
    E2e05 = "E2E-05",
    /// An unrecognised device appeared.
    E2e09 = "E2E-09",
    /// A device could not be released.
    End01 = "END-01",
    /// The invitation is damaged.
    Inv01 = "INV-01",
    /// The invitation has expired.
    Inv02 = "INV-02",
    /// The code is wrong.
    Inv03 = "INV-03",
    /// The code is locked after too many tries.
    Inv04 = "INV-04",
    /// The appointment was moved or cancelled.
    Inv05 = "INV-05",
    /// The invitation matched but the code failed before (for the host).
    Inv06 = "INV-06",
    /// Too early.
    Inv07 = "INV-07",
    /// Already used on another device.
    Inv08 = "INV-08",
    /// Not expected at this appointment.
    Inv09 = "INV-09",
    /// The invitation was withdrawn.
    Inv10 = "INV-10",
    /// A phone number is missing.
    Inv11 = "INV-11",
    /// The host is not proven to belong to the practice in the invitation.
    Inv12 = "INV-12",
    /// This computer holds no device certificate, or it has expired.
    Key01 = "KEY-01",
    /// The passphrase does not open the keys on this computer.
    Key02 = "KEY-02",
    /// Keys could not be read or written.
    Key03 = "KEY-03",
    /// The host is offline; waiting.
    Lob01 = "LOB-01",
    /// The guest left meanwhile.
    Lob02 = "LOB-02",
    /// A message was not delivered.
    Lob03 = "LOB-03",
    /// Not admitted this time.
    Lob04 = "LOB-04",
    /// Not admitted yet.
    Lob05 = "LOB-05",
    /// The server cannot be reached.
    Net01 = "NET-01",
    /// The network is poor: video reduced to keep sound.
    Net03 = "NET-03",
    /// The connection is lost; reconnecting.
    Net04 = "NET-04",
    /// A message was not understood: an update is needed.
    Net05 = "NET-05",
    /// A message is too large.
    Net06 = "NET-06",
    /// The server is busy.
    Net07 = "NET-07",
    /// The server failed.
    Net08 = "NET-08",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_own_text() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_text(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }
}
