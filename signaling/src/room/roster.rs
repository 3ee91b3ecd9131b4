//! Who sits where in a room. The list is the server's advice; who holds keys is the MLS membership.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Identity, Sender, Who,
    role::{Action, Standing},
};
use crate::protocol::{
    AppointmentId, LobbyState, MAX_MEMBERS, ParticipantId, ServerMessage, StaffRole, UserId, Visitor, WaitingGuest,
};

/// Most guests who wait at once, absent ones within their grace included.
pub(crate) const MAX_WAITING: usize = 50;

/// Most seats of guests altogether; beyond it nobody new enters until the room is opened anew.
const MAX_SEATS: usize = 128;

/// How long the place of a waiting guest without a socket is kept.
const GRACE: Duration = Duration::from_secs(120);

/// Seats of one room.
#[derive(Debug)]
pub(crate) struct Roster {
    appointment: AppointmentId,
    /// Whose appointment it is: holds the seat unless it was moved.
    owner: UserId,
    host: Option<HostSeat>,
    /// The host who gave the seat up by `Leave` and may hold keys still.
    left: Option<HostSeat>,
    guests: BTreeMap<ParticipantId, Guest>,
    arrivals: u64,
}

/// The host's seat: kept over a lost socket, given up by `Leave`, moved to a colleague by a commit.
#[derive(Debug, Clone, Copy)]
struct HostSeat {
    sender: Sender,
    present: bool,
    /// The log is its from the entry after this one, as of a colleague who was admitted: 0 for who began the group.
    seq: u64,
}

/// The seat of a guest, or of a colleague, which has all that a guest has but the invitation.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) who: Who,
    pub(crate) place: Place,
    pub(crate) present: bool,
    /// When it came, and its number in the queue.
    pub(crate) since: Duration,
    arrival: u64,
    absent_since: Option<Duration>,
    /// What the lobby told it last; the same is not told twice.
    pub(crate) told: Option<LobbyState>,
    pub(crate) last_update: Option<Duration>,
}

/// Where a guest stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Waiting,
    /// Holds the message that let it in, for a socket that was lost before it arrived.
    Admitted {
        seq: u64,
        admitted: Box<ServerMessage>,
    },
    Denied,
    Gone,
}

impl Roster {
    pub(crate) const fn new(appointment: AppointmentId, owner: UserId) -> Self {
        Self { appointment, owner, host: None, left: None, guests: BTreeMap::new(), arrivals: 0 }
    }

    /// Takes the host's seat. Returns whether a new group begins, in which all who were admitted wait again.
    pub(crate) fn seat_host(&mut self, sender: &Sender) -> bool {
        if let Some(seat) = self.host.as_mut().filter(|seat| seat.sender.participant == sender.participant) {
            seat.present = true;
            return false;
        }
        self.host = Some(HostSeat { sender: *sender, present: true, seq: 0 });
        self.left = None;
        // The owner may have waited at its own room while a colleague hosted it.
        self.guests.retain(|id, guest| guest.place != Place::Gone && *id != sender.participant);
        for guest in self.guests.values_mut() {
            if matches!(guest.place, Place::Admitted { .. }) {
                guest.place = Place::Waiting;
                guest.told = None;
                guest.last_update = None;
            }
        }
        true
    }

    pub(crate) const fn unseat_host(&mut self) {
        self.left = self.host.take();
    }

    /// Whether the host's seat may move to this one.
    pub(crate) fn may_take_seat(&self, participant: ParticipantId) -> bool {
        self.guests
            .get(&participant)
            .is_some_and(|guest| guest.present && guest.standing() == Standing::ColleagueAdmitted)
    }

    /// Moves the host's seat to who [may take it](Self::may_take_seat); the call and its members stay. The former host
    /// becomes an admitted colleague, for whom `log` says how the log stands. One who had left is gone, to be removed.
    pub(crate) fn move_seat(&mut self, now: Duration, to: ParticipantId, log: ServerMessage) {
        let Some(Guest { who, place: Place::Admitted { seq, .. }, present, .. }) = self.guests.remove(&to) else {
            return;
        };
        let (former, left) = (self.host, self.left.take());
        self.host = Some(HostSeat { sender: Sender { participant: to, who }, present, seq });
        let (seat, place) = match (former, left) {
            (Some(seat), _) => (seat, Place::Admitted { seq: seat.seq, admitted: Box::new(log) }),
            (None, Some(seat)) => (HostSeat { present: false, ..seat }, Place::Gone),
            (None, None) => return,
        };
        self.arrivals += 1;
        let (Sender { participant, who }, present, arrival) = (seat.sender, seat.present, self.arrivals);
        let (absent_since, told, last_update) = ((!present).then_some(now), None, None);
        let guest = Guest { who, place, present, since: now, arrival, absent_since, told, last_update };
        // Who left and waits at the door by now has its place there already.
        self.guests.entry(participant).or_insert(guest);
    }

