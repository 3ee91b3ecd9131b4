//! The task of one room: carries out what the pure room decides.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use tokio::{
    sync::{
        Notify,
        mpsc::{self, error::TrySendError},
    },
    time::{MissedTickBehavior, interval},
};

use super::{Shared, hub::Shown, stopped};
use crate::{
    audit::Event,
    protocol::{AppointmentId, ClientMessage, ParticipantId, ServerMessage, UserId},
    room::{Effect, Room, Sender, Who},
};

/// Inputs that wait for the room.
const MAILBOX: usize = 256;

/// Messages and bytes that wait for one socket. Lower disconnects people with a short hiccup, higher lets slow peers hold
/// memory.
const OUTBOX: usize = 512;
const OUTBOX_BYTES: usize = 2 * 1024 * 1024;

const TICK: Duration = Duration::from_secs(30);

/// Time between two credentials for the relays: well before one ends.
const RENEWAL: Duration = Duration::from_secs(5 * 60);

/// A room without any socket ends after this; the log goes with it.
const DESERTED: Duration = Duration::from_secs(10 * 60);

/// What a socket tells its room.
#[derive(Debug)]
pub(crate) enum RoomInput {
    Message {
        sender: Sender,
        socket: u64,
        outbox: Outbox,
        message: ClientMessage,
    },
    /// The socket has written a page of a replay.
    Written {
        sender: Sender,
        socket: u64,
        after: u64,
    },
    /// The socket goes to another room.
    Moved {
        sender: Sender,
        socket: u64,
    },
    Lost {
        participant: ParticipantId,
        socket: u64,
    },
}

/// What a socket writes next.
#[derive(Debug)]
pub(crate) enum Out {
    Text(Utf8Bytes),
    /// Everything before it is written: ask this room for the log's next page.
    More {
        room: AppointmentId,
        after: u64,
    },
    Close,
}

/// The way to one socket. Full means that the peer is too slow: it is disconnected.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Out>,
    bytes: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

/// The socket's end of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct OutboxEnd {
    queue: mpsc::Receiver<Out>,
    bytes: Arc<AtomicUsize>,
    /// Notified when something did not fit.
    pub(crate) overflow: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new() -> (Self, OutboxEnd) {
        let (sender, receiver) = mpsc::channel(OUTBOX);
        let (bytes, overflow) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let end = OutboxEnd { queue: receiver, bytes: Arc::clone(&bytes), overflow: Arc::clone(&overflow) };
        (Self { queue: sender, bytes, overflow }, end)
    }

    /// Queues, or gives the socket up. Returns whether the socket keeps up.
    ///
    /// One that has closed is not slow: what it said last, a goodbye as a rule, waits in the mailbox before the word that
    /// it is gone, and is to be heard.
    fn push(&self, out: Out) -> bool {
        let len = match &out {
            Out::Text(text) => text.len(),
            Out::More { .. } | Out::Close => 0,
        };
        let fits = self.bytes.fetch_add(len, Ordering::Relaxed) + len <= OUTBOX_BYTES;
        let queues = || !matches!(self.queue.try_send(out), Err(TrySendError::Full(_)));
        let keeps_up = self.queue.is_closed() || fits && queues();
        if !keeps_up {
            self.overflow.notify_one();
        }
        keeps_up
    }
}

impl OutboxEnd {
    pub(crate) async fn next(&mut self) -> Option<Out> {
        let out = self.queue.recv().await?;
        if let Out::Text(text) = &out {
            self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
        }
        Some(out)
    }
}

/// One room and the sockets in it.
#[derive(Debug)]
pub(crate) struct RoomTask {
    shared: Arc<Shared>,
    appointment: AppointmentId,
    owner: UserId,
    room: Room,
    seats: HashMap<ParticipantId, Seat>,
    inputs: mpsc::Receiver<RoomInput>,
    shown: Arc<Shown>,
    begin: Instant,
}

