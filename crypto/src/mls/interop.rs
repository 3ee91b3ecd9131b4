//! Another MLS stack as a member: mls-rs in suite 0x0001 (RFC 9420 §17.1), which exists here and
//! nowhere else.
//!
//! The pinned profile has a provisional suite that no other stack speaks, so this is OpenMLS with
//! our storage, signing keys, credentials, extensions, wire format and padding, in the suite that
//! both stacks know. What is pinned to 0x004E stays so: `Policy::of_group` refuses this very
//! group.

use mls_rs::{
    CipherSuite, CipherSuiteProvider as _, Client, CryptoProvider as _, ExtensionList, Group, MlsMessage,
    client_builder::{MlsConfig, PaddingMode},
    group::ReceivedMessage,
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
    psk::{ExternalPskId, PreSharedKey},
    storage_provider::in_memory::InMemoryPreSharedKeyStorage,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use openmls::{
    group::{GroupId as MlsGroupId, MlsGroup, StagedWelcome},
    prelude::{
        Capabilities, Ciphersuite, CredentialType, Extension, ExtensionType, KeyPackage, KeyPackageIn,
        MlsMessageBodyIn, MlsMessageBodyOut, MlsMessageIn, MlsMessageOut, OpenMlsProvider as _,
        PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, PreSharedKeyProposal, ProcessedMessageContent, Proposal, ProtocolVersion,
        UnknownExtension,
    },
    schedule::{ExternalPsk, PreSharedKeyId, Psk},
};

use super::{
    group::credential_with_key,
    policy::Policy,
    profile::{PADDING_EXTENSION, POLICY_EXTENSION, Provider, group_extensions, join_config, lifetime},
};
use crate::{
    CallId, CallMode, CallRole, GroupId, InviteId,
    codec::read_tls,
    error::PolicyViolation,
    identity::{LeafCredential, SigningKey},
    secret::Secret,
    testing::Clinic,
};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
const GROUP: [u8; 16] = [5; 16];
const LABEL: &str = "SFrame 1.0 Base Key";

/// A member that runs OpenMLS over our provider.
struct Ours {
    provider: Provider,
    leaf_key: SigningKey,
    group: MlsGroup,
}

fn capabilities() -> Capabilities {
    let extensions = [ExtensionType::Unknown(POLICY_EXTENSION)];
    let credentials = [CredentialType::Basic];
    Capabilities::new(Some(&[ProtocolVersion::Mls10]), Some(&[SUITE]), Some(&extensions), Some(&[]), Some(&credentials))
}

fn invited(byte: u8, leaf_key: &[u8; 32]) -> LeafCredential {
    let (binder_key, id) = (Secret::from_slice(&[byte; 32]).unwrap(), InviteId::from_bytes([byte; 16]));
    LeafCredential::invited(&binder_key, id, 1, CallRole::Patient, leaf_key, GroupId::from_bytes(GROUP))
}

fn policy(clinic: &Clinic) -> Policy {
    Policy {
        call_id: CallId::from_bytes([9; 16]),
        practice: clinic.practice.fingerprint(),
        mode: CallMode::Real,
        hosts: vec![clinic.device.public()],
        deputies: vec![],
    }
}

impl Ours {
    /// The host alone, in a group with our policy in its context.
    fn host(clinic: &Clinic) -> Self {
        let (provider, leaf_key) = (Provider::default(), SigningKey::generate().unwrap());
        let (role, id) = (CallRole::Host, GroupId::from_bytes(GROUP));
        let credential =
            LeafCredential::staff(&clinic.device, &clinic.certificate, role, leaf_key.public(), id).unwrap();
        let config = openmls::prelude::MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .padding_size(256)
            .max_past_epochs(0)
            .use_ratchet_tree_extension(true)
            .capabilities(capabilities())
            .lifetime(lifetime())
            .with_group_context_extensions(group_extensions(&policy(clinic)).try_into().unwrap())
            .build();
        let credential = credential_with_key(&credential, &leaf_key);
        let group_id = MlsGroupId::from_slice(&GROUP);
        let group = MlsGroup::new_with_group_id(&provider, &leaf_key, &config, group_id, credential).unwrap();
        Self { provider, leaf_key, group }
    }

    /// Makes a key package, has it added, and joins by the Welcome.
    fn join(psk: (&[u8], &[u8]), add: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        let (provider, leaf_key) = (Provider::default(), SigningKey::generate().unwrap());
        let credential = credential_with_key(&invited(3, leaf_key.public()), &leaf_key);
        let package = KeyPackage::builder()
            .key_package_lifetime(openmls::prelude::Lifetime::new(3600))
            .leaf_node_capabilities(capabilities())
            .build(SUITE, &provider, &leaf_key, credential)
            .unwrap();
        let package = MlsMessageOut::from(package.key_package().clone()).to_bytes().unwrap();
        store(&provider, psk.0, psk.1);
        let message: MlsMessageIn = read_tls(&add(package)).unwrap();
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("a Welcome") };
        let staged = StagedWelcome::new_from_welcome(&provider, &join_config(), welcome, None).unwrap();
        // No shipped client would come this far.
        assert_eq!(Policy::of_group(staged.group_context()), Err(PolicyViolation::PolicyChanged));
        let group = staged.into_group(&provider).unwrap();
        Self { provider, leaf_key, group }
    }

    /// Commits an Add with an external pre-shared key, as an admission does; commit and Welcome.
    fn admit(&mut self, package: &[u8], psk: (&[u8], &[u8])) -> (Vec<u8>, Vec<u8>) {
        let message: MlsMessageIn = read_tls(package).unwrap();
        let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("a key package") };
        let package = KeyPackageIn::validate(package, self.provider.crypto(), ProtocolVersion::Mls10).unwrap();
        let id = store(&self.provider, psk.0, psk.1);
        let padding = Extension::Unknown(PADDING_EXTENSION, UnknownExtension(vec![0; 700]));
        let bundle = self
            .group
            .commit_builder()
            .propose_adds([package])
            .add_proposal(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id))))
            .load_psks(self.provider.storage())
            .unwrap()
            .use_ratchet_tree_extension(true)
            .create_group_info_with_extensions([padding])
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.leaf_key, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let welcome = bundle.to_welcome_msg().unwrap().to_bytes().unwrap();
        let commit = bundle.commit().to_bytes().unwrap();
        self.group.merge_pending_commit(&self.provider).unwrap();
        (commit, welcome)
    }

    /// Commits a path update.
    fn update(&mut self) -> Vec<u8> {
        let bundle = self
            .group
            .commit_builder()
            .force_self_update(true)
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.leaf_key, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let commit = bundle.commit().clone();
        assert!(matches!(commit.body(), MlsMessageBodyOut::PrivateMessage(_)));
        self.group.merge_pending_commit(&self.provider).unwrap();
        commit.to_bytes().unwrap()
    }

    fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        self.group.create_message(&self.provider, &self.leaf_key, data).unwrap().to_bytes().unwrap()
    }

    /// Takes a PrivateMessage: merges a commit, or gives what an application message says.
    fn handle(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let message: MlsMessageIn = read_tls(bytes).unwrap();
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else { panic!("a PrivateMessage") };
        match self.group.process_message(&self.provider, message).unwrap().into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Some(message.into_bytes()),
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                self.group.merge_staged_commit(&self.provider, *staged).unwrap();
                None
            }
            other => panic!("a commit or an application message, not {other:?}"),
        }
    }

    /// Epoch, authenticator and media base key.
    fn secrets(&self) -> (u64, Vec<u8>, Vec<u8>) {
        let base_key = self.group.export_secret(self.provider.crypto(), LABEL, &[], 32).unwrap();
        (self.group.epoch().as_u64(), self.group.epoch_authenticator().as_slice().to_vec(), base_key)
    }
}

