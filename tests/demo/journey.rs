//! The consultation without windows: every step a command that a person would have given.
//!
//! 1. The clinician signs in with two factors, books, and makes an invitation.
//! 2. The patient joins with link and code, fills in the card, checks devices and knocks.
//! 3. The host sees both badges, compares the card, confirms the identity and admits.
//! 4. Both see each other in the roster, sealed and connected, and compare safety words.
//! 5. They talk; the patient leaves, the host ends; both devices are closed, both programs end by themselves.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::bootstrap::House;
use crate::canaries::Canaries;
use crate::options::{Options, Side};
use crate::programs::{Client, Place, holds, name_of, say, text};
use crate::usage::Usage;
use crate::{released, report};

/// Name, date of birth, phone.
pub(crate) type Card = (&'static str, &'static str, &'static str);

/// The patient of the demonstration; no such person exists.
pub(crate) const PATIENT: Card = ("Robin Example", "1980-02-29", "+61 2 5550 0100");

/// The appointment's label; no secret.
pub(crate) const LABEL: &str = "Demonstration";
/// Time for a client to close what a call had open, once it has said goodbye.
pub(crate) const REST: Duration = Duration::from_secs(2);

/// Runs it and writes the reports.
pub(crate) async fn run(mut house: House, options: &Options) -> Result<()> {
    let reports = report::Folder::new(options.report.as_deref())?;
    let mut host = start(&house, options, Side::Host, &reports)?;
    let mut patient = start(&house, options, Side::Patient, &reports)?;

    let assessor = options.proof.is_some();
    if let Some(folder) = &options.proof {
        std::fs::write(folder.join("server"), &house.address).context("the folder of --proof")?;
    }
    let invitation = open_room(&mut host, &house, assessor).await?;
    knock(&mut patient, Side::Patient, PATIENT, &invitation, assessor).await?;
    admit(&mut host, PATIENT).await?;
    meet(&mut host, "host enters the call", 2).await?;
    meet(&mut patient, "patient enters the call", 2).await?;
    for client in [&host, &patient] {
        ensure!(holds(client.view(), "/phase/assessor") == assessor, "the call is not of the mode that was asked for");
    }
    if options.relay_only {
        for client in [&host, &patient] {
            ensure!(text(client.view(), "/phase/path").as_deref() == Some("relay"), "a path is not relayed");
        }
        say("both hide their addresses behind the relay");
    }
    say("both are in the call");
    compare_words(&mut host, &mut patient).await?;
    let mut canaries = options.canaries.then(|| Canaries::new(&house, &invitation)).transpose()?;
    if let Some(canaries) = &mut canaries {
        canaries.during(&house, host.id()?, patient.id()?)?;
    }

    begin(&mut house, options).await?;
    let talk = Duration::from_secs(options.seconds);
    let watch = watch(options.usage.as_deref(), vec![host.id()?, patient.id()?]);
    let talks =
        async { tokio::try_join!(host.stay("host talks", "call", talk), patient.stay("patient talks", "call", talk)) };
    tokio::select! {
        talked = talks => talked.map(drop)?,
        watched = watch => watched?,
    }

    let sound = [options.sound_of(Side::Host), options.sound_of(Side::Patient)];
    let ids = [host.id()?, patient.id()?];
    for (id, sound) in ids.into_iter().zip(sound) {
        released::held(id, sound)?;
    }
    patient.tell(json!({ "command": "leave" })).await?;
    goodbye(&mut patient, "patient leaves", "left").await?;
    host.tell(json!({ "command": "end_for_all" })).await?;
    goodbye(&mut host, "host ends", "").await?;
    for (id, sound) in ids.into_iter().zip(sound) {
        released::released(id, sound)?;
    }
    released::say_released();
    if let Some(canaries) = canaries {
        tokio::try_join!(host.stay("host rests", "goodbye", REST), patient.stay("patient rests", "goodbye", REST))?;
        canaries.after(&house, host.id()?, patient.id()?)?;
    }
    patient.quit().await.context("step \"patient's program ends\"")?;
    host.quit().await.context("step \"host's program ends\"")?;
    house.close().await?;
    report::summarise(&reports, options)
}

pub(crate) fn start(house: &House, options: &Options, side: Side, reports: &report::Folder) -> Result<Client> {
    let mut arguments: Vec<OsString> = house.arguments(side, options);
    arguments.push("--headless".into());
    let sound = options.sound_of(side);
    if sound.is_none() {
        arguments.push("--null-speaker".into());
    }
    arguments.push("--report".into());
    arguments.push(reports.path(side).into());
    let aided = options.dump.is_some() || options.timeline.is_some();
    let network = house.network.as_ref().map(|network| network.client(side));
    let place = Place { sound, ..network.unwrap_or_default() };
    Client::start(if aided { "quietroom-lab" } else { "quietroom" }, &arguments, &house.log(side), place)
}

/// The talk begins, and the network's schedule with it if there is one. Writes down when: microseconds of the machine's monotonic
/// clock, as the timelines have them.
pub(crate) async fn begin(house: &mut House, options: &Options) -> Result<()> {
    if let Some(network) = &mut house.network {
        network.begin().await?;
    }
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
    match &options.timeline {
        Some(folder) => std::fs::write(folder.join("begin"), micros.to_string()).context("the folder of --timeline"),
        None => Ok(()),
    }
}

/// Writes down every ten seconds what the clients take; without a file it waits for ever.
async fn watch(file: Option<&Path>, ids: Vec<u32>) -> Result<()> {
    let Some(file) = file else { return std::future::pending().await };
    let mut file = std::fs::File::create(file).context("the file of --usage")?;
    let begun = Instant::now();
    loop {
        let usage = Usage::begin(ids.clone())?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let taken: Vec<String> = usage.now()?.iter().map(|(cpu, memory)| format!("{cpu:.3},{memory:.1}")).collect();
        writeln!(file, "{},{}", begun.elapsed().as_secs(), taken.join(","))?;
    }
}

/// Link and code of an invitation.
pub(crate) struct Invitation {
    pub(crate) link: String,
    pub(crate) code: String,
}

/// The host from sign-in to its open room.
pub(crate) async fn open_room(host: &mut Client, house: &House, assessor: bool) -> Result<Invitation> {
    let invitation = invite(host, house, assessor).await?;
    let appointment = appointment(host).await?;
    host.tell(json!({ "command": "start_consultation", "appointment": appointment })).await?;
    host.phase("host opens the room", "lobby_host").await?;
    say_devices(host, Side::Host).await?;
    Ok(invitation)
}

/// The host from sign-in to a made invitation, back at today's list.
pub(crate) async fn invite(host: &mut Client, house: &House, assessor: bool) -> Result<Invitation> {
    host.phase("host starts", "start").await?;
    host.tell(json!({ "command": "choose_staff" })).await?;
    host.phase("host chooses to sign in", "sign_in").await?;
    host.tell(json!({ "command": "sign_in", "name": house.staff.name, "passphrase": house.staff.passphrase })).await?;
    host.until("host's passphrase", |view| {
        (text(view, "/phase/step").as_deref() == Some("second_factor")).then_some(())
    })
    .await?;
    host.tell(json!({ "command": "second_factor", "code": house.staff.authenticator.next_code().await? })).await?;
    host.phase("host's second factor", "today").await?;

    book(host).await?;
    make_invitation(host, assessor).await
}

async fn book(host: &mut Client) -> Result<()> {
    host.tell(json!({ "command": "open_booking" })).await?;
    host.phase("host opens the booking page", "booking").await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    host.tell(json!({ "command": "book", "label": LABEL, "starts_at": now })).await?;
    Ok(())
}

/// Makes an invitation for the booked appointment, and goes back to today's list.
pub(crate) async fn make_invitation(host: &mut Client, assessor: bool) -> Result<Invitation> {
    let id = appointment(host).await?;
    let make = if assessor { "make_assessor_invitation" } else { "make_invitation" };
    host.tell(json!({ "command": make, "appointment": id })).await?;
    let link = host.until("host makes the invitation", |view| text(view, "/phase/page/link")).await?;
    ensure!(host.view().pointer("/phase/page/code").is_none(), "link and code stand on one page");
    host.tell(json!({ "command": "invitation_next" })).await?;
    let code = host.until("host reads the code", |view| text(view, "/phase/page/code")).await?;
    ensure!(host.view().pointer("/phase/page/link").is_none(), "link and code stand on one page");
    host.tell(json!({ "command": "invitation_sent" })).await?;
    host.phase("host returns to today's list", "today").await?;
    Ok(Invitation { link, code })
}

pub(crate) async fn appointment(host: &mut Client) -> Result<String> {
    host.until("the appointment stands in today's list", |view| {
        // A list that was asked for otherwise may show it before the booking is answered; until then clicks do nothing.
        let ready = name_of(view) == "today" && !holds(view, "/phase/busy");
        ready.then(|| text(view, "/phase/appointments/0/id")).flatten()
    })
    .await
}

/// The patient from the link to the lobby.
pub(crate) async fn knock(
    patient: &mut Client,
    side: Side,
    (name, birth_date, phone): Card,
    invitation: &Invitation,
    assessor: bool,
) -> Result<()> {
    patient.phase("patient starts", "start").await?;
    patient.tell(json!({ "command": "choose_guest" })).await?;
    patient.phase("patient chooses the invitation", "join_link").await?;
    patient.tell(json!({ "command": "paste_link", "text": invitation.link })).await?;
    patient.phase("patient pastes the link", "join_code").await?;
    patient.tell(json!({ "command": "enter_code", "code": invitation.code })).await?;
    patient.phase("patient enters the code", "about_you").await?;
    patient
        .tell(
            json!({ "command": "about_you", "name": name, "birth_date": birth_date, "phone": phone, "consent": true }),
        )
        .await?;
    patient.phase("patient fills in the card", "device_check").await?;
    say_devices(patient, side).await?;
    patient.tell(json!({ "command": "devices_ok" })).await?;
    if assessor {
        patient.phase("patient is asked about the assessor call", "assessor").await?;
        patient.tell(json!({ "command": "accept_assessor" })).await?;
    }
    patient.phase("patient waits in the lobby", "lobby_guest").await
}

/// Waits until the devices are checked, and tells which work.
pub(crate) async fn say_devices(client: &mut Client, side: Side) -> Result<()> {
    let devices = client
        .until(&format!("{}'s devices are checked", side.name()), |view| {
            let devices = view.pointer("/phase/devices")?.as_object()?;
            // What stands beside them has no state of its own.
            let devices = devices.iter().filter(|(_, device)| device.is_object());
            let states = devices.map(|(name, device)| {
                let state = text(device, "/state").filter(|state| state != "checking")?;
                Some(format!("{name} {state} {}", text(device, "/code").unwrap_or_default()).trim_end().to_owned())
            });
            states.collect::<Option<Vec<_>>>()
        })
        .await?;
    say(&format!("the {}'s devices: {}", side.name(), devices.join(", ")));
    Ok(())
}

/// The host admits whoever proved link and code and gave the expected card.
pub(crate) async fn admit(host: &mut Client, expected: Card) -> Result<()> {
    let knocker = host
        .until("the knock reaches the host, with link and code proven", |view| {
            let knocker = view.pointer("/phase/waiting/0")?;
            let proven =
                holds(knocker, "/ready") && holds(knocker, "/badge/link_ok") && holds(knocker, "/badge/code_ok");
            proven.then(|| knocker.clone())
        })
        .await?;
    let card = [text(&knocker, "/name"), text(&knocker, "/birth_date"), text(&knocker, "/phone")];
    let expected = [expected.0, expected.1, expected.2].map(|value| Some(value.to_owned()));
    ensure!(card == expected, "step \"host compares the card\": it is not the expected one");
    let participant = text(&knocker, "/participant").context("a knocker without an id")?;
    host.tell(json!({ "command": "admit", "participant": participant, "identity_confirmed": true })).await
}

/// Waits until so many members hold keys, everything is sealed, and all others are connected.
pub(crate) async fn meet(client: &mut Client, step: &str, count: usize) -> Result<()> {
    client
        .until(step, |view| {
            let members = view.pointer("/phase/members")?.as_array()?;
            let there = members.iter().all(|member| holds(member, "/you") || holds(member, "/media/connected"));
            (name_of(view) == "call" && members.len() == count && there && holds(view, "/phase/encrypted"))
                .then_some(())
        })
        .await
}

/// Both read the safety words, which must be the same four.
async fn compare_words(host: &mut Client, patient: &mut Client) -> Result<()> {
    host.tell(json!({ "command": "safety_start" })).await?;
    let words = |view: &Value| view.pointer("/phase/safety/words").cloned();
    let at_host = host.until("host reads the safety words", words).await?;
    let at_patient = patient.until("patient reads the safety words", words).await?;
    ensure!(at_host == at_patient, "step \"safety words\": they differ");
    for client in [&mut *host, &mut *patient] {
        client.tell(json!({ "command": "safety_answer", "matches": true })).await?;
    }
    for (client, step) in [(host, "host verifies"), (patient, "patient verifies")] {
        client
            .until(step, |view| (text(view, "/phase/safety/state").as_deref() == Some("verified")).then_some(()))
            .await?;
    }
    say("the safety words match");
    Ok(())
}

/// Waits for the goodbye page with closed devices; `reason` may be left open.
pub(crate) async fn goodbye(client: &mut Client, step: &str, reason: &str) -> Result<()> {
    client
        .until(step, |view| {
            let said = text(view, "/phase/reason").unwrap_or_default();
            let closed = name_of(view) == "goodbye" && holds(view, "/phase/devices_closed");
            (closed && (reason.is_empty() || said == reason)).then_some(())
        })
        .await
}
