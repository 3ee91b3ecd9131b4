//! What a person's wish does in each stage. A wish that the stage does not allow does nothing.

use crypto::{CallGroup, CallMode, CallTerms, LobbyCard};
use signaling::protocol::ClientMessage;

use super::desk::call_id;
use super::effect::{Device, Mark, MediaCommand, Now, Output, Request};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::joining::{Joining, Step};
use super::room::{Change, Room};
use super::view::{CardField, ConnectionState, DeviceState, GoodbyeReason};
use super::visitors::Visitors;
use super::{AtDesk, Command, Door, Entering, Hosting, Session, SignInStage, Stage};
use crate::preferences::BackgroundChoice;

impl Session {
    pub(super) fn on_command(&mut self, now: Now, command: Command, fx: &mut Effects) {
        let lasts = self.notice.as_ref().is_some_and(|notice| notice.code.is_refusal());
        match command {
            Command::Mute { .. }
            | Command::Camera { .. }
            | Command::Background { .. }
            | Command::LookForDevices
            | Command::LookForWindows
            | Command::StopSharing
            | Command::Refresh => {}
            // What the encryption refused was not this step's doing: it stays until it was read.
            _ if lasts && !matches!(command, Command::Dismiss | Command::Done) => {}
            // A new step answers what the notice asked for.
            _ => self.notice = None,
        }
        match command {
            Command::Quit => return self.quit(now, fx),
            Command::Dismiss => return,
            Command::Mute { muted } => return self.set_microphone(!muted, fx),
            Command::Camera { on } => return self.set_camera(on, fx),
            Command::LookForWindows => return fx.media(MediaCommand::LookForWindows),
            Command::ShareWindow { window, title } => return self.share(Some((window, title)), fx),
            Command::StopSharing => return self.share(None, fx),
            Command::LookForDevices => return fx.media(MediaCommand::LookForDevices),
            Command::UseDevice { device, id } => return self.use_device(device, id, fx),
            Command::Background { choice } => return self.set_background(choice, fx),
            _ => {}
        }
        match &mut self.stage {
            Stage::Start => match command {
                Command::ChooseGuest => self.enter(Stage::JoinLink),
                Command::ChooseStaff => self.enter(Stage::SignIn(SignInStage::default())),
                // A link that the system handed over, or that was pasted at once.
                Command::PasteLink { text } => self.paste_link(&text, fx),
                _ => {}
            },
            Stage::SignIn(_) => self.at_sign_in(command, fx),
            Stage::Desk(_) => self.at_desk(now, command, fx),
            Stage::Host(_) => self.as_host(now, command, fx),
            Stage::JoinLink => match command {
                Command::PasteLink { text } => self.paste_link(&text, fx),
                Command::Back => self.enter(Stage::Start),
                _ => {}
            },
            Stage::Joining(_) => self.at_joining(command, fx),
            Stage::Guest(_) => self.as_guest(command, fx),
            Stage::Colleague(_) => self.as_colleague(now, &command, fx),
            Stage::Goodbye(ended) => {
                if let Command::Done = command {
                    match ended.desk.take() {
                        Some(desk) => self.go_to_desk(now, desk, fx),
                        None => self.enter(Stage::Start),
                    }
                }
            }
        }
    }

    fn at_sign_in(&mut self, command: Command, fx: &mut Effects) {
        let Stage::SignIn(sign_in) = &mut self.stage else { return };
        match command {
            Command::SignIn { name, passphrase } if !sign_in.busy && sign_in.unlocked.is_none() => {
                sign_in.busy = true;
                self.account = name.clone();
                self.request(Request::SignIn { name, passphrase }, fx);
            }
            Command::SecondFactor { code } if !sign_in.busy => {
                let Some(unlocked) = &sign_in.unlocked else { return };
                let ticket = signaling::protocol::Secret::new(unlocked.ticket.expose().to_owned());
                sign_in.busy = true;
                self.request(Request::SecondFactor { ticket, code }, fx);
            }
            Command::Back if sign_in.unlocked.is_some() => self.enter(Stage::SignIn(SignInStage::default())),
            Command::Back => self.enter(Stage::Start),
            _ => {}
        }
    }

