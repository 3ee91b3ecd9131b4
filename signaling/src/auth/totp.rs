//! The second factor: TOTP (RFC 6238: SHA-1, 6 digits, 30 s, one step of skew), its secret sealed at rest.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use totp_rs::{Builder, Secret as TotpBytes, Totp};
use zeroize::{Zeroize as _, Zeroizing};

use super::random;
use crate::{
    error::Error,
    protocol::{Secret, UserId},
};

/// Bytes of a secret, as RFC 4226 section 4 recommends.
const SECRET_LEN: usize = 20;
const STEP_S: u64 = 30;
const SKEW_STEPS: u16 = 1;

/// One account's second-factor secret.
pub(crate) struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

impl TotpSecret {
    pub(crate) fn generate() -> Result<Self, Error> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// The step that a code belongs to, if it fits one around `now` (Unix seconds). The caller demands that the step is
    /// greater than the last one used.
    pub(crate) fn matched_step(&self, code: &str, now: u64) -> Option<u64> {
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| self.totp()?.check(code, now)).flatten()
    }

    /// For people who type it into an authenticator: base32 without padding.
    pub(crate) fn to_base32(&self) -> Secret {
        Secret::new(TotpBytes::new_stack(*self.0).to_base32())
    }

    /// The `otpauth:` address. Names are percent-encoded.
    pub(crate) fn uri(&self, practice: &str, name: &str) -> Secret {
        let (practice, name, secret) = (percent(practice), percent(name), self.to_base32());
        let secret = secret.expose();
        Secret::new(format!("otpauth://totp/{practice}:{name}?secret={secret}&issuer={practice}"))
    }

    fn totp(&self) -> Option<Totp> {
        let secret = TotpBytes::new_stack(*self.0);
        Builder::new().with_secret(secret).with_step_duration(STEP_S).with_skew(SKEW_STEPS).build().ok()
    }
}

/// Seals second-factor secrets under the key file beside the database, so that the database alone signs nobody in.
pub(crate) struct SecretSeal(LessSafeKey);

impl SecretSeal {
    pub(crate) const KEY_LEN: usize = 32;

    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).or(Err(Error::Data("the sealing key has the wrong length")))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext, tag; bound to the account. Random nonces are safe here: few secrets are ever sealed.
    pub(crate) fn seal(&self, user: &UserId, secret: &TotpSecret) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = secret.0.to_vec();
        let aad = Aad::from(user.as_bytes());
        let tag = self.0.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed);
        let tag = tag.or(Err(Error::Crypto("sealing a second factor")))?;
        Ok([&nonce[..], &sealed, tag.as_ref()].concat())
    }

    pub(crate) fn open(&self, user: &UserId, sealed: &[u8]) -> Result<TotpSecret, Error> {
        let damaged = || Error::Data("a second factor does not open: wrong sealing key or damaged database");
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut rest = rest.to_vec();
        let aad = Aad::from(user.as_bytes());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut rest);
        let secret = opened.ok().and_then(|plain| <[u8; SECRET_LEN]>::try_from(&*plain).ok());
        rest.zeroize();
        secret.map(|secret| TotpSecret(Zeroizing::new(secret))).ok_or_else(damaged)
    }
}

impl std::fmt::Debug for SecretSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretSeal(…)")
    }
}

/// Percent-encoding of everything but unreserved characters (RFC 3986 section 2.3).
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, last six of eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        for (now, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(secret.matched_step(code, now), Some(now / 30), "{now}");
        }
    }

    #[test]
    fn one_step_of_skew_is_taken_and_two_are_not() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        assert_eq!(secret.matched_step("005924", 1_234_567_890 + 30), Some(1_234_567_890 / 30));
        assert_eq!(secret.matched_step("005924", 1_234_567_890 - 30), Some(1_234_567_890 / 30));
        assert_eq!(secret.matched_step("005924", 1_234_567_890 + 60), None);
    }

    #[test]
    fn other_text_than_six_digits_fits_nothing() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        for code in ["", "5924", "0059240", " 05924", "00592é", "+05924"] {
            assert_eq!(secret.matched_step(code, 1_234_567_890), None, "{code}");
        }
    }

    #[test]
    fn a_sealed_secret_opens_for_its_account_only() {
        let seal = SecretSeal::new(&[7; 32]).unwrap();
        let (user, other) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let secret = TotpSecret::generate().unwrap();
        let mut sealed = seal.seal(&user, &secret).unwrap();
        assert!(!sealed.windows(SECRET_LEN).any(|part| part == &secret.0[..]));
        assert_eq!(seal.open(&user, &sealed).unwrap().0, secret.0);
        assert!(seal.open(&other, &sealed).is_err());
        assert!(SecretSeal::new(&[8; 32]).unwrap().open(&user, &sealed).is_err());
        assert!(seal.open(&user, &sealed[..5]).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(seal.open(&user, &sealed).is_err());
    }

    #[test]
    fn the_address_is_encoded() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        assert_eq!(
            secret.uri("Dr. Ô", "a:b").expose(),
            "otpauth://totp/Dr.%20%C3%94:a%3Ab?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Dr.%20%C3%94"
        );
    }
}
