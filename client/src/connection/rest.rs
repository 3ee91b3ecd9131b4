//! Short calls: one request on one connection, JSON both ways.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{ConnectError, Server, tls};
use crate::session::ErrorCode;

/// A day's list is some 30 KB; nothing the server says in one answer is larger than this.
const ANSWER_BYTES: usize = 512 * 1024;
/// The server hashes a passphrase within this even with a queue before it.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// The server refused it and says why.
    #[error("the server refused: {}", code.as_str())]
    Refused {
        /// Its reason.
        code: ErrorCode,
        /// Seconds after which trying again makes sense.
        retry_after_s: Option<u32>,
    },
    /// The answer is not what this version understands.
    #[error("the server's answer was not understood")]
    NotUnderstood,
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke while the answer was awaited.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
}

impl RestError {
    /// The code people are shown.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::NotUnderstood => ErrorCode::Net05,
            Self::TimedOut | Self::Broken(_) => ErrorCode::Net01,
            Self::Connect(error) => error.code(),
        }
    }

    /// Seconds the server asks to wait.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Refused { retry_after_s, .. } => *retry_after_s,
            _ => None,
        }
    }
}

#[derive(serde::Deserialize)]
struct Refusal {
    code: String,
    #[serde(default)]
    retry_after_s: Option<u32>,
}

impl Server {
    /// Reads a resource.
    ///
    /// # Errors
    /// See [`RestError`].
    pub async fn get<A: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Result<A, RestError> {
        self.call("GET", path, token, Bytes::new()).await
    }

    /// Sends a body and reads the answer.
    ///
    /// # Errors
    /// See [`RestError`].
    pub async fn post<B: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &B,
    ) -> Result<A, RestError> {
        // The body may hold a login secret: hyper's own copies are short-lived, ours is wiped.
        let body = Zeroizing::new(serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "a request could not be written as JSON");
            RestError::NotUnderstood
        })?);
        self.call("POST", path, token, Bytes::copy_from_slice(&body)).await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<A, RestError> {
        let exchange = self.exchange(method, path, token, body);
        tokio::time::timeout(ANSWER_TIME, exchange).await.unwrap_or(Err(RestError::TimedOut))
    }

    async fn exchange<A: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<A, RestError> {
        let stream = tls::connect(self).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(RestError::Broken)?;
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        if method != "GET" {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let Ok(request) = request.body(Full::new(body)) else {
            tracing::error!("a request could not be built");
            return Err(RestError::NotUnderstood);
        };
        let answer = async {
            let response = sender.send_request(request).await.map_err(RestError::Broken)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(error) => RestError::Broken(*error),
                Err(_) => RestError::NotUnderstood,
            })?;
            Ok::<_, RestError>((status, body.to_bytes()))
        };
        // The connection is driven beside the exchange and dropped with it.
        let driven = async {
            connection.await.map_err(RestError::Broken)?;
            // The answer resolves first on a good connection; here it closed early.
            std::future::pending::<Result<_, RestError>>().await
        };
        let (status, body) = tokio::select! { answer = answer => answer?, broken = driven => broken? };
        if status.is_success() {
            let body = if body.is_empty() { Bytes::from_static(b"null") } else { body };
            return serde_json::from_slice(&body).map_err(|error| {
                tracing::warn!(path, line = error.line(), column = error.column(), "an answer was not understood");
                RestError::NotUnderstood
            });
        }
        Err(refusal(status.as_u16(), &body))
    }
}

/// What a refusal says; without a code we know, the status decides.
fn refusal(status: u16, body: &[u8]) -> RestError {
    let said = serde_json::from_slice::<Refusal>(body).ok();
    let code = said.as_ref().and_then(|said| ErrorCode::from_text(&said.code)).unwrap_or(match status {
        401 => ErrorCode::Auth07,
        403 => ErrorCode::Srv02,
        404 => ErrorCode::Srv03,
        413 => ErrorCode::Net06,
        429 | 503 => ErrorCode::Srv05,
        500..=599 => ErrorCode::Srv01,
        _ => ErrorCode::Net05,
    });
    RestError::Refused { code, retry_after_s: said.and_then(|said| said.retry_after_s) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_known_code_is_read_from_its_status() {
        assert_eq!(refusal(429, b"slow down").code(), ErrorCode::Srv05);
        assert_eq!(refusal(400, br#"{"code":"INV-02","retry_after_s":9}"#).retry_after_s(), Some(9));
        assert_eq!(refusal(400, br#"{"code":"INV-02"}"#).code(), ErrorCode::Inv02);
    }
}
