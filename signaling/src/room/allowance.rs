//! What each guest or colleague may make the host hear before it is admitted, so that one cannot fill the host's outbox.

use std::{collections::BTreeMap, time::Duration};

use super::Identity;

/// Time after which an allowance is whole again.
pub(super) const RELAY_PAUSE: Duration = Duration::from_secs(10);

/// Bytes of one of them in that time: entering and a whole key exchange at its largest. Base64 makes a third more of
/// it, far below what an outbox holds.
const RELAY_BYTES: usize = 64 * 1024;

/// What entering the lobby costs: it and the leaving after it each bring the host the whole list.
pub(super) const ENTRY: usize = 4 * 1024;

/// What a message costs at least, since outboxes count messages as well.
const LEAST: usize = 1024;

/// Most of them remembered. Invitations are the host's own and accounts few, so more do not come in a pause; if they do,
/// they wait.
const REMEMBERED: usize = 256;

/// Allowances by invitation or account: a new session or a new seat of the same one brings no new allowance.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    spent: BTreeMap<Identity, Spent>,
}

#[derive(Debug, Clone, Copy)]
struct Spent {
    since: Duration,
    bytes: usize,
}

impl Allowances {
    /// Takes the cost of one message. `Err`: whole seconds, at least 1, until it may be said.
    pub(super) fn take(&mut self, now: Duration, whose: Identity, len: usize) -> Result<(), u32> {
        let age = |spent: &Spent| now.saturating_sub(spent.since);
        if self.spent.len() >= REMEMBERED {
            self.spent.retain(|_, spent| age(spent) < RELAY_PAUSE);
        }
        let fresh = Spent { since: now, bytes: 0 };
        let current = self.spent.get(&whose).copied();
        if current.is_none() && self.spent.len() >= REMEMBERED {
            return Err(seconds(RELAY_PAUSE));
        }
        let mut spent = current.filter(|spent| age(spent) < RELAY_PAUSE).unwrap_or(fresh);
        let bytes = spent.bytes.saturating_add(len.max(LEAST));
        if bytes > RELAY_BYTES {
            return Err(seconds(RELAY_PAUSE.saturating_sub(age(&spent))));
        }
        spent.bytes = bytes;
        self.spent.insert(whose, spent);
        Ok(())
    }
}

/// Rounded up.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{InviteId, UserId};

    fn invite(number: u16) -> Identity {
        let [high, low] = number.to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&[high, low]);
        Identity::Invitation(InviteId::from_bytes(bytes))
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let mut allowances = Allowances::default();
        let taken = (0..1000).filter(|number| allowances.take(Duration::ZERO, invite(*number), 1).is_ok()).count();
        assert_eq!(taken, REMEMBERED);
        assert_eq!(allowances.take(Duration::ZERO, invite(0), 1), Ok(()));
        assert_eq!(allowances.take(RELAY_PAUSE, invite(2000), 1), Ok(()));
        assert_eq!(allowances.spent.len(), 1);
    }

    #[test]
    fn a_length_cannot_overflow() {
        assert_eq!(Allowances::default().take(Duration::ZERO, invite(1), usize::MAX), Err(10));
    }

    #[test]
    fn an_account_and_an_invitation_of_the_same_bytes_do_not_share() {
        let mut allowances = Allowances::default();
        assert_eq!(allowances.take(Duration::ZERO, invite(0), RELAY_BYTES), Ok(()));
        assert!(allowances.take(Duration::ZERO, invite(0), 1).is_err());
        let account = Identity::Account(UserId::from_bytes([0; 16]));
        assert_eq!(allowances.take(Duration::ZERO, account, RELAY_BYTES), Ok(()));
    }
}
