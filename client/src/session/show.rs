//! The view of a session: plain data, made anew from its state.

use crypto::{CallMode, CallRole, Member, Vouched};
use media::transport::Path as MediaPath;

use super::door::Invitations;
use super::joining::{Joining, Step};
use super::room::Room;
use super::view::{
    AboutYou, AdmittedBy, AssessorQuestion, Call, DeviceCheck, Goodbye, Held, JoinCode, JoinLink, LobbyGuest,
    LobbyHost, MemberMedia, Path, Phase, PracticeInfo, Role, RosterRow, ServerInfo, SignIn, SignInStep, View,
    VouchedBy,
};
use super::{Endpoint, Hosting, Session, Stage, Visiting};
use crate::Private;
use crate::connection::ServerPin;

impl Session {
    /// What the person sees now.
    pub fn view(&self) -> View {
        View {
            phase: self.phase(),
            notice: self.notice.clone(),
            connection: self.connection,
            practice: self.practice(),
            server: self.endpoint().map(|endpoint| ServerInfo {
                address: endpoint.address,
                fingerprint: ServerPin(endpoint.pin).grouped(),
            }),
        }
    }

    fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Start => Phase::Start,
            Stage::SignIn(sign_in) => Phase::SignIn(SignIn {
                step: if sign_in.unlocked.is_some() { SignInStep::SecondFactor } else { SignInStep::Passphrase },
                name: self.account.clone(),
                busy: sign_in.busy,
            }),
            Stage::Desk(at_desk) => at_desk.desk.phase(self.now_unix),
            Stage::Host(hosting) => self.host_phase(hosting),
            Stage::JoinLink => Phase::JoinLink(JoinLink { busy: false }),
            Stage::Joining(entering) => self.joining_phase(&entering.joining),
            Stage::Guest(visiting) => {
                let Visiting { entering, room, returning } = &**visiting;
                let call = self.call(room, false, String::new(), Some(entering.joining.own_name()), Vec::new());
                let held = if returning.is_some() { Some(Held::Returning) } else { call.held };
                Phase::Call(Call { held, ..call })
            }
            Stage::Colleague(colleague) => match &colleague.room {
                Some(room) => {
                    let call = self.call(room, false, colleague.label.clone(), None, Vec::new());
                    let held = if colleague.returning.is_some() { Some(Held::Returning) } else { call.held };
                    Phase::Call(Call { held, ..call })
                }
                None => Phase::LobbyGuest(colleague.lobby(self.devices)),
            },
            Stage::Goodbye(ended) => Phase::Goodbye(Goodbye {
                reason: ended.reason,
                devices_closed: ended.devices_closed,
                host: ended.desk.is_some(),
                keys: ended.keys,
            }),
        }
    }

    fn host_phase(&self, hosting: &Hosting) -> Phase {
        let invitations: &Invitations = &hosting.desk.invitations;
        let is_admitting = |id| hosting.room.is_admitting(id);
        let mut waiting = hosting.door.view(invitations, &hosting.label, is_admitting);
        waiting.extend(hosting.visitors.view(&hosting.label, is_admitting));
        if hosting.called {
            return Phase::Call(self.call(&hosting.room, true, hosting.label.clone(), None, waiting));
        }
        Phase::LobbyHost(LobbyHost {
            label: hosting.label.clone(),
            waiting,
            assessor: is_assessor(&hosting.room),
            devices: self.devices,
            microphone_on: self.microphone_on,
            camera_on: self.camera_on,
        })
    }

    fn joining_phase(&self, joining: &Joining) -> Phase {
        match &joining.step {
            Step::Lookup => Phase::JoinLink(JoinLink { busy: true }),
            Step::Code => Phase::JoinCode(JoinCode {
                tries_left: joining.code_failed.then(|| joining.tries_left()),
                opens_at: joining.opens_at.filter(|at| *at > self.now_unix),
            }),
            Step::About { missing } => Phase::AboutYou(AboutYou { missing: missing.clone() }),
            Step::Devices => Phase::DeviceCheck(DeviceCheck { devices: self.devices }),
            Step::Assessor => Phase::Assessor(AssessorQuestion { host_name: joining.host_name() }),
            Step::Lobby => Phase::LobbyGuest(LobbyGuest {
                knock: joining.knock,
                host_present: joining.host_present,
                position: joining.position,
                waiting_since: joining.waiting_since,
                host_name: joining.host_name(),
                assessor: joining.accepted_assessor(),
                devices: self.devices,
            }),
        }
    }

    fn call(
        &self,
        room: &Room,
        host: bool,
        label: String,
        own_name: Option<Private>,
        waiting: Vec<super::Knocker>,
    ) -> Call {
        let sources = self.sources();
        let own_media = MemberMedia {
            microphone: sources.microphone,
            camera: sources.camera,
            screen: sources.screen,
            connected: true,
            undecryptable: false,
        };
        // The MLS tree and nothing else says who is here.
        let members = room.group().members();
        let admitted_by = only_host(&members);
        let members = members.into_iter().map(|member| {
            let peer = room.peer(member.leaf);
            let key = &member.signature_key;
            let said = peer.and_then(|peer| peer.name.clone()).or_else(|| room.removed_name(key));
            let said = said.or_else(|| own_name.clone().filter(|_| member.own));
            let lost = MemberMedia { connected: false, ..own_media };
            RosterRow {
                leaf: u32::from(member.leaf.as_u8()),
                name: member.name.map(Private::from).or(said),
                role: role(member.role),
                vouched: match member.vouched {
                    Vouched::Practice => VouchedBy::Practice,
                    Vouched::Invitation => VouchedBy::Invitation,
                },
                admitted_by: admitted_by.clone().filter(|_| member.vouched == Vouched::Invitation),
                verified: room.safety().is_verified(),
                hosts: member.hosts,
                deputy: member.deputy,
                you: member.own,
                removing: room.is_removing(&member.signature_key),
                media: if member.own { own_media } else { peer.map_or(lost, |peer| peer.media()) },
            }
        });
        Call {
            host,
            label,
            members: members.collect(),
            waiting,
            path: path(room),
            epoch: room.group().epoch(),
            encrypted: room.keyed && room.group().is_active(),
            assessor: is_assessor(room),
            held: room.held(),
            may_step_in: room.may_step_in(),
            must_compare: room.must_compare && !room.safety().is_verified(),
            safety: room.safety().view(),
            microphone_on: self.microphone_on,
            camera_on: self.camera_on,
            sharing: self.sharing.clone(),
            devices: self.devices,
            started_at: room.started_at,
        }
    }

    fn practice(&self) -> Option<PracticeInfo> {
        match &self.stage {
            Stage::Desk(at_desk) => at_desk.desk.practice.clone(),
            Stage::Host(hosting) => hosting.desk.practice.clone(),
            Stage::Colleague(colleague) => colleague.desk.practice.clone(),
            Stage::Joining(entering) => Some(entering.joining.practice.clone()),
            Stage::Guest(visiting) => Some(visiting.entering.joining.practice.clone()),
            Stage::Goodbye(ended) => ended.practice.clone(),
            Stage::Start | Stage::SignIn(_) | Stage::JoinLink => None,
        }
    }

    fn endpoint(&self) -> Option<Endpoint> {
        match &self.stage {
            Stage::SignIn(sign_in) => sign_in.unlocked.as_ref().map(|unlocked| unlocked.endpoint.clone()),
            Stage::Desk(at_desk) => Some(at_desk.desk.endpoint.clone()),
            Stage::Host(hosting) => Some(hosting.desk.endpoint.clone()),
            Stage::Colleague(colleague) => Some(colleague.desk.endpoint.clone()),
            Stage::Joining(entering) => Some(entering.joining.endpoint()),
            Stage::Guest(visiting) => Some(visiting.entering.joining.endpoint()),
            Stage::Start | Stage::JoinLink | Stage::Goodbye(_) => None,
        }
    }
}

/// The host, where there is one alone.
fn only_host(members: &[Member]) -> Option<AdmittedBy> {
    let mut hosts = members.iter().filter(|member| member.hosts);
    let host = hosts.next().filter(|_| hosts.next().is_none())?;
    if host.own { Some(AdmittedBy::You) } else { host.name.clone().map(|name| AdmittedBy::Host(name.into())) }
}

/// By the policy in the group itself.
pub(super) fn is_assessor(room: &Room) -> bool {
    room.group().mode() == CallMode::Assessor
}

fn role(role: CallRole) -> Role {
    match role {
        CallRole::Host => Role::Host,
        CallRole::Patient => Role::Patient,
        CallRole::Carer => Role::Carer,
        CallRole::Interpreter => Role::Interpreter,
        CallRole::Captioner => Role::Other,
    }
}

/// A relay anywhere is said; direct only when everybody is reached so.
fn path(room: &Room) -> Path {
    let paths: Vec<MediaPath> = room.peers().filter_map(|peer| peer.path).collect();
    if paths.is_empty() {
        Path::None
    } else if paths.contains(&MediaPath::Relay) {
        Path::Relay
    } else {
        Path::Direct
    }
}
