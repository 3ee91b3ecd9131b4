//! REST calls: one request a connection, read whole, passed on, and answered with what the operator makes of it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::front::Shared;
use super::operator::Answer;

/// Longest head of a request or answer.
const HEAD: usize = 16 * 1024;
/// Longest body of a request or answer.
const BODY: usize = 1024 * 1024;
/// Time for a request, and for its answer.
const TIME: Duration = Duration::from_secs(30);

/// A request's head, and its body unless it is an upgrade.
pub(super) struct Request {
    /// As it came, with the empty line.
    pub(super) head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// Whether it opens the live connection.
    pub(super) fn is_upgrade(&self) -> bool {
        field(&self.head, "upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }

    fn path(&self) -> String {
        let line = String::from_utf8_lossy(&self.head);
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

/// Reads one request.
pub(super) async fn read_request<S: AsyncRead + Unpin>(mut stream: S) -> Result<(S, Request)> {
    let read = async {
        let (head, rest) = read_head(&mut stream).await?;
        let mut request = Request { head, body: rest };
        if !request.is_upgrade() {
            request.body = read_body(&mut stream, &request.head, request.body).await?;
        }
        Ok::<_, anyhow::Error>(request)
    };
    let request = timeout(TIME, read).await.context("no request came")??;
    Ok((stream, request))
}

/// Passes a request on and answers it.
pub(super) async fn serve<S: AsyncWrite + Unpin>(shared: &Shared, stream: &mut S, request: Request) -> Result<()> {
    let (status, body) = timeout(TIME, ask(shared, &request)).await.context("the server did not answer")??;
    let asked = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let answer = shared.answered(Answer { path: request.path(), request: asked, status, body: answer });
    let body = if answer.body.is_null() { Vec::new() } else { serde_json::to_vec(&answer.body)? };
    let head = format!(
        "HTTP/1.1 {} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    // A client that is gone already has what it wanted.
    stream.shutdown().await.ok();
    Ok(())
}

async fn ask(shared: &Shared, request: &Request) -> Result<(u16, Vec<u8>)> {
    let mut server = shared.upstream().await?;
    server.write_all(&[request.head.as_slice(), &request.body].concat()).await?;
    let (head, rest) = read_head(&mut server).await?;
    let body = read_body(&mut server, &head, rest).await?;
    let status = String::from_utf8_lossy(&head).split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok((status.context("an answer without a status")?, body))
}

/// Gives the head with its empty line, and what was read of the rest.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = read.split_off(at + 4);
            return Ok((read, rest));
        }
        if read.len() > HEAD {
            bail!("a head is too long");
        }
        if stream.read_buf(&mut read).await? == 0 {
            bail!("a head is cut off");
        }
    }
}

async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, head: &[u8], mut body: Vec<u8>) -> Result<Vec<u8>> {
    let length = field(head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    if length > BODY || body.len() > length {
        bail!("a body is too long");
    }
    while body.len() < length {
        let mut piece = stream.take((length - body.len()) as u64);
        if piece.read_buf(&mut body).await? == 0 {
            bail!("a body is cut off");
        }
    }
    Ok(body)
}

/// Value of a header field.
fn field(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_read_whole_and_a_longer_one_is_not() {
        let bytes = b"POST /v1/join/lookup HTTP/1.1\r\nContent-Length: 4\r\n\r\n{ } ".as_slice();
        let (_, request) = read_request(bytes).await.unwrap();
        assert_eq!((request.path().as_str(), request.body.as_slice()), ("/v1/join/lookup", b"{ } ".as_slice()));
        assert!(!request.is_upgrade());
        let long = [b"GET / HTTP/1.1\r\n".as_slice(), &[b'a'; 2 * HEAD]].concat();
        assert!(read_request(long.as_slice()).await.is_err());
        assert!(read_request(b"GET / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n".as_slice()).await.is_err());
    }
}
