//! Slots and their invitations, and which rooms are open.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};

use super::{App, Body, Deed, Staff, appointment_id, check_text, invite_id};
use crate::{
    auth::random,
    error::Error,
    protocol::{
        Appointment, AppointmentId, AppointmentList, AppointmentState, BookRequest, CreateInvitationRequest, Empty,
        ErrorCode, MAX_LABEL_LEN, MoveRequest, RoomsResponse, StaffRole, UserId,
    },
    server::Shared,
};

/// Longest consultation in minutes.
const MAX_DURATION_MIN: u16 = 480;

/// How long after the appointment an invitation may live.
const INVITATION_AFTER_S: u64 = 24 * 60 * 60;

pub(super) async fn list(State(shared): App, staff: Staff) -> Result<Json<AppointmentList>, Error> {
    staff.demand(Deed::SeeAppointments)?;
    let own = Some(&staff.user).filter(|_| staff.role == StaffRole::Host);
    let mut appointments = shared.store.appointments(own, shared.clock.now()).await?;
    for appointment in &mut appointments {
        appointment.waiting = shared.hub.waiting(&appointment.id);
    }
    Ok(Json(AppointmentList { appointments }))
}

pub(super) async fn rooms(State(shared): App, staff: Staff) -> Result<Json<RoomsResponse>, Error> {
    staff.demand(Deed::SeeRooms)?;
    let open = shared.hub.hosted_rooms(&staff.user);
    Ok(Json(RoomsResponse { rooms: shared.store.open_rooms(&open).await? }))
}

pub(super) async fn book(
    State(shared): App,
    staff: Staff,
    Body(request): Body<BookRequest>,
) -> Result<Json<Appointment>, Error> {
    staff.demand(Deed::Book)?;
    check_text(&request.label, MAX_LABEL_LEN)?;
    check_duration(request.duration_min)?;
    let host = match (staff.role, request.host) {
        (StaffRole::Host, None) => staff.user,
        (StaffRole::Host, Some(host)) if host == staff.user => host,
        (StaffRole::Host, Some(_)) => return Err(ErrorCode::NotAllowed.into()),
        (_, Some(host)) => host,
        (_, None) => return Err(ErrorCode::BadValue.into()),
    };
    let is_host = shared.store.user(&host).await?.is_some_and(|user| user.role == StaffRole::Host);
    if !is_host {
        return Err(ErrorCode::NotFound.into());
    }
    let wanted = Appointment {
        id: AppointmentId::from_bytes(random()?),
        label: request.label,
        starts_at: request.starts_at,
        duration_min: request.duration_min,
        host,
        state: AppointmentState::Planned,
        waiting: 0,
        invitations: Vec::new(),
    };
    shared.store.book(&staff.user, staff.role, &wanted).await?;
    Ok(Json(wanted))
}

pub(super) async fn reschedule(
    State(shared): App,
    staff: Staff,
    Path(id): Path<String>,
    Body(request): Body<MoveRequest>,
) -> Result<Json<Appointment>, Error> {
    let id = booked(&shared, &staff, &id).await?.id;
    check_duration(request.duration_min)?;
    shared.store.move_appointment(&staff.user, &id, request.starts_at, request.duration_min).await?;
    shared.hub.close_guests(ErrorCode::AppointmentMoved, |_, appointment| *appointment == id);
    let moved = shared.store.appointment(&id).await?;
    Ok(Json(moved.ok_or(ErrorCode::NotFound)?))
}

pub(super) async fn cancel(State(shared): App, staff: Staff, Path(id): Path<String>) -> Result<Json<Empty>, Error> {
    let id = booked(&shared, &staff, &id).await?.id;
    shared.store.cancel_appointment(&staff.user, &id).await?;
    shared.hub.close_guests(ErrorCode::AppointmentMoved, |_, appointment| *appointment == id);
    Ok(Json(Empty {}))
}

pub(super) async fn invite(
    State(shared): App,
    staff: Staff,
    Path(id): Path<String>,
    Body(request): Body<CreateInvitationRequest>,
) -> Result<Json<Empty>, Error> {
    staff.demand(Deed::Invite)?;
    let appointment = found(&shared, &id).await?;
    own(&staff, &appointment.host)?;
    if appointment.state == AppointmentState::Cancelled {
        return Err(ErrorCode::AppointmentMoved.into());
    }
    let end = appointment.starts_at.0.saturating_add(u64::from(appointment.duration_min) * 60);
    let sound = request.token_hash.len() == 32
        && request.not_before < request.expires_at
        && request.expires_at.0 > shared.clock.now()
        && request.expires_at.0 <= end.saturating_add(INVITATION_AFTER_S);
    if !sound {
        return Err(ErrorCode::BadValue.into());
    }
    shared.store.create_invitation(&staff.user, &appointment.id, &request).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn revoke(State(shared): App, staff: Staff, Path(id): Path<String>) -> Result<Json<Empty>, Error> {
    staff.demand(Deed::Invite)?;
    let id = invite_id(&id)?;
    let invitation = shared.store.invitation(&id).await?.ok_or(ErrorCode::NotFound)?;
    own(&staff, &invitation.host)?;
    shared.store.revoke_invitation(&staff.user, &id).await?;
    shared.hub.close_guests(ErrorCode::InvitationWithdrawn, |invitation, _| *invitation == id);
    Ok(Json(Empty {}))
}

/// An appointment that this person may move or cancel.
async fn booked(shared: &Arc<Shared>, staff: &Staff, id: &str) -> Result<Appointment, Error> {
    staff.demand(Deed::Book)?;
    let appointment = found(shared, id).await?;
    if staff.role == StaffRole::Host {
        own(staff, &appointment.host)?;
    }
    Ok(appointment)
}

async fn found(shared: &Arc<Shared>, id: &str) -> Result<Appointment, Error> {
    let found = shared.store.appointment(&appointment_id(id)?).await?;
    Ok(found.ok_or(ErrorCode::NotFound)?)
}

/// What belongs to another host does not exist for this one.
fn own(staff: &Staff, host: &UserId) -> Result<(), Error> {
    if staff.user == *host { Ok(()) } else { Err(ErrorCode::NotFound.into()) }
}

fn check_duration(duration_min: u16) -> Result<(), Error> {
    if (1..=MAX_DURATION_MIN).contains(&duration_min) { Ok(()) } else { Err(ErrorCode::BadValue.into()) }
}
