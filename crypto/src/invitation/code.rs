//! The eight digits that travel on the other channel.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::InvitationError;

const DIGITS: usize = 8;

/// Eight digits, wiped on drop. They never travel: both sides run them through OPAQUE.
pub struct InvitationCode(Zeroizing<[u8; DIGITS]>);

impl InvitationCode {
    /// Parses eight digits; blanks, dashes and full stops between them are ignored.
    ///
    /// # Errors
    /// [`InvitationError::BadCode`] for anything else, or more or fewer digits.
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let mut code = Self(Zeroizing::new([0; DIGITS]));
        let mut places = code.0.iter_mut();
        for character in text.chars() {
            match character {
                '0'..='9' => {
                    *places.next().ok_or(InvitationError::BadCode)? = character as u8;
                }
                '-' | '.' => {}
                blank if blank.is_whitespace() => {}
                _ => return Err(InvitationError::BadCode),
            }
        }
        if places.next().is_some() {
            return Err(InvitationError::BadCode);
        }
        Ok(code)
    }

    /// The code in two groups, `1234 5678`.
    #[must_use]
    pub fn display(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(DIGITS + 1));
        for (at, digit) in self.0.iter().enumerate() {
            if at == DIGITS / 2 {
                text.push(' ');
            }
            text.push(char::from(*digit));
        }
        text
    }

    /// Draws a code; every one of the 10^8 is equally likely.
    pub(super) fn random() -> Option<Self> {
        let random = SystemRandom::new();
        let mut code = Self(Zeroizing::new([0; DIGITS]));
        for digit in code.0.iter_mut() {
            // 250 is the largest multiple of ten in a byte: what lies above would favour 0 to 5.
            let mut byte = [255];
            while byte >= [250] {
                random.fill(&mut byte).ok()?;
            }
            let [byte] = byte;
            *digit = b'0' + byte % 10;
        }
        Some(code)
    }

    pub(super) fn digits(&self) -> &[u8; DIGITS] {
        &self.0
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_type_codes_in_many_ways() {
        for text in ["12345678", "1234 5678", " 1234-5678\n", "12.34.56.78"] {
            assert_eq!(InvitationCode::parse(text).unwrap().display().as_str(), "1234 5678");
        }
    }

    #[test]
    fn anything_but_eight_digits_is_refused() {
        for text in ["", "1234567", "123456789", "1234567x", "１２３４５６７８", "-12345678x"] {
            assert!(InvitationCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_drawn_code_parses() {
        let code = InvitationCode::random().unwrap();
        let read = InvitationCode::parse(&code.display()).unwrap();
        assert_eq!(read.digits(), code.digits());
        assert_eq!(format!("{code:?}"), "InvitationCode");
    }
}
