//! What the server, the engine and time do in each stage.

use media::EngineEvent;
use signaling::protocol::{ClientMessage, ErrorCode as ServerCode, LobbyState, ParticipantId, ServerMessage};

use super::desk::Desk;
use super::door::Door;
use super::effect::{MediaCommand, Now, Output, Reply};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::joining::Step;
use super::room::{Change, Room};
use super::view::{ConnectionState, GoodbyeReason, Notice, PracticeInfo};
use super::visitors::Visitors;
use super::{AtDesk, Session, Stage, Visiting, handover};
use crate::connection::SocketEvent;

impl Session {
    pub(super) fn on_socket(&mut self, now: Now, event: SocketEvent, fx: &mut Effects) {
        match event {
            SocketEvent::Open => {}
            SocketEvent::Message(message) => self.on_message(now, *message, fx),
            SocketEvent::NotUnderstood => fx.tell(ErrorCode::Net05),
            SocketEvent::Lost(code) => {
                self.connection = ConnectionState::Reconnecting;
                match &mut self.stage {
                    // Media go on without the server, and nobody else can join meanwhile.
                    Stage::Host(hosting) => {
                        hosting.room.on_offline();
                        fx.tell(ErrorCode::Net04);
                    }
                    Stage::Guest(visiting) => {
                        visiting.room.on_offline();
                        fx.tell(ErrorCode::Net04);
                    }
                    Stage::Colleague(colleague) => {
                        colleague.on_offline();
                        fx.tell(if colleague.room.is_some() { ErrorCode::Net04 } else { code });
                    }
                    Stage::Joining(entering) => {
                        entering.joining.on_offline();
                        fx.tell(code);
                    }
                    _ => {}
                }
            }
            SocketEvent::Moved => {
                self.on_socket(now, SocketEvent::Lost(ErrorCode::Net04), fx);
                self.room().into_iter().for_each(|room| room.on_moved(now, fx));
            }
            SocketEvent::KeyDiffers => fx.fail(ErrorCode::Auth05),
        }
    }

    fn on_message(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        match message {
            ServerMessage::Ready { .. } => self.on_ready(now, fx),
            ServerMessage::Error { code, retry_after_s, participant } => {
                self.on_refused(now, code, retry_after_s, participant, fx)
            }
            ServerMessage::Relays { relays } => fx.media(MediaCommand::Relays(relays)),
            ServerMessage::Ended => match &self.stage {
                Stage::Host(_) | Stage::Guest(_) | Stage::Joining(_) | Stage::Colleague(_) => {
                    fx.end = Some(GoodbyeReason::Ended);
                }
                _ => {}
            },
            message => match &mut self.stage {
                Stage::Host(hosting) => match message {
                    ServerMessage::Waiting { guests } => {
                        // Who is under way from the door into the group leaves the list before the echo comes:
                        // its admission goes on, and the server says so if it cannot.
                        hosting.door.on_waiting(now, &guests);
                        hosting.visitors.on_waiting(now, &guests, hosting.room.group(), fx);
                    }
                    ServerMessage::Relay { body, .. } if handover::is_share(body.as_bytes()) => {
                        hosting.on_share(now, body.as_bytes(), fx);
                    }
                    ServerMessage::Relay { from, body } => {
                        if hosting.visitors.on_relay(now, from, body.as_bytes(), hosting.room.group(), fx) {
                            return;
                        }
                        if let Some(request) = Visitors::on_return(now, body.as_bytes(), hosting.room.group()) {
                            let change = Change::ReadmitStaff { participant: from, request, at: now.unix };
                            hosting.room.wish(now, change, fx);
                            return;
                        }
                        let (invitations, group) = (&mut hosting.desk.invitations, hosting.room.group());
                        if let Some(guest) = Door::on_return(from, body.as_bytes(), invitations, group, fx) {
                            hosting.room.wish(now, Change::Readmit { participant: from, guest }, fx);
                            return;
                        }
                        let group = hosting.room.group();
                        hosting.door.on_relay(now, from, body.as_bytes(), invitations, group, fx);
                    }
                    message => in_room(now, &mut hosting.room, message, fx),
                },
                Stage::Joining(_) => self.in_lobby(now, message, fx),
                Stage::Colleague(_) => self.on_colleague_message(now, message, fx),
                Stage::Guest(visiting) => match message {
                    // The host lost its group: the exchange begins anew, without typing anything.
                    ServerMessage::Lobby { state: LobbyState::Waiting { .. } } => self.back_to_lobby(now, message, fx),
                    ServerMessage::Lobby { state: LobbyState::Denied } => fx.end = Some(GoodbyeReason::Removed),
                    ServerMessage::Lobby { state: LobbyState::Closed } => fx.end = Some(GoodbyeReason::Ended),
                    message if visiting.returning.is_some() => self.on_the_way_back(now, message, fx),
                    message => in_room(now, &mut visiting.room, message, fx),
                },
                _ => tracing::debug!("a message came where none is expected"),
            },
        }
    }

