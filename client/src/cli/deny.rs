//! Withdrawing a device's certificate before it ends: a list that the practice key signs.

use std::path::Path;

use crypto::{DenyTerms, PracticeKey};

use super::ask::Ask;
use super::now;
use crate::error::ClientError;
use crate::keystore::{Item, Keystore};
use crate::settings::{Settings, encode};

/// Puts a serial number on the list and writes the list for the hosts.
pub(super) fn deny(folder: &Path, serial: u64, out: &Path, ask: &Ask) -> Result<(), ClientError> {
    let mut settings = Settings::load(folder)?;
    if !settings.certified.iter().any(|device| device.serial == serial) {
        return Err(ClientError::Refused(
            "no certificate with that number was signed here: `quietroom practice devices` lists them",
        ));
    }
    let passphrase = ask.secret("Your passphrase")?;
    let keystore = Keystore::open(folder, &passphrase)?;
    let key = PracticeKey::from_pkcs8(&keystore.load(Item::PracticeKey)?)?;
    let now = now();
    // What has expired denies itself.
    let valid =
        |serial: &u64| settings.certified.iter().any(|device| device.serial == *serial && device.not_after > now);
    let mut serials: Vec<u64> = settings.denied.iter().copied().filter(valid).collect();
    serials.push(serial);
    serials.sort_unstable();
    serials.dedup();
    // Counts up also where an earlier count was lost with another computer.
    let last = settings.deny_list(&key.public(), now)?.map_or(0, |list| list.version());
    let terms = DenyTerms { version: now.max(last + 1), issued_at: now, serials: serials.clone(), devices: Vec::new() };
    let list = encode(&key.deny(terms)?.encode());
    std::fs::write(out, &list)?;
    settings.denied = serials;
    settings.deny_list = Some(list);
    settings.save(folder)?;
    ask.say(&format!("Certificate {serial} is withdrawn."))?;
    ask.say("Bring the file to every computer that hosts: `quietroom device deny-list`. It holds no secret.")?;
    ask.say("An invitation that such a computer makes from then on is refused by every guest if the withdrawn one answers it.")?;
    ask.say("Invitations that are out already do not demand the list: make new ones.")
}
