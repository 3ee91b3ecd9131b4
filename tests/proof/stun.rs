//! Whether a STUN message is a connectivity check of ICE and nothing else (RFC 8445 section 7, RFC 8489): its attributes
//! could carry anything, so only those of a check are taken, each at the length that it has there.

/// Binding request, indication, success, error.
const METHODS: [u16; 4] = [0x0001, 0x0011, 0x0101, 0x0111];
const HEADER: usize = 20;

/// Whether the whole message, which was found to be STUN by its form, is a check.
#[must_use]
pub fn is_check(message: &[u8]) -> bool {
    let method = message.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
    let Some(mut rest) = message.get(HEADER..) else { return false };
    if !method.is_some_and(|method| METHODS.contains(&method)) {
        return false;
    }
    while let [t0, t1, l0, l1, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let fits = match u16::from_be_bytes([*t0, *t1]) {
            // USERNAME: two fragments of ICE, 4 to 32 characters each in ours, which are letters and digits.
            0x0006 => length <= 65 && after.get(..length).is_some_and(is_text),
            // MESSAGE-INTEGRITY.
            0x0008 => length == 20,
            // ERROR-CODE with its phrase.
            0x0009 => length <= 40 && after.get(4..length).is_some_and(is_text),
            // XOR-MAPPED-ADDRESS of either family.
            0x0020 => length == 8 || length == 20,
            // PRIORITY, FINGERPRINT.
            0x0024 | 0x8028 => length == 4,
            // USE-CANDIDATE.
            0x0025 => length == 0,
            // ICE-CONTROLLED, ICE-CONTROLLING.
            0x8029 | 0x802a => length == 8,
            _ => false,
        };
        let padded = length.next_multiple_of(4);
        let padding = after.get(length..padded);
        if !fits || !padding.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0)) {
            return false;
        }
        rest = after.get(padded..).unwrap_or_default();
    }
    rest.is_empty()
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (number, value) in attributes {
            body.extend(number.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &[0x21, 0x12, 0xa4, 0x42], &[7; 12], &body].concat()
    }

    #[test]
    fn a_check_is_one_and_whatever_else_is_put_into_it_is_not() {
        let check: &[(u16, &[u8])] =
            &[(0x0006, b"abcd:wxyz1"), (0x8029, &[1; 8]), (0x0024, &[1; 4]), (0x0008, &[2; 20]), (0x8028, &[3; 4])];
        assert!(is_check(&message(check)) && is_check(&message(&[])));
        for bad in [(0x8022, b"software".as_slice()), (0x0013, b"data"), (0x0006, &[1; 9]), (0x0024, &[0; 8])] {
            assert!(!is_check(&message(&[check, &[bad]].concat())), "{bad:?}");
        }
        let mut hidden = message(check);
        hidden[20 + 4 + 10] = 1;
        assert!(!is_check(&hidden), "in the padding");
        let mut other = message(check);
        other[1] = 3;
        assert!(!is_check(&other), "TURN's Allocate");
        // Cut between two attributes it is one, which its length then denies.
        let cut = message(check);
        assert_eq!((0..cut.len()).filter(|end| is_check(&cut[..*end])).count(), check.len());
    }
}
