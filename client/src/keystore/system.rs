//! The operating system's key store: it holds 32 random bytes for each keystore, and nothing else of ours.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry};
use zeroize::Zeroizing;

use super::{KeystoreError, hex, wrap};

/// What the entries are filed under; a person reads it in the key store's own window.
const SERVICE: &str = "Quietroom keys (do not delete)";

/// Name of an entry, and the secret in it.
type Kept = ([u8; 16], Zeroizing<[u8; 32]>);

/// This computer's key store: the Secret Service (GNOME Keyring, KWallet, KeePassXC) over D-Bus.
///
/// The kernel's keyring is no substitute: it forgets at a restart.
#[derive(Clone)]
pub struct SystemStore(Arc<CredentialStore>);

impl std::fmt::Debug for SystemStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemStore")
    }
}

impl SystemStore {
    /// The key store of this session, if one answers. Blocking; unlocking may ask the person in a window of the system.
    pub fn connect() -> Option<Self> {
        match zbus_secret_service_keyring_store::Store::new() {
            Ok(store) => Some(Self(store)),
            Err(error) => {
                tracing::debug!(%error, "no key store answers");
                None
            }
        }
    }

    /// A store in memory that takes part in nothing else.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self(keyring_core::mock::Store::new().unwrap())
    }

    /// Makes and keeps a new secret; returns the entry's name. `None` when the store does not keep what it is given.
    pub(super) fn keep_new(&self) -> Result<Option<Kept>, KeystoreError> {
        let (mut name, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
        wrap::random(&mut name)?;
        wrap::random(secret.as_mut_slice())?;
        // Read back before anything depends on it: a store without a collection to write to is no store.
        let kept = self.entry(&name).and_then(|entry| {
            entry.set_secret(secret.as_slice())?;
            entry.get_secret().map(Zeroizing::new)
        });
        match kept {
            Ok(kept) if kept.as_slice() == secret.as_slice() => Ok(Some((name, secret))),
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::warn!(%error, "the key store does not keep a secret");
                Ok(None)
            }
        }
    }

    /// The secret of an entry.
    pub(super) fn secret(&self, name: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let read = self.entry(name).and_then(|entry| entry.get_secret()).map(Zeroizing::new);
        let secret = read.map_err(|error| match error {
            keyring_core::Error::NoEntry => KeystoreError::KeyStoreLost,
            error => {
                tracing::warn!(%error, "the key store does not give the secret");
                KeystoreError::KeyStoreClosed
            }
        })?;
        let array = secret.as_slice().try_into().map_err(|_length| KeystoreError::KeyStoreLost)?;
        Ok(Zeroizing::new(array))
    }

    #[cfg(test)]
    pub(super) fn replace(&self, name: &[u8; 16], secret: &[u8; 32]) {
        self.entry(name).unwrap().set_secret(secret).unwrap();
    }

    #[cfg(test)]
    pub(super) fn lose(&self, name: &[u8; 16]) {
        self.entry(name).unwrap().delete_credential().unwrap();
    }

    fn entry(&self, name: &[u8; 16]) -> Result<Entry, keyring_core::Error> {
        self.0.build(SERVICE, &hex(name), None)
    }
}
