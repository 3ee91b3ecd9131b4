//! Opens SRTP and SRTCP of a capture with the keys that an assessor got (RFC 3711, RFC 7714).
//!
//! There is no replay protection: a packet that was captured twice opens twice. Packets must come in about the order in
//! which they were sent, from the first one on, since the count of rollovers is nowhere in them.

use std::collections::BTreeSet;
use std::fmt;

use rtc::rtp::Header;
use rtc::shared::marshal::{MarshalSize, Unmarshal};
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;

/// Streams of one direction: sound, picture, the retransmission of each, and room for those of an association begun anew.
/// Each costs memory even when its packets do not open.
const MAX_STREAMS: usize = 32;

/// How SRTP is encrypted, RFC 7714 section 14.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// 0x0007.
    AeadAes128Gcm,
    /// 0x0008.
    AeadAes256Gcm,
}

/// Who sent a packet, by its role in DTLS: the client is who sent the ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The DTLS client.
    Client,
    /// The DTLS server.
    Server,
}

/// Why a packet does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpError {
    /// Key or salt does not have the length that the profile demands.
    Keys,
    /// Not a packet of this protocol.
    Malformed,
    /// The tag does not fit: other keys, other count of rollovers, or altered.
    Refused,
    /// More than 32 streams one way.
    TooManyStreams,
}

impl fmt::Display for SrtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "the keys do not fit the profile",
            Self::Malformed => "not a packet of SRTP or SRTCP",
            Self::Refused => "does not open under the keys of its association",
            Self::TooManyStreams => "more streams than an association has",
        })
    }
}

impl std::error::Error for SrtpError {}

/// An RTP packet that opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Rtp {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Payload type: which of the codecs, or its retransmission.
    pub payload_type: u8,
    /// Whether padding follows the payload; ours never has any.
    pub padding: bool,
    /// Header with extensions; it went over the wire in clear.
    pub header: Vec<u8>,
    /// What was encrypted: a chunk of a sealed frame, if all is well.
    pub payload: Vec<u8>,
}

/// Opens what the two ends of one association sent.
pub struct Opener {
    client: Direction,
    server: Direction,
}

struct Direction {
    context: Context,
    streams: BTreeSet<u32>,
}

impl Opener {
    /// Takes the master keys (16 or 32 bytes) and master salts (12 bytes) of an association: the client's, the server's.
    ///
    /// # Errors
    /// [`SrtpError::Keys`].
    pub fn new(profile: Profile, client: (&[u8], &[u8]), server: (&[u8], &[u8])) -> Result<Self, SrtpError> {
        let direction = |(key, salt)| Direction::new(profile, key, salt);
        Ok(Self { client: direction(client)?, server: direction(server)? })
    }

    /// Opens an SRTP packet.
    ///
    /// # Errors
    /// [`SrtpError::Malformed`], [`SrtpError::Refused`], [`SrtpError::TooManyStreams`].
    pub fn rtp(&mut self, sender: Sender, packet: &[u8]) -> Result<Rtp, SrtpError> {
        let direction = self.direction(sender);
        let header = Header::unmarshal(&mut &packet[..]).map_err(|_cut| SrtpError::Malformed)?;
        direction.admit(header.ssrc)?;
        let opened =
            direction.context.decrypt_rtp_with_header(packet, &header).map_err(|_refused| SrtpError::Refused)?;
        let (clear, payload) = opened.split_at_checked(header.marshal_size()).ok_or(SrtpError::Malformed)?;
        Ok(Rtp {
            ssrc: header.ssrc,
            sequence: header.sequence_number,
            payload_type: header.payload_type,
            padding: header.padding,
            header: clear.to_vec(),
            payload: payload.to_vec(),
        })
    }

    /// Opens an SRTCP packet: the compound of RTCP packets in it.
    ///
    /// # Errors
    /// [`SrtpError::Malformed`], [`SrtpError::Refused`], [`SrtpError::TooManyStreams`].
    pub fn rtcp(&mut self, sender: Sender, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let direction = self.direction(sender);
        let ssrc = packet.get(4..8).and_then(|bytes| bytes.try_into().ok()).ok_or(SrtpError::Malformed)?;
        direction.admit(u32::from_be_bytes(ssrc))?;
        let opened = direction.context.decrypt_rtcp(packet).map_err(|_refused| SrtpError::Refused)?;
        Ok(opened.to_vec())
    }

