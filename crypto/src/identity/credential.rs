//! What a leaf says about its owner: the content of the MLS basic credential (RFC 9420 §5.3).
//!
//! ```text
//! version u16 | kind u8 = 0 staff   | role u8 | certificate<u16> | device signature 64
//! version u16 | kind u8 = 1 invited | role u8 | invite id 16 | attempt u32 | binder 48
//! ```
//!
//! A staff leaf's device signs (leaf signature key, group id, suite, role), so that its
//! certificate cannot be replayed into another group. An invited leaf's binder is an HMAC under a
//! key that only the guest and the host of the exchange have: it stands inside the key package
//! and therefore holds no reference to it.

use super::{
    deny::DenyList,
    device::{DeviceCertificate, DeviceKey},
    practice::PracticeFingerprint,
    signing::verify_parts,
};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::IdentityError,
    id::{CallRole, GroupId, InviteId, StaffRole},
    kdf::{MAC_LENGTH, mac, mac_matches},
    mls::SUITE,
    secret::Secret,
};

/// Longest credential that is read, in bytes.
const MAX_ENCODING: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeafCredential {
    Staff { role: CallRole, certificate: Box<DeviceCertificate>, signature: [u8; 64] },
    Invited { role: CallRole, invite_id: InviteId, attempt: u32, binder: [u8; MAC_LENGTH] },
}

impl LeafCredential {
    /// A staff leaf in one group.
    pub(crate) fn staff(
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        role: CallRole,
        leaf_key: &[u8; 32],
        group_id: GroupId,
    ) -> Result<Self, IdentityError> {
        if certificate.device_key() != device.public() {
            return Err(IdentityError::BadTerms);
        }
        let statement = Statement::new(role, leaf_key, group_id);
        let signature = device.signing().sign_parts(STAFF_LABEL, &statement.parts())?;
        Ok(Self::Staff { role, certificate: Box::new(certificate.clone()), signature })
    }

    /// An invited leaf in one group.
    pub(crate) fn invited(
        binder_key: &Secret<32>,
        invite_id: InviteId,
        attempt: u32,
        role: CallRole,
        leaf_key: &[u8; 32],
        group_id: GroupId,
    ) -> Self {
        let statement = Statement::new(role, leaf_key, group_id);
        let [leaf, group, suite, role_byte] = statement.parts();
        let attempt_bytes = attempt.to_be_bytes();
        let parts = [invite_id.as_bytes(), &attempt_bytes[..], leaf, group, suite, role_byte];
        let binder = mac(binder_key, BINDER_LABEL, &parts);
        Self::Invited { role, invite_id, attempt, binder }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u16(PROFILE_VERSION);
        match self {
            Self::Staff { role, certificate, signature } => {
                bytes.put_u8(0);
                bytes.put_u8(role.to_byte());
                bytes.put_bytes(&certificate.encode());
                bytes.put(signature);
            }
            Self::Invited { role, invite_id, attempt, binder } => {
                bytes.put_u8(1);
                bytes.put_u8(role.to_byte());
                bytes.put(invite_id.as_bytes());
                bytes.put_u32(*attempt);
                bytes.put(binder);
            }
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > MAX_ENCODING {
            return Err(IdentityError::Malformed);
        }
        Self::read(bytes).ok_or(IdentityError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let kind = reader.u8()?;
        let role = CallRole::from_byte(reader.u8()?).ok()?;
        let credential = match kind {
            0 => {
                let certificate = DeviceCertificate::decode(reader.bytes(MAX_ENCODING)?).ok()?;
                Self::Staff { role, certificate: Box::new(certificate), signature: reader.array()? }
            }
            1 => Self::Invited {
                role,
                invite_id: InviteId::from_bytes(reader.array()?),
                attempt: reader.u32()?,
                binder: reader.array()?,
            },
            _ => return None,
        };
        reader.end()?;
        Some(credential)
    }

    pub(crate) fn role(&self) -> CallRole {
        match self {
            Self::Staff { role, .. } | Self::Invited { role, .. } => *role,
        }
    }

    /// What every member can check of a leaf: a staff leaf's certificate and signature, and that
    /// an invited leaf claims no host's role. The binder only the host of the exchange can check.
    pub(crate) fn verify_in_group(
        &self,
        practice: &PracticeFingerprint,
        now: u64,
        leaf_key: &[u8; 32],
        group_id: GroupId,
    ) -> Result<(), IdentityError> {
        match self {
            Self::Staff { role, certificate, signature } => {
                certificate.verify_pinned(practice, now)?;
                if *role == CallRole::Host && !certificate.roles().contains(&StaffRole::Clinician) {
                    return Err(IdentityError::BadTerms);
                }
                let statement = Statement::new(*role, leaf_key, group_id);
                let device = certificate.device_key();
                verify_parts(device.as_bytes(), STAFF_LABEL, &statement.parts(), signature)
            }
            Self::Invited { role: CallRole::Host, .. } => Err(IdentityError::BadTerms),
            Self::Invited { .. } => Ok(()),
        }
    }

    /// Whether the practice withdrew the certificate of this leaf.
    pub(crate) fn is_denied(&self, list: Option<&DenyList>) -> bool {
        match (self, list) {
            (Self::Staff { certificate, .. }, Some(list)) => list.denies(certificate),
            _ => false,
        }
    }

    /// The host's check of an invited leaf.
    pub(crate) fn verify_binder(&self, binder_key: &Secret<32>, leaf_key: &[u8; 32], group_id: GroupId) -> bool {
        let Self::Invited { role, invite_id, attempt, binder } = self else {
            return false;
        };
        let statement = Statement::new(*role, leaf_key, group_id);
        let [leaf, group, suite, role_byte] = statement.parts();
        let attempt_bytes = attempt.to_be_bytes();
        let parts = [invite_id.as_bytes(), &attempt_bytes[..], leaf, group, suite, role_byte];
        mac_matches(binder_key, BINDER_LABEL, &parts, binder)
    }
}

/// What both kinds of leaf bind: leaf signature key, group, suite, role.
struct Statement<'a> {
    leaf_key: &'a [u8; 32],
    group_id: GroupId,
    suite: [u8; 2],
    role: [u8; 1],
}

impl<'a> Statement<'a> {
    fn new(role: CallRole, leaf_key: &'a [u8; 32], group_id: GroupId) -> Self {
        Self { leaf_key, group_id, suite: (SUITE as u16).to_be_bytes(), role: [role.to_byte()] }
    }

    fn parts(&self) -> [&[u8]; 4] {
        [self.leaf_key, self.group_id.as_bytes(), &self.suite, &self.role]
    }
}

const STAFF_LABEL: &str = "staff leaf";
const BINDER_LABEL: &str = "binder";
