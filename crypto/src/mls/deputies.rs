//! Deputies when the host is lost: the one commit that they may make, and what no other may.

use super::{
    staffing::{call_with, with_deputy},
    tests::{agree, commit, leaf, refused},
    *,
};
use crate::{
    CallMode, CallRole, DevicePublicKey, StaffRole,
    error::{GroupError, PolicyViolation},
    testing::{Clinic, NOW, deliver, handle},
};

#[test]
fn a_deputy_steps_in_for_a_lost_host_and_goes_on_with_the_call() {
    let (clinic, deputy, mut members) = with_deputy();
    let standing = |call: &CallGroup| -> Vec<_> { call.members().iter().map(|one| (one.hosts, one.deputy)).collect() };
    assert_eq!(standing(&members[1]), [(true, false), (false, false), (false, true)]);

    // The host hears nothing of it for now.
    let bundle = members[2].step_in().unwrap();
    assert!(bundle.welcome.is_none() && members[2].is_pending());
    assert_eq!(members[2].hosts().len(), 1, "not before the echo");
    assert_eq!(members[2].step_in().unwrap_err(), GroupError::CommitPending);
    deliver(&mut members[1..], &bundle);
    assert!(agree(&members[1..]));
    assert!(members[1..].iter().all(|member| member.hosts() == [clinic.device.public(), deputy.0.public()]));
    assert_eq!(standing(&members[1]), [(true, false), (false, false), (true, false)]);

    // It is back in time, and takes the commit like everybody else.
    deliver(&mut members[..1], &bundle);
    assert!(agree(&members));

    let (_, mut guest, verified) = clinic.lobby(&members[2]);
    let bundle = members[2].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    let bundle = members[2].remove(leaf(0)).unwrap();
    deliver(&mut members, &bundle);
    assert!(!members.remove(0).is_active() && agree(&members));
    assert_eq!((members.len(), members[0].members().len()), (3, 3));
}

#[test]
fn whoever_loses_the_race_to_step_in_does_so_after_the_winner() {
    let clinic = Clinic::new();
    let [one, other] = [(); 2].map(|()| clinic.colleague(StaffRole::Clinician));
    let deputies = [one.0.public(), other.0.public()];
    let mut members = call_with(&clinic, &[(&one, CallRole::Host), (&other, CallRole::Host)], &deputies);
    let (first, second) = (members[2].step_in().unwrap(), members[3].step_in().unwrap());
    deliver(&mut members, &second);
    assert!(!members[2].is_pending());
    assert_eq!(handle(&mut members[1], &first).unwrap_err(), GroupError::PastEpoch);
    let bundle = members[2].step_in().unwrap();
    deliver(&mut members, &bundle);
    assert!(agree(&members));
    assert_eq!(members[1].hosts(), [clinic.device.public(), other.0.public(), one.0.public()]);
}

#[test]
fn only_a_deputy_that_does_not_host_steps_in() {
    let clinic = Clinic::new();
    let [deputy, other, interpreter] = [(); 3].map(|()| clinic.colleague(StaffRole::Clinician));
    let deputies = [clinic.device.public(), deputy.0.public(), interpreter.0.public()];
    let colleagues = [(&deputy, CallRole::Host), (&other, CallRole::Host), (&interpreter, CallRole::Interpreter)];
    let mut members = call_with(&clinic, &colleagues, &deputies);
    let roster = members[1].members();
    assert_eq!(roster.iter().map(|member| member.deputy).collect::<Vec<_>>(), [false, false, true, false, false]);
    let unchanged = GroupError::Refused { committer: None, violation: PolicyViolation::PolicyChanged };
    assert_eq!(members[0].step_in().unwrap_err(), unchanged, "it hosts");
    for at in [1, 3, 4] {
        assert_eq!(members[at].step_in().unwrap_err(), GroupError::NotAHost);
    }
    let bundle = members[0].remove(leaf(2)).unwrap();
    deliver(&mut members, &bundle);
    assert_eq!(members[2].step_in().unwrap_err(), GroupError::Inactive);
}

