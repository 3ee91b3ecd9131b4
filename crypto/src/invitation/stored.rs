//! The stored form of an owner's record.
//!
//! ```text
//! profile u16 | invite id 16 | S 32 | OPAQUE setup<u16> | OPAQUE file<u16> | practice 20 | role u8
//! | mode u8 | least deny list u64 | succession<u16> | delivery u8 | devices u8 | shared u8
//! | not before u64 | expires u64
//! | appointment<u16> | tries u8 | attempts u32 | consumed u8 | exchanges u8 × (
//!     first u32 | attempt u32 | returned 32 | knock 32 | message 2<u16> | context 48
//!     | transcript 48 | group id 16 | delivery u8 | leaf key 32 | progress u8 | secret<u16> )
//! ```

use zeroize::Zeroizing;

use super::{
    keys::InvitationKey,
    pake::Verifier,
    record::{Exchange, MAX_APPOINTMENT, MAX_EXCHANGES, OwnedInvitation, Progress, TRIES},
};
use crate::{
    MAX_INVITATION_MESSAGE, PROFILE_VERSION,
    codec::{Reader, Write},
    error::InvitationError,
    id::{CallMode, CallRole, Delivery, GroupId, InviteId},
    identity::PracticeFingerprint,
    secret::Secret,
};

const MAX_OPAQUE: usize = 1024;
const MAX_SUCCESSION: usize = 256;

impl OwnedInvitation {
    /// The record; secret, for the caller to store wrapped.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (setup, file) = self.verifier.parts();
        let exchanges: usize = self.exchanges.iter().map(|one| one.message2.len() + 1024).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(1024 + exchanges));
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.invite_id.as_bytes());
        bytes.put(self.secret.expose());
        bytes.put_bytes(setup);
        bytes.put_bytes(file);
        bytes.put(self.practice.as_bytes());
        bytes.put_u8(self.role.to_byte());
        bytes.put_u8(self.mode as u8);
        bytes.put_u64(self.least_deny_list);
        bytes.put_bytes(&self.succession);
        bytes.put_u8(self.delivery as u8);
        bytes.put_u8(self.devices);
        bytes.put_u8(u8::from(self.shared));
        bytes.put_u64(self.not_before);
        bytes.put_u64(self.expires_at);
        bytes.put_bytes(self.appointment.as_bytes());
        bytes.put_u8(self.tries_left);
        bytes.put_u32(self.attempts);
        bytes.put_u8(u8::from(self.consumed));
        bytes.put_u8(self.exchanges.len() as u8);
        for exchange in &self.exchanges {
            bytes.put_u32(exchange.first);
            bytes.put_u32(exchange.attempt);
            bytes.put(&exchange.returned);
            bytes.put(&exchange.knock);
            bytes.put_bytes(&exchange.message2);
            bytes.put(&exchange.context);
            bytes.put(&exchange.transcript);
            bytes.put(exchange.group_id.as_bytes());
            bytes.put_u8(exchange.delivery as u8);
            bytes.put(&exchange.leaf_key);
            let (kind, secret) = match &exchange.progress {
                Progress::Challenged(state) => (0, state.as_slice()),
                Progress::Proved(key) => (1, &key.expose()[..]),
                Progress::Admitted(key) => (2, &key.expose()[..]),
            };
            bytes.put_u8(kind);
            bytes.put_bytes(secret);
        }
        bytes
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`InvitationError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, InvitationError> {
        Self::read(bytes).ok_or(InvitationError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let mut record = Self {
            invite_id: InviteId::from_bytes(reader.array()?),
            secret: Secret::from_slice(reader.take(32)?)?,
            verifier: Verifier::stored(reader.bytes(MAX_OPAQUE)?, reader.bytes(MAX_OPAQUE)?)?,
            practice: PracticeFingerprint::from_bytes(reader.array()?),
            role: CallRole::from_byte(reader.u8()?).ok()?,
            mode: CallMode::from_byte(reader.u8()?).ok()?,
            least_deny_list: reader.u64()?,
            succession: reader.bytes(MAX_SUCCESSION)?.to_vec(),
            delivery: Delivery::from_byte(reader.u8()?).ok()?,
            devices: reader.u8()?,
            shared: reader.u8()? != 0,
            not_before: reader.u64()?,
            expires_at: reader.u64()?,
            appointment: reader.text(MAX_APPOINTMENT)?.to_owned(),
            tries_left: reader.u8()?.min(TRIES),
            attempts: reader.u32()?,
            consumed: reader.u8()? != 0,
            exchanges: Vec::new(),
        };
        let count = usize::from(reader.u8()?);
        if count > MAX_EXCHANGES {
            return None;
        }
        for _ in 0..count {
            record.exchanges.push(Exchange::read(&mut reader)?);
        }
        reader.end()?;
        Some(record)
    }
}

impl Exchange {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            first: reader.u32()?,
            attempt: reader.u32()?,
            returned: reader.array()?,
            knock: reader.array()?,
            message2: reader.bytes(MAX_INVITATION_MESSAGE)?.to_vec(),
            context: reader.array()?,
            transcript: reader.array()?,
            group_id: GroupId::from_bytes(reader.array()?),
            delivery: Delivery::from_byte(reader.u8()?).ok()?,
            leaf_key: reader.array()?,
            progress: match (reader.u8()?, reader.bytes(MAX_OPAQUE)?) {
                (0, state) => Progress::Challenged(Zeroizing::new(state.to_vec())),
                (1, key) => Progress::Proved(InvitationKey::stored(Secret::from_slice(key)?)),
                (2, key) => Progress::Admitted(InvitationKey::stored(Secret::from_slice(key)?)),
                _ => return None,
            },
        })
    }
}
