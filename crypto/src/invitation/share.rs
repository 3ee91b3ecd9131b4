//! Giving an invitation's record to another device of the practice, past the server.
//!
//! ```text
//! profile u16 | sharer's certificate<u16> | KEM output<u16> | sealed record<u16> | signature 64
//! ```
//!
//! Sealed (HPKE, RFC 9180, the KEM and AEAD of the call's suite) to the HPKE key in the other
//! device's certificate, and signed by the sharing device: otherwise the server could plant a
//! record with a link and a code of its own, and its guest would look invited.
//!
//! Each device counts its own tries, since only a common store could count them together, and the
//! server's is not to be trusted: one device more is three guesses more.
//!
//! A used record is shared for the time after a handover: the new host brings the guest of the
//! call back by it. It has no try, and no way to get one.

use openmls_rust_crypto::RustCrypto;
use openmls_traits::{crypto::OpenMlsCrypto as _, types::HpkeCiphertext};
use zeroize::Zeroizing;

use super::record::{OwnedInvitation, TRIES};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::{IdentityError, InvitationError},
    id::InviteId,
    identity::{DenyList, DeviceCertificate, DeviceKey, PracticeFingerprint, verify_parts},
    kdf::framed,
    mls::SUITE,
};

const LABEL: &str = "invitation share";
/// Devices of one invitation: more would make eight digits guessable (3 × 8 in 10^8).
const MAX_DEVICES: u8 = 8;
const MAX_PART: usize = 4096;

/// Who gives a record to whom: certificates are checked against practice, clock and deny list.
#[derive(Debug, Clone, Copy)]
pub struct Sharing<'a> {
    /// Unix seconds.
    pub now: u64,
    /// The newest list at hand.
    pub deny: Option<&'a DenyList>,
}

impl Sharing<'_> {
    fn check(&self, certificate: &DeviceCertificate, practice: &PracticeFingerprint) -> Result<(), InvitationError> {
        certificate.verify_pinned(practice, self.now).map_err(InvitationError::UntrustedDevice)?;
        match self.deny {
            Some(list) if list.denies(certificate) => Err(InvitationError::UntrustedDevice(IdentityError::Denied)),
            _ => Ok(()),
        }
    }
}

impl OwnedInvitation {
    /// Seals the record for another device of the practice; it starts with three tries and no
    /// exchange. Only the device that made the invitation shares it, so that it can say how many
    /// may answer. Store the record.
    ///
    /// A used one whose guest is in the call is shared for [`on_rejoin`](Self::on_rejoin) alone,
    /// by any device that has it: it answers no knock, has no try, and counts for no device. Share
    /// it as soon as the guest was admitted, for a lost host shares nothing; it holds for the
    /// guest's next 64 returns.
    ///
    /// # Errors
    /// [`InvitationError::UntrustedDevice`] for a certificate that does not verify or is not of
    /// `device`; [`InvitationError::OutOfOrder`] for a record that was shared with this device
    /// itself, or with seven already; [`InvitationError::Consumed`] for a used one whose call has
    /// ended; [`InvitationError::Backend`].
    pub fn share_with(
        &mut self,
        sharing: &Sharing<'_>,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        to: &DeviceCertificate,
    ) -> Result<Vec<u8>, InvitationError> {
        if self.consumed && !self.has_admitted() {
            return Err(InvitationError::Consumed);
        }
        if !self.consumed && (self.shared || self.devices >= MAX_DEVICES) {
            return Err(InvitationError::OutOfOrder);
        }
        sharing.check(certificate, &self.practice)?;
        sharing.check(to, &self.practice)?;
        if certificate.device_key() != device.public() || to.device_key() == device.public() {
            return Err(InvitationError::UntrustedDevice(IdentityError::BadTerms));
        }
        let mut copy = Self::decode(&self.encode())?;
        copy.shared = true;
        if self.consumed {
            copy.tries_left = 0;
        } else {
            copy.devices = self.devices + 1;
            copy.tries_left = TRIES;
            copy.attempts = 0;
            copy.exchanges.clear();
        }

        let share = copy.seal(device, certificate, to)?;
        self.devices = copy.devices;
        Ok(share)
    }

