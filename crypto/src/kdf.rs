//! HKDF, HMAC and hashes over ring, each use with a label of its own.
//!
//! SHA-384 throughout, the hash of the MLS suite, except for fingerprints and token hashes that
//! other programs compute too (SHA-256).

use ring::{digest, hkdf, hmac};

use crate::secret::Secret;

/// Length of every MAC of the invitation exchange, in bytes.
pub(crate) const MAC_LENGTH: usize = 48;

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF (RFC 5869) with SHA-384; `info` is the label and the parts, each with its length.
pub(crate) fn derive<const N: usize>(salt: &[u8], ikm: &[u8], label: &str, parts: &[&[u8]]) -> Option<Secret<N>> {
    let info = framed(label, parts);
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA384, salt).extract(ikm);
    Secret::filled(|out| prk.expand(&[info.as_slice()], Length(N)).ok()?.fill(out).ok())
}

/// HMAC-SHA-384 over the label and the parts, each with its length.
pub(crate) fn mac(key: &Secret<32>, label: &str, parts: &[&[u8]]) -> [u8; MAC_LENGTH] {
    let key = hmac::Key::new(hmac::HMAC_SHA384, key.expose());
    let tag = hmac::sign(&key, &framed(label, parts));
    let mut out = [0; MAC_LENGTH];
    // The tag of HMAC-SHA-384 has exactly this length; zip cannot lose a byte.
    out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Compares [`mac`] with a received tag in constant time.
pub(crate) fn mac_matches(key: &Secret<32>, label: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA384, key.expose());
    hmac::verify(&key, &framed(label, parts), tag).is_ok()
}

/// SHA-384 over the label and the parts, each with its length; streamed, so that a secret part is
/// copied nowhere.
pub(crate) fn hash(label: &str, parts: &[&[u8]]) -> [u8; MAC_LENGTH] {
    let mut context = digest::Context::new(&digest::SHA384);
    context.update(&framed(label, &[]));
    for part in parts {
        context.update(&(part.len() as u32).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut out = [0; MAC_LENGTH];
    out.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Plain SHA-256, for values that other programs compute too.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut out = [0; 32];
    out.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// `"Quietroom 1 " label`, then each part behind its four-byte length: no two inputs collide.
pub(crate) fn framed(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + parts.iter().map(|part| part.len() + 4).sum::<usize>());
    out.extend_from_slice(b"Quietroom 1 ");
    out.extend_from_slice(label.as_bytes());
    out.push(0);
    for part in parts {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_parts_changes_the_hash() {
        assert_ne!(hash("x", &[b"ab", b"c"]), hash("x", &[b"a", b"bc"]));
        assert_ne!(hash("x", &[b"a"]), hash("xa", &[b""]));
    }

    #[test]
    fn a_mac_of_another_label_does_not_match() {
        let key = Secret::from_slice(&[1; 32]).unwrap();
        let tag = mac(&key, "a", &[b"m"]);
        assert!(mac_matches(&key, "a", &[b"m"], &tag));
        assert!(!mac_matches(&key, "b", &[b"m"], &tag));
        assert!(!mac_matches(&key, "a", &[b"m"], &tag[..47]));
    }
}
