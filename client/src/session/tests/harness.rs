//! Two sessions and a server made of a few lines, all in memory and in one thread.

mod replies;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crypto::{DenyList, DeviceKey, LeafIndex, PracticeKey};
use signaling::protocol::{
    AppointmentId, ClientMessage, Delivery, GuestRole, InviteId, LobbyState, Opaque, ParticipantId, ServerMessage,
    Visitor, WaitingGuest,
};

use media::EngineEvent;

use crate::connection::SocketEvent;
use crate::disclosure::GroupDisclosure;
use crate::session::{Command, Input, InvitePage, Knocker, MediaCommand, Now, Output, Phase, Session, View};

pub(super) const START: u64 = 1_900_000_000;
pub(super) const APPOINTMENT: [u8; 16] = [5; 16];

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Host,
    Guest,
}

/// One client: its session, and what it asked of the media engine.
pub(super) struct Client {
    pub session: Session,
    pub media: Vec<MediaCommand>,
    /// Kinds of outputs in their order, to see what comes before what.
    pub trace: Vec<&'static str>,
    /// Keys that it handed out.
    pub disclosed: Vec<GroupDisclosure>,
    /// The server has a socket to it.
    pub online: bool,
}

/// Both clients and what lies between them.
pub(super) struct World {
    pub host: Client,
    pub guest: Client,
    pub seconds: u64,
    /// Every message that the server passed on, to be replayed by tests.
    pub entries: Vec<ServerMessage>,
    /// Messages of clients that the server does not take, to lose them.
    pub deaf: bool,
    /// The server keeps the log from the guest.
    pub withhold: bool,
    /// The server lets each side commit for itself.
    pub split: bool,
    /// The association between the two carries heartbeats.
    pub channel: bool,
    /// What was lost that way.
    pub lost: Vec<ClientMessage>,
    /// What clients said to each other past the group.
    pub relayed: Vec<Opaque>,
    /// Records of invitations as they were written last.
    stored: BTreeMap<[u8; 16], Vec<u8>>,
    /// What the next sign-in finds.
    on_disk: Vec<Vec<u8>>,
    pub practice: PracticeKey,
    /// What the host's computer knows of withdrawn certificates at its next sign-in.
    pub deny_list: Option<DenyList>,
    device: DeviceKey,
    /// Of a clinician who sits at the guest's side.
    colleagues_device: DeviceKey,
    queue: VecDeque<(Side, Output)>,
    invite: Option<InviteId>,
    room_open: bool,
    in_lobby: bool,
    /// Who waits is a colleague.
    visits: bool,
    admitted: bool,
    epoch: u64,
    seq: u64,
}

pub(super) fn id(side: Side) -> ParticipantId {
    ParticipantId::from_bytes([if side == Side::Host { 1 } else { 2 }; 16])
}

impl World {
    /// A host at its desk with one appointment, and a guest at the start.
    pub(super) fn new() -> Self {
        let client = || Client {
            session: Session::new("".into()),
            media: Vec::new(),
            trace: Vec::new(),
            disclosed: Vec::new(),
            online: false,
        };
        let mut world = Self {
            host: client(),
            guest: client(),
            seconds: 0,
            entries: Vec::new(),
            deaf: false,
            withhold: false,
            split: false,
            channel: true,
            lost: Vec::new(),
            relayed: Vec::new(),
            stored: BTreeMap::new(),
            on_disk: Vec::new(),
            practice: PracticeKey::generate().unwrap().0,
            deny_list: None,
            device: DeviceKey::generate().unwrap(),
            colleagues_device: DeviceKey::generate().unwrap(),
            queue: VecDeque::new(),
            invite: None,
            room_open: false,
            in_lobby: false,
            visits: false,
            admitted: false,
            epoch: 0,
            seq: 0,
        };
        world.command(Side::Host, Command::ChooseStaff);
        world.command(Side::Host, Command::SignIn { name: "ada".into(), passphrase: "correct horse".into() });
        world.command(Side::Host, Command::SecondFactor { code: "123456".into() });
        world
    }

    /// A world where the guest waits with link and code proven.
    pub(super) fn knocked() -> Self {
        let mut world = Self::new();
        let (link, code) = world.invite();
        world.start();
        world.walk_in(&link, &code);
        world
    }

    /// A world with both in the call.
    pub(super) fn in_call() -> Self {
        let mut world = Self::knocked();
        let knocker = world.knocker();
        world.command(Side::Host, Command::Admit { participant: knocker.participant, identity_confirmed: true });
        world
    }

    pub(super) fn invite(&mut self) -> (String, String) {
        self.invite_by(Command::MakeInvitation { appointment: appointment_id() })
    }

