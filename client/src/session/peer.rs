//! One other member: its transport negotiation, and what it said of itself.
//!
//! | message | accepted when |
//! | --- | --- |
//! | any | MLS sender's key = `from`, `to` = own key, its role fits ours (the newer member offers) |
//! | offer | fingerprint = that of the SDP; a new negotiation id starts the association anew |
//! | answer | same negotiation, fingerprint = that of the SDP, none known yet |
//! | candidate | same negotiation, fingerprint = the known one |

use std::time::Duration;

use crypto::LeafIndex;
use media::transport::{Fingerprint, Path, Signal, TransportRole, fingerprint_of};
use signaling::protocol::Opaque;

use super::message::SignalMessage;
use super::view::{MemberMedia, SourceState};
use crate::private::Private;

/// Another member of the group.
#[derive(Debug)]
pub(super) struct Peer {
    /// Signature key of its leaf: an index alone is no identity.
    pub key: [u8; 32],
    /// Name it gave itself, or that of its lobby card at the host.
    pub name: Option<Private>,
    /// Its microphone, as it says.
    pub microphone: SourceState,
    /// Its camera, as it says.
    pub camera: SourceState,
    /// Its shared window, as it says.
    pub screen: SourceState,
    /// How its media travels, while it does.
    pub path: Option<Path>,
    /// Since when the transport has been lost.
    pub lost_since: Option<Duration>,
    /// When its association was made anew last.
    pub restarted_at: Option<Duration>,
    /// Its frames do not open.
    pub undecryptable: bool,
    /// The server says that it has no socket (advice).
    pub absent: bool,
    role: TransportRole,
    negotiation: Option<[u8; 16]>,
    own_fingerprint: Option<Fingerprint>,
    fingerprint: Option<Fingerprint>,
}

/// Why a member's signal was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignalRefusal {
    /// For another member: nothing wrong.
    NotForUs,
    /// It names another leaf than the one that MLS says sent it.
    WrongSender,
    /// The other side may not send this kind now.
    WrongRole,
    /// Of another negotiation than the running one.
    WrongNegotiation,
    /// The fingerprint is missing in the SDP, or another one.
    WrongFingerprint,
}

/// A signal that may go to the transport.
#[derive(Debug)]
pub(super) struct Accepted {
    /// The association must be made anew before.
    pub restart: bool,
    /// What the transport said.
    pub signal: Signal,
}

impl Peer {
    /// A member that is new to us (`Answer`: it joined after us) or was there before (`Offer`).
    pub(super) fn new(key: [u8; 32], role: TransportRole) -> Self {
        Self {
            key,
            name: None,
            microphone: SourceState::On,
            camera: SourceState::On,
            screen: SourceState::Off,
            path: None,
            lost_since: None,
            restarted_at: None,
            undecryptable: false,
            absent: false,
            role,
            negotiation: None,
            own_fingerprint: None,
            fingerprint: None,
        }
    }

    /// What the roster shows.
    pub(super) fn media(&self) -> MemberMedia {
        MemberMedia {
            microphone: self.microphone,
            camera: self.camera,
            screen: self.screen,
            connected: self.path.is_some(),
            undecryptable: self.undecryptable,
        }
    }

    /// Wraps what our transport says for this member; `fresh` names a negotiation that begins with this offer.
    pub(super) fn outgoing(&mut self, own_key: &[u8; 32], fresh: [u8; 16], signal: Signal) -> Option<SignalMessage> {
        match &signal {
            Signal::Offer { sdp } => {
                self.negotiation = Some(fresh);
                self.fingerprint = None;
                self.own_fingerprint = fingerprint_of(sdp).ok();
            }
            Signal::Answer { sdp } => self.own_fingerprint = fingerprint_of(sdp).ok(),
            Signal::Candidate { .. } => {}
        }
        Some(SignalMessage {
            from: Opaque::new(own_key.to_vec()),
            to: Opaque::new(self.key.to_vec()),
            negotiation: Opaque::new(self.negotiation?.to_vec()),
            fingerprint: self.own_fingerprint?,
            signal,
        })
    }

    /// Checks what this member sent; `sender_key` is the key of the leaf that MLS says sent it.
    pub(super) fn incoming(
        &mut self,
        own_key: &[u8; 32],
        sender_key: &[u8; 32],
        message: SignalMessage,
    ) -> Result<Accepted, SignalRefusal> {
        if message.to.as_bytes() != own_key {
            return Err(SignalRefusal::NotForUs);
        }
        if message.from.as_bytes() != sender_key || self.key != *sender_key {
            return Err(SignalRefusal::WrongSender);
        }
        let negotiation: [u8; 16] =
            message.negotiation.as_bytes().try_into().map_err(|_length| SignalRefusal::WrongNegotiation)?;
        let mut restart = false;
        match &message.signal {
            Signal::Offer { sdp } => {
                if self.role != TransportRole::Answer {
                    return Err(SignalRefusal::WrongRole);
                }
                self.check_description(sdp, message.fingerprint)?;
                restart = self.negotiation.is_some();
                if self.negotiation == Some(negotiation) {
                    return Err(SignalRefusal::WrongNegotiation);
                }
                self.negotiation = Some(negotiation);
                self.own_fingerprint = None;
                self.fingerprint = Some(message.fingerprint);
            }
            Signal::Answer { sdp } => {
                if self.role != TransportRole::Offer {
                    return Err(SignalRefusal::WrongRole);
                }
                if self.negotiation != Some(negotiation) || self.fingerprint.is_some() {
                    return Err(SignalRefusal::WrongNegotiation);
                }
                self.check_description(sdp, message.fingerprint)?;
                self.fingerprint = Some(message.fingerprint);
            }
            Signal::Candidate { .. } => {
                if self.negotiation != Some(negotiation) {
                    return Err(SignalRefusal::WrongNegotiation);
                }
                // The answering side's candidates may overtake nothing: the log keeps their order behind the answer.
                if self.fingerprint != Some(message.fingerprint) {
                    return Err(SignalRefusal::WrongFingerprint);
                }
            }
        }
        Ok(Accepted { restart, signal: message.signal })
    }

