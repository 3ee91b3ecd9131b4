//! The consultation from sign-in to close: one owner of its state, pure.
//!
//! [`Session::handle`] takes one [`Input`] and the moment, and gives [`Output`]s to be done in their order; what is to be
//! seen stands in [`Session::view`]. It reads no clock and opens nothing. The cryptographic objects live in here, since
//! every message is theirs; they draw their own randomness.
//!
//! | stage | holds | leaves by |
//! | --- | --- | --- |
//! | Start | nothing | `ChooseGuest`, `ChooseStaff` |
//! | SignIn | what the passphrase opened, after it | second factor, `Back` |
//! | Desk | `desk`: token, device, invitations | `StartConsultation`, `SignOut` |
//! | Host | the desk, `door`, `room` | `Leave`, `EndForAll`, the server's `Ended` |
//! | Joining | `joining`: link, code, card | admission, denial, `Leave` |
//! | Guest | the way in (for a new group), `room` | `Leave`, the server's `Ended`, removal |
//! | Colleague | the desk, `room` once admitted | `Leave`, denial, the server's `Ended`, removal |
//! | Host ⇄ Colleague | the same desk and room | a commit that changes who hosts |
//! | Goodbye | the desk, for staff | `Done` |

mod colleague;
mod command;
mod desk;
mod door;
pub mod driver;
mod effect;
mod effects;
mod error_code;
#[cfg(feature = "lab")]
mod fuzz;
mod handover;
mod joining;
mod log;
mod message;
mod on_command;
mod on_device;
mod on_event;
mod peer;
mod retrying;
mod returning;
mod room;
mod safety;
mod show;
#[cfg(test)]
mod tests;
mod view;
mod visitors;

use std::time::Duration;

use crypto::CallMode;
use signaling::protocol::AppointmentId;

use colleague::Colleague;
use desk::{Desk, Drafted};
use door::Door;
use effects::Effects;
use joining::Joining;
use returning::Returning;
use room::Room;
use visitors::Visitors;

pub use command::Command;
pub use effect::{
    Day, Device, Endpoint, HostIdentity, Input, Mark, MediaCommand, Now, Output, Refusal, Reply, Request, Unlocked,
};
pub use error_code::ErrorCode;
#[cfg(feature = "lab")]
pub use fuzz::FUZZ_TARGETS;
pub use view::*;

use crate::preferences::BackgroundChoice;
use crate::private::Private;

/// The consultation, from sign-in to close.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
    notice: Option<Notice>,
    connection: ConnectionState,
    devices: Devices,
    microphone_on: bool,
    camera_on: bool,
    /// Title of the own window that is shared.
    sharing: Option<Private>,
    /// Numbers requests; answers to requests of an earlier stage are dropped.
    next_request: u64,
    first_valid_reply: u64,
    /// Name that signed in last, to fill in.
    account: Private,
    now_unix: u64,
    /// A file for the keys was named: real calls are refused.
    discloses: bool,
}

#[derive(Debug)]
enum Stage {
    Start,
    SignIn(SignInStage),
    Desk(Box<AtDesk>),
    Host(Box<Hosting>),
    /// A guest without a readable link.
    JoinLink,
    Joining(Box<Entering>),
    Guest(Box<Visiting>),
    /// A clinician at a colleague's consultation.
    Colleague(Box<Colleague>),
    Goodbye(Ended),
}

#[derive(Debug, Default)]
struct SignInStage {
    busy: bool,
    unlocked: Option<Box<Unlocked>>,
}

#[derive(Debug)]
struct AtDesk {
    desk: Desk,
    drafted: Option<Drafted>,
}

#[derive(Debug)]
struct Hosting {
    desk: Desk,
    appointment: AppointmentId,
    label: String,
    door: Door,
    visitors: Visitors,
    room: Room,
    /// Somebody was admitted: the call page stays, also when everybody left.
    called: bool,
    /// On this connection the way in is that of a colleague: the server would not give the host's seat.
    visits: bool,
}

#[derive(Debug)]
struct Entering {
    joining: Joining,
    /// For `Hello`, once the server took the link's token.
    token: Option<Private>,
}