    pub(super) fn invite_by(&mut self, command: Command) -> (String, String) {
        self.command(Side::Host, command);
        let Phase::Invite(invite) = self.view(Side::Host).phase else { panic!("the link page") };
        let InvitePage::Link { link } = invite.page else { panic!("the link first") };
        self.command(Side::Host, Command::InvitationNext);
        let Phase::Invite(invite) = self.view(Side::Host).phase else { panic!("the code page") };
        let InvitePage::Code { code } = invite.page else { panic!("the code then") };
        self.command(Side::Host, Command::InvitationSent);
        (link.as_str().to_owned(), code.as_str().to_owned())
    }

    pub(super) fn start(&mut self) {
        self.command(Side::Host, Command::StartConsultation { appointment: appointment_id() });
    }

    pub(super) fn walk_in(&mut self, link: &str, code: &str) {
        self.command(Side::Guest, Command::ChooseGuest);
        self.command(Side::Guest, Command::PasteLink { text: link.into() });
        self.command(Side::Guest, Command::EnterCode { code: code.into() });
        self.command(
            Side::Guest,
            Command::AboutYou {
                name: "Grace".into(),
                birth_date: "1906-12-09".into(),
                phone: "02 5550 1000".into(),
                with_them: None,
                consent: true,
            },
        );
        self.command(Side::Guest, Command::DevicesOk);
    }

    /// Number of the last entry that this side's log took.
    pub(super) fn last_seq_of(&mut self, side: Side) -> u64 {
        self.client_mut(side).session.room().map_or(0, |room| room.last_seq())
    }

    /// The one who waits, as the host sees it.
    pub(super) fn knocker(&self) -> Knocker {
        let waiting = match self.view(Side::Host).phase {
            Phase::LobbyHost(lobby) => lobby.waiting,
            Phase::Call(call) => call.waiting,
            other => panic!("no waiting list in {other:?}"),
        };
        waiting.into_iter().next().expect("somebody waits")
    }

    pub(super) fn view(&self, side: Side) -> View {
        self.client(side).session.view()
    }

    pub(super) fn client(&self, side: Side) -> &Client {
        if side == Side::Host { &self.host } else { &self.guest }
    }

    fn client_mut(&mut self, side: Side) -> &mut Client {
        if side == Side::Host { &mut self.host } else { &mut self.guest }
    }

    pub(super) fn command(&mut self, side: Side, command: Command) {
        self.input(side, Input::Command(command));
    }

    /// The server takes a message of a client after all.
    pub(super) fn pass_on(&mut self, side: Side, message: ClientMessage) {
        self.on_message(side, message);
        self.settle();
    }

    /// A message of the server, honest or not.
    pub(super) fn say(&mut self, side: Side, message: ServerMessage) {
        self.input(side, Input::Socket(SocketEvent::Message(Box::new(message))));
    }

    pub(super) fn input(&mut self, side: Side, input: Input) {
        self.feed(side, input);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((side, output)) = self.queue.pop_front() {
            self.perform(side, output);
        }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
        self.input(Side::Host, Input::Tick);
        self.input(Side::Guest, Input::Tick);
    }

    /// What an input leads to, and nobody does.
    pub(super) fn outputs(&mut self, side: Side, input: Input) -> Vec<Output> {
        let now = Now { unix: START + self.seconds, since_start: Duration::from_secs(self.seconds) };
        self.client_mut(side).session.handle(now, input)
    }

    fn feed(&mut self, side: Side, input: Input) {
        let outputs = self.outputs(side, input);
        self.queue.extend(outputs.into_iter().map(|output| (side, output)));
    }

    fn perform(&mut self, side: Side, output: Output) {
        match output {
            Output::Request(number, request) => {
                let reply = self.answer(side, request);
                self.feed(side, Input::Reply(number, reply));
            }
            Output::OpenSocket { .. } => {
                self.client_mut(side).online = true;
                self.to(side, ServerMessage::Ready { participant: id(side), version: 1 });
            }
            Output::CloseSocket => self.client_mut(side).online = false,
            Output::Send(message) => {
                self.client_mut(side).trace.push("send");
                self.on_message(side, message);
            }
            Output::StoreThenSend { message, invite, record } => {
                self.client_mut(side).trace.push("store");
                self.stored.insert(invite, record.to_vec());
                if let Some(message) = message {
                    self.on_message(side, message);
                }
            }
            Output::Media(MediaCommand::Stop) => {
                self.client_mut(side).media.clear();
                self.feed(side, Input::MediaStopped);
            }
            Output::Media(MediaCommand::Heartbeat(bytes)) => {
                let (to, peer) = match side {
                    Side::Host => (Side::Guest, leaf(0)),
                    Side::Guest => (Side::Host, leaf(1)),
                };
                if self.channel {
                    self.feed(to, Input::Engine(EngineEvent::Heartbeat { peer, bytes }));
                }
            }
            Output::Media(command) => self.client_mut(side).media.push(command),
            Output::Disclose(group) => self.client_mut(side).disclosed.push(*group),
            Output::Mark(_) | Output::Quit => {}
        }
    }