/// The id of an external pre-shared key, and the key where OpenMLS looks for it.
fn store(provider: &Provider, id: &[u8], psk: &[u8]) -> PreSharedKeyId {
    let external = Psk::External(ExternalPsk::new(id.to_vec()));
    let id = PreSharedKeyId::new(SUITE, provider.rand(), external).unwrap();
    id.store(provider, psk).unwrap();
    id
}

/// A client of mls-rs with handshakes as PrivateMessages, and its pre-shared keys.
fn theirs() -> (Client<impl MlsConfig + use<>>, InMemoryPreSharedKeyStorage) {
    let (suite, crypto) = (CipherSuite::CURVE25519_AES128, RustCryptoProvider::new());
    let (secret, public) = crypto.cipher_suite_provider(suite).unwrap().signature_key_generate().unwrap();
    let leaf_key: [u8; 32] = public.as_bytes().try_into().unwrap();
    let credential = BasicCredential::new(invited(2, &leaf_key).encode()).into_credential();
    let rules = DefaultMlsRules::new()
        .with_commit_options(CommitOptions::new().with_ratchet_tree_extension(true))
        .with_encryption_options(EncryptionOptions::new(true, PaddingMode::StepFunction));
    let keys = InMemoryPreSharedKeyStorage::default();
    let client = Client::builder()
        .identity_provider(BasicIdentityProvider)
        .crypto_provider(crypto)
        .psk_store(keys.clone())
        .mls_rules(rules)
        .extension_type(POLICY_EXTENSION.into())
        .signing_identity(SigningIdentity::new(credential, public), secret, suite)
        .build();
    (client, keys)
}