    fn on_ready(&mut self, now: Now, fx: &mut Effects) {
        self.connection = ConnectionState::Online;
        if matches!(&self.notice, Some(notice) if matches!(notice.code, ErrorCode::Net01 | ErrorCode::Net04)) {
            self.notice = None;
        }
        match &mut self.stage {
            Stage::Host(hosting) => {
                hosting.visits = false;
                fx.send(ClientMessage::OpenRoom { appointment: hosting.appointment });
                hosting.room.on_online(now, fx);
            }
            Stage::Guest(visiting) => {
                fx.send(ClientMessage::EnterLobby);
                if visiting.returning.is_none() {
                    visiting.room.on_online(now, fx);
                }
            }
            Stage::Joining(_) => fx.send(ClientMessage::EnterLobby),
            Stage::Colleague(colleague) => {
                fx.send(ClientMessage::VisitRoom { appointment: colleague.appointment });
                if let Some(room) = colleague.room.as_mut().filter(|_| colleague.returning.is_none()) {
                    room.on_online(now, fx);
                }
            }
            _ => {}
        }
    }

    pub(super) fn in_lobby(&mut self, now: Now, message: ServerMessage, fx: &mut Effects) {
        let sources = self.sources();
        let Stage::Joining(entering) = &mut self.stage else { return };
        match message {
            ServerMessage::Lobby { state } => entering.joining.on_lobby(now, state, fx),
            ServerMessage::Relay { body, .. } => entering.joining.on_relay(now, body.as_bytes(), fx),
            ServerMessage::Admitted { seq, welcome, .. } => {
                let Some(group) = entering.joining.on_admitted(now, welcome.as_bytes(), fx) else { return };
                let mut room = Room::join(now, group, seq, entering.joining.own_name(), sources, fx);
                room.must_compare = entering.joining.link_by_server();
                let Stage::Joining(entering) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
                self.enter(Stage::Guest(Box::new(Visiting { entering: *entering, room, returning: None })));
            }
            _ => tracing::warn!("a message that no waiting guest gets was dropped"),
        }
    }

