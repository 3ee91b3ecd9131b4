//! Bootstrap, accounts, enrolment, audit.

use axum::{
    Json,
    extract::{RawQuery, State},
};

use super::{App, Body, Deed, Staff, check_name, check_passphrase, check_text, sign_in::matched_step};
use crate::{
    auth::{TokenHash, TotpSecret, new_token, random},
    error::Error,
    protocol::{
        AuditPage, AuditVerdict, BootstrapRequest, CodeRequest, CreateUserRequest, CreateUserResponse, Empty,
        EnrolRequest, EnrolResponse, ErrorCode, PracticeInfo, ReplacePracticeRequest, StaffList, UserId,
    },
    store::{Bootstrap, Counted, NewUser},
};

/// Longest phone number in bytes.
const MAX_PHONE_LEN: usize = 32;

pub(super) async fn bootstrap(
    State(shared): App,
    Body(request): Body<BootstrapRequest>,
) -> Result<Json<EnrolResponse>, Error> {
    check_name(&request.practice_name)?;
    check_name(&request.admin_name)?;
    check_text(&request.practice_phone, MAX_PHONE_LEN)?;
    check_passphrase(&request.passphrase)?;
    if request.practice_public_key.len() != 32 || request.phone_signature.len() != 64 {
        return Err(ErrorCode::BadValue.into());
    }
    let now = shared.clock.now();
    // An empty name belongs to no account.
    shared.store.spend_try(Counted::Enrolment(""), now).await?;
    let secret = TokenHash::of(request.secret.expose());
    if !shared.store.is_bootstrap(secret).await? {
        return Err(ErrorCode::WrongOneTimeSecret.into());
    }
    shared.store.forgive(Counted::Enrolment("")).await?;
    let (totp, (ticket, ticket_hash)) = (TotpSecret::generate()?, new_token()?);
    let admin = UserId::from_bytes(random()?);
    let answer = EnrolResponse {
        totp_secret: totp.to_base32(),
        totp_uri: totp.uri(&request.practice_name, &request.admin_name),
        ticket,
    };
    let wanted = Bootstrap {
        practice: PracticeInfo {
            name: request.practice_name,
            phone: request.practice_phone,
            public_key: request.practice_public_key,
            phone_signature: request.phone_signature,
        },
        admin,
        admin_name: request.admin_name,
        passphrase: shared.passwords.hash(request.passphrase).await?,
        totp_sealed: shared.seal.seal(&admin, &totp)?,
        ticket: ticket_hash,
    };
    shared.store.bootstrap(secret, &wanted, now).await?;
    Ok(Json(answer))
}

pub(super) async fn replace_practice(
    State(shared): App,
    Body(request): Body<ReplacePracticeRequest>,
) -> Result<Json<Empty>, Error> {
    if request.practice_public_key.len() != 32 || request.phone_signature.len() != 64 {
        return Err(ErrorCode::BadValue.into());
    }
    let now = shared.clock.now();
    // The same count as the bootstrap's: both guess at a secret of the console.
    shared.store.spend_try(Counted::Enrolment(""), now).await?;
    let secret = TokenHash::of(request.secret.expose());
    let ended = shared.store.replace_practice_key(secret, &request, now).await?;
    shared.hub.close_guests(ErrorCode::InvitationWithdrawn, |invitation, _| ended.contains(invitation));
    shared.store.forgive(Counted::Enrolment("")).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn enrol(State(shared): App, Body(request): Body<EnrolRequest>) -> Result<Json<EnrolResponse>, Error> {
    check_name(&request.name)?;
    check_passphrase(&request.passphrase)?;
    let now = shared.clock.now();
    let name = request.name.to_lowercase();
    shared.store.spend_try(Counted::Enrolment(&name), now).await?;
    let hash = TokenHash::of(request.enrolment_secret.expose());
    let user =
        shared.store.user_by_name(&name).await?.filter(|user| !user.totp_confirmed && user.is_enrolment(hash, now));
    let user = user.ok_or(ErrorCode::WrongOneTimeSecret)?;
    shared.store.forgive(Counted::Enrolment(&name)).await?;
    let passphrase = shared.passwords.hash(request.passphrase).await?;
    let (totp, (ticket, ticket_hash)) = (TotpSecret::generate()?, new_token()?);
    let sealed = shared.seal.seal(&user.id, &totp)?;
    shared.store.enrol(&user.id, &passphrase, &sealed, ticket_hash, now).await?;
    let practice = shared.store.practice().await?.map_or_else(String::new, |practice| practice.name);
    Ok(Json(EnrolResponse { totp_secret: totp.to_base32(), totp_uri: totp.uri(&practice, &request.name), ticket }))
}

pub(super) async fn confirm(State(shared): App, Body(request): Body<CodeRequest>) -> Result<Json<Empty>, Error> {
    let now = shared.clock.now();
    let ticket = TokenHash::of(request.ticket.expose());
    let user = shared.store.ticket(ticket, "enrol", now).await?;
    let (user, step) = matched_step(&shared, &user, &request.code, now).await?;
    shared.store.confirm_factor(&user.id, step, ticket).await?;
    shared.store.forgive(Counted::Code(user.id.as_bytes())).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn list(State(shared): App, staff: Staff) -> Result<Json<StaffList>, Error> {
    staff.demand(Deed::ListStaff)?;
    Ok(Json(StaffList { staff: shared.store.staff().await? }))
}

pub(super) async fn create(
    State(shared): App,
    staff: Staff,
    Body(request): Body<CreateUserRequest>,
) -> Result<Json<CreateUserResponse>, Error> {
    staff.demand(Deed::CreateUsers)?;
    check_name(&request.name)?;
    check_name(&request.display)?;
    let (enrolment_secret, enrolment) = new_token()?;
    let user = UserId::from_bytes(random()?);
    let CreateUserRequest { name, display, role } = request;
    let wanted = NewUser { user, name, display, role, enrolment };
    shared.store.create_user(&staff.user, &wanted, shared.clock.now()).await?;
    Ok(Json(CreateUserResponse { user, enrolment_secret }))
}

pub(super) async fn audit(
    State(shared): App,
    staff: Staff,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditPage>, Error> {
    staff.demand(Deed::ReadAudit)?;
    let after = match query.as_deref().and_then(|query| query.strip_prefix("after=")) {
        Some(number) => number.parse().or(Err(ErrorCode::BadValue))?,
        None => 0,
    };
    Ok(Json(AuditPage { rows: shared.store.audit_after(after).await? }))
}

pub(super) async fn verify_audit(State(shared): App, staff: Staff) -> Result<Json<AuditVerdict>, Error> {
    staff.demand(Deed::ReadAudit)?;
    Ok(Json(shared.store.verify_audit().await?))
}
