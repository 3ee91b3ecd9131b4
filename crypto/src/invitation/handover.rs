//! A used record on the device of the next host: it brings the guest back, and nobody else in.

use super::*;
use crate::{
    CallGroup, CallId, CallMode, CallRole, CallTerms, DeviceCertificate, DeviceKey, GroupError, InvitationError,
    PolicyViolation, StaffEntry, StaffRole,
    mls::welcome_of_new_host,
    testing::{Clinic, NOW, deliver, exchange},
};

const TERMS: CallTerms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };
const SHARING: Sharing<'static> = Sharing { now: NOW, deny: None };

/// A host, the guest that will be lost, a deputy, and staff in a host's role that is none.
struct Call {
    clinic: Clinic,
    deputy: (DeviceKey, DeviceCertificate),
    other: (DeviceKey, DeviceCertificate),
    members: Vec<CallGroup>,
    owned: OwnedInvitation,
    guest: GuestInvitation,
    code: InvitationCode,
}

fn a_call() -> Call {
    let clinic = Clinic::new();
    let [deputy, other] = [(); 2].map(|()| clinic.colleague(StaffRole::Clinician));
    let deputies = [deputy.0.public()];
    let host = CallGroup::create_with_deputies(NOW, &clinic.device, &clinic.certificate, TERMS, &deputies).unwrap();
    let mut members = vec![host];
    let (mut owned, link, code) = clinic.invite(CallRole::Patient);
    let mut guest = GuestInvitation::new(link);
    let verified = exchange(&mut owned, &mut guest, &code, &members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    owned.admitted(&verified).unwrap();
    for (device, certificate) in [&deputy, &other] {
        let group_id = members[0].group_id();
        let entry = StaffEntry::new(NOW, device, certificate, CallRole::Host, group_id, TERMS).unwrap();
        let bundle = members[0].admit_staff(NOW, entry.request()).unwrap();
        deliver(&mut members, &bundle);
        members.push(entry.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    }
    Call { clinic, deputy, other, members, owned, guest, code }
}

impl Call {
    /// The first host shares the used record with the deputy and is lost; the deputy goes on.
    fn hands_over(&mut self) -> OwnedInvitation {
        let to = self.members[0].certificate_of(self.members[2].own_leaf()).unwrap();
        let share = self.owned.share_with(&SHARING, &self.clinic.device, &self.clinic.certificate, &to).unwrap();
        let bundle = self.members[2].step_in().unwrap();
        deliver(&mut self.members, &bundle);
        let lost = self.members[0].own_leaf();
        let bundle = self.members[2].remove(lost).unwrap();
        deliver(&mut self.members, &bundle);
        self.open(NOW, &share).unwrap()
    }

    fn open(&self, now: u64, share: &[u8]) -> Result<OwnedInvitation, InvitationError> {
        // It may have had the record before it was used.
        let held = [self.owned.invite_id()];
        let practice = self.clinic.practice.fingerprint();
        self.deputy.0.open_share(&Sharing { now, deny: None }, &practice, &held, share).map(|(record, _)| record)
    }

    /// Message 6 and its answer by the new host.
    fn asks(&mut self, record: &mut OwnedInvitation, with_old_leaf: bool) -> VerifiedGuest {
        let message6 = self.guest.rejoin(with_old_leaf.then_some(&self.members[1])).unwrap();
        *record = OwnedInvitation::decode(&record.encode()).unwrap();
        let reply = record.on_rejoin(&message6, &self.members[2]).unwrap();
        self.guest.on_confirm(&reply.message4).unwrap();
        reply.guest
    }
}

#[test]
fn the_next_host_brings_a_lost_guest_back_as_often_as_it_is_lost() {
    let mut call = a_call();
    let mut record = call.hands_over();
    for with_old_leaf in [true, false] {
        let verified = call.asks(&mut record, with_old_leaf);
        let bundle = call.members[2].readmit(&verified).unwrap();
        deliver(&mut call.members[2..], &bundle);
        call.members[1] = call.guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap();
        assert_eq!(call.members[1].authenticator(), call.members[3].authenticator());
        record.admitted(&verified).unwrap();
    }
    // One that was removed has nothing to come back to.
    let gone = call.members[1].own_leaf();
    let bundle = call.members[2].remove(gone).unwrap();
    deliver(&mut call.members[1..], &bundle);
    let verified = call.asks(&mut record, true);
    assert_eq!(call.members[2].readmit(&verified).unwrap_err(), GroupError::NoSuchMember);
    assert_eq!(call.members[2].admit(&verified).unwrap_err(), GroupError::BadProof);
}

#[test]
fn a_used_record_from_another_device_lets_nobody_in_by_the_code() {
    let mut call = a_call();
    let mut record = call.hands_over();
    assert_eq!((record.tries_left(), record.is_consumed(), record.is_shared()), (0, true, true));
    assert_eq!((record.devices(), call.owned.devices()), (1, 1), "it adds no guess");
    let link = InvitationLink::parse(&call.guest.link().to_uri()).unwrap();
    let message1 = GuestInvitation::new(link).knock(&call.code).unwrap();
    for record in [&mut record, &mut call.owned] {
        let refused = record.on_knock(NOW, &message1, &call.members[2]);
        assert_eq!(refused.unwrap_err(), InvitationError::Consumed);
    }
    let message6 = call.guest.rejoin(None).unwrap();
    let refused = record.on_retry(NOW, &message6, &call.members[2]);
    assert_eq!(refused.unwrap_err(), InvitationError::Consumed);
    assert_eq!(record.on_rejoin(&message6, &call.clinic.call()).unwrap_err(), InvitationError::OutOfOrder);
    assert!(!record.reopen() && record.is_consumed(), "the door is its owner's to open again");
    assert!(call.owned.reopen());
}

#[test]
fn a_used_record_goes_from_host_to_host_and_after_the_window_but_not_after_the_call() {
    let mut call = a_call();
    let mut record = call.hands_over();
    let ((device, certificate), to) = (&call.deputy, &call.other.1);
    let share = record.share_with(&SHARING, device, certificate, to).unwrap();
    let practice = call.clinic.practice.fingerprint();
    let late = Sharing { now: record.expires_at() + 1, deny: None };
    assert!(call.other.0.open_share(&late, &practice, &[], &share).is_ok());
    record.consume();
    let refused = record.share_with(&SHARING, device, certificate, to);
    assert_eq!(refused.unwrap_err(), InvitationError::Consumed);
}

#[test]
fn a_used_record_with_a_try_or_with_anything_but_its_guest_is_refused() {
    // What a sharing device with a client of its own could make.
    let spoilt: [fn(&mut OwnedInvitation); 4] = [
        |record| record.tries_left = 1,
        |record| record.exchanges.clear(),
        |record| record.exchanges[0].progress = record::Progress::Challenged(vec![1].into()),
        |record| record.consumed = false,
    ];
    for spoil in spoilt {
        let mut call = a_call();
        (call.owned.shared, call.owned.tries_left) = (true, 0);
        let seal =
            |record: &OwnedInvitation| record.seal(&call.clinic.device, &call.clinic.certificate, &call.deputy.1);
        assert!(call.open(NOW, &seal(&call.owned).unwrap()).is_ok());
        let mut copy = OwnedInvitation::decode(&call.owned.encode()).unwrap();
        spoil(&mut copy);
        assert_eq!(call.open(NOW, &seal(&copy).unwrap()).unwrap_err(), InvitationError::Malformed);
    }
}

#[test]
fn staff_that_is_no_deputy_cannot_fork_the_group_to_catch_a_guest_that_comes_back() {
    let mut call = a_call();
    let mut record = call.hands_over();
    let old = call.members[1].own_leaf();
    // Every member sees the key beside the host's commit.
    let verified = call.asks(&mut record, true);
    let forged = welcome_of_new_host(&mut call.members[3], &verified, old, call.other.0.public());
    let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::WrongSigner };
    assert_eq!(call.guest.join(NOW, &forged).unwrap_err(), refusal);
    // The same by the deputy: it may host anyway.
    let verified = call.asks(&mut record, true);
    let welcome = welcome_of_new_host(&mut call.members[2], &verified, old, call.deputy.0.public());
    assert!(call.guest.join(NOW, &welcome).is_ok());
}
