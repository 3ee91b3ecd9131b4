//! The practice's deny list: what a certificate's short life does not end soon enough.
//!
//! ```text
//! profile u16 | practice key 32 | version u64 | issued at u64
//! | count u16 × serial u64 | count u16 × device key 32 | signature 64
//! ```
//!
//! Links carry the least version that a host must show, so the server cannot keep a newer list
//! from hosts and an older one in use. It carries nobody's name.

use super::{
    device::{DeviceCertificate, DevicePublicKey},
    practice::{PracticeFingerprint, PracticePublicKey},
    signing::{SigningKey, verify_parts},
};
use crate::{
    PROFILE_VERSION,
    codec::{Reader, Write},
    error::IdentityError,
};

/// Most serial numbers and most devices on a list. A certificate leaves it after 30 days, when it
/// has expired anyway.
///
/// More would not fit beside the host's certificate in message 2 of the invitation.
const MAX_SERIALS: usize = 256;
const MAX_DEVICES: usize = 128;
/// How far the owner's clock may run ahead, in seconds.
const CLOCK_SKEW: u64 = 300;
const LABEL: &str = "deny list";

/// What a deny list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyTerms {
    /// Counts up with every list of the practice, from 1.
    pub version: u64,
    /// When it was signed; Unix seconds.
    pub issued_at: u64,
    /// Certificates, by serial; at most 256.
    pub serials: Vec<u64>,
    /// Devices with all their certificates; at most 128.
    pub devices: Vec<DevicePublicKey>,
}

/// A deny list, signed by the practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyList {
    practice: PracticePublicKey,
    terms: DenyTerms,
    signature: [u8; 64],
}

impl DenyList {
    pub(super) fn sign(practice: &SigningKey, mut terms: DenyTerms) -> Result<Self, IdentityError> {
        terms.serials.sort_unstable();
        terms.serials.dedup();
        terms.devices.sort_unstable();
        terms.devices.dedup();
        if terms.version == 0 || terms.serials.len() > MAX_SERIALS || terms.devices.len() > MAX_DEVICES {
            return Err(IdentityError::BadTerms);
        }
        let practice_key = PracticePublicKey::from_bytes(*practice.public());
        let mut list = Self { practice: practice_key, terms, signature: [0; 64] };
        list.signature = practice.sign_parts(LABEL, &[&list.signed_part()])?;
        Ok(list)
    }

