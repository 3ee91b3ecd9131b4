//! The practice key on paper: 36 words that a person can copy by hand, and the sheet they stand on.
//!
//! ```text
//! seed of the Ed25519 key, 32 bytes
//!   rows 1 to 8:  4 bytes of the seed │ check byte over row number and these 4 bytes   = 40 bits = 4 words of 10 bits
//!   row 9:        40 bits of a hash over the whole seed                                            = 4 words
//! ```
//!
//! The words are the 1,024 of the spoken check: chosen to be told apart by ear and pen.
//! Against BIP 39's 24 words: its one checksum byte covers all of them, so that a wrong word that is on the list is
//! found once in 256 times not at all, and never where it is. Here a wrong word is named by row, a slip past a row's
//! check byte is caught by row 9, and the sheet looks like no wallet's that somebody could be talked into typing elsewhere.

mod sheet;

use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

pub use self::sheet::{Sheet, spelled};

/// Rows of the sheet.
pub const ROWS: usize = 9;
/// Words of a row.
pub const WORDS_PER_ROW: usize = 4;

/// The same list that the safety words come from; 1,024 lines.
const WORDS: &str = include_str!("../../../crypto/data/safety-words.txt");
const SEED_ROWS: usize = ROWS - 1;
const ROW_LABEL: &[u8] = b"quietroom recovery row v1";
const SHEET_LABEL: &[u8] = b"quietroom recovery sheet v1";

/// What is wrong, and where. Rows and words are counted from 1, as on the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// A word is not on the list.
    #[error("row {row}, word {word}: there is no such word on any sheet; look at its spelling")]
    UnknownWord {
        /// Row.
        row: usize,
        /// Word within the row.
        word: usize,
    },
    /// The words do not belong together.
    #[error("row {row}: one of its words is not the one on the sheet, or the row stands in another's place")]
    Row {
        /// Row.
        row: usize,
    },
    /// The rows do not belong together.
    #[error("row 9 does not belong to the eight above it: they are of two sheets, or a word is wrong")]
    Sheet,
    /// More or fewer words than a sheet has.
    #[error("a sheet has 9 rows of 4 words; row {row} has another number")]
    Count {
        /// Row.
        row: usize,
    },
    /// The stored key is not of the form that this version makes.
    #[error("the practice key has a form that a sheet cannot hold")]
    Key,
}

/// The rows of a seed, in order.
pub fn rows(seed: &[u8; 32]) -> Vec<[&'static str; WORDS_PER_ROW]> {
    let words: Vec<&'static str> = WORDS.lines().collect();
    let mut rows: Vec<[u8; 5]> = seed
        .chunks_exact(4)
        .enumerate()
        .map(|(index, part)| {
            let mut row = [0; 5];
            row[..4].copy_from_slice(part);
            row[4] = row_check(index, part);
            row
        })
        .collect();
    rows.push(sheet_check(seed));
    rows.iter().map(|row| std::array::from_fn(|at| words[index_of(row, at)])).collect()
}

/// Reads a sheet row by row, so that a slip is named while the finger is still on it.
#[derive(Default)]
pub struct Reading {
    seed: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reading({} rows)", self.seed.len() / 4)
    }
}

impl Reading {
    /// The row that comes next, from 1.
    pub fn row(&self) -> usize {
        self.seed.len() / 4 + 1
    }

    /// Takes one row; the seed comes with the ninth. After an error the same row may be given again.
    ///
    /// # Errors
    /// [`RecoveryError`] with the place.
    pub fn take(&mut self, words: &[&str]) -> Result<Option<Zeroizing<[u8; 32]>>, RecoveryError> {
        let row = self.row();
        let bytes = Zeroizing::new(bytes_of(row, words)?);
        if row <= SEED_ROWS {
            if row_check(row - 1, &bytes[..4]) != bytes[4] {
                return Err(RecoveryError::Row { row });
            }
            self.seed.extend_from_slice(&bytes[..4]);
            return Ok(None);
        }
        let seed: [u8; 32] = self.seed.as_slice().try_into().map_err(|_length| RecoveryError::Sheet)?;
        let seed = Zeroizing::new(seed);
        if sheet_check(&seed) == *bytes { Ok(Some(seed)) } else { Err(RecoveryError::Sheet) }
    }
}

