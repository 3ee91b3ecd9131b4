//! Errors by blame: first what the caller did, then what the peer did, then what policy denied,
//! then what the backend could not do.

use crate::id::LeafIndex;

/// Why an identity could not be made, read or believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The caller gave a name, a role set or a validity that no certificate may carry.
    #[error("the terms of the certificate are out of bounds")]
    BadTerms,
    /// Bytes are no encoding of the type: damaged, too long, or of another version.
    #[error("the bytes are not a valid encoding")]
    Malformed,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    BadSignature,
    /// The certificate names another practice than the expected one.
    #[error("the certificate belongs to another practice")]
    WrongPractice,
    /// The certificate is not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate stands on the practice's deny list.
    #[error("the practice has withdrawn the certificate")]
    Denied,
    /// A deny list is missing where one is demanded, or older than demanded.
    #[error("the deny list is missing or too old")]
    StaleDenyList,
    /// The key's bytes cannot be used, or no random bytes could be had.
    #[error("the key backend refused")]
    Backend,
}

/// Why a pasted or scanned invitation link is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It does not begin with `quietroom:`.
    #[error("this is not an invitation link")]
    NotALink,
    /// Characters are missing, added or changed: the checksum does not fit.
    #[error("the link is damaged or cut off")]
    Damaged,
    /// A link of another version of this program.
    #[error("the link was made by another version")]
    UnknownVersion,
    /// The practice's signature over its phone number does not verify.
    #[error("the practice's phone number is not signed by the practice")]
    BadPhoneSignature,
}

/// Why a step of the invitation exchange was refused, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// The step does not belong here: called out of order, or a field out of bounds.
    #[error("this step of the invitation is out of order")]
    OutOfOrder,
    /// A field of the terms or of the card is empty or too long.
    #[error("a field is empty or too long")]
    BadField,
    /// The code is not eight digits.
    #[error("the code must have eight digits")]
    BadCode,
    /// The peer's message is no valid encoding, or too long.
    #[error("the message is not a valid encoding")]
    Malformed,
    /// Message 1 carries no valid link proof: it came from somebody without the link. No try spent.
    #[error("the sender does not hold the link")]
    BadLinkProof,
    /// The code was wrong.
    #[error("the code is wrong, {tries_left} tries left")]
    WrongCode {
        /// Tries that are left for this invitation.
        tries_left: u8,
    },
    /// A confirmation MAC, a binder or a seal does not verify: somebody changed a message.
    #[error("a confirmation does not verify")]
    BadConfirmation,
    /// The key package is not the one that the exchange allows: other key, suite, credential.
    #[error("the key package is not acceptable")]
    BadKeyPackage,
    /// The other side's certificate or leaf is not that of a host of the practice in the link.
    #[error("the host could not be verified: {0}")]
    UntrustedHost(IdentityError),
    /// The certificate of a device that shares an invitation, or that it is shared with, does not
    /// verify; or the sharing device did not sign it.
    #[error("the device could not be verified: {0}")]
    UntrustedDevice(IdentityError),
    /// All tries are spent.
    #[error("no tries are left")]
    TriesSpent,
    /// The invitation was used already.
    #[error("the invitation was already used")]
    Consumed,
    /// The invitation is not open yet.
    #[error("the invitation is not open yet")]
    TooEarly,
    /// The invitation has expired.
    #[error("the invitation has expired")]
    Expired,
    /// The call is for testing the encryption and will disclose its keys: the guest must be asked,
    /// and say so by [`accept_assessor`](crate::GuestInvitation::accept_assessor). No try spent.
    #[error("the call is in assessor mode, and the guest has not accepted that")]
    AssessorMode,
    /// The call is in another mode than the invitation says. No try spent.
    #[error("the call is in another mode than the invitation says")]
    WrongMode,
    /// No random bytes, or a primitive failed.
    #[error("the cryptographic backend failed")]
    Backend,
}

/// Which rule a commit, a proposal or a joined group broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// A commit from outside the group (RFC 9420 §12.4.3.2).
    #[error("a commit from outside the group")]
    ExternalCommit,
    /// A proposal that is sent on its own, or from outside.
    #[error("a proposal outside a commit")]
    StandaloneProposal,
    /// Add, Remove or pre-shared key by a member who is no host.
    #[error("a member who is no host changed the group")]
    NotAHost,
    /// ReInit, ExternalInit, custom or otherwise unknown proposals.
    #[error("a kind of proposal that is never allowed")]
    ForbiddenProposal,
    /// A member's credential or signature key changed.
    #[error("a member's credential changed")]
    CredentialChanged,
    /// Two members with the same signature key, device or invitation.
    #[error("an identity appears twice")]
    DuplicateIdentity,
    /// A leaf with a credential that does not verify.
    #[error("a member's credential does not verify")]
    BadCredential,
    /// The suite, the policy or another extension of the group changed.
    #[error("the group's policy changed")]
    PolicyChanged,
    /// An invited member is added without exactly its pre-shared key, or staff with one.
    #[error("the pre-shared key of an Add is missing or not the expected one")]
    WrongPsk,
    /// More than one Add in one commit, or more members than a key id can name.
    #[error("too many members in one step")]
    TooManyMembers,
    /// What a commit has attached is no proof of what it does, or it proves something else.
    #[error("the proof beside a commit does not fit it")]
    BadProof,
    /// The Welcome is signed by another leaf than the host of the exchange.
    #[error("the welcome is not signed by the expected host")]
    WrongSigner,
    /// The Welcome leads into another group than the host named.
    #[error("the welcome leads into another group")]
    WrongGroup,
    /// The group's policy is missing, of another version, or of another practice.
    #[error("the group's policy is not acceptable")]
    BadPolicy,
    /// The group is in another mode than the exchange with the host said.
    #[error("the group is in another mode than the invitation says")]
    WrongMode,
}

