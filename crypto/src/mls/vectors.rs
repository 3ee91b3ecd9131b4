//! The frozen encoding of a policy. See [`crate::vectors`].

use super::policy::Policy;
use crate::{
    CallId, CallMode, DevicePublicKey, PracticeFingerprint,
    vectors::{bytes, frozen},
};

#[test]
fn the_policy_extension_is_frozen() {
    let identity = frozen("identity");
    let host: [u8; 32] = bytes(&identity["request"])[2..34].try_into().unwrap();
    let policy = Policy {
        call_id: CallId::from_bytes([9; 16]),
        practice: PracticeFingerprint::from_bytes(bytes(&identity["fingerprint"]).try_into().unwrap()),
        mode: CallMode::Real,
        hosts: vec![DevicePublicKey::from_bytes(host)],
        deputies: vec![DevicePublicKey::from_bytes([5; 32]), DevicePublicKey::from_bytes([6; 32])],
    };
    assert_eq!(policy.encode(), bytes(&frozen("policy")));
}
