//! The file that an assessor gets after a call that was made for it (E2EE 9.9): every key of it, and what the members
//! committed to while it ran. Text that explains itself, since others read it with tools of their own.
//!
//! ```text
//! { format, version, secret, sframe: {cipher_suite, key_id},
//!   groups: [{ call_id, group_id, own_leaf, keys: [{epoch, sender, context, key_id, key, salt}],
//!              commitments: [{epoch, sender, commitment}] }],
//!   srtp: [{ peer, profile, client_random, client_key, client_salt, server_key, server_salt }] }
//! ```
//!
//! Ids are hex, all other bytes base64.

use std::io::ErrorKind;
use std::path::Path;

use crypto::{KeyDisclosure, LeafIndex, MediaContext};
use media::transport::{SrtpKeys, SrtpProfile};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Private;
use crate::keystore::{KeystoreError, write_durably};
use crate::settings::encode as base64;

/// Version of the format.
const VERSION: u32 = 1;

/// What one group of an assessor call leaves: after a crash of the host a call has more than one.
#[derive(Debug)]
pub struct GroupDisclosure {
    /// Keys of every epoch.
    pub keys: KeyDisclosure,
    /// Leaf of this client.
    pub own_leaf: LeafIndex,
    /// What the others' signed heartbeats said.
    pub commitments: Vec<HeardCommitment>,
}

/// What a member committed to by a signed heartbeat, while nobody knew its keys but the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardCommitment {
    /// MLS epoch.
    pub epoch: u64,
    /// Whose keys.
    pub sender: LeafIndex,
    /// SHA-384, see [`crypto::Heartbeat`].
    pub commitment: [u8; 48],
}

/// Looks at the start whether the file can be written at the end.
///
/// # Errors
/// A sentence for the person.
pub fn check_target(path: &Path) -> Result<(), &'static str> {
    match std::fs::symlink_metadata(path) {
        Ok(_there) => return Err("the file for the keys exists already; name another one"),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(_unreadable) => return Err("the folder for the keys cannot be read"),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if folder.is_dir() { Ok(()) } else { Err("the folder for the keys does not exist") }
}

/// Writes the file, readable by its owner only.
///
/// # Errors
/// Those of the disk.
pub fn write(path: &Path, text: &[u8]) -> Result<(), KeystoreError> {
    write_durably(path, text)
}

/// The file's text: the groups of one call, and the associations of its transport.
///
/// # Errors
/// [`KeystoreError::Io`], when it cannot be written as JSON.
pub fn encode(groups: &[GroupDisclosure], srtp: &[SrtpKeys]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let file = File {
        format: "quietroom-disclosure",
        version: VERSION,
        secret: "Whoever holds this file and a recording of the call sees and hears it.",
        sframe: Sframe {
            cipher_suite: "AES_256_GCM_SHA512_128 (0x0005, RFC 9605)",
            key_id: "context << 8 | sender << 4 | epoch modulo 16; context 0 audio, 1 video, 2 screen, 3 data",
        },
        groups: groups.iter().map(Group::from).collect(),
        srtp: srtp.iter().map(Srtp::from).collect(),
    };
    let text = serde_json::to_vec_pretty(&file).map_err(|error| KeystoreError::Io(error.into()))?;
    Ok(Zeroizing::new(text))
}

#[derive(Serialize)]
struct File {
    format: &'static str,
    version: u32,
    secret: &'static str,
    sframe: Sframe,
    groups: Vec<Group>,
    srtp: Vec<Srtp>,
}

#[derive(Serialize)]
struct Sframe {
    cipher_suite: &'static str,
    key_id: &'static str,
}

#[derive(Serialize)]
struct Group {
    call_id: String,
    group_id: String,
    own_leaf: u8,
    keys: Vec<Key>,
    commitments: Vec<Commitment>,
}

#[derive(Serialize)]
struct Key {
    epoch: u64,
    sender: u8,
    context: &'static str,
    key_id: u64,
    key: Private,
    salt: String,
}

#[derive(Serialize)]
struct Commitment {
    epoch: u64,
    sender: u8,
    commitment: String,
}

#[derive(Serialize)]
struct Srtp {
    peer: u32,
    profile: &'static str,
    client_random: String,
    client_key: Private,
    client_salt: String,
    server_key: Private,
    server_salt: String,
}

impl From<&SrtpKeys> for Srtp {
    fn from(keys: &SrtpKeys) -> Self {
        Self {
            peer: keys.peer().0,
            profile: match keys.profile() {
                SrtpProfile::AeadAes128Gcm => "AEAD_AES_128_GCM",
                SrtpProfile::AeadAes256Gcm => "AEAD_AES_256_GCM",
            },
            client_random: base64(keys.client_random()),
            client_key: base64(keys.client_key()).into(),
            client_salt: base64(keys.client_salt()),
            server_key: base64(keys.server_key()).into(),
            server_salt: base64(keys.server_salt()),
        }
    }
}

impl From<&GroupDisclosure> for Group {
    fn from(group: &GroupDisclosure) -> Self {
        let key = |key: &crypto::DisclosedKey| Key {
            epoch: key.epoch(),
            sender: key.sender().as_u8(),
            context: match key.context() {
                MediaContext::Audio => "audio",
                MediaContext::Video => "video",
                MediaContext::Screen => "screen",
                MediaContext::Data => "data",
            },
            key_id: key.key_id(),
            key: base64(key.key().expose()).into(),
            salt: base64(key.salt()),
        };
        let commitment = |heard: &HeardCommitment| Commitment {
            epoch: heard.epoch,
            sender: heard.sender.as_u8(),
            commitment: base64(&heard.commitment),
        };
        Self {
            call_id: hex(group.keys.call_id().as_bytes()),
            group_id: hex(group.keys.group_id().as_bytes()),
            own_leaf: group.own_leaf.as_u8(),
            keys: group.keys.keys().iter().map(key).collect(),
            commitments: group.commitments.iter().map(commitment).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_new_its_folder_is_there_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        check_target(&path).unwrap();
        write(&path, &encode(&[], &[]).unwrap()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(check_target(&path).unwrap_err().contains("exists already"));
        assert!(check_target(&folder.path().join("none/keys.json")).unwrap_err().contains("does not exist"));
        let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((&read["format"], &read["version"]), (&"quietroom-disclosure".into(), &1.into()));
    }
}
