//! The practice key on paper, and back.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crypto::PracticeKey;
use zeroize::Zeroizing;

use super::ask::Ask;
use super::join::{first_factor, practice_of, refuse_occupied, settings_for};
use super::{JoinArgs, now};
use crate::error::ClientError;
use crate::keystore::{Item, Keystore};
use crate::recovery::{Reading, Sheet, WORDS_PER_ROW, pkcs8_of, seed_of, spelled};
use crate::settings::Settings;
use crate::ui::clock::date;

/// Writes the sheet, to a file that did not exist or to standard output. It goes nowhere else.
pub(super) fn sheet(folder: &Path, out: Option<&Path>, ask: &Ask) -> Result<(), ClientError> {
    let passphrase = ask.secret("Your passphrase")?;
    let keystore = Keystore::open(folder, &passphrase)?;
    let mut settings = Settings::load(folder)?;
    let pkcs8 = keystore.load(Item::PracticeKey)?;
    let fingerprint = PracticeKey::from_pkcs8(&pkcs8)?.fingerprint();
    let seed = seed_of(&pkcs8)?;
    let today = date(now());
    let server = settings.server.as_deref().zip(settings.pin.as_deref());
    // A key that was recovered without a server has no name beside it yet.
    let practice = settings.practice.as_ref().map_or("not registered with a server yet", |practice| &practice.name);
    let text = Sheet { practice, fingerprint, date: &today, server }.text(&seed);
    match out {
        Some(path) => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            ask.say("The recovery sheet is written. Print it on a printer of your own, then delete the file.")?;
        }
        None => ask.say(&text)?,
    }
    settings.recovery_sheet = Some(now());
    settings.save(folder).map_err(ClientError::from)
}

/// Brings the practice key back from its sheet.
pub(super) async fn recover(folder: &Path, join: &JoinArgs, ask: &Ask) -> Result<(), ClientError> {
    refuse_occupied(folder)?;
    let pkcs8 = pkcs8_of(&*words(ask)?)?;
    let key = PracticeKey::from_pkcs8(&pkcs8)?;
    ask.say(&format!("key fingerprint: {}", spelled(&key.fingerprint())))?;
    ask.say("It must be the one on the sheet.")?;
    let Some(server) = join.server() else {
        let passphrase = ask.new_passphrase()?;
        return keep(folder, &passphrase, &pkcs8, Settings::load(folder)?, join, ask);
    };
    let (connection, mut settings) = settings_for(folder, &server)?;
    let practice = practice_of(&connection).await?;
    if practice.verified_key()?.fingerprint() != key.fingerprint() {
        return Err(ClientError::Refused(
            "the server knows another practice key than this sheet's: either the key was replaced after the sheet was \
             written, or this is not your server. Nothing was stored",
        ));
    }
    let name = ask.line("Your sign-in name")?;
    let passphrase = ask.secret("Your passphrase")?;
    first_factor(&connection, &name, &passphrase).await?;
    settings.account = Some(name.as_str().to_owned());
    settings.practice = Some(practice);
    keep(folder, &passphrase, &pkcs8, settings, join, ask)
}

fn keep(
    folder: &Path,
    passphrase: &str,
    pkcs8: &[u8],
    mut settings: Settings,
    join: &JoinArgs,
    ask: &Ask,
) -> Result<(), ClientError> {
    let keystore = Keystore::create_with(folder, passphrase, join.lock.system().as_ref())?;
    keystore.store(Item::PracticeKey, pkcs8)?;
    // The lost computer's count is lost with it. No practice certifies one device a second from 1970 on, so the
    // present time is above every serial number that was given.
    settings.last_serial = settings.last_serial.max(now());
    settings.save(folder)?;
    ask.say("The practice key is back. Certificates and invitations that it signed stay good.")?;
    ask.say(keystore.protection().sentence())?;
    ask.say("The list of certified devices was on the other computer: it begins anew.")?;
    if settings.practice.is_none() {
        ask.say("Next: `quietroom practice init` registers this same key with a new server.")?;
    }
    Ok(())
}

/// The rows of the sheet, one a line or several; a slip is named by its place, and at a terminal typed again.
fn words(ask: &Ask) -> Result<Zeroizing<[u8; 32]>, ClientError> {
    let mut reading = Reading::default();
    loop {
        let line = ask.line(ROW_PROMPTS[reading.row() - 1])?;
        let words: Vec<&str> =
            line.split_whitespace().filter(|word| !word.bytes().all(|b| b.is_ascii_digit())).collect();
        for row in words.chunks(WORDS_PER_ROW) {
            match reading.take(row) {
                Ok(Some(seed)) => return Ok(seed),
                Ok(None) => {}
                Err(error) if ask.can_retry() => {
                    ask.say(&format!("{error}. Type row {} again.", reading.row()))?;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

const ROW_PROMPTS: [&str; crate::recovery::ROWS] =
    ["Row 1", "Row 2", "Row 3", "Row 4", "Row 5", "Row 6", "Row 7", "Row 8", "Row 9"];
