//! Passphrase, code, session.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{Anyone, App, Body, check_name, check_passphrase};
use crate::{
    audit::Event,
    auth::{TokenHash, new_token, random},
    error::Error,
    protocol::{
        AuthStartRequest, CodeRequest, Empty, ErrorCode, InfoResponse, PROTOCOL_VERSION, ParticipantId, Secret,
        SessionResponse, TicketResponse, UnixSeconds, UserId,
    },
    server::Shared,
    store::{Counted, User},
};

pub(super) async fn info(State(shared): App) -> Result<Json<InfoResponse>, Error> {
    Ok(Json(InfoResponse { version: PROTOCOL_VERSION, practice: shared.store.practice().await? }))
}

pub(super) async fn start(
    State(shared): App,
    Body(request): Body<AuthStartRequest>,
) -> Result<Json<TicketResponse>, Error> {
    check_name(&request.name)?;
    check_passphrase(&request.passphrase)?;
    let name = request.name.to_lowercase();
    let now = shared.clock.now();
    shared.store.spend_try(Counted::Name(&name), now).await?;
    let mut user = shared.store.user_by_name(&name).await?;
    // The same steps for somebody unknown: hash, audit row, answer.
    let stored = user.as_mut().and_then(|user| user.passphrase.take());
    let fits = shared.passwords.verify(stored, request.passphrase).await?;
    let Some(user) = user.filter(|_| fits) else {
        let event = Event::refused("auth.sign_in", String::new(), ErrorCode::WrongDetails);
        shared.store.record(&[event]).await?;
        return Err(ErrorCode::WrongDetails.into());
    };
    shared.store.forgive(Counted::Name(&name)).await?;
    if !user.totp_confirmed {
        let event = Event::refused("auth.sign_in", user.id.to_hex(), ErrorCode::SecondFactorNeeded);
        shared.store.record(&[event]).await?;
        return Err(ErrorCode::SecondFactorNeeded.into());
    }
    let (ticket, hash) = new_token()?;
    shared.store.put_login_ticket(hash, &user.id, now).await?;
    Ok(Json(TicketResponse { ticket }))
}

pub(super) async fn totp(State(shared): App, Body(request): Body<CodeRequest>) -> Result<Json<SessionResponse>, Error> {
    let now = shared.clock.now();
    let ticket = TokenHash::of(request.ticket.expose());
    let user_id = shared.store.ticket(ticket, "login", now).await?;
    let (user, step) = matched_step(&shared, &user_id, &request.code, now).await?;
    let (session, hash) = new_token()?;
    let participant = ParticipantId::from_bytes(random()?);
    let opened = shared.store.open_staff_session(ticket, &user.id, step, hash, participant, now).await;
    let expires = match opened {
        Ok(expires) => expires,
        Err(error) => return Err(note_refusal(&shared, &user.id, error).await),
    };
    shared.store.forgive(Counted::Code(user.id.as_bytes())).await?;
    Ok(Json(SessionResponse {
        session,
        user: user.id,
        display: user.display,
        roles: vec![user.role],
        practice: shared.store.practice().await?,
        expires_at: UnixSeconds(expires),
    }))
}

pub(super) async fn logout(State(shared): App, Anyone(session): Anyone) -> Result<Json<Empty>, Error> {
    shared.store.end_session(&session).await?;
    shared.hub.close_session(&session.hash, ErrorCode::SessionEnded);
    Ok(Json(Empty {}))
}

/// Spends a try of the account and finds the step of the code. `AUTH-04` when there is none.
pub(super) async fn matched_step(
    shared: &Arc<Shared>,
    user: &UserId,
    code: &Secret,
    now: u64,
) -> Result<(User, u64), Error> {
    shared.store.spend_try(Counted::Code(user.as_bytes()), now).await?;
    let user = shared.store.user(user).await?.ok_or(ErrorCode::SessionEnded)?;
    let sealed = user.totp_sealed.as_deref().ok_or(ErrorCode::SecondFactorNeeded)?;
    let secret = shared.seal.open(&user.id, sealed)?;
    match secret.matched_step(code.expose(), now) {
        Some(step) => Ok((user, step)),
        None => Err(note_refusal(shared, &user.id, ErrorCode::WrongSecondFactor.into()).await),
    }
}

/// Writes a refused sign-in down. What comes back is what the caller answers.
async fn note_refusal(shared: &Arc<Shared>, user: &UserId, error: Error) -> Error {
    let Error::Refused(body) = &error else {
        return error;
    };
    let event = Event::refused("auth.sign_in", user.to_hex(), body.code);
    match shared.store.record(&[event]).await {
        Ok(()) => error,
        Err(failed) => failed,
    }
}
