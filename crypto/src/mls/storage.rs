//! OpenMLS' state in RAM: every value is wiped when it is overwritten, deleted or dropped.
//!
//! Nothing goes to disk. What OpenMLS itself copies while it works is its own affair; most of its
//! secret types wipe themselves too.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use openmls_traits::storage::{CURRENT_VERSION as V, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::{Zeroize, Zeroizing};

/// A failure to encode or decode what OpenMLS stores: a defect, never a peer's doing.
#[derive(Debug, thiserror::Error)]
#[error("a stored value could not be encoded or decoded")]
pub(crate) struct StorageError(#[from] serde_json::Error);

type Values = BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>;

/// One call's store. Keys of the map are public (group ids, hashes, public keys).
#[derive(Default)]
pub(crate) struct RamStorage(Mutex<Values>);

impl fmt::Debug for RamStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RamStorage({} values)", self.values().len())
    }
}

impl RamStorage {
    fn values(&self) -> MutexGuard<'_, Values> {
        // A panic while the lock was held cannot leave a value half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, label: &str, key: &impl Serialize, value: &impl Serialize) -> Done {
        let mut wiping = WipingBuffer::default();
        serde_json::to_writer(&mut wiping, value)?;
        self.values().insert(name(label, key)?, wiping.0);
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, label: &str, key: &impl Serialize) -> Result<Option<T>, StorageError> {
        match self.values().get(&name(label, key)?) {
            Some(bytes) => Ok(Some(serde_json::from_slice(bytes)?)),
            None => Ok(None),
        }
    }

    fn delete(&self, label: &str, key: &impl Serialize) -> Done {
        self.values().remove(&name(label, key)?);
        Ok(())
    }

    /// Lists are few and short: leaf nodes and proposals are never queued in our groups.
    fn push(&self, label: &str, key: &impl Serialize, value: &impl Serialize) -> Done {
        let mut list: Vec<serde_json::Value> = self.get(label, key)?.unwrap_or_default();
        list.push(serde_json::to_value(value)?);
        self.put(label, key, &list)
    }

    fn list<T: DeserializeOwned>(&self, label: &str, key: &impl Serialize) -> Result<Vec<T>, StorageError> {
        Ok(self.get(label, key)?.unwrap_or_default())
    }
}

type Done = Result<(), StorageError>;

fn name(label: &str, key: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    let mut name = label.as_bytes().to_vec();
    name.push(0);
    serde_json::to_writer(&mut name, key)?;
    Ok(name)
}

/// Grows like a vector, but wipes the memory that it leaves.
#[derive(Default)]
struct WipingBuffer(Zeroizing<Vec<u8>>);

impl io::Write for WipingBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let wanted = (self.0.len() + bytes.len()).next_power_of_two().max(1024);
            let mut larger = Vec::with_capacity(wanted);
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            *self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

macro_rules! by_group {
    ($($label:literal $value:ident: $write:ident, $read:ident, $delete:ident;)*) => {
        $(
            fn $write<K: traits::GroupId<V>, T: traits::$value<V>>(&self, key: &K, value: &T) -> Done {
                self.put($label, key, value)
            }

            fn $read<K: traits::GroupId<V>, T: traits::$value<V>>(
                &self,
                key: &K,
            ) -> Result<Option<T>, StorageError> {
                self.get($label, key)
            }

            fn $delete<K: traits::GroupId<V>>(&self, key: &K) -> Done {
                self.delete($label, key)
            }
        )*
    };
}

impl StorageProvider<V> for RamStorage {
    type Error = StorageError;

    by_group! {
        "config" MlsGroupJoinConfig: write_mls_join_config, mls_group_join_config, delete_group_config;
        "tree" TreeSync: write_tree, tree, delete_tree;
        "interim" InterimTranscriptHash: write_interim_transcript_hash, interim_transcript_hash, delete_interim_transcript_hash;
        "context" GroupContext: write_context, group_context, delete_context;
        "tag" ConfirmationTag: write_confirmation_tag, confirmation_tag, delete_confirmation_tag;
        "messages" MessageSecrets: write_message_secrets, message_secrets, delete_message_secrets;
        "resumption" ResumptionPskStore: write_resumption_psk_store, resumption_psk_store, delete_all_resumption_psk_secrets;
        "leaf" LeafNodeIndex: write_own_leaf_index, own_leaf_index, delete_own_leaf_index;
        "epoch" GroupEpochSecrets: write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets;
    }

    fn write_group_state<T: traits::GroupState<V>, K: traits::GroupId<V>>(&self, key: &K, value: &T) -> Done {
        self.put("state", key, value)
    }

    fn group_state<T: traits::GroupState<V>, K: traits::GroupId<V>>(&self, key: &K) -> Result<Option<T>, StorageError> {
        self.get("state", key)
    }

