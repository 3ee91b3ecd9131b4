//! The guest's way in: link, code, card, devices, knock, wait.
//!
//! | step \ event | wrong code (message 2) | host comes | message 4 | admitted | denied |
//! | --- | --- | --- | --- | --- | --- |
//! | Code, About, Devices | – | – | – | ignored | – |
//! | Lobby, proving | back to Code with the tries left | knocks again, same message | proven, card goes out | ignored | goodbye |
//! | Assessor | ignored | – | ignored | ignored | goodbye |
//! | Lobby, proven | – | knocks again, same message | – | joins, or comes again | goodbye |

use crypto::{
    CallGroup, CallMode, Delivery, GuestInvitation, InvitationCode, InvitationError, InvitationLink, LinkError,
    LobbyCard,
};
use signaling::protocol::{ClientMessage, InviteId, LobbyState, Opaque};

use super::effect::{Endpoint, Mark, Now, Output};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::message::RelayMessage;
use super::retrying::Retrying;
use super::view::{CardField, GoodbyeReason, KnockState, Notice, PracticeInfo};
use crate::private::Private;

/// A guest with a readable link.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) invitation: GuestInvitation,
    /// Where the guest stands.
    pub step: Step,
    /// Practice, by the signed phone of the link; the name is the server's word.
    pub practice: PracticeInfo,
    /// Unix seconds from which the door is open.
    pub opens_at: Option<u64>,
    /// The host stands in the room, as the server says.
    pub host_present: bool,
    /// Place in the queue, as the server says.
    pub position: u32,
    /// Unix seconds.
    pub waiting_since: u64,
    /// How far the knock got.
    pub knock: KnockState,
    /// A wrong code was typed.
    pub code_failed: bool,
    accepted_assessor: bool,
    code: Option<Private>,
    card: Option<LobbyCard>,
    message1: Option<Vec<u8>>,
    pub(super) retrying: Retrying,
}

/// Page of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server is asked about the link.
    Lookup,
    /// Type the code.
    Code,
    /// Fill in the card.
    About {
        /// What is missing.
        missing: Vec<CardField>,
    },
    /// Look at the devices.
    Devices,
    /// The call discloses its keys: asked before the code is put to the test, and before the card is sent.
    Assessor,
    /// Knock and wait.
    Lobby,
}

impl Joining {
    /// Reads a pasted link.
    ///
    /// # Errors
    /// `INV-01` when it is damaged or no link at all, `NET-05` when it is of a newer version.
    pub(super) fn from_link(text: &str) -> Result<Self, ErrorCode> {
        let link = InvitationLink::parse(text).map_err(|error| match error {
            LinkError::UnknownVersion => ErrorCode::Net05,
            _ => ErrorCode::Inv01,
        })?;
        let practice = PracticeInfo { name: String::new(), phone: link.practice_phone().to_owned() };
        let invitation = GuestInvitation::new(link);
        Ok(Self {
            invitation,
            step: Step::Lookup,
            practice,
            opens_at: None,
            host_present: false,
            position: 0,
            waiting_since: 0,
            knock: KnockState::Connecting,
            code_failed: false,
            accepted_assessor: false,
            code: None,
            card: None,
            message1: None,
            retrying: Retrying::default(),
        })
    }

    /// Server of the link.
    pub(super) fn endpoint(&self) -> Endpoint {
        let link = self.invitation.link();
        Endpoint { address: link.server().to_owned(), pin: *link.server_pin() }
    }

    /// Id of the invitation.
    pub(super) fn invite_id(&self) -> InviteId {
        InviteId::from_bytes(*self.invitation.link().invite_id().as_bytes())
    }

    /// What proves the link to the server, base64.
    pub(super) fn lobby_token(&self) -> Option<Private> {
        let token = self.invitation.link().lobby_token().ok()?;
        Some(crate::settings::encode(token.as_bytes()).into())
    }

    /// Tries left, as far as this client knows.
    pub(super) fn tries_left(&self) -> u8 {
        self.invitation.tries_left()
    }

    /// Name of the host, once its certificate was proven.
    pub(super) fn host_name(&self) -> Option<String> {
        self.invitation.host().map(|host| host.display_name.clone())
    }

    /// The server knows this link, as the host says in the exchange.
    pub(super) fn link_by_server(&self) -> bool {
        self.invitation.host().is_some_and(|host| host.delivery != Delivery::Client)
    }

    /// Mode of the call, as the link says; a call of the other mode is refused.
    pub(super) fn mode(&self) -> CallMode {
        self.invitation.link().mode()
    }

    /// Whether the guest agreed to the disclosure of the call's keys.
    pub(super) fn accepted_assessor(&self) -> bool {
        self.accepted_assessor
    }

