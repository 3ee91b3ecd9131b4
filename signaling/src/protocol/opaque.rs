//! Bytes that the server carries and does not read, and strings that must not be printed.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::MAX_MESSAGE_LEN;

/// Opaque bytes: a base64 string (RFC 4648 section 4, padded) on the wire, their length in `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Opaque(Vec<u8>);

impl Opaque {
    /// Wraps bytes; the receiver checks the length.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Number of bytes before base64.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Opaque {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} B)", self.0.len())
    }
}

impl Serialize for Opaque {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Opaque {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text.len() > MAX_MESSAGE_LEN {
            return Err(de::Error::custom("opaque bytes are too long"));
        }
        STANDARD.decode(text.as_bytes()).map(Self).or(Err(de::Error::custom("opaque bytes are not base64")))
    }
}

/// A secret string (login secret, token, code) on its way: wiped on drop, never printed, never copied silently.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes the string over.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The string, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_wire_and_are_not_printed() {
        let bytes = Opaque::new(vec![0, 255, 7]);
        let json = serde_json::to_string(&bytes).unwrap();
        assert_eq!(json, "\"AP8H\"");
        assert_eq!(serde_json::from_str::<Opaque>(&json).unwrap(), bytes);
        assert_eq!(format!("{bytes:?}"), "Opaque(3 B)");
    }

    #[test]
    fn damaged_base64_is_refused() {
        for text in ["\"AP8\"", "\"AP8H=\"", "\"%\"", "7"] {
            assert!(serde_json::from_str::<Opaque>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("word".to_owned())), "Secret(…)");
    }
}
