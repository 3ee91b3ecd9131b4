//! A staff device's key and its certificate, carried between two computers as files without secrets.

use std::path::Path;

use crypto::{
    CertificateTerms, DeviceKey, DeviceRequest, PracticeKey, PracticePublicKey, PracticeSuccession, StaffRole,
};

use super::ask::Ask;
use super::join::open_or_join;
use super::{JoinArgs, now};
use crate::error::ClientError;
use crate::keystore::{Item, Keystore};
use crate::recovery::spelled;
use crate::settings::{CertificateFile, CertifiedDevice, Settings, SettingsError, decode, encode};

/// Requests and certificates are far smaller.
const FILE_LIMIT: u64 = 64 * 1024;
/// Clocks of two computers differ by less.
const CLOCK_SKEW: u64 = 5 * 60;

/// Makes this device's key, or keeps the one there is, and writes a request for its certificate.
pub(super) async fn request(folder: &Path, join: &JoinArgs, out: &Path, ask: &Ask) -> Result<(), ClientError> {
    let (keystore, mut settings) = open_or_join(folder, join, ask).await?;
    let key = if keystore.holds(Item::DeviceKey) {
        DeviceKey::from_bytes(&keystore.load(Item::DeviceKey)?)?
    } else {
        let key = DeviceKey::generate()?;
        keystore.store(Item::DeviceKey, &key.to_bytes())?;
        key
    };
    settings.device = Some(encode(key.public().as_bytes()));
    settings.save(folder)?;
    let request = key.request()?.encode();
    std::fs::write(out, encode(&request))?;
    ask.say(&format!("request fingerprint: {}", fingerprint(&request)))?;
    ask.say("Bring the file to the practice's owner, who compares the fingerprint with you.")?;
    ask.say("Next, on the owner's computer: `quietroom device certify`.")
}

/// What the owner certifies.
pub(super) struct Wanted<'a> {
    pub request: &'a Path,
    pub name: &'a str,
    pub registration: Option<&'a str>,
    pub valid_s: u64,
    pub out: &'a Path,
}

/// Signs a device's certificate with the practice key.
pub(super) fn certify(folder: &Path, wanted: &Wanted<'_>, ask: &Ask) -> Result<(), ClientError> {
    let passphrase = ask.secret("Your passphrase")?;
    let mut settings = Settings::load(folder)?;
    let practice = settings.practice()?.clone();
    let keystore = Keystore::open(folder, &passphrase)?;
    let key = PracticeKey::from_pkcs8(&keystore.load(Item::PracticeKey)?)?;
    let bytes = decode(&read(wanted.request)?)?;
    let request = DeviceRequest::decode(&bytes)?;
    // Counted and saved before signing: no serial number stands for two certificates.
    settings.last_serial += 1;
    settings.save(folder)?;
    let now = now();
    let not_before = now.saturating_sub(CLOCK_SKEW);
    let terms = CertificateTerms {
        display_name: wanted.name.to_owned(),
        roles: vec![StaffRole::Clinician],
        registration: wanted.registration.map(str::to_owned),
        serial: settings.last_serial,
        not_before,
        not_after: not_before + wanted.valid_s,
    };
    let certificate = key.certify(&request, terms)?;
    let deny_list = settings.deny_list.clone();
    let succession = settings.succession.clone();
    let file = CertificateFile { practice, certificate: encode(&certificate.encode()), deny_list, succession };
    std::fs::write(wanted.out, serde_json::to_vec_pretty(&file).map_err(SettingsError::Malformed)?)?;
    let device = CertifiedDevice {
        serial: certificate.serial(),
        name: wanted.name.to_owned(),
        device: request.device_key().as_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
        not_after: certificate.not_after(),
    };
    settings.list(device, now);
    settings.save(folder)?;
    ask.say(&format!("request fingerprint: {}", fingerprint(&bytes)))?;
    ask.say("It must be the one that your colleague's computer showed; if not, delete the certificate.")?;
    ask.say(&format!("This is certificate {}; a colleague's other devices keep theirs.", certificate.serial()))?;
    ask.say("Next, on the colleague's computer: `quietroom device install`.")
}

