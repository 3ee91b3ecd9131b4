//! Staff in the call: entering by certificate, coming back, hosting in turn.

use super::{
    tests::{agree, leaf},
    *,
};
use crate::{
    CallId, CallMode, CallRole, DeviceCertificate, DeviceKey, DevicePublicKey, GroupId, StaffRole,
    error::{GroupError, IdentityError, PolicyViolation},
    testing::{Clinic, NOW, deliver, handle},
};

const TERMS: CallTerms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };

type Colleague = (DeviceKey, DeviceCertificate);

fn entry(colleague: &Colleague, role: CallRole, group_id: GroupId) -> StaffEntry {
    StaffEntry::new(NOW, &colleague.0, &colleague.1, role, group_id, TERMS).unwrap()
}

/// A host, a guest, and a deputy who has entered.
pub(super) fn with_deputy() -> (Clinic, Colleague, Vec<CallGroup>) {
    let clinic = Clinic::new();
    let deputy = clinic.colleague(StaffRole::Clinician);
    let members = call_with(&clinic, &[(&deputy, CallRole::Host)], &[deputy.0.public()]);
    (clinic, deputy, members)
}

/// A host, a guest, and colleagues who have entered one after the other.
pub(super) fn call_with(
    clinic: &Clinic,
    colleagues: &[(&Colleague, CallRole)],
    deputies: &[DevicePublicKey],
) -> Vec<CallGroup> {
    let host = CallGroup::create_with_deputies(NOW, &clinic.device, &clinic.certificate, TERMS, deputies).unwrap();
    let mut members = vec![host];
    let (_, mut guest, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    for (colleague, role) in colleagues {
        let entry = entry(colleague, *role, members[0].group_id());
        let bundle = members[0].admit_staff(NOW, entry.request()).unwrap();
        assert!(bundle.invite_psk.is_none(), "the certificate is enough");
        deliver(&mut members, &bundle);
        members.push(entry.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    }
    members
}

#[test]
fn staff_enters_by_certificate_and_is_shown_as_such() {
    let (_, deputy, members) = with_deputy();
    assert!(agree(&members));
    let roster = members[1].members();
    assert_eq!(roster[2].name.as_deref(), Some("Sam Colleague"));
    assert_eq!((roster[2].vouched, roster[2].device), (Vouched::Practice, Some(deputy.0.public())));
    assert_eq!(roster.iter().map(|member| member.hosts).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(members[1].deputies(), [deputy.0.public()]);
}

#[test]
fn a_deputy_hosts_once_a_host_named_it_and_the_first_host_may_go() {
    let (clinic, deputy, mut members) = with_deputy();
    let (_, _, verified) = clinic.lobby(&members[0]);
    assert_eq!(members[2].admit(&verified).unwrap_err(), GroupError::NotAHost);
    assert_eq!(members[2].remove(leaf(1)).unwrap_err(), GroupError::NotAHost);

    let both = [clinic.device.public(), deputy.0.public()];
    let bundle = members[0].set_hosts(&both).unwrap();
    deliver(&mut members, &bundle);
    assert!(agree(&members) && members.iter().all(|member| member.hosts() == both));

    let bundle = members[2].set_hosts(&both[1..]).unwrap();
    deliver(&mut members, &bundle);
    assert_eq!(members[0].update().map(|_| ()), Ok(()), "it still is a member");
    members[0].abandon_pending();
    assert_eq!(members[0].remove(leaf(1)).unwrap_err(), GroupError::NotAHost);
    let bundle = members[2].remove(leaf(0)).unwrap();
    deliver(&mut members, &bundle);
    assert!(!members[0].is_active());

    // The new host admits a guest of its own invitation.
    let (_, mut guest, verified) = clinic.lobby(&members[2]);
    let bundle = members[2].admit(&verified).unwrap();
    deliver(&mut members[1..], &bundle);
    assert!(guest.join(NOW, &bundle.welcome.unwrap()).is_ok());
}

#[test]
fn a_list_of_hosts_names_hosts_and_deputies_that_are_there() {
    let (clinic, deputy, mut members) = with_deputy();
    let (host, deputy) = (clinic.device.public(), deputy.0.public());
    let stranger = DevicePublicKey::from_bytes([7; 32]);
    let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::PolicyChanged };
    for hosts in [&[][..], &[host, stranger], &[host, host], &[stranger]] {
        assert_eq!(members[0].set_hosts(hosts).unwrap_err(), refusal);
    }
    assert_eq!(members[1].set_hosts(&[host]).unwrap_err(), GroupError::NotAHost);
    assert_eq!(members[2].set_hosts(&[host, deputy]).unwrap_err(), GroupError::NotAHost);
    let bundle = members[0].remove(leaf(2)).unwrap();
    deliver(&mut members, &bundle);
    assert_eq!(members[0].set_hosts(&[deputy]).unwrap_err(), refusal, "nobody would be left to host");
    assert!(members[0].set_hosts(&[deputy, host]).is_ok());
}

#[test]
fn too_many_deputies_or_one_twice_make_no_call() {
    let clinic = Clinic::new();
    let create = |deputies: &[DevicePublicKey]| {
        CallGroup::create_with_deputies(NOW, &clinic.device, &clinic.certificate, TERMS, deputies)
    };
    let devices: Vec<_> = (0..17).map(|byte| DevicePublicKey::from_bytes([byte; 32])).collect();
    assert!(create(&devices[..16]).is_ok());
    for bad in [devices.clone(), vec![devices[0], devices[0]]] {
        let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::BadPolicy };
        assert_eq!(create(&bad).unwrap_err(), refusal);
    }
}

#[test]
fn staff_of_another_practice_expired_or_for_another_group_is_not_admitted() {
    let (clinic, foreign) = (Clinic::new(), Clinic::new());
    let mut call = clinic.call();
    let group_id = call.group_id();
    let stranger = entry(&foreign.colleague(StaffRole::Clinician), CallRole::Interpreter, group_id);
    let refused = call.admit_staff(NOW, stranger.request()).unwrap_err();
    assert_eq!(refused, GroupError::Certificate(IdentityError::WrongPractice));

    let colleague = clinic.colleague(StaffRole::Clinician);
    let honest = entry(&colleague, CallRole::Interpreter, group_id);
    let late = colleague.1.not_after() + 1;
    let refused = call.admit_staff(late, honest.request()).unwrap_err();
    assert_eq!(refused, GroupError::Certificate(IdentityError::Expired));

    let elsewhere = entry(&colleague, CallRole::Interpreter, GroupId::from_bytes([1; 16]));
    let refused = call.admit_staff(NOW, elsewhere.request()).unwrap_err();
    assert_eq!(refused, GroupError::Certificate(IdentityError::BadSignature));
    for length in 0..honest.request().len() {
        assert_eq!(call.admit_staff(NOW, &honest.request()[..length]).unwrap_err(), GroupError::Malformed);
    }
    assert!(!call.is_pending());

    let desk = clinic.colleague(StaffRole::FrontDesk);
    let refused = StaffEntry::new(NOW, &desk.0, &desk.1, CallRole::Host, group_id, TERMS).unwrap_err();
    assert_eq!(refused, GroupError::Certificate(IdentityError::BadTerms));
}

#[test]
fn a_guest_does_not_enter_as_staff() {
    let clinic = Clinic::new();
    let mut call = clinic.call();
    let (_, _, verified) = clinic.lobby(&call);
    let package = tls_codec::Serialize::tls_serialize_detached(verified.key_package()).unwrap();
    assert_eq!(call.admit_staff(NOW, &package).unwrap_err(), GroupError::Malformed);
}

#[test]
fn staff_joins_only_the_call_and_the_mode_that_it_asked_for() {
    let clinic = Clinic::new();
    let colleague = clinic.colleague(StaffRole::Clinician);
    let other_call = CallTerms { call_id: CallId::from_bytes([1; 16]), ..TERMS };
    let other_mode = CallTerms { mode: CallMode::Assessor, ..TERMS };
    for (terms, violation) in [(other_call, PolicyViolation::BadPolicy), (other_mode, PolicyViolation::WrongMode)] {
        let mut call = clinic.call();
        let (device, certificate) = &colleague;
        let entry = StaffEntry::new(NOW, device, certificate, CallRole::Interpreter, call.group_id(), terms).unwrap();
        let welcome = call.admit_staff(NOW, entry.request()).unwrap().welcome.unwrap();
        let refusal = GroupError::Refused { committer: None, violation };
        assert_eq!(entry.join(NOW, &welcome).unwrap_err(), refusal);
    }
}

#[test]
fn a_guest_that_forks_the_group_cannot_bring_in_staff() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let colleague = clinic.colleague(StaffRole::Clinician);
    let entry = entry(&colleague, CallRole::Interpreter, members[0].group_id());
    let forged = fork_with_staff(&mut members[1], entry.request());
    let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::WrongSigner };
    assert_eq!(entry.join(NOW, &forged).unwrap_err(), refusal);
}

