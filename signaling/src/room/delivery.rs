//! The ordered log of one call: compare-and-set on the epoch, one commit per epoch, bounded history.

use std::collections::VecDeque;

use crate::protocol::{Delivery, Opaque, ParticipantId, ServerMessage};

/// Most entries kept. Lower, and a client that was away for minutes cannot catch up; higher costs memory per room.
/// Six members with a heartbeat every 5 s fill it in about an hour.
const MAX_ENTRIES: usize = 4096;

/// Most bytes kept.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Most entries and bytes of one page of a replay, far below what an outbox holds; the next page follows when the socket
/// has written this one.
const REPLAY_ENTRIES: usize = 128;
const REPLAY_BYTES: usize = 256 * 1024;

/// The log of one group.
#[derive(Debug, Default)]
pub(crate) struct Log {
    epoch: u64,
    last_seq: u64,
    bytes: usize,
    entries: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    len: usize,
    message: ServerMessage,
}

/// The compare-and-set was lost: the log is in this epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict(pub(crate) u64);

/// The wanted entries were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HistoryGone;

/// One page of a replay.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) entries: Vec<ServerMessage>,
    /// Its last entry, when the log has more.
    pub(crate) goes_on_after: Option<u64>,
}

impl Log {
    /// Appends if the epoch is the current one. A commit moves the log to the next epoch.
    pub(crate) fn append(
        &mut self,
        from: ParticipantId,
        epoch: u64,
        entry: Delivery,
    ) -> Result<(u64, ServerMessage), Conflict> {
        if epoch != self.epoch {
            return Err(Conflict(self.epoch));
        }
        let len = match &entry {
            Delivery::Commit { commit, invite_psk } => {
                self.epoch += 1;
                commit.len() + invite_psk.as_ref().map_or(0, Opaque::len)
            }
            Delivery::Application { body } => body.len(),
        };
        self.last_seq += 1;
        let seq = self.last_seq;
        let message = ServerMessage::Entry { seq, epoch, from, entry };
        self.bytes += len;
        self.entries.push_back(Entry { seq, len, message: message.clone() });
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.len;
        }
        Ok((seq, message))
    }

    /// How the log stands, as a member without a Welcome of its own is told.
    pub(crate) fn stand(&self) -> ServerMessage {
        ServerMessage::Admitted { seq: self.last_seq, epoch: self.epoch, welcome: Opaque::default() }
    }

    /// The entries after a sequence number, as many as one page may hold.
    pub(crate) fn after(&self, seq: u64) -> Result<Page, HistoryGone> {
        if seq >= self.last_seq {
            return Ok(Page::default());
        }
        if self.entries.front().is_none_or(|oldest| oldest.seq > seq + 1) {
            return Err(HistoryGone);
        }
        let (mut bytes, mut page) = (0, Page::default());
        for entry in self.entries.iter().skip_while(|entry| entry.seq <= seq) {
            bytes += entry.len;
            let full = page.entries.len() >= REPLAY_ENTRIES || bytes > REPLAY_BYTES;
            // The first fits always, or a replay would never get past it.
            if full && !page.entries.is_empty() {
                return Ok(page);
            }
            page.entries.push(entry.message.clone());
            page.goes_on_after = (entry.seq < self.last_seq).then_some(entry.seq);
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: ParticipantId = ParticipantId::from_bytes([1; 16]);

    fn commit() -> Delivery {
        Delivery::Commit { commit: Opaque::new(vec![1; 10]), invite_psk: None }
    }

    fn application(len: usize) -> Delivery {
        Delivery::Application { body: Opaque::new(vec![2; len]) }
    }

    #[test]
    fn a_commit_moves_the_epoch_and_the_loser_hears_the_new_one() {
        let mut log = Log::default();
        assert_eq!(log.append(FROM, 0, commit()).unwrap().0, 1);
        assert_eq!(log.append(FROM, 0, commit()), Err(Conflict(1)));
        assert_eq!(log.append(FROM, 0, application(1)), Err(Conflict(1)));
        assert_eq!(log.append(FROM, 2, application(1)), Err(Conflict(1)));
        assert_eq!(log.append(FROM, 1, application(1)).unwrap().0, 2);
        assert_eq!(log.epoch, 1);
    }

    #[test]
    fn a_replay_starts_after_the_given_entry() {
        let mut log = Log::default();
        log.append(FROM, 0, application(1)).unwrap();
        let (_, second) = log.append(FROM, 0, application(2)).unwrap();
        assert_eq!(log.after(1).unwrap(), Page { entries: vec![second], goes_on_after: None });
        assert_eq!(log.after(2).unwrap(), Page::default());
        assert_eq!(log.after(u64::MAX).unwrap(), Page::default());
    }

    #[test]
    fn history_is_bounded_and_says_so() {
        let mut log = Log::default();
        for _ in 0..MAX_ENTRIES + 10 {
            log.append(FROM, 0, application(1)).unwrap();
        }
        assert_eq!(log.entries.len(), MAX_ENTRIES);
        assert_eq!(log.after(9), Err(HistoryGone));
        let page = log.after(10).unwrap();
        assert_eq!((page.entries.len(), page.goes_on_after), (REPLAY_ENTRIES, Some(10 + REPLAY_ENTRIES as u64)));
        for _ in 0..100 {
            log.append(FROM, 0, application(60_000)).unwrap();
        }
        assert!(log.bytes <= MAX_BYTES);
        assert_eq!(log.after(log.last_seq - 50).unwrap().entries.len(), REPLAY_BYTES / 60_000);
    }
}
