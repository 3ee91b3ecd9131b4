//! Our own frozen answers, and noise for every parser.
//!
//! The answers were computed by another program (`data/frozen-vectors.py`: Python's standard
//! library, its own Ed25519 and HKDF) from the layouts that the modules document; it prints
//! `data/frozen-vectors.json`. Those of the invitation, the policy, the key ids and the safety words
//! are checked beside their modules.
//! A frozen answer that changes means that two versions of this program cannot talk to each
//! other: raise [`PROFILE_VERSION`](crate::PROFILE_VERSION), do not edit the answer.

use proptest::prelude::*;

use crate::{
    CallGroup, CallRole, CertificateTerms, DeviceCertificate, DeviceKey, DeviceRequest, GroupId, GuestInvitation,
    InviteId, KeyRing, LeafIndex, LogEntry, MediaContext, OwnedInvitation, PracticeKey, SafetyCheck, StaffRole,
    identity::LeafCredential,
    kdf, mls,
    secret::Secret,
    testing::{Clinic, NOW},
};

/// The frozen answers of one module.
pub(crate) fn frozen(module: &str) -> serde_json::Value {
    let mut all: serde_json::Value = serde_json::from_str(include_str!("../data/frozen-vectors.json")).unwrap();
    all[module].take()
}

/// Bytes of a frozen answer.
pub(crate) fn bytes(answer: &serde_json::Value) -> Vec<u8> {
    let text = answer.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn secret(byte: u8) -> Secret<32> {
    Secret::from_slice(&[byte; 32]).unwrap()
}

#[test]
fn derived_keys_and_hashes_are_frozen() {
    let derived: Secret<32> = kdf::derive(&[1; 32], &[2; 64], "invitation", &[&[3; 48]]).unwrap();
    assert_eq!(hex(derived.expose()), "fe0d7ad01cf931e5507bdcca5e328d871ba321a8ff9c2e58617a47b5b482dca5");
    let token: Secret<32> = kdf::derive(b"", secret(4).expose(), "lobby", &[]).unwrap();
    assert_eq!(hex(token.expose()), "d13d2e140a181d85b9b71247e03b799c16f590d35ede96c21f069497c14de770");
    assert_eq!(
        hex(&kdf::mac(&secret(5), "host", &[b"a", b"bc"])),
        concat!("21393a3a7107e0d6887dd6422c73f477178986dad385d4f9", "e8bc77c83ba6ef8aff6284bb4df28f421b702ccb282d54ba")
    );
    assert_eq!(
        hex(&kdf::hash("invitation transcript", &[b"1", b"2"])),
        concat!("27faaabcbcfcb5c86469af3a235d6bca452454778fbe28c3", "76e9c251a66d16122f2f57877cefbbca072e4a696ec9cfb1")
    );
}

#[test]
fn the_binder_and_its_credential_are_frozen() {
    let (invite, group) = (InviteId::from_bytes([6; 16]), GroupId::from_bytes([7; 16]));
    let leaf = LeafCredential::invited(&secret(8), invite, 2, CallRole::Patient, &[9; 32], group);
    assert_eq!(
        hex(&leaf.encode()),
        concat!(
            "00010101060606060606060606060606060606060000000267b3ef2550277d35c01a3ebe",
            "c07681dbd035f83d89c2f3313ad4b9e36d93314932791f13d213ffed73b679d80ab933bf"
        )
    );
}

#[test]
fn request_certificate_and_staff_credential_are_frozen() {
    let frozen = frozen("identity");
    let practice = PracticeKey::from_pkcs8(&bytes(&frozen["practice_pkcs8"])).unwrap();
    assert_eq!(practice.fingerprint().as_bytes().to_vec(), bytes(&frozen["fingerprint"]));
    assert_eq!(practice.sign_phone("02 5550 0100").unwrap(), bytes(&frozen["phone_signature"]));
    let device = DeviceKey::from_bytes(&bytes(&frozen["device_key"])).unwrap();
    assert_eq!(device.to_bytes().to_vec(), bytes(&frozen["device_key"]));
    let request = DeviceRequest::decode(&bytes(&frozen["request"])).unwrap();
    assert_eq!(request.encode(), bytes(&frozen["request"]));
    let terms = CertificateTerms {
        display_name: "Dr Ada Example".into(),
        roles: vec![StaffRole::Admin, StaffRole::Clinician],
        registration: Some("MED0001".into()),
        serial: 17,
        not_before: 1_800_000_000,
        not_after: 1_800_864_000,
    };
    let certificate = practice.certify(&request, terms).unwrap();
    assert_eq!(certificate.encode(), bytes(&frozen["certificate"]));
    let group = GroupId::from_bytes([7; 16]);
    let leaf = LeafCredential::staff(&device, &certificate, CallRole::Host, &[0xb; 32], group).unwrap();
    assert_eq!(leaf.encode(), bytes(&frozen["staff_credential"]));
}

#[test]
fn the_suite_and_the_names_of_keys_are_frozen() {
    assert_eq!(mls::SUITE as u16, 0x004e);
    assert_eq!(mls::psk_id(InviteId::from_bytes([0xa; 16]), 3), b"inv/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a/3");
}

/// Everything that parses what others sent, on the same bytes.
fn feed(bytes: &[u8], call: &mut CallGroup, owned: &mut OwnedInvitation, guest: &mut GuestInvitation) {
    let leaf = LeafIndex::new(1).unwrap();
    assert!(DeviceCertificate::decode(bytes).is_err());
    assert!(DeviceRequest::decode(bytes).is_err());
    assert!(DeviceKey::from_bytes(bytes).is_err());
    assert!(LeafCredential::decode(bytes).is_err());
    assert!(OwnedInvitation::decode(bytes).is_err());
    assert!(owned.on_knock(NOW, bytes, call).is_err());
    assert!(owned.on_proof(NOW, bytes).is_err());
    assert!(owned.on_card(bytes).is_err());
    assert!(guest.on_challenge(NOW, bytes).is_err());
    assert!(guest.on_confirm(bytes).is_err());
    assert!(guest.join(NOW, bytes).is_err());
    assert!(SafetyCheck::answer(call.safety_scope(), leaf, bytes).is_err());
    assert!(call.handle(NOW, LogEntry::Commit { commit: bytes, invite_psk: Some(bytes) }).is_err());
    assert!(call.handle(NOW, LogEntry::Application { body: bytes }).is_err());
    let opened = KeyRing::new().open(leaf, MediaContext::Video, bytes.to_vec(), std::time::Duration::ZERO);
    assert!(opened.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_refused_everywhere(noise in proptest::collection::vec(any::<u8>(), 0..600), head in 0_u8..6) {
        let clinic = Clinic::new();
        let (mut owned, link, _) = clinic.invite(CallRole::Patient);
        let mut guest = GuestInvitation::new(link);
        let mut call = clinic.call();
        feed(&noise, &mut call, &mut owned, &mut guest);
        // Past the first checks: the right profile, message number and invitation, and the head
        // of an MLS message (version 1, wire formats 1 to 5).
        let id = owned.invite_id();
        feed(&[&[0, 1, head][..], id.as_bytes(), &noise].concat(), &mut call, &mut owned, &mut guest);
        feed(&[&[0, 1, 0, head][..], &noise].concat(), &mut call, &mut owned, &mut guest);
        prop_assert_eq!(owned.tries_left(), 3);
        prop_assert!(call.is_active());
    }

    #[test]
    fn any_text_is_a_link_or_an_error(text in "(quietroom:)?[A-Za-z0-9_-]{0,400}") {
        prop_assert!(crate::InvitationLink::parse(&text).is_err());
    }
}

#[test]
fn every_fuzz_target_bears_nothing_noise_and_its_own_name() {
    for (name, target) in crate::fuzz::FUZZ_TARGETS {
        for bytes in [&b""[..], &[0], &[0xff; 64], &[0, 1, 1, 6, 6, 6, 6], name.as_bytes()] {
            target(bytes);
        }
    }
}
