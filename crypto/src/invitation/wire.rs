//! The five messages, and the sixth of a guest that comes again. The server relays them as opaque bytes.
//!
//! ```text
//! all: profile u16 | number u8 | invite id 16 | …
//! 1 guest → host   leaf key 32 | nonce 32 | KE1<u16> | link proof 48
//! 2 host → guest   group id 16 | role u8 | mode u8 | delivery u8 | attempt u32 | host leaf key 32
//!                  | host credential<u16> | deny list<u16> | succession<u16> | KE2<u16>
//! 3 guest → host   attempt u32 | KE3<u16> | key package<u16> | MAC 48
//! 4 host → guest   attempt u32 | MAC 48
//! 5 guest → host   attempt u32 | nonce 12 | sealed card
//! 6 guest → host   first attempt u32 | attempt u32 | proof<u16> | key package<u16> | MAC 48
//!                  answered by a message 4
//! ```
//!
//! The *head* of messages 1 and 2 is everything before KE1 and KE2: the heads are OPAQUE's
//! context. The transcript is the hash of messages 1 and 2 in full.

use crate::{
    MAX_INVITATION_MESSAGE, PROFILE_VERSION,
    codec::{Reader, Write},
    error::InvitationError,
    id::{CallMode, CallRole, Delivery, GroupId, InviteId},
    kdf::{MAC_LENGTH, hash},
    mls::MAX_PACKAGE,
};

const MAX_KE: usize = 512;
const MAX_CREDENTIAL: usize = 4096;
const MAX_DENY_LIST: usize = 7 * 1024;
const MAX_SUCCESSION: usize = 256;
const MAX_PROOF: usize = 128;

pub(super) struct Knock<'a> {
    pub(super) leaf_key: [u8; 32],
    pub(super) head: &'a [u8],
    pub(super) ke1: &'a [u8],
    pub(super) proven: &'a [u8],
    pub(super) proof: &'a [u8],
}

pub(super) fn write_knock_head(invite_id: InviteId, leaf_key: &[u8; 32], nonce: &[u8]) -> Vec<u8> {
    let mut bytes = begin(1, invite_id);
    bytes.put(leaf_key);
    bytes.put(nonce);
    bytes
}

pub(super) fn read_knock(invite_id: InviteId, message: &[u8]) -> Result<Knock<'_>, InvitationError> {
    let mut reader = open(1, invite_id, message)?;
    let mut read = || {
        let leaf_key = reader.array()?;
        reader.take(32)?;
        let head = HEAD + 64;
        let ke1 = reader.bytes(MAX_KE)?;
        let proof = reader.take(MAC_LENGTH)?;
        reader.end()?;
        let proven = message.get(..message.len() - MAC_LENGTH)?;
        Some(Knock { leaf_key, head: message.get(..head)?, ke1, proven, proof })
    };
    read().ok_or(InvitationError::Malformed)
}

pub(super) struct ChallengeHead<'a> {
    pub(super) group_id: GroupId,
    pub(super) role: CallRole,
    pub(super) mode: CallMode,
    pub(super) delivery: Delivery,
    pub(super) attempt: u32,
    pub(super) host_leaf_key: [u8; 32],
    pub(super) host_credential: &'a [u8],
    /// The practice's newest that the host has; empty without one.
    pub(super) deny_list: &'a [u8],
    /// How the host's practice key follows from the link's; empty if it is the same.
    pub(super) succession: &'a [u8],
}

pub(super) fn write_challenge_head(invite_id: InviteId, head: &ChallengeHead<'_>) -> Vec<u8> {
    let mut bytes = begin(2, invite_id);
    bytes.put(head.group_id.as_bytes());
    bytes.put_u8(head.role.to_byte());
    bytes.put_u8(head.mode as u8);
    bytes.put_u8(head.delivery as u8);
    bytes.put_u32(head.attempt);
    bytes.put(&head.host_leaf_key);
    bytes.put_bytes(head.host_credential);
    bytes.put_bytes(head.deny_list);
    bytes.put_bytes(head.succession);
    bytes
}

pub(super) struct Challenge<'a> {
    pub(super) fields: ChallengeHead<'a>,
    pub(super) head: &'a [u8],
    pub(super) ke2: &'a [u8],
}

pub(super) fn read_challenge(invite_id: InviteId, message: &[u8]) -> Result<Challenge<'_>, InvitationError> {
    let mut reader = open(2, invite_id, message)?;
    let mut read = || {
        let fields = ChallengeHead {
            group_id: GroupId::from_bytes(reader.array()?),
            role: CallRole::from_byte(reader.u8()?).ok()?,
            mode: CallMode::from_byte(reader.u8()?).ok()?,
            delivery: Delivery::from_byte(reader.u8()?).ok()?,
            attempt: reader.u32()?,
            host_leaf_key: reader.array()?,
            host_credential: reader.bytes(MAX_CREDENTIAL)?,
            deny_list: reader.bytes(MAX_DENY_LIST)?,
            succession: reader.bytes(MAX_SUCCESSION)?,
        };
        let ke2 = reader.bytes(MAX_KE)?;
        reader.end()?;
        let head = message.get(..message.len() - ke2.len() - 2)?;
        Some(Challenge { fields, head, ke2 })
    };
    read().ok_or(InvitationError::Malformed)
}

pub(super) struct Proof<'a> {
    pub(super) attempt: u32,
    pub(super) ke3: &'a [u8],
    pub(super) package: &'a [u8],
    pub(super) tag: &'a [u8],
}

