//! Codes that people and tests can rely on: the product's table and what else the server may say.

use serde::{Deserialize, Serialize};

/// Body of every REST answer that is not a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Why.
    pub code: ErrorCode,
    /// When trying again makes sense, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// One stable code, as "AUTH-01" on the wire. Clients use the same codes for what happens on their side.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
            /// A code of a newer version.
            #[serde(other, rename = "SRV-00")]
            Unknown,
        }

        impl ErrorCode {
            /// Every code but [`Self::Unknown`], in the order of the product's table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as people read it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown => "SRV-00",
                }
            }
        }
    };
}

codes! {
    /// Name or passphrase is wrong, or the user is unknown: one text for all.
    WrongDetails = "AUTH-01",
    /// Too many tries; `retry_after_s` says when.
    TooManyTries = "AUTH-02",
    /// The account has no second factor yet.
    SecondFactorNeeded = "AUTH-03",
    /// The second-factor code is wrong; often the clock is off.
    WrongSecondFactor = "AUTH-04",
    /// The server's key changed.
    ServerKeyChanged = "AUTH-05",
    /// This second-factor code was used already.
    CodeReplayed = "AUTH-06",
    /// The session ended (idle, too old, signed out): sign in again.
    SessionEnded = "AUTH-07",
    /// The one-time or enrolment secret is wrong, used or too old.
    WrongOneTimeSecret = "AUTH-08",
    /// No connection to the server.
    Offline = "NET-01",
    /// Video was reduced to keep sound.
    NetworkPoor = "NET-03",
    /// The connection was lost; reconnecting.
    NetworkLost = "NET-04",
    /// A message or version that the receiver does not know: update needed.
    MessageUnknown = "NET-05",
    /// A message above the limit.
    MessageTooLarge = "NET-06",
    /// The log no longer holds the wanted entries: join again.
    HistoryGone = "NET-07",
    /// No camera.
    NoCamera = "DEV-01",
    /// No microphone.
    NoMicrophone = "DEV-02",
    /// A device is in use elsewhere.
    DeviceBusy = "DEV-03",
    /// The background mask is not ready.
    MaskNotReady = "FX-01",
    /// A part of the invitation is missing or damaged, or the server does not know it.
    InvitationDamaged = "INV-01",
    /// The invitation expired.
    InvitationExpired = "INV-02",
    /// The code is wrong; tries are left.
    WrongCode = "INV-03",
    /// The code was wrong too often.
    CodeLocked = "INV-04",
    /// The appointment was moved or cancelled.
    AppointmentMoved = "INV-05",
    /// The code failed at least once before it matched.
    CodeFailedBefore = "INV-06",
    /// Too early; `retry_after_s` says when.
    InvitationTooEarly = "INV-07",
    /// The invitation was used already, or another device holds it now.
    InvitationUsed = "INV-08",
    /// Not expected at this appointment.
    NotExpected = "INV-09",
    /// The invitation was withdrawn.
    InvitationWithdrawn = "INV-10",
    /// The fallback phone number is missing.
    PhoneMissing = "INV-11",
    /// No host is there yet.
    NoHost = "LOB-01",
    /// The guest left meanwhile.
    GuestLeft = "LOB-02",
    /// A lobby message was not delivered.
    LobbyMessageLost = "LOB-03",
    /// Not admitted this time.
    NotAdmitted = "LOB-04",
    /// Not admitted yet.
    NotAdmittedYet = "LOB-05",
    /// Incoming media could not be verified.
    MediaUnverified = "E2E-01",
    /// Someone else changed the group first.
    GroupRace = "E2E-03",
    /// The group is not what it should be.
    GroupMismatch = "E2E-09",
    /// The patient declined.
    ConsentDeclined = "CON-02",
    /// The platform refuses sharing.
    SharingRefused = "SHR-01",
    /// The shared window closed.
    SharedWindowClosed = "SHR-02",
    /// Recording does not start or stops.
    RecordingStopped = "REC-02",
    /// The colleague is not available.
    ColleagueUnavailable = "HOF-01",
    /// The room is open on another device of this host, or its host is there after all.
    OpenElsewhere = "HOF-02",
    /// A device could not be released.
    DeviceNotReleased = "END-01",
    /// The wrong system for this program.
    WrongSystem = "OPEN-01",
    /// The sign-in name is taken.
    NameTaken = "ADM-01",
    /// The last admin cannot be removed.
    LastAdmin = "ADM-02",
    /// Weakening a protection needs a fresh sign-in and a reason.
    WeakeningRefused = "ADM-04",
    /// Link and code on the same channel.
    SameChannel = "MSG-01",
    /// The code was not sent.
    CodeNotSent = "MSG-02",
    /// The audit chain is broken.
    AuditBroken = "AUD-01",
    /// The range is larger than the retention.
    AuditPurged = "AUD-02",
    /// The server failed; it was logged there.
    ServerFailed = "SRV-01",
    /// This role may not do that.
    NotAllowed = "SRV-02",
    /// There is no such thing, or not for this session.
    NotFound = "SRV-03",
    /// A value is malformed or out of its bounds.
    BadValue = "SRV-04",
    /// A limit is reached and nothing was done; `retry_after_s`, at least 1, says when to try again.
    Busy = "SRV-05",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_in_the_table_and_differ() {
        let mut seen = std::collections::HashSet::new();
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
            assert!(seen.insert(code.as_str()), "{code:?}");
        }
    }

    #[test]
    fn a_code_of_a_newer_server_is_understood_as_unknown() {
        let body: ErrorBody = serde_json::from_str(r#"{"code":"XYZ-99"}"#).unwrap();
        assert_eq!(body, ErrorBody { code: ErrorCode::Unknown, retry_after_s: None });
    }
}