/// Why an operation of the call's group failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A commit of this client still waits for its echo or for [`abandon_pending`].
    ///
    /// [`abandon_pending`]: crate::CallGroup::abandon_pending
    #[error("an own commit is still pending")]
    CommitPending,
    /// This client was removed, or refused a commit: the group is over for it.
    #[error("the group is over for this client")]
    Inactive,
    /// The leaf is empty.
    #[error("there is no member at that leaf")]
    NoSuchMember,
    /// Only a host may do this.
    #[error("only a host may do this")]
    NotAHost,
    /// A leave request, or the proof of a member that comes back, does not verify.
    #[error("the member's proof does not verify")]
    BadProof,
    /// The guest was verified for another group.
    #[error("the guest was verified for another group")]
    WrongGroup,
    /// The media keys of this epoch were taken already: a second set would repeat counters.
    #[error("the media keys of this epoch were taken already")]
    KeysTaken,
    /// The call is a real one: its keys are disclosed to nobody.
    #[error("only a call in assessor mode discloses keys")]
    NotAssessor,
    /// An assessor call has used more keys than a disclosure holds: end it.
    #[error("the disclosure of this call is full")]
    DisclosureFull,
    /// The device's certificate does not allow to host, or is not the device's.
    #[error("the certificate does not fit: {0}")]
    Certificate(#[from] IdentityError),
    /// Longer than [`MAX_GROUP_MESSAGE`](crate::MAX_GROUP_MESSAGE).
    #[error("the message is too long")]
    TooLong,
    /// The bytes are no MLS message of a kind that is allowed here.
    #[error("the bytes are not an acceptable message")]
    Malformed,
    /// The message belongs to an epoch that is over; drop it.
    #[error("the message belongs to a past epoch")]
    PastEpoch,
    /// The message belongs to an epoch not reached yet; messages in between are missing.
    #[error("the message belongs to a later epoch")]
    FutureEpoch,
    /// The message was seen before, or does not decrypt or verify.
    #[error("the message does not open")]
    Undecryptable,
    /// An echo that is not byte for byte the pending commit.
    #[error("the echo is not the commit that was sent")]
    ForgedEcho,
    /// The commit needs a pre-shared key that this member was not given.
    #[error("the commit names a pre-shared key that did not come with it")]
    MissingPsk,
    /// A rule was broken. After a refused commit the group is over for this client.
    #[error("refused: {violation}")]
    Refused {
        /// The member who sent it, where a member did.
        committer: Option<LeafIndex>,
        /// The rule.
        violation: PolicyViolation,
    },
    /// OpenMLS or its storage failed for a reason that no peer can cause.
    #[error("the group backend failed")]
    Backend,
}

/// Why a heartbeat says nothing: drop it. It is no sign of life either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeartbeatError {
    /// This client was removed, or refused a commit: the group is over for it.
    #[error("the group is over for this client")]
    Inactive,
    /// The bytes are no heartbeat of this profile.
    #[error("the heartbeat is not a valid encoding")]
    Malformed,
    /// It speaks of another call.
    #[error("the heartbeat belongs to another group")]
    WrongGroup,
    /// Nobody, or this client itself, is at the leaf that the heartbeat came from.
    #[error("there is no other member at that leaf")]
    NoSuchMember,
    /// It names another leaf than the one whose association it came over.
    #[error("the heartbeat names another sender")]
    WrongSender,
    /// The leaf's signature key did not sign it.
    #[error("the heartbeat's signature does not verify")]
    BadSignature,
    /// This one or a later one was taken before; the copy of the other path shows so, too.
    #[error("the heartbeat was seen before")]
    Replayed,
}

/// Why a frame was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key has sealed its 2^31 frames: commit an update first.
    #[error("the sealing key is used up")]
    Exhausted,
    /// The AEAD refused; only a payload of impossible length does that.
    #[error("the cipher refused the payload")]
    Backend,
}

/// Why a frame was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not an SFrame: truncated, or a header that is not in its shortest form.
    #[error("not a frame")]
    Malformed,
    /// The key id names another media context than the stream it came on.
    #[error("the frame belongs to another stream")]
    WrongContext,
    /// The key id names another sender than the association it came on.
    #[error("the frame names another sender")]
    WrongSender,
    /// No key for this key id: another epoch, or the sender was removed.
    #[error("there is no key for the frame")]
    UnknownKey,
    /// Opened before, or older than the window of 1,024 frames.
    #[error("the frame was seen before")]
    Replayed,
    /// The tag does not verify.
    #[error("the frame was altered")]
    BadTag,
}

/// Why a spoken check ended without words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SafetyError {
    /// The message is no valid encoding.
    #[error("the message is not a valid encoding")]
    Malformed,
    /// The message belongs to another check; the one that runs goes on.
    #[error("the message belongs to another check")]
    OtherCheck,
    /// The sender is not part of the check's roster, or sent twice.
    #[error("the sender has no turn")]
    NoTurn,
    /// A nonce was revealed before every commitment was there, or does not fit its commitment.
    #[error("a reveal does not fit its commitment")]
    BadReveal,
    /// Members of the check see different epochs or rosters.
    #[error("the members do not see the same group")]
    ScopeMismatch,
    /// No random bytes.
    #[error("no random bytes")]
    Backend,
}
