//! The real test vectors of RFC 9807 for ristretto255 (appendix C.1.1 and C.1.2), run through our
//! suite: they show that it is the RFC's 3DH with SHA-512 and no key stretching.
//!
//! opaque-ke takes its random numbers from the caller and draws them in a fixed order, so a
//! generator that reads from a script replays the RFC's. A scalar is drawn as 64 bytes and reduced:
//! the RFC's blind, then 32 zero bytes. Not run: the fake vectors of appendix C.2, for an unknown
//! user (an invitation has exactly one), and the other groups.

use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters, Identifiers,
    ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup,
    rand::{CryptoRng, Error, RngCore},
};
use serde_json::Value;

use super::Suite;

const VECTORS: &str = include_str!("../../../data/opaque-test-vectors.json");

/// Gives out what the script says and not one byte more.
struct Script(Vec<u8>);

impl Script {
    fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }

    /// Everything was drawn: the order of draws is the one that the script was written for.
    fn end(self) {
        assert!(self.0.is_empty(), "{} bytes of the script were not drawn", self.0.len());
    }
}

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        unreachable!("opaque-ke draws bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("opaque-ke draws bytes")
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        let rest = self.0.split_off(to.len());
        to.copy_from_slice(&self.0);
        self.0 = rest;
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Script {}

struct Vector(Value);

impl Vector {
    fn optional(&self, name: &str) -> Option<Vec<u8>> {
        let text = self.0.get(name)?.as_str().unwrap();
        Some((0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.optional(name).unwrap_or_else(|| panic!("the vector has no {name}"))
    }

    /// What a scalar is drawn from.
    fn scalar(&self, name: &str) -> Vec<u8> {
        [self.bytes(name), vec![0; 32]].concat()
    }
}

fn run(vector: &Vector) {
    let (client, server) = (vector.optional("client_identity"), vector.optional("server_identity"));
    let identifiers = Identifiers { client: client.as_deref(), server: server.as_deref() };
    let (password, id, context) =
        (vector.bytes("password"), vector.bytes("credential_identifier"), vector.bytes("context"));
    // The third part is the public key that stands in for unknown users; any point will do.
    let setup =
        [vector.bytes("oprf_seed"), vector.bytes("server_private_key"), vector.bytes("server_public_key")].concat();
    let setup = ServerSetup::<Suite>::deserialize(&setup).unwrap();

    let mut random = Script::new(&[&vector.scalar("blind_registration")]);
    let started = ClientRegistration::<Suite>::start(&mut random, &password).unwrap();
    random.end();
    assert_eq!(started.message.serialize().to_vec(), vector.bytes("registration_request"));
    let answer = ServerRegistration::start(&setup, started.message, &id).unwrap().message;
    assert_eq!(answer.serialize().to_vec(), vector.bytes("registration_response"));
    let mut random = Script::new(&[&vector.bytes("envelope_nonce")]);
    let parameters = ClientRegistrationFinishParameters::new(identifiers, None);
    let registered = started.state.finish(&mut random, &password, answer, parameters).unwrap();
    random.end();
    assert_eq!(registered.message.serialize().to_vec(), vector.bytes("registration_upload"));
    assert_eq!(registered.export_key.to_vec(), vector.bytes("export_key"));
    let file = ServerRegistration::<Suite>::finish(registered.message);

    let mut random = Script::new(&[
        &vector.scalar("blind_login"),
        &vector.bytes("client_keyshare_seed"),
        &vector.bytes("client_nonce"),
    ]);
    let login = ClientLogin::<Suite>::start(&mut random, &password).unwrap();
    random.end();
    assert_eq!(login.message.serialize().to_vec(), vector.bytes("KE1"));
    // The 64 bytes in front stand in for an unknown user's masking key and are not used.
    let mut random = Script::new(&[
        &[0; 64],
        &vector.bytes("masking_nonce"),
        &vector.bytes("server_keyshare_seed"),
        &vector.bytes("server_nonce"),
    ]);
    let parameters = || ServerLoginParameters { context: Some(&context), identifiers };
    let challenge = ServerLogin::start(&mut random, &setup, Some(file), login.message, &id, parameters()).unwrap();
    random.end();
    assert_eq!(challenge.message.serialize().to_vec(), vector.bytes("KE2"));
    let mut random = Script::new(&[]);
    let parameters_of_client = ClientLoginFinishParameters::new(Some(&context), identifiers, None);
    let proved = login.state.finish(&mut random, &password, challenge.message, parameters_of_client).unwrap();
    assert_eq!(proved.message.serialize().to_vec(), vector.bytes("KE3"));
    assert_eq!(proved.session_key.to_vec(), vector.bytes("session_key"));
    assert_eq!(proved.export_key.to_vec(), vector.bytes("export_key"));
    let accepted = challenge.state.finish(proved.message, parameters()).unwrap();
    assert_eq!(accepted.session_key.to_vec(), vector.bytes("session_key"));
}

#[test]
fn both_real_vectors_of_the_rfc_for_ristretto255_match() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 2);
    vectors.into_iter().for_each(|vector| run(&Vector(vector)));
}
