//! The epoch storm (E2EE 9.5): members come and go every 300 ms, and some who stay renew their keys between.

use std::collections::VecDeque;
use std::time::Duration;

use crate::member::{Change, Id};
use crate::path::Network;
use crate::world::{HOST, World};
use crate::{Failure, figure, millis};

const NETWORK: Network = Network { one_way: Duration::from_millis(40), loss: 20, overtaken: 50 };

/// What the members' ways to the server differ by, in milliseconds: a commit does not reach them at once.
const SKEW: &[i32] = &[0, 60, -15, 30, -10, 10, -5];

/// Time between two changes of the roster.
const PERIOD: Duration = Duration::from_millis(300);

/// Periods between two path updates of members who stay; they race with the host's commits.
const UPDATE_EVERY: u64 = 3;

/// The host and two more are there all the time.
pub(crate) const STAY: usize = 3;

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn figures(seconds: u64, members: usize) -> Result<(), Failure> {
    let mut world = World::open(NETWORK, false)?;
    world.skew = SKEW;
    let mut ids = vec![HOST];
    while ids.len() < members {
        ids.push(world.admit(false, None)?);
        world.run(PERIOD).await?;
    }
    if !world.connect(&ids, LIMIT).await? {
        return Err("not everybody connected".into());
    }
    world.run(Duration::from_secs(1)).await?;
    let mut guests: VecDeque<Id> = ids.split_off(STAY).into();
    let before = world.epochs;
    let mut gone = None;
    for period in 0..seconds * 1_000 / 300 {
        if let Some(gone) = gone.take() {
            world.stop(gone)?;
        }
        if period % UPDATE_EVERY == 0 {
            world.wish(ids[1 + usize::try_from(period / UPDATE_EVERY)? % (STAY - 1)], Change::Update)?;
        }
        if period % 2 == 0 {
            gone = guests.pop_front();
            world.remove(gone.ok_or("nobody is left")?)?;
        } else {
            guests.push_back(world.admit(false, None)?);
        }
        world.run(PERIOD).await?;
    }
    if let Some(gone) = gone {
        world.stop(gone)?;
    }
    let changes = world.epochs - before;
    world.run(Duration::from_secs(2)).await?;
    let round_trip = world.round_trip_ms();
    world.hush(Duration::from_millis(700)).await?;
    let (forks, restarts, agree) = (world.forks, world.restarts, world.agree());
    let balance = world.close().await?;
    let lost: u64 = balance.lost.values().sum();
    let line =
        |what: &str, value: f64, unit, most| figure("E2EE", &format!("storm of {members}: {what}"), value, unit, most);
    line("time, somebody comes or goes every 300 ms", seconds as f64, "s", None);
    line("epochs passed", changes as f64, "", None);
    line("round trip as the host measured it", round_trip, "ms", None);
    line("voice frames that arrived at members of their epoch", balance.arrived as f64, "", None);
    line("those of them that never opened", lost as f64, "", Some(0.0));
    line("voice frames that the network lost for good", balance.network as f64, "", None);
    line("longest gap between opened frames of a voice", millis(balance.gap), "ms", None);
    line("longest that a frame waited for its keys", millis(balance.wait), "ms", None);
    line("associations of 2 s and more", balance.associations as f64, "", None);
    line("those of them without a sound", balance.silent as f64, "", None);
    line("associations that began anew after a failure", restarts as f64, "", None);
    line("forks", forks as f64, "", Some(0.0));
    line("unlike authenticators at the end", f64::from(u8::from(!agree)), "", Some(0.0));
    Ok(())
}