#[derive(Debug)]
struct Seat {
    socket: u64,
    is_guest: bool,
    outbox: Outbox,
}

impl RoomTask {
    pub(crate) fn new(
        shared: Arc<Shared>,
        appointment: AppointmentId,
        owner: UserId,
        shown: Arc<Shown>,
    ) -> (Self, mpsc::Sender<RoomInput>) {
        let (sender, inputs) = mpsc::channel(MAILBOX);
        let room = Room::new(appointment, owner);
        let (seats, begin) = (HashMap::new(), Instant::now());
        (Self { shared, appointment, owner, room, seats, inputs, shown, begin }, sender)
    }

    pub(crate) async fn run(mut self) {
        let _live = self.shared.live();
        let mut shutdown = self.shared.shutdown.subscribe();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last_use, mut renewed) = (Instant::now(), Instant::now());
        loop {
            tokio::select! {
                input = self.inputs.recv() => {
                    let Some(input) = input else { return };
                    self.on_input(input).await;
                }
                _ = ticks.tick() => {
                    self.room.expire(self.begin.elapsed());
                    if renewed.elapsed() >= RENEWAL {
                        renewed = Instant::now();
                        self.carry_out(vec![Effect::Relays { to: self.room.relayed() }]).await;
                    }
                    if !self.room.is_deserted() || !self.seats.is_empty() {
                        last_use = Instant::now();
                    } else if last_use.elapsed() >= DESERTED {
                        return;
                    }
                }
                () = stopped(&mut shutdown) => return,
            }
            self.show();
        }
    }

    fn show(&self) {
        let waiting = u32::try_from(self.room.waiting_count()).unwrap_or(u32::MAX);
        self.shown.waiting.store(waiting, Ordering::Relaxed);
        self.shown.hosted.store(self.room.is_hosted(), Ordering::Relaxed);
    }

    async fn on_input(&mut self, input: RoomInput) {
        let now = self.begin.elapsed();
        let effects = match input {
            RoomInput::Message { sender, socket, outbox, message } => {
                // The newest socket of a participant counts; what an older one still says is dropped.
                let newest = self.seats.get(&sender.participant).is_none_or(|seat| seat.socket <= socket);
                if !newest {
                    return;
                }
                let is_guest = matches!(sender.who, Who::Guest { .. });
                self.seats.insert(sender.participant, Seat { socket, is_guest, outbox });
                self.room.handle(now, &sender, message)
            }
            RoomInput::Written { sender, socket, after } => {
                if self.seats.get(&sender.participant).is_none_or(|seat| seat.socket != socket) {
                    return;
                }
                self.room.resume(&sender, after)
            }
            RoomInput::Moved { sender, socket } => {
                if self.seats.get(&sender.participant).is_none_or(|seat| seat.socket != socket) {
                    return;
                }
                self.seats.remove(&sender.participant);
                self.room.depart(now, &sender)
            }
            RoomInput::Lost { participant, socket } => {
                if self.seats.get(&participant).is_none_or(|seat| seat.socket != socket) {
                    return;
                }
                self.seats.remove(&participant);
                self.room.lose(now, participant)
            }
        };
        // Whoever hears of a change finds it in the lists already.
        self.show();
        self.carry_out(effects).await;
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        self.write_down(&effects).await;
        let mut over = false;
        let mut slow = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { to, message } => slow.extend(self.deliver(&to, &message)),
                Effect::Relays { to } => slow.extend(self.deliver_relays(&to)),
                Effect::More { to, after } => {
                    let more = Out::More { room: self.appointment, after };
                    if self.seats.get(&to).is_some_and(|seat| !seat.outbox.push(more)) {
                        slow.push(to);
                    }
                }
                Effect::Over => over = true,
                Effect::Audit { .. } | Effect::Spend { .. } => {}
            }
        }
        if over {
            self.end().await;
        }
        // A slow peer is gone for the room at once; telling the others may find the next slow one.
        while let Some(participant) = slow.pop() {
            if self.seats.remove(&participant).is_some() {
                for effect in self.room.lose(self.begin.elapsed(), participant) {
                    if let Effect::Send { to, message } = effect {
                        slow.extend(self.deliver(&to, &message));
                    }
                }
            }
        }
    }

    /// What must be durable before anybody hears of it.
    async fn write_down(&self, effects: &[Effect]) {
        let (mut spent, mut events) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Spend { invite_id, admitted } => spent.push((*invite_id, *admitted)),
                Effect::Audit { event, actor, role, outcome } => {
                    let outcome = outcome.map_or("ok", crate::protocol::ErrorCode::as_str);
                    let subject = self.appointment.to_hex();
                    events.push(Event { event, actor: actor.to_hex(), role, subject, outcome });
                }
                Effect::Send { .. } | Effect::Relays { .. } | Effect::More { .. } | Effect::Over => {}
            }
        }
        if spent.is_empty() && events.is_empty() {
            return;
        }
        // The call goes on when the disk does not: single use is enforced by the host's client as well.
        if let Err(error) = self.shared.store.record_room(&spent, &events).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a room's audit was not written");
        }
    }

    /// Serialises once and queues for all. Returns who was too slow.
    fn deliver(&self, to: &[ParticipantId], message: &ServerMessage) -> Vec<ParticipantId> {
        let Some(text) = encode(message) else {
            return Vec::new();
        };
        let missed =
            |id: &&ParticipantId| self.seats.get(*id).is_some_and(|seat| !seat.outbox.push(Out::Text(text.clone())));
        to.iter().filter(missed).copied().collect()
    }

    /// Gives each credentials of its own. Returns who was too slow.
    fn deliver_relays(&self, to: &[ParticipantId]) -> Vec<ParticipantId> {
        let Some(relays) = &self.shared.relays else { return Vec::new() };
        let now = self.shared.clock.now();
        let one = |id: &ParticipantId| self.deliver(&[*id], &ServerMessage::Relays { relays: relays.for_one(now) });
        to.iter().flat_map(one).collect()
    }

    async fn end(&mut self) {
        if let Err(error) = self.shared.store.end_appointment(&self.appointment).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the end of a call was not written");
        }
        self.seats.retain(|_, seat| {
            if seat.is_guest {
                // A socket that cannot even take this is closed by its overflow.
                seat.outbox.push(Out::Close);
            }
            !seat.is_guest
        });
        self.room = Room::new(self.appointment, self.owner);
    }
}

