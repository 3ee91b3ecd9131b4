//! The consultation with several guests: a patient, and whom the practice lets bring along. Each has an invitation of its own.

use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;

use crate::bootstrap::House;
use crate::journey::appointment;
use crate::journey::{Card, PATIENT, admit, begin, goodbye, invite, knock, make_invitation, meet, say_devices, start};
use crate::options::{Options, Side};
use crate::programs::{Client, say};
use crate::report;
use crate::usage::Usage;

/// The others; no such persons exist.
const OTHERS: [Card; 4] = [
    ("Kim Example", "1975-03-01", "+61 2 5550 0102"),
    ("Ash Example", "1990-04-02", "+61 2 5550 0103"),
    ("Lee Example", "1968-05-03", "+61 2 5550 0104"),
    ("Max Example", "2001-06-04", "+61 2 5550 0105"),
];

/// Runs it and writes the reports.
pub(crate) async fn run(mut house: House, options: &Options) -> Result<()> {
    let reports = report::Folder::new(options.report.as_deref())?;
    let sides = options.sides();
    let mut host = start(&house, options, Side::Host, &reports)?;
    let mut invitations = vec![invite(&mut host, &house, false).await?];
    for _ in 1..options.guests {
        invitations.push(make_invitation(&mut host, false).await?);
    }
    let id = appointment(&mut host).await?;
    host.tell(json!({ "command": "start_consultation", "appointment": id })).await?;
    host.phase("host opens the room", "lobby_host").await?;
    say_devices(&mut host, Side::Host).await?;

    let mut guests: Vec<Client> = Vec::new();
    let cards = std::iter::once(PATIENT).chain(OTHERS);
    for ((side, card), invitation) in sides.iter().skip(1).zip(cards).zip(&invitations) {
        let mut guest = start(&house, options, *side, &reports)?;
        knock(&mut guest, *side, card, invitation, false).await?;
        admit(&mut host, card).await?;
        guests.push(guest);
        // Those who are in read on, so that none waits for its reader.
        let count = guests.len() + 1;
        meet(&mut host, "host meets the new guest", count).await?;
        for guest in &mut guests {
            meet(guest, "a guest meets the others", count).await?;
        }
    }
    say(&format!("{} are in the call", sides.len()));
    begin(&mut house, options).await?;
    let talk = std::time::Duration::from_secs(options.seconds);
    let ids = std::iter::once(host.id()).chain(guests.iter().map(Client::id)).collect::<Result<Vec<_>>>()?;
    let usage = Usage::begin(ids)?;
    let mut talking = JoinSet::new();
    for mut client in guests {
        talking.spawn(async move {
            let stayed = client.stay("a guest talks", "call", talk).await;
            (client, stayed)
        });
    }
    host.stay("host talks", "call", talk).await?;
    let mut guests = Vec::new();
    while let Some(talked) = talking.join_next().await {
        let (client, stayed) = talked?;
        stayed?;
        guests.push(client);
    }
    for (side, (cpu, memory)) in sides.iter().zip(usage.now()?) {
        say(&format!("{:7} CPU {cpu:.3} s/s, memory {memory:.0} MB", side.name()));
    }
    host.tell(json!({ "command": "end_for_all" })).await?;
    goodbye(&mut host, "host ends", "").await?;
    for mut guest in guests {
        goodbye(&mut guest, "the call ends for a guest", "").await?;
        guest.quit().await?;
    }
    host.quit().await?;
    house.close().await?;
    report::summarise(&reports, options)
}
