//! Withdrawn certificates in a running call.

use super::group::CallGroup;
use crate::{
    error::{GroupError, IdentityError},
    id::LeafIndex,
    identity::DenyList,
};

impl CallGroup {
    /// Takes the practice's deny list, for every credential that comes from now on and for the
    /// answers to knocks. Members that are in the call stay until a host removes them, see
    /// [`denied_members`](Self::denied_members). `now` in Unix seconds.
    ///
    /// # Errors
    /// [`GroupError::Certificate`] for a list that does not verify, or is older than the one at
    /// hand.
    pub fn set_deny_list(&mut self, now: u64, list: DenyList) -> Result<(), GroupError> {
        list.verify(&self.policy.practice, now, self.deny.as_ref().map_or(0, DenyList::version))?;
        self.deny = Some(list);
        Ok(())
    }

    /// Members whose certificate was withdrawn while they are in the call: a host removes them.
    #[must_use]
    pub fn denied_members(&self) -> Vec<LeafIndex> {
        let leaves = self.leaves().unwrap_or_default();
        let denied = leaves.iter().filter(|leaf| leaf.credential.is_denied(self.deny.as_ref()));
        denied.map(|leaf| leaf.index).collect()
    }

    /// The list for a guest whose link demands at least version `least`.
    pub(crate) fn deny_list(&self, least: u64) -> Result<Option<&DenyList>, IdentityError> {
        match &self.deny {
            Some(list) if list.version() >= least => Ok(Some(list)),
            None if least == 0 => Ok(None),
            _ => Err(IdentityError::StaleDenyList),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        CallId, CallMode, CallRole, CallTerms, DenyTerms, GuestInvitation, InvitationError, InvitationTerms,
        OwnedInvitation, PracticeKey, StaffEntry, StaffRole,
        error::{GroupError, IdentityError, PolicyViolation},
        mls::tests::leaf,
        testing::{Clinic, NOW, deliver, exchange, handle},
    };

    const TERMS: CallTerms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };

    fn list(clinic: &Clinic, version: u64, serial: u64) -> crate::DenyList {
        let terms = DenyTerms { version, issued_at: NOW, serials: vec![serial], devices: vec![] };
        clinic.practice.deny(terms).unwrap()
    }

    fn invite(clinic: &Clinic, least_deny_list: u64) -> (OwnedInvitation, GuestInvitation, crate::InvitationCode) {
        let terms = InvitationTerms { least_deny_list, ..clinic.terms(CallRole::Patient) };
        let (owned, link, code) = OwnedInvitation::create(terms).unwrap();
        (owned, GuestInvitation::new(link), code)
    }

    #[test]
    fn a_host_without_a_new_enough_list_does_not_answer_and_no_try_is_spent() {
        let clinic = Clinic::new();
        let mut call = clinic.call();
        let (mut owned, mut guest, code) = invite(&clinic, 5);
        let stale = InvitationError::UntrustedHost(IdentityError::StaleDenyList);
        let message1 = guest.knock(&code).unwrap();
        assert_eq!(owned.on_knock(NOW, &message1, &call).unwrap_err(), stale);
        call.set_deny_list(NOW, list(&clinic, 4, 99)).unwrap();
        assert_eq!(owned.on_knock(NOW, &message1, &call).unwrap_err(), stale);
        assert_eq!(owned.tries_left(), 3);
        call.set_deny_list(NOW, list(&clinic, 5, 99)).unwrap();
        exchange(&mut owned, &mut guest, &code, &call);
        assert!(guest.is_confirmed());
    }

    #[test]
    fn a_guest_refuses_an_older_list_no_list_and_a_host_that_is_on_it() {
        let clinic = Clinic::new();
        let cases = [
            (None, 5, IdentityError::StaleDenyList),
            (Some((4, 99)), 5, IdentityError::StaleDenyList),
            (Some((5, 1)), 5, IdentityError::Denied),
            (Some((1, 1)), 0, IdentityError::Denied),
        ];
        for (shown, least, expected) in cases {
            let mut call = clinic.call();
            if let Some((version, serial)) = shown {
                call.set_deny_list(NOW, list(&clinic, version, serial)).unwrap();
            }
            let (mut owned, mut guest, code) = invite(&clinic, least);
            // A host whose client does not care.
            owned.demand_deny_list(0);
            let message1 = guest.knock(&code).unwrap();
            let message2 = owned.on_knock(NOW, &message1, &call).unwrap().message2;
            let refused = guest.on_challenge(NOW, &message2).unwrap_err();
            assert_eq!(refused, InvitationError::UntrustedHost(expected), "{shown:?}");
            assert_eq!(guest.tries_left(), 3);
        }
    }

    #[test]
    fn a_host_does_not_hide_behind_the_list_of_another_practice() {
        let (clinic, foreign) = (Clinic::new(), Clinic::new());
        let mut call = clinic.call();
        call.deny = Some(list(&foreign, 9, 99));
        let (mut owned, mut guest, code) = invite(&clinic, 5);
        let message1 = guest.knock(&code).unwrap();
        let message2 = owned.on_knock(NOW, &message1, &call).unwrap().message2;
        let refused = guest.on_challenge(NOW, &message2).unwrap_err();
        assert_eq!(refused, InvitationError::UntrustedHost(IdentityError::WrongPractice));
    }