    /// Whether this device got it from another, by [`open_share`](DeviceKey::open_share).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    pub(super) fn seal(
        &self,
        device: &DeviceKey,
        certificate: &DeviceCertificate,
        to: &DeviceCertificate,
    ) -> Result<Vec<u8>, InvitationError> {
        seal(&self.encode(), device, certificate, to)
    }
}

/// Whatever it holds, sealed and signed as a record is.
pub(super) fn seal(
    record: &[u8],
    device: &DeviceKey,
    certificate: &DeviceCertificate,
    to: &DeviceCertificate,
) -> Result<Vec<u8>, InvitationError> {
    let to_key = to.device_key();
    let info = framed(LABEL, &[to_key.as_bytes()]);
    let sealed = RustCrypto::default()
        .hpke_seal(SUITE.hpke_config(), to.hpke_key(), &info, &[], record)
        .map_err(|_failed| InvitationError::Backend)?;
    let (kem_output, ciphertext) = (sealed.kem_output.as_slice(), sealed.ciphertext.as_slice());
    let parts = [&to_key.as_bytes()[..], kem_output, ciphertext];
    let signature = device.signing().sign_parts(LABEL, &parts).map_err(|_failed| InvitationError::Backend)?;
    let mut bytes = Vec::new();
    bytes.put_u16(PROFILE_VERSION);
    bytes.put_bytes(&certificate.encode());
    bytes.put_bytes(kem_output);
    bytes.put_bytes(ciphertext);
    bytes.put(&signature);
    Ok(bytes)
}

impl DeviceKey {
    /// Opens what [`OwnedInvitation::share_with`] made for this device; gives the record and who
    /// shared it. `held` are the invitations that this device has or had a record of: opening a
    /// share again would give spent tries back. A used record gives none: `held` and the window do
    /// not count, and it takes the place of one that is not used. Store the record.
    ///
    /// # Errors
    /// [`InvitationError::Malformed`]; [`InvitationError::UntrustedDevice`] for a sharer that the
    /// practice did not certify, or that did not sign it; [`InvitationError::BadConfirmation`]
    /// for one that is sealed to another device; [`InvitationError::OutOfOrder`] for an
    /// invitation in `held`; [`InvitationError::Expired`].
    pub fn open_share(
        &self,
        sharing: &Sharing<'_>,
        practice: &PracticeFingerprint,
        held: &[InviteId],
        share: &[u8],
    ) -> Result<(OwnedInvitation, DeviceCertificate), InvitationError> {
        let Share { certificate, sealed, signature } = Share::read(share).ok_or(InvitationError::Malformed)?;
        sharing.check(&certificate, practice)?;
        let own = self.public();
        let parts = [&own.as_bytes()[..], sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()];
        verify_parts(certificate.device_key().as_bytes(), LABEL, &parts, &signature)
            .map_err(InvitationError::UntrustedDevice)?;
        let pair = self.hpke_pair().map_err(|_failed| InvitationError::Backend)?;
        let info = framed(LABEL, &[own.as_bytes()]);
        let record = RustCrypto::default()
            .hpke_open(SUITE.hpke_config(), &sealed, &pair.private, &info, &[])
            .map(Zeroizing::new)
            .map_err(|_refused| InvitationError::BadConfirmation)?;
        let record = OwnedInvitation::decode(&record)?;
        let used = record.has_admitted() && record.tries_left == 0;
        let unused = !record.consumed && record.exchanges.is_empty();
        if record.practice != *practice || !record.shared || !(used || unused) {
            return Err(InvitationError::Malformed);
        }
        if used {
            return Ok((record, certificate));
        }
        if held.contains(&record.invite_id()) {
            return Err(InvitationError::OutOfOrder);
        }
        if sharing.now > record.expires_at() {
            return Err(InvitationError::Expired);
        }
        Ok((record, certificate))
    }
}

struct Share {
    certificate: DeviceCertificate,
    sealed: HpkeCiphertext,
    signature: [u8; 64],
}

