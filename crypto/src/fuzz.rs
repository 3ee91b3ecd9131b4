//! Every parser of what others send, as functions of any bytes: for the fuzzer, and for the tests
//! that run the kept corpus through the same functions (`tests/fuzz`).
//!
//! A function returns, whatever the bytes; it panics where a rule that must hold for all bytes does
//! not. Where a checksum, a MAC or a seal stands in front of a parser, the function makes it right
//! first: an invited guest and a member can do that too.

use std::cell::RefCell;

use crate::{
    CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DenyList, DeviceCertificate, DeviceKey,
    DeviceRequest, InvitationTerms, KeyDisclosure, LeafIndex, PracticeKey, PracticeSuccession, SafetyCheck,
    SafetyScope, StaffRole, identity::LeafCredential, invitation::fuzz as invitation, mls::fuzz as mls,
    sframe::fuzz as sframe,
};

type Target = (&'static str, fn(&[u8]));

/// Name and function of every parser of this crate.
pub const FUZZ_TARGETS: &[Target] = &[
    ("certificate", certificate),
    ("credential", credential),
    ("deny_list", deny_list),
    ("device_key", device_key),
    ("device_request", device_request),
    ("disclosure", disclosure),
    ("heartbeat", mls::heartbeat),
    ("invitation_card", invitation::card),
    ("invitation_challenge", invitation::challenge),
    ("invitation_code", invitation::code),
    ("invitation_confirm", invitation::confirm),
    ("invitation_knock", invitation::knock),
    ("invitation_link", invitation::link),
    ("invitation_package", invitation::package),
    ("invitation_proof", invitation::proof),
    ("invitation_record", invitation::record),
    ("invitation_return", invitation::come_again),
    ("invitation_share", invitation::share),
    ("leave_request", mls::leave_request),
    ("mls_attached", mls::attached),
    ("mls_content", mls::content),
    ("mls_invite_psk", mls::invite_psk),
    ("mls_message", mls::message),
    ("mls_welcome", mls::welcome),
    ("policy", mls::policy),
    ("safety_message", safety_message),
    ("sframe_frame", sframe::frame),
    ("sframe_header", sframe::header),
    ("succession", succession),
];

pub(crate) const NOW: u64 = 1_800_000_000;

fn certificate(bytes: &[u8]) {
    if let Ok(certificate) = DeviceCertificate::decode(bytes) {
        assert_eq!(certificate.encode(), bytes, "one certificate has one spelling");
    }
}

fn credential(bytes: &[u8]) {
    if let Ok(credential) = LeafCredential::decode(bytes) {
        assert_eq!(credential.encode(), bytes, "one credential has one spelling");
    }
}

fn deny_list(bytes: &[u8]) {
    if let Ok(list) = DenyList::decode(bytes) {
        assert_eq!(list.encode(), bytes, "one list has one spelling");
    }
}

fn succession(bytes: &[u8]) {
    if let Ok(statement) = PracticeSuccession::decode(bytes) {
        assert_eq!(statement.encode(), bytes);
    }
}

fn disclosure(bytes: &[u8]) {
    if let Ok(disclosure) = KeyDisclosure::decode(bytes) {
        assert_eq!(disclosure.encode().as_slice(), bytes);
    }
}

fn device_key(bytes: &[u8]) {
    if let Ok(key) = DeviceKey::from_bytes(bytes) {
        assert_eq!(key.to_bytes().as_slice(), bytes);
    }
}

fn device_request(bytes: &[u8]) {
    if let Ok(request) = DeviceRequest::decode(bytes) {
        assert_eq!(request.encode(), bytes);
    }
}

/// The first byte chooses whether it opens a check or comes into a running one.
fn safety_message(bytes: &[u8]) {
    let Some((&first, message)) = bytes.split_first() else { return };
    let leaf = |index| LeafIndex::new(index).expect("below 16");
    let scope = |own| SafetyScope {
        epoch: 3,
        authenticator: [7; 48],
        own: leaf(own),
        members: (0..3).map(|index| (leaf(index), vec![index as u8; 40])).collect(),
    };
    if first & 1 == 0 {
        SafetyCheck::answer(scope(1), leaf(0), message).ok();
        return;
    }
    let (mut check, opening) = SafetyCheck::start(scope(0)).expect("there is somebody to check with");
    // The id and the scope of the running check, so that the rest is looked at.
    let (head, digest) = (opening.get(1..17).unwrap_or_default(), opening.get(17..65).unwrap_or_default());
    let (kind, rest) = message.split_at_checked(1).unwrap_or_default();
    let digest = if kind == [2] { &[] } else { digest };
    check.handle(leaf(1), &[kind, head, digest, rest].concat()).ok();
    check.handle(leaf(2), message).ok();
}

/// A practice with one host in a call, and what its invitations say.
pub(crate) struct Practice {
    pub(crate) call: CallGroup,
    pub(crate) terms: InvitationTerms,
    pub(crate) host: (DeviceKey, DeviceCertificate),
    pub(crate) colleague: (DeviceKey, DeviceCertificate),
}

thread_local! {
    static PRACTICE: RefCell<Practice> = RefCell::new(Practice::new());
}

impl Practice {
    pub(crate) fn new() -> Self {
        let (practice, _) = PracticeKey::generate().expect("there are random bytes");
        let [host, colleague] = [1, 2].map(|serial| {
            let device = DeviceKey::generate().expect("there are random bytes");
            let terms = CertificateTerms {
                display_name: "Dr Ada Example".into(),
                roles: vec![StaffRole::Clinician],
                registration: None,
                serial,
                not_before: NOW - 1000,
                not_after: NOW + 1_000_000,
            };
            let request = device.request().expect("a device asks");
            let certificate = practice.certify(&request, terms).expect("the terms are in bounds");
            (device, certificate)
        });
        let terms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };
        let call = CallGroup::create(NOW, &host.0, &host.1, terms).expect("a host opens a call");
        let phone = "02 5550 0100";
        let terms = InvitationTerms {
            server: "127.0.0.1:7443".into(),
            server_pin: [4; 32],
            practice: practice.public(),
            practice_phone: phone.into(),
            phone_signature: practice.sign_phone(phone).expect("the key signs"),
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: NOW - 60,
            expires_at: NOW + 3600,
            appointment: "a1".into(),
        };
        Self { call, terms, host, colleague }
    }

    /// The one of this thread.
    pub(crate) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        PRACTICE.with_borrow_mut(work)
    }
}
