//! The consultation with windows: a person clicks, and the terminal shows what would have to be typed.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::auto::{self, Window};
use crate::bootstrap::House;
use crate::journey::{Invitation, invite};
use crate::options::{Options, Side};
use crate::programs::{Client, Place, Running, say};
use crate::report;

/// Opens both windows and waits until both are closed.
pub(crate) async fn run(house: House, options: &Options) -> Result<()> {
    let reports = report::Folder::new(options.report.as_deref())?;
    if options.auto {
        let host = Window::new(start(&house, options, Side::Host, &reports)?, "host");
        let patient = Window::new(start(&house, options, Side::Patient, &reports)?, "patient");
        auto::run(host, patient, &house, options).await?;
        house.close().await?;
        return report::summarise(&reports, options);
    }
    let invitation = prepared(&house, options).await?;
    explain(&house, &invitation)?;
    let mut host = start(&house, options, Side::Host, &reports)?;
    let mut patient = start(&house, options, Side::Patient, &reports)?;
    let both = async { tokio::try_join!(host.closed(), patient.closed()) };
    tokio::select! {
        closed = both => { closed.context("step \"the windows\"")?; }
        printed = reprint(&house) => printed?,
    }
    house.close().await?;
    if options.report.is_some() {
        report::summarise(&reports, options)?;
    }
    Ok(())
}

/// Makes an appointment with an invitation, in the host's own folder, before its window opens.
///
/// So link and code can stand in the terminal; the window is free to make another.
async fn prepared(house: &House, options: &Options) -> Result<Invitation> {
    let mut arguments = house.arguments(Side::Host, options);
    arguments.extend(["--headless", "--null-speaker"].map(OsString::from));
    let mut client = Client::start("quietroom", &arguments, &house.log(Side::Host), Place::default())?;
    let invitation = invite(&mut client, house, false).await?;
    client.quit().await?;
    Ok(invitation)
}

fn start(house: &House, options: &Options, side: Side, reports: &report::Folder) -> Result<Running> {
    let mut arguments = house.arguments(side, options);
    if side == Side::Patient || !speaker_there() {
        // Two voices from one loudspeaker into one microphone would be a poor demonstration.
        arguments.push("--null-speaker".into());
    }
    if options.report.is_some() || options.auto {
        arguments.push("--report".into());
        arguments.push(reports.path(side).into());
    }
    if options.auto {
        arguments.push("--auto".into());
    }
    let lab = options.auto || options.dump.is_some() || options.spoil.is_some();
    Running::start(if lab { "quietroom-lab" } else { "quietroom" }, &arguments, &house.log(side), Place::default())
}

/// Whether this machine has a sound card or a sound server.
fn speaker_there() -> bool {
    std::env::var_os("PULSE_SERVER").is_some() || Path::new("/dev/snd").is_dir()
}

fn explain(house: &House, invitation: &Invitation) -> Result<()> {
    say("");
    say("Two windows open: the clinician's and the patient's. Paste what is asked for:");
    say("");
    say(&format!("  clinician   name          {}", house.staff.name));
    say(&format!("              passphrase    {}", house.staff.passphrase));
    say(&format!("  patient     link          {}", invitation.link));
    say(&format!("              code          {}", invitation.code));
    say("");
    say("The invitation belongs to the appointment in today's list; you can also book and invite anew in the window.");
    say("The second-factor code changes every 30 s and counts once. Close both windows to end.");
    say("");
    Ok(())
}

/// Shows the present second-factor code until it changes, for ever.
async fn reprint(house: &House) -> Result<()> {
    loop {
        let (code, left) = house.staff.authenticator.shown().await?;
        say(&format!("  clinician   second factor {code}   (for {} s)", left.as_secs()));
        tokio::time::sleep(left.max(Duration::from_secs(1))).await;
    }
}
