//! The one suite and configuration of every call: pinned, never negotiated.

use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Lifetime, MlsGroupCreateConfig, MlsGroupJoinConfig,
    PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProtocolVersion, RequiredCapabilitiesExtension, SenderRatchetConfiguration,
    UnknownExtension,
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{OpenMlsProvider, types::Ciphersuite};

use super::{policy::Policy, storage::RamStorage};
use crate::error::GroupError;

/// Suite 0x004E: ML-KEM-768+X25519, AES-256-GCM, SHA-384, Ed25519. The code point is provisional:
/// a final one changes [`PROFILE_VERSION`](crate::PROFILE_VERSION).
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// Our policy in the GroupContext (private range of RFC 9420 §17.3).
pub(super) const POLICY_EXTENSION: u16 = 0xf051;
/// Filler in the GroupInfo of a Welcome.
pub(super) const PADDING_EXTENSION: u16 = 0xf052;

/// MLS messages are padded to multiples of this, in bytes.
///
/// Larger hides more of a message's length from the server and costs that much for each.
const MESSAGE_PADDING: usize = 256;
/// Welcomes are padded to multiples of this, in bytes: it hides the number of members.
pub(super) const WELCOME_PADDING: usize = 4096;

/// Messages of one sender that may be missing before a later one, and that may come late. The
/// log is ordered, so both only bridge what a lost race left out.
const RATCHET: (u32, u32) = (8, 1000);

/// OpenMLS' crypto with storage that wipes what it drops.
#[derive(Default)]
pub(crate) struct Provider {
    crypto: RustCrypto,
    storage: RamStorage,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = RamStorage;

    fn storage(&self) -> &RamStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}

/// What every leaf says it can do: exactly this profile.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[ExtensionType::Unknown(POLICY_EXTENSION)]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// No end: a leaf lives in memory for one call. Certificates and invitations carry the times that
/// count, and their checks take `now` from the caller; OpenMLS would ask the system's clock.
pub(crate) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// The extensions of every GroupContext: these two and no other.
pub(super) fn group_extensions(policy: &Policy) -> Vec<Extension> {
    let policy_type = ExtensionType::Unknown(POLICY_EXTENSION);
    vec![
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
            &[policy_type],
            &[],
            &[CredentialType::Basic],
        )),
        Extension::Unknown(POLICY_EXTENSION, UnknownExtension(policy.encode())),
    ]
}

pub(super) fn create_config(policy: &Policy) -> Result<MlsGroupCreateConfig, GroupError> {
    let extensions = group_extensions(policy).try_into().map_err(|_invalid| GroupError::Backend)?;
    Ok(MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(MESSAGE_PADDING)
        .max_past_epochs(0)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(ratchet())
        .capabilities(capabilities())
        .lifetime(lifetime())
        .with_group_context_extensions(extensions)
        .build())
}

pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(MESSAGE_PADDING)
        .max_past_epochs(0)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(ratchet())
        .build()
}

fn ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(RATCHET.0, RATCHET.1)
}
