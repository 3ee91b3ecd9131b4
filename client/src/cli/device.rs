//! A staff device's key and its certificate, carried between two computers as files without secrets.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crypto::{CertificateTerms, DeviceKey, DeviceRequest, PracticeKey, StaffRole};

use super::ask::Ask;
use crate::error::ClientError;
use crate::keystore::{Item, Keystore};
use crate::settings::{CertificateFile, Settings, decode, encode};

/// Requests and certificates are far smaller.
const FILE_LIMIT: u64 = 64 * 1024;
/// Clocks of two computers differ by less.
const CLOCK_SKEW: u64 = 5 * 60;

/// Makes this device's key, or keeps the one there is, and writes a request for its certificate.
pub(super) fn request(folder: &Path, out: &Path, ask: &Ask) -> Result<(), ClientError> {
    let passphrase = ask.secret("Your passphrase")?;
    let keystore = Keystore::open(folder, &passphrase)?;
    let key = if keystore.holds(Item::DeviceKey) {
        DeviceKey::from_bytes(&keystore.load(Item::DeviceKey)?)?
    } else {
        let key = DeviceKey::generate()?;
        keystore.store(Item::DeviceKey, &key.to_bytes())?;
        key
    };
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
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
    let file = CertificateFile { practice, certificate: encode(&certificate.encode()) };
    std::fs::write(wanted.out, serde_json::to_vec_pretty(&file).map_err(crate::settings::SettingsError::Malformed)?)?;
    ask.say(&format!("request fingerprint: {}", fingerprint(&bytes)))?;
    ask.say("It must be the one that your colleague's computer showed; if not, delete the certificate.")?;
    ask.say("Next, on the colleague's computer: `quietroom device install`.")
}

/// Installs a certificate that fits this device and its practice.
pub(super) fn install(folder: &Path, certificate: &Path, ask: &Ask) -> Result<(), ClientError> {
    let file: CertificateFile =
        serde_json::from_str(&read(certificate)?).map_err(crate::settings::SettingsError::Malformed)?;
    let mut settings = Settings::load(folder)?;
    let key = file.practice.verified_key()?;
    if let Some(known) = &settings.practice
        && known.public_key != file.practice.public_key
    {
        // Another practice needs another data folder: links and certificates name one key.
        return Err(ClientError::Invalid("a certificate of another practice"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let decoded = crypto::DeviceCertificate::decode(&decode(&file.certificate)?)?;
    decoded.verify(&key, now)?;
    let name = decoded.display_name().to_owned();
    settings.practice = Some(file.practice);
    settings.certificate = Some(file.certificate);
    settings.save(folder)?;
    ask.say(&format!("This computer may now host consultations as {name}."))?;
    ask.say("Next: `quietroom` opens the window; sign in with your passphrase and a code.")
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
