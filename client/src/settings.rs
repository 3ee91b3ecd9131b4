//! What this computer knows that is no secret: its server, its practice, its device's certificate.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{DenyList, DeviceCertificate, IdentityError, PracticePublicKey, PracticeSuccession};
use serde::{Deserialize, Serialize};

use crate::connection::{AddressError, Server};
use crate::keystore::{KeystoreError, make_folder, write_durably};

/// Settings of one data folder, in `settings.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// `host:port`.
    pub server: Option<String>,
    /// SPKI pin of the server, hex.
    pub pin: Option<String>,
    /// Account that signed in last.
    pub account: Option<String>,
    /// Practice that this computer belongs to.
    pub practice: Option<Practice>,
    /// Public key of this device, base64, once a certificate was asked for.
    #[serde(default)]
    pub device: Option<String>,
    /// Certificate of this device, base64.
    pub certificate: Option<String>,
    /// Serial number of the newest certificate that the practice key on this computer signed.
    #[serde(default)]
    pub last_serial: u64,
    /// Devices that the practice key on this computer certified, oldest first; those long expired are left out.
    #[serde(default)]
    pub certified: Vec<CertifiedDevice>,
    /// When the recovery sheet was last written, Unix seconds.
    #[serde(default)]
    pub recovery_sheet: Option<u64>,
    /// Serial numbers that the practice key on this computer withdrew.
    #[serde(default)]
    pub denied: Vec<u64>,
    /// Newest list of withdrawn certificates that this computer knows, base64.
    #[serde(default)]
    pub deny_list: Option<String>,
    /// The former practice key's word for this one, base64, where invitations made under it go on.
    #[serde(default)]
    pub succession: Option<String>,
}

/// A line of the owner's list of devices. No secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedDevice {
    /// Serial number of the certificate.
    pub serial: u64,
    /// Name for people.
    pub name: String,
    /// First 4 bytes of the device's key, hex: tells two computers of one person apart.
    pub device: String,
    /// Last second of validity, Unix.
    pub not_after: u64,
}

/// A certificate is to be renewed once fewer days than this are left.
const RENEW_DAYS: u64 = 7;
/// A certificate is listed for this many seconds after its end.
const LISTED: u64 = 30 * 86_400;

/// Whole days that are left of a certificate, once it is time to ask for the next: fewer than 7. 0 also after its end.
#[must_use]
pub fn renewal_due(not_after: u64, now: u64) -> Option<u64> {
    let days = not_after.saturating_sub(now) / 86_400;
    (days < RENEW_DAYS).then_some(days)
}

/// The practice as its staff know it: enough to make invitation links.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Practice {
    /// Name for people.
    pub name: String,
    /// Phone for people.
    pub phone: String,
    /// Ed25519 public key, base64.
    pub public_key: String,
    /// The key's signature over the phone, base64.
    pub phone_signature: String,
}

