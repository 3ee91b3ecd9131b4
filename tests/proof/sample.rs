//! A call of two members with keys that nobody drew: for the tests of the tool.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA512, digest};
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use serde_json::{Value, json};
use sframe::header::SframeHeader;

use super::keys::{KeyFiles, Place, RawKey, Stream};

pub(super) const GROUP: &str = "aabbccdd";
pub(super) const RANDOM: [u8; 32] = [9; 32];
const STREAMS: [(Stream, &str); 4] =
    [(Stream::Audio, "audio"), (Stream::Video, "video"), (Stream::Screen, "screen"), (Stream::Data, "data")];
const CLIENT: ([u8; 32], [u8; 12]) = ([1; 32], [2; 12]);
const SERVER: ([u8; 32], [u8; 12]) = ([3; 32], [4; 12]);

#[derive(Clone)]
pub(super) struct Call {
    pub(super) secret: u8,
}

impl Call {
    pub(super) fn new() -> Self {
        Self { secret: 7 }
    }

    pub(super) fn raw(&self, epoch: u64, sender: u8, stream: Stream) -> RawKey {
        let made = digest(&SHA512, &[self.secret, epoch as u8, sender, stream as u8]);
        let (key, rest) = made.as_ref().split_at(32);
        RawKey { key: key.try_into().unwrap(), salt: rest[..12].try_into().unwrap() }
    }

    /// The key file of one member: epochs 1 and 2, and what the other one committed to.
    pub(super) fn file(&self, own_leaf: u8) -> Vec<u8> {
        let mut file = self.without_commitments();
        let mut files = KeyFiles::default();
        files.add(file.to_string().as_bytes()).unwrap();
        let heard = [1, 2].map(|epoch| {
            let commitment = files.commitment(GROUP, epoch, 1 - own_leaf).unwrap();
            json!({ "epoch": epoch, "sender": 1 - own_leaf, "commitment": STANDARD.encode(commitment) })
        });
        file["groups"][0]["own_leaf"] = own_leaf.into();
        file["groups"][0]["commitments"] = heard.to_vec().into();
        file.to_string().into_bytes()
    }

    fn without_commitments(&self) -> Value {
        let mut keys = Vec::new();
        for (epoch, sender) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
            for (stream, name) in STREAMS {
                let raw = self.raw(epoch, sender, stream);
                let place = Place { group: GROUP.to_owned(), epoch, sender, stream };
                keys.push(json!({
                    "epoch": epoch, "sender": sender, "context": name, "key_id": place.key_id(),
                    "key": STANDARD.encode(raw.key), "salt": STANDARD.encode(raw.salt),
                }));
            }
        }
        json!({
            "format": "quietroom-disclosure", "version": 1,
            "sframe": { "cipher_suite": "AES_256_GCM_SHA512_128 (0x0005, RFC 9605)" },
            "groups": [{ "call_id": "00", "group_id": GROUP, "keys": keys, "commitments": [] }],
            "srtp": [{
                "peer": 1, "profile": "AEAD_AES_256_GCM", "client_random": STANDARD.encode(RANDOM),
                "client_key": STANDARD.encode(CLIENT.0), "client_salt": STANDARD.encode(CLIENT.1),
                "server_key": STANDARD.encode(SERVER.0), "server_salt": STANDARD.encode(SERVER.1),
            }],
        })
    }

    pub(super) fn seal(&self, epoch: u64, sender: u8, stream: Stream, counter: u64, plain: &[u8]) -> Vec<u8> {
        let raw = self.raw(epoch, sender, stream);
        let place = Place { group: String::new(), epoch, sender, stream };
        let header = Vec::from(&SframeHeader::new(place.key_id(), counter));
        let mut nonce = raw.salt;
        nonce[4..].iter_mut().zip(counter.to_be_bytes()).for_each(|(to, from)| *to ^= from);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &raw.key).unwrap());
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&header), &mut body).unwrap();
        [header, body].concat()
    }
}

/// What the transport of both ends makes of it, and a capture of that.
pub(super) struct Wire {
    client: Context,
    server: Context,
    sequence: u16,
    file: Vec<u8>,
    seconds: u32,
}

pub(super) const CLIENT_ADDRESS: &str = "127.0.0.1:1001";
pub(super) const SERVER_ADDRESS: &str = "127.0.0.1:1002";