    /// The server refused the last message, or the session.
    fn on_refused(
        &mut self,
        now: Now,
        code: ServerCode,
        retry_after_s: Option<u32>,
        about: Option<ParticipantId>,
        fx: &mut Effects,
    ) {
        let notice = Notice { retry_after_s, ..Notice::new(ErrorCode::from(code)) };
        let over = matches!(
            code,
            ServerCode::SessionEnded
                | ServerCode::InvitationUsed
                | ServerCode::InvitationExpired
                | ServerCode::InvitationWithdrawn
                | ServerCode::AppointmentMoved
                | ServerCode::OpenElsewhere
                | ServerCode::HistoryGone
        );
        if code == ServerCode::HistoryGone && matches!(self.stage, Stage::Guest(_) | Stage::Colleague(_)) {
            // Away for too long: only the host can bring this member back.
            fx.stranded = true;
            return;
        }
        if let (Stage::Host(hosting), Some(about)) = (&mut self.stage, about)
            && hosting.room.on_refused(about, notice.code, fx)
        {
            return;
        }
        if self.on_seat_refused(now, code, fx) {
            return;
        }
        if code == ServerCode::Busy
            && let Some(room) = self.room()
        {
            return room.on_busy(now, retry_after_s);
        }
        match &mut self.stage {
            Stage::Joining(_) if code == ServerCode::NoHost => {
                if let Stage::Joining(entering) = &mut self.stage {
                    entering.joining.on_offline();
                    entering.joining.send_knock(fx);
                }
            }
            Stage::Host(_) | Stage::Guest(_) | Stage::Joining(_) | Stage::Colleague(_) if over => {
                fx.notice = Some(notice);
                fx.end = Some(GoodbyeReason::Failed);
            }
            _ => fx.notice = Some(notice),
        }
    }

    pub(super) fn on_reply(&mut self, now: Now, number: u64, reply: Reply, fx: &mut Effects) {
        match reply {
            Reply::NotStored(code) => fx.tell(code),
            reply => match &mut self.stage {
                Stage::SignIn(_) => self.on_sign_in_reply(now, reply, fx),
                Stage::Desk(_) => self.on_desk_reply(now, number, reply, fx),
                Stage::Joining(_) => self.on_joining_reply(reply, fx),
                _ => {}
            },
        }
    }

    fn on_sign_in_reply(&mut self, now: Now, reply: Reply, fx: &mut Effects) {
        let Stage::SignIn(sign_in) = &mut self.stage else { return };
        sign_in.busy = false;
        match reply {
            Reply::Ticket(Ok(unlocked)) => sign_in.unlocked = Some(unlocked),
            Reply::SignedIn(Ok(session)) => {
                let Some(unlocked) = sign_in.unlocked.take() else { return };
                let desk = Box::new(Desk::new(*unlocked, &session));
                if desk.lacks_device() {
                    fx.tell(ErrorCode::Key01);
                }
                self.connection = ConnectionState::Online;
                self.go_to_desk(now, desk, fx);
            }
            Reply::Ticket(Err(refusal)) | Reply::SignedIn(Err(refusal)) => {
                // A ticket that ran out begins with the passphrase again.
                if matches!(refusal.code, ErrorCode::Auth07 | ErrorCode::Auth02) {
                    sign_in.unlocked = None;
                }
                fx.notice = Some(refusal.notice());
            }
            _ => {}
        }
    }

    fn on_desk_reply(&mut self, now: Now, number: u64, reply: Reply, fx: &mut Effects) {
        let Stage::Desk(at_desk) = &mut self.stage else { return };
        let AtDesk { desk, drafted } = &mut **at_desk;
        desk.answered(number);
        let refusal = match reply {
            Reply::Appointments(Ok(day)) => {
                self.connection = ConnectionState::Online;
                return desk.on_day(now.unix, number, day);
            }
            Reply::Done(Ok(())) => {
                desk.show_today();
                let request = desk.refresh(now.unix);
                return self.click(request, fx);
            }
            Reply::Registered(Ok(())) => {
                if let Some(drafted) = drafted.take() {
                    desk.on_registered(drafted);
                }
                return;
            }
            Reply::Registered(Err(refusal)) => {
                *drafted = None;
                refusal
            }
            Reply::Appointments(Err(refusal)) | Reply::Done(Err(refusal)) => refusal,
            _ => return,
        };
        fx.notice = Some(refusal.notice());
        match refusal.code {
            ErrorCode::Net01 => self.connection = ConnectionState::Reconnecting,
            ErrorCode::Auth07 => self.enter(Stage::SignIn(super::SignInStage::default())),
            _ => {}
        }
    }

