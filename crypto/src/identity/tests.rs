use super::*;
use crate::{
    error::IdentityError,
    id::{CallRole, GroupId, InviteId, StaffRole},
    secret::Secret,
};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 3600;
const GROUP: GroupId = GroupId::from_bytes([3; 16]);

fn terms() -> CertificateTerms {
    CertificateTerms {
        display_name: "Dr Ada Example".into(),
        roles: vec![StaffRole::Clinician],
        registration: Some("MED0001234567".into()),
        serial: 1,
        not_before: NOW - DAY,
        not_after: NOW + 20 * DAY,
    }
}

fn certified(terms: CertificateTerms) -> (PracticeKey, DeviceKey, DeviceCertificate) {
    let (practice, _) = PracticeKey::generate().unwrap();
    let device = DeviceKey::generate().unwrap();
    let request = DeviceRequest::decode(&device.request().unwrap().encode()).unwrap();
    let certificate = practice.certify(&request, terms).unwrap();
    (practice, device, certificate)
}

#[test]
fn a_certificate_survives_the_wire_and_verifies() {
    let (practice, device, certificate) = certified(terms());
    let read = DeviceCertificate::decode(&certificate.encode()).unwrap();
    assert_eq!(read, certificate);
    assert_eq!(read.verify(&practice.public(), NOW), Ok(()));
    assert_eq!(read.verify_pinned(&practice.fingerprint(), NOW), Ok(()));
    assert_eq!(read.device_key(), device.public());
    assert_eq!(read.display_name(), "Dr Ada Example");
    assert_eq!(read.registration(), Some("MED0001234567"));
}

#[test]
fn a_device_key_survives_storage_and_asks_for_the_same_certificate() {
    let device = DeviceKey::generate().unwrap();
    let read = DeviceKey::from_bytes(&device.to_bytes()).unwrap();
    assert_eq!(read.request().unwrap(), device.request().unwrap());
    assert!(DeviceKey::from_bytes(&device.to_bytes()[1..]).is_err());
}

#[test]
fn an_expired_and_an_early_certificate_are_refused() {
    let (practice, _, certificate) = certified(terms());
    let public = practice.public();
    let late = certificate.verify(&public, NOW + 20 * DAY + 1);
    assert_eq!(late, Err(IdentityError::Expired));
    let early = certificate.verify(&public, NOW - DAY - 1);
    assert_eq!(early, Err(IdentityError::NotYetValid));
}

#[test]
fn another_practice_is_refused() {
    let (_, _, certificate) = certified(terms());
    let (other, _) = PracticeKey::generate().unwrap();
    let refused = certificate.verify(&other.public(), NOW);
    assert_eq!(refused, Err(IdentityError::WrongPractice));
}

#[test]
fn every_changed_byte_of_a_certificate_is_refused() {
    let (practice, _, certificate) = certified(terms());
    let bytes = certificate.encode();
    for at in (0..bytes.len()).step_by(7).chain(bytes.len() - 64..bytes.len()) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let accepted = DeviceCertificate::decode(&altered)
            .is_ok_and(|certificate| certificate.verify(&practice.public(), NOW).is_ok());
        assert!(!accepted, "byte {at}");
    }
    for length in 0..bytes.len() {
        assert!(DeviceCertificate::decode(&bytes[..length]).is_err());
    }
}

#[test]
fn terms_out_of_bounds_are_not_certified() {
    let (practice, device, _) = certified(terms());
    let request = device.request().unwrap();
    let refused = |terms| practice.certify(&request, terms) == Err(IdentityError::BadTerms);
    assert!(refused(CertificateTerms { display_name: "  ".into(), ..terms() }));
    assert!(refused(CertificateTerms { display_name: "x".repeat(101), ..terms() }));
    assert!(refused(CertificateTerms { roles: vec![], ..terms() }));
    assert!(refused(CertificateTerms { not_after: NOW + 40 * DAY, ..terms() }));
    assert!(refused(CertificateTerms { registration: Some("9".repeat(41)), ..terms() }));
}

#[test]
fn a_request_for_somebody_elses_key_is_refused() {
    let mut bytes = DeviceKey::generate().unwrap().request().unwrap().encode();
    let other = DeviceKey::generate().unwrap();
    bytes[2..34].copy_from_slice(other.public().as_bytes());
    assert_eq!(DeviceRequest::decode(&bytes), Err(IdentityError::BadSignature));
}

#[test]
fn a_staff_leaf_is_bound_to_group_key_and_role() {
    let (practice, device, certificate) = certified(terms());
    let leaf = [9; 32];
    let pinned = practice.fingerprint();
    let staff = LeafCredential::staff(&device, &certificate, CallRole::Host, &leaf, GROUP).unwrap();
    let staff = LeafCredential::decode(&staff.encode()).unwrap();
    assert_eq!(staff.verify_in_group(&pinned, NOW, &leaf, GROUP), Ok(()));
    let other_group = GroupId::from_bytes([4; 16]);
    assert!(staff.verify_in_group(&pinned, NOW, &leaf, other_group).is_err());
    assert!(staff.verify_in_group(&pinned, NOW, &[8; 32], GROUP).is_err());
    let mut other_role = staff.encode();
    other_role[3] = CallRole::Patient.to_byte();
    let other_role = LeafCredential::decode(&other_role).unwrap();
    assert!(other_role.verify_in_group(&pinned, NOW, &leaf, GROUP).is_err());
}

#[test]
fn front_desk_staff_cannot_be_host() {
    let (practice, device, certificate) = certified(CertificateTerms { roles: vec![StaffRole::FrontDesk], ..terms() });
    let staff = LeafCredential::staff(&device, &certificate, CallRole::Host, &[9; 32], GROUP).unwrap();
    let refused = staff.verify_in_group(&practice.fingerprint(), NOW, &[9; 32], GROUP);
    assert_eq!(refused, Err(IdentityError::BadTerms));
}

#[test]
fn a_binder_holds_for_one_key_invitation_attempt_role_and_group() {
    let key = Secret::from_slice(&[1; 32]).unwrap();
    let invite = InviteId::from_bytes([5; 16]);
    let leaf = [9; 32];
    let invited = LeafCredential::invited(&key, invite, 1, CallRole::Patient, &leaf, GROUP);
    assert!(invited.verify_binder(&key, &leaf, GROUP));
    assert!(!invited.verify_binder(&key, &[8; 32], GROUP));
    assert!(!invited.verify_binder(&key, &leaf, GroupId::from_bytes([4; 16])));
    let bytes = invited.encode();
    for at in 3..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let accepted =
            LeafCredential::decode(&altered).is_ok_and(|credential| credential.verify_binder(&key, &leaf, GROUP));
        assert!(!accepted, "byte {at}");
    }
}

#[test]
fn an_invited_leaf_cannot_claim_to_be_host() {
    let key = Secret::from_slice(&[1; 32]).unwrap();
    let invite = InviteId::from_bytes([5; 16]);
    let invited = LeafCredential::invited(&key, invite, 1, CallRole::Host, &[9; 32], GROUP);
    let (practice, _, _) = certified(terms());
    assert!(invited.verify_in_group(&practice.fingerprint(), NOW, &[9; 32], GROUP).is_err());
}
