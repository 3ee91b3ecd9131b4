//! Two members of one call with real keys: practice, invitation with link and code, admission, export.

use crypto::{
    CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DeviceKey, GuestInvitation, InvitationTerms,
    LogEntry, MediaKeys, OwnedInvitation, PracticeKey, StaffRole,
};

type Failure = Box<dyn std::error::Error>;

const NOW: u64 = 1_800_000_000;

/// A host (leaf 0) and a guest (leaf 1) in one MLS group.
pub(crate) struct Members {
    host: CallGroup,
    guest: CallGroup,
}

impl Members {
    /// Runs the whole admission in memory.
    pub(crate) fn admitted() -> Result<Self, Failure> {
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
        let terms = CallTerms { call_id: CallId::from_bytes([7; 16]), mode: CallMode::Real };
        let mut host = CallGroup::create(NOW, &device, &certificate, terms)?;
        let phone = "02 5550 0100";
        let (mut owned, link, code) = OwnedInvitation::create(InvitationTerms {
            server: "127.0.0.1:1".into(),
            server_pin: [0; 32],
            practice: practice.public(),
            practice_phone: phone.into(),
            phone_signature: practice.sign_phone(phone)?,
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: NOW - 60,
            expires_at: NOW + 3_600,
            appointment: "loop".into(),
        })?;
        let mut invited = GuestInvitation::new(link);
        let message1 = invited.knock(&code)?;
        let knock = owned.on_knock(NOW, &message1, &host)?;
        let message3 = invited.on_challenge(NOW, &knock.message2)?;
        let proof = owned.on_proof(NOW, &message3)?;
        invited.on_confirm(&proof.message4)?;
        let bundle = host.admit(&proof.guest)?;
        host.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk: bundle.invite_psk.as_deref() })?;
        let guest = invited.join(NOW, bundle.welcome.as_deref().unwrap_or_default())?;
        Ok(Self { host, guest })
    }

    /// The present epoch's keys of host and guest. Only once an epoch.
    pub(crate) fn keys(&mut self) -> Result<(MediaKeys, MediaKeys), Failure> {
        Ok((self.host.media_keys()?, self.guest.media_keys()?))
    }

    /// Moves both to a new epoch.
    pub(crate) fn renew(&mut self) -> Result<(), Failure> {
        let bundle = self.host.update()?;
        for member in [&mut self.host, &mut self.guest] {
            member.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk: None })?;
        }
        Ok(())
    }
}
