//! End-to-end encryption of Quietroom: who somebody is, how a guest gets in, the group that holds
//! the keys of a call, and the sealing of its media.
//!
//! Everything here is synchronous and pure but for random bytes: no task, no socket, no file, no
//! clock. The caller passes `now`, carries bytes, and keeps what it is told to keep. One rule
//! comes before all others: **store an [`OwnedInvitation`] durably before the answer to a knock
//! leaves**.
//!
//! The crate never offers to turn encryption off, to try keys, or to export a secret in the
//! clear. It makes no primitive of its own: ring (AEAD, HKDF, HMAC, Ed25519), OpenMLS with
//! RustCrypto (MLS, ML-KEM-768+X25519), opaque-ke (OPAQUE).
//!
//! # Threat model
//!
//! The **server's operator is the enemy**: it runs signaling, TURN and login, it may drop, delay,
//! replay, reorder, invent and swap whatever passes. The network is active. One of the two
//! channels of an invitation (link, code) is read by the attacker, too. A removed member keeps
//! recording with all its old keys. A present member may lie and may work with the server.
//! Somebody stores everything and breaks X25519 later.
//!
//! | the attacker | is stopped by |
//! | --- | --- |
//! | reads or alters what it relays | MLS PrivateMessages, SFrame; tags over everything |
//! | swaps a guest's key package | MAC of message 3, binder in the credential, external PSK |
//! | plays the host | certificate under the link's practice, OPAQUE, MAC of message 4 |
//! | plays a guest with the link, or the code, alone | link proof; OPAQUE; three tries, each spent before its answer |
//! | adds a ghost, joins from outside | policy of every member on every commit; wire format |
//! | forks the group with a guest's help | the joiner demands the host's leaf as signer, or to come back the device of a host or deputy |
//! | rolls an invitation back | the record lives on the owner's device; attempts count up |
//! | plants a record of its own | a share is signed by a device of the practice |
//! | keeps using a stolen device | short certificates; deny list, its least version in the link |
//! | replays or reorders messages and frames | epochs, ratchets, windows behind the tag |
//! | withholds a commit, splits the group | heartbeats over paths that are not the log |
//! | claims to be a member that was lost | old leaf still in the tree, and its signature, K_rejoin or certificate |
//! | turns a consultation into an assessor's call | mode in link, exchange and policy; the guest is asked |
//! | keeps listening after a Remove | new epoch secret, keys dropped at once on install |
//! | sends frames in another member's name | key id checked against the association's leaf |
//! | sits between two halves of a call | safety words: one guess in 2^40 for each spoken check |
//! | records now, breaks X25519 later | ML-KEM-768 beside it, and a PSK from outside the server |
//!
//! **Not covered**: a compromised computer during the call, denial of service, a person in the
//! room; whoever holds link **and** code before the patient does (the lobby card, the face and
//! the spoken check are for that); whoever stole the practice's key. A host may remove and add
//! whom it likes, and a deputy may make itself a host though none was lost: the others see it, they
//! do not prevent it. Visible to the server: who knocks
//! when, epochs, sizes in steps of 256 bytes, times, and which leaf of the tree left on request
//! or came back.
//!
//! **Not wiped here**: expanded AES keys inside ring's key objects, ring's Ed25519 key while it
//! signs, what OpenMLS copies on its way from our storage (most of its types wipe themselves). The
//! clients' allocator wipes what is freed, and their threads wipe their stacks when they rest.
//!
//! # Keys
//!
//! ```text
//! practice key ──signs──> device certificate ──device signs──> leaf key of one call ─┐
//!                                                                                    │ signs
//! link secret S ──┐                                                                  v
//!                 ├─> OPAQUE ─> K_inv ─┬─> binder, MACs, card, K_retry   MLS group (0x004E)
//! code ── KDF ────┘                    ├─> external PSK ──────────────────────>  epoch secret
//!                                      └─> K_rejoin, then dropped                    │
//!                                                                                    │ exporter
//!                            SFrame base key, dropped at once  <─────────────────────┘
//!                              └─> one key per (stream, sender, epoch): SealingKey, KeyRing
//!                                    └─> H("commit", …) in heartbeats; in assessor mode the
//!                                        keys themselves, for KeyDisclosure
//! ```
//!
//! The leaf key signs, besides MLS: heartbeats, leave requests, the return of a lost member.
//!
//! # Map
//!
//! | module | what |
//! | --- | --- |
//! | `identity` | practice key and its successor, device certificate, deny list, the content of a leaf's credential |
//! | `invitation` | link, code, the five messages, the sixth of a guest that comes again, lobby card, the owner's record and its sharing |
//! | `mls` | the call's group; table of operations and states at its top, of commits in `rules.rs` |
//! | `sframe` | headers, keys, replay window, key ring, disclosure of an assessor call |
//! | `safety_words` | the spoken check |
//! | `fuzz` | every parser as a function of any bytes; not in a shipped client |
//! | `secret`, `kdf`, `codec`, `id`, `error` | key material, labels, bounded parsing, names, blame |
//!
//! # In order
//!
//! Host: [`CallGroup::create`] → [`OwnedInvitation::create`] (link and code by two channels) →
//! [`on_knock`](OwnedInvitation::on_knock), store, send → [`on_proof`](OwnedInvitation::on_proof)
//! → [`on_card`](OwnedInvitation::on_card) → a person admits → [`CallGroup::admit`] → its echo to
//! [`CallGroup::handle`] → [`CallGroup::media_keys`], [`admitted`](OwnedInvitation::admitted),
//! store → after the call [`consume`](OwnedInvitation::consume), store.
//!
//! Guest: [`InvitationLink::parse`] → [`GuestInvitation::knock`] →
//! [`on_challenge`](GuestInvitation::on_challenge) →
//! [`on_confirm`](GuestInvitation::on_confirm) → [`card`](GuestInvitation::card) →
//! [`join`](GuestInvitation::join) → [`CallGroup::media_keys`].
//!
//! Lost: [`retry`](GuestInvitation::retry) after a failed join →
//! [`on_retry`](OwnedInvitation::on_retry) → [`CallGroup::admit`]; from the call
//! [`rejoin`](GuestInvitation::rejoin) → [`on_rejoin`](OwnedInvitation::on_rejoin) →
//! [`CallGroup::readmit`]. Both go on with `on_confirm` and `join`.
//!
//! Staff: [`StaffEntry::new`] → [`CallGroup::admit_staff`] → [`StaffEntry::join`].
//!
//! Host lost: a deputy that is in the call, [`CallGroup::step_in`] → its echo → it hosts. It brings
//! a lost guest back if the host shared the used record with it before:
//! [`share_with`](OwnedInvitation::share_with) → [`DeviceKey::open_share`], store →
//! [`on_rejoin`](OwnedInvitation::on_rejoin).
//!
//! Every 5 s: [`CallGroup::heartbeat`] → log and peers → [`CallGroup::check_heartbeat`].
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod codec;
mod error;
#[cfg(test)]
mod exposure;
#[cfg(any(test, feature = "lab"))]
mod fuzz;
mod id;
mod identity;
mod invitation;
mod kdf;
mod mls;
#[cfg(test)]
mod noise;
mod safety_words;
mod secret;
mod sframe;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod vectors;

