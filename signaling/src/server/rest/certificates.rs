//! Certificates of staff devices. The server cannot check them: whoever reads them does, under the practice's key.

use axum::{Json, extract::State};

use super::{App, Body, Deed, Staff};
use crate::{
    error::Error,
    protocol::{CertificatesResponse, Empty, ErrorCode, MAX_CERTIFICATE_LEN, PutCertificateRequest},
};

pub(super) async fn put(
    State(shared): App,
    staff: Staff,
    Body(request): Body<PutCertificateRequest>,
) -> Result<Json<Empty>, Error> {
    staff.demand(Deed::ShareCertificates)?;
    let PutCertificateRequest { certificate } = request;
    if certificate.is_empty() || certificate.len() > MAX_CERTIFICATE_LEN {
        return Err(ErrorCode::BadValue.into());
    }
    shared.store.put_certificate(&staff.user, &certificate, shared.clock.now()).await?;
    Ok(Json(Empty {}))
}

pub(super) async fn list(State(shared): App, staff: Staff) -> Result<Json<CertificatesResponse>, Error> {
    staff.demand(Deed::ShareCertificates)?;
    Ok(Json(CertificatesResponse { certificates: shared.store.certificates(shared.clock.now()).await? }))
}
