//! Who runs the consultation: the list of hosts in the group's policy, and the one seat at the server that goes with it.
//!
//! | change | by | the list of hosts after it | the seat |
//! | --- | --- | --- | --- |
//! | `HandOver` | the host | the colleague alone | the colleague's, in the same step |
//! | `StepIn` | a deputy, while the server sees no host | both | the deputy's |
//! | `HostAlone` | the deputy, right after it | the deputy alone | – |

use std::collections::BTreeSet;

use crypto::{Bundle, DeviceCertificate, GroupError, LeafIndex};
use signaling::protocol::ParticipantId;

use super::{Change, Room};
use crate::session::effect::{MediaCommand, Now};
use crate::session::effects::Effects;
use crate::session::error_code::ErrorCode;
use crate::session::view::Held;

impl Room {
    /// Lets the engine show windows of who hosts, by the policy in the group, and of nobody else.
    pub(in crate::session) fn follow_sharers(&mut self, fx: &mut Effects) {
        let members = self.group.members();
        let hosts = |leaf: u8| members.iter().any(|member| member.leaf.as_u8() == leaf && member.hosts);
        let sharers: BTreeSet<u8> = self.peers.keys().copied().filter(|leaf| hosts(*leaf)).collect();
        for changed in sharers.symmetric_difference(&self.sharers) {
            if let Some(leaf) = LeafIndex::new(u32::from(*changed)) {
                fx.media(MediaCommand::MayShare(leaf, sharers.contains(changed)));
            }
        }
        self.sharers = sharers;
    }

    /// Lets a colleague run the consultation, unless a change of hosts is under way.
    pub(in crate::session) fn hand_over(&mut self, now: Now, leaf: u32, fx: &mut Effects) {
        let members = self.group.members();
        let member = members.iter().find(|member| u32::from(member.leaf.as_u8()) == leaf && member.deputy);
        let Some(member) = member.filter(|_| !self.moves()) else { return };
        let reached = self.peer(member.leaf).is_some_and(|peer| !peer.absent);
        match (member.device, self.participants.get(&member.signature_key)) {
            (Some(device), Some(participant)) if reached => {
                let participant = *participant;
                self.wish(now, Change::HandOver { participant, device }, fx);
            }
            _ => fx.tell(ErrorCode::Hof01),
        }
    }

    /// Runs the consultation in place of a host that was lost.
    pub(in crate::session) fn step_in(&mut self, now: Now, fx: &mut Effects) {
        if self.may_step_in() && !self.moves() {
            self.wish(now, Change::StepIn, fx);
        }
    }

    /// Whether this side stands in the policy as a deputy, and no host seems to be there: by the server's word, or since
    /// none was heard of.
    pub(in crate::session) fn may_step_in(&self) -> bool {
        let members = self.group.members();
        let deputy = members.iter().any(|member| member.own && member.deputy);
        let mut hosts = members.iter().filter(|member| member.hosts);
        deputy
            && (self.held() == Some(Held::Silent)
                || hosts.all(|host| self.peer(host.leaf).is_none_or(|peer| peer.absent)))
    }

    /// The server would not let this side step in: somebody hosts. False when that was not asked.
    pub(in crate::session) fn on_step_in_refused(&mut self, fx: &mut Effects) -> bool {
        let asked = self.pending.as_ref().is_some_and(|pending| matches!(pending.change, Change::StepIn));
        if asked {
            self.withdraw(ErrorCode::Hof01, fx);
        }
        asked
    }

    /// Colleagues in the call who could run it, by their names at the server.
    pub(in crate::session) fn deputies(&self) -> Vec<(ParticipantId, DeviceCertificate)> {
        let members = self.group.members();
        let deputies = members.iter().filter(|member| member.deputy && !member.own);
        deputies
            .filter_map(|member| {
                let participant = self.participants.get(&member.signature_key)?;
                Some((*participant, self.group.certificate_of(member.leaf)?))
            })
            .collect()
    }

    /// The certificate of whoever runs the consultation, where it is somebody else.
    pub(in crate::session) fn hosts_certificate(&self) -> Option<DeviceCertificate> {
        let host = self.group.members().into_iter().find(|member| member.hosts && !member.own)?;
        self.group.certificate_of(host.leaf)
    }

    /// Takes the own device as the only host.
    pub(super) fn host_alone(&mut self) -> Result<Bundle, GroupError> {
        let own = self.group.members().into_iter().find(|member| member.own).and_then(|member| member.device);
        self.group.set_hosts(own.as_slice())
    }

    /// An own commit that the server did not take, for good.
    pub(super) fn withdraw(&mut self, code: ErrorCode, fx: &mut Effects) {
        self.group.abandon_pending();
        self.pending = None;
        fx.tell(code);
        self.advance(fx);
    }

    fn moves(&self) -> bool {
        let is = |change: &Change| matches!(change, Change::HandOver { .. } | Change::StepIn | Change::HostAlone);
        self.wishes.iter().any(is) || self.pending.as_ref().is_some_and(|pending| is(&pending.change))
    }
}