    fn at_desk(&mut self, now: Now, command: Command, fx: &mut Effects) {
        let Stage::Desk(at_desk) = &mut self.stage else { return };
        let desk = &mut at_desk.desk;
        match command {
            Command::Refresh => {
                let request = desk.refresh(now.unix);
                self.click(request, fx);
            }
            Command::OpenBooking => desk.open_booking(),
            Command::Book { label, starts_at } if !desk.is_busy() => {
                let request = Request::Book { token: desk.token.clone(), label, starts_at };
                self.click(request, fx);
            }
            Command::MakeInvitation { appointment } => self.make_invitation(now, &appointment, CallMode::Real, fx),
            Command::MakeAssessorInvitation { appointment } => {
                self.make_invitation(now, &appointment, CallMode::Assessor, fx);
            }
            Command::InvitationNext => desk.show_code(),
            Command::LinkPassesServer => fx.out.extend(desk.mark_link()),
            Command::InvitationSent | Command::Back => {
                desk.show_today();
                let request = desk.refresh(now.unix);
                self.request(request, fx);
            }
            Command::RevokeInvitation { appointment } if !desk.is_busy() => {
                if let Some(invite) = desk.open_invitation(&appointment) {
                    let request = Request::Revoke { token: desk.token.clone(), invite };
                    self.click(request, fx);
                }
            }
            Command::VisitRoom { appointment } => self.visit_room(now, &appointment, fx),
            Command::StartConsultation { appointment } => self.start_consultation(now, &appointment, fx),
            Command::SignOut => {
                let request = Request::SignOut { token: desk.token.clone() };
                self.request(request, fx);
                self.enter(Stage::Start);
                self.connection = ConnectionState::Idle;
            }
            _ => {}
        }
    }

    fn make_invitation(&mut self, now: Now, appointment: &str, mode: CallMode, fx: &mut Effects) {
        let Stage::Desk(at_desk) = &mut self.stage else { return };
        if at_desk.desk.is_busy() {
            return;
        }
        match at_desk.desk.draft(now, appointment, mode) {
            Ok((drafted, request)) => {
                at_desk.drafted = Some(drafted);
                self.click(request, fx);
            }
            Err(code) => fx.tell(code),
        }
    }

    /// Opens the group (the host alone), the devices and the room, all before anybody knocks.
    fn start_consultation(&mut self, now: Now, id: &str, fx: &mut Effects) {
        let Stage::Desk(at_desk) = &self.stage else { return };
        let mode = at_desk.desk.mode_of(id);
        if self.refuses(mode, fx) {
            return;
        }
        let Some(host) = &at_desk.desk.host else { return fx.tell(ErrorCode::Key01) };
        if host.deny_list.as_ref().is_some_and(|list| list.denies(&host.certificate)) {
            return fx.tell(ErrorCode::Key01);
        }
        let Some(appointment) = at_desk.desk.find(id) else { return fx.tell(ErrorCode::Srv03) };
        let (appointment, label) = (appointment.id, appointment.label.clone());
        let terms = CallTerms { call_id: call_id(appointment), mode };
        let deputies = at_desk.desk.deputies();
        let created = CallGroup::create_with_deputies(now.unix, &host.device, &host.certificate, terms, deputies);
        let opened = created.and_then(|mut group| {
            host.deny_list.clone().map_or(Ok(()), |list| group.set_deny_list(now.unix, list))?;
            Ok(group)
        });
        let group = match opened {
            Ok(group) => group,
            Err(error) => {
                tracing::warn!(%error, "the group could not be opened");
                return fx.tell(ErrorCode::Key01);
            }
        };
        self.start_media(mode, fx);
        fx.out.push(Output::Mark(Mark::Host));
        let room = Room::open(now, group, self.sources());
        let Stage::Desk(at_desk) = std::mem::replace(&mut self.stage, Stage::Start) else { return };
        let mut desk = at_desk.desk;
        // A call of this appointment that was lost with this computer's memory: its guests come in again.
        for invitation in desk.invitations.values_mut().filter(|invitation| invitation.appointment() == id) {
            if invitation.reopen() {
                fx.out.push(super::door::store_then_send(invitation, None));
            }
        }
        desk.show_today();
        fx.out.push(Output::OpenSocket { endpoint: desk.endpoint.clone(), token: desk.token.clone() });
        self.enter(Stage::Host(Box::new(Hosting {
            desk,
            appointment,
            label,
            door: Door::default(),
            visitors: Visitors::default(),
            room,
            called: false,
            visits: false,
        })));
    }

