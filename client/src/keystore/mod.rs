//! Secrets at rest: keys and invitation records in files that only the passphrase opens.
//!
//! ```text
//! passphrase ─┬─ Argon2id(random salt of this folder) ─┬──────────────────────────→ wrapping key, without a key store
//!             │        this computer's key store ── 32 random bytes ── HKDF ─┘ ──→ wrapping key, with one
//!             │                                             wrapping key ── AES-256-GCM ──→ data key ── AES-256-GCM(label) ──→ each file
//!             └─ Argon2id(label, account name) ──→ login secret ── goes to the server, which never sees the passphrase
//! ```
//!
//! With a key store, a copied disk gives nobody a passphrase to guess at: half of the wrapping key is not on it.
//! Without one the passphrase alone protects the files, and [`Protection`] says so.
//! Files are written to a temporary name, synced, renamed, and the folder is synced: a record of a spent try
//! survives a crash before the answer it paid for has left.

mod disk;
mod system;
#[cfg(test)]
mod tests;
mod wrap;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub use self::disk::{FolderLock, make_folder, write_durably};
pub use self::system::SystemStore;
use self::wrap::{DataKey, Head};
use crate::session::ErrorCode;

/// First bytes of each wrapped file.
const MAGIC: &[u8] = b"QRK2";
/// More invitations than a practice makes in the life of the records; above it the oldest must be cleared first.
const RECORD_LIMIT: usize = 1_000;
/// Holds the wrapped data key; with it the keystore counts as made.
const HEAD: &str = "keystore.head";

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
    /// This computer's key store does not answer: not running, or locked.
    #[error(
        "this computer's key store is locked or does not answer; unlock it (sign in to the desktop), then try again"
    )]
    KeyStoreClosed,
    /// The key store answers, and its part of the keys is not in it.
    #[error(
        "this computer's key store has lost its part of the keys, so nothing here opens any more. The practice is not lost: \
         `quietroom practice recover` takes the recovery sheet, in an empty data folder"
    )]
    KeyStoreLost,
    /// Another window or command works in this folder.
    #[error("another Quietroom uses this data folder; close that window, or wait for that command, then try again")]
    InUse,
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
            Self::Exists | Self::InUse | Self::Damaged | Self::Backend | Self::Io(_) => ErrorCode::Key03,
            Self::KeyStoreClosed | Self::KeyStoreLost => ErrorCode::Key04,
        }
    }
}

/// What a wrapped file holds; also the label that binds its content to its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Private key of the practice, on the owner's machine only.
    PracticeKey,
    /// The key that takes the practice key's place, until the server has taken it.
    NextPracticeKey,
    /// Private keys of this staff device.
    DeviceKey,
}

impl Item {
    fn name(self) -> &'static str {
        match self {
            Self::PracticeKey => "practice.key",
            Self::NextPracticeKey => "practice-next.key",
            Self::DeviceKey => "device.key",
        }
    }
}

/// What stands between a copied disk and the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The passphrase, and a secret in this computer's key store.
    KeyStore,
    /// The passphrase alone.
    Passphrase,
}

impl Protection {
    /// The sentence for the person.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::KeyStore => {
                "The keys are protected by your passphrase, and half of their lock is kept in this computer's key store."
            }
            Self::Passphrase => {
                "The keys are protected by your passphrase only: this computer has no key store, or it was not to be used. \
                 Who copies the disk can try passphrases; make yours a long one."
            }
        }
    }
}

/// An open keystore. Blocking: call it off the async threads.
pub struct Keystore {
    folder: PathBuf,
    key: DataKey,
    protection: Protection,
}

impl std::fmt::Debug for Keystore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keystore")
    }
}

impl Keystore {
    /// Whether this folder holds a keystore.
    pub fn is_set_up(folder: &Path) -> bool {
        folder.join(HEAD).exists()
    }

    /// Whether this folder holds a keystore or keys of one that is gone.
    pub fn is_occupied(folder: &Path) -> bool {
        let keys = [Item::PracticeKey, Item::NextPracticeKey, Item::DeviceKey];
        Self::is_set_up(folder) || keys.into_iter().any(|item| Self::lies_in(folder, item))
    }

    /// Whether a key of this kind lies in this folder; it may not open.
    pub fn lies_in(folder: &Path, item: Item) -> bool {
        folder.join(item.name()).exists()
    }

