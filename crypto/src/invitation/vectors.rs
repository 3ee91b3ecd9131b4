//! Frozen answers of an invitation: link, messages, key schedule. See [`crate::vectors`].

use super::{
    keys::{InvitationKey, ProofKey},
    link::{InvitationLink, lobby_token},
    pake::password,
    wire::{self, ChallengeHead},
    *,
};
use crate::{
    CallMode, CallRole, Delivery, GroupId, InviteId, PracticeKey,
    codec::Write,
    identity::LeafCredential,
    mls::psk_id,
    secret::Secret,
    vectors::{bytes, frozen},
};

const LEAF: [u8; 32] = [0x0b; 32];
const GROUP: GroupId = GroupId::from_bytes([7; 16]);
const INVITE: InviteId = InviteId::from_bytes([0xa; 16]);
const ATTEMPT: u32 = 2;

fn secret(byte: u8) -> Secret<32> {
    Secret::from_slice(&[byte; 32]).unwrap()
}

/// Heads and bytes of messages 1 and 2.
struct Messages {
    heads: [Vec<u8>; 2],
    message1: Vec<u8>,
    message2: Vec<u8>,
}

fn messages() -> Messages {
    let head1 = wire::write_knock_head(INVITE, &LEAF, &[0x13; 32]);
    let mut message1 = head1.clone();
    message1.put_bytes(&[0x14; 96]);
    message1.put(&ProofKey::new(&secret(0x11)).unwrap().tag(&message1));
    let fields = ChallengeHead {
        group_id: GROUP,
        role: CallRole::Patient,
        mode: CallMode::Real,
        delivery: Delivery::Client,
        attempt: ATTEMPT,
        host_leaf_key: [0x15; 32],
        host_credential: &[0x16; 40],
        deny_list: &[0x1a; 30],
        succession: &[],
    };
    let head2 = wire::write_challenge_head(INVITE, &fields);
    let mut message2 = head2.clone();
    message2.put_bytes(&[0x17; 320]);
    Messages { heads: [head1, head2], message1, message2 }
}

#[test]
fn messages_and_what_is_hashed_of_them_are_frozen() {
    let frozen = frozen("invitation");
    let Messages { heads: [head1, head2], message1, message2 } = messages();
    assert_eq!(message1, bytes(&frozen["message1"]));
    assert_eq!(message2, bytes(&frozen["message2"]));
    assert_eq!(wire::context(&head1, &head2).to_vec(), bytes(&frozen["context"]));
    assert_eq!(wire::transcript(&message1, &message2).to_vec(), bytes(&frozen["transcript"]));
}

#[test]
fn the_key_schedule_of_an_invitation_is_frozen() {
    let frozen = frozen("invitation");
    let expect = |name: &str, found: &[u8]| assert_eq!(found, bytes(&frozen[name]), "{name}");
    let code = InvitationCode::parse("12345678").unwrap();
    expect("password", password(&secret(0x11), &code).unwrap().expose());
    let token = lobby_token(&secret(0x11)).unwrap();
    expect("lobby_token", token.as_bytes());
    expect("lobby_token_hash", &token.hash());

    let Messages { message1, message2, .. } = messages();
    let transcript = wire::transcript(&message1, &message2);
    let key = InvitationKey::new(&secret(0x11), &vec![0x12; 64].into(), &transcript).unwrap();
    expect("key", key.expose());
    expect("binder_key", key.binder().unwrap().expose());
    expect("card_key", key.card().unwrap().expose());
    let binder_key = key.binder().unwrap();
    let leaf = LeafCredential::invited(&binder_key, INVITE, ATTEMPT, CallRole::Patient, &LEAF, GROUP);
    expect("invited_credential", &leaf.encode());
    let reference = [0x18; 48];
    expect("guest_tag", &key.guest_tag(&transcript, &reference).unwrap());
    let host_tag = key.host_tag(&transcript, &reference).unwrap();
    expect("message4", &wire::write_confirm(INVITE, ATTEMPT, &host_tag));
    expect("external_psk", key.external_psk(ATTEMPT, &reference).unwrap().expose());
    expect("external_psk_id", &psk_id(INVITE, ATTEMPT));
}

#[test]
fn a_link_is_frozen() {
    let practice = PracticeKey::from_pkcs8(&bytes(&frozen("identity")["practice_pkcs8"])).unwrap();
    let link = InvitationLink {
        server: "127.0.0.1:7443".into(),
        server_pin: [0x19; 32],
        invite_id: INVITE,
        secret: secret(0x11),
        practice: practice.public(),
        mode: CallMode::Real,
        least_deny_list: 5,
        phone: "02 5550 0100".into(),
        phone_signature: practice.sign_phone("02 5550 0100").unwrap().try_into().unwrap(),
    };
    let expected = bytes(&frozen("invitation")["link"]);
    assert_eq!(link.to_uri().as_bytes(), expected);
    let read = InvitationLink::parse(std::str::from_utf8(&expected).unwrap()).unwrap();
    assert_eq!((read.secret, read.least_deny_list), (link.secret, 5));
}
