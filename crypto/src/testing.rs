//! A practice, its host and its guests, for the tests of this crate.

use crate::{
    Bundle, CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DeviceCertificate, DeviceKey,
    GroupError, GuestInvitation, Inbound, InvitationCode, InvitationLink, InvitationTerms, LobbyCard, LogEntry,
    OwnedInvitation, PracticeKey, StaffRole, VerifiedGuest,
};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const PHONE: &str = "02 5550 0100";

pub(crate) struct Clinic {
    pub(crate) practice: PracticeKey,
    pub(crate) device: DeviceKey,
    pub(crate) certificate: DeviceCertificate,
}

impl Clinic {
    pub(crate) fn new() -> Self {
        let (practice, _) = PracticeKey::generate().unwrap();
        let device = DeviceKey::generate().unwrap();
        let terms = CertificateTerms {
            display_name: "Dr Ada Example".into(),
            roles: vec![StaffRole::Clinician],
            registration: None,
            serial: 1,
            not_before: NOW - 1000,
            not_after: NOW + 1_000_000,
        };
        let certificate = practice.certify(&device.request().unwrap(), terms).unwrap();
        Self { practice, device, certificate }
    }

    pub(crate) fn call(&self) -> CallGroup {
        let terms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };
        CallGroup::create(NOW, &self.device, &self.certificate, terms).unwrap()
    }

    /// Another certified device of the practice.
    pub(crate) fn colleague(&self, role: StaffRole) -> (DeviceKey, DeviceCertificate) {
        let device = DeviceKey::generate().unwrap();
        let terms = CertificateTerms {
            display_name: "Sam Colleague".into(),
            roles: vec![role],
            registration: None,
            serial: 2,
            not_before: NOW - 1000,
            not_after: NOW + 1_000_000,
        };
        let certificate = self.practice.certify(&device.request().unwrap(), terms).unwrap();
        (device, certificate)
    }

    pub(crate) fn terms(&self, role: CallRole) -> InvitationTerms {
        InvitationTerms {
            server: "127.0.0.1:7443".into(),
            server_pin: [4; 32],
            practice: self.practice.public(),
            practice_phone: PHONE.into(),
            phone_signature: self.practice.sign_phone(PHONE).unwrap(),
            role,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: NOW - 60,
            expires_at: NOW + 3600,
            appointment: "a1".into(),
        }
    }

    pub(crate) fn invite(&self, role: CallRole) -> (OwnedInvitation, InvitationLink, InvitationCode) {
        OwnedInvitation::create(self.terms(role)).unwrap()
    }

    /// A guest in the lobby: all of messages 1 to 4.
    pub(crate) fn lobby(&self, call: &CallGroup) -> (OwnedInvitation, GuestInvitation, VerifiedGuest) {
        let (mut owned, link, code) = self.invite(CallRole::Patient);
        let mut guest = GuestInvitation::new(link);
        let verified = exchange(&mut owned, &mut guest, &code, call);
        (owned, guest, verified)
    }

    /// A host and `guests` guests in one call.
    pub(crate) fn full_call(&self, guests: usize) -> Vec<CallGroup> {
        let mut members = vec![self.call()];
        for _ in 0..guests {
            let (_, mut guest, verified) = self.lobby(&members[0]);
            let bundle = members[0].admit(&verified).unwrap();
            deliver(&mut members, &bundle);
            members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
        }
        members
    }
}

/// Messages 1 to 4.
pub(crate) fn exchange(
    owned: &mut OwnedInvitation,
    guest: &mut GuestInvitation,
    code: &InvitationCode,
    call: &CallGroup,
) -> VerifiedGuest {
    let message1 = guest.knock(code).unwrap();
    let knock = owned.on_knock(NOW, &message1, call).unwrap();
    let message3 = guest.on_challenge(NOW, &knock.message2).unwrap();
    let proof = owned.on_proof(NOW, &message3).unwrap();
    guest.on_confirm(&proof.message4).unwrap();
    proof.guest
}

pub(crate) fn handle(member: &mut CallGroup, bundle: &Bundle) -> Result<Inbound, GroupError> {
    let invite_psk = bundle.invite_psk.as_deref();
    member.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk })
}

/// Gives a bundle to every member.
pub(crate) fn deliver(members: &mut [CallGroup], bundle: &Bundle) {
    for member in members {
        handle(member, bundle).unwrap();
    }
}

pub(crate) fn card() -> LobbyCard {
    LobbyCard {
        name: "Pat Example".into(),
        birth_date: "1980-02-03".into(),
        phone: "0455 550 123".into(),
        with_them: Some("daughter".into()),
        note: None,
    }
}
