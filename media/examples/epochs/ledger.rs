//! What became of every voice frame that reached one member.

use std::collections::BTreeMap;
use std::time::Duration;

use media::{MediaTime, VoiceFate, VoiceStep};

/// A frame of an epoch to come may be held so long; younger ones are not yet judged when an account closes.
const HOLD: Duration = Duration::from_millis(250);

/// An association that was open for so long should have carried sound, if the network lost nothing of its handshakes: a
/// repetition in DTLS takes a second.
const SHOULD_SOUND: Duration = Duration::from_secs(2);

/// One member's accounts: one for each member that it heard, while both were in the call.
#[derive(Default)]
pub(crate) struct Ledger {
    joined: u64,
    epoch: u64,
    /// When everybody was told to be quiet.
    hushed: Option<MediaTime>,
    open: BTreeMap<u8, Account>,
    closed: Vec<Account>,
}

struct Account {
    since: MediaTime,
    until: MediaTime,
    /// Frame number → arrival and epoch.
    arrived: BTreeMap<u16, (MediaTime, u64)>,
    /// Frame number → when it opened.
    opened: BTreeMap<u16, MediaTime>,
}

/// The sum over accounts.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    /// Frames that arrived for a member of their epoch.
    pub(crate) arrived: u64,
    /// Those among them that never opened, by the epoch they were sealed in.
    pub(crate) lost: BTreeMap<u64, u64>,
    /// Frames that never arrived, retransmissions included.
    pub(crate) network: u64,
    /// Longest time without an opened frame on one association.
    pub(crate) gap: Duration,
    /// Longest time from a frame's arrival to its opening.
    pub(crate) wait: Duration,
    /// Associations that stood for 2 s, and those of them that never carried sound.
    pub(crate) associations: u64,
    pub(crate) silent: u64,
}

impl Ledger {
    /// The member is in this epoch now.
    pub(crate) fn epoch(&mut self, epoch: u64) {
        if self.epoch == 0 {
            self.joined = epoch;
        }
        self.epoch = epoch;
    }

    /// Somebody came.
    pub(crate) fn open(&mut self, leaf: u8) {
        let now = MediaTime::now();
        let account = Account { since: now, until: now, arrived: BTreeMap::new(), opened: BTreeMap::new() };
        self.open.insert(leaf, account);
    }

    /// Somebody went.
    pub(crate) fn close(&mut self, leaf: u8) {
        if let Some(mut account) = self.open.remove(&leaf) {
            account.until = MediaTime::now();
            self.closed.push(account);
        }
    }

    /// Nobody speaks from now on; what is under way still counts.
    pub(crate) fn hush(&mut self) {
        self.hushed = Some(MediaTime::now());
    }

    /// The member itself went, or the call is over.
    pub(crate) fn close_all(&mut self) {
        while let Some((leaf, _)) = self.open.first_key_value() {
            self.close(*leaf);
        }
    }

    pub(crate) fn note(&mut self, step: VoiceStep) {
        let Some(account) = self.open.get_mut(&step.peer.as_u8()) else {
            return;
        };
        match step.what {
            VoiceFate::Arrived { epoch } => {
                // The epoch nearest to ours with these four bits.
                let ahead = u64::from(epoch).wrapping_sub(self.epoch) % 16;
                let epoch = if ahead < 8 { self.epoch + ahead } else { (self.epoch + ahead).saturating_sub(16) };
                account.arrived.entry(step.number).or_insert((step.at, epoch));
            }
            VoiceFate::Opened => {
                account.opened.entry(step.number).or_insert(step.at);
            }
        }
    }

    /// Adds what the closed accounts say.
    pub(crate) fn settle(&self, balance: &mut Balance) {
        for account in &self.closed {
            account.settle(self.joined, self.hushed, balance);
        }
    }
}

impl Account {
    fn settle(&self, joined: u64, hushed: Option<MediaTime>, balance: &mut Balance) {
        if self.until.since(self.since) >= SHOULD_SOUND {
            balance.associations += 1;
            balance.silent += u64::from(self.opened.is_empty());
        }
        for (number, (at, epoch)) in &self.arrived {
            if *epoch < joined {
                continue;
            }
            match self.opened.get(number) {
                Some(opened) => balance.wait = balance.wait.max(opened.since(*at)),
                None if self.until.since(*at) < HOLD => continue,
                None => *balance.lost.entry(*epoch).or_default() += 1,
            }
            balance.arrived += 1;
        }
        if let (Some((first, _)), Some((last, _))) = (self.arrived.first_key_value(), self.arrived.last_key_value()) {
            balance.network += u64::from(last - first) + 1 - self.arrived.len() as u64;
        }
        // In the order of their opening: a retransmission opens after its followers.
        let mut times: Vec<_> = self.opened.values().copied().collect();
        times.sort_unstable();
        times.push(hushed.map_or(self.until, |hushed| hushed.min(self.until)));
        for pair in times.windows(2) {
            balance.gap = balance.gap.max(pair[1].since(pair[0]));
        }
    }
}