    fn delete_group_state<K: traits::GroupId<V>>(&self, key: &K) -> Done {
        self.delete("state", key)
    }

    fn write_application_export_tree<K: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        key: &K,
        value: &T,
    ) -> Done {
        self.put("export", key, value)
    }

    fn application_export_tree<K: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get("export", key)
    }

    fn delete_application_export_tree<K: traits::GroupId<V>, T: traits::ApplicationExportTree<V>>(
        &self,
        key: &K,
    ) -> Done {
        self.delete("export", key)
    }

    fn append_own_leaf_node<K: traits::GroupId<V>, T: traits::LeafNode<V>>(&self, key: &K, value: &T) -> Done {
        self.push("own leaves", key, value)
    }

    fn own_leaf_nodes<K: traits::GroupId<V>, T: traits::LeafNode<V>>(&self, key: &K) -> Result<Vec<T>, StorageError> {
        self.list("own leaves", key)
    }

    fn delete_own_leaf_nodes<K: traits::GroupId<V>>(&self, key: &K) -> Done {
        self.delete("own leaves", key)
    }

    fn queue_proposal<K: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        key: &K,
        reference: &R,
        value: &T,
    ) -> Done {
        self.push("proposals", key, &(reference, value))
    }

    fn queued_proposal_refs<K: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        key: &K,
    ) -> Result<Vec<R>, StorageError> {
        let queued: Vec<(R, serde_json::Value)> = self.list("proposals", key)?;
        Ok(queued.into_iter().map(|(reference, _)| reference).collect())
    }

    fn queued_proposals<K: traits::GroupId<V>, R: traits::ProposalRef<V>, T: traits::QueuedProposal<V>>(
        &self,
        key: &K,
    ) -> Result<Vec<(R, T)>, StorageError> {
        self.list("proposals", key)
    }

    fn remove_proposal<K: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, key: &K, reference: &R) -> Done {
        let reference = serde_json::to_value(reference)?;
        let mut queued: Vec<(serde_json::Value, serde_json::Value)> = self.list("proposals", key)?;
        queued.retain(|(queued, _)| *queued != reference);
        self.put("proposals", key, &queued)
    }

    fn clear_proposal_queue<K: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, key: &K) -> Done {
        self.delete("proposals", key)
    }

    fn write_signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
        value: &T,
    ) -> Done {
        self.put("signature", key, value)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get("signature", key)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, key: &K) -> Done {
        self.delete("signature", key)
    }

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        value: &T,
    ) -> Done {
        self.put("encryption", key, value)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get("encryption", key)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, key: &K) -> Done {
        self.delete("encryption", key)
    }

    fn write_encryption_epoch_key_pairs<K: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        epoch: &E,
        leaf: u32,
        values: &[T],
    ) -> Done {
        self.put("epoch keys", &(key, epoch, leaf), &values)
    }

    fn encryption_epoch_key_pairs<K: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<T>, StorageError> {
        self.list("epoch keys", &(key, epoch, leaf))
    }

    fn delete_encryption_epoch_key_pairs<K: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        key: &K,
        epoch: &E,
        leaf: u32,
    ) -> Done {
        self.delete("epoch keys", &(key, epoch, leaf))
    }

    fn write_key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(&self, key: &K, value: &T) -> Done {
        self.put("key package", key, value)
    }

    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get("key package", key)
    }

    fn delete_key_package<K: traits::HashReference<V>>(&self, key: &K) -> Done {
        self.delete("key package", key)
    }

    fn write_psk<K: traits::PskId<V>, T: traits::PskBundle<V>>(&self, key: &K, value: &T) -> Done {
        self.put("psk", key, value)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(&self, key: &K) -> Result<Option<T>, StorageError> {
        self.get("psk", key)
    }

    fn delete_psk<K: traits::PskId<V>>(&self, key: &K) -> Done {
        self.delete("psk", key)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_growing_buffer_keeps_its_content() {
        let mut buffer = WipingBuffer::default();
        for round in 0..100_u8 {
            buffer.write_all(&[round; 77]).unwrap();
        }
        assert_eq!(buffer.0.len(), 7700);
        assert!((0..100).all(|round| buffer.0[round * 77 + 76] == round as u8));
    }

    #[test]
    fn a_value_is_gone_after_its_deletion() {
        let storage = RamStorage::default();
        storage.put("x", &1_u8, &vec![1_u8, 2]).unwrap();
        assert_eq!(storage.get::<Vec<u8>>("x", &1_u8).unwrap(), Some(vec![1, 2]));
        assert_eq!(storage.get::<Vec<u8>>("y", &1_u8).unwrap(), None);
        storage.delete("x", &1_u8).unwrap();
        assert_eq!(storage.get::<Vec<u8>>("x", &1_u8).unwrap(), None);
        assert_eq!(format!("{storage:?}"), "RamStorage(0 values)");
    }
}
