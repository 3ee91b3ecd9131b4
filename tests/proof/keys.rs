//! The key files that the clients wrote after an assessor call, read and held against each other.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA384};
use serde_json::Value;

use super::srtp::Profile;

/// Keys of one call, 8 hours with 16 members: more is not one of our files.
const MAX_KEYS: usize = 1 << 18;

/// Which stream a key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Sound.
    Audio,
    /// Picture.
    Video,
    /// Shared window.
    Screen,
    /// Data.
    Data,
}

impl Stream {
    const ALL: [(Self, &str); 4] =
        [(Self::Audio, "audio"), (Self::Video, "video"), (Self::Screen, "screen"), (Self::Data, "data")];
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(stream, _)| stream == self).map_or("", |(_, name)| name))
    }
}

/// The place of a key: which group, which epoch, whose, for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// MLS group id, hex.
    pub group: String,
    /// MLS epoch.
    pub epoch: u64,
    /// Leaf index of the sender.
    pub sender: u8,
    /// The stream.
    pub stream: Stream,
}

impl Place {
    /// The SFrame key id that belongs here, by the file's description: context, sender, epoch modulo 16.
    #[must_use]
    pub fn key_id(&self) -> u64 {
        (self.stream as u64) << 8 | u64::from(self.sender) << 4 | self.epoch & 0x0f
    }
}

/// `sframe_key` and `sframe_salt` (RFC 9605 section 4.4.2).
#[derive(Clone, PartialEq, Eq)]
pub struct RawKey {
    pub(super) key: [u8; 32],
    pub(super) salt: [u8; 12],
}

/// The keys of one association.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Cipher.
    pub profile: Profile,
    /// Key and salt of what the DTLS client sends.
    pub client: (Vec<u8>, Vec<u8>),
    /// Key and salt of what the DTLS server sends.
    pub server: (Vec<u8>, Vec<u8>),
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawKey")
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKeys")
    }
}

/// What the files of one call say together.
#[derive(Debug, Default)]
pub struct KeyFiles {
    /// Every key by its place.
    pub keys: BTreeMap<Place, RawKey>,
    /// Associations by the random value of their ClientHello.
    pub associations: BTreeMap<[u8; 32], SrtpKeys>,
    /// What members committed to during the call, as others heard it: group, epoch, sender, SHA-384.
    pub commitments: Vec<(String, u64, u8, [u8; 48])>,
    /// Where the files contradict each other, or a key does not fit its commitment.
    pub contradictions: Vec<String>,
}