    fn direction(&mut self, sender: Sender) -> &mut Direction {
        match sender {
            Sender::Client => &mut self.client,
            Sender::Server => &mut self.server,
        }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Direction {
    fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, SrtpError> {
        let provider = rtc::crypto::default_provider().map_err(|_none| SrtpError::Keys)?;
        let profile = match profile {
            Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        };
        let context = Context::new(key, salt, profile, None, None, provider.crypto());
        Ok(Self { context: context.map_err(|_length| SrtpError::Keys)?, streams: BTreeSet::new() })
    }

    /// Keeps a hostile capture from making the context remember streams without end.
    fn admit(&mut self, ssrc: u32) -> Result<(), SrtpError> {
        if !self.streams.contains(&ssrc) && self.streams.len() >= MAX_STREAMS {
            return Err(SrtpError::TooManyStreams);
        }
        self.streams.insert(ssrc);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: ([u8; 32], [u8; 12]) = ([1; 32], [2; 12]);
    const SERVER: ([u8; 32], [u8; 12]) = ([3; 32], [4; 12]);

    fn opener() -> Opener {
        Opener::new(Profile::AeadAes256Gcm, (&CLIENT.0, &CLIENT.1), (&SERVER.0, &SERVER.1)).unwrap()
    }

    fn sender((key, salt): ([u8; 32], [u8; 12])) -> Context {
        let provider = rtc::crypto::default_provider().unwrap();
        Context::new(&key, &salt, ProtectionProfile::AeadAes256Gcm, None, None, provider.crypto()).unwrap()
    }

    /// With a header extension, as the transport's are.
    fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let fixed = [&[0x90, 111], &sequence.to_be_bytes()[..], &[0; 4], &ssrc.to_be_bytes()].concat();
        [&fixed[..], &[0xbe, 0xde, 0, 1, 0x11, 0, 7, 0], payload].concat()
    }

    fn rtcp(ssrc: u32) -> Vec<u8> {
        [&[0x80, 201, 0, 1], &ssrc.to_be_bytes()[..]].concat()
    }

    #[test]
    fn both_directions_open_under_their_own_keys_alone() {
        let (mut client, mut server, mut opener) = (sender(CLIENT), sender(SERVER), opener());
        for sequence in 0..5 {
            let plain = rtp(7, sequence, b"sealed chunk");
            let from_client = client.encrypt_rtp(&plain).unwrap();
            assert_eq!(opener.rtp(Sender::Server, &from_client), Err(SrtpError::Refused));
            let opened = opener.rtp(Sender::Client, &from_client).unwrap();
            assert_eq!((opened.ssrc, opened.sequence, opened.payload_type), (7, sequence, 111));
            assert_eq!((&opened.payload[..], opened.padding), (&b"sealed chunk"[..], false));
            assert_eq!([opened.header, opened.payload].concat(), plain);
            let from_server = server.encrypt_rtp(&plain).unwrap();
            assert_eq!(opener.rtp(Sender::Client, &from_server), Err(SrtpError::Refused));
            assert_eq!(opener.rtp(Sender::Server, &from_server).unwrap().payload, b"sealed chunk");
            let report = server.encrypt_rtcp(&rtcp(7)).unwrap();
            assert_eq!(opener.rtcp(Sender::Client, &report), Err(SrtpError::Refused));
            assert_eq!(opener.rtcp(Sender::Server, &report).unwrap(), rtcp(7));
        }
    }

    #[test]
    fn sequence_numbers_that_roll_over_and_late_packets_open() {
        let (mut client, mut opener) = (sender(CLIENT), opener());
        let mut packets: Vec<_> = (65_500..65_600_u32)
            .map(|number| client.encrypt_rtp(&rtp(7, number as u16, &number.to_be_bytes())).unwrap())
            .collect();
        packets.swap(30, 40);
        for packet in packets {
            opener.rtp(Sender::Client, &packet).unwrap();
        }
    }

    #[test]
    fn an_altered_or_injected_packet_is_refused_wherever_it_was_touched() {
        let mut client = sender(CLIENT);
        let packet = client.encrypt_rtp(&rtp(7, 1, b"chunk")).unwrap();
        let report = client.encrypt_rtcp(&rtcp(7)).unwrap();
        for at in 0..packet.len() {
            let mut altered = packet.to_vec();
            altered[at] ^= 1;
            assert!(opener().rtp(Sender::Client, &altered).is_err(), "{at}");
        }
        for at in 0..report.len() {
            let mut altered = report.to_vec();
            altered[at] ^= 1;
            assert!(opener().rtcp(Sender::Client, &altered).is_err(), "{at}");
        }
        assert_eq!(opener().rtp(Sender::Client, &rtp(7, 1, b"in clear, and long enough")), Err(SrtpError::Refused));
    }

    #[test]
    fn packets_cut_short_or_of_rubbish_never_panic() {
        let mut client = sender(CLIENT);
        let packet = client.encrypt_rtp(&rtp(7, 1, b"chunk")).unwrap();
        for end in 0..packet.len() {
            assert!(opener().rtp(Sender::Client, &packet[..end]).is_err());
            assert!(opener().rtcp(Sender::Client, &packet[..end]).is_err());
        }
        for byte in 0..=255 {
            for length in [1, 12, 13, 20, 64] {
                assert!(opener().rtp(Sender::Client, &vec![byte; length]).is_err());
                assert!(opener().rtcp(Sender::Client, &vec![byte; length]).is_err());
            }
        }
    }

    #[test]
    fn a_flood_of_streams_is_cut() {
        let mut opener = opener();
        for ssrc in 0..MAX_STREAMS as u32 {
            assert_eq!(opener.rtp(Sender::Client, &rtp(ssrc, 1, &[0; 40])), Err(SrtpError::Refused));
        }
        assert_eq!(opener.rtp(Sender::Client, &rtp(999, 1, &[0; 40])), Err(SrtpError::TooManyStreams));
        assert_eq!(opener.rtcp(Sender::Client, &rtcp(998)), Err(SrtpError::TooManyStreams));
        assert_eq!(opener.rtp(Sender::Server, &rtp(999, 1, &[0; 40])), Err(SrtpError::Refused));
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        let made = Opener::new(Profile::AeadAes128Gcm, (&[0; 32], &[0; 12]), (&[0; 16], &[0; 12]));
        assert_eq!(made.err(), Some(SrtpError::Keys));
        assert!(Opener::new(Profile::AeadAes128Gcm, (&[0; 16], &[0; 12]), (&[0; 16], &[0; 12])).is_ok());
        assert!(Opener::new(Profile::AeadAes256Gcm, (&[0; 32], &[0; 14]), (&[0; 32], &[0; 12])).is_err());
    }
}