impl Share {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let certificate = DeviceCertificate::decode(reader.bytes(MAX_PART)?).ok()?;
        let kem_output = reader.bytes(MAX_PART)?.to_vec().into();
        let ciphertext = reader.bytes(MAX_PART)?.to_vec().into();
        let signature = reader.array()?;
        reader.end()?;
        Some(Self { certificate, sealed: HpkeCiphertext { kem_output, ciphertext }, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CallGroup, CallId, CallMode, CallRole, CallTerms, DenyTerms, GuestInvitation, StaffRole,
        testing::{Clinic, NOW, exchange},
    };

    const SHARING: Sharing<'static> = Sharing { now: NOW, deny: None };

    struct Practice {
        clinic: Clinic,
        other: (DeviceKey, DeviceCertificate),
        owned: OwnedInvitation,
        link: crate::InvitationLink,
        code: crate::InvitationCode,
    }

    fn a_practice() -> Practice {
        let clinic = Clinic::new();
        let other = clinic.colleague(StaffRole::Clinician);
        let (owned, link, code) = clinic.invite(CallRole::Patient);
        Practice { clinic, other, owned, link, code }
    }

    impl Practice {
        fn share(&mut self) -> Result<Vec<u8>, InvitationError> {
            self.owned.share_with(&SHARING, &self.clinic.device, &self.clinic.certificate, &self.other.1)
        }

        fn open(&self, share: &[u8]) -> Result<(OwnedInvitation, DeviceCertificate), InvitationError> {
            self.other.0.open_share(&SHARING, &self.clinic.practice.fingerprint(), &[], share)
        }
    }

    #[test]
    fn the_other_device_answers_the_same_link_and_code_with_tries_of_its_own() {
        let mut practice = a_practice();
        practice.owned.tries_left = 1;
        let share = practice.share().unwrap();
        let (mut record, sharer) = practice.open(&share).unwrap();
        assert_eq!(sharer, practice.clinic.certificate);
        assert_eq!((practice.owned.devices(), practice.owned.is_shared()), (2, false));
        assert_eq!((record.devices(), record.is_shared(), record.tries_left()), (2, true, 3));
        let record_bytes = record.encode();
        assert_eq!(OwnedInvitation::decode(&record_bytes).unwrap().devices(), 2);

        let terms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };
        let call = CallGroup::create(NOW, &practice.other.0, &practice.other.1, terms).unwrap();
        let mut guest = GuestInvitation::new(practice.link);
        exchange(&mut record, &mut guest, &practice.code, &call);
        assert_eq!(guest.host().unwrap().display_name, "Sam Colleague");
        assert_eq!(practice.owned.tries_left(), 1);
    }

    #[test]
    fn a_share_hides_the_record_and_every_changed_byte_is_refused() {
        let mut practice = a_practice();
        let share = practice.share().unwrap();
        let secret = practice.owned.secret.expose().to_vec();
        assert!(!share.windows(32).any(|window| window == secret));
        for at in (0..share.len()).step_by(13).chain(share.len() - 64..share.len()) {
            let mut altered = share.clone();
            altered[at] ^= 1;
            assert!(practice.open(&altered).is_err(), "byte {at}");
            assert!(practice.open(&share[..at]).is_err());
        }
    }

    #[test]
    fn only_the_device_that_it_is_sealed_to_opens_it() {
        let mut practice = a_practice();
        let share = practice.share().unwrap();
        let third = practice.clinic.colleague(StaffRole::Clinician);
        let refused = third.0.open_share(&SHARING, &practice.clinic.practice.fingerprint(), &[], &share);
        let expected = InvitationError::UntrustedDevice(IdentityError::BadSignature);
        assert_eq!(refused.unwrap_err(), expected);
    }

    #[test]
    fn the_server_cannot_plant_a_record_of_its_own() {
        let practice = a_practice();
        // It has a practice, devices and records, but not this practice's signature.
        let mut fake = a_practice();
        fake.other.0 = DeviceKey::generate().unwrap();
        let planted = fake.clinic.practice.certify(
            &practice.other.0.request().unwrap(),
            crate::CertificateTerms {
                display_name: "x".into(),
                roles: vec![StaffRole::Clinician],
                registration: None,
                serial: 1,
                not_before: NOW - 1,
                not_after: NOW + 1,
            },
        );
        fake.other.1 = planted.unwrap();
        let share = fake.share().unwrap();
        let expected = InvitationError::UntrustedDevice(IdentityError::WrongPractice);
        assert_eq!(practice.open(&share).unwrap_err(), expected);
        // Nor with the true sharer's certificate over its own sealing.
        let mut fields = Share::read(&share).unwrap();
        fields.certificate = practice.clinic.certificate.clone();
        let mut forged = Vec::new();
        forged.put_u16(PROFILE_VERSION);
        forged.put_bytes(&fields.certificate.encode());
        forged.put_bytes(fields.sealed.kem_output.as_slice());
        forged.put_bytes(fields.sealed.ciphertext.as_slice());
        forged.put(&fields.signature);
        let expected = InvitationError::UntrustedDevice(IdentityError::BadSignature);
        assert_eq!(practice.open(&forged).unwrap_err(), expected);
    }

