//! REST: routes, the role of each, and the form of requests and refusals.

mod appointments;
mod certificates;
mod join;
mod policy;
mod sign_in;
mod staff;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;

use self::policy::{Deed, may};
use super::{Shared, socket, told};
use crate::{
    auth::TokenHash,
    error::Error,
    protocol::{
        AppointmentId, ErrorCode, InviteId, MAX_MESSAGE_LEN, MAX_NAME_LEN, SOCKET_PATH, Secret, StaffRole, UserId,
    },
    store::{Holder, Session},
};

type App = axum::extract::State<Arc<Shared>>;

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(|| std::future::ready(StatusCode::NO_CONTENT)))
        .route("/v1/info", get(sign_in::info))
        .route("/v1/bootstrap", post(staff::bootstrap))
        .route("/v1/practice/replace", post(staff::replace_practice))
        .route("/v1/enrol", post(staff::enrol))
        .route("/v1/enrol/confirm", post(staff::confirm))
        .route("/v1/auth/start", post(sign_in::start))
        .route("/v1/auth/totp", post(sign_in::totp))
        .route("/v1/auth/logout", post(sign_in::logout))
        .route("/v1/users", get(staff::list).post(staff::create))
        .route("/v1/appointments", get(appointments::list).post(appointments::book))
        .route("/v1/rooms", get(appointments::rooms))
        .route("/v1/certificates", get(certificates::list).post(certificates::put))
        .route("/v1/appointments/{id}/move", post(appointments::reschedule))
        .route("/v1/appointments/{id}/cancel", post(appointments::cancel))
        .route("/v1/appointments/{id}/invitations", post(appointments::invite))
        .route("/v1/invitations/{id}/revoke", post(appointments::revoke))
        .route("/v1/join/lookup", post(join::lookup))
        .route("/v1/join/redeem", post(join::redeem))
        .route("/v1/audit", get(staff::audit))
        .route("/v1/audit/verify", get(staff::verify_audit))
        .route(SOCKET_PATH, get(socket::upgrade))
        .fallback(|| std::future::ready(Error::from(ErrorCode::NotFound)))
        .method_not_allowed_fallback(|| std::future::ready(Error::from(ErrorCode::NotFound)))
        .with_state(shared)
}

/// A JSON body within the limit.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let bytes: Bytes =
            axum::body::to_bytes(request.into_body(), MAX_MESSAGE_LEN).await.or(Err(ErrorCode::MessageTooLarge))?;
        Ok(Self(serde_json::from_slice(&bytes).or(Err(ErrorCode::BadValue))?))
    }
}

/// A signed-in member of the staff.
struct Staff {
    user: UserId,
    role: StaffRole,
}

impl Staff {
    /// Default deny; every route that needs a session asks here.
    fn demand(&self, deed: Deed) -> Result<(), Error> {
        if may(self.role, deed) { Ok(()) } else { Err(ErrorCode::NotAllowed.into()) }
    }
}

impl FromRequestParts<Arc<Shared>> for Staff {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Error> {
        let session = session(parts, shared).await?;
        match session.holder {
            Holder::Staff { user, role } => Ok(Self { user, role }),
            Holder::Guest { .. } => Err(ErrorCode::NotAllowed.into()),
        }
    }
}

/// Any valid session, for signing out.
struct Anyone(Session);

impl FromRequestParts<Arc<Shared>> for Anyone {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Error> {
        session(parts, shared).await.map(Self)
    }
}

async fn session(parts: &Parts, shared: &Arc<Shared>) -> Result<Session, Error> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ErrorCode::SessionEnded)?;
    shared.store.session(TokenHash::of(token), shared.clock.now()).await
}

/// An id in a path; anything else than an id is not found.
fn appointment_id(text: &str) -> Result<AppointmentId, Error> {
    AppointmentId::from_hex(text).or(Err(ErrorCode::NotFound.into()))
}

fn invite_id(text: &str) -> Result<InviteId, Error> {
    InviteId::from_hex(text).or(Err(ErrorCode::NotFound.into()))
}

/// A name that people typed: not empty, bounded, without control characters.
fn check_name(name: &str) -> Result<(), Error> {
    check_text(name, MAX_NAME_LEN)
}

fn check_text(text: &str, max_len: usize) -> Result<(), Error> {
    let sound = !text.trim().is_empty() && text.len() <= max_len && !text.chars().any(char::is_control);
    if sound { Ok(()) } else { Err(ErrorCode::BadValue.into()) }
}

/// The login secret that a client derived.
fn check_passphrase(passphrase: &Secret) -> Result<(), Error> {
    if (16..=256).contains(&passphrase.expose().len()) { Ok(()) } else { Err(ErrorCode::BadValue.into()) }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = told(self);
        let mut response = (status(body.code), Json(body)).into_response();
        if let Some(seconds) = body.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::WrongDetails
        | ErrorCode::SecondFactorNeeded
        | ErrorCode::WrongSecondFactor
        | ErrorCode::CodeReplayed
        | ErrorCode::SessionEnded
        | ErrorCode::WrongOneTimeSecret => StatusCode::UNAUTHORIZED,
        ErrorCode::TooManyTries | ErrorCode::Busy => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::NotFound | ErrorCode::InvitationDamaged => StatusCode::NOT_FOUND,
        ErrorCode::NameTaken | ErrorCode::InvitationUsed => StatusCode::CONFLICT,
        ErrorCode::InvitationExpired | ErrorCode::InvitationWithdrawn | ErrorCode::AppointmentMoved => StatusCode::GONE,
        ErrorCode::MessageTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::BadValue => StatusCode::BAD_REQUEST,
        ErrorCode::ServerFailed => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    }
}
