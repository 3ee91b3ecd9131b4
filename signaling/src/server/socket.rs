//! One WebSocket: `Hello` within 15 s, then messages to the room and back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::tungstenite;

use super::{
    Admission, Shared,
    hub::{Hub, Registration},
    line::Line,
    room_task::{Out, Outbox, OutboxEnd, encode},
};
use crate::{
    auth::TokenHash,
    error::Error,
    protocol::{ClientMessage, ErrorBody, ErrorCode, MAX_MESSAGE_LEN, PROTOCOL_VERSION, ParticipantId, ServerMessage},
    store::Session,
};

/// Time for the first message. Shorter turns a starved machine into a storm of reconnects.
const HELLO: Duration = Duration::from_secs(15);
/// Time for one write to a peer that does not read.
const WRITE: Duration = Duration::from_secs(10);
const PING: Duration = Duration::from_secs(5);
/// A peer that was not heard for this long is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// How often an open socket counts as use of its session.
const TOUCH: Duration = Duration::from_secs(60);

/// Messages a second and at once that one socket may send of what changes the call: a flood of anything else must not
/// cost an admission or a removal.
const CALL: Rate = Rate { a_second: 60.0, at_once: 240.0 };

/// The same of everything else. At once, a host answers fifty knocks twice.
const OTHER: Rate = Rate { a_second: 30.0, at_once: 120.0 };

/// Reads of 4 KiB: the default costs 132 KB a socket.
const READ_BUFFER: usize = 4096;

pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(admission): Extension<Admission>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(READ_BUFFER)
        .max_write_buffer_size(MAX_MESSAGE_LEN * 4)
        .max_message_size(MAX_MESSAGE_LEN)
        .max_frame_size(MAX_MESSAGE_LEN)
        .on_upgrade(move |socket| async move {
            let _live = shared.live();
            let mut peer = Peer { socket, shared };
            let session = timeout(HELLO, peer.hello()).await.ok().flatten();
            // From here on it counts as authenticated, or it closes.
            admission.release();
            if let Some(session) = session {
                peer.serve(session).await;
            }
            timeout(WRITE, peer.socket.send(Message::Close(None))).await.ok();
        })
}

struct Peer {
    socket: WebSocket,
    shared: Arc<Shared>,
}

/// What came from the peer.
enum Heard {
    Message(ClientMessage),
    /// Ping, pong.
    Life,
    Unknown,
    TooLarge,
    Gone,
}

impl Peer {
    async fn hello(&mut self) -> Option<Session> {
        loop {
            match self.hear().await {
                Heard::Life => {}
                Heard::Message(ClientMessage::Hello { version, token }) => {
                    if version != PROTOCOL_VERSION {
                        self.refuse(ErrorCode::MessageUnknown.into()).await;
                        return None;
                    }
                    let now = self.shared.clock.now();
                    match self.shared.store.session(TokenHash::of(token.expose()), now).await {
                        Ok(session) => return Some(session),
                        Err(error) => {
                            self.refuse(error).await;
                            return None;
                        }
                    }
                }
                Heard::TooLarge => {
                    self.refuse(ErrorCode::MessageTooLarge.into()).await;
                    return None;
                }
                Heard::Unknown => {
                    self.refuse(ErrorCode::MessageUnknown.into()).await;
                    return None;
                }
                Heard::Message(_) => {
                    self.refuse(ErrorCode::SessionEnded.into()).await;
                    return None;
                }
                Heard::Gone => return None,
            }
        }
    }

    async fn serve(&mut self, session: Session) {
        let registration = Hub::register(&self.shared, &session);
        let ready = ServerMessage::Ready { participant: session.participant, version: PROTOCOL_VERSION };
        if !self.send(&ready).await {
            return;
        }
        let (outbox, end) = Outbox::new();
        let mut line = Line { session, number: registration.number, outbox, room: None };
        self.pump(&mut line, end, registration).await;
        line.lose().await;
    }

    /// Runs until the peer, the room, the session or the server ends it.
    async fn pump(&mut self, line: &mut Line, mut end: OutboxEnd, mut registration: Registration) {
        let mut shutdown: watch::Receiver<bool> = self.shared.shutdown.subscribe();
        let overflow = Arc::clone(&end.overflow);
        let (mut ping, mut touch) = (interval(PING), interval(TOUCH));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        touch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        let mut limits = Limits::full(heard_at);
        loop {
            let goes_on = tokio::select! {
                out = end.next() => match out {
                    Some(Out::Text(text)) => self.write(Message::Text(text)).await,
                    Some(Out::More { room, after }) => {
                        line.written(room, after).await;
                        true
                    }
                    Some(Out::Close) | None => return,
                },
                heard = self.hear() => {
                    heard_at = Instant::now();
                    match heard {
                        Heard::Life => true,
                        Heard::Gone => return,
                        Heard::TooLarge => {
                            self.refuse(ErrorCode::MessageTooLarge.into()).await;
                            return;
                        }
                        Heard::Unknown if !limits.take(None, heard_at) => self.refuse(too_fast()).await,
                        Heard::Unknown => self.refuse(ErrorCode::MessageUnknown.into()).await,
                        Heard::Message(message) => {
                            let subject = message.subject();
                            if limits.take(Some(&message), heard_at) {
                                match line.forward(&self.shared, message).await {
                                    Ok(None) => true,
                                    Ok(Some(answer)) => self.send(&answer).await,
                                    Err(error) => self.refuse_about(error, subject).await,
                                }
                            } else {
                                self.refuse_about(too_fast(), subject).await
                            }
                        }
                    }
                }
                changed = registration.closed.changed() => {
                    let code = *registration.closed.borrow();
                    if let (Ok(()), Some(code)) = (changed, code) {
                        self.refuse(code.into()).await;
                    }
                    return;
                }
                // Full outbox: the peer is too slow and learns what it missed from a replay.
                () = overflow.notified() => return,
                _ = ping.tick() => {
                    if heard_at.elapsed() >= SILENCE {
                        return;
                    }
                    self.write(Message::Ping(bytes::Bytes::new())).await
                }
                _ = touch.tick() => {
                    let now = self.shared.clock.now();
                    match self.shared.store.session(line.session.hash, now).await {
                        Ok(_) => true,
                        Err(error) => {
                            self.refuse(error).await;
                            return;
                        }
                    }
                }
                () = super::stopped(&mut shutdown) => return,
            };
            if !goes_on {
                return;
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                #[cfg(feature = "lab")]
                self.shared.tap(text.as_bytes());
                serde_json::from_str(&text).map_or(Heard::Unknown, Heard::Message)
            }
            Some(Ok(Message::Binary(_))) => Heard::Unknown,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Life,
            Some(Ok(Message::Close(_))) | None => Heard::Gone,
            Some(Err(error)) => {
                let cause = error.into_inner();
                match cause.downcast_ref::<tungstenite::Error>() {
                    Some(tungstenite::Error::Capacity(_)) => Heard::TooLarge,
                    _ => Heard::Gone,
                }
            }
        }
    }

