//! A practice that the operator of the server made for itself: everything genuine, but under another practice key.

use std::time::{SystemTime, UNIX_EPOCH};

use crypto::{
    CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DeviceKey, GuestInvitation, InvitationTerms,
    OwnedInvitation, PracticeKey,
};
use lab::hostile::key_package;

/// Where messages of the exchange name their invitation: behind version and number.
pub(super) const INVITE: std::ops::Range<usize> = 3..19;

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// One whole exchange of the rogue practice with itself.
pub(super) struct Rogue {
    /// A knock under a link that the practice does not know.
    pub(super) message1: Vec<u8>,
    /// An answer by a host of another practice.
    pub(super) message2: Vec<u8>,
    /// A key package whose private keys the operator holds.
    pub(super) package: Vec<u8>,
}

impl Rogue {
    pub(super) fn new() -> Self {
        let phone = "+61 2 5550 0666";
        let (practice, _) = PracticeKey::generate().unwrap();
        let device = DeviceKey::generate().unwrap();
        let terms = CertificateTerms {
            display_name: "Dr Ada Example".to_owned(),
            roles: vec![crypto::StaffRole::Clinician],
            registration: None,
            serial: 1,
            not_before: now() - 60,
            not_after: now() + 86_400,
        };
        let certificate = practice.certify(&device.request().unwrap(), terms).unwrap();
        let terms = CallTerms { call_id: CallId::from_bytes([6; 16]), mode: CallMode::Real };
        let call = CallGroup::create(now(), &device, &certificate, terms).unwrap();
        let (mut owned, link, code) = OwnedInvitation::create(InvitationTerms {
            server: "127.0.0.1:1".to_owned(),
            server_pin: [6; 32],
            practice: practice.public(),
            practice_phone: phone.to_owned(),
            phone_signature: practice.sign_phone(phone).unwrap(),
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: now() - 60,
            expires_at: now() + 3600,
            appointment: "rogue".to_owned(),
        })
        .unwrap();
        let mut guest = GuestInvitation::new(link);
        let message1 = guest.knock(&code).unwrap();
        let message2 = owned.on_knock(now(), &message1, &call).unwrap().message2;
        let message3 = guest.on_challenge(now(), &message2).unwrap();
        let package = key_package(&message3).unwrap().1.to_vec();
        Self { message1, message2, package }
    }
}
