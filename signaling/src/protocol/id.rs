//! Identifiers as newtypes of 16 random bytes: hex on the wire, a short prefix in logs, no `Display`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedId;

impl fmt::Display for MalformedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier has 32 hexadecimal digits")
    }
}

impl std::error::Error for MalformedId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps 16 random bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The form on the wire and in paths: 32 lower-case hexadecimal digits.
            #[must_use]
            pub fn to_hex(&self) -> String {
                to_hex(&self.0)
            }

            /// Reads [`Self::to_hex`] back; upper case is accepted.
            ///
            /// # Errors
            /// [`MalformedId`] for anything but 32 hexadecimal digits.
            pub fn from_hex(text: &str) -> Result<Self, MalformedId> {
                from_hex(text).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}…)"), a, b)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_hex(&text).map_err(de::Error::custom)
            }
        }
    };
}

id!(
    /// One appointment, and with it one room.
    AppointmentId
);
id!(
    /// Public name of an invitation; it stands in the link.
    InviteId
);
id!(
    /// One signed-in device or one guest in a room; stable while its session lives, also over a reconnect.
    ParticipantId
);
id!(
    /// One staff account.
    UserId
);

fn to_hex(bytes: &[u8; 16]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn from_hex(text: &str) -> Result<[u8; 16], MalformedId> {
    // `from_str_radix` would take a sign, so the digits are checked first; they also make each pair ASCII.
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(MalformedId);
    }
    let mut bytes = [0; 16];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let pair = text.get(index * 2..index * 2 + 2).ok_or(MalformedId)?;
        *byte = u8::from_str_radix(pair, 16).or(Err(MalformedId))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_wire() {
        let id = InviteId::from_bytes(*b"0123456789abcdef");
        assert_eq!(InviteId::from_hex(&id.to_hex()), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<InviteId>(&json).unwrap(), id);
    }

    #[test]
    fn debug_prints_a_prefix_only() {
        let text = format!("{:?}", UserId::from_bytes([0xab; 16]));
        assert_eq!(text, "UserId(abab…)");
    }

    #[test]
    fn text_of_another_form_is_refused() {
        for text in ["", "00", "zz".repeat(16).as_str(), "+1".repeat(16).as_str(), "é".repeat(16).as_str()] {
            assert_eq!(InviteId::from_hex(text), Err(MalformedId), "{text}");
        }
    }
}