#[test]
fn a_deputy_among_the_hosts_of_a_full_list_does_not_fit() {
    let clinic = Clinic::new();
    let deputy = clinic.colleague(StaffRole::Clinician);
    let mut deputies: Vec<_> = (0..15).map(|byte| DevicePublicKey::from_bytes([byte; 32])).collect();
    deputies.push(deputy.0.public());
    let mut members = call_with(&clinic, &[(&deputy, CallRole::Host)], &deputies);
    let full = [&[clinic.device.public()], &deputies[..15]].concat();
    let bundle = members[0].set_hosts(&full).unwrap();
    deliver(&mut members, &bundle);
    let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::PolicyChanged };
    assert_eq!(members[2].step_in().unwrap_err(), refusal);
    let forged = lists(&mut members[2], &[&full[..], &[deputy.0.public()]].concat(), &deputies);
    assert_eq!(commit(&mut members[1], &forged), refused(Some(2), PolicyViolation::PolicyChanged));
}

#[test]
fn a_creator_among_its_own_deputies_steps_in_again_after_it_handed_over() {
    let clinic = Clinic::new();
    let deputy = clinic.colleague(StaffRole::Clinician);
    let deputies = [clinic.device.public(), deputy.0.public()];
    let mut members = call_with(&clinic, &[(&deputy, CallRole::Host)], &deputies);
    let bundle = members[0].set_hosts(&deputies[1..]).unwrap();
    deliver(&mut members, &bundle);
    assert!(members[1].members()[0].deputy);
    let bundle = members[0].step_in().unwrap();
    deliver(&mut members, &bundle);
    assert!(agree(&members) && members[1].hosts() == [deputy.0.public(), clinic.device.public()]);
}

/// A commit of other lists in a real call, and of nothing else.
fn lists(member: &mut CallGroup, hosts: &[DevicePublicKey], deputies: &[DevicePublicKey]) -> Vec<u8> {
    craft(member, &Crafted::ChangePolicy { hosts, deputies, mode: CallMode::Real, remove: None })
}

#[test]
fn a_deputy_puts_itself_at_the_end_of_the_list_and_changes_nothing_else() {
    let (clinic, colleague, _) = with_deputy();
    let other = clinic.colleague(StaffRole::Clinician);
    let (host, deputy, other) = (clinic.device.public(), colleague.0.public(), other.0.public());
    let deputies = [deputy, other];
    let (real, assessor, stranger) = (CallMode::Real, CallMode::Assessor, DevicePublicKey::from_bytes([7; 32]));
    let changed = PolicyViolation::PolicyChanged;
    let cases: [(&[_], &[_], _, _, _, &str); 12] = [
        (&[host, other], &deputies, real, None, changed, "another deputy"),
        (&[host, deputy, other], &deputies, real, None, changed, "another deputy after itself"),
        (&[host, other, deputy], &deputies, real, None, changed, "another deputy before itself"),
        (&[host, stranger], &deputies, real, None, changed, "a stranger"),
        (&[deputy], &deputies, real, None, changed, "without the host"),
        (&[deputy, host], &deputies, real, None, changed, "before the host"),
        (&[host], &deputies, real, None, changed, "the same list"),
        (&[host, deputy, deputy], &deputies, real, None, changed, "twice"),
        (&[host, deputy], &[deputy], real, None, changed, "a deputy less"),
        (&[host, deputy], &[deputy, other, stranger], real, None, changed, "a deputy more"),
        (&[host, deputy], &deputies, assessor, None, changed, "another mode"),
        (&[host, deputy], &deputies, real, Some(leaf(0)), PolicyViolation::NotAHost, "and a Remove"),
    ];
    for (hosts, others, mode, remove, violation, what) in cases {
        let mut members = call_with(&clinic, &[(&colleague, CallRole::Host)], &deputies);
        let forged = craft(&mut members[2], &Crafted::ChangePolicy { hosts, deputies: others, mode, remove });
        // Whoever it would remove checks it like the others.
        for member in &mut members[..2] {
            assert_eq!(commit(member, &forged), refused(Some(2), violation), "{what}");
            assert!(!member.is_active());
        }
    }
    // The very same tool writes the commit that is allowed.
    let mut members = call_with(&clinic, &[(&colleague, CallRole::Host)], &deputies);
    let honest = lists(&mut members[2], &[host, deputy], &deputies);
    assert!(commit(&mut members[1], &honest).is_ok());
}

