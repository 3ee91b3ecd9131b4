//! Opaque tokens: 32 random bytes to the client, their SHA-256 in the store. Lives of what they open.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};

use crate::{error::Error, protocol::Secret};

/// A session without use ends after this.
pub(crate) const IDLE_S: u64 = 15 * 60;
/// A staff session ends after this in any case.
pub(crate) const STAFF_LIFE_S: u64 = 12 * 60 * 60;
/// A guest session ends after this in any case.
pub(crate) const GUEST_LIFE_S: u64 = 4 * 60 * 60;
/// Between passphrase and code.
pub(crate) const LOGIN_TICKET_LIFE_S: u64 = 5 * 60;
/// Between seeing the second factor's secret and its first code.
pub(crate) const ENROL_TICKET_LIFE_S: u64 = 10 * 60;
/// For a new colleague to enrol.
pub(crate) const ENROLMENT_LIFE_S: u64 = 7 * 24 * 60 * 60;

/// What the store keeps of a token. Look-up by it leaks nothing useful by timing: it is not the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hash of a token as the client sends it.
    pub(crate) fn of(token: &str) -> Self {
        Self::of_bytes(token.as_bytes())
    }

    pub(crate) fn of_bytes(token: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token).as_ref());
        Self(hash)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The one source of randomness of the server.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).or(Err(Error::Crypto("drawing random numbers")))?;
    Ok(bytes)
}

/// A new token (43 characters of base64url) and what the store keeps of it.
pub(crate) fn new_token() -> Result<(Secret, TokenHash), Error> {
    let token = Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()?));
    let hash = TokenHash::of(token.expose());
    Ok((token, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_hash_to_what_is_stored() {
        let (one, hash) = new_token().unwrap();
        let (other, _) = new_token().unwrap();
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 43);
        assert_eq!(TokenHash::of(one.expose()), hash);
    }
}