    /// The wire form, at most 7 KiB.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.signed_part();
        bytes.put(&self.signature);
        bytes
    }

    /// Reads a list; believes nothing of it yet.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        Self::read(bytes).filter(|list| list.encode() == bytes).ok_or(IdentityError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16()? != PROFILE_VERSION {
            return None;
        }
        let practice = PracticePublicKey::from_bytes(reader.array()?);
        let (version, issued_at) = (reader.u64()?, reader.u64()?);
        let count = reader.u16().filter(|count| usize::from(*count) <= MAX_SERIALS)?;
        let serials = (0..count).map(|_| reader.u64()).collect::<Option<Vec<_>>>()?;
        let count = reader.u16().filter(|count| usize::from(*count) <= MAX_DEVICES)?;
        let devices = (0..count).map(|_| reader.array().map(DevicePublicKey::from_bytes));
        let devices = devices.collect::<Option<Vec<_>>>()?;
        let signature = reader.array()?;
        reader.end()?;
        // One list has one spelling.
        let sorted = serials.is_sorted_by(|a, b| a < b) && devices.is_sorted_by(|a, b| a < b);
        let terms = DenyTerms { version, issued_at, serials, devices };
        (sorted && version > 0).then_some(Self { practice, terms, signature })
    }

    /// Checks practice, signature, and that it is a list of at least `least` (0 for any), signed
    /// before `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`IdentityError::WrongPractice`], [`IdentityError::BadSignature`],
    /// [`IdentityError::NotYetValid`], [`IdentityError::StaleDenyList`].
    pub fn verify(&self, practice: &PracticeFingerprint, now: u64, least: u64) -> Result<(), IdentityError> {
        if self.practice.fingerprint() != *practice {
            return Err(IdentityError::WrongPractice);
        }
        verify_parts(self.practice.as_bytes(), LABEL, &[&self.signed_part()], &self.signature)?;
        if self.terms.issued_at > now.saturating_add(CLOCK_SKEW) {
            return Err(IdentityError::NotYetValid);
        }
        if self.terms.version < least {
            return Err(IdentityError::StaleDenyList);
        }
        Ok(())
    }

    /// Whether the certificate, or its device, stands on it.
    #[must_use]
    pub fn denies(&self, certificate: &DeviceCertificate) -> bool {
        self.terms.serials.contains(&certificate.serial()) || self.terms.devices.contains(&certificate.device_key())
    }

    /// Its number within the practice.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.terms.version
    }

    /// When it was signed; Unix seconds.
    #[must_use]
    pub fn issued_at(&self) -> u64 {
        self.terms.issued_at
    }

    fn signed_part(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.put_u16(PROFILE_VERSION);
        bytes.put(self.practice.as_bytes());
        bytes.put_u64(self.terms.version);
        bytes.put_u64(self.terms.issued_at);
        bytes.put_u16(self.terms.serials.len() as u16);
        self.terms.serials.iter().for_each(|serial| bytes.put_u64(*serial));
        bytes.put_u16(self.terms.devices.len() as u16);
        self.terms.devices.iter().for_each(|device| bytes.put(device.as_bytes()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PracticeKey, StaffRole,
        testing::{Clinic, NOW},
    };

    fn terms() -> DenyTerms {
        let devices = vec![DevicePublicKey::from_bytes([8; 32]), DevicePublicKey::from_bytes([7; 32])];
        DenyTerms { version: 3, issued_at: NOW, serials: vec![9, 2, 2], devices }
    }

    #[test]
    fn a_list_survives_the_wire_and_denies_by_serial_and_by_device() {
        let clinic = Clinic::new();
        let list = clinic.practice.deny(terms()).unwrap();
        let read = DenyList::decode(&list.encode()).unwrap();
        assert_eq!(read, list);
        assert_eq!(read.verify(&clinic.practice.fingerprint(), NOW, 3), Ok(()));
        assert!(!read.denies(&clinic.certificate));
        assert!(read.denies(&clinic.colleague(StaffRole::Clinician).1), "serial 2");
        let devices = vec![clinic.device.public()];
        assert!(clinic.practice.deny(DenyTerms { devices, ..terms() }).unwrap().denies(&clinic.certificate));
    }

    #[test]
    fn an_older_foreign_early_or_altered_list_is_refused() {
        let clinic = Clinic::new();
        let pinned = clinic.practice.fingerprint();
        let list = clinic.practice.deny(terms()).unwrap();
        assert_eq!(list.verify(&pinned, NOW, 4), Err(IdentityError::StaleDenyList));
        assert_eq!(list.verify(&pinned, NOW - 301, 0), Err(IdentityError::NotYetValid));
        let foreign = PracticeKey::generate().unwrap().0;
        assert_eq!(list.verify(&foreign.fingerprint(), NOW, 0), Err(IdentityError::WrongPractice));
        let bytes = list.encode();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let accepted = DenyList::decode(&altered).is_ok_and(|list| list.verify(&pinned, NOW, 0).is_ok());
            assert!(!accepted, "byte {at}");
            assert!(DenyList::decode(&bytes[..at]).is_err());
        }
    }

    #[test]
    fn a_list_out_of_bounds_is_not_signed_and_not_read() {
        let clinic = Clinic::new();
        let long: Vec<u64> = (0..257).collect();
        let devices: Vec<_> = (0..129_u8).map(|byte| DevicePublicKey::from_bytes([byte; 32])).collect();
        for bad in [
            DenyTerms { version: 0, ..terms() },
            DenyTerms { serials: long.clone(), ..terms() },
            DenyTerms { devices: devices.clone(), ..terms() },
        ] {
            assert_eq!(clinic.practice.deny(bad), Err(IdentityError::BadTerms));
        }
        let full = DenyTerms { serials: long[1..].to_vec(), devices: devices[1..].to_vec(), ..terms() };
        let bytes = clinic.practice.deny(full).unwrap().encode();
        assert!(DenyList::decode(&bytes).is_ok() && bytes.len() < 7 * 1024);
        // Two serials in the other order: the same list with another spelling.
        let mut swapped = clinic.practice.deny(terms()).unwrap();
        swapped.terms.serials.reverse();
        assert!(DenyList::decode(&swapped.encode()).is_err());
    }
}
