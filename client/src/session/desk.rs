//! Staff at their desk: today's list, booking, invitations.

use crypto::{
    CallMode, CallRole, Delivery, DeviceCertificate, DevicePublicKey, InvitationTerms, OwnedInvitation,
    StaffRole as Certified,
};
use signaling::protocol::{
    Appointment, AppointmentId, AppointmentState, CreateInvitationRequest, GuestRole, InvitationState as ServerState,
    Opaque, OpenRoom, SessionResponse, StaffRole, UnixSeconds,
};

use super::door::{Invitations, store_then_send};
use super::effect::{Day, Endpoint, HostIdentity, Now, Output, Request, Unlocked};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::view::{
    AppointmentRow, Booking, ColleagueRoom, InvitationState, Invite, InvitePage, Phase, PracticeInfo, Today,
};
use crate::private::Private;

/// Guests may come this long before the appointment.
const EARLY: u64 = 30 * 60;
/// The invitation ends this long after the appointment began (E2EE 3 allows 24 h after its end).
const LATE: u64 = 4 * 3600;
/// The list is read anew after this many seconds.
const REFRESH: u64 = 15;
/// Devices that may stand in for a host, this one included (the policy's bound).
const DEPUTIES: usize = 16;

/// A signed-in member of staff.
#[derive(Debug)]
pub(super) struct Desk {
    /// Server of this computer.
    pub endpoint: Endpoint,
    /// Session token.
    pub token: Private,
    /// This device as a host.
    pub host: Option<HostIdentity>,
    /// Invitations made on this computer.
    pub invitations: Invitations,
    /// Practice, as the server says.
    pub practice: Option<PracticeInfo>,
    display_name: String,
    may_host: bool,
    appointments: Vec<Appointment>,
    rooms: Vec<OpenRoom>,
    /// Devices of colleagues that the practice certified.
    deputies: Vec<DevicePublicKey>,
    /// The own certificate lies at the server.
    laid_out: bool,
    renew_in_days: Option<u64>,
    updated_at: Option<u64>,
    asked_at: u64,
    /// Number of the request whose list is shown.
    listed: u64,
    /// Number of the request that answers the last click.
    busy_with: Option<u64>,
    page: Page,
}

#[derive(Debug)]
enum Page {
    Today,
    Booking,
    /// Link and code, while they are handed out; then they are gone from memory.
    Invite {
        id: [u8; 16],
        shown: Box<Invite>,
        code: Private,
    },
}

/// A freshly made invitation on its way to disk and server.
#[derive(Debug)]
pub(super) struct Drafted {
    invitation: OwnedInvitation,
    invite: Invite,
    code: Private,
}

impl Desk {
    /// After the second factor.
    pub(super) fn new(unlocked: Unlocked, session: &SessionResponse) -> Self {
        let invitations =
            unlocked.invitations.into_iter().map(|invitation| (*invitation.invite_id().as_bytes(), invitation));
        let practice = session.practice.as_ref();
        Self {
            endpoint: unlocked.endpoint,
            token: session.session.expose().into(),
            may_host: session.roles.contains(&StaffRole::Host),
            host: unlocked.host,
            invitations: invitations.collect(),
            practice: practice
                .map(|practice| PracticeInfo { name: practice.name.clone(), phone: practice.phone.clone() }),
            display_name: session.display.clone(),
            appointments: Vec::new(),
            rooms: Vec::new(),
            deputies: Vec::new(),
            laid_out: false,
            renew_in_days: None,
            updated_at: None,
            asked_at: 0,
            listed: 0,
            busy_with: None,
            page: Page::Today,
        }
    }

    /// Whether the account may host, but this computer has no certified device for it.
    pub(super) fn lacks_device(&self) -> bool {
        self.may_host && self.host.is_none()
    }

    /// The page that is shown.
    pub(super) fn phase(&self, now: u64) -> Phase {
        match &self.page {
            Page::Today => Phase::Today(Today {
                display_name: self.display_name.clone(),
                may_host: self.may_host && self.host.is_some(),
                renew_in_days: self.renew_in_days,
                appointments: self.appointments.iter().map(|appointment| self.row(appointment, now)).collect(),
                colleagues: self.rooms.iter().map(colleague).collect(),
                busy: self.is_busy(),
                updated_at: self.updated_at,
            }),
            Page::Booking => Phase::Booking(Booking { busy: self.is_busy() }),
            Page::Invite { shown, .. } => Phase::Invite((**shown).clone()),
        }
    }

    /// Whether a click waits for its answer.
    pub(super) fn is_busy(&self) -> bool {
        self.busy_with.is_some()
    }

    /// A click waits for the answer to this request, and for no other.
    pub(super) fn wait_for(&mut self, request: u64) {
        self.busy_with = Some(request);
    }