    fn as_host(&mut self, now: Now, command: Command, fx: &mut Effects) {
        let Stage::Host(hosting) = &mut self.stage else { return };
        match command {
            Command::Admit { participant, identity_confirmed } => {
                let visitor = hosting.visitors.find(&participant);
                let Some(id) = hosting.door.find(&participant).or(visitor) else { return fx.tell(ErrorCode::Lob02) };
                if !identity_confirmed || hosting.room.is_admitting(id) {
                    return;
                }
                if let Some(request) = hosting.visitors.request(id) {
                    fx.out.push(Output::Mark(Mark::Admit));
                    let change = Change::AdmitStaff { participant: id, request, at: now.unix };
                    hosting.room.wish(now, change, fx);
                    return;
                }
                if let Some((guest, name)) = hosting.door.take_guest(id) {
                    fx.out.push(Output::Mark(Mark::Admit));
                    hosting.room.wish(now, Change::Admit { participant: id, guest, name }, fx);
                }
            }
            Command::Deny { participant } => {
                let found = hosting.door.find(&participant).or_else(|| hosting.visitors.find(&participant));
                if let Some(id) = found.filter(|id| !hosting.room.is_admitting(*id)) {
                    fx.send(ClientMessage::Deny { participant: id });
                    hosting.visitors.forget(id);
                    hosting.door.forget(id);
                }
            }
            Command::Remove { leaf } => hosting.room.remove(now, leaf, fx),
            Command::HandOver { leaf } => hosting.room.hand_over(now, leaf, fx),
            Command::SafetyStart => hosting.room.start_safety(fx),
            Command::SafetyAnswer { matches } => hosting.room.answer_safety(matches, fx),
            // Nobody was let in: whoever waits keeps its place, and the room can be opened again.
            Command::Leave if !hosting.called && hosting.room.is_settled() => {
                fx.send(ClientMessage::Leave);
                fx.end = Some(GoodbyeReason::Left);
            }
            // A host who goes without handing over ends the consultation for all.
            Command::Leave | Command::EndForAll => {
                fx.send(ClientMessage::EndCall);
                fx.end =
                    Some(if matches!(command, Command::Leave) { GoodbyeReason::Left } else { GoodbyeReason::Ended });
            }
            _ => {}
        }
    }

    fn paste_link(&mut self, text: &str, fx: &mut Effects) {
        match Joining::from_link(text) {
            Ok(joining) if self.refuses(joining.mode(), fx) => self.enter(Stage::JoinLink),
            Ok(joining) => {
                let request = Request::Lookup { endpoint: joining.endpoint(), invite: joining.invite_id() };
                self.enter(Stage::Joining(Box::new(Entering { joining, token: None })));
                self.request(request, fx);
            }
            Err(code) => {
                self.enter(Stage::JoinLink);
                fx.tell(code);
            }
        }
    }