    #[test]
    fn a_replayed_or_expired_share_gives_no_fresh_tries() {
        let mut practice = a_practice();
        let share = practice.share().unwrap();
        let pinned = practice.clinic.practice.fingerprint();
        let held = [practice.owned.invite_id()];
        let again = practice.other.0.open_share(&SHARING, &pinned, &held, &share);
        assert_eq!(again.unwrap_err(), InvitationError::OutOfOrder);
        let late = Sharing { now: practice.owned.expires_at() + 1, deny: None };
        let expired = practice.other.0.open_share(&late, &pinned, &[], &share);
        assert_eq!(expired.unwrap_err(), InvitationError::Expired);
    }

    #[test]
    fn nobody_shares_with_a_stranger_an_outdated_or_withdrawn_device_or_itself() {
        let mut practice = a_practice();
        let foreign = Clinic::new();
        let untrusted = |error| Err(InvitationError::UntrustedDevice(error));
        let Practice { clinic, other, owned, .. } = &mut practice;
        let mut share = |sharing: &Sharing<'_>, to: &DeviceCertificate| {
            owned.share_with(sharing, &clinic.device, &clinic.certificate, to)
        };
        assert_eq!(share(&SHARING, &foreign.certificate), untrusted(IdentityError::WrongPractice));
        let late = Sharing { now: other.1.not_after() + 1, deny: None };
        assert_eq!(share(&late, &other.1), untrusted(IdentityError::Expired));
        assert_eq!(share(&SHARING, &clinic.certificate), untrusted(IdentityError::BadTerms));
        let terms = DenyTerms { version: 1, issued_at: NOW, serials: vec![other.1.serial()], devices: vec![] };
        let list = clinic.practice.deny(terms).unwrap();
        let denied = Sharing { now: NOW, deny: Some(&list) };
        assert_eq!(share(&denied, &other.1), untrusted(IdentityError::Denied));
        let (device, certificate) = (&clinic.device, &clinic.certificate);
        assert_eq!(owned.share_with(&SHARING, &other.0, certificate, &other.1), untrusted(IdentityError::BadTerms));
        let terms = crate::CertificateTerms {
            display_name: "x".into(),
            roles: vec![StaffRole::Clinician],
            registration: None,
            serial: 1,
            not_before: NOW - 1,
            not_after: NOW + 1,
        };
        let moved = foreign.practice.certify(&device.request().unwrap(), terms).unwrap();
        let refused = owned.share_with(&SHARING, device, &moved, &other.1);
        assert_eq!(refused, untrusted(IdentityError::WrongPractice), "vouched for by somebody else");
        assert_eq!(owned.devices(), 1);

        for _ in 1..MAX_DEVICES {
            owned.share_with(&SHARING, device, certificate, &other.1).unwrap();
        }
        let full = owned.share_with(&SHARING, device, certificate, &other.1);
        assert_eq!(full, Err(InvitationError::OutOfOrder));
        owned.consume();
        let used = owned.share_with(&SHARING, device, certificate, &other.1);
        assert_eq!(used, Err(InvitationError::Consumed));
    }

    #[test]
    fn a_shared_record_is_not_shared_on() {
        let mut practice = a_practice();
        let share = practice.share().unwrap();
        let (mut record, _) = practice.open(&share).unwrap();
        let (device, certificate) = &practice.other;
        let refused = record.share_with(&SHARING, device, certificate, &practice.clinic.certificate);
        assert_eq!(refused, Err(InvitationError::OutOfOrder));
    }
}