pub(super) fn write_proof(invite_id: InviteId, attempt: u32, ke3: &[u8], package: &[u8], tag: &[u8]) -> Vec<u8> {
    let mut bytes = begin(3, invite_id);
    bytes.put_u32(attempt);
    bytes.put_bytes(ke3);
    bytes.put_bytes(package);
    bytes.put(tag);
    bytes
}

pub(super) fn read_proof(invite_id: InviteId, message: &[u8]) -> Result<Proof<'_>, InvitationError> {
    let mut reader = open(3, invite_id, message)?;
    let mut read = || {
        let proof = Proof {
            attempt: reader.u32()?,
            ke3: reader.bytes(MAX_KE)?,
            package: reader.bytes(MAX_PACKAGE)?,
            tag: reader.take(MAC_LENGTH)?,
        };
        reader.end()?;
        Some(proof)
    };
    read().ok_or(InvitationError::Malformed)
}

pub(super) fn write_confirm(invite_id: InviteId, attempt: u32, tag: &[u8]) -> Vec<u8> {
    let mut bytes = begin(4, invite_id);
    bytes.put_u32(attempt);
    bytes.put(tag);
    bytes
}

pub(super) fn read_confirm(invite_id: InviteId, message: &[u8]) -> Result<(u32, &[u8]), InvitationError> {
    let mut reader = open(4, invite_id, message)?;
    let mut read = || {
        let confirm = (reader.u32()?, reader.take(MAC_LENGTH)?);
        reader.end()?;
        Some(confirm)
    };
    read().ok_or(InvitationError::Malformed)
}

/// The head of message 5 is the seal's associated data.
pub(super) fn write_card_head(invite_id: InviteId, attempt: u32) -> Vec<u8> {
    let mut bytes = begin(5, invite_id);
    bytes.put_u32(attempt);
    bytes
}

pub(super) struct SealedCard<'a> {
    pub(super) attempt: u32,
    pub(super) head: &'a [u8],
    pub(super) nonce: [u8; 12],
    pub(super) sealed: &'a [u8],
}

pub(super) fn read_card(invite_id: InviteId, message: &[u8]) -> Result<SealedCard<'_>, InvitationError> {
    let mut reader = open(5, invite_id, message)?;
    let mut read = || {
        let attempt = reader.u32()?;
        let nonce = reader.array()?;
        let (head, rest) = message.split_at_checked(HEAD + 4)?;
        Some(SealedCard { attempt, head, nonce, sealed: rest.get(12..)? })
    };
    read().ok_or(InvitationError::Malformed)
}

pub(super) struct Return<'a> {
    /// Of the exchange that it goes back to.
    pub(super) first: u32,
    pub(super) attempt: u32,
    /// Empty without one.
    pub(super) proof: &'a [u8],
    pub(super) package: &'a [u8],
    pub(super) authenticated: &'a [u8],
    pub(super) tag: &'a [u8],
}

/// Message 6 without its MAC.
pub(super) fn write_return(invite_id: InviteId, first: u32, attempt: u32, proof: &[u8], package: &[u8]) -> Vec<u8> {
    let mut bytes = begin(6, invite_id);
    bytes.put_u32(first);
    bytes.put_u32(attempt);
    bytes.put_bytes(proof);
    bytes.put_bytes(package);
    bytes
}

pub(super) fn read_return(invite_id: InviteId, message: &[u8]) -> Result<Return<'_>, InvitationError> {
    let mut reader = open(6, invite_id, message)?;
    let mut read = || {
        let (first, attempt) = (reader.u32()?, reader.u32()?);
        let (proof, package) = (reader.bytes(MAX_PROOF)?, reader.bytes(MAX_PACKAGE)?);
        let tag = reader.take(MAC_LENGTH)?;
        reader.end()?;
        let authenticated = message.get(..message.len() - MAC_LENGTH)?;
        Some(Return { first, attempt, proof, package, authenticated, tag })
    };
    read().ok_or(InvitationError::Malformed)
}

/// OPAQUE's context.
pub(super) fn context(knock_head: &[u8], challenge_head: &[u8]) -> [u8; MAC_LENGTH] {
    hash("invitation context", &[knock_head, challenge_head])
}

pub(super) fn transcript(message1: &[u8], message2: &[u8]) -> [u8; MAC_LENGTH] {
    hash("invitation transcript", &[message1, message2])
}

/// Length of what all messages begin with.
const HEAD: usize = 2 + 1 + 16;

fn begin(number: u8, invite_id: InviteId) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u16(PROFILE_VERSION);
    bytes.put_u8(number);
    bytes.put(invite_id.as_bytes());
    bytes
}

fn open(number: u8, invite_id: InviteId, message: &[u8]) -> Result<Reader<'_>, InvitationError> {
    let mut reader = Reader::new(message);
    let mut read = || {
        let version = reader.u16()?;
        let found = reader.u8()?;
        let id: [u8; 16] = reader.array()?;
        let fits = message.len() <= MAX_INVITATION_MESSAGE;
        (version == PROFILE_VERSION && found == number && id == *invite_id.as_bytes() && fits).then_some(())
    };
    read().ok_or(InvitationError::Malformed)?;
    Ok(reader)
}

/// Number of a message of the exchange, for routing: 1 to 6.
pub(crate) fn number(message: &[u8]) -> Option<u8> {
    message.get(2).copied().filter(|number| (1..=6).contains(number))
}
