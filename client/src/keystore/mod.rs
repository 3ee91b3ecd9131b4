//! Secrets at rest: keys and invitation records in files that only the passphrase opens.
//!
//! ```text
//! passphrase ── Argon2id(random salt of this folder) ──→ wrapping key ── AES-256-GCM(label) ──→ each file
//!          └─── Argon2id(label, account name) ─────────→ login secret ── goes to the server, which never sees the passphrase
//! ```
//!
//! The operating system's key store takes the place of these files where there is one, in a later version.
//! Files are written to a temporary name, synced, renamed, and the folder is synced: a record of a spent try
//! survives a crash before the answer it paid for has left.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::session::ErrorCode;

/// First bytes of each wrapped file.
const MAGIC: &[u8; 4] = b"QRK1";
const SALT_LEN: usize = 16;
/// Larger than any key or record: a larger file is not ours.
const FILE_LIMIT: u64 = 64 * 1024;
/// More invitations than a practice makes in the life of the records; above it the oldest must be cleared first.
const RECORD_LIMIT: usize = 1_000;
/// Wrapped under the right passphrase only; opening it tells a wrong one apart from a damaged file.
const CHECK: &[u8] = b"quietroom keystore check";

/// Why a secret could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Nothing was ever stored in this folder.
    #[error("this computer is not set up yet")]
    NotSetUp,
    /// A keystore is there already.
    #[error("this computer is set up already")]
    Exists,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the keys on this computer")]
    WrongPassphrase,
    /// There is no such file.
    #[error("there is no {0} on this computer")]
    Missing(&'static str),
    /// A file does not open or is too large.
    #[error("a file of the keystore is damaged")]
    Damaged,
    /// No random bytes, or the cipher refused.
    #[error("the cryptographic backend failed")]
    Backend,
    /// The disk.
    #[error("reading or writing the keystore failed")]
    Io(#[from] std::io::Error),
}

impl KeystoreError {
    /// The code people are shown.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotSetUp | Self::Missing(_) => ErrorCode::Key01,
            Self::WrongPassphrase => ErrorCode::Key02,
            Self::Exists | Self::Damaged | Self::Backend | Self::Io(_) => ErrorCode::Key03,
        }
    }
}

/// What a wrapped file holds; also the label that binds its content to its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Private key of the practice, on the owner's machine only.
    PracticeKey,
    /// Private keys of this staff device.
    DeviceKey,
}

impl Item {
    fn name(self) -> &'static str {
        match self {
            Self::PracticeKey => "practice.key",
            Self::DeviceKey => "device.key",
        }
    }
}

/// An open keystore. Blocking: call it off the async threads.
pub struct Keystore {
    folder: PathBuf,
    key: LessSafeKey,
}

impl std::fmt::Debug for Keystore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keystore")
    }
}

impl Keystore {
    /// Whether this folder holds a keystore.
    pub fn is_set_up(folder: &Path) -> bool {
        folder.join("salt").exists()
    }

    /// Makes a keystore for a passphrase.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`], `Io`, `Backend`.
    pub fn create(folder: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        make_folder(folder)?;
        make_folder(&folder.join("invitations"))?;
        if Self::is_set_up(folder) {
            return Err(KeystoreError::Exists);
        }
        let mut salt = [0; SALT_LEN];
        random(&mut salt)?;
        let store = Self { folder: folder.to_owned(), key: wrapping_key(passphrase, &salt)? };
        store.write_wrapped(&folder.join("check"), "check", CHECK)?;
        // The salt comes last: with it the keystore counts as made.
        write_durably(&folder.join("salt"), &salt)?;
        Ok(store)
    }

    /// Opens a keystore.
    ///
    /// # Errors
    /// [`KeystoreError::NotSetUp`], `WrongPassphrase`, `Damaged`, `Io`, `Backend`.
    pub fn open(folder: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        let salt = match read(&folder.join("salt")) {
            Err(KeystoreError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                return Err(KeystoreError::NotSetUp);
            }
            salt => salt?,
        };
        let store = Self { folder: folder.to_owned(), key: wrapping_key(passphrase, &salt)? };
        match store.read_wrapped(&folder.join("check"), "check") {
            Ok(text) if *text == CHECK => Ok(store),
            Ok(_) | Err(KeystoreError::Damaged) => Err(KeystoreError::WrongPassphrase),
            Err(error) => Err(error),
        }
    }

