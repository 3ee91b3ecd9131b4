//! A guest's way in: look up, redeem.

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{App, Body};
use crate::{
    audit::Event,
    auth::{TokenHash, new_token, random},
    error::Error,
    protocol::{
        ErrorCode, JoinLookupRequest, JoinLookupResponse, JoinRedeemRequest, JoinRedeemResponse, ParticipantId,
        UnixSeconds,
    },
    store::{Counted, redeemable},
};

pub(super) async fn lookup(
    State(shared): App,
    Body(request): Body<JoinLookupRequest>,
) -> Result<Json<JoinLookupResponse>, Error> {
    let invitation = shared.store.invitation(&request.invite_id).await?.ok_or(ErrorCode::InvitationDamaged)?;
    let held = shared.hub.holds(&request.invite_id);
    Ok(Json(JoinLookupResponse {
        refusal: redeemable(&invitation, held, shared.clock.now()).err(),
        starts_at: UnixSeconds(invitation.starts_at),
        practice: shared.store.practice().await?.ok_or(ErrorCode::InvitationDamaged)?,
    }))
}

pub(super) async fn redeem(
    State(shared): App,
    Body(request): Body<JoinRedeemRequest>,
) -> Result<Json<JoinRedeemResponse>, Error> {
    let now = shared.clock.now();
    let id = request.invite_id;
    // Ids are public, so that an unknown one may be refused before anything is written.
    let invitation = shared.store.invitation(&id).await?.ok_or(ErrorCode::InvitationDamaged)?;
    shared.store.spend_try(Counted::Token(id.as_bytes()), now).await?;
    let token =
        STANDARD.decode(request.lobby_token.expose()).map(Zeroizing::new).or(Err(ErrorCode::InvitationDamaged))?;
    if TokenHash::of_bytes(&token).as_bytes()[..] != invitation.token_hash {
        let event = Event::refused("invitation.redeemed", String::new(), ErrorCode::InvitationDamaged);
        shared.store.record(&[event]).await?;
        return Err(ErrorCode::InvitationDamaged.into());
    }
    shared.store.forgive(Counted::Token(id.as_bytes())).await?;
    redeemable(&invitation, shared.hub.holds(&id), now).map_err(Error::Refused)?;
    let (guest_session, hash) = new_token()?;
    let participant = ParticipantId::from_bytes(random()?);
    let expires = shared.store.redeem(&id, hash, participant, now).await?;
    Ok(Json(JoinRedeemResponse { guest_session, expires_at: UnixSeconds(expires) }))
}
