//! Link, code, the five messages and the record. See [`crate::fuzz`].

use std::cell::RefCell;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{
    keys::{InvitationKey, ProofKey},
    pake::{Prover, password},
    wire, *,
};
use crate::{
    InvitationError,
    codec::Write,
    fuzz::{NOW, Practice},
    kdf::sha256,
    secret::Secret,
};

/// Text as it was pasted, and the content of a link whose checksum fits.
pub(crate) fn link(bytes: &[u8]) {
    InvitationLink::parse(&String::from_utf8_lossy(bytes)).ok();
    let checked = [bytes, sha256(bytes).get(..4).unwrap_or_default()].concat();
    let uri = format!("quietroom:{}", URL_SAFE_NO_PAD.encode(checked));
    if let Ok(link) = InvitationLink::parse(&uri) {
        assert_eq!(*link.to_uri(), uri, "one link has one spelling");
    }
}

pub(crate) fn code(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(code) = InvitationCode::parse(&text) {
        let again = InvitationCode::parse(&code.display()).expect("what is shown can be typed");
        assert_eq!(again.digits(), code.digits());
    }
}

pub(crate) fn record(bytes: &[u8]) {
    if let Ok(record) = OwnedInvitation::decode(bytes) {
        let encoded = record.encode();
        assert_eq!(*OwnedInvitation::decode(&encoded).expect("our own encoding").encode(), *encoded);
    }
}

/// A record from another device: as it is, and as what a colleague's device sealed and signed.
pub(crate) fn share(bytes: &[u8]) {
    Practice::with(|practice| {
        let (sharing, pinned) = (Sharing { now: NOW, deny: None }, practice.call.practice());
        let (device, to) = &practice.colleague;
        assert!(device.open_share(&sharing, &pinned, &[], bytes).is_err(), "nobody else has a device's key");
        let sealed = share::seal(bytes, &practice.host.0, &practice.host.1, to).expect("it seals");
        if let Ok((record, _)) = device.open_share(&sharing, &pinned, &[], &sealed) {
            assert!(record.is_shared(), "a device says that it is not the one that made it");
        }
    });
}

/// Message 1: its end is replaced by a valid link proof, as everybody with the link can make it.
pub(crate) fn knock(bytes: &[u8]) {
    let lobby = Lobby::fresh();
    let mut message = lobby.addressed(1, bytes);
    message.put(&ProofKey::new(&lobby.secret).expect("HKDF").tag(&message));
    for message in [bytes, &message] {
        let mut owned = lobby.owned();
        let answer = Practice::with(|practice| owned.on_knock(NOW, message, &practice.call));
        assert!(answer.is_err() || owned.tries_left() == 2, "an answer costs a try");
    }
}

/// Message 6 of somebody who was never admitted.
pub(crate) fn come_again(bytes: &[u8]) {
    let lobby = Lobby::challenged();
    for message in [bytes, &lobby.addressed(6, bytes)] {
        let mut owned = lobby.owned();
        Practice::with(|practice| {
            assert!(owned.on_retry(NOW, message, &practice.call).is_err(), "nobody else has K_retry");
            assert!(owned.on_rejoin(message, &practice.call).is_err(), "nobody else has K_rejoin");
        });
    }
}

/// Message 2, to a guest who has just knocked.
pub(crate) fn challenge(bytes: &[u8]) {
    let lobby = Lobby::fresh();
    let addressed = lobby.addressed(2, bytes);
    for message in [bytes, &addressed] {
        let mut guest = GuestInvitation::new(lobby.link());
        guest.knock(&lobby.code()).expect("a first knock");
        assert!(guest.on_challenge(NOW, message).is_err(), "nobody has the host's key");
    }
}

/// Message 3 of somebody who does not know the code.
pub(crate) fn proof(bytes: &[u8]) {
    let lobby = Lobby::challenged();
    for message in [bytes, &lobby.addressed(3, bytes), &lobby.addressed(3, &[&[0, 0, 0, 1], bytes].concat())] {
        assert!(lobby.owned().on_proof(NOW, message).is_err(), "nobody else knows the code");
    }
}

/// Message 3 of a guest that knows link and code: its key package is the input, its MACs are right.
pub(crate) fn package(bytes: &[u8]) {
    let lobby = Lobby::challenged();
    let Some((ke3, session, transcript)) = &lobby.agreed else { return };
    let key = InvitationKey::new(&lobby.secret, session, transcript).expect("HKDF");
    let tag = key.guest_tag(transcript, &[]).expect("HKDF");
    let message = wire::write_proof(lobby.id, 1, ke3, bytes, &tag);
    let answer = lobby.owned().on_proof(NOW, &message);
    assert!(!matches!(answer, Err(InvitationError::WrongCode { .. })), "the code was right");
    assert!(answer.is_err(), "the MAC covers the reference of no package");
}