    /// Opens the keystore of this folder, or makes one if there is none.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_or_create(folder: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        if Self::is_set_up(folder) { Self::open(folder, passphrase) } else { Self::create(folder, passphrase) }
    }

    /// Stores a key; an older one of the same kind is replaced.
    ///
    /// # Errors
    /// [`KeystoreError::Io`], `Backend`.
    pub fn store(&self, item: Item, secret: &[u8]) -> Result<(), KeystoreError> {
        self.write_wrapped(&self.folder.join(item.name()), item.name(), secret)
    }

    /// Whether a key of this kind is stored.
    pub fn holds(&self, item: Item) -> bool {
        self.folder.join(item.name()).exists()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`KeystoreError::Missing`], `Damaged`, `Io`.
    pub fn load(&self, item: Item) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        match self.read_wrapped(&self.folder.join(item.name()), item.name()) {
            Err(KeystoreError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                Err(KeystoreError::Missing(item.name()))
            }
            read => read,
        }
    }

    /// Stores the record of an invitation; on return it survives a crash.
    ///
    /// # Errors
    /// [`KeystoreError::Io`], `Backend`.
    pub fn store_invitation(&self, invite: &[u8; 16], record: &[u8]) -> Result<(), KeystoreError> {
        let name = hex(invite);
        self.write_wrapped(&self.folder.join("invitations").join(&name), &name, record)
    }

    /// Reads all records of invitations. One that does not open is left out and logged.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn invitations(&self) -> Result<Vec<Zeroizing<Vec<u8>>>, KeystoreError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.folder.join("invitations"))? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.len() == 32) else {
                continue;
            };
            match self.read_wrapped(&path, name) {
                Ok(record) => records.push(record),
                Err(error) => tracing::warn!(%error, "a record of an invitation was left out"),
            }
            if records.len() == RECORD_LIMIT {
                tracing::warn!("more records of invitations than are read");
                break;
            }
        }
        Ok(records)
    }

    /// Deletes the record of an invitation; a missing one is fine.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn forget_invitation(&self, invite: &[u8; 16]) -> Result<(), KeystoreError> {
        match fs::remove_file(self.folder.join("invitations").join(hex(invite))) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn write_wrapped(&self, path: &Path, label: &str, secret: &[u8]) -> Result<(), KeystoreError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut sealed = Zeroizing::new(secret.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label.as_bytes()), &mut sealed)
            .map_err(|_unspecified| KeystoreError::Backend)?;
        let file = [MAGIC.as_slice(), &nonce, &sealed, tag.as_ref()].concat();
        write_durably(path, &file)
    }

    fn read_wrapped(&self, path: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        let file = read(path)?;
        let rest = file.strip_prefix(MAGIC.as_slice()).ok_or(KeystoreError::Damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeystoreError::Damaged)?;
        let mut secret = Zeroizing::new(sealed.to_vec());
        let length = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(label.as_bytes()), &mut secret)
            .map_err(|_unspecified| KeystoreError::Damaged)?
            .len();
        secret.truncate(length);
        Ok(secret)
    }
}

/// What the server gets in place of the passphrase: 32 bytes as base64.
///
/// It depends on the account name only, so that a person's second computer derives the same.
///
/// # Errors
/// [`KeystoreError::Backend`].
pub fn login_secret(account: &str, passphrase: &str) -> Result<Zeroizing<String>, KeystoreError> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(b"quietroom login secret v1\0");
    context.update(account.trim().to_lowercase().as_bytes());
    let secret = stretch(passphrase, context.finish().as_ref())?;
    Ok(Zeroizing::new(STANDARD.encode(secret.as_slice())))
}

/// Writes a file so that it is there whole after a crash, readable by its owner only.
///
/// # Errors
/// [`KeystoreError::Io`].
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a folder that only its owner can look into.
///
/// # Errors
/// [`KeystoreError::Io`].
pub fn make_folder(folder: &Path) -> Result<(), KeystoreError> {
    Ok(fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?)
}

fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    if fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(KeystoreError::Damaged);
    }
    Ok(fs::read(path)?)
}

fn wrapping_key(passphrase: &str, salt: &[u8]) -> Result<LessSafeKey, KeystoreError> {
    let key = stretch(passphrase, salt)?;
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_unspecified| KeystoreError::Backend)?))
}

/// Argon2id with the parameters of OWASP's first choice (19 MiB, 2 passes): some 30 ms here, hard to try in bulk.
fn stretch(passphrase: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|_constant| KeystoreError::Backend)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_length| KeystoreError::Damaged)?;
    Ok(key)
}

fn random(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    SystemRandom::new().fill(bytes).map_err(|_unspecified| KeystoreError::Backend)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_wrong_passphrase_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        Keystore::create(folder.path(), "right horse").unwrap().store(Item::DeviceKey, b"secret").unwrap();
        assert!(matches!(Keystore::open(folder.path(), "wrong horse"), Err(KeystoreError::WrongPassphrase)));
        let store = Keystore::open(folder.path(), "right horse").unwrap();
        assert_eq!(store.load(Item::DeviceKey).unwrap().as_slice(), b"secret");
        assert!(matches!(store.load(Item::PracticeKey), Err(KeystoreError::Missing(_))));
    }

    #[test]
    fn an_empty_folder_is_not_set_up() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Keystore::open(folder.path(), "x"), Err(KeystoreError::NotSetUp)));
    }

    #[test]
    fn files_show_no_secret_and_belong_to_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::create(folder.path(), "p").unwrap();
        store.store_invitation(&[7; 16], b"link secret and code").unwrap();
        let path = folder.path().join("invitations").join(hex(&[7; 16]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read(&path).unwrap().windows(4).any(|bytes| bytes == b"code"));
        assert_eq!(store.invitations().unwrap()[0].as_slice(), b"link secret and code");
    }

    #[test]
    fn a_file_put_in_the_place_of_another_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::create(folder.path(), "p").unwrap();
        store.store(Item::PracticeKey, b"practice").unwrap();
        fs::copy(folder.path().join("practice.key"), folder.path().join("device.key")).unwrap();
        assert!(matches!(store.load(Item::DeviceKey), Err(KeystoreError::Damaged)));
    }

    #[test]
    fn the_login_secret_depends_on_account_and_passphrase_and_holds_neither() {
        let secret = login_secret("Ada", "horse").unwrap();
        assert_eq!(secret, login_secret(" ada", "horse").unwrap());
        assert_ne!(secret, login_secret("bob", "horse").unwrap());
        assert!(!secret.contains("horse"));
    }
}
