//! The audit: append-only rows in a hash chain. No clinical content, no names, no addresses, no message text.
//!
//! ```text
//! hash(0) = 48 zero bytes
//! hash(n) = SHA-384( "quietroom audit 1" || hash(n-1) || seq || at_ms || len,event || len,actor || len,role
//!                    || len,subject || len,outcome )          integers: 8 bytes big-endian
//! ```
//! A changed, inserted or removed row breaks every hash after it. Rows cut off at the end are only found by comparing the
//! last hash with one that was written down elsewhere.

use ring::digest::{Context, SHA384};

/// Hash before the first row.
pub(crate) const GENESIS: [u8; 48] = [0; 48];

/// What happened, before it has a place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `group.event`, as the product's list names them.
    pub(crate) event: &'static str,
    /// Staff or participant id in hex, or empty.
    pub(crate) actor: String,
    /// Role of the actor, or empty.
    pub(crate) role: &'static str,
    /// Appointment or invitation id in hex, or empty.
    pub(crate) subject: String,
    /// `ok` or the code of the refusal.
    pub(crate) outcome: &'static str,
}

impl Event {
    /// Something that was done.
    pub(crate) const fn ok(event: &'static str, actor: String, role: &'static str, subject: String) -> Self {
        Self { event, actor, role, subject, outcome: "ok" }
    }

    /// Something that was refused.
    pub(crate) const fn refused(event: &'static str, actor: String, code: crate::protocol::ErrorCode) -> Self {
        Self { event, actor, role: "", subject: String::new(), outcome: code.as_str() }
    }
}

/// Text columns of one row, in the order of the hash.
pub(crate) struct Columns<'a> {
    pub(crate) event: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) role: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) outcome: &'a str,
}

/// Hash of a row that follows `before`.
pub(crate) fn link(before: &[u8], seq: u64, at_ms: u64, columns: &Columns<'_>) -> [u8; 48] {
    let mut context = Context::new(&SHA384);
    context.update(b"quietroom audit 1");
    context.update(before);
    context.update(&seq.to_be_bytes());
    context.update(&at_ms.to_be_bytes());
    for text in [columns.event, columns.actor, columns.role, columns.subject, columns.outcome] {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let mut hash = [0; 48];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_move_between_columns_unseen() {
        let columns = |event, actor| Columns { event, actor, role: "", subject: "", outcome: "ok" };
        let one = link(&GENESIS, 1, 2, &columns("ab", "c"));
        assert_ne!(one, link(&GENESIS, 1, 2, &columns("a", "bc")));
        assert_ne!(one, link(&GENESIS, 2, 2, &columns("ab", "c")));
        assert_ne!(one, link(&GENESIS, 1, 3, &columns("ab", "c")));
        assert_ne!(one, link(&one, 1, 2, &columns("ab", "c")));
    }
}