/// What the practice's owner hands to a colleague: the certificate and the practice it belongs to. No secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CertificateFile {
    /// The practice.
    pub practice: Practice,
    /// The certificate, base64.
    pub certificate: String,
    /// The practice's newest list of withdrawn certificates, base64.
    #[serde(default)]
    pub deny_list: Option<String>,
    /// The former practice key's word for this one, base64.
    #[serde(default)]
    pub succession: Option<String>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Server or practice were never set.
    #[error("this computer is not set up yet: {0} is missing")]
    Missing(&'static str),
    /// The file is not what this version writes.
    #[error("the settings cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// A field is not base64 or has a wrong length.
    #[error("a field of the settings is damaged")]
    Field,
    /// The server's address or pin.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Certificate, key or signature.
    #[error("the practice or the certificate is not valid")]
    Identity(#[from] IdentityError),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] KeystoreError),
}

impl Settings {
    /// Reads the settings of a folder; without a file they are empty.
    ///
    /// # Errors
    /// [`SettingsError::Malformed`], `Disk`.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        match std::fs::read(folder.join("settings.json")) {
            Ok(text) => serde_json::from_slice(&text).map_err(SettingsError::Malformed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(SettingsError::Disk(error.into())),
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`SettingsError::Disk`], `Malformed`.
    pub fn save(&self, folder: &Path) -> Result<(), SettingsError> {
        make_folder(folder)?;
        let text = serde_json::to_vec_pretty(self).map_err(SettingsError::Malformed)?;
        Ok(write_durably(&folder.join("settings.json"), &text)?)
    }

    /// Puts a certificate on the owner's list, and takes those off that ended long ago.
    pub fn list(&mut self, device: CertifiedDevice, now: u64) {
        self.certified.retain(|listed| now < listed.not_after.saturating_add(LISTED));
        self.certified.push(device);
    }

    /// The server this computer belongs to.
    ///
    /// # Errors
    /// [`SettingsError::Missing`], `Address`.
    pub fn server(&self) -> Result<Server, SettingsError> {
        let address = self.server.as_deref().ok_or(SettingsError::Missing("the server"))?;
        let pin = self.pin.as_deref().ok_or(SettingsError::Missing("the server's pin"))?;
        Ok(Server::new(address.parse()?, pin.parse()?))
    }

    /// The practice.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub fn practice(&self) -> Result<&Practice, SettingsError> {
        self.practice.as_ref().ok_or(SettingsError::Missing("the practice"))
    }

    /// This device's certificate; the caller verifies it.
    ///
    /// # Errors
    /// [`SettingsError::Missing`], `Field`, `Identity`.
    pub fn certificate(&self) -> Result<DeviceCertificate, SettingsError> {
        let text = self.certificate.as_deref().ok_or(SettingsError::Missing("the device's certificate"))?;
        Ok(DeviceCertificate::decode(&decode(text)?)?)
    }

    /// The list of withdrawn certificates, if the practice ever made one; verified. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`SettingsError::Field`], `Identity` for a list of another practice or one that was changed.
    pub fn deny_list(&self, practice: &PracticePublicKey, now: u64) -> Result<Option<DenyList>, SettingsError> {
        let Some(text) = &self.deny_list else { return Ok(None) };
        let list = DenyList::decode(&decode(text)?)?;
        list.verify(&practice.fingerprint(), now, 0)?;
        Ok(Some(list))
    }

    /// The former practice key's word for this one, if there is one; whoever uses it verifies it.
    ///
    /// # Errors
    /// [`SettingsError::Field`], `Identity`.
    pub fn succession(&self) -> Result<Option<PracticeSuccession>, SettingsError> {
        self.succession.as_deref().map(|text| Ok(PracticeSuccession::decode(&decode(text)?)?)).transpose()
    }

    /// Takes a list that a file brought, unless the one at hand is newer. Gives whether it was taken.
    ///
    /// # Errors
    /// [`SettingsError::Field`], `Identity`.
    pub fn take_deny_list(
        &mut self,
        text: &str,
        practice: &PracticePublicKey,
        now: u64,
    ) -> Result<bool, SettingsError> {
        let list = DenyList::decode(&decode(text.trim())?)?;
        list.verify(&practice.fingerprint(), now, 0)?;
        let newer = self.deny_list(practice, now)?.is_none_or(|known| known.version() < list.version());
        if newer {
            self.deny_list = Some(encode(&list.encode()));
        }
        Ok(newer)
    }
}

impl Practice {
    /// The practice's key, once its signature over the phone was checked.
    ///
    /// # Errors
    /// [`SettingsError::Field`], `Identity`.
    pub fn verified_key(&self) -> Result<PracticePublicKey, SettingsError> {
        let bytes = decode(&self.public_key)?.try_into().map_err(|_length| SettingsError::Field)?;
        let key = PracticePublicKey::from_bytes(bytes);
        key.verify_phone(&self.phone, &self.signature()?)?;
        Ok(key)
    }

    /// The key's signature over the phone.
    ///
    /// # Errors
    /// [`SettingsError::Field`].
    pub fn signature(&self) -> Result<Vec<u8>, SettingsError> {
        decode(&self.phone_signature)
    }
}

/// Bytes as base64, as the settings hold them.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads [`encode`].
///
/// # Errors
/// [`SettingsError::Field`].
pub fn decode(text: &str) -> Result<Vec<u8>, SettingsError> {
    STANDARD.decode(text.trim()).map_err(|_base64| SettingsError::Field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_disk_and_an_empty_folder_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Settings::load(folder.path()).unwrap().server.is_none());
        let settings =
            Settings { server: Some("127.0.0.1:1".into()), pin: Some("00".repeat(32)), ..Settings::default() };
        settings.save(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path()).unwrap().server().unwrap().address().to_string(), "127.0.0.1:1");
        assert!(matches!(Settings::default().server(), Err(SettingsError::Missing(_))));
    }

    #[test]
    fn the_owners_list_forgets_what_ended_long_ago_and_nothing_else() {
        let device = |serial, not_after| CertifiedDevice { serial, name: "Ada".into(), device: "00".into(), not_after };
        let mut settings = Settings::default();
        settings.list(device(1, 100), 50);
        settings.list(device(2, 200), 150);
        settings.list(device(3, 300), 100 + LISTED);
        let serials: Vec<u64> = settings.certified.iter().map(|device| device.serial).collect();
        assert_eq!(serials, [2, 3]);
    }

    #[test]
    fn renewal_is_due_in_the_last_week() {
        const DAY: u64 = 86_400;
        assert_eq!(renewal_due(30 * DAY, 0), None);
        assert_eq!(renewal_due(30 * DAY, 23 * DAY), None);
        assert_eq!(renewal_due(30 * DAY, 23 * DAY + 1), Some(6));
        assert_eq!(renewal_due(30 * DAY, 31 * DAY), Some(0));
    }
}