    /// What protects the keystore of this folder, if there is one. Needs no passphrase.
    ///
    /// # Errors
    /// [`KeystoreError::Damaged`], `Io`.
    pub fn protection_in(folder: &Path) -> Result<Option<Protection>, KeystoreError> {
        if Self::is_set_up(folder) { Ok(Some(head_of(folder)?.protection())) } else { Ok(None) }
    }

    /// Makes a keystore that the passphrase alone protects.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`], also for a folder with keys whose keystore is gone; `Io`, `Backend`.
    pub fn create(folder: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        Self::create_with(folder, passphrase, None)
    }

    /// Makes a keystore, with this computer's key store where there is one that keeps what it is given.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(folder: &Path, passphrase: &str, system: Option<&SystemStore>) -> Result<Self, KeystoreError> {
        if Self::is_occupied(folder) {
            return Err(KeystoreError::Exists);
        }
        make_folder(folder)?;
        make_folder(&folder.join("invitations"))?;
        let (head, key) = Head::make(passphrase, system)?;
        // The head comes last: with it the keystore counts as made.
        write_durably(&folder.join(HEAD), &head.encode())?;
        Ok(Self { folder: folder.to_owned(), key, protection: head.protection() })
    }

    /// Opens a keystore; this computer's key store is asked only when the keystore was made with it.
    ///
    /// # Errors
    /// [`KeystoreError::NotSetUp`], `WrongPassphrase`, `KeyStoreClosed`, `KeyStoreLost`, `Damaged`, `Io`, `Backend`.
    pub fn open(folder: &Path, passphrase: &str) -> Result<Self, KeystoreError> {
        Self::open_with(folder, passphrase, SystemStore::connect)
    }

    fn open_with(
        folder: &Path,
        passphrase: &str,
        system: impl FnOnce() -> Option<SystemStore>,
    ) -> Result<Self, KeystoreError> {
        let head = head_of(folder)?;
        let system = match head.protection() {
            Protection::KeyStore => Some(system().ok_or(KeystoreError::KeyStoreClosed)?),
            Protection::Passphrase => None,
        };
        let key = head.open(passphrase, system.as_ref())?;
        Ok(Self { folder: folder.to_owned(), key, protection: head.protection() })
    }

    /// Opens the keystore of this folder, or makes one if there is none.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create_with`](Self::create_with).
    pub fn open_or_create(
        folder: &Path,
        passphrase: &str,
        system: Option<&SystemStore>,
    ) -> Result<Self, KeystoreError> {
        if Self::is_set_up(folder) {
            Self::open_with(folder, passphrase, || system.cloned().or_else(SystemStore::connect))
        } else {
            Self::create_with(folder, passphrase, system)
        }
    }

    /// What protects the keys.
    pub fn protection(&self) -> Protection {
        self.protection
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
        Self::lies_in(&self.folder, item)
    }

    /// Deletes a key; a missing one is fine.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn forget(&self, item: Item) -> Result<(), KeystoreError> {
        disk::remove(&self.folder.join(item.name()))
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
        disk::remove(&self.folder.join("invitations").join(hex(invite)))
    }

    /// Deletes every record of an invitation in a folder: the practice key that they name has ended.
    ///
    /// # Errors
    /// [`KeystoreError::Io`].
    pub fn forget_invitations(folder: &Path) -> Result<(), KeystoreError> {
        let entries = match fs::read_dir(folder.join("invitations")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            disk::remove(&entry?.path())?;
        }
        Ok(())
    }

    fn write_wrapped(&self, path: &Path, label: &str, secret: &[u8]) -> Result<(), KeystoreError> {
        let sealed = wrap::seal(&self.key, label.as_bytes(), secret)?;
        write_durably(path, &[MAGIC, &sealed].concat())
    }

    fn read_wrapped(&self, path: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        let file = disk::read(path)?;
        let sealed = file.strip_prefix(MAGIC).ok_or(KeystoreError::Damaged)?;
        wrap::open(&self.key, label.as_bytes(), sealed).ok_or(KeystoreError::Damaged)
    }
}

fn head_of(folder: &Path) -> Result<Head, KeystoreError> {
    match disk::read(&folder.join(HEAD)) {
        Err(KeystoreError::Io(error)) if error.kind() == ErrorKind::NotFound => Err(KeystoreError::NotSetUp),
        head => Head::decode(&head?),
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
    let secret = wrap::stretch(passphrase, context.finish().as_ref())?;
    Ok(Zeroizing::new(STANDARD.encode(secret.as_slice())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
