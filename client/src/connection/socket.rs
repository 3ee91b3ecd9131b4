//! The live connection: one WebSocket that comes back by itself.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use signaling::protocol::{ClientMessage, MAX_MESSAGE_LEN, PROTOCOL_VERSION, SOCKET_PATH, Secret, ServerMessage};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use zeroize::Zeroizing;

use super::{ConnectError, Server, tls};
use crate::session::ErrorCode;

/// Messages on their way out. The session sends a handful at a time; when it is full, what comes next is dropped and logged.
const OUTBOX: usize = 256;
/// First wait after a loss; doubled up to [`LONGEST_WAIT`], each with jitter so that a thousand clients do not come back at once.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// A server that says nothing for so long is gone: pings go out in half this time. Shorter burns batteries, longer hides a loss.
const SILENCE: Duration = Duration::from_secs(10);

/// How often to look whether this computer's address has changed, as from Wi-Fi to a phone's network. TCP itself would notice
/// after a minute.
const LOOK: Duration = Duration::from_millis(250);

/// What a connection gets for its last words. Nobody waits for it but the end of the program.
const CLOSING: Duration = Duration::from_secs(2);

/// What happens on the live connection.
#[derive(Debug)]
pub enum SocketEvent {
    /// Connected and `Hello` sent; `Ready` follows as a message.
    Open,
    /// A message of the server.
    Message(Box<ServerMessage>),
    /// Bytes that this version does not understand; the connection goes on.
    NotUnderstood,
    /// Lost, and being made again. What was queued is gone.
    Lost(ErrorCode),
    /// Lost, because this computer has another address now; it is made again at once. Whatever else went by the old address
    /// needs a new path too.
    Moved,
    /// The server shows another key: no further tries.
    KeyDiffers,
}

/// Handle of the live connection; dropping it closes the connection.
#[derive(Debug)]
pub struct Socket {
    outbox: mpsc::Sender<ClientMessage>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Starts connecting. Events come through `events`; when that is full, reading waits.
    pub fn open(server: Server, token: Zeroizing<String>, events: mpsc::Sender<SocketEvent>) -> Self {
        let (outbox, queue) = mpsc::channel(OUTBOX);
        let task = tokio::spawn(run(server, token, events, queue));
        Self { outbox, task }
    }

    /// Queues a message without waiting. Lost with the connection: the session sends again what matters.
    pub fn send(&self, message: ClientMessage) {
        if self.outbox.try_send(message).is_err() {
            tracing::error!("a message was dropped: the live connection does not take it");
        }
    }