    /// An answer came.
    pub(super) fn answered(&mut self, request: u64) {
        self.busy_with.take_if(|waiting| *waiting == request);
    }

    /// Whether today's list is shown and has not been read for a while.
    pub(super) fn is_stale(&self, now: u64) -> bool {
        matches!(self.page, Page::Today) && now.saturating_sub(self.asked_at) >= REFRESH
    }

    /// Asks for today's list.
    pub(super) fn refresh(&mut self, now: u64) -> Request {
        self.asked_at = now;
        let host = self.host.as_ref().filter(|_| !self.laid_out);
        Request::Appointments { token: self.token.clone(), lay_out: host.map(|host| host.certificate.encode()) }
    }

    /// Today's list came. Lists overtake each other on their way: one that was asked for earlier than the shown one is old.
    pub(super) fn on_day(&mut self, now: u64, request: u64, day: Day) {
        if request < self.listed {
            return;
        }
        self.listed = request;
        (self.appointments, self.rooms) = (day.appointments, day.rooms);
        self.appointments.retain(|appointment| appointment.state != AppointmentState::Cancelled);
        self.laid_out |= day.laid_out;
        self.deputies = self.host.as_ref().map_or_else(Vec::new, |host| deputies(now, host, &day.certificates));
        self.updated_at = Some(now);
        self.renew_in_days = self.host.as_ref().and_then(|host| host.renewal_due(now));
    }

    /// Opens the booking page.
    pub(super) fn open_booking(&mut self) {
        self.page = Page::Booking;
    }

    /// Back to today's list. Link and code go from memory; only the code's OPAQUE record stays on disk.
    pub(super) fn show_today(&mut self) {
        self.page = Page::Today;
    }

    /// Back at the desk after something else: nothing is awaited.
    pub(super) fn at_rest(mut self) -> Self {
        self.busy_with = None;
        self
    }

    /// From the link page to the code page.
    pub(super) fn show_code(&mut self) {
        if let Page::Invite { shown, code, .. } = &mut self.page {
            shown.page = InvitePage::Code { code: code.clone() };
        }
    }

    /// The call is over for this computer: nobody comes back by its records any more.
    pub(super) fn end_used_invitations(&mut self, fx: &mut Effects) {
        for invitation in self.invitations.values_mut().filter(|invitation| invitation.is_consumed()) {
            invitation.consume();
            fx.out.push(store_then_send(invitation, None));
        }
        self.invitations.retain(|_, invitation| !invitation.is_consumed());
    }

    /// Who may stand in for this host, itself included: after a handover the call can come back to it.
    pub(super) fn deputies(&self) -> &[DevicePublicKey] {
        &self.deputies
    }

    /// The link that is shown goes through the server: the record says so before it leaves, and so does every guest's exchange.
    pub(super) fn mark_link(&mut self) -> Option<Output> {
        let Page::Invite { id, shown, .. } = &mut self.page else { return None };
        let invitation = self.invitations.get_mut(id)?;
        invitation.mark_delivery(Delivery::ServerDelivered);
        shown.by_server = true;
        Some(store_then_send(invitation, None))
    }

    /// The appointment with this id.
    pub(super) fn find(&self, id: &str) -> Option<&Appointment> {
        self.appointments.iter().find(|appointment| appointment.id.to_hex() == id)
    }

    /// A colleague's open room with this id.
    pub(super) fn colleagues_room(&self, id: &str) -> Option<&OpenRoom> {
        self.rooms.iter().find(|room| room.appointment.to_hex() == id)
    }

    /// Makes link and code. They are shown once the record is on disk and the server knows the token's hash.
    ///
    /// # Errors
    /// `KEY-01` without a certified device, `SRV-03` for an unknown appointment, `KEY-03` when it cannot be made.
    pub(super) fn draft(&self, now: Now, id: &str, mode: CallMode) -> Result<(Drafted, Request), ErrorCode> {
        let appointment = self.find(id).ok_or(ErrorCode::Srv03)?;
        let host = self.host.as_ref().ok_or(ErrorCode::Key01)?;
        let starts_at = appointment.starts_at.0;
        let not_before = starts_at.saturating_sub(EARLY).min(now.unix);
        let expires_at = starts_at.max(now.unix) + LATE;
        let terms = InvitationTerms {
            server: self.endpoint.address.clone(),
            server_pin: self.endpoint.pin,
            practice: host.practice,
            practice_phone: host.practice_phone.clone(),
            phone_signature: host.phone_signature.clone(),
            role: CallRole::Patient,
            mode,
            least_deny_list: host.deny_list.as_ref().map_or(0, crypto::DenyList::version),
            not_before,
            expires_at,
            appointment: id.to_owned(),
        };
        let failed = |error| {
            tracing::error!(%error, "an invitation could not be made");
            ErrorCode::Key03
        };
        let (invitation, link, code) = OwnedInvitation::create(terms).map_err(failed)?;
        let token_hash = link.lobby_token().map_err(failed)?.hash();
        let request = CreateInvitationRequest {
            invite_id: signaling::protocol::InviteId::from_bytes(*invitation.invite_id().as_bytes()),
            token_hash: Opaque::new(token_hash.to_vec()),
            role: GuestRole::Patient,
            not_before: UnixSeconds(not_before),
            expires_at: UnixSeconds(expires_at),
        };
        let request = Request::RegisterInvitation {
            token: self.token.clone(),
            appointment: appointment.id,
            record: invitation.encode(),
            request,
        };
        let invite = Invite {
            appointment: id.to_owned(),
            label: appointment.label.clone(),
            starts_at,
            expires_at,
            assessor: mode == CallMode::Assessor,
            by_server: false,
            page: InvitePage::Link { link: link.to_uri().as_str().into() },
        };
        Ok((Drafted { invitation, invite, code: code.display().as_str().into() }, request))
    }

