//! What a commit carries in its authenticated data (RFC 9420 §6.3.2): a proof for every member.
//!
//! ```text
//! nothing          an ordinary commit
//! 1 | request      Remove on a signed leave request (leave.rs)
//! 2 | proof        Remove of a lost member and Add of the same one (returning.rs)
//! ```
//!
//! The committer's signature covers it, and the server can read it: it learns that a member
//! asked to leave, from which leaf, or that one came back; never who that is.

use super::{leave::LeaveRequest, returning::ReturnProof};

const LEAVE: u8 = 1;
const RETURN: u8 = 2;

pub(super) enum Attached {
    Nothing,
    Leave(LeaveRequest),
    Return(ReturnProof),
}

impl Attached {
    /// Reads the whole of it; a kind that this profile does not know is refused with its commit.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first() {
            None => Some(Self::Nothing),
            Some((&LEAVE, request)) => LeaveRequest::decode(request).map(Self::Leave),
            Some((&RETURN, proof)) => ReturnProof::decode(proof).map(Self::Return),
            Some(_) => None,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Leave(request) => [&[LEAVE], &request.encode()[..]].concat(),
            Self::Return(proof) => [&[RETURN], &proof.encode()[..]].concat(),
        }
    }
}