    /// The guest agrees, having been asked: the same knock again brings the same challenge, and costs no try.
    pub(super) fn accept_assessor(&mut self, fx: &mut Effects) {
        match self.invitation.accept_assessor() {
            Ok(()) => {
                self.accepted_assessor = true;
                self.step = Step::Lobby;
                self.send_knock(fx);
            }
            Err(error) => {
                tracing::error!(%error, "consent that nobody asked for");
                fx.fail(ErrorCode::Inv01);
            }
        }
    }

    /// Own name, as typed on the card.
    pub(super) fn own_name(&self) -> Private {
        self.card.as_ref().map_or_else(Private::default, |card| card.name.as_str().into())
    }

    /// The typed code. Where the lobby was left for it, the guest knocks again at once.
    pub(super) fn enter_code(&mut self, code: Private, fx: &mut Effects) {
        if InvitationCode::parse(&code).is_err() {
            fx.notice = Some(Notice { tries_left: Some(self.tries_left()), ..Notice::new(ErrorCode::Inv03) });
            return;
        }
        self.code = Some(code);
        self.message1 = None;
        if self.card.is_some() {
            self.step = Step::Lobby;
            self.send_knock(fx);
        } else {
            self.step = Step::About { missing: Vec::new() };
        }
    }

    /// The card; with a field missing the page stays.
    pub(super) fn about(&mut self, card: LobbyCard, consent: bool) {
        let mut missing = Vec::new();
        if card.name.trim().is_empty() {
            missing.push(CardField::Name);
        }
        if card.birth_date.trim().is_empty() {
            missing.push(CardField::BirthDate);
        }
        if !consent {
            missing.push(CardField::Consent);
        }
        if missing.is_empty() {
            self.card = Some(card);
            self.step = Step::Devices;
        } else {
            self.step = Step::About { missing };
        }
    }

    /// The server's word on the lobby.
    pub(super) fn on_lobby(&mut self, now: Now, state: LobbyState, fx: &mut Effects) {
        match state {
            LobbyState::Waiting { host_present, position } => {
                let host_came = host_present && !self.host_present;
                (self.host_present, self.position) = (host_present, position);
                if self.waiting_since == 0 {
                    self.waiting_since = now.unix;
                }
                if !host_present && self.knock != KnockState::Proven {
                    self.knock = KnockState::WaitingForHost;
                }
                if host_came && self.step == Step::Lobby {
                    self.send_knock(fx);
                }
            }
            LobbyState::Denied => {
                fx.tell(ErrorCode::Lob04);
                fx.end = Some(GoodbyeReason::Denied);
            }
            LobbyState::Closed => fx.end = Some(GoodbyeReason::Ended),
        }
    }

    /// The live connection was lost: what the server knew of a host is stale.
    pub(super) fn on_offline(&mut self) {
        self.host_present = false;
    }

    /// Knocks, without being asked to (PRODUCT 1): the same message while it was not answered.
    pub(super) fn send_knock(&mut self, fx: &mut Effects) {
        if !self.host_present {
            self.knock = KnockState::WaitingForHost;
            return;
        }
        if self.message1.is_none() {
            let Some(code) = self.code.as_ref().and_then(|code| InvitationCode::parse(code).ok()) else {
                self.step = Step::Code;
                return;
            };
            match self.invitation.knock(&code) {
                Ok(message) => self.message1 = Some(message),
                Err(InvitationError::TriesSpent) => return fx.fail(ErrorCode::Inv04),
                Err(error) => {
                    tracing::error!(%error, "a knock could not be made");
                    return fx.fail(ErrorCode::Inv01);
                }
            }
        }
        if let Some(message) = &self.message1 {
            self.knock = KnockState::Proving;
            fx.out.push(Output::Mark(Mark::Knock));
            fx.send(relay(&RelayMessage::Exchange(1, message)));
        }
    }

    /// A relayed message of the host.
    pub(super) fn on_relay(&mut self, now: Now, body: &[u8], fx: &mut Effects) {
        if self.step != Step::Lobby {
            return;
        }
        match RelayMessage::decode(body) {
            Some(RelayMessage::Exchange(2, bytes)) => self.on_challenge(now, bytes, fx),
            Some(RelayMessage::Exchange(4, bytes)) => self.on_confirm(bytes, fx),
            Some(RelayMessage::Refused(code)) => match ErrorCode::from_text(code) {
                // Waiting leads nowhere any more. A server that makes this up could have closed the door as well.
                Some(code @ (ErrorCode::Inv02 | ErrorCode::Inv04)) => fx.fail(code),
                // The server could have made it: a notice, and the place in the queue stays.
                code => fx.notice = code.map(Notice::new),
            },
            // Another of the practice's devices hosts now: what was proven to the former one does not count for it.
            Some(RelayMessage::KnockAgain) if self.knock == KnockState::Proven => {
                self.message1 = None;
                self.send_knock(fx);
            }
            _ => tracing::warn!(length = body.len(), "a message of the host was not understood"),
        }
    }

