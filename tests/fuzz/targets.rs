//! The registry: every parser by its name. The tests and the fuzzer (`harness/`) compile this very file.

use serde::{Serialize, de::DeserializeOwned};
use signaling::protocol::{
    AppointmentList, AuthStartRequest, BookRequest, BootstrapRequest, CertificatesResponse, ClientMessage, CodeRequest,
    CreateInvitationRequest, CreateUserRequest, EnrolRequest, InfoResponse, JoinLookupRequest, JoinLookupResponse,
    JoinRedeemRequest, JoinRedeemResponse, MoveRequest, PutCertificateRequest, ReplacePracticeRequest, RoomsResponse,
    ServerMessage, SessionResponse, TicketResponse,
};

/// A parser of any bytes: it returns, or the rule that it states does not hold.
pub(crate) type Target = (&'static str, fn(&[u8]));

const SIGNALING: [Target; 4] = [
    ("signaling_client", json::<ClientMessage>),
    ("signaling_rest_request", requests),
    ("signaling_rest_response", responses),
    ("signaling_server", json::<ServerMessage>),
];

/// Those of `crypto` and `signaling`.
pub(crate) fn targets() -> Vec<Target> {
    crypto::lab::FUZZ_TARGETS.iter().chain(&SIGNALING).copied().collect()
}

/// What is read can be written, and is then read alike.
fn json<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_vec(&value).expect("a value that was read can be written");
        let again: T = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_vec(&again).expect("it was written before"), written);
    }
}

fn requests(bytes: &[u8]) {
    json::<AuthStartRequest>(bytes);
    json::<BookRequest>(bytes);
    json::<BootstrapRequest>(bytes);
    json::<CodeRequest>(bytes);
    json::<CreateInvitationRequest>(bytes);
    json::<CreateUserRequest>(bytes);
    json::<EnrolRequest>(bytes);
    json::<JoinLookupRequest>(bytes);
    json::<JoinRedeemRequest>(bytes);
    json::<MoveRequest>(bytes);
    json::<PutCertificateRequest>(bytes);
    json::<ReplacePracticeRequest>(bytes);
}

fn responses(bytes: &[u8]) {
    json::<AppointmentList>(bytes);
    json::<CertificatesResponse>(bytes);
    json::<InfoResponse>(bytes);
    json::<JoinLookupResponse>(bytes);
    json::<JoinRedeemResponse>(bytes);
    json::<RoomsResponse>(bytes);
    json::<SessionResponse>(bytes);
    json::<TicketResponse>(bytes);
}
