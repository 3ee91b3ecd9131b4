//! Members that were lost and come back, and others who claim to be one.

use super::{
    attached::Attached,
    craft::return_with,
    tests::{agree, application, commit, leaf, refused},
    *,
};
use crate::{
    DenyTerms, GuestInvitation, InvitationError, OwnedInvitation, ProofReply,
    error::{GroupError, PolicyViolation},
    testing::{Clinic, NOW, deliver, handle},
};

/// A host, the guest that will be lost, and one that watches.
struct Call {
    clinic: Clinic,
    members: Vec<CallGroup>,
    owned: OwnedInvitation,
    guest: GuestInvitation,
}

fn a_call() -> Call {
    let clinic = Clinic::new();
    let mut members = vec![clinic.call()];
    let (mut owned, mut guest, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    members.push(guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    owned.admitted(&verified).unwrap();
    let (_, mut other, verified) = clinic.lobby(&members[0]);
    let bundle = members[0].admit(&verified).unwrap();
    deliver(&mut members, &bundle);
    members.push(other.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap());
    Call { clinic, members, owned, guest }
}

impl Call {
    /// Message 6 and its answer.
    fn asks(&mut self, with_old_leaf: bool) -> ProofReply {
        let old = with_old_leaf.then_some(&self.members[1]);
        let message6 = self.guest.rejoin(old).unwrap();
        self.owned = OwnedInvitation::decode(&self.owned.encode()).unwrap();
        let reply = self.owned.on_rejoin(&message6, &self.members[0]).unwrap();
        self.guest.on_confirm(&reply.message4).unwrap();
        reply
    }
}

#[test]
fn a_lost_guest_comes_back_by_one_commit_with_and_without_its_old_leaf() {
    for with_old_leaf in [true, false] {
        let mut call = a_call();
        let reply = call.asks(with_old_leaf);
        let bundle = call.members[0].readmit(&reply.guest).unwrap();
        assert!(bundle.invite_psk.is_some());
        let expected = Inbound::Epoch { own: false, added: vec![leaf(1)], removed: vec![leaf(1)], self_removed: false };
        assert_eq!(handle(&mut call.members[2], &bundle), Ok(expected));
        handle(&mut call.members[0], &bundle).unwrap();
        call.members[1] = call.guest.join(NOW, bundle.welcome.as_ref().unwrap()).unwrap();
        assert!(agree(&call.members));
        let (_, body) = call.members[1].seal(b"back").unwrap();
        assert!(application(&mut call.members[2], &body).is_ok());
        assert_eq!(call.owned.tries_left(), 3, "it cost no try");
        // And once more, from the new leaf.
        let reply = call.asks(with_old_leaf);
        let bundle = call.members[0].readmit(&reply.guest).unwrap();
        assert!(handle(&mut call.members[2], &bundle).is_ok());
    }
}

#[test]
fn a_member_left_behind_in_an_earlier_epoch_proves_itself_by_that_leaf() {
    let mut call = a_call();
    let bundle = call.members[0].update().unwrap();
    for at in [0, 2] {
        handle(&mut call.members[at], &bundle).unwrap();
    }
    let reply = call.asks(true);
    let bundle = call.members[0].readmit(&reply.guest).unwrap();
    assert!(handle(&mut call.members[2], &bundle).is_ok());
}

#[test]
fn a_removed_member_that_claims_to_be_lost_has_no_leaf_to_come_back_to() {
    let mut call = a_call();
    let bundle = call.members[0].remove(leaf(1)).unwrap();
    deliver(&mut call.members, &bundle);
    let reply = call.asks(true);
    assert_eq!(call.members[0].readmit(&reply.guest).unwrap_err(), GroupError::NoSuchMember);
    // Nor is it admitted like somebody new.
    assert_eq!(call.members[0].admit(&reply.guest).unwrap_err(), GroupError::BadProof);
    let attached = Attached::Return(reply.guest.returning().unwrap().clone());
    let forged = return_with(&mut call.members[0], &reply.guest, leaf(2), &attached);
    assert_eq!(handle(&mut call.members[2], &forged), refused(Some(0), PolicyViolation::BadProof));
}

#[test]
fn every_member_refuses_a_return_without_its_proof() {
    type Proof = fn(&Call, &ProofReply) -> Attached;
    let cases: [(Proof, &str); 5] = [
        (|_, _| Attached::Nothing, "none"),
        (|_, _| Attached::Return(ReturnProof::Certificate), "a certificate that a guest has not"),
        (
            |call, reply| {
                let package = [7; 48];
                Attached::Return(call.members[2].sign_return(reply.guest.signature_key(), &package).unwrap())
            },
            "another leaf's signature",
        ),
        (
            |call, _| Attached::Return(call.members[1].sign_return(&[1; 32], b"another").unwrap()),
            "the old leaf's, for another key package",
        ),
        (
            |_, reply| {
                let Some(ReturnProof::OldLeaf { signature, .. }) = reply.guest.returning() else { panic!() };
                Attached::Return(ReturnProof::OldLeaf { epoch: 99, signature: *signature })
            },
            "for another epoch",
        ),
    ];
    for (proof, what) in cases {
        let mut call = a_call();
        let reply = call.asks(true);
        let attached = proof(&call, &reply);
        let forged = return_with(&mut call.members[0], &reply.guest, leaf(1), &attached);
        let refusal = refused(Some(0), PolicyViolation::BadProof);
        assert_eq!(handle(&mut call.members[2], &forged), refusal, "{what}");
    }
}

#[test]
fn a_return_takes_the_place_of_its_own_old_leaf_only() {
    let clinic = Clinic::new();
    let mut members = clinic.full_call(3);
    let (_, _, verified) = clinic.lobby(&members[0]);
    for attached in [Attached::Nothing, Attached::Return(ReturnProof::HostsWord)] {
        let forged = return_with(&mut members[0], &verified, leaf(2), &attached);
        let at = if matches!(attached, Attached::Nothing) { 1 } else { 3 };
        assert_eq!(handle(&mut members[at], &forged), refused(Some(0), PolicyViolation::BadProof));
    }
}

#[test]
fn a_proof_of_return_beside_anything_else_is_refused() {
    for crafted in [Crafted::Update, Crafted::Remove(leaf(2)), Crafted::AddStranger] {
        let mut members = Clinic::new().full_call(2);
        let attached = Attached::Return(ReturnProof::HostsWord).encode();
        let forged = craft_attached(&mut members[0], &crafted, &attached);
        assert_eq!(commit(&mut members[1], &forged), refused(Some(0), PolicyViolation::BadProof), "{crafted:?}");
    }
}

#[test]
fn an_earlier_key_package_of_a_guest_does_not_come_back() {
    let mut call = a_call();
    let second = call.asks(false);
    // No answer, so the guest asks again.
    call.guest.join(NOW, b"").unwrap_err();
    let third = call.asks(false);
    let bundle = call.members[0].readmit(&third.guest).unwrap();
    for at in [0, 2] {
        handle(&mut call.members[at], &bundle).unwrap();
    }
    assert_eq!(call.members[0].readmit(&second.guest).unwrap_err(), GroupError::BadProof);
    let attached = Attached::Return(ReturnProof::HostsWord);
    let forged = return_with(&mut call.members[0], &second.guest, leaf(1), &attached);
    assert_eq!(handle(&mut call.members[2], &forged), refused(Some(0), PolicyViolation::BadProof));
}

#[test]
fn a_guest_that_never_was_in_the_call_cannot_be_brought_back() {
    let clinic = Clinic::new();
    let mut call = clinic.call();
    let (_, mut guest, verified) = clinic.lobby(&call);
    assert_eq!(call.readmit(&verified).unwrap_err(), GroupError::BadProof);
    assert_eq!(guest.rejoin(None).unwrap_err(), InvitationError::OutOfOrder);
}

#[test]
fn a_guest_that_comes_back_still_knows_who_was_withdrawn() {
    let mut call = a_call();
    let serial = call.clinic.certificate.serial();
    let terms = DenyTerms { version: 1, issued_at: NOW, serials: vec![serial], devices: vec![] };
    let list = call.clinic.practice.deny(terms).unwrap();
    call.members[1].set_deny_list(NOW, list).unwrap();
    let reply = call.asks(true);
    let bundle = call.members[0].readmit(&reply.guest).unwrap();
    let refusal = GroupError::Refused { committer: None, violation: PolicyViolation::BadCredential };
    assert_eq!(call.guest.join(NOW, &bundle.welcome.unwrap()).unwrap_err(), refusal);
}

#[test]
fn nobody_but_a_host_brings_a_member_back() {
    let mut call = a_call();
    let reply = call.asks(true);
    assert_eq!(call.members[2].readmit(&reply.guest).unwrap_err(), GroupError::NotAHost);
    let attached = Attached::Return(reply.guest.returning().unwrap().clone());
    let forged = return_with(&mut call.members[2], &reply.guest, leaf(1), &attached);
    assert_eq!(handle(&mut call.members[0], &forged), refused(Some(2), PolicyViolation::NotAHost));
}