    /// The server knows the invitation: show the link.
    pub(super) fn on_registered(&mut self, drafted: Drafted) {
        let Drafted { invitation, invite, code } = drafted;
        let id = *invitation.invite_id().as_bytes();
        self.invitations.insert(id, invitation);
        self.page = Page::Invite { id, shown: Box::new(invite), code };
    }

    /// Mode of the call that an appointment's newest invitation leads to, as this computer made it. The server only says
    /// which of several is the newest: a wrong answer opens a room whose guests are refused, never one of another mode.
    pub(super) fn mode_of(&self, id: &str) -> CallMode {
        let ours = |invitation: &&OwnedInvitation| invitation.appointment() == id;
        let listed = self.find(id).and_then(|appointment| {
            let newest_first = appointment.invitations.iter().rev();
            newest_first.filter_map(|summary| self.invitations.get(summary.invite_id.as_bytes())).find(ours)
        });
        let newest = listed.or_else(|| self.invitations.values().filter(ours).max_by_key(|ours| ours.expires_at()));
        newest.map_or(CallMode::Real, OwnedInvitation::mode)
    }

    /// The open invitation of an appointment, to be withdrawn.
    pub(super) fn open_invitation(&self, id: &str) -> Option<signaling::protocol::InviteId> {
        let open = |state| matches!(state, ServerState::Made | ServerState::Redeemed);
        self.find(id)?.invitations.iter().rev().find(|summary| open(summary.state)).map(|summary| summary.invite_id)
    }

    fn row(&self, appointment: &Appointment, now: u64) -> AppointmentRow {
        let newest = appointment.invitations.last();
        let invitation = newest.map_or(InvitationState::None, |summary| match summary.state {
            ServerState::Used | ServerState::Denied => InvitationState::Used,
            ServerState::Revoked | ServerState::Moved => InvitationState::Revoked,
            ServerState::Made | ServerState::Redeemed if summary.expires_at.0 < now => InvitationState::Expired,
            ServerState::Made | ServerState::Redeemed => match self.invitations.get(summary.invite_id.as_bytes()) {
                Some(ours) if ours.tries_left() == 0 => InvitationState::Locked,
                Some(_) => InvitationState::Made,
                None => InvitationState::Elsewhere,
            },
        });
        AppointmentRow {
            id: appointment.id.to_hex(),
            label: appointment.label.clone(),
            starts_at: appointment.starts_at.0,
            invitation,
            assessor: self.mode_of(&appointment.id.to_hex()) == CallMode::Assessor,
            waiting: appointment.waiting,
        }
    }
}

/// The consultation's id in the group's policy: it stays when a new group is opened for the same appointment.
pub(super) fn call_id(appointment: AppointmentId) -> crypto::CallId {
    crypto::CallId::from_bytes(*appointment.as_bytes())
}

/// Devices that this practice certified for clinicians, out of what the server says. It can leave some out, and make none up.
fn deputies(now: u64, host: &HostIdentity, laid_out: &[Opaque]) -> Vec<DevicePublicKey> {
    let own = host.certificate.device_key();
    let mut devices = vec![own];
    for bytes in laid_out {
        let Ok(certificate) = DeviceCertificate::decode(bytes.as_bytes()) else { continue };
        let denied = host.deny_list.as_ref().is_some_and(|list| list.denies(&certificate));
        let certified = certificate.verify(&host.practice, now).is_ok();
        let device = certificate.device_key();
        let clinician = certificate.roles().contains(&Certified::Clinician);
        if certified && clinician && !denied && !devices.contains(&device) && devices.len() < DEPUTIES {
            devices.push(device);
        }
    }
    devices
}

fn colleague(room: &OpenRoom) -> ColleagueRoom {
    ColleagueRoom { id: room.appointment.to_hex(), label: room.label.clone(), host: room.host.clone() }
}
