//! The order of the call's log: each entry once, none left out.

use std::collections::BTreeMap;
use std::time::Duration;

use signaling::protocol::Delivery;

/// Entries held back behind a gap (E2EE 5). More than these are asked for again anyway.
const HELD: usize = 8;
/// How long a gap may close by itself before the log is asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// One entry in its place.
#[derive(Debug)]
pub(super) struct Entry {
    /// Who sent it, as the server says: advice.
    pub from: signaling::protocol::ParticipantId,
    /// The bytes.
    pub delivery: Delivery,
}

/// Hands entries on in their order.
#[derive(Debug, Default)]
pub(super) struct Log {
    last: Option<u64>,
    held: BTreeMap<u64, Entry>,
    gap_since: Option<Duration>,
}

impl Log {
    /// A log whose next entry comes after `last`.
    pub(super) fn after(last: u64) -> Self {
        Self { last: Some(last), ..Self::default() }
    }

    /// Takes an entry and gives back those that are due. Past entries are dropped.
    pub(super) fn take(&mut self, now: Duration, seq: u64, entry: Entry) -> Vec<Entry> {
        match self.last {
            Some(last) if seq <= last => return Vec::new(),
            Some(last) if seq != last + 1 => {
                if self.held.len() < HELD {
                    self.held.insert(seq, entry);
                }
                self.gap_since.get_or_insert(now);
                return Vec::new();
            }
            _ => self.last = Some(seq),
        }
        let mut due = vec![entry];
        while let Some(next) = self.last.map(|last| last + 1)
            && let Some(entry) = self.held.remove(&next)
        {
            self.last = Some(next);
            due.push(entry);
        }
        if self.held.is_empty() {
            self.gap_since = None;
        }
        due
    }

    /// The number to replay from, when a gap has not closed in time. Then the patience starts anew.
    pub(super) fn overdue(&mut self, now: Duration) -> Option<u64> {
        let since = self.gap_since?;
        if now.saturating_sub(since) < PATIENCE {
            return None;
        }
        self.gap_since = Some(now);
        self.last
    }

    /// Last entry handed on.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signaling::protocol::{Opaque, ParticipantId};

    fn entry(byte: u8) -> Entry {
        Entry {
            from: ParticipantId::from_bytes([0; 16]),
            delivery: Delivery::Application { body: Opaque::new(vec![byte]) },
        }
    }

    #[test]
    fn an_entry_from_the_past_is_dropped() {
        let mut log = Log::after(4);
        assert!(log.take(Duration::ZERO, 4, entry(0)).is_empty());
        assert_eq!(log.take(Duration::ZERO, 5, entry(0)).len(), 1);
        assert!(log.take(Duration::ZERO, 5, entry(0)).is_empty());
        assert_eq!((log.held.len(), log.overdue(Duration::from_secs(9))), (0, None), "nothing is missing");
    }

    #[test]
    fn entries_that_overtook_wait_for_their_turn() {
        let mut log = Log::after(0);
        assert!(log.take(Duration::ZERO, 3, entry(3)).is_empty());
        assert!(log.take(Duration::ZERO, 2, entry(2)).is_empty());
        assert_eq!(log.take(Duration::ZERO, 1, entry(1)).len(), 3);
        assert_eq!(log.overdue(Duration::from_secs(9)), None);
    }

    #[test]
    fn a_gap_is_asked_for_after_two_seconds() {
        let mut log = Log::after(0);
        log.take(Duration::from_secs(1), 2, entry(2));
        assert_eq!(log.overdue(Duration::from_secs(2)), None);
        assert_eq!(log.overdue(Duration::from_secs(3)), Some(0));
        assert_eq!(log.overdue(Duration::from_secs(4)), None);
    }

    #[test]
    fn a_flood_behind_a_gap_is_bounded() {
        let mut log = Log::after(0);
        for seq in 2..1_000 {
            log.take(Duration::ZERO, seq, entry(0));
        }
        assert_eq!(log.held.len(), HELD);
    }
}
