//! P14: a call of two whose keys change every 500 ms.

use std::time::Duration;

use crate::member::Change;
use crate::path::Network;
use crate::world::{HOST, World};
use crate::{Failure, figure, millis, percentile};

const NETWORK: Network = Network { one_way: Duration::from_millis(40), loss: 10, overtaken: 0 };

/// Time between two changes of keys.
const PERIOD: Duration = Duration::from_millis(500);

/// What is under way when nobody speaks any more: a retransmission, and frames that wait for their keys.
const DRAIN: Duration = Duration::from_millis(700);

pub(crate) async fn figures(seconds: u64) -> Result<(), Failure> {
    let mut world = World::open(NETWORK, false)?;
    let guest = world.admit(false, None)?;
    if !world.connect(&[HOST, guest], Duration::from_secs(20)).await? {
        return Err("the two did not connect".into());
    }
    world.run(Duration::from_secs(2)).await?;
    world.steady();
    world.run(Duration::from_secs(seconds / 2)).await?;
    let quiet = world.concealed();
    world.steady();
    let before = world.epochs;
    for round in 0..seconds * 2 {
        world.wish(if round % 2 == 0 { HOST } else { guest }, Change::Update)?;
        world.run(PERIOD).await?;
    }
    let renewing = world.concealed();
    let changes = world.epochs - before;
    world.run(Duration::from_secs(1)).await?;
    let round_trip = world.round_trip_ms();
    world.hush(DRAIN).await?;
    let agree = world.agree();
    let balance = world.close().await?;
    let mut lost: Vec<f64> = balance.lost.values().map(|count| *count as f64).collect();
    let all: u64 = balance.lost.values().sum();
    lost.resize(usize::try_from(changes)?.max(lost.len()), 0.0);
    figure("P14", "changes of keys in a 1:1 call, 80 ms round trip, 1 % loss", changes as f64, "", None);
    figure("P14", "round trip as the call measured it", round_trip, "ms", None);
    figure("P14", "voice frames that arrived", balance.arrived as f64, "", None);
    figure("P14", "voice frames that the network lost for good", balance.network as f64, "", None);
    figure("P14", "arrived frames that never opened, of a change, p99", percentile(&lost, 99), "", Some(0.0));
    figure("P14", "arrived frames that never opened, of all", all as f64, "", None);
    figure("P14", "longest that an arrived frame waited for its keys", millis(balance.wait), "ms", None);
    figure("P14", "voice that had to be invented, keys renewed", renewing, "%", None);
    figure("P14", "voice that had to be invented, keys left alone", quiet, "%", None);
    if !agree {
        return Err("the two are not in one epoch".into());
    }
    Ok(())
}