#[test]
fn lost_staff_comes_back_by_its_certificate_and_removed_staff_does_not() {
    let (_, deputy, mut members) = with_deputy();
    let again = entry(&deputy, CallRole::Host, members[0].group_id());
    let twice = GroupError::Refused { committer: None, violation: PolicyViolation::DuplicateIdentity };
    assert_eq!(members[0].admit_staff(NOW, again.request()).unwrap_err(), twice);
    let bundle = members[0].readmit_staff(NOW, again.request()).unwrap();
    for member in &mut members[..2] {
        let Inbound::Epoch { added, removed, .. } = handle(member, &bundle).unwrap() else { panic!() };
        assert_eq!((added, removed), (vec![leaf(2)], vec![leaf(2)]));
    }
    members[2] = again.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap();
    assert!(agree(&members));

    let bundle = members[0].remove(leaf(2)).unwrap();
    deliver(&mut members, &bundle);
    let again = entry(&deputy, CallRole::Host, members[0].group_id());
    assert_eq!(members[0].readmit_staff(NOW, again.request()).unwrap_err(), GroupError::NoSuchMember);
}

#[test]
fn a_host_does_not_bring_itself_back() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let own = StaffEntry::new(NOW, &clinic.device, &clinic.certificate, CallRole::Host, members[0].group_id(), TERMS);
    assert_eq!(members[0].readmit_staff(NOW, own.unwrap().request()).unwrap_err(), GroupError::BadProof);
}

#[test]
fn a_guest_cannot_admit_staff() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(1);
    let colleague = clinic.colleague(StaffRole::Clinician);
    let entry = entry(&colleague, CallRole::Interpreter, members[0].group_id());
    assert_eq!(members[1].admit_staff(NOW, entry.request()).unwrap_err(), GroupError::NotAHost);
}