/// DER of a PKCS#8 v2 Ed25519 key (RFC 8410 §7, RFC 5958), in the order and form that ring writes: before the seed,
/// and between seed and public key.
const DER_HEAD: [u8; 16] =
    [0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const DER_PUBLIC: [u8; 3] = [0x81, 0x21, 0x00];

/// The seed inside a stored practice key.
///
/// # Errors
/// [`RecoveryError::Key`] for any other form: what cannot be restored byte by byte is not put on paper.
pub fn seed_of(pkcs8: &[u8]) -> Result<Zeroizing<[u8; 32]>, RecoveryError> {
    let rest = pkcs8.strip_prefix(&DER_HEAD).ok_or(RecoveryError::Key)?;
    let (seed, _) = rest.split_first_chunk::<32>().ok_or(RecoveryError::Key)?;
    let seed = Zeroizing::new(*seed);
    if pkcs8_of(&seed)?.as_slice() == pkcs8 { Ok(seed) } else { Err(RecoveryError::Key) }
}

/// The practice key of a seed, as it is stored.
///
/// # Errors
/// [`RecoveryError::Key`].
pub fn pkcs8_of(seed: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, RecoveryError> {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| RecoveryError::Key)?;
    let mut pkcs8 = Zeroizing::new(Vec::with_capacity(96));
    pkcs8.extend_from_slice(&DER_HEAD);
    pkcs8.extend_from_slice(seed);
    pkcs8.extend_from_slice(&DER_PUBLIC);
    pkcs8.extend_from_slice(pair.public_key().as_ref());
    Ok(pkcs8)
}

fn bytes_of(row: usize, words: &[&str]) -> Result<[u8; 5], RecoveryError> {
    if words.len() != WORDS_PER_ROW {
        return Err(RecoveryError::Count { row });
    }
    let mut bits = 0_u64;
    for (at, word) in words.iter().enumerate() {
        let index = WORDS.lines().position(|known| known.eq_ignore_ascii_case(word));
        let index = index.ok_or(RecoveryError::UnknownWord { row, word: at + 1 })?;
        bits = bits << 10 | index as u64;
    }
    let [_, _, _, bytes @ ..] = bits.to_be_bytes();
    Ok(bytes)
}

/// Bits 10·at to 10·at + 9 of a row.
fn index_of(row: &[u8; 5], at: usize) -> usize {
    let bits = row.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    ((bits >> (10 * (WORDS_PER_ROW - 1 - at))) & 0x3ff) as usize
}

fn row_check(index: usize, part: &[u8]) -> u8 {
    let mut context = Context::new(&SHA256);
    context.update(ROW_LABEL);
    context.update(&[index as u8]);
    context.update(part);
    context.finish().as_ref()[0]
}

fn sheet_check(seed: &[u8; 32]) -> [u8; 5] {
    let mut context = Context::new(&SHA256);
    context.update(SHEET_LABEL);
    context.update(seed);
    let digest = context.finish();
    std::array::from_fn(|at| digest.as_ref()[at])
}

#[cfg(test)]
mod tests {
    use crypto::PracticeKey;

    use super::*;

    const SEED: [u8; 32] = *b"a seed that is good for tests...";

    fn read(rows: &[[&str; 4]]) -> Result<Option<Zeroizing<[u8; 32]>>, RecoveryError> {
        let mut reading = Reading::default();
        let mut last = None;
        for row in rows {
            last = reading.take(row)?;
        }
        Ok(last)
    }

    #[test]
    fn the_words_bring_the_same_key_back() {
        let (key, pkcs8) = PracticeKey::generate().unwrap();
        let rows = rows(&seed_of(&pkcs8).unwrap());
        assert_eq!(rows.len(), ROWS);
        let seed = read(&rows).unwrap().unwrap();
        let restored = pkcs8_of(&seed).unwrap();
        assert_eq!(restored, pkcs8);
        assert_eq!(PracticeKey::from_pkcs8(&restored).unwrap().public(), key.public());
    }

    #[test]
    fn the_words_of_a_sheet_never_change() {
        // Frozen, and computed apart from this code: a sheet in a safe must open with every later version.
        let first: Vec<String> = rows(&SEED).iter().map(|row| row.join(" ")).collect();
        assert_eq!(first[0], "gate leather cookie friend");
        assert_eq!(first[8], "coconut eclipse robin smooth");
    }

    #[test]
    fn a_word_that_is_on_no_list_is_named_by_its_place() {
        let mut rows = rows(&SEED);
        rows[4][2] = "quietroom";
        assert_eq!(read(&rows).unwrap_err(), RecoveryError::UnknownWord { row: 5, word: 3 });
    }

    #[test]
    fn every_wrong_word_of_the_list_is_caught_at_its_row_or_at_the_last() {
        let good = rows(&SEED);
        let (mut at_row, mut at_last) = (0, 0);
        for other in WORDS.lines().filter(|word| *word != good[3][1]) {
            let mut rows = good.clone();
            rows[3][1] = other;
            match read(&rows).unwrap_err() {
                RecoveryError::Row { row: 4 } => at_row += 1,
                RecoveryError::Sheet => at_last += 1,
                error => panic!("{error}"),
            }
        }
        assert_eq!(at_row + at_last, 1023);
        assert!(at_row > 1000, "{at_last} slips past their row");
    }

    #[test]
    fn swapped_rows_are_caught_where_the_first_of_them_stands() {
        let mut rows = rows(&SEED);
        rows.swap(1, 6);
        assert_eq!(read(&rows).unwrap_err(), RecoveryError::Row { row: 2 });
    }

    #[test]
    fn rows_of_two_sheets_do_not_make_a_key() {
        let mut rows = rows(&SEED);
        rows[7] = super::rows(&[7; 32])[7];
        assert_eq!(read(&rows).unwrap_err(), RecoveryError::Sheet);
    }

    #[test]
    fn a_row_can_be_given_again_after_a_slip_and_case_does_not_matter() {
        let rows = rows(&SEED);
        let mut reading = Reading::default();
        assert_eq!(reading.take(&rows[0][..3]).unwrap_err(), RecoveryError::Count { row: 1 });
        assert!(reading.take(&rows[1]).is_err());
        for row in &rows {
            let shouted: Vec<String> = row.iter().map(|word| word.to_uppercase()).collect();
            let shouted: Vec<&str> = shouted.iter().map(String::as_str).collect();
            if let Some(seed) = reading.take(&shouted).unwrap() {
                assert_eq!(*seed, SEED);
                return;
            }
        }
        panic!("no seed after nine rows");
    }

    #[test]
    fn another_form_of_key_is_not_put_on_paper() {
        let (_, pkcs8) = PracticeKey::generate().unwrap();
        for length in 0..pkcs8.len() {
            assert!(seed_of(&pkcs8[..length]).is_err());
        }
        let mut other = pkcs8.to_vec();
        other[82] ^= 1;
        assert_eq!(seed_of(&other), Err(RecoveryError::Key));
    }

    #[test]
    fn the_list_has_1024_different_words() {
        let words: std::collections::BTreeSet<_> = WORDS.lines().collect();
        assert_eq!((words.len(), WORDS.lines().count()), (1024, 1024));
    }
}
