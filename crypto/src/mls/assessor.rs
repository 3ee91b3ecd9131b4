//! Assessor mode from the creation to the disclosure, and everybody who would like it elsewhere.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::{
    tests::{commit, leaf, refused},
    *,
};
use crate::{
    CallId, CallMode, CallRole, GuestInvitation, InvitationError, InvitationTerms, KeyDisclosure, MediaContext,
    OwnedInvitation,
    error::{GroupError, PolicyViolation},
    testing::{Clinic, NOW, deliver},
};

fn assessor_call(clinic: &Clinic) -> CallGroup {
    let terms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Assessor };
    CallGroup::create(NOW, &clinic.device, &clinic.certificate, terms).unwrap()
}

fn invite(clinic: &Clinic, mode: CallMode) -> (OwnedInvitation, GuestInvitation, crate::InvitationCode) {
    let terms = InvitationTerms { mode, ..clinic.terms(CallRole::Patient) };
    let (owned, link, code) = OwnedInvitation::create(terms).unwrap();
    (owned, GuestInvitation::new(link), code)
}

/// A host and a guest that was asked and agreed.
fn assessed() -> Vec<CallGroup> {
    let clinic = Clinic::new();
    let mut members = vec![assessor_call(&clinic)];
    let (mut owned, mut guest, code) = invite(&clinic, CallMode::Assessor);
    let message1 = guest.knock(&code).unwrap();
    let message2 = owned.on_knock(NOW, &message1, &members[0]).unwrap().message2;
    assert_eq!(guest.on_challenge(NOW, &message2).unwrap_err(), InvitationError::AssessorMode);
    assert_eq!(guest.tries_left(), 3, "asking spends nothing");
    guest.accept_assessor().unwrap();
    let message3 = guest.on_challenge(NOW, &message2).unwrap();
    let proof = owned.on_proof(NOW, &message3).unwrap();
    guest.on_confirm(&proof.message4).unwrap();
    let bundle = members[0].admit(&proof.guest).unwrap();
    deliver(&mut members, &bundle);
    members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    members
}

#[test]
fn every_member_knows_the_mode_and_both_disclose_the_same_keys() {
    let mut members = assessed();
    let mut commitments = Vec::new();
    for _ in 0..2 {
        for at in [0, 1] {
            members[at].media_keys().unwrap();
            let bytes = members[at].heartbeat(MediaCounters::default()).unwrap();
            let heard = members[1 - at].check_heartbeat(leaf(at as u32), &bytes).unwrap();
            commitments.push((heard.epoch, leaf(at as u32), heard.commitment));
        }
        let bundle = members[0].update().unwrap();
        deliver(&mut members, &bundle);
    }
    assert!(members.iter().all(|member| member.mode() == CallMode::Assessor));
    let disclosed: Vec<_> = members.into_iter().map(|member| member.into_disclosure().unwrap()).collect();
    for disclosure in &disclosed {
        assert_eq!(disclosure.keys().len(), 2 * 2 * 4);
        for (epoch, sender, commitment) in &commitments {
            assert!(disclosure.verify_commitment(*epoch, *sender, commitment));
            assert!(!disclosure.verify_commitment(*epoch + 1, *sender, commitment));
            assert!(!disclosure.verify_commitment(*epoch, leaf(5), commitment));
        }
    }
    assert!(!disclosed[0].verify_commitment(1, leaf(0), &commitments[1].2));
}

#[test]
fn a_disclosed_key_opens_what_its_sender_sealed() {
    let mut members = assessed();
    let mut keys = members[1].media_keys().unwrap().into_parts().0;
    let frame = keys.video.seal(b"picture".to_vec()).unwrap().into_vec();
    let disclosure = members.remove(1).into_disclosure().unwrap();
    let key = disclosure.keys().iter().find(|key| key.sender() == leaf(1) && key.context() == MediaContext::Video);
    let key = key.unwrap();
    assert_eq!((key.key_id(), key.epoch()), (0x111, 1));
    // Two bytes of key id, no counter: the salt alone is the nonce.
    let (header, body) = frame.split_at(3);
    let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.key().expose()).unwrap());
    let mut body = body.to_vec();
    let nonce = Nonce::assume_unique_for_key(*key.salt());
    assert_eq!(aead.open_in_place(nonce, Aad::from(header), &mut body).unwrap(), b"picture");
}

