//! Argon2id over the login secret that the client derived. The same work is done for users that do not exist.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{error::Error, protocol::Secret};

/// What one guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
}

impl PasswordCost {
    /// The crate's recommendation for Argon2id (19 MiB, 2 passes).
    pub const PRODUCTION: Self = Self { memory_kib: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST };

    /// The least that Argon2id takes: for tests, where nothing is guessed.
    #[must_use]
    pub const fn least() -> Self {
        Self { memory_kib: Params::MIN_M_COST, passes: Params::MIN_T_COST }
    }
}

/// Hashes and verifies, a bounded number at a time and never on the reactor's threads.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    cost: PasswordCost,
    /// One permit per core: a burst of sign-ins otherwise takes 19 MiB each and starves everything else.
    gate: Arc<Semaphore>,
    /// Verified in place of the hash of a user who does not exist.
    decoy: Arc<str>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoy = hash(cost, &Secret::new("nobody".to_owned()))?.into();
        Ok(Self { cost, gate: Arc::new(Semaphore::new(cores)), decoy })
    }

    pub(crate) async fn hash(&self, passphrase: Secret) -> Result<String, Error> {
        let cost = self.cost;
        self.work(move || hash(cost, &passphrase)).await?
    }

    /// Whether the passphrase fits; without a hash the same work is done and the answer is no.
    pub(crate) async fn verify(&self, stored: Option<String>, passphrase: Secret) -> Result<bool, Error> {
        let known = stored.is_some();
        let stored = stored.map_or_else(|| Arc::clone(&self.decoy), Into::into);
        let fits = self.work(move || {
            let parsed = PasswordHash::new(&stored).ok();
            // The parameters come from the stored hash.
            parsed.is_some_and(|hash| Argon2::default().verify_password(passphrase.expose().as_bytes(), &hash).is_ok())
        });
        Ok(fits.await? && known)
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let permit = Arc::clone(&self.gate).acquire_owned().await.or(Err(Error::Crypto("hashing a passphrase")))?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.or(Err(Error::Crypto("hashing a passphrase")))
    }
}

fn hash(cost: PasswordCost, passphrase: &Secret) -> Result<String, Error> {
    let params = Params::new(cost.memory_kib, cost.passes, Params::DEFAULT_P_COST, None);
    let params = params.or(Err(Error::Crypto("hashing a passphrase")))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(passphrase.expose().as_bytes()).or(Err(Error::Crypto("hashing a passphrase")))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_passphrase_fits_and_others_do_not() {
        let passwords = Passwords::new(PasswordCost::least()).unwrap();
        let stored = passwords.hash(secret("right")).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify(Some(stored.clone()), secret("right")).await.unwrap());
        assert!(!passwords.verify(Some(stored), secret("wrong")).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_signs_in_with_the_decoy() {
        let passwords = Passwords::new(PasswordCost::least()).unwrap();
        assert!(!passwords.verify(None, secret("nobody")).await.unwrap());
        assert!(!passwords.verify(Some("damaged".to_owned()), secret("nobody")).await.unwrap());
    }

    #[test]
    fn the_decoy_costs_what_a_user_costs() {
        let passwords = Passwords::new(PasswordCost::PRODUCTION).unwrap();
        assert!(passwords.decoy.contains("m=19456,t=2,p=1"), "{}", passwords.decoy);
    }
}
