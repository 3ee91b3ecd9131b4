//! The practice: setting it up, and what this computer holds of it.

use std::path::Path;

use crypto::PracticeKey;
use signaling::protocol::{BootstrapRequest, EnrolResponse, Opaque, Secret};

use super::ask::Ask;
use super::join::settings_for;
use super::staff::confirm;
use super::{DAY, LockArgs, ServerArgs, now};
use crate::error::ClientError;
use crate::keystore::{Item, Keystore, login_secret};
use crate::recovery::spelled;
use crate::settings::{Practice, Settings, encode, renewal_due};
use crate::ui::clock::date;

/// Makes the practice key on this computer, registers its public part and the first admin.
pub(super) async fn init(folder: &Path, server: &ServerArgs, lock: &LockArgs, ask: &Ask) -> Result<(), ClientError> {
    let (connection, mut settings) = settings_for(folder, server)?;
    let one_time_secret = ask.secret("One-time secret of the server")?;
    let name = ask.line("Name of the practice")?;
    let phone = ask.line("Phone of the practice")?;
    let admin = ask.line("Sign-in name for you")?;
    let passphrase = ask.new_passphrase()?;

    let keystore = Keystore::open_or_create(folder, &passphrase, lock.system().as_ref())?;
    // A repeated set-up keeps the key: links that are out already name it.
    let key = if keystore.holds(Item::PracticeKey) {
        PracticeKey::from_pkcs8(&keystore.load(Item::PracticeKey)?)?
    } else {
        let (key, pkcs8) = PracticeKey::generate()?;
        keystore.store(Item::PracticeKey, &pkcs8)?;
        key
    };
    let signature = key.sign_phone(&phone)?;
    let body = BootstrapRequest {
        secret: Secret::new(one_time_secret.as_str().to_owned()),
        practice_name: name.as_str().to_owned(),
        practice_phone: phone.as_str().to_owned(),
        practice_public_key: Opaque::new(key.public().as_bytes().to_vec()),
        phone_signature: Opaque::new(signature.clone()),
        admin_name: admin.as_str().to_owned(),
        passphrase: Secret::new(login_secret(&admin, &passphrase)?.as_str().to_owned()),
    };
    let enrolled: EnrolResponse = connection.post("/v1/bootstrap", None, &body).await?;
    settings.practice = Some(Practice {
        name: name.as_str().to_owned(),
        phone: phone.as_str().to_owned(),
        public_key: encode(key.public().as_bytes()),
        phone_signature: encode(&signature),
    });
    settings.account = Some(admin.as_str().to_owned());
    settings.save(folder)?;
    confirm(&connection, &enrolled, ask).await?;
    ask.say("The practice is set up. Its key lies on this computer only.")?;
    ask.say(&format!("key fingerprint: {}", spelled(&key.fingerprint())))?;
    ask.say(keystore.protection().sentence())?;
    ask.say("Next: `quietroom practice recovery-sheet` writes the key for paper; without it a broken disk ends the practice's key.")?;
    ask.say("Then: `quietroom staff add` makes an account for each colleague.")
}

/// What this computer holds of the practice and what protects it. Needs no passphrase and shows no secret.
pub(super) fn status(folder: &Path, ask: &Ask) -> Result<(), ClientError> {
    let settings = Settings::load(folder)?;
    match &settings.practice {
        Some(practice) => {
            ask.say(&format!("Practice: {}", practice.name))?;
            ask.say(&format!("key fingerprint: {}", spelled(&practice.verified_key()?.fingerprint())))?;
        }
        None => ask.say("This computer belongs to no practice yet.")?,
    }
    match Keystore::protection_in(folder)? {
        Some(protection) => ask.say(protection.sentence())?,
        None => ask.say("There are no keys on this computer.")?,
    }
    if Keystore::lies_in(folder, Item::PracticeKey) {
        ask.say("The practice key lies on this computer.")?;
        match settings.recovery_sheet {
            Some(made) => ask.say(&format!("Its recovery sheet was last written on {}.", date(made)))?,
            None => ask.say("It has no recovery sheet yet: `quietroom practice recovery-sheet` writes one.")?,
        }
    } else {
        ask.say("The practice key is not on this computer.")?;
    }
    if Keystore::lies_in(folder, Item::NextPracticeKey) {
        ask.say("A replacement of the practice key was begun and not finished: `quietroom practice replace` goes on with it.")?;
    }
    match settings.certificate() {
        Ok(certificate) => ask.say(&format!(
            "This device may host as {}, certificate {}, {}.",
            certificate.display_name(),
            certificate.serial(),
            validity(certificate.not_after(), now()),
        )),
        Err(_) => ask.say("This device has no certificate: it cannot host."),
    }
}

/// The devices that the practice key on this computer certified.
pub(super) fn devices(folder: &Path, ask: &Ask) -> Result<(), ClientError> {
    let settings = Settings::load(folder)?;
    if settings.certified.is_empty() {
        return ask.say("No device was certified from this computer.");
    }
    let now = now();
    for device in &settings.certified {
        let until = validity(device.not_after, now);
        ask.say(&format!("{:>6}  {}  device {}  {until}", device.serial, device.name, device.device))?;
    }
    Ok(())
}

/// Until when, in words.
fn validity(not_after: u64, now: u64) -> String {
    let day = date(not_after);
    match (not_after.checked_sub(now), renewal_due(not_after, now)) {
        (None, _) => format!("expired on {day}"),
        (Some(_), Some(0)) => format!("valid until {day}, less than a day: renew it now"),
        (Some(_), Some(days)) => format!("valid until {day}, {days} days left: renew it"),
        (Some(left), None) => format!("valid until {day}, {} days left", left / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_said_before_it_comes() {
        let end = 1_800_000_000;
        assert!(validity(end, end - 29 * DAY).ends_with("29 days left"));
        assert!(validity(end, end - 6 * DAY).ends_with("6 days left: renew it"));
        assert!(validity(end, end - 60).ends_with("renew it now"));
        assert!(validity(end, end + 1).starts_with("expired on"));
    }
}
