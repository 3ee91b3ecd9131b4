//! A practice, its host's call, and guests who proved link and code.

use crypto::{
    CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DeviceCertificate, DeviceKey, GuestInvitation,
    InvitationTerms, OwnedInvitation, PracticeKey, StaffRole, VerifiedGuest,
};

type Failure = Box<dyn std::error::Error>;

/// The day on which it all happens, in Unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A practice with one certified device.
pub(crate) struct Clinic {
    practice: PracticeKey,
    device: DeviceKey,
    certificate: DeviceCertificate,
}

impl Clinic {
    pub(crate) fn new() -> Result<Self, Failure> {
        let (practice, _) = PracticeKey::generate()?;
        let device = DeviceKey::generate()?;
        let certificate = practice.certify(
            &device.request()?,
            CertificateTerms {
                display_name: "Dr Loop".into(),
                roles: vec![StaffRole::Clinician],
                registration: None,
                serial: 1,
                not_before: NOW - 1_000,
                not_after: NOW + 100_000,
            },
        )?;
        Ok(Self { practice, device, certificate })
    }

    /// A call with the host alone in it.
    pub(crate) fn open(&self) -> Result<CallGroup, Failure> {
        let terms = CallTerms { call_id: CallId::from_bytes([7; 16]), mode: CallMode::Real };
        Ok(CallGroup::create(NOW, &self.device, &self.certificate, terms)?)
    }

    /// A guest in the lobby, and what the host knows of it: all messages of an invitation, in memory.
    pub(crate) fn lobby(&self, host: &CallGroup) -> Result<(GuestInvitation, VerifiedGuest), Failure> {
        let phone = "02 5550 0100";
        let (mut owned, link, code) = OwnedInvitation::create(InvitationTerms {
            server: "127.0.0.1:1".into(),
            server_pin: [0; 32],
            practice: self.practice.public(),
            practice_phone: phone.into(),
            phone_signature: self.practice.sign_phone(phone)?,
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: NOW - 60,
            expires_at: NOW + 3_600,
            appointment: "loop".into(),
        })?;
        let mut invited = GuestInvitation::new(link);
        let message1 = invited.knock(&code)?;
        let knock = owned.on_knock(NOW, &message1, host)?;
        let message3 = invited.on_challenge(NOW, &knock.message2)?;
        let proof = owned.on_proof(NOW, &message3)?;
        invited.on_confirm(&proof.message4)?;
        Ok((invited, proof.guest))
    }
}