impl Wire {
    /// After a handshake.
    pub(super) fn new() -> Self {
        let context = |(key, salt): ([u8; 32], [u8; 12])| {
            let provider = rtc::crypto::default_provider().unwrap();
            Context::new(&key, &salt, ProtectionProfile::AeadAes256Gcm, None, None, provider.crypto()).unwrap()
        };
        let mut file = [0xa1b2_c3d4_u32.to_le_bytes(), [2, 0, 4, 0], [0; 4], [0; 4]].concat();
        file.extend(262_144_u32.to_le_bytes());
        file.extend(101_u32.to_le_bytes());
        let mut wire = Self { client: context(CLIENT), server: context(SERVER), sequence: 0, file, seconds: 0 };
        wire.udp(CLIENT_ADDRESS, SERVER_ADDRESS, &stun());
        wire.udp(CLIENT_ADDRESS, SERVER_ADDRESS, &client_hello(RANDOM));
        wire
    }

    /// A single-part frame in an SRTP packet.
    pub(super) fn frame(&mut self, client: bool, payload_type: u8, number: u16, frame: &[u8]) {
        let payload = [&[0x50][..], &number.to_be_bytes(), frame].concat();
        self.rtp(client, payload_type, &payload);
    }

    pub(super) fn rtp(&mut self, client: bool, payload_type: u8, payload: &[u8]) {
        self.sequence += 1;
        let ssrc = u32::from(payload_type) + 1_000 * u32::from(client);
        let head = [&[0x90, payload_type], &self.sequence.to_be_bytes()[..], &[0; 4], &ssrc.to_be_bytes()].concat();
        self.sealed_rtp(client, &[&head[..], &[0xbe, 0xde, 0, 1, 0x11, 0, 7, 0], payload].concat());
    }

    /// An RTP packet as it is, in SRTP.
    pub(super) fn sealed_rtp(&mut self, client: bool, plain: &[u8]) {
        let context = if client { &mut self.client } else { &mut self.server };
        let packet = context.encrypt_rtp(plain).unwrap();
        self.from(client, &packet);
    }

    pub(super) fn rtcp(&mut self, client: bool, packet_type: u8) {
        let context = if client { &mut self.client } else { &mut self.server };
        let packet = context.encrypt_rtcp(&[0x80, packet_type, 0, 1, 0, 0, 0, 5]).unwrap();
        self.from(client, &packet);
    }

    pub(super) fn from(&mut self, client: bool, payload: &[u8]) {
        let (from, to) = if client { (CLIENT_ADDRESS, SERVER_ADDRESS) } else { (SERVER_ADDRESS, CLIENT_ADDRESS) };
        self.udp(from, to, payload);
    }

    pub(super) fn udp(&mut self, from: &str, to: &str, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        let head = [from.port().to_be_bytes(), to.port().to_be_bytes(), length, [0; 2]].concat();
        self.ip(17, &[&head[..], payload].concat());
    }

    pub(super) fn tcp(&mut self, from: &str, to: &str, sequence: u32, payload: &[u8]) {
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        let head = [&from.port().to_be_bytes()[..], &to.port().to_be_bytes(), &sequence.to_be_bytes()].concat();
        self.ip(6, &[&head[..], &[0; 4], &[0x50, 0x10], &[0; 6], payload].concat());
    }

    pub(super) fn ip(&mut self, protocol: u8, segment: &[u8]) {
        let total = u16::try_from(segment.len() + 20).unwrap().to_be_bytes();
        let head = [&[0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0][..], &[127, 0, 0, 1, 127, 0, 0, 1]];
        let packet = [&head.concat()[..], segment].concat();
        self.seconds += 1;
        let length = u32::try_from(packet.len()).unwrap();
        for word in [self.seconds, 0, length, length] {
            self.file.extend(word.to_le_bytes());
        }
        self.file.extend(packet);
    }

    pub(super) fn capture(&self) -> &[u8] {
        &self.file
    }
}

pub(super) fn stun() -> Vec<u8> {
    [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat()
}

pub(super) fn record(content_type: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&[content_type, 0xfe, 0xfd][..], &[0; 8], &length, data].concat()
}

pub(super) fn client_hello(random: [u8; 32]) -> Vec<u8> {
    let body = [&[0xfe, 0xfd], &random[..], &[0; 10]].concat();
    record(22, &[&[1, 0, 0, 44][..], &[0, 0, 0, 0, 0, 0, 0, 44], &body].concat())
}