    fn to(&mut self, side: Side, message: ServerMessage) {
        if self.client(side).online {
            self.feed(side, Input::Socket(SocketEvent::Message(Box::new(message))));
        }
    }

    fn entry(&mut self, from: Side, epoch: u64, entry: Delivery) {
        self.seq += 1;
        let message = ServerMessage::Entry { seq: self.seq, epoch, from: id(from), entry };
        self.entries.push(message.clone());
        self.to(Side::Host, message.clone());
        if self.admitted && !self.withhold {
            self.to(Side::Guest, message);
        }
    }

    fn lobby(&mut self) {
        if !self.in_lobby || self.admitted {
            return;
        }
        let state = LobbyState::Waiting { host_present: self.room_open, position: 1 };
        self.to(Side::Guest, ServerMessage::Lobby { state });
        if self.room_open {
            let guest = WaitingGuest {
                participant: id(Side::Guest),
                visitor: match self.invite {
                    Some(invite_id) if !self.visits => Visitor::Guest { role: GuestRole::Patient, invite_id },
                    _ => Visitor::Colleague,
                },
                waited_ms: 0,
            };
            self.to(Side::Host, ServerMessage::Waiting { guests: vec![guest] });
        }
    }

    fn on_message(&mut self, side: Side, message: ClientMessage) {
        if self.deaf {
            return self.lost.push(message);
        }
        match message {
            ClientMessage::OpenRoom { .. } => {
                self.room_open = true;
                self.to(Side::Host, ServerMessage::Waiting { guests: Vec::new() });
                self.lobby();
            }
            ClientMessage::EnterLobby => {
                self.in_lobby = true;
                self.lobby();
            }
            ClientMessage::VisitRoom { .. } => {
                (self.in_lobby, self.visits) = (true, true);
                self.lobby();
            }
            ClientMessage::Relay { body, .. } => {
                let to = if side == Side::Host { Side::Guest } else { Side::Host };
                self.relayed.push(body.clone());
                self.to(to, ServerMessage::Relay { from: id(side), body });
            }
            ClientMessage::Admit { epoch, commit, welcome, invite_psk, .. } => {
                if epoch != self.epoch {
                    return self.to(side, ServerMessage::Conflict { epoch: self.epoch });
                }
                self.epoch += 1;
                self.entry(Side::Host, epoch, Delivery::Commit { commit, invite_psk });
                self.admitted = true;
                self.to(Side::Host, ServerMessage::Waiting { guests: Vec::new() });
                self.withhold = false;
                self.to(Side::Guest, ServerMessage::Admitted { seq: self.seq, epoch, welcome });
            }
            ClientMessage::Commit { epoch, commit, .. } if self.split => {
                let entry = Delivery::Commit { commit, invite_psk: None };
                self.to(side, ServerMessage::Entry { seq: self.seq + 1, epoch, from: id(side), entry });
            }
            ClientMessage::Commit { epoch, commit, .. } => {
                if epoch != self.epoch {
                    return self.to(side, ServerMessage::Conflict { epoch: self.epoch });
                }
                self.epoch += 1;
                self.entry(side, epoch, Delivery::Commit { commit, invite_psk: None });
            }
            ClientMessage::Application { epoch, body } => {
                if epoch != self.epoch {
                    return self.to(side, ServerMessage::Conflict { epoch: self.epoch });
                }
                self.entry(side, epoch, Delivery::Application { body });
            }
            ClientMessage::Deny { .. } => {
                self.in_lobby = false;
                self.to(Side::Guest, ServerMessage::Lobby { state: LobbyState::Denied });
            }
            ClientMessage::EndCall => self.to(Side::Guest, ServerMessage::Ended),
            ClientMessage::Leave if side == Side::Host => {
                self.room_open = false;
                self.lobby();
            }
            ClientMessage::Hello { .. } | ClientMessage::Replay { .. } | ClientMessage::Leave => {}
        }
    }
}

pub(super) fn appointment_id() -> String {
    AppointmentId::from_bytes(APPOINTMENT).to_hex()
}

pub(super) fn leaf(index: u32) -> LeafIndex {
    LeafIndex::new(index).expect("a small index")
}