fn their_secrets<C: MlsConfig>(group: &Group<C>) -> (u64, Vec<u8>, Vec<u8>) {
    let base_key = group.export_secret(LABEL.as_bytes(), &[], 32).unwrap().as_bytes().to_vec();
    (group.current_epoch(), group.epoch_authenticator().unwrap().as_bytes().to_vec(), base_key)
}

fn message(bytes: &[u8]) -> MlsMessage {
    MlsMessage::from_bytes(bytes).unwrap()
}

fn application(received: &ReceivedMessage) -> &[u8] {
    let ReceivedMessage::ApplicationMessage(message) = received else { panic!("an application message") };
    message.data()
}

/// The host and mls-rs in epoch 1, after an admission with a pre-shared key.
fn pair() -> (Ours, Group<impl MlsConfig + use<>>, InMemoryPreSharedKeyStorage) {
    let mut host = Ours::host(&Clinic::new());
    let (client, mut keys) = theirs();
    let package = client.generate_key_package_message(ExtensionList::new(), ExtensionList::new(), None).unwrap();
    let (_, welcome) = host.admit(&package.to_bytes().unwrap(), FIRST);
    let locked = client.join_group(None, &message(&welcome), None);
    assert!(locked.is_err(), "the Welcome opens without the pre-shared key");
    keys.insert(ExternalPskId::new(FIRST.0.to_vec()), PreSharedKey::new(FIRST.1.to_vec()));
    let (group, _) = client.join_group(None, &message(&welcome), None).unwrap();
    (host, group, keys)
}

/// Identity and content of pre-shared keys.
const FIRST: (&[u8], &[u8]) = (b"inv/first/1", &[0x51; 32]);
const SECOND: (&[u8], &[u8]) = (b"inv/second/1", &[0x52; 32]);

#[test]
fn mls_rs_joins_by_our_welcome_and_psk_and_sees_our_policy() {
    let (host, group, _) = pair();
    assert_eq!(their_secrets(&group), host.secrets());
    let seen = group.context().extensions().get(POLICY_EXTENSION.into()).unwrap();
    let ours = host.group.extensions().unknown(POLICY_EXTENSION).unwrap();
    assert_eq!(seen.extension_data, ours.0);
    assert!(Policy::decode(&seen.extension_data).is_some());
}

#[test]
fn messages_and_commits_of_both_stacks_are_read_by_the_other() {
    let (mut host, mut group, _) = pair();
    let sealed = host.seal(b"from OpenMLS");
    let opened = group.process_incoming_message(message(&sealed)).unwrap();
    assert_eq!(application(&opened), b"from OpenMLS");
    let sealed = group.encrypt_application_message(b"from mls-rs", vec![]).unwrap().to_bytes().unwrap();
    assert_eq!(host.handle(&sealed).as_deref(), Some(&b"from mls-rs"[..]));

    let committed = group.commit(vec![]).unwrap().commit_message().to_bytes().unwrap();
    group.apply_pending_commit().unwrap();
    assert_eq!(host.handle(&committed), None);
    assert_eq!(their_secrets(&group), host.secrets());
    let committed = host.update();
    group.process_incoming_message(message(&committed)).unwrap();
    assert_eq!(their_secrets(&group), host.secrets());
    assert_eq!(group.current_epoch(), 3);
}

#[test]
fn we_join_by_their_welcome_and_all_three_agree() {
    let (mut host, mut group, mut keys) = pair();
    keys.insert(ExternalPskId::new(SECOND.0.to_vec()), PreSharedKey::new(SECOND.1.to_vec()));
    store(&host.provider, SECOND.0, SECOND.1);
    let mut third = Ours::join(SECOND, |package| {
        let builder = group.commit_builder().add_member(message(&package)).unwrap();
        let builder = builder.add_external_psk(ExternalPskId::new(SECOND.0.to_vec())).unwrap();
        let output = builder.build().unwrap();
        group.apply_pending_commit().unwrap();
        host.handle(&output.commit_message().to_bytes().unwrap());
        output.welcome_messages()[0].to_bytes().unwrap()
    });
    assert_eq!(third.secrets(), host.secrets());
    assert_eq!(third.secrets(), their_secrets(&group));

    let committed = third.update();
    group.process_incoming_message(message(&committed)).unwrap();
    host.handle(&committed);
    assert_eq!(third.secrets(), host.secrets());
    assert_eq!(third.secrets(), their_secrets(&group));
    let sealed = third.seal(b"to both");
    assert_eq!(host.handle(&sealed).as_deref(), Some(&b"to both"[..]));
    assert_eq!(application(&group.process_incoming_message(message(&sealed)).unwrap()), b"to both");
}