    fn at_joining(&mut self, command: Command, fx: &mut Effects) {
        let Stage::Joining(entering) = &mut self.stage else { return };
        let joining = &mut entering.joining;
        match (command, joining.step.clone()) {
            (Command::EnterCode { code }, Step::Code) => joining.enter_code(code, fx),
            (Command::AboutYou { name, birth_date, phone, with_them, consent }, Step::About { .. }) => {
                let card = LobbyCard {
                    name: name.trim().to_owned(),
                    birth_date: birth_date.trim().to_owned(),
                    phone: phone.trim().to_owned(),
                    with_them: with_them.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
                    note: None,
                };
                if too_long(&card) {
                    joining.step = Step::About { missing: vec![CardField::Name] };
                    return;
                }
                joining.about(card, consent);
                if joining.step == Step::Devices {
                    let mode = joining.mode();
                    self.start_media(mode, fx);
                }
            }
            (Command::DevicesOk, Step::Devices) => {
                let Some(lobby_token) = joining.lobby_token() else { return fx.tell(ErrorCode::Inv01) };
                joining.step = Step::Lobby;
                let request =
                    Request::Redeem { endpoint: joining.endpoint(), invite: joining.invite_id(), lobby_token };
                self.request(request, fx);
            }
            (Command::Back, Step::Lookup | Step::Code) => self.leave_quietly(fx),
            (Command::Back, Step::About { .. }) => joining.step = Step::Code,
            (Command::Back, Step::Devices) => {
                joining.step = Step::About { missing: Vec::new() };
                fx.media(MediaCommand::Stop);
            }
            (Command::AcceptAssessor, Step::Assessor) => joining.accept_assessor(fx),
            (Command::Leave, Step::Assessor | Step::Lobby) => {
                fx.send(ClientMessage::Leave);
                fx.end = Some(GoodbyeReason::Left);
            }
            (Command::Leave, _) => self.leave_quietly(fx),
            _ => {}
        }
    }

    /// Before the lobby there is nobody to say goodbye to.
    fn leave_quietly(&mut self, fx: &mut Effects) {
        self.enter(Stage::JoinLink);
        self.connection = ConnectionState::Idle;
        fx.out.push(Output::CloseSocket);
        fx.media(MediaCommand::Stop);
    }

    fn as_guest(&mut self, command: Command, fx: &mut Effects) {
        let Stage::Guest(visiting) = &mut self.stage else { return };
        match command {
            Command::SafetyStart => visiting.room.start_safety(fx),
            Command::SafetyAnswer { matches } => visiting.room.answer_safety(matches, fx),
            Command::Leave => {
                // Signed by the group, so that the host may take this leaf out; then the server is told.
                visiting.room.leave(fx);
                fx.send(ClientMessage::Leave);
                fx.end = Some(GoodbyeReason::Left);
            }
            _ => {}
        }
    }

    fn set_microphone(&mut self, on: bool, fx: &mut Effects) {
        self.microphone_on = on;
        fx.media(MediaCommand::Microphone(on));
        self.tell_sources(fx);
    }

    fn set_camera(&mut self, on: bool, fx: &mut Effects) {
        self.camera_on = on;
        fx.media(MediaCommand::Camera(on));
        self.tell_sources(fx);
    }

    fn use_device(&mut self, device: Device, id: Option<String>, fx: &mut Effects) {
        self.on_device(device, DeviceState::Checking, fx);
        fx.media(MediaCommand::Use(device, id));
    }

    fn set_background(&mut self, choice: BackgroundChoice, fx: &mut Effects) {
        self.devices.background = choice;
        fx.media(MediaCommand::Background(choice));
    }

    fn quit(&mut self, now: Now, fx: &mut Effects) {
        match &mut self.stage {
            Stage::Host(_) => self.as_host(now, Command::EndForAll, fx),
            Stage::Guest(_) => self.as_guest(Command::Leave, fx),
            Stage::Colleague(_) => self.as_colleague(now, &Command::Leave, fx),
            Stage::Joining(entering) if matches!(entering.joining.step, Step::Assessor | Step::Lobby) => {
                fx.send(ClientMessage::Leave);
                fx.end = Some(GoodbyeReason::Left);
            }
            _ => {}
        }
        self.settle(now, fx);
        fx.out.push(Output::Quit);
    }

    pub(super) fn go_to_desk(&mut self, now: Now, mut desk: Box<super::Desk>, fx: &mut Effects) {
        let request = desk.refresh(now.unix);
        self.enter(Stage::Desk(Box::new(AtDesk { desk: desk.at_rest(), drafted: None })));
        self.request(request, fx);
    }
}

/// The bounds of the card's fields, so that sealing it cannot fail later.
fn too_long(card: &LobbyCard) -> bool {
    card.name.len() > 100
        || card.birth_date.len() > 20
        || card.phone.len() > 40
        || card.with_them.as_ref().is_some_and(|text| text.len() > 200)
}
