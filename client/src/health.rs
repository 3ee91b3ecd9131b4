//! How well the call goes over the network, from what the engine counted in the last two seconds. Pure; `now` is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use media::{MediaStats, PeerMedia};

/// What is shown is of so long. Shorter jumps, longer is late.
const WINDOW: Duration = Duration::from_secs(2);
/// Snapshots kept: one a quarter of a second, and some.
const MAX_SNAPSHOTS: usize = 16;

/// How well it goes. The order is from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Nothing to hear or see of the network.
    Good,
    /// Now and then something is heard or seen of it.
    Fair,
    /// It disturbs the talk.
    Poor,
}

/// One member, the own device apart.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberHealth {
    /// Whose path this is.
    pub leaf: u32,
    /// Of all below.
    pub quality: Quality,
    /// There and back, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// By how much packets come unevenly, in milliseconds.
    pub jitter_ms: f64,
    /// Share of the packets that were lost, the worse of both ways, 0 to 1.
    pub loss: f64,
    /// Share of the sound that had to be made up, 0 to 1.
    pub made_up: f64,
    /// Width, height, and pictures a second; `None` without a picture.
    pub picture: Option<(u32, u32, f64)>,
    /// What comes, in kbit/s: sound and picture.
    pub coming_kbps: f64,
    /// What may be sent, in kbit/s.
    pub can_send_kbps: f64,
    /// What waits on the way, in milliseconds.
    pub queue_ms: f64,
    /// Times the picture stood still since the call began.
    pub freezes: u64,
}

/// The whole call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// One for each other member with a path.
    pub members: Vec<MemberHealth>,
}

impl Health {
    /// The worst of all; `None` while there is nobody.
    #[must_use]
    pub fn quality(&self) -> Option<Quality> {
        self.members.iter().map(|member| member.quality).max()
    }
}

/// What was counted lately.
#[derive(Debug, Default)]
pub struct HealthBook {
    snapshots: VecDeque<(Duration, MediaStats)>,
}

impl HealthBook {
    /// Takes what is counted now, and judges.
    pub fn add(&mut self, now: Duration, stats: MediaStats) -> Health {
        while self.snapshots.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW)
            || self.snapshots.len() >= MAX_SNAPSHOTS
        {
            self.snapshots.pop_front();
        }
        let before = self.snapshots.front();
        let members = stats.peers.iter().map(|peer| {
            let then = before.and_then(|(at, stats)| {
                let then = stats.peers.iter().find(|then| then.peer == peer.peer)?;
                Some((now.saturating_sub(*at).as_secs_f64(), then))
            });
            judge(peer, then)
        });
        let health = Health { members: members.collect() };
        self.snapshots.push_back((now, stats));
        health
    }

    /// What was counted last.
    pub fn newest(&self) -> Option<&MediaStats> {
        self.snapshots.back().map(|(_, stats)| stats)
    }

    /// The call is over.
    pub fn clear(&mut self) {
        self.snapshots.clear();
    }
}

/// A peer now, and what was counted of it some seconds ago.
fn judge(now: &PeerMedia, then: Option<(f64, &PeerMedia)>) -> MemberHealth {
    // Counts begin anew when the set-up is over; then nothing is said of that moment.
    let since = |count: fn(&PeerMedia) -> u64| then.map_or(0, |(_, then)| count(now).saturating_sub(count(then)));
    let seconds = then.map_or(1.0, |(seconds, _)| seconds.max(0.25));
    let missed = since(|peer| peer.path.missed) as f64;
    let lost_coming = missed / (since(|peer| peer.path.received) as f64 + missed).max(20.0);
    let made_up = since(|peer| peer.audio.concealed) as f64 / (since(|peer| peer.audio.played) as f64).max(20.0);
    let frames = since(|peer| peer.video.frames) as f64;
    let picture = (frames > 0.0).then_some((now.video.width, now.video.height, frames / seconds));
    let mut member = MemberHealth {
        leaf: u32::from(now.peer.as_u8()),
        quality: Quality::Good,
        round_trip_ms: now.round_trip_ms,
        jitter_ms: now.path.jitter_ms,
        loss: now.path.loss.max(lost_coming).clamp(0.0, 1.0),
        made_up: made_up.clamp(0.0, 1.0),
        picture,
        coming_kbps: now.video.kbps + now.audio.kbps,
        can_send_kbps: now.path.target_kbps,
        queue_ms: now.path.queue_ms,
        freezes: now.video.freezes,
    };
    member.quality = quality(&member);
    member
}

