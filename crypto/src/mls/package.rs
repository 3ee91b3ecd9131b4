//! Key packages (RFC 9420 §10): how ours are made, and what others' must be.

use openmls::prelude::{KeyPackage, KeyPackageIn, ProtocolVersion};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::{
    group::credential_with_key,
    profile::{Provider, SUITE, capabilities, lifetime},
};
use crate::{
    codec::read_tls,
    identity::{LeafCredential, SigningKey},
};

/// Longest key package that is read, in bytes: one of ours has some 4,000.
pub(crate) const MAX_PACKAGE: usize = 12 * 1024;

/// Makes one, its private keys in `provider`; gives its bytes and its reference.
pub(crate) fn make_package(
    provider: &Provider,
    leaf_key: &SigningKey,
    credential: &LeafCredential,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let bundle = KeyPackage::builder()
        .key_package_lifetime(lifetime())
        .leaf_node_capabilities(capabilities())
        .build(SUITE, provider, leaf_key, credential_with_key(credential, leaf_key))
        .ok()?;
    let package = bundle.key_package();
    let reference = package.hash_ref(provider.crypto()).ok()?;
    Some((package.tls_serialize_detached().ok()?, reference.as_slice().to_vec()))
}

/// A key package that verified and fits the profile.
pub(crate) struct ReadPackage {
    pub(crate) package: KeyPackage,
    pub(crate) reference: Vec<u8>,
    pub(crate) leaf_key: [u8; 32],
    pub(crate) credential: LeafCredential,
}

/// Parses and verifies one (RFC 9420 §10.1): signatures, our suite and capabilities, no
/// extension, a credential of ours. What the credential says is the caller's to check.
pub(crate) fn read_package(bytes: &[u8]) -> Option<ReadPackage> {
    if bytes.len() > MAX_PACKAGE {
        return None;
    }
    let provider = Provider::default();
    let package = read_tls::<KeyPackageIn>(bytes)?.validate(provider.crypto(), ProtocolVersion::Mls10).ok()?;
    let reference = package.hash_ref(provider.crypto()).ok()?.as_slice().to_vec();
    let leaf = package.leaf_node();
    let fits = package.ciphersuite() == SUITE
        && *leaf.capabilities() == capabilities()
        && leaf.extensions().iter().next().is_none()
        && package.extensions().iter().next().is_none();
    let leaf_key = leaf.signature_key().as_slice().try_into().ok()?;
    let credential = LeafCredential::decode(leaf.credential().serialized_content()).ok()?;
    fits.then_some(ReadPackage { package, reference, leaf_key, credential })
}
