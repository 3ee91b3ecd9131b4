//! Keys to seal with: those of a host alone in its call.

use crypto::{CallGroup, CallId, CallMode, CallTerms, CertificateTerms, DeviceKey, PracticeKey, SenderKeys, StaffRole};

pub(super) fn sealing_keys() -> SenderKeys {
    let (practice, _) = PracticeKey::generate().unwrap();
    let device = DeviceKey::generate().unwrap();
    let terms = CertificateTerms {
        display_name: "Host".to_owned(),
        roles: vec![StaffRole::Clinician],
        registration: None,
        serial: 1,
        not_before: 1_000,
        not_after: 2_000,
    };
    let certificate = practice.certify(&device.request().unwrap(), terms).unwrap();
    let terms = CallTerms { call_id: CallId::from_bytes([7; 16]), mode: CallMode::Real };
    let mut group = CallGroup::create(1_500, &device, &certificate, terms).unwrap();
    group.media_keys().unwrap().into_parts().0
}