    fn on_challenge(&mut self, now: Now, message: &[u8], fx: &mut Effects) {
        match self.invitation.on_challenge(now.unix, message) {
            Ok(message3) => {
                self.knock = KnockState::Proving;
                // From here on a repeated knock would be answered for nobody: a host that comes back gets a new one.
                self.message1 = None;
                fx.send(relay(&RelayMessage::Exchange(3, &message3)));
            }
            Err(InvitationError::WrongCode { tries_left }) => {
                self.message1 = None;
                self.code = None;
                self.code_failed = true;
                fx.send(relay(&RelayMessage::CodeFailed));
                if tries_left == 0 {
                    return fx.fail(ErrorCode::Inv04);
                }
                self.step = Step::Code;
                fx.notice = Some(Notice { tries_left: Some(tries_left), ..Notice::new(ErrorCode::Inv03) });
            }
            // The host is proven, the code not yet tried: the person decides before anything goes out.
            Err(InvitationError::AssessorMode) => self.step = Step::Assessor,
            Err(InvitationError::UntrustedHost(error)) => {
                tracing::warn!(%error, "the host is not of the practice of the link");
                fx.fail(ErrorCode::Inv12);
            }
            // A copy of an answer that was taken already.
            Err(InvitationError::OutOfOrder) => tracing::info!("a challenge that nobody waited for was dropped"),
            // Something that the server made up ends the exchange: the next knock begins a new one.
            Err(error) => {
                tracing::warn!(%error, "a challenge was dropped");
                self.message1 = None;
            }
        }
    }

    fn on_confirm(&mut self, message: &[u8], fx: &mut Effects) {
        if let Err(error) = self.invitation.on_confirm(message) {
            tracing::warn!(%error, "a confirmation was dropped");
            return;
        }
        self.answered();
        let Some(card) = &self.card else { return };
        match self.invitation.card(card) {
            Ok(message5) => {
                self.knock = KnockState::Proven;
                fx.out.push(Output::Mark(Mark::Known));
                fx.send(relay(&RelayMessage::Exchange(5, &message5)));
            }
            Err(error) => {
                tracing::warn!(%error, "the card could not be sealed");
                self.step = Step::About { missing: Vec::new() };
            }
        }
    }

    /// The admission. Nobody but a proven host can let us in: a Welcome before that is dropped.
    pub(super) fn on_admitted(&mut self, now: Now, welcome: &[u8], fx: &mut Effects) -> Option<CallGroup> {
        if self.step != Step::Lobby || self.knock != KnockState::Proven {
            tracing::warn!("a welcome that nobody asked for was dropped");
            return None;
        }
        fx.out.push(Output::Mark(Mark::Admit));
        self.knock = KnockState::Entering;
        match self.invitation.join(now.unix, welcome) {
            Ok(group) => Some(group),
            Err(error) => {
                tracing::warn!(%error, "the admission was refused");
                self.come_again(now, fx);
                None
            }
        }
    }

    /// Message 6: the host is asked to bring this member back in place of its old leaf.
    pub(super) fn ask_back(&mut self, old: &CallGroup) -> Option<Opaque> {
        match self.invitation.rejoin(Some(old)) {
            Ok(message) => Some(RelayMessage::Exchange(6, &message).encode()),
            Err(error) => {
                tracing::warn!(%error, "a way back could not be asked for");
                None
            }
        }
    }

    /// Message 4: the host will bring this member back.
    pub(super) fn on_welcome_back(&mut self, message: &[u8]) -> bool {
        let confirmed = self.invitation.on_confirm(message);
        if let Err(error) = &confirmed {
            tracing::warn!(%error, "an answer on the way back was dropped");
        }
        confirmed.is_ok()
    }

    /// The Welcome on the way back.
    pub(super) fn join_again(&mut self, now: Now, welcome: &[u8]) -> Result<CallGroup, crypto::GroupError> {
        self.invitation.join(now.unix, welcome)
    }

    /// The host opened a new group: the exchange begins anew, with the code still in memory.
    pub(super) fn start_over(&mut self) {
        self.step = Step::Lobby;
        self.message1 = None;
        self.retrying = Retrying::default();
        self.host_present = false;
        self.knock = KnockState::WaitingForHost;
    }
}

pub(super) fn relay(message: &RelayMessage<'_>) -> ClientMessage {
    ClientMessage::Relay { to: None, body: message.encode() }
}