    fn on_joining_reply(&mut self, reply: Reply, fx: &mut Effects) {
        let Stage::Joining(entering) = &mut self.stage else { return };
        let joining = &mut entering.joining;
        match reply {
            Reply::Lookup(Ok(answer)) if joining.step == Step::Lookup => {
                self.connection = ConnectionState::Online;
                // The phone of the link is signed by the practice; the server's copy is not believed in its place.
                joining.practice =
                    PracticeInfo { name: answer.practice.name.clone(), phone: joining.practice.phone.clone() };
                match answer.refusal {
                    None => joining.step = Step::Code,
                    Some(body) => {
                        let code = ErrorCode::from(body.code);
                        fx.notice = Some(Notice { retry_after_s: body.retry_after_s, ..Notice::new(code) });
                        if code == ErrorCode::Inv07 {
                            joining.opens_at = body.retry_after_s.map(|seconds| self.now_unix + u64::from(seconds));
                            joining.step = Step::Code;
                        } else {
                            self.enter(Stage::JoinLink);
                        }
                    }
                }
            }
            Reply::Lookup(Err(refusal)) => {
                fx.notice = Some(refusal.notice());
                self.enter(Stage::JoinLink);
            }
            Reply::Redeemed(Ok(answer)) => {
                let token = crate::Private::from(answer.guest_session.expose());
                entering.token = Some(token.clone());
                fx.out.push(Output::OpenSocket { endpoint: joining.endpoint(), token });
            }
            Reply::Redeemed(Err(refusal)) => {
                fx.notice = Some(refusal.notice());
                // Too early or offline: the device page is where one tries again; the rest is final.
                match refusal.code {
                    ErrorCode::Inv07 | ErrorCode::Net01 | ErrorCode::Srv05 | ErrorCode::Auth02 => {
                        joining.step = Step::Devices
                    }
                    _ => fx.end = Some(GoodbyeReason::Failed),
                }
            }
            _ => {}
        }
    }

    pub(super) fn on_engine(&mut self, now: Now, event: EngineEvent, fx: &mut Effects) {
        let Some(event) = self.on_device_event(event, fx) else { return };
        if let Some(room) = self.room() {
            room.on_engine(now, event, fx);
        }
    }

    pub(super) fn on_media_stopped(&mut self) {
        if let Stage::Goodbye(ended) = &mut self.stage {
            ended.devices_closed = true;
        }
    }

    pub(super) fn on_tick(&mut self, now: Now, fx: &mut Effects) {
        match &mut self.stage {
            Stage::Desk(at_desk) if at_desk.desk.is_stale(now.unix) => {
                let request = at_desk.desk.refresh(now.unix);
                self.request(request, fx);
            }
            Stage::Host(hosting) => hosting.room.tick(now, fx),
            Stage::Joining(entering) => entering.joining.tick(now, fx),
            Stage::Guest(visiting) if visiting.returning.is_some() => self.wait_for_return(now, fx),
            Stage::Guest(visiting) => visiting.room.tick(now, fx),
            Stage::Colleague(colleague) if colleague.returning.is_some() => self.wait_for_return(now, fx),
            Stage::Colleague(colleague) => {
                if let Some(room) = &mut colleague.room {
                    room.tick(now, fx);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn in_room(now: Now, room: &mut Room, message: ServerMessage, fx: &mut Effects) {
    match message {
        ServerMessage::Entry { seq, from, entry, .. } => room.on_entry(now, seq, from, entry, fx),
        ServerMessage::Conflict { epoch } => room.on_conflict(epoch, fx),
        ServerMessage::Presence { participant, present } => room.on_presence(participant, present),
        // After a reconnect the server repeats the admission that was taken already.
        ServerMessage::Admitted { .. } => tracing::debug!("an admission came again"),
        // Who hosts is known from the group.
        ServerMessage::Seat { .. } => {}
        _ => tracing::warn!("a message that no member gets was dropped"),
    }
}