    #[test]
    fn withdrawn_staff_is_not_admitted_by_the_host_nor_by_a_guest_that_knows() {
        let clinic = Clinic::new();
        let (device, certificate) = clinic.colleague(StaffRole::Clinician);
        let mut members = clinic.full_call(1);
        let group_id = members[0].group_id();
        let entry = StaffEntry::new(NOW, &device, &certificate, CallRole::Interpreter, group_id, TERMS).unwrap();
        members[1].set_deny_list(NOW, list(&clinic, 1, certificate.serial())).unwrap();
        let bundle = members[0].admit_staff(NOW, entry.request()).unwrap();
        let violation = PolicyViolation::BadCredential;
        let refusal = GroupError::Refused { committer: Some(leaf(0)), violation };
        assert_eq!(handle(&mut members[1], &bundle).unwrap_err(), refusal);
        handle(&mut members[0], &bundle).unwrap();

        assert!(members[0].denied_members().is_empty());
        members[0].set_deny_list(NOW, list(&clinic, 1, certificate.serial())).unwrap();
        assert_eq!(members[0].denied_members(), [leaf(2)]);
        let bundle = members[0].remove(leaf(2)).unwrap();
        handle(&mut members[0], &bundle).unwrap();
        let refused = members[0].admit_staff(NOW, entry.request()).unwrap_err();
        assert_eq!(refused, GroupError::Certificate(IdentityError::Denied));
    }

    #[test]
    fn a_guest_takes_the_hosts_list_into_the_call() {
        let clinic = Clinic::new();
        let (device, certificate) = clinic.colleague(StaffRole::Clinician);
        let mut members = vec![clinic.call()];
        let group_id = members[0].group_id();
        let entry = StaffEntry::new(NOW, &device, &certificate, CallRole::Interpreter, group_id, TERMS).unwrap();
        members[0].set_deny_list(NOW, list(&clinic, 1, 99)).unwrap();
        let (_, mut guest, verified) = clinic.lobby(&members[0]);
        let bundle = members[0].admit(&verified).unwrap();
        deliver(&mut members, &bundle);
        let joined = guest.join(NOW, &bundle.welcome.unwrap()).unwrap();
        assert_eq!(joined.deny, members[0].deny);

        let bundle = members[0].admit_staff(NOW, entry.request()).unwrap();
        deliver(&mut members, &bundle);
        members[0].set_deny_list(NOW, list(&clinic, 2, certificate.serial())).unwrap();
        let (_, mut guest, verified) = clinic.lobby(&members[0]);
        let welcome = members[0].admit(&verified).unwrap().welcome.unwrap();
        let violation = PolicyViolation::BadCredential;
        let refusal = GroupError::Refused { committer: None, violation };
        assert_eq!(guest.join(NOW, &welcome).unwrap_err(), refusal, "the withdrawn device is still in the call");
    }

    #[test]
    fn entering_staff_refuses_a_roster_with_a_withdrawn_device() {
        let clinic = Clinic::new();
        let (device, certificate) = clinic.colleague(StaffRole::Clinician);
        let mut call = clinic.call();
        let group_id = call.group_id();
        let entry = StaffEntry::new(NOW, &device, &certificate, CallRole::Interpreter, group_id, TERMS).unwrap();
        let entry = entry.with_deny_list(NOW, list(&clinic, 1, clinic.certificate.serial())).unwrap();
        let other = StaffEntry::new(NOW, &device, &certificate, CallRole::Interpreter, group_id, TERMS).unwrap();
        let foreign = other.with_deny_list(NOW, list(&Clinic::new(), 1, 99)).unwrap_err();
        assert_eq!(foreign, GroupError::Certificate(IdentityError::WrongPractice));
        let welcome = call.admit_staff(NOW, entry.request()).unwrap().welcome.unwrap();
        let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::BadCredential };
        assert_eq!(entry.join(NOW, &welcome).unwrap_err(), refusal);
    }

    #[test]
    fn a_list_of_another_practice_or_an_older_one_is_not_taken() {
        let (clinic, foreign) = (Clinic::new(), Clinic::new());
        let mut call = clinic.call();
        let refused = |error| Err(GroupError::Certificate(error));
        assert_eq!(call.set_deny_list(NOW, list(&foreign, 1, 1)), refused(IdentityError::WrongPractice));
        call.set_deny_list(NOW, list(&clinic, 2, 1)).unwrap();
        assert_eq!(call.set_deny_list(NOW, list(&clinic, 1, 1)), refused(IdentityError::StaleDenyList));
        assert_eq!(call.set_deny_list(NOW, list(&clinic, 2, 1)), Ok(()));
    }

    #[test]
    fn a_link_under_the_old_key_leads_to_a_host_under_the_new_one_by_the_statement_only() {
        let (old, new) = (Clinic::new(), Clinic::new());
        let call = new.call();
        let statement = old.practice.succeed_by(new.practice.public()).unwrap();
        let (mut owned, mut guest, code) = invite(&old, 0);
        let message1 = guest.knock(&code).unwrap();
        let wrong = InvitationError::UntrustedHost(IdentityError::WrongPractice);
        assert_eq!(owned.on_knock(NOW, &message1, &call).unwrap_err(), wrong);
        let foreign = PracticeKey::generate().unwrap().0.succeed_by(new.practice.public()).unwrap();
        assert_eq!(owned.succeed(&foreign), Err(wrong));
        owned.succeed(&statement).unwrap();
        let further = new.practice.succeed_by(old.practice.public()).unwrap();
        assert_eq!(owned.succeed(&further), Err(wrong), "once");
        owned = OwnedInvitation::decode(&owned.encode()).unwrap();
        exchange(&mut owned, &mut guest, &code, &call);
        assert!(guest.is_confirmed());

        // A statement of somebody else's does not make a fake host a true one.
        let (mut owned, mut guest, code) = invite(&old, 0);
        owned.succeed_unchecked(&foreign, new.practice.fingerprint());
        let message1 = guest.knock(&code).unwrap();
        let message2 = owned.on_knock(NOW, &message1, &call).unwrap().message2;
        assert_eq!(guest.on_challenge(NOW, &message2).unwrap_err(), wrong);
    }
}