#[test]
fn a_disclosure_survives_its_file_and_a_changed_key_breaks_the_commitment() {
    let mut members = assessed();
    members[0].media_keys().unwrap();
    let commitment = members[0].own_commitment().unwrap();
    let bytes = members.remove(0).into_disclosure().unwrap().encode();
    let read = KeyDisclosure::decode(&bytes).unwrap();
    assert!(read.verify_commitment(1, leaf(0), &commitment));
    for at in 0..bytes.len() {
        assert!(KeyDisclosure::decode(&bytes[..at]).is_err());
        let mut altered = bytes.to_vec();
        altered[at] ^= 1;
        // The members other than leaf 0 have keys in it too: those do not touch its commitment.
        let entry = at.saturating_sub(38) / 54;
        let of_leaf_0 = at >= 38 && (4..8).contains(&entry);
        let holds = KeyDisclosure::decode(&altered).is_ok_and(|read| read.verify_commitment(1, leaf(0), &commitment));
        assert!(!(of_leaf_0 && holds), "byte {at}");
    }
    assert_eq!(format!("{read:?}"), "KeyDisclosure(8 keys)");
}

#[test]
fn a_real_call_discloses_nothing() {
    for mut member in Clinic::new().full_call(1) {
        member.media_keys().unwrap();
        assert!(member.disclosure.is_none());
        assert_eq!(member.into_disclosure().unwrap_err(), GroupError::NotAssessor);
    }
}

#[test]
fn nobody_consents_before_being_asked() {
    let clinic = Clinic::new();
    let (mut owned, mut guest, code) = invite(&clinic, CallMode::Assessor);
    assert_eq!(guest.accept_assessor(), Err(InvitationError::OutOfOrder));
    let message1 = guest.knock(&code).unwrap();
    assert_eq!(guest.accept_assessor(), Err(InvitationError::OutOfOrder));
    let call = assessor_call(&clinic);
    let message2 = owned.on_knock(NOW, &message1, &call).unwrap().message2;
    assert_eq!(guest.on_challenge(NOW, &message2).unwrap_err(), InvitationError::AssessorMode);
    assert_eq!(guest.on_challenge(NOW, &message2).unwrap_err(), InvitationError::AssessorMode);
    // A new knock is a new question.
    guest.knock(&code).unwrap();
    assert_eq!(guest.accept_assessor(), Err(InvitationError::OutOfOrder));
}

#[test]
fn an_invitation_to_a_real_call_does_not_lead_into_an_assessors_and_the_other_way_round() {
    let clinic = Clinic::new();
    for (said, call) in [(CallMode::Real, assessor_call(&clinic)), (CallMode::Assessor, clinic.call())] {
        let (mut owned, mut guest, code) = invite(&clinic, said);
        let message1 = guest.knock(&code).unwrap();
        let refused = owned.on_knock(NOW, &message1, &call);
        assert_eq!(refused.unwrap_err(), InvitationError::WrongMode);
        assert_eq!(owned.tries_left(), 3);
        // A host whose client does not care.
        owned.turn_to(call.mode());
        let message2 = owned.on_knock(NOW, &message1, &call).unwrap().message2;
        assert_eq!(guest.on_challenge(NOW, &message2).unwrap_err(), InvitationError::WrongMode);
        assert_eq!(guest.tries_left(), 3);
        assert_eq!(guest.accept_assessor(), Err(InvitationError::OutOfOrder));
    }
}

#[test]
fn a_welcome_into_a_group_of_the_other_mode_is_refused() {
    let clinic = Clinic::new();
    let mut real = clinic.call();
    let (mut owned, mut guest, code) = invite(&clinic, CallMode::Real);
    let proof = {
        let message1 = guest.knock(&code).unwrap();
        let message2 = owned.on_knock(NOW, &message1, &real).unwrap().message2;
        let message3 = guest.on_challenge(NOW, &message2).unwrap();
        owned.on_proof(NOW, &message3).unwrap()
    };
    guest.on_confirm(&proof.message4).unwrap();
    // The host, or whoever has its device, turns the group after the exchange.
    let welcome = welcome_in_other_mode(&mut real, &proof.guest);
    let violation = PolicyViolation::WrongMode;
    assert_eq!(guest.join(NOW, &welcome).unwrap_err(), GroupError::Refused { committer: None, violation });
}

#[test]
fn the_mode_of_a_running_call_cannot_be_turned() {
    let mut members = Clinic::new().full_call(1);
    let forged = craft(&mut members[0], &Crafted::ChangeMode);
    assert_eq!(commit(&mut members[1], &forged), refused(Some(0), PolicyViolation::PolicyChanged));
    let mut members = assessed();
    let forged = craft(&mut members[0], &Crafted::ChangeMode);
    assert_eq!(commit(&mut members[1], &forged), refused(Some(0), PolicyViolation::PolicyChanged));
}
