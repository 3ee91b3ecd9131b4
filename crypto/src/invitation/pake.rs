//! OPAQUE (RFC 9807) over Ristretto255: the host's client plays the server for a code that it
//! made itself, the guest is the client.
//!
//! The password is KDF(S, code): who reads only one of the two channels has nothing to guess
//! with. No key stretching: guesses are bounded by three tries, not by their cost.

use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialFinalization, CredentialRequest, CredentialResponse, Identifiers, Ristretto255, ServerLogin,
    ServerLoginParameters, ServerRegistration, ServerSetup, TripleDh, errors::ProtocolError, ksf::Identity,
    rand::rngs::OsRng,
};
use zeroize::Zeroizing;

use super::code::InvitationCode;
use crate::{error::InvitationError, kdf::derive, secret::Secret};

struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2::Sha512>;
    type Ksf = Identity;
}

/// OPAQUE's session key, 64 bytes.
pub(super) type SessionKey = Zeroizing<Vec<u8>>;

/// What OPAQUE takes for the password.
pub(super) fn password(link_secret: &Secret<32>, code: &InvitationCode) -> Result<Secret<32>, InvitationError> {
    derive(link_secret.expose(), code.digits(), "code", &[]).ok_or(InvitationError::Backend)
}

/// The host's half for one invitation: key pair, seed and password file, all secret.
pub(super) struct Verifier {
    setup: Zeroizing<Vec<u8>>,
    file: Zeroizing<Vec<u8>>,
}

impl Verifier {
    /// Registers the code, both sides in memory.
    pub(super) fn new(password: &Secret<32>, id: &[u8]) -> Result<Self, InvitationError> {
        let setup = ServerSetup::<Suite>::new(&mut OsRng);
        let started = ClientRegistration::<Suite>::start(&mut OsRng, password.expose());
        let started = started.map_err(backend)?;
        let answer = ServerRegistration::start(&setup, started.message, id).map_err(backend)?;
        let parameters = ClientRegistrationFinishParameters::default();
        let upload =
            started.state.finish(&mut OsRng, password.expose(), answer.message, parameters).map_err(backend)?.message;
        let file = ServerRegistration::<Suite>::finish(upload);
        Ok(Self { setup: Zeroizing::new(setup.serialize().to_vec()), file: Zeroizing::new(file.serialize().to_vec()) })
    }

    /// Takes what [`parts`](Self::parts) gave.
    pub(super) fn stored(setup: &[u8], file: &[u8]) -> Option<Self> {
        ServerSetup::<Suite>::deserialize(setup).ok()?;
        ServerRegistration::<Suite>::deserialize(file).ok()?;
        let (setup, file) = (Zeroizing::new(setup.to_vec()), Zeroizing::new(file.to_vec()));
        Some(Self { setup, file })
    }

    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        (&self.setup, &self.file)
    }

    /// KE1 → KE2 and the state that waits for KE3.
    pub(super) fn answer(
        &self,
        id: &[u8],
        context: &[u8],
        ke1: &[u8],
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), InvitationError> {
        let setup = ServerSetup::<Suite>::deserialize(&self.setup).map_err(backend)?;
        let file = ServerRegistration::<Suite>::deserialize(&self.file).map_err(backend)?;
        let request = CredentialRequest::<Suite>::deserialize(ke1).map_err(malformed)?;
        let parameters = server_parameters(context);
        let started = ServerLogin::start(&mut OsRng, &setup, Some(file), request, id, parameters);
        let started = started.map_err(malformed)?;
        let state = Zeroizing::new(started.state.serialize().to_vec());
        Ok((started.message.serialize().to_vec(), state))
    }
}

/// KE3 → the session key; `None` for a wrong code or a changed message.
pub(super) fn verify(state: &[u8], context: &[u8], ke3: &[u8]) -> Result<Option<SessionKey>, InvitationError> {
    let state = ServerLogin::<Suite>::deserialize(state).map_err(backend)?;
    let Ok(message) = CredentialFinalization::<Suite>::deserialize(ke3) else {
        return Ok(None);
    };
    let finished = state.finish(message, server_parameters(context));
    Ok(finished.ok().map(|finished| Zeroizing::new(finished.session_key.to_vec())))
}