/// By what people notice: sound that breaks up first, then delay, then a poor picture.
fn quality(member: &MemberHealth) -> Quality {
    let delay = member.round_trip_ms.unwrap_or_default() + member.queue_ms;
    let told = member.can_send_kbps > 0.0;
    if member.made_up > 0.05 || member.loss > 0.15 || delay > 600.0 || (told && member.can_send_kbps < 120.0) {
        Quality::Poor
    } else if member.made_up > 0.01 || member.loss > 0.04 || delay > 300.0 || (told && member.can_send_kbps < 400.0) {
        Quality::Fair
    } else {
        Quality::Good
    }
}

#[cfg(test)]
mod tests {
    use crypto::LeafIndex;
    use media::{AudioReceived, PathMedia, VideoReceived};

    use super::*;

    /// After so many seconds of a call with this loss, round trip and rate.
    fn stats(seconds: u64, concealed_percent: u64, loss: f64, round_trip_ms: f64, kbps: f64) -> MediaStats {
        let played = seconds * 50;
        let peer = PeerMedia {
            peer: LeafIndex::new(1).unwrap(),
            video: VideoReceived { width: 640, height: 360, frames: seconds * 30, ..VideoReceived::default() },
            audio: AudioReceived { played, concealed: played * concealed_percent / 100, ..AudioReceived::default() },
            undecryptable_frames: 0,
            retransmissions: 0,
            round_trip_ms: Some(round_trip_ms),
            path: PathMedia { loss, target_kbps: kbps, received: seconds * 300, ..PathMedia::default() },
        };
        MediaStats { peers: vec![peer], ..MediaStats::default() }
    }

    fn judged(concealed_percent: u64, loss: f64, round_trip_ms: f64, kbps: f64) -> MemberHealth {
        let mut book = HealthBook::default();
        for seconds in 0..10 {
            let stats = stats(seconds, concealed_percent, loss, round_trip_ms, kbps);
            book.add(Duration::from_secs(seconds), stats);
        }
        let last = stats(10, concealed_percent, loss, round_trip_ms, kbps);
        book.add(Duration::from_secs(10), last).members.remove(0)
    }

    #[test]
    fn a_call_that_goes_well_is_good_and_its_figures_are_of_the_last_seconds() {
        let member = judged(0, 0.0, 50.0, 2_500.0);
        assert_eq!(member.quality, Quality::Good);
        assert_eq!(member.picture, Some((640, 360, 30.0)));
    }

    #[test]
    fn what_people_notice_makes_it_worse() {
        assert_eq!(judged(2, 0.0, 50.0, 2_500.0).quality, Quality::Fair);
        assert_eq!(judged(8, 0.0, 50.0, 2_500.0).quality, Quality::Poor);
        assert_eq!(judged(0, 0.08, 50.0, 2_500.0).quality, Quality::Fair);
        assert_eq!(judged(0, 0.0, 350.0, 2_500.0).quality, Quality::Fair);
        assert_eq!(judged(0, 0.0, 50.0, 200.0).quality, Quality::Fair);
        assert_eq!(judged(0, 0.0, 50.0, 60.0).quality, Quality::Poor);
    }

    #[test]
    fn a_bad_minute_is_forgotten_after_two_seconds() {
        let mut book = HealthBook::default();
        book.add(Duration::from_secs(60), stats(60, 50, 0.0, 50.0, 2_500.0));
        for quarter in 1..=12 {
            let now = Duration::from_secs(60) + Duration::from_millis(250) * quarter;
            let mut good = stats(60, 50, 0.0, 50.0, 2_500.0);
            good.peers[0].audio.played += u64::from(quarter) * 12;
            let health = book.add(now, good);
            assert_eq!(health.quality(), Some(Quality::Good));
        }
        assert!(book.snapshots.len() <= MAX_SNAPSHOTS);
    }

    #[test]
    fn alone_there_is_nothing_to_say() {
        assert_eq!(HealthBook::default().add(Duration::ZERO, MediaStats::default()).quality(), None);
    }

    #[test]
    fn counts_that_begin_anew_are_no_loss() {
        let mut book = HealthBook::default();
        book.add(Duration::from_secs(1), stats(9, 0, 0.0, 50.0, 2_500.0));
        let health = book.add(Duration::from_secs(2), stats(0, 0, 0.0, 50.0, 2_500.0));
        assert_eq!(health.quality(), Some(Quality::Good));
    }
}