    /// Returns whether the socket is still good, as the other writers do.
    async fn refuse(&mut self, error: Error) -> bool {
        self.refuse_about(error, None).await
    }

    /// Refuses a message that named somebody.
    async fn refuse_about(&mut self, error: Error, participant: Option<ParticipantId>) -> bool {
        let ErrorBody { code, retry_after_s } = super::told(error);
        self.send(&ServerMessage::Error { code, retry_after_s, participant }).await
    }

    async fn send(&mut self, message: &ServerMessage) -> bool {
        match encode(message) {
            Some(text) => self.write(Message::Text(text)).await,
            None => true,
        }
    }

    async fn write(&mut self, message: Message) -> bool {
        matches!(timeout(WRITE, self.socket.send(message)).await, Ok(Ok(())))
    }
}

/// A message was dropped because of [`Limits`].
const fn too_fast() -> Error {
    Error::later(ErrorCode::Busy, 1)
}

/// What one socket may still send.
struct Limits {
    call: Bucket,
    other: Bucket,
}

impl Limits {
    const fn full(now: Instant) -> Self {
        Self { call: Bucket::full(CALL, now), other: Bucket::full(OTHER, now) }
    }

    /// Counts a message; `None` is one that nobody understands. Returns whether it may pass.
    fn take(&mut self, message: Option<&ClientMessage>, now: Instant) -> bool {
        match message {
            Some(
                ClientMessage::Admit { .. }
                | ClientMessage::Deny { .. }
                | ClientMessage::Commit { .. }
                | ClientMessage::Application { .. }
                | ClientMessage::Leave
                | ClientMessage::EndCall,
            ) => self.call.take(now),
            _ => self.other.take(now),
        }
    }
}

#[derive(Clone, Copy)]
struct Rate {
    a_second: f64,
    at_once: f64,
}

/// Token bucket.
struct Bucket {
    rate: Rate,
    level: f64,
    at: Instant,
}

impl Bucket {
    const fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, level: rate.at_once, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let Rate { a_second, at_once } = self.rate;
        self.level = (self.level + now.duration_since(self.at).as_secs_f64() * a_second).min(at_once);
        self.at = now;
        if self.level < 1.0 {
            return false;
        }
        self.level -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{AppointmentId, CommitIntent, Opaque};

    fn relay() -> ClientMessage {
        ClientMessage::Relay { to: None, body: Opaque::default() }
    }

    fn admit(participant: ParticipantId) -> ClientMessage {
        let (commit, welcome) = (Opaque::default(), Opaque::default());
        ClientMessage::Admit { participant, epoch: 0, commit, welcome, invite_psk: None }
    }

    #[test]
    fn a_burst_is_taken_and_a_flood_is_not() {
        let begin = Instant::now();
        let mut limits = Limits::full(begin);
        let taken = (0..1000).filter(|_| limits.take(Some(&admit(SOMEBODY)), begin)).count();
        assert_eq!(taken, 240);
        assert!(limits.take(Some(&admit(SOMEBODY)), begin + Duration::from_millis(20)));
    }

    #[test]
    fn relays_and_noise_are_throttled_before_what_changes_the_call() {
        let begin = Instant::now();
        let mut limits = Limits::full(begin);
        let relayed = (0..1000).filter(|_| limits.take(Some(&relay()), begin)).count();
        assert_eq!(relayed, 120);
        assert!(!limits.take(None, begin));
        assert!(!limits.take(Some(&ClientMessage::Replay { after: 0 }), begin));
        assert!(!limits.take(Some(&ClientMessage::EnterLobby), begin));
        let visit = ClientMessage::VisitRoom { appointment: AppointmentId::from_bytes([1; 16]) };
        assert!(!limits.take(Some(&visit), begin));
        for message in [
            admit(SOMEBODY),
            ClientMessage::Commit { epoch: 0, commit: Opaque::default(), intent: CommitIntent::Update },
            ClientMessage::Application { epoch: 0, body: Opaque::default() },
            ClientMessage::Deny { participant: SOMEBODY },
            ClientMessage::Leave,
            ClientMessage::EndCall,
        ] {
            assert!(limits.take(Some(&message), begin), "{message:?}");
        }
    }

    const SOMEBODY: ParticipantId = ParticipantId::from_bytes([1; 16]);
}
