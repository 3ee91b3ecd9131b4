//! Looks for secrets in bytes, in every way of writing them: as they are, in hex, in base64 at any offset, as a list of numbers.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Several secrets, looked for in one pass.
#[derive(Debug)]
pub struct Search {
    /// Which secret, and one form of it.
    patterns: Vec<(usize, Vec<u8>)>,
    /// By the first two bytes: which patterns may begin here.
    starts: Vec<Vec<u16>>,
    longest: usize,
}

impl Search {
    /// Prepares the search for `secrets`, which are numbered as they come.
    ///
    /// # Panics
    /// For a secret of fewer than 6 bytes, which would be found by chance, and for more than 5,000 secrets.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut patterns = Vec::new();
        let mut starts = vec![Vec::new(); 1 << 16];
        for (secret, bytes) in secrets.into_iter().enumerate() {
            assert!(bytes.len() >= 6, "a secret that is found by chance");
            for form in forms(bytes) {
                let at = u16::try_from(patterns.len()).expect("fewer than 65,536 patterns");
                starts[start(&form)].push(at);
                patterns.push((secret, form));
            }
        }
        let longest = patterns.iter().map(|(_, form)| form.len()).max().unwrap_or(0);
        Self { patterns, starts, longest }
    }

    /// Bytes of the longest form: two pieces of a long text must overlap by so much, less one.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Every place where a secret begins: its number, and where.
    pub fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let places = bytes.windows(2).enumerate();
        places.flat_map(move |(at, two)| {
            let rest = &bytes[at..];
            let begins = self.starts[start(two)].iter().map(|pattern| &self.patterns[usize::from(*pattern)]);
            begins.filter(move |(_, form)| rest.starts_with(form)).map(move |(secret, _)| (*secret, at))
        })
    }
}

/// Whether `bytes` hold `secret` in any form.
#[must_use]
pub fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    Search::new([secret]).find(bytes).next().is_some()
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Every way of writing `secret` that is looked for.
fn forms(secret: &[u8]) -> BTreeSet<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let mut forms =
        BTreeSet::from([secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), numbers.into_bytes()]);
    for offset in 0..3 {
        let padded = [&[0; 3][..offset], secret].concat();
        // The letters at both ends also hold bits of the neighbours.
        let from = [0, 2, 3][offset];
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let until = text.len() - usize::from(padded.len() % 3 != 0);
            forms.insert(text.as_bytes()[from..until].to_vec());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_secret_is_found() {
        let secret = b"Robin Example";
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        for (at, text) in ["Robin Example", "xRobin Exampley", "xyRobin Example", "xyzRobin Example"].iter().enumerate()
        {
            assert!(holds(format!("..{text}..").as_bytes(), secret), "{at}");
            assert!(holds(STANDARD_NO_PAD.encode(text).as_bytes(), secret), "{at}");
            assert!(holds(URL_SAFE_NO_PAD.encode(text).as_bytes(), secret), "{at}");
        }
        assert!(holds(hex.as_bytes(), secret) && holds(hex.to_uppercase().as_bytes(), secret));
        assert!(holds(serde_json::to_string(secret).unwrap().as_bytes(), secret));
        assert!(!holds(b"Robin another Example", secret));
    }

    #[test]
    fn each_of_several_secrets_is_told_with_its_place() {
        let search = Search::new([&b"first secret"[..], b"second secret"]);
        let found: Vec<_> = search.find(b"a second secret, a first secret").collect();
        assert_eq!(found, [(1, 2), (0, 19)]);
    }
}