    /// Sends what is queued, at most for two seconds, and closes.
    pub async fn close(self) {
        let Self { outbox, mut task } = self;
        drop(outbox);
        if tokio::time::timeout(CLOSING, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn run(
    server: Server,
    token: Zeroizing<String>,
    events: mpsc::Sender<SocketEvent>,
    mut queue: mpsc::Receiver<ClientMessage>,
) {
    let mut wait = FIRST_WAIT;
    loop {
        let lost = match connect(&server).await {
            Ok(mut stream) => {
                let hello =
                    ClientMessage::Hello { version: PROTOCOL_VERSION, token: Secret::new(token.as_str().to_owned()) };
                // What was queued before the loss belongs to the connection before.
                while queue.try_recv().is_ok() {}
                if write(&mut stream, &hello).await.is_err() || events.send(SocketEvent::Open).await.is_err() {
                    return;
                }
                let begun = tokio::time::Instant::now();
                match serve(&mut stream, &events, &mut queue).await {
                    End::Closed => return,
                    End::Moved => {
                        if events.send(SocketEvent::Moved).await.is_err() {
                            return;
                        }
                        wait = FIRST_WAIT;
                        continue;
                    }
                    End::Lost => {
                        // A connection that held proves the server well: start over with short waits.
                        if begun.elapsed() > LONGEST_WAIT {
                            wait = FIRST_WAIT;
                        }
                        ErrorCode::Net04
                    }
                }
            }
            Err(ConnectError::KeyDiffers) => {
                events.send(SocketEvent::KeyDiffers).await.ok();
                return;
            }
            Err(error) => error.code(),
        };
        if events.send(SocketEvent::Lost(lost)).await.is_err() {
            return;
        }
        if sleep_unless_closed(jittered(wait), &mut queue).await {
            return;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Why serving ended.
enum End {
    /// The session dropped its handle.
    Closed,
    /// Network or server.
    Lost,
    /// This computer's address changed.
    Moved,
}

/// Whether the way to `server` begins at another address now than `own`. Without any way nothing is known. Sends nothing.
fn has_moved(own: SocketAddr, server: SocketAddr) -> bool {
    let any: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let begins = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(server)?;
        socket.local_addr()
    });
    begins.is_ok_and(|begins| begins.ip() != own.ip())
}

async fn connect(server: &Server) -> Result<WebSocketStream<TlsStream<TcpStream>>, ConnectError> {
    let stream = tls::connect(server).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN));
    let request = format!("wss://{}{SOCKET_PATH}", server.address());
    let upgrade = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
    match tokio::time::timeout(SILENCE, upgrade).await {
        Err(_) => Err(ConnectError::TimedOut),
        Ok(Err(error)) => Err(ConnectError::Upgrade(Box::new(error))),
        Ok(Ok((stream, _response))) => Ok(stream),
    }
}

async fn serve(
    stream: &mut WebSocketStream<TlsStream<TcpStream>>,
    events: &mpsc::Sender<SocketEvent>,
    queue: &mut mpsc::Receiver<ClientMessage>,
) -> End {
    let mut pulse = tokio::time::interval(SILENCE / 2);
    let mut heard = tokio::time::Instant::now();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let tcp = stream.get_ref().get_ref().0;
    let ends = tcp.local_addr().ok().zip(tcp.peer_addr().ok());
    loop {
        tokio::select! {
            message = queue.recv() => match message {
                Some(message) => if write(stream, &message).await.is_err() { return End::Lost },
                None => return say_the_rest(stream, queue).await,
            },
            frame = stream.next() => {
                heard = tokio::time::Instant::now();
                let event = match frame {
                    Some(Ok(Message::Text(text))) => read(text.as_bytes()),
                    Some(Ok(Message::Binary(_))) => SocketEvent::NotUnderstood,
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Lost,
                };
                if events.send(event).await.is_err() {
                    // Nobody listens any more; what was said last, such as a goodbye, goes out all the same.
                    return say_the_rest(stream, queue).await;
                }
            },
            _ = look.tick() => if ends.is_some_and(|(own, server)| has_moved(own, server)) { return End::Moved },
            _ = pulse.tick() => {
                if heard.elapsed() > SILENCE || stream.send(Message::Ping(Bytes::new())).await.is_err() {
                    return End::Lost;
                }
            }
        }
    }
}

async fn say_the_rest(
    stream: &mut WebSocketStream<TlsStream<TcpStream>>,
    queue: &mut mpsc::Receiver<ClientMessage>,
) -> End {
    while let Some(message) = queue.recv().await {
        if write(stream, &message).await.is_err() {
            return End::Lost;
        }
    }
    if stream.close(None).await.is_ok() {
        // Until the server has read all of it (RFC 6455 7.1.1): a connection that is torn down while the server writes
        // takes the last words with it.
        while let Some(Ok(_)) = stream.next().await {}
    }
    End::Closed
}

fn read(text: &[u8]) -> SocketEvent {
    match serde_json::from_slice(text) {
        Ok(message) => SocketEvent::Message(Box::new(message)),
        Err(error) => {
            tracing::warn!(column = error.column(), "a message of the server was not understood");
            SocketEvent::NotUnderstood
        }
    }
}

async fn write(stream: &mut WebSocketStream<TlsStream<TcpStream>>, message: &ClientMessage) -> Result<(), End> {
    let text = serde_json::to_string(message).map_err(|error| {
        tracing::error!(%error, "a message could not be written as JSON");
        End::Lost
    })?;
    stream.send(Message::text(text)).await.map_err(|error| {
        tracing::debug!(%error, "the live connection broke while writing");
        End::Lost
    })
}

/// Waits; true when the session dropped its handle meanwhile. What it queues meanwhile is dropped.
async fn sleep_unless_closed(time: Duration, queue: &mut mpsc::Receiver<ClientMessage>) -> bool {
    let sleep = tokio::time::sleep(time);
    tokio::pin!(sleep);
    loop {
        tokio::select! {
            () = &mut sleep => return false,
            message = queue.recv() => if message.is_none() { return true },
        }
    }
}

/// Half of the time is fixed, half is random.
fn jittered(time: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness the wait is merely not spread.
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte).ok();
    time / 2 + time.mul_f32(f32::from(byte[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_keeps_within_half_and_whole() {
        for _ in 0..64 {
            let wait = jittered(Duration::from_secs(2));
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&wait));
        }
    }

    #[test]
    fn a_computer_that_stayed_has_not_moved() {
        let server: SocketAddr = "127.0.0.1:9".parse().unwrap();
        assert!(!has_moved("127.0.0.1:4000".parse().unwrap(), server));
        assert!(has_moved("192.0.2.7:4000".parse().unwrap(), server));
    }

    #[test]
    fn bytes_that_are_no_message_are_told_apart() {
        assert!(matches!(read(b"{\"type\":\"whisper\"}"), SocketEvent::NotUnderstood));
        assert!(matches!(read(b"{\"type\":\"ended\"}"), SocketEvent::Message(_)));
    }
}
