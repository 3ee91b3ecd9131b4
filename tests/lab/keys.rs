//! Finds keys in memory by their shape, as somebody would who got hold of it: without being told what they are.
//!
//! - AES-256 keys, by their expanded form (FIPS 197 §5.2): 52 words that follow from the 8 before them are no chance.
//! - MLS secrets, by the names under which OpenMLS writes a group's state as JSON.

use std::collections::BTreeSet;

/// Bytes of an expanded AES-256 key: 15 round keys.
pub const SCHEDULE: usize = 240;
/// Longest text that a stored secret takes, from its name on.
pub const STORED: usize = 512;

/// Words of an expanded AES-256 key, and of the key itself.
const WORDS: usize = SCHEDULE / 4;
const KEY_WORDS: usize = 8;
/// Lengths of the secrets of our suite: HPKE and signature keys, hashes.
const LENGTHS: [usize; 3] = [32, 48, 64];
/// Names that OpenMLS gives to secrets, as far as they tell them from public values.
const NAMES: [&str; 3] = ["secret\":", "private_key\":", "_psk\":"];

const SBOX: [u8; 256] = sbox();

/// Every AES-256 key that lies expanded in `bytes`, which begin at an address divisible by four.
///
/// It sees the round keys in the order of FIPS 197, as processors with AES instructions use them.
#[must_use]
pub fn aes256(bytes: &[u8]) -> BTreeSet<[u8; 32]> {
    let schedules = bytes.windows(SCHEDULE).step_by(4).filter(|window| is_schedule(window));
    schedules.filter_map(|window| window[..32].try_into().ok()).collect()
}

/// Every secret of an MLS group that lies in `bytes` as OpenMLS stores it.
#[must_use]
pub fn mls(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let colons = bytes.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
    for at in colons {
        let before = &bytes[..=at];
        if NAMES.iter().any(|name| before.ends_with(name.as_bytes())) {
            found.extend(list(&bytes[at + 1..bytes.len().min(at + STORED)]));
        }
    }
    found
}

/// The list of bytes that a value is, or holds first: `{"value":{"vec":[1,2,…]}}`.
fn list(value: &[u8]) -> Option<Vec<u8>> {
    let open = value.iter().position(|byte| *byte == b'[')?;
    let wrapping = |byte: &u8| byte.is_ascii_lowercase() || b"{\":_".contains(byte);
    let close = value.iter().position(|byte| *byte == b']').filter(|close| *close > open)?;
    if !value[..open].iter().all(wrapping) {
        return None;
    }
    let numbers = std::str::from_utf8(&value[open + 1..close]).ok()?;
    let bytes = numbers.split(',').map(|number| number.parse().ok()).collect::<Option<Vec<u8>>>()?;
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

fn is_schedule(bytes: &[u8]) -> bool {
    let word = |at: usize| u32::from_le_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]]);
    let mut round_constant = 1_u32;
    for at in KEY_WORDS..WORDS {
        let before = word(at - 1);
        let mixed = match at % KEY_WORDS {
            0 => {
                let mixed = substitute(before.rotate_right(8)) ^ round_constant;
                round_constant <<= 1;
                mixed
            }
            4 => substitute(before),
            _ => before,
        };
        if word(at) != word(at - KEY_WORDS) ^ mixed {
            return false;
        }
    }
    true
}

fn substitute(word: u32) -> u32 {
    u32::from_le_bytes(word.to_le_bytes().map(|byte| SBOX[usize::from(byte)]))
}

/// The S-box of FIPS 197 §5.1.1: the inverse in GF(2^8), then the affine transformation.
const fn sbox() -> [u8; 256] {
    let mut sbox = [0x63; 256];
    // 3 generates the field; its inverse goes the same way backwards.
    let (mut power, mut inverse) = (1_u8, 1_u8);
    loop {
        power ^= (power << 1) ^ if power & 0x80 != 0 { 0x1b } else { 0 };
        inverse ^= inverse << 1;
        inverse ^= inverse << 2;
        inverse ^= inverse << 4;
        if inverse & 0x80 != 0 {
            inverse ^= 0x09;
        }
        let rotated = inverse.rotate_left(1) ^ inverse.rotate_left(2) ^ inverse.rotate_left(3) ^ inverse.rotate_left(4);
        sbox[power as usize] = inverse ^ rotated ^ 0x63;
        if power == 1 {
            return sbox;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of FIPS 197 appendix A.3 and its expansion.
    fn example() -> ([u8; 32], Vec<u8>) {
        let key = *b"\x60\x3d\xeb\x10\x15\xca\x71\xbe\x2b\x73\xae\xf0\x85\x7d\x77\x81\
                     \x1f\x35\x2c\x07\x3b\x61\x08\xd7\x2d\x98\x10\xa3\x09\x14\xdf\xf4";
        let mut words: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
        let mut constant = 1;
        while words.len() < WORDS {
            let at = words.len();
            let mut word = words[at - 1];
            if at.is_multiple_of(8) {
                word.rotate_left(1);
            }
            if at.is_multiple_of(4) {
                word = word.map(|byte| SBOX[usize::from(byte)]);
            }
            if at.is_multiple_of(8) {
                word[0] ^= constant;
                constant <<= 1;
            }
            words.push([0, 1, 2, 3].map(|byte| word[byte] ^ words[at - 8][byte]));
        }
        (key, words.concat())
    }

    #[test]
    fn the_expansion_is_that_of_fips_197() {
        let (_, schedule) = example();
        // Words 8 and 59 of appendix A.3.
        assert_eq!(schedule[32..36], [0x9b, 0xa3, 0x54, 0x11]);
        assert_eq!(schedule[236..], [0x70, 0x6c, 0x63, 0x1e]);
    }

    #[test]
    fn an_expanded_key_is_found_and_one_with_a_wrong_bit_is_not() {
        let (key, schedule) = example();
        let mut memory = [&[7; 64], schedule.as_slice(), &[0; 400]].concat();
        assert_eq!(aes256(&memory), BTreeSet::from([key]));
        memory[64 + 239] ^= 1;
        assert!(aes256(&memory).is_empty());
        assert!(aes256(&schedule[..100]).is_empty());
    }

    #[test]
    fn secrets_of_a_stored_group_are_found_and_public_values_are_not() {
        let list = |byte: u8, length: usize| vec![byte.to_string(); length].join(",");
        let text = format!(
            r#"{{"init_secret":{{"secret":{{"value":{{"vec":[{}]}}}}}},"signature_key":{{"value":{{"vec":[{}]}}}},
            "private_key":{{"key":{{"vec":[{}]}}}},"path_secret":[{}],"secret":null,"secret":"#,
            list(1, 48),
            list(2, 32),
            list(3, 32),
            list(4, 5),
        );
        assert_eq!(mls(text.as_bytes()), BTreeSet::from([vec![1; 48], vec![3; 32]]));
        assert!(mls(br#""secret":{"vec":[1,2,300"#).is_empty());
    }
}
