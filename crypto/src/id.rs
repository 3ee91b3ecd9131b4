//! Names of things: ids as newtypes without `Display`, roles and media-independent enums.

use std::fmt;

use crate::error::IdentityError;

macro_rules! id16 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes 16 bytes as they are.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}…)"), a, b)
            }
        }
    };
}

id16! {
    /// Names a consultation; it stands in the group's policy and stays when a new group is opened.
    CallId
}
id16! {
    /// Names an MLS group (RFC 9420 §8.1); random, 16 bytes.
    GroupId
}
id16! {
    /// Names an invitation; public, the server indexes by it.
    InviteId
}

/// Place of a member in the ratchet tree (RFC 9420 §4.1), 0 to 15.
///
/// Indices are reused after a removal: never take one for a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafIndex(u8);

impl LeafIndex {
    /// The index, or `None` from 16 on, which no key id can name.
    pub const fn new(index: u32) -> Option<Self> {
        if index < crate::MAX_MEMBERS as u32 { Some(Self(index as u8)) } else { None }
    }

    /// The index as a number below 16.
    pub const fn as_u8(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf {}", self.0)
    }
}

/// What a member is in the call. The invitation or the policy says it, never the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CallRole {
    /// Runs the call: admits, removes. Staff with a device named in the policy.
    Host = 0,
    /// The person whose consultation it is.
    Patient = 1,
    /// Somebody who accompanies the patient.
    Carer = 2,
    /// Interprets between the others.
    Interpreter = 3,
    /// Types what is said.
    Captioner = 4,
}

impl CallRole {
    /// Decodes the byte of the wire format.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for a byte that names no role.
    pub fn from_byte(byte: u8) -> Result<Self, IdentityError> {
        Ok(match byte {
            0 => Self::Host,
            1 => Self::Patient,
            2 => Self::Carer,
            3 => Self::Interpreter,
            4 => Self::Captioner,
            _ => return Err(IdentityError::Malformed),
        })
    }

    /// The byte of the wire format.
    pub const fn to_byte(self) -> u8 {
        self as u8
    }
}

/// What a staff certificate entitles its device to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum StaffRole {
    /// May host consultations.
    Clinician = 0,
    /// Books; never hosts.
    FrontDesk = 1,
    /// Runs the practice's accounts; never hosts.
    Admin = 2,
}

impl StaffRole {
    /// Decodes the byte of the wire format.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for a byte that names no role.
    pub fn from_byte(byte: u8) -> Result<Self, IdentityError> {
        Ok(match byte {
            0 => Self::Clinician,
            1 => Self::FrontDesk,
            2 => Self::Admin,
            _ => return Err(IdentityError::Malformed),
        })
    }
}

/// Whether a call is a real one or one whose keys an assessor gets afterwards.
///
/// Assessor calls are refused by this version: nothing defines yet what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CallMode {
    /// A consultation; its keys never leave the members.
    Real = 0,
    /// A call for testing the encryption, marked as such for everybody.
    Assessor = 1,
}

impl CallMode {
    /// Decodes the byte of the wire format.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for a byte that names no mode.
    pub fn from_byte(byte: u8) -> Result<Self, IdentityError> {
        Ok(match byte {
            0 => Self::Real,
            1 => Self::Assessor,
            _ => return Err(IdentityError::Malformed),
        })
    }
}

/// How a link came to the guest: what the server may know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Delivery {
    /// The client sent it past the server: mail program, copy, QR code.
    Client = 0,
    /// The server sent it, so it knows the link secret.
    ServerDelivered = 1,
    /// It stands in a web address, where a page of the server can read it.
    ServerExposed = 2,
}

impl Delivery {
    /// Decodes the byte of the wire format.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for a byte that names no delivery.
    pub fn from_byte(byte: u8) -> Result<Self, IdentityError> {
        Ok(match byte {
            0 => Self::Client,
            1 => Self::ServerDelivered,
            2 => Self::ServerExposed,
            _ => return Err(IdentityError::Malformed),
        })
    }

    /// Whether the safety words must be compared before the consultation begins: the server may
    /// have the link, so only the code stood between it and the call.
    #[must_use]
    pub const fn needs_spoken_check(self) -> bool {
        !matches!(self, Self::Client)
    }
}
