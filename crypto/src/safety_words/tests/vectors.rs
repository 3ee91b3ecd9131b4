//! The frozen answer of one check of three. See [`crate::vectors`].

use super::super::*;
use crate::vectors::{bytes, frozen};

#[test]
fn scope_commitments_words_and_digits_are_frozen() {
    let frozen = frozen("safety_words");
    let leaf = |index| LeafIndex::new(index).unwrap();
    let members = vec![(leaf(2), vec![0x24; 42]), (leaf(0), vec![0x22; 40]), (leaf(1), vec![0x23; 41])];
    let scope = SafetyScope { epoch: 3, authenticator: [0x28; 48], own: leaf(0), members };
    assert_eq!(scope.digest().to_vec(), bytes(&frozen["scope"]));

    let (mut check, _) = SafetyCheck::new([0x21; 16], scope).unwrap();
    for index in 0..3 {
        let nonce = [0x25 + index as u8; 32];
        let commitment = commitment_to(&check.id, leaf(index), &nonce);
        assert_eq!(commitment.to_vec(), bytes(&frozen["commitments"][index as usize]));
        check.nonces.insert(leaf(index), nonce);
    }
    let words = check.words().unwrap();
    assert_eq!(serde_json::json!(words.words), frozen["words"]);
    assert_eq!(serde_json::json!(words.digits), frozen["digits"]);
}
