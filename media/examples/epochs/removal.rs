//! The removed party: how long after the host's click its keys still open what the others send.
//!
//! With an honest log, and with one that withholds the commit from the other member. Not measured is one that withholds it
//! from the host as well: the host then falls silent after 300 ms, but no rule of E2EE 5 tells the other member.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crypto::LeafIndex;
use tokio::time::Instant;

use crate::member::{Id, lock};
use crate::path::Network;
use crate::thief::{Thief, listen};
use crate::world::{HOST, World};
use crate::{Failure, figure, millis, percentile};

/// A round trip of 80 ms, to each other and to the server.
const NETWORK: Network = Network { one_way: Duration::from_millis(40), loss: 0, overtaken: 0 };

/// From connected to the click: past the 500 ms that old members seal on in the epoch before.
const SETTLE: Duration = Duration::from_millis(900);

/// The keys must have opened something of everybody so shortly before the click, or the round says nothing.
const FRESH: Duration = Duration::from_millis(200);

const LIMIT: Duration = Duration::from_secs(20);

/// The time that keys are of use after the click, of host and watcher each.
struct Round {
    host: Duration,
    watcher: Duration,
    /// Until the last repetition of a frame that they had opened before.
    repeated: Duration,
    /// The watcher's from the heartbeat on that told it of a later epoch.
    warned: Option<Duration>,
}

/// A call of host and watcher, and one after the other who comes and is removed.
struct Call {
    world: World,
    watcher: Id,
    thief: Arc<Mutex<Thief>>,
    leaves: [LeafIndex; 2],
}

pub(crate) async fn figures(removals: usize, withheld: usize) -> Result<(), Failure> {
    let mut call = Call::open().await?;
    let mut rounds = Vec::new();
    for round in 0..removals {
        rounds.push(call.remove(round, false).await?);
    }
    let of = |pick: fn(&Round) -> Duration, rounds: &[Round]| -> Vec<f64> {
        rounds.iter().map(|round| millis(pick(round))).collect()
    };
    let both = of(|round| round.host.max(round.watcher), &rounds);
    let (host, watcher) = (of(|round| round.host, &rounds), of(|round| round.watcher, &rounds));
    figure("E2EE", "removals at 80 ms round trip, with voice and picture", removals as f64, "", None);
    figure("E2EE", "last frame that the removed one opens after the click, p50", percentile(&both, 50), "ms", None);
    figure("E2EE", "the same, p95", percentile(&both, 95), "ms", Some(300.0));
    figure("E2EE", "the same, max", percentile(&both, 100), "ms", Some(1_000.0));
    let repeated = of(|round| round.repeated, &rounds);
    figure("E2EE", "last repetition of a frame opened before, max", percentile(&repeated, 100), "ms", None);
    figure("E2EE", "of the host alone, p95", percentile(&host, 95), "ms", None);
    figure("E2EE", "of the other member alone, p95", percentile(&watcher, 95), "ms", None);

    let mut rounds = Vec::new();
    for round in 0..withheld {
        rounds.push(call.remove(round, true).await?);
    }
    let warned: Vec<_> = rounds.iter().filter_map(|round| round.warned).map(millis).collect();
    if warned.len() < withheld {
        return Err("a heartbeat told of no later epoch".into());
    }
    let (host, watcher) = (of(|round| round.host, &rounds), of(|round| round.watcher, &rounds));
    figure("E2EE", "commits withheld from the other member", withheld as f64, "", None);
    figure(
        "E2EE",
        "its last frame after the host's next heartbeat, max",
        percentile(&warned, 100),
        "ms",
        // 1 s of patience, and a frame that was being made.
        Some(1_020.0),
    );
    // The commit's way to the log and back, the heartbeat's to the member, 1 s of patience, a frame that was being made.
    figure("E2EE", "its last frame after the click, max", percentile(&watcher, 100), "ms", Some(1_200.0));
    figure("E2EE", "the host's last frame after the click, max", percentile(&host, 100), "ms", Some(300.0));
    call.world.close().await?;
    Ok(())
}

impl Call {
    async fn open() -> Result<Self, Failure> {
        let leaves = [LeafIndex::new(0).ok_or("leaf 0")?, LeafIndex::new(1).ok_or("leaf 1")?];
        let thief = Arc::<Mutex<Thief>>::default();
        let mut world = World::open(NETWORK, true)?;
        let watcher = world.admit(true, None)?;
        for (id, leaf) in [HOST, watcher].into_iter().zip(leaves) {
            world.member(id)?.engine.tap(listen(&thief, leaf));
        }
        if !world.connect(&[HOST, watcher], LIMIT).await? {
            return Err("host and watcher did not connect".into());
        }
        Ok(Self { world, watcher, thief, leaves })
    }

    /// Lets somebody in, lets it listen, and removes it.
    async fn remove(&mut self, round: usize, withhold: bool) -> Result<Round, Failure> {
        *lock(&self.thief) = Thief::default();
        let world = &mut self.world;
        let removed = world.admit(false, Some(&self.thief))?;
        if !world.connect(&[HOST, self.watcher, removed], LIMIT).await? {
            return Err("the one to be removed did not connect".into());
        }
        // Clicks come at any time of a frame.
        world.run(SETTLE + Duration::from_millis(round as u64 * 7 % 20)).await?;
        world.warned = None;
        if withhold {
            // The worst time for it: a heartbeat just went out.
            world.withheld = Some(self.watcher);
            world.start_beats()?;
        }
        let click = Instant::now();
        for leaf in self.leaves {
            let last = lock(&self.thief).last(leaf);
            if last.is_none_or(|last| click - last > FRESH) {
                return Err("the one to be removed did not listen".into());
            }
        }
        world.remove(removed)?;
        world.run(if withhold { Duration::from_millis(7_500) } else { Duration::from_millis(1_200) }).await?;
        let [host, watcher] = self.leaves.map(|leaf| lock(&self.thief).last(leaf).unwrap_or(click));
        let repeated = lock(&self.thief).repeated.unwrap_or(click);
        let warned = world.warned.map(|warned| watcher.saturating_duration_since(warned));
        world.release();
        world.stop(removed)?;
        world.run(Duration::from_millis(300)).await?;
        let since = |last: Instant| last.saturating_duration_since(click);
        Ok(Round { host: since(host), watcher: since(watcher), repeated: since(repeated), warned })
    }
}
