//! What a UDP payload is, by its first bytes (RFC 7983 section 7) and by whether the rest fits.
//!
//! | first byte | what | besides |
//! | --- | --- | --- |
//! | 0 to 3 | STUN | magic cookie, length to the last byte |
//! | 20 to 63 | DTLS | records of version 1.0 or 1.2 to the last byte |
//! | 64 to 79 | TURN channel data | number and length |
//! | 128 to 191 | RTP, or RTCP when the second byte is 192 to 223 (RFC 5761 section 4) | header in whole |
//! | other | unknown | |
//!
//! A payload that looks like one of them but has bytes to spare is unknown: nothing may hide behind it.

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A STUN message, RFC 8489.
    Stun,
    /// DTLS records, RFC 6347.
    Dtls,
    /// Data over a TURN channel, RFC 8656 section 12.4. What it carries is classified anew.
    TurnChannel,
    /// An SRTP packet.
    Rtp,
    /// An SRTCP packet.
    Rtcp,
    /// None of these.
    Unknown,
}

/// See the module.
#[must_use]
pub fn classify(payload: &[u8]) -> Class {
    match payload.first() {
        Some(0..=3) if is_stun(payload) => Class::Stun,
        Some(20..=63) if records(payload).is_some() => Class::Dtls,
        Some(64..=79) if turn_data(payload).is_some() => Class::TurnChannel,
        Some(128..=191) => match payload.get(1) {
            Some(192..=223) if payload.len() >= RTCP_HEADER => Class::Rtcp,
            Some(0..=191 | 224..=255) if payload.len() >= RTP_HEADER => Class::Rtp,
            _ => Class::Unknown,
        },
        _ => Class::Unknown,
    }
}

/// Fixed part of an RTP header, RFC 3550 section 5.1.
const RTP_HEADER: usize = 12;
/// Header and sender of an RTCP packet, which SRTCP leaves in clear (RFC 3711 section 3.4).
const RTCP_HEADER: usize = 8;
const STUN_HEADER: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

fn is_stun(payload: &[u8]) -> bool {
    let Some(length) = u16_at(payload, 2) else {
        return false;
    };
    length % 4 == 0 && payload.len() == STUN_HEADER + length && payload.get(4..8) == Some(&MAGIC_COOKIE)
}

/// The data in a TURN channel message. Over UDP up to 3 bytes of padding may follow.
#[must_use]
pub fn turn_data(payload: &[u8]) -> Option<&[u8]> {
    let length = u16_at(payload, 2)?;
    let rest = payload.get(4..)?;
    let padding = rest.get(length..)?;
    (padding.len() < 4 && padding.iter().all(|byte| *byte == 0)).then(|| rest.get(..length))?
}

/// A record: content type and what it holds.
type Record<'a> = (u8, &'a [u8]);

const RECORD_HEADER: usize = 13;
const HANDSHAKE: u8 = 22;

/// The records of a datagram, if they fill it.
fn records(payload: &[u8]) -> Option<Vec<Record<'_>>> {
    let (mut records, mut rest) = (Vec::new(), payload);
    while !rest.is_empty() {
        let content_type = *rest.first().filter(|content_type| (20..=24).contains(*content_type))?;
        if !matches!(rest.get(1..3)?, [0xfe, 0xff | 0xfd]) {
            return None;
        }
        let end = RECORD_HEADER + u16_at(rest, 11)?;
        records.push((content_type, rest.get(RECORD_HEADER..end)?));
        rest = rest.get(end..)?;
    }
    (!records.is_empty()).then_some(records)
}

/// The random value of a ClientHello in these records (RFC 6347 section 4.2.1), by which the association's keys are found;
/// who sent it is the DTLS client. A repeated ClientHello repeats it.
#[must_use]
pub fn client_random(payload: &[u8]) -> Option<[u8; 32]> {
    const CLIENT_HELLO: u8 = 1;
    /// Type, length, sequence number, offset and length of the fragment.
    const HEADER: usize = 12;
    records(payload)?.into_iter().find_map(|(content_type, fragment)| {
        if content_type != HANDSHAKE || fragment.first() != Some(&CLIENT_HELLO) || fragment.get(6..9) != Some(&[0; 3]) {
            return None;
        }
        // After the version, two bytes.
        fragment.get(HEADER + 2..HEADER + 34)?.try_into().ok()
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(attributes: usize) -> Vec<u8> {
        let length = u16::try_from(attributes).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &MAGIC_COOKIE, &[7; 12], &vec![0; attributes]].concat()
    }

    fn record(content_type: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        [&[content_type, 0xfe, 0xfd][..], &[0; 8], &length, data].concat()
    }

    fn client_hello() -> Vec<u8> {
        let body = [&[0xfe, 0xfd], &[9; 32][..], &[0; 10]].concat();
        [&[1, 0, 0, 44][..], &[0, 0, 0, 0, 0, 0, 0, 44], &body].concat()
    }

    #[test]
    fn each_protocol_is_told_by_its_first_bytes() {
        assert_eq!(classify(&stun(8)), Class::Stun);
        assert_eq!(classify(&record(22, &client_hello())), Class::Dtls);
        assert_eq!(classify(&[record(20, &[1]), record(22, &[0; 40])].concat()), Class::Dtls);
        assert_eq!(classify(&[0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]), Class::TurnChannel);
        assert_eq!(classify(&[&[0x90, 111], &[0; 30][..]].concat()), Class::Rtp);
        assert_eq!(classify(&[&[0x80, 0xe0], &[0; 30][..]].concat()), Class::Rtp);
        for packet_type in [192, 200, 201, 205, 206, 223] {
            assert_eq!(classify(&[&[0x81, packet_type], &[0; 30][..]].concat()), Class::Rtcp);
        }
    }

    #[test]
    fn nothing_hides_behind_a_message() {
        for whole in [stun(8), record(22, &client_hello()), vec![0x40, 1, 0, 1, 9]] {
            assert_ne!(classify(&whole), Class::Unknown);
            assert_eq!(classify(&[&whole[..], b"smuggled"].concat()), Class::Unknown);
        }
        assert_eq!(classify(&[0x40, 1, 0, 1, 9, 0, 1]), Class::Unknown);
    }

    #[test]
    fn rubbish_of_any_length_is_unknown_or_cut_short_without_a_panic() {
        for first in 0..=255_u8 {
            for length in 0..40 {
                let mut payload = vec![first; length];
                let class = classify(&payload);
                if length < 8 {
                    assert_eq!(class, Class::Unknown, "{first} {length}");
                }
                assert!(matches!(class, Class::Unknown | Class::Rtp | Class::Rtcp | Class::TurnChannel), "{class:?}");
                payload.truncate(length / 2);
                assert_eq!(client_random(&payload), None);
            }
        }
        let hello = record(22, &client_hello());
        for cut in 0..hello.len() {
            assert_eq!(classify(&hello[..cut]), Class::Unknown);
            assert_eq!(client_random(&hello[..cut]), None);
        }
    }

    #[test]
    fn a_client_hello_names_its_association() {
        let hello = record(22, &client_hello());
        assert_eq!(client_random(&hello), Some([9; 32]));
        assert_eq!(client_random(&[record(20, &[1]), hello].concat()), Some([9; 32]));
        let mut later = client_hello();
        later[8] = 1;
        assert_eq!(client_random(&record(22, &later)), None, "not the first fragment");
        let mut server = client_hello();
        server[0] = 2;
        assert_eq!(client_random(&record(22, &server)), None);
        assert_eq!(client_random(&record(23, &client_hello())), None);
    }
}
