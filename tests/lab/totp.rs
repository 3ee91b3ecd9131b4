//! One-time codes as an authenticator app shows them (RFC 6238: SHA-1, 30 s, 6 digits).

use anyhow::{Result, ensure};
use ring::hmac;

/// Length of a time step in seconds.
pub const STEP_S: u64 = 30;

/// The code of the time step that holds `unix_s`, for a secret in base32 (RFC 4648, padding and case ignored).
///
/// # Errors
/// When the secret holds a character that base32 does not have, or nothing.
pub fn code(secret_base32: &str, unix_s: u64) -> Result<String> {
    let secret = base32(secret_base32)?;
    ensure!(!secret.is_empty(), "the secret is empty");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &(unix_s / STEP_S).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 0xF);
    let word = u32::from_be_bytes([tag[offset] & 0x7F, tag[offset + 1], tag[offset + 2], tag[offset + 3]]);
    Ok(format!("{:06}", word % 1_000_000))
}

/// The bytes of a secret in base32 (RFC 4648); padding and case do not matter.
///
/// # Errors
/// When it holds a character that base32 does not have.
pub fn base32(text: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for character in text.trim().trim_end_matches('=').bytes() {
        let value = match character.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => anyhow::bail!("not a base32 secret"),
        };
        held = ((held << 5) | u32::from(value)) & 0xFFF;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1, last six of the eight digits; the secret is "12345678901234567890".
    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (time, expected) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code(secret, time).unwrap(), expected);
        }
    }

    #[test]
    fn a_secret_with_a_foreign_character_is_refused() {
        assert!(code("ABC1", 0).is_err());
        assert!(code("", 0).is_err());
    }
}