    /// Gives a guest a waiting seat, or marks it present again in the one that it has. `false`: no seat is left.
    pub(crate) fn seat_guest(&mut self, now: Duration, sender: &Sender) -> bool {
        let Sender { participant, who } = *sender;
        if let Some(guest) = self.guests.get_mut(&participant) {
            guest.present = true;
            guest.absent_since = None;
            guest.told = None;
            return true;
        }
        // A new session of the same one replaces one that lost its socket; its place in the queue stays. An invitation has
        // one session at a time, so that its former one is lost for certain; a colleague may wait on two computers.
        let single = matches!(who, Who::Guest { .. });
        let replaced = |guest: &Guest| {
            guest.who.identity() == who.identity() && guest.place == Place::Waiting && (single || !guest.present)
        };
        let former = self.guests.iter().find(|(_, guest)| replaced(guest));
        let former = former.map(|(id, guest)| (*id, guest.since, guest.arrival));
        if let Some((id, ..)) = former {
            self.guests.remove(&id);
        }
        let waiting = self.guests.values().filter(|guest| guest.place == Place::Waiting).count();
        if waiting >= MAX_WAITING || self.guests.len() >= MAX_SEATS {
            return false;
        }
        self.arrivals += 1;
        let (since, arrival) = former.map_or((now, self.arrivals), |(_, since, arrival)| (since, arrival));
        let place = Place::Waiting;
        let (absent_since, told, last_update) = (None, None, None);
        let guest = Guest { who, place, present: true, since, arrival, absent_since, told, last_update };
        self.guests.insert(participant, guest);
        true
    }

    /// Marks a lost socket. Returns how the participant stood.
    pub(crate) fn lose(&mut self, now: Duration, participant: ParticipantId) -> Option<Standing> {
        if let Some(seat) = self.host.as_mut().filter(|seat| seat.sender.participant == participant && seat.present) {
            seat.present = false;
            return Some(Standing::Host);
        }
        let guest = self.guests.get_mut(&participant).filter(|guest| guest.present)?;
        guest.present = false;
        guest.absent_since = Some(now);
        Some(guest.standing())
    }

    /// Forgets waiting guests whose grace is over.
    pub(crate) fn expire(&mut self, now: Duration) {
        self.guests.retain(|_, guest| {
            let over = guest.absent_since.is_some_and(|since| now.saturating_sub(since) >= GRACE);
            !(guest.place == Place::Waiting && over)
        });
    }

    pub(crate) fn forget(&mut self, participant: ParticipantId) {
        self.guests.remove(&participant);
    }

    pub(crate) fn guest_mut(&mut self, participant: ParticipantId) -> Option<&mut Guest> {
        self.guests.get_mut(&participant)
    }

    /// How a sender stands to what it asks. Its own leaving counts also when the socket that it came over was found gone
    /// meanwhile, since people leave and close at once.
    pub(crate) fn standing(&self, participant: ParticipantId, who: &Who, action: Action) -> Standing {
        let leaves = action == Action::Leave;
        match *who {
            Who::Staff { user, role: StaffRole::Host } => self.staff_standing(participant, user, action),
            Who::Guest { appointment, .. } if appointment == self.appointment => {
                self.seated(participant, leaves).unwrap_or(Standing::GuestOutside)
            }
            Who::Staff { .. } | Who::Guest { .. } => Standing::Stranger,
        }
    }

    /// The host's seat goes before a guest's, a guest's before what the account could be. Whoever takes the room back has
    /// no seat that counts, unless it is a member: that one steps in, and the group stays.
    fn staff_standing(&self, participant: ParticipantId, user: UserId, action: Action) -> Standing {
        if let Some(seat) = self.host.filter(|seat| seat.sender.participant == participant) {
            return if seat.present { Standing::Host } else { Standing::HostOutside };
        }
        let owner = Identity::Account(self.owner);
        let holder = self.host.map_or(owner, |seat| seat.sender.who.identity());
        let (holds, owns) = (holder == Identity::Account(user), owner == Identity::Account(user));
        let guest = self.guests.get(&participant);
        if action == Action::OpenRoom && (holds || owns) && !guest.is_some_and(Guest::is_admitted) {
            return Standing::HostOutside;
        }
        match self.seated(participant, action == Action::Leave) {
            Some(standing) => standing,
            None if holds && guest.is_none() => Standing::HostOutside,
            None => Standing::ColleagueOutside,
        }
    }