/// The guest's half, between KE1 and KE2.
pub(super) struct Prover {
    login: ClientLogin<Suite>,
    password: Secret<32>,
}

impl Prover {
    /// → KE1.
    pub(super) fn start(password: Secret<32>) -> Result<(Self, Vec<u8>), InvitationError> {
        let started = ClientLogin::<Suite>::start(&mut OsRng, password.expose());
        let started = started.map_err(backend)?;
        let ke1 = started.message.serialize().to_vec();
        Ok((Self { login: started.state, password }, ke1))
    }

    /// KE2 → KE3 and the session key; `None` for a wrong code or a changed message.
    pub(super) fn finish(self, context: &[u8], ke2: &[u8]) -> Result<Option<(Vec<u8>, SessionKey)>, InvitationError> {
        let response = CredentialResponse::<Suite>::deserialize(ke2).map_err(malformed)?;
        let parameters = ClientLoginFinishParameters::new(Some(context), Identifiers::default(), None);
        let password = self.password.expose();
        match self.login.finish(&mut OsRng, password, response, parameters) {
            Ok(finished) => {
                let session = Zeroizing::new(finished.session_key.to_vec());
                Ok(Some((finished.message.serialize().to_vec(), session)))
            }
            Err(_wrong_code) => Ok(None),
        }
    }
}

fn server_parameters(context: &[u8]) -> ServerLoginParameters<'_, 'static> {
    ServerLoginParameters { context: Some(context), identifiers: Identifiers::default() }
}

fn backend(_error: ProtocolError) -> InvitationError {
    InvitationError::Backend
}

fn malformed(_error: ProtocolError) -> InvitationError {
    InvitationError::Malformed
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret<32> {
        Secret::from_slice(&[byte; 32]).unwrap()
    }

    /// One exchange; the session keys of guest and host.
    fn run(code: u8, guess: u8, host: &[u8], guest: &[u8]) -> Option<(SessionKey, SessionKey)> {
        let verifier = Verifier::new(&secret(code), b"id").unwrap();
        let (prover, ke1) = Prover::start(secret(guess)).unwrap();
        let (ke2, state) = verifier.answer(b"id", host, &ke1).unwrap();
        let (ke3, at_guest) = prover.finish(guest, &ke2).unwrap()?;
        assert_eq!((ke1.len(), ke2.len(), ke3.len()), (96, 320, 64));
        let at_host = verify(&state, host, &ke3).unwrap()?;
        Some((at_guest, at_host))
    }

    #[test]
    fn both_sides_agree_with_the_right_code() {
        let (guest, host) = run(1, 1, b"context", b"context").unwrap();
        assert_eq!(guest, host);
        assert_eq!(guest.len(), 64);
    }

    #[test]
    fn a_wrong_code_and_a_changed_context_are_refused() {
        assert!(run(1, 2, b"context", b"context").is_none());
        assert!(run(1, 1, b"context", b"other").is_none());
    }

    #[test]
    fn a_changed_ke3_is_refused() {
        let verifier = Verifier::new(&secret(1), b"id").unwrap();
        let (prover, ke1) = Prover::start(secret(1)).unwrap();
        let (ke2, state) = verifier.answer(b"id", b"", &ke1).unwrap();
        let (mut ke3, _) = prover.finish(b"", &ke2).unwrap().unwrap();
        ke3[9] ^= 1;
        assert!(verify(&state, b"", &ke3).unwrap().is_none());
        assert!(verify(&state, b"", b"short").unwrap().is_none());
    }

    #[test]
    fn the_password_depends_on_link_and_code() {
        let code = InvitationCode::parse("12345678").unwrap();
        let other = InvitationCode::parse("12345679").unwrap();
        let password = |link, code| *password(&secret(link), code).unwrap().expose();
        assert_ne!(password(1, &code), password(1, &other));
        assert_ne!(password(1, &code), password(2, &code));
    }
}