/// A message as the wire has it.
pub(crate) fn encode(message: &ServerMessage) -> Option<Utf8Bytes> {
    match serde_json::to_string(message) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a message could not be written");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(len: usize) -> Out {
        Out::Text("x".repeat(len).into())
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_given_up_by_bytes() {
        let (outbox, mut end) = Outbox::new();
        let mib = OUTBOX_BYTES / 2;
        assert!(outbox.push(text(mib)) && outbox.push(text(mib)));
        assert!(!outbox.push(text(1)));
        end.overflow.notified().await;
        // What was queued before is still written.
        assert!(matches!(end.next().await, Some(Out::Text(_))));
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_given_up_by_number() {
        let (outbox, end) = Outbox::new();
        let queued = (0..OUTBOX + 10).filter(|_| outbox.push(text(1))).count();
        assert_eq!(queued, OUTBOX);
        end.overflow.notified().await;
    }

    #[tokio::test]
    async fn a_peer_that_has_closed_is_not_given_up_before_its_last_words() {
        let (outbox, end) = Outbox::new();
        drop(end);
        assert!((0..OUTBOX + 10).all(|_| outbox.push(text(OUTBOX_BYTES))));
    }

    #[tokio::test]
    async fn reading_makes_room_again() {
        let (outbox, mut end) = Outbox::new();
        for _ in 0..10 {
            assert!(outbox.push(text(OUTBOX_BYTES)));
            assert!(end.next().await.is_some());
        }
    }
}