    fn check_description(&self, sdp: &str, told: Fingerprint) -> Result<(), SignalRefusal> {
        match fingerprint_of(sdp) {
            Ok(named) if named == told => Ok(()),
            _ => Err(SignalRefusal::WrongFingerprint),
        }
    }

    /// Whether this side offers, and so starts a lost association anew.
    pub(super) fn offers(&self) -> bool {
        self.role == TransportRole::Offer
    }
}

/// Names a negotiation without drawing randomness: nobody outside the epoch can make it, and it never repeats.
pub(super) fn negotiation_id(authenticator: &[u8; 48], own_key: &[u8; 32], peer: LeafIndex, number: u64) -> [u8; 16] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(b"quietroom negotiation v1");
    context.update(authenticator);
    context.update(own_key);
    context.update(&[peer.as_u8()]);
    context.update(&number.to_be_bytes());
    let mut id = [0; 16];
    id.iter_mut().zip(context.finish().as_ref()).for_each(|(byte, hash)| *byte = *hash);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: [u8; 32] = [1; 32];
    const THEM: [u8; 32] = [2; 32];

    fn sdp(byte: u8) -> String {
        let hex = vec![format!("{byte:02X}"); 32].join(":");
        format!("v=0\r\na=fingerprint:sha-256 {hex}\r\n")
    }

    fn offer(fingerprint: u8) -> SignalMessage {
        SignalMessage {
            from: Opaque::new(THEM.to_vec()),
            to: Opaque::new(US.to_vec()),
            negotiation: Opaque::new(vec![9; 16]),
            fingerprint: Fingerprint([fingerprint; 32]),
            signal: Signal::Offer { sdp: sdp(7) },
        }
    }

    fn candidate(negotiation: u8, fingerprint: u8) -> SignalMessage {
        let signal = Signal::Candidate { candidate: "candidate:1".into(), mid: None, index: None };
        SignalMessage { negotiation: Opaque::new(vec![negotiation; 16]), signal, ..offer(fingerprint) }
    }

    #[test]
    fn an_offer_whose_fingerprint_is_not_that_of_its_sdp_is_refused() {
        let mut peer = Peer::new(THEM, TransportRole::Answer);
        assert_eq!(peer.incoming(&US, &THEM, offer(8)).unwrap_err(), SignalRefusal::WrongFingerprint);
        assert!(peer.incoming(&US, &THEM, offer(7)).is_ok());
    }

    #[test]
    fn a_signal_in_another_members_name_is_refused() {
        let mut peer = Peer::new(THEM, TransportRole::Answer);
        assert_eq!(peer.incoming(&US, &[3; 32], offer(7)).unwrap_err(), SignalRefusal::WrongSender);
        let mut other = Peer::new([3; 32], TransportRole::Answer);
        assert_eq!(other.incoming(&US, &[3; 32], offer(7)).unwrap_err(), SignalRefusal::WrongSender);
    }

    #[test]
    fn a_signal_for_another_member_is_left_alone() {
        let mut peer = Peer::new(THEM, TransportRole::Answer);
        assert_eq!(peer.incoming(&[5; 32], &THEM, offer(7)).unwrap_err(), SignalRefusal::NotForUs);
    }

    #[test]
    fn an_older_member_may_not_offer() {
        let mut peer = Peer::new(THEM, TransportRole::Offer);
        assert_eq!(peer.incoming(&US, &THEM, offer(7)).unwrap_err(), SignalRefusal::WrongRole);
    }

    #[test]
    fn a_candidate_must_belong_to_the_offer_before_it() {
        let mut peer = Peer::new(THEM, TransportRole::Answer);
        assert_eq!(peer.incoming(&US, &THEM, candidate(9, 7)).unwrap_err(), SignalRefusal::WrongNegotiation);
        peer.incoming(&US, &THEM, offer(7)).unwrap();
        assert_eq!(peer.incoming(&US, &THEM, candidate(8, 7)).unwrap_err(), SignalRefusal::WrongNegotiation);
        assert_eq!(peer.incoming(&US, &THEM, candidate(9, 8)).unwrap_err(), SignalRefusal::WrongFingerprint);
        assert!(peer.incoming(&US, &THEM, candidate(9, 7)).is_ok());
    }

    #[test]
    fn a_repeated_offer_is_refused_and_a_new_one_starts_anew() {
        let mut peer = Peer::new(THEM, TransportRole::Answer);
        assert!(!peer.incoming(&US, &THEM, offer(7)).unwrap().restart);
        assert_eq!(peer.incoming(&US, &THEM, offer(7)).unwrap_err(), SignalRefusal::WrongNegotiation);
        let anew = SignalMessage { negotiation: Opaque::new(vec![4; 16]), ..offer(7) };
        assert!(peer.incoming(&US, &THEM, anew).unwrap().restart);
    }
}