pub use error::{
    GroupError, HeartbeatError, IdentityError, InvitationError, LinkError, OpenError, PolicyViolation, SafetyError,
    SealError,
};
pub use id::{CallId, CallMode, CallRole, Delivery, GroupId, InviteId, LeafIndex, StaffRole};
pub use identity::{
    CertificateTerms, DenyList, DenyTerms, DeviceCertificate, DeviceKey, DevicePublicKey, DeviceRequest,
    PracticeFingerprint, PracticeKey, PracticePublicKey, PracticeSuccession,
};
pub use invitation::{
    GuestInvitation, HostSummary, InvitationCode, InvitationLink, InvitationTerms, KnockReply, LobbyCard, LobbyToken,
    OwnedInvitation, ProofReply, Sharing, VerifiedGuest, message_number,
};
pub use mls::{
    Bundle, CallGroup, CallTerms, Heartbeat, HeartbeatVerdict, Inbound, LogEntry, MediaCounters, Member, StaffEntry,
    Vouched,
};
pub use safety_words::{SafetyCheck, SafetyScope, SafetyStep, SafetyWords};
pub use secret::Secret;
pub use sframe::{
    DisclosedKey, KeyDisclosure, KeyRing, MediaContext, MediaKeys, OpenedFrame, OpeningKeys, SealedFrame, SealingKey,
    SenderKeys,
};

/// An attacker's tools for hostile tests. They forge what a member could send; they change nothing
/// of what a client accepts.
#[cfg(any(test, feature = "lab"))]
pub mod lab {
    pub use crate::fuzz::FUZZ_TARGETS;
    pub use crate::mls::{Crafted, craft, craft_attached, external_commit, fork, openmls_accepts, raw_application};
    pub use crate::sframe::RawFrameKey;
}

/// Version of everything that two clients must agree on: suite, encodings, labels.
///
/// It changes with any of them, also when a final code point replaces suite 0x004E.
pub const PROFILE_VERSION: u16 = 1;

/// Largest message of the invitation exchange, in bytes; a longer one is refused unread.
pub const MAX_INVITATION_MESSAGE: usize = 16 * 1024;

/// Largest commit, welcome or application message that is looked at, in bytes.
pub const MAX_GROUP_MESSAGE: usize = 256 * 1024;

/// Most members of a call: the key id has four bits for the sender (RFC 9605 §5.2).
pub const MAX_MEMBERS: usize = 16;