#[test]
fn a_deputy_that_has_not_stepped_in_does_nothing_else_that_hosts_do() {
    let not_a_host = PolicyViolation::NotAHost;
    let cases = [
        (Crafted::AddStranger, not_a_host),
        (Crafted::Remove(leaf(0)), not_a_host),
        (Crafted::ChangeMode, PolicyViolation::PolicyChanged),
        (Crafted::DropPolicy, PolicyViolation::PolicyChanged),
    ];
    for (crafted, violation) in cases {
        let (_, _, mut members) = with_deputy();
        let forged = craft(&mut members[2], &crafted);
        assert_eq!(commit(&mut members[1], &forged), refused(Some(2), violation), "{crafted:?}");
    }
}

#[test]
fn a_deputy_that_has_not_stepped_in_does_what_every_member_does() {
    let (_, _, mut members) = with_deputy();
    let bundle = members[2].update().unwrap();
    deliver(&mut members, &bundle);
    let request = members[1].leave_request().unwrap();
    let bundle = members[2].remove_leaver(leaf(1), &request).unwrap();
    deliver(&mut members, &bundle);
    members.remove(1);
    assert!(agree(&members) && members[0].members()[1].deputy);
}

#[test]
fn a_deputy_steps_in_on_its_own_word_and_not_beside_somebody_elses() {
    let (clinic, deputy, mut members) = with_deputy();
    let attached = [&[1], &members[0].leave_request().unwrap()[..]].concat();
    let (hosts, deputies) = ([clinic.device.public(), deputy.0.public()], [deputy.0.public()]);
    let stepped = Crafted::ChangePolicy { hosts: &hosts, deputies: &deputies, mode: CallMode::Real, remove: None };
    let forged = craft_attached(&mut members[2], &stepped, &attached);
    assert_eq!(commit(&mut members[1], &forged), refused(Some(2), PolicyViolation::NotAHost));
}

#[test]
fn nobody_but_a_deputy_in_a_hosts_role_puts_anybody_on_the_list() {
    let clinic = Clinic::new();
    let [deputy, other, interpreter] = [(); 3].map(|()| clinic.colleague(StaffRole::Clinician));
    let deputies = [deputy.0.public(), interpreter.0.public()];
    let colleagues = [(&other, CallRole::Host), (&interpreter, CallRole::Interpreter)];
    let cases = [
        (1, deputy.0.public(), "a guest, a deputy"),
        (1, other.0.public(), "a guest, staff that is no deputy"),
        (2, other.0.public(), "staff that is no deputy, itself"),
        (2, deputy.0.public(), "staff that is no deputy, a deputy"),
        (3, interpreter.0.public(), "a deputy in another role, itself"),
    ];
    for (at, device, what) in cases {
        let mut members = call_with(&clinic, &colleagues, &deputies);
        let forged = lists(&mut members[at], &[clinic.device.public(), device], &deputies);
        let expected = refused(Some(at as u32), PolicyViolation::NotAHost);
        assert_eq!(commit(&mut members[0], &forged), expected, "{what}");
    }
}

#[test]
fn the_certificate_of_a_colleagues_leaf_is_at_hand() {
    let (clinic, deputy, members) = with_deputy();
    assert_eq!(members[1].certificate_of(leaf(0)), Some(clinic.certificate));
    assert_eq!(members[0].certificate_of(leaf(2)), Some(deputy.1));
    assert_eq!((members[0].certificate_of(leaf(1)), members[0].certificate_of(leaf(9))), (None, None));
}