/// Message 4, to a guest who waits for none and to the reader.
pub(crate) fn confirm(bytes: &[u8]) {
    let lobby = Lobby::fresh();
    for message in [bytes, &lobby.addressed(4, bytes)] {
        wire::read_confirm(lobby.id, message).ok();
        assert!(GuestInvitation::new(lobby.link()).on_confirm(message).is_err());
        assert!(message_number(message).is_none_or(|number| (1..=6).contains(&number)));
    }
}

/// Message 5: as it is, and as the content under the right seal.
pub(crate) fn card(bytes: &[u8]) {
    let lobby = Lobby::fresh();
    for message in [bytes, &lobby.addressed(5, bytes)] {
        assert!(lobby.owned().on_card(message).is_err(), "nobody has proved anything");
    }
    let key = InvitationKey::stored(Secret::from_slice(&[7; 32]).expect("32 bytes"));
    let aead = UnboundKey::new(&AES_256_GCM, key.card().expect("HKDF").expose()).map(LessSafeKey::new);
    let mut content = bytes.to_vec();
    let mut message = wire::write_card_head(lobby.id, 1);
    aead.expect("32 bytes")
        .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::from(&message), &mut content)
        .expect("ring seals");
    message.put(&[0; NONCE_LEN]);
    message.put(&content);
    let sealed = wire::read_card(lobby.id, &message).expect("it was just written");
    if let Ok(card) = LobbyCard::open(&key, &sealed) {
        card.seal(&key, lobby.id, 1).ok();
    }
}

/// One invitation of this thread, as it is stored.
#[derive(Clone)]
struct Lobby {
    id: crate::InviteId,
    secret: std::rc::Rc<Secret<32>>,
    record: Vec<u8>,
    link: String,
    code: String,
    /// KE3, session key and transcript, after messages 1 and 2.
    agreed: Option<(Vec<u8>, pake::SessionKey, [u8; 48])>,
}

thread_local! {
    static LOBBIES: RefCell<Option<[Lobby; 2]>> = const { RefCell::new(None) };
}

impl Lobby {
    /// Nobody has knocked.
    fn fresh() -> Self {
        let [fresh, _] = Self::both();
        fresh
    }

    /// Message 2 was sent.
    fn challenged() -> Self {
        let [_, challenged] = Self::both();
        challenged
    }

    fn both() -> [Self; 2] {
        let known = LOBBIES.with_borrow(Clone::clone);
        known.unwrap_or_else(|| {
            let made = Self::make();
            LOBBIES.with_borrow_mut(|lobbies| lobbies.insert(made).clone())
        })
    }

    fn make() -> [Self; 2] {
        let terms = Practice::with(|practice| practice.terms.clone());
        let (mut owned, link, code) = OwnedInvitation::create(terms).expect("the terms are in bounds");
        let fresh = Self {
            id: owned.invite_id(),
            secret: Secret::from_slice(link.secret.expose()).expect("32 bytes").into(),
            record: owned.encode().to_vec(),
            link: link.to_uri().to_string(),
            code: code.display().to_string(),
            agreed: None,
        };
        // A guest of our own making, that keeps what a real one wipes.
        let (prover, ke1) = Prover::start(password(&fresh.secret, &code).expect("HKDF")).expect("OPAQUE starts");
        let head = wire::write_knock_head(fresh.id, &[5; 32], &[6; 32]);
        let mut message1 = head.clone();
        message1.put_bytes(&ke1);
        message1.put(&ProofKey::new(&fresh.secret).expect("HKDF").tag(&message1));
        let knock =
            Practice::with(|practice| owned.on_knock(NOW, &message1, &practice.call)).expect("the host answers");
        let challenge = wire::read_challenge(fresh.id, &knock.message2).expect("the host's own");
        let context = wire::context(&head, challenge.head);
        let (ke3, session) = prover.finish(&context, challenge.ke2).expect("it parses").expect("the code is right");
        let transcript = wire::transcript(&message1, &knock.message2);
        let record = owned.encode().to_vec();
        let challenged = Self { record, agreed: Some((ke3, session, transcript)), ..fresh.clone() };
        [fresh, challenged]
    }

    fn owned(&self) -> OwnedInvitation {
        OwnedInvitation::decode(&self.record).expect("our own encoding")
    }

    fn link(&self) -> InvitationLink {
        InvitationLink::parse(&self.link).expect("our own link")
    }

    fn code(&self) -> InvitationCode {
        InvitationCode::parse(&self.code).expect("our own code")
    }

    /// The input as message `number` of this invitation.
    fn addressed(&self, number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut message = wire::write_confirm(self.id, 0, &[]);
        message.truncate(19);
        if let Some(kind) = message.get_mut(2) {
            *kind = number;
        }
        message.put(bytes);
        message
    }
}
