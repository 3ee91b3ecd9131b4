//! Live connections: one WebSocket to the client, one to the real server, and the operator between them.

use std::io::Cursor;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, join, split};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};

use super::front::{Queues, Shared};
use super::operator::Way;
use super::rest::Request;

/// Largest message either way: twice what the real server takes.
const MESSAGE: usize = 128 * 1024;

/// Serves one live connection until either side ends it.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    stream: S,
    request: &Request,
) -> Result<()> {
    let config = Some(WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE)));
    // The head was read to see what it asks for: the handshake reads it again.
    let (read, write) = split(stream);
    let stream = join(Cursor::new(request.head.clone()).chain(read), write);
    let client = accept_async_with_config(stream, config).await.context("the client's upgrade")?;
    let upstream = shared.upstream().await?;
    let (server, _) = client_async_with_config("wss://quietroom/v1/socket", upstream, config)
        .await
        .context("the upgrade at the real server")?;
    let queues = shared.enter();
    let line = queues.line;
    pump(shared, client, server, queues).await;
    shared.leave(line);
    Ok(())
}

async fn pump<C, S>(
    shared: &Arc<Shared>,
    mut client: WebSocketStream<C>,
    mut server: WebSocketStream<S>,
    queues: Queues,
) where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Queues { line, mut up, mut down } = queues;
    // Who was never let through to the real server is served by the operator alone, and outlives its silence.
    let (mut passed_on, mut server_there) = (false, true);
    loop {
        let goes_on = tokio::select! {
            heard = client.next() => match read(heard) {
                Heard::Message(message) => {
                    shared.heard(line, Way::Up, message);
                    true
                }
                Heard::Nothing => true,
                Heard::End => false,
            },
            heard = server.next(), if server_there => match read(heard) {
                Heard::Message(message) => {
                    shared.heard(line, Way::Down, message);
                    true
                }
                Heard::Nothing => true,
                Heard::End => {
                    server_there = false;
                    !passed_on
                }
            },
            message = up.recv() => match message {
                Some(message) => {
                    passed_on = true;
                    write(&mut server, &message).await
                }
                None => false,
            },
            message = down.recv() => match message {
                Some(message) => write(&mut client, &message).await,
                None => false,
            },
        };
        if !goes_on {
            break;
        }
    }
    // Either may be gone already.
    client.close(None).await.ok();
    server.close(None).await.ok();
}

enum Heard {
    Message(Value),
    Nothing,
    End,
}

fn read(heard: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Heard {
    match heard {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map_or(Heard::Nothing, Heard::Message),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Heard::End,
        Some(Ok(_)) => Heard::Nothing,
    }
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(to: &mut WebSocketStream<S>, message: &Value) -> bool {
    to.send(Message::text(message.to_string())).await.is_ok()
}
