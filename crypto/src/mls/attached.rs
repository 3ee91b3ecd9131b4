//! What a commit carries in its authenticated data (RFC 9420 §6.3.2): a proof for every member.
//!
//! ```text
//! nothing          an ordinary commit
//! 1 | request      Remove on a signed leave request (leave.rs)
//! ```
//!
//! The committer's signature covers it, and the server can read it: it learns that a member
//! asked to leave, and from which leaf, never who that is.

use super::leave::LeaveRequest;

const LEAVE: u8 = 1;

pub(super) enum Attached {
    Nothing,
    Leave(LeaveRequest),
}

impl Attached {
    /// Reads the whole of it; a kind that this profile does not know is refused with its commit.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first() {
            None => Some(Self::Nothing),
            Some((&LEAVE, request)) => LeaveRequest::decode(request).map(Self::Leave),
            Some(_) => None,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Leave(request) => [&[LEAVE], &request.encode()[..]].concat(),
        }
    }
}
