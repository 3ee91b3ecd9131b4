//! Files that survive a crash and belong to their owner, and the lock on the folder they lie in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::KeystoreError;

/// Larger than any key or record: a larger file is not ours.
const FILE_LIMIT: u64 = 64 * 1024;

/// This process alone works in the data folder, until the value is dropped or the process ends.
///
/// Advisory (flock): two clients on one folder would each count an invitation's tries for themselves, and the one that
/// writes last would give a spent try back.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock lasts as long as its file is open")] File);

impl FolderLock {
    /// Takes the lock; the folder is made if it is missing.
    ///
    /// # Errors
    /// [`KeystoreError::InUse`] at once when another process, or another part of this one, holds it; `Io`.
    pub fn take(folder: &Path) -> Result<Self, KeystoreError> {
        make_folder(folder)?;
        // The file stays when the lock goes: deleting it would let two processes lock two files of one name.
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("in-use"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(KeystoreError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
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

/// Deletes a file; a missing one is fine.
pub(super) fn remove(path: &Path) -> Result<(), KeystoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    if fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(KeystoreError::Damaged);
    }
    Ok(fs::read(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_client_on_the_same_folder_is_refused_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        let refused = FolderLock::take(folder.path()).unwrap_err();
        assert!(matches!(refused, KeystoreError::InUse));
        assert!(refused.to_string().contains("another Quietroom uses this data folder"));
        drop(first);
        FolderLock::take(folder.path()).unwrap();
    }
}