#[derive(Debug)]
struct Visiting {
    entering: Entering,
    room: Room,
    /// The host was asked to bring this member back.
    returning: Option<Returning>,
}

#[derive(Debug)]
struct Ended {
    reason: GoodbyeReason,
    devices_closed: bool,
    desk: Option<Box<Desk>>,
    keys: CallKeys,
    /// Its phone stays on the page.
    practice: Option<PracticeInfo>,
}

impl Session {
    /// A fresh session; `account` fills in the sign-in.
    pub fn new(account: Private) -> Self {
        Self {
            stage: Stage::Start,
            notice: None,
            connection: ConnectionState::Idle,
            devices: Devices::CHECKING,
            microphone_on: true,
            camera_on: true,
            sharing: None,
            next_request: 0,
            first_valid_reply: 0,
            account,
            now_unix: 0,
            discloses: false,
        }
    }

    /// A session whose keys are to be disclosed: it takes part in assessor calls alone.
    #[must_use]
    pub fn disclosing(self, discloses: bool) -> Self {
        Self { discloses, ..self }
    }

    /// A session that begins with what was chosen last time.
    #[must_use]
    pub fn with_background(self, background: BackgroundChoice) -> Self {
        Self { devices: Devices { background, ..self.devices }, ..self }
    }

    /// Takes one input and says what is to be done, in this order.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        self.now_unix = now.unix;
        let mut fx = Effects::default();
        match input {
            Input::Command(command) => self.on_command(now, command, &mut fx),
            Input::Socket(event) => self.on_socket(now, event, &mut fx),
            Input::Reply(number, reply) if number >= self.first_valid_reply => {
                self.on_reply(now, number, reply, &mut fx)
            }
            Input::Reply(..) => tracing::debug!("an answer came too late"),
            Input::Engine(event) => self.on_engine(now, event, &mut fx),
            Input::Device(device, state) => self.on_device(device, state, &mut fx),
            // Fail closed: keys may be missing, or a member who was removed may still be sent to.
            Input::MediaBroken => fx.fail(ErrorCode::Dev05),
            Input::MediaStopped => self.on_media_stopped(),
            Input::Sealed(counters) => {
                if let Some(room) = self.room() {
                    room.sealed = counters;
                }
            }
            Input::Tick => self.on_tick(now, &mut fx),
        }
        self.settle(now, &mut fx);
        fx.out
    }

    /// When an [`Input::Tick`] is wanted at the latest, since the same start as [`Now::since_start`].
    pub fn next_wake(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Host(hosting) => hosting.room.next_wake(),
            Stage::Guest(visiting) => visiting.room.next_wake(),
            Stage::Colleague(colleague) => colleague.room.as_ref().and_then(Room::next_wake),
            _ => None,
        }
    }

    /// Applies what an input meant for the session as a whole.
    fn settle(&mut self, now: Now, fx: &mut Effects) {
        let admitted = std::mem::take(&mut fx.admitted);
        for guest in &admitted {
            self.on_member(guest, fx);
        }
        let colleague_in = std::mem::take(&mut fx.colleague_in);
        if let Stage::Host(hosting) = &mut self.stage
            && (colleague_in || !admitted.is_empty())
        {
            hosting.called = true;
            hosting.share_used(now, fx);
        }
        if fx.end.is_none() {
            self.follow_the_seat(now, fx);
        }
        self.follow_sharing(fx);
        if std::mem::take(&mut fx.stranded) {
            self.ask_back(now, fx);
        }
        if let Some((participant, guest)) = fx.returned.take()
            && let Stage::Host(hosting) = &mut self.stage
        {
            hosting.door.give_back(participant, guest);
        }
        if let Some(code) = fx.settled.take()
            && self.notice.as_ref().is_some_and(|notice| notice.code == code)
        {
            self.notice = None;
        }
        match fx.notice.take() {
            // What a device lacks stands at its control too; what was refused is said here alone.
            Some(notice)
                if notice.code.is_of_a_device() && self.notice.as_ref().is_some_and(|now| now.code.is_refusal()) => {}
            Some(notice) => self.notice = Some(notice),
            // What was told during the call is not the reason for its end.
            None if fx.end.is_some() => self.notice = None,
            None => {}
        }
        if let Some(reason) = fx.end.take() {
            self.say_goodbye(reason, fx);
        }
    }

    /// Leaves the consultation: connection closed, devices closed, every key of the call dropped with its stage.
    fn say_goodbye(&mut self, reason: GoodbyeReason, fx: &mut Effects) {
        if matches!(self.stage, Stage::Goodbye(_)) {
            return;
        }
        let practice = self.view().practice;
        let keys = self.room().map_or(CallKeys::None, |room| match show::is_assessor(room) {
            true => CallKeys::Disclosed,
            false => CallKeys::Destroyed,
        });
        let desk = match std::mem::replace(&mut self.stage, Stage::Start) {
            Stage::Host(mut hosting) => {
                // During the call a lost guest may come back by it; no longer now, unless it was the room that was lost.
                if hosting.room.is_lost() {
                    hosting.desk.invitations.retain(|_, invitation| !invitation.is_consumed());
                } else {
                    hosting.desk.end_used_invitations(fx);
                }
                disclose(hosting.room, fx);
                Some(Box::new(hosting.desk))
            }
            Stage::Guest(visiting) => {
                disclose(visiting.room, fx);
                None
            }
            Stage::Colleague(mut colleague) => {
                colleague.desk.end_used_invitations(fx);
                Some(Box::new(colleague.desk))
            }
            _ => None,
        };
        self.enter(Stage::Goodbye(Ended { reason, devices_closed: false, desk, keys, practice }));
        fx.out.push(Output::CloseSocket);
        fx.media(MediaCommand::Stop);
        self.connection = ConnectionState::Idle;
        self.sharing = None;
    }

    /// Changes the stage; answers to earlier requests no longer count.
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.first_valid_reply = self.next_request;
    }

    fn request(&mut self, request: Request, fx: &mut Effects) {
        fx.out.push(Output::Request(self.next_request, request));
        self.next_request += 1;
    }

    /// A request of a click: the desk takes no other until this one is answered.
    fn click(&mut self, request: Request, fx: &mut Effects) {
        if let Stage::Desk(at_desk) = &mut self.stage {
            at_desk.desk.wait_for(self.next_request);
        }
        self.request(request, fx);
    }

    /// A guest became a member: its invitation is spent, durably, and lets nobody but the same guest come back.
    fn on_member(&mut self, guest: &crypto::VerifiedGuest, fx: &mut Effects) {
        let Stage::Host(hosting) = &mut self.stage else { return };
        hosting.room.must_compare |= guest.delivery() != crypto::Delivery::Client;
        if let Some(invitation) = hosting.desk.invitations.get_mut(guest.invite_id().as_bytes()) {
            if let Err(error) = invitation.admitted(guest) {
                tracing::warn!(%error, "a member would have to prove link and code again to come back");
            }
            fx.out.push(door::store_then_send(invitation, None));
        }
    }

    /// Opens the devices; they are told to be chosen as before.
    fn start_media(&mut self, mode: CallMode, fx: &mut Effects) {
        self.devices = Devices { background: self.devices.background, ..Devices::CHECKING };
        (self.microphone_on, self.camera_on) = (true, true);
        fx.media(MediaCommand::Start { assessor: mode == CallMode::Assessor });
    }

    /// Whether this session refuses calls of this mode; the person is told.
    fn refuses(&self, mode: CallMode, fx: &mut Effects) -> bool {
        let refused = self.discloses && mode != CallMode::Assessor;
        if refused {
            fx.tell(ErrorCode::E2e11);
        }
        refused
    }

    fn room(&mut self) -> Option<&mut Room> {
        match &mut self.stage {
            Stage::Host(hosting) => Some(&mut hosting.room),
            Stage::Guest(visiting) => Some(&mut visiting.room),
            Stage::Colleague(colleague) => colleague.room.as_mut(),
            _ => None,
        }
    }
}

/// A group has ended: hands its keys on if it was made for an assessor, and drops them else.
fn disclose(room: Room, fx: &mut Effects) {
    if let Some(group) = room.into_disclosure() {
        fx.out.push(Output::Disclose(group));
    }
}