    /// A seat without a socket counts as none: its holder comes in first, then acts.
    fn seated(&self, participant: ParticipantId, leaves: bool) -> Option<Standing> {
        let counts = |guest: &&Guest| guest.present || leaves || matches!(guest.place, Place::Denied | Place::Gone);
        self.guests.get(&participant).filter(counts).map(Guest::standing)
    }

    pub(crate) fn guest(&self, participant: ParticipantId) -> Option<&Guest> {
        self.guests.get(&participant)
    }

    /// The host, if its socket is there.
    pub(crate) fn present_host(&self) -> Option<ParticipantId> {
        self.host.filter(|seat| seat.present).map(|seat| seat.sender.participant)
    }

    /// The entry of the log after which a member may read: nobody reads what was said before it was admitted.
    pub(crate) fn reads_after(&self, participant: ParticipantId) -> u64 {
        match (self.host, self.guests.get(&participant).map(|guest| &guest.place)) {
            (Some(seat), _) if seat.sender.participant == participant => seat.seq,
            (_, Some(Place::Admitted { seq, .. })) => *seq,
            _ => 0,
        }
    }

    /// Everyone who gets log entries now.
    pub(crate) fn listeners(&self) -> Vec<ParticipantId> {
        let admitted = self.guests.iter().filter(|(_, guest)| guest.present && guest.is_admitted());
        self.present_host().into_iter().chain(admitted.map(|(id, _)| *id)).collect()
    }

    /// Whether one more may hold keys.
    pub(crate) fn has_room(&self) -> bool {
        self.guests.values().filter(|guest| guest.is_admitted()).count() + 1 < MAX_MEMBERS
    }

    /// Present waiting guests, first come first.
    pub(crate) fn queue(&self) -> Vec<(ParticipantId, &Guest)> {
        let mut queue: Vec<_> = self
            .guests
            .iter()
            .filter(|(_, guest)| guest.present && guest.place == Place::Waiting)
            .map(|(id, guest)| (*id, guest))
            .collect();
        queue.sort_by_key(|(_, guest)| guest.arrival);
        queue
    }

    /// The queue as the host sees it.
    pub(crate) fn waiting(&self, now: Duration) -> Vec<WaitingGuest> {
        let seen = |(participant, guest): (ParticipantId, &Guest)| WaitingGuest {
            participant,
            visitor: guest.visitor(),
            waited_ms: u64::try_from(now.saturating_sub(guest.since).as_millis()).unwrap_or(u64::MAX),
        };
        self.queue().into_iter().map(seen).collect()
    }

    /// Whether no socket is there at all.
    pub(crate) fn is_deserted(&self) -> bool {
        self.present_host().is_none() && self.guests.values().all(|guest| !guest.present)
    }
}

impl Guest {
    pub(crate) const fn standing(&self) -> Standing {
        match (self.who, &self.place) {
            (Who::Guest { .. }, Place::Waiting) => Standing::Waiting,
            (Who::Guest { .. }, Place::Admitted { .. }) => Standing::Admitted,
            (Who::Guest { .. }, Place::Denied) => Standing::Denied,
            (Who::Guest { .. }, Place::Gone) => Standing::Gone,
            (Who::Staff { .. }, Place::Waiting) => Standing::ColleagueWaiting,
            (Who::Staff { .. }, Place::Admitted { .. }) => Standing::ColleagueAdmitted,
            (Who::Staff { .. }, Place::Denied) => Standing::ColleagueDenied,
            (Who::Staff { .. }, Place::Gone) => Standing::ColleagueGone,
        }
    }

    const fn visitor(&self) -> Visitor {
        match self.who {
            Who::Guest { role, invite_id, .. } => Visitor::Guest { role, invite_id },
            Who::Staff { .. } => Visitor::Colleague,
        }
    }

    pub(crate) const fn is_admitted(&self) -> bool {
        matches!(self.place, Place::Admitted { .. })
    }
}