impl KeyFiles {
    /// Takes one file more.
    ///
    /// # Errors
    /// A sentence, when it is none of ours.
    pub fn add(&mut self, text: &[u8]) -> Result<(), &'static str> {
        let file: Value = serde_json::from_slice(text).map_err(|_json| "not JSON")?;
        if file["format"] != "quietroom-disclosure" || file["version"] != 1 {
            return Err("not a key file of version 1");
        }
        if file["sframe"]["cipher_suite"].as_str().is_none_or(|suite| !suite.starts_with("AES_256_GCM_SHA512_128 ")) {
            return Err("another SFrame cipher suite");
        }
        self.add_groups(&file).ok_or("a key is missing a part")?;
        self.add_associations(&file).ok_or("an association is missing a part")
    }

    fn add_groups(&mut self, file: &Value) -> Option<()> {
        for group in file["groups"].as_array()? {
            let id = group["group_id"].as_str()?;
            for key in group["keys"].as_array()? {
                let (_, stream) =
                    Stream::ALL.iter().map(|(s, name)| (name, *s)).find(|(n, _)| key["context"] == **n)?;
                let place = Place {
                    group: id.to_owned(),
                    epoch: key["epoch"].as_u64()?,
                    sender: u8::try_from(key["sender"].as_u64()?).ok().filter(|sender| *sender < 16)?,
                    stream,
                };
                let raw = RawKey { key: array(&key["key"])?, salt: array(&key["salt"])? };
                if key["key_id"].as_u64() != Some(place.key_id()) || self.keys.len() >= MAX_KEYS {
                    return None;
                }
                let known = self.keys.entry(place.clone()).or_insert_with(|| raw.clone());
                if *known != raw {
                    let Place { epoch, sender, stream, .. } = place;
                    self.contradictions
                        .push(format!("two files hold different {stream} keys of sender {sender} in epoch {epoch}"));
                }
            }
            for heard in group["commitments"].as_array()? {
                let sender = u8::try_from(heard["sender"].as_u64()?).ok()?;
                self.commitments.push((id.to_owned(), heard["epoch"].as_u64()?, sender, array(&heard["commitment"])?));
            }
        }
        Some(())
    }

    fn add_associations(&mut self, file: &Value) -> Option<()> {
        for keys in file["srtp"].as_array()? {
            let profile = match keys["profile"].as_str()? {
                "AEAD_AES_128_GCM" => Profile::AeadAes128Gcm,
                "AEAD_AES_256_GCM" => Profile::AeadAes256Gcm,
                _ => return None,
            };
            let read = SrtpKeys {
                profile,
                client: (bytes(&keys["client_key"])?, bytes(&keys["client_salt"])?),
                server: (bytes(&keys["server_key"])?, bytes(&keys["server_salt"])?),
            };
            let known = self.associations.entry(array(&keys["client_random"])?).or_insert_with(|| read.clone());
            if *known != read {
                self.contradictions.push("two files hold different keys of one association".to_owned());
            }
        }
        Some(())
    }

    /// Holds every commitment that was heard against the keys. Gives how many hold; the others become contradictions.
    pub fn check_commitments(&mut self) -> usize {
        self.commitments.sort();
        self.commitments.dedup();
        let mut hold = 0;
        for (group, epoch, sender, commitment) in &self.commitments {
            if self.commitment(group, *epoch, *sender) == Some(*commitment) {
                hold += 1;
            } else {
                self.contradictions
                    .push(format!("sender {sender} committed to other keys in epoch {epoch} than the files hold"));
            }
        }
        hold
    }

    /// SHA-384 over "Quietroom 1 commit", a zero, and for each stream key id, key and salt, each behind its length.
    #[must_use]
    pub fn commitment(&self, group: &str, epoch: u64, sender: u8) -> Option<[u8; 48]> {
        let mut hash = Context::new(&SHA384);
        hash.update(b"Quietroom 1 commit\0");
        for (stream, _) in Stream::ALL {
            let place = Place { group: group.to_owned(), epoch, sender, stream };
            let raw = self.keys.get(&place)?;
            for part in [&place.key_id().to_be_bytes()[..], &raw.key, &raw.salt] {
                hash.update(&u32::try_from(part.len()).ok()?.to_be_bytes());
                hash.update(part);
            }
        }
        hash.finish().as_ref().try_into().ok()
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

fn array<const N: usize>(value: &Value) -> Option<[u8; N]> {
    bytes(value)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Call, GROUP};
    use super::*;

    #[test]
    fn two_files_of_one_call_agree_and_their_commitments_hold() {
        let call = Call::new();
        let mut files = KeyFiles::default();
        files.add(&call.file(0)).unwrap();
        files.add(&call.file(1)).unwrap();
        assert_eq!((files.keys.len(), files.associations.len()), (16, 1));
        assert_eq!(files.check_commitments(), 4);
        assert!(files.contradictions.is_empty());
    }

    #[test]
    fn a_key_that_was_swapped_after_the_call_breaks_its_commitment() {
        let call = Call::new();
        let mut files = KeyFiles::default();
        files.add(&call.file(0)).unwrap();
        let place = Place { group: GROUP.to_owned(), epoch: 1, sender: 1, stream: Stream::Video };
        files.keys.get_mut(&place).unwrap().key[0] ^= 1;
        files.check_commitments();
        assert!(files.contradictions.iter().any(|said| said.contains("sender 1 committed to other keys in epoch 1")));
    }

    #[test]
    fn files_that_contradict_each_other_are_told() {
        let call = Call::new();
        let mut other = call.clone();
        other.secret ^= 1;
        let mut files = KeyFiles::default();
        files.add(&call.file(0)).unwrap();
        files.add(&other.file(1)).unwrap();
        assert!(!files.contradictions.is_empty());
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let refused = |text: &str| KeyFiles::default().add(text.as_bytes()).unwrap_err();
        assert_eq!(refused("keys"), "not JSON");
        assert_eq!(refused("{}"), "not a key file of version 1");
        let whole = String::from_utf8(Call::new().file(0)).unwrap();
        assert_eq!(refused(&whole.replace("AES_256_GCM_SHA512_128", "AES_128_CTR")), "another SFrame cipher suite");
        assert_eq!(refused(&whole.replace("\"key_id\":273", "\"key_id\":274")), "a key is missing a part");
        assert_eq!(refused(&whole.replace("client_salt", "salt")), "an association is missing a part");
    }
}