/// Installs a certificate that fits this device and its practice.
pub(super) fn install(folder: &Path, certificate: &Path, ask: &Ask) -> Result<(), ClientError> {
    let file: CertificateFile = serde_json::from_str(&read(certificate)?).map_err(SettingsError::Malformed)?;
    let mut settings = Settings::load(folder)?;
    let key = file.practice.verified_key()?;
    let decoded = crypto::DeviceCertificate::decode(&decode(&file.certificate)?)?;
    decoded.verify(&key, now())?;
    if settings.device.as_ref().is_some_and(|device| *device != encode(decoded.device_key().as_bytes())) {
        return Err(ClientError::Refused("this certificate is for another device: nothing was installed"));
    }
    let replaced = match &settings.practice {
        Some(known) if known.public_key != file.practice.public_key => {
            accept_replacement(&key, ask)?;
            true
        }
        _ => false,
    };
    let name = decoded.display_name().to_owned();
    let mut vouched_for = false;
    if replaced {
        // It was signed by the key that is gone.
        settings.deny_list = None;
        vouched_for = is_vouched_for(&settings, &file, &key)?;
        settings.succession = file.succession.clone().filter(|_| vouched_for);
    }
    if let Some(list) = &file.deny_list {
        settings.take_deny_list(list, &key, now())?;
    }
    settings.practice = Some(file.practice);
    settings.certificate = Some(file.certificate);
    settings.save(folder)?;
    if vouched_for {
        ask.say("This computer now follows the new practice key. Invitations that were sent stay good.")?;
    } else if replaced {
        Keystore::forget_invitations(folder)?;
        ask.say("This computer now follows the new practice key. Invitations made before have ended: make new ones.")?;
    }
    ask.say(&format!(
        "This computer may now host consultations as {name}, until its certificate ends in 30 days or less."
    ))?;
    ask.say("Next: `quietroom` opens the window; sign in with your passphrase and a code.")
}

/// Whether the practice key that this computer knew names the new one: then invitations made under it go on.
fn is_vouched_for(known: &Settings, file: &CertificateFile, key: &PracticePublicKey) -> Result<bool, ClientError> {
    let Some(text) = &file.succession else { return Ok(false) };
    let statement = PracticeSuccession::decode(&decode(text)?)?;
    let old = known.practice()?.verified_key()?;
    Ok(statement.verify(&old.fingerprint()).as_ref() == Ok(key))
}

/// Another practice key than the known one: a person has to have heard its fingerprint from the owner.
fn accept_replacement(key: &PracticePublicKey, ask: &Ask) -> Result<(), ClientError> {
    ask.say("This certificate is of another practice key than the one this computer knows.")?;
    ask.say(
        "If the owner told you that the key was replaced, ask for the new key's fingerprint, in person or by phone.",
    )?;
    let typed = ask.line("Fingerprint of the new practice key, 40 digits")?;
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    if plain(&typed) == plain(&spelled(&key.fingerprint())) {
        return Ok(());
    }
    Err(ClientError::Refused(
        "that is not the fingerprint of this certificate's practice key: nothing was installed. Call the owner of the practice",
    ))
}

/// Takes a list of withdrawn certificates that the practice's owner handed out.
pub(super) fn deny_list(folder: &Path, list: &Path, ask: &Ask) -> Result<(), ClientError> {
    let mut settings = Settings::load(folder)?;
    let key = settings.practice()?.verified_key()?;
    if !settings.take_deny_list(&read(list)?, &key, now())? {
        return ask.say("This computer knows this list already, or a newer one.");
    }
    settings.save(folder)?;
    ask.say(
        "From the next sign-in on nobody hosts here with a certificate on this list, and new invitations demand it.",
    )
}

fn read(path: &Path) -> Result<String, ClientError> {
    if std::fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(ClientError::Invalid("a file of that size"));
    }
    Ok(std::fs::read_to_string(path)?)
}

/// What two people compare: 80 bits of SHA-256, in groups.
fn fingerprint(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let groups = digest.as_ref().chunks(2).take(5).map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect());
    groups.collect::<Vec<String>>().join(" ")
}
