//! Who is connected and which rooms run: the only state that connections share.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, watch};

use super::{
    Shared,
    room_task::{RoomInput, RoomTask},
};
use crate::{
    auth::TokenHash,
    protocol::{AppointmentId, ErrorCode, InviteId, MAX_OPEN_ROOMS, UserId},
    store::{Holder, Session},
};

/// Sockets and rooms. Locks are held for look-ups only.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    sockets: Mutex<HashMap<TokenHash, Socket>>,
    rooms: Mutex<HashMap<AppointmentId, RoomHandle>>,
    next_socket: AtomicU64,
}

#[derive(Debug)]
struct Socket {
    number: u64,
    holder: Holder,
    close: watch::Sender<Option<ErrorCode>>,
}

/// The way to one room's task.
#[derive(Debug, Clone)]
pub(crate) struct RoomHandle {
    /// Bounded; a full mailbox makes the sending socket wait, and with it its client.
    pub(crate) mailbox: mpsc::Sender<RoomInput>,
    owner: UserId,
    shown: Arc<Shown>,
}

/// What a room's task lets others see without asking it.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) waiting: AtomicU32,
    pub(crate) hosted: AtomicBool,
}

/// A registered socket; it is forgotten when this is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    /// Higher than that of every earlier socket.
    pub(crate) number: u64,
    /// Becomes `Some` when the socket must close.
    pub(crate) closed: watch::Receiver<Option<ErrorCode>>,
    hash: TokenHash,
    hub: Weak<Shared>,
}

impl Hub {
    /// Registers the socket of a session; an older one of the same session closes.
    pub(crate) fn register(shared: &Arc<Shared>, session: &Session) -> Registration {
        let hub = &shared.hub;
        let number = hub.next_socket.fetch_add(1, Ordering::Relaxed);
        let (close, closed) = watch::channel(None);
        let former = lock(&hub.sockets).insert(session.hash, Socket { number, holder: session.holder, close });
        if let Some(former) = former {
            former.close.send_replace(Some(ErrorCode::OpenElsewhere));
        }
        Registration { number, closed, hash: session.hash, hub: Arc::downgrade(shared) }
    }

    /// Whether a live socket holds the invitation.
    pub(crate) fn holds(&self, invitation: &InviteId) -> bool {
        let sockets = lock(&self.sockets);
        sockets
            .values()
            .any(|socket| matches!(&socket.holder, Holder::Guest { invite_id, .. } if invite_id == invitation))
    }

    /// Closes the socket of a session.
    pub(crate) fn close_session(&self, hash: &TokenHash, code: ErrorCode) {
        if let Some(socket) = lock(&self.sockets).get(hash) {
            socket.close.send_replace(Some(code));
        }
    }

    /// Closes the sockets of guests that the condition names.
    pub(crate) fn close_guests(&self, code: ErrorCode, which: impl Fn(&InviteId, &AppointmentId) -> bool) {
        for socket in lock(&self.sockets).values() {
            if let Holder::Guest { invite_id, appointment, .. } = &socket.holder
                && which(invite_id, appointment)
            {
                socket.close.send_replace(Some(code));
            }
        }
    }

    /// The running room of an appointment, started if need be.
    pub(crate) fn room(shared: &Arc<Shared>, appointment: AppointmentId, owner: UserId) -> RoomHandle {
        let mut rooms = lock(&shared.hub.rooms);
        if let Some(handle) = rooms.get(&appointment).filter(|handle| !handle.mailbox.is_closed()) {
            return handle.clone();
        }
        rooms.retain(|_, handle| !handle.mailbox.is_closed());
        let shown = Arc::new(Shown::default());
        let (task, mailbox) = RoomTask::new(Arc::clone(shared), appointment, owner, Arc::clone(&shown));
        let handle = RoomHandle { mailbox, owner, shown };
        rooms.insert(appointment, handle.clone());
        tokio::spawn(task.run());
        handle
    }

    /// Rooms whose host is there and is not this one, at most [`MAX_OPEN_ROOMS`], the same ones each time.
    pub(crate) fn hosted_rooms(&self, but_of: &UserId) -> Vec<AppointmentId> {
        let open = |handle: &RoomHandle| {
            handle.owner != *but_of && !handle.mailbox.is_closed() && handle.shown.hosted.load(Ordering::Relaxed)
        };
        let rooms = lock(&self.rooms);
        let mut hosted: Vec<_> = rooms.iter().filter(|(_, handle)| open(handle)).map(|(id, _)| *id).collect();
        drop(rooms);
        hosted.sort_unstable();
        hosted.truncate(MAX_OPEN_ROOMS);
        hosted
    }

    /// Guests and colleagues in the lobby of an appointment now.
    pub(crate) fn waiting(&self, appointment: &AppointmentId) -> u32 {
        lock(&self.rooms).get(appointment).map_or(0, |handle| handle.shown.waiting.load(Ordering::Relaxed))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(shared) = self.hub.upgrade() {
            let mut sockets = lock(&shared.hub.sockets);
            if sockets.get(&self.hash).is_some_and(|socket| socket.number == self.number) {
                sockets.remove(&self.hash);
            }
        }
    }
}

/// A panic elsewhere leaves the maps consistent: each change is one insert or remove.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
