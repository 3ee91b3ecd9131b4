//! What goes into the session and what it asks to be done.

use std::time::Duration;

use crypto::{
    DenyList, DeviceCertificate, DeviceKey, LeafIndex, MediaCounters, MediaKeys, OwnedInvitation, PracticePublicKey,
};
use media::EngineEvent;
use media::transport::{Signal, TransportRole};
use signaling::protocol::{
    Appointment, AppointmentId, ClientMessage, CreateInvitationRequest, InviteId, JoinLookupResponse,
    JoinRedeemResponse, Opaque, OpenRoom, RelayServer, Secret, SessionResponse,
};
use zeroize::Zeroizing;

use super::command::Command;
use super::error_code::ErrorCode;
use super::view::{DeviceState, Notice};
use crate::connection::{RestError, SocketEvent};
use crate::disclosure::GroupDisclosure;
use crate::preferences::BackgroundChoice;
use crate::private::Private;
use crate::settings::renewal_due;

/// The moment of an input: the session reads no clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Unix seconds, for certificates, invitations and the view.
    pub unix: u64,
    /// Since an arbitrary start, for waiting.
    pub since_start: Duration,
}

/// What the session is told.
#[derive(Debug)]
pub enum Input {
    /// A person's wish.
    Command(Command),
    /// The live connection.
    Socket(SocketEvent),
    /// Answer to the request with this number.
    Reply(u64, Reply),
    /// The media engine.
    Engine(EngineEvent),
    /// A device works, or is not wanted; failures come from the engine.
    Device(Device, DeviceState),
    /// The engine did not take a command, so what it sends and opens is not what the session decided.
    MediaBroken,
    /// The engine has stopped: every device is closed and every thread joined.
    MediaStopped,
    /// Frames sealed under the keys in use, for the next heartbeat.
    Sealed(MediaCounters),
    /// Some 4 times a second, and when [`Session::next_wake`](super::Session::next_wake) says.
    Tick,
}

/// One of the three devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Camera.
    Camera,
    /// Microphone.
    Microphone,
    /// Speaker.
    Speaker,
}

/// What the session asks of its driver, to be done in this order.
#[derive(Debug)]
pub enum Output {
    /// A job that answers with [`Input::Reply`] of the same number.
    Request(u64, Request),
    /// Connect, and stay connected.
    OpenSocket {
        /// Where.
        endpoint: Endpoint,
        /// For `Hello`.
        token: Private,
    },
    /// Send what is queued and close.
    CloseSocket,
    /// Over the live connection.
    Send(ClientMessage),
    /// Write the record of an invitation durably, **then** send. When writing fails nothing is sent.
    StoreThenSend {
        /// Whose record.
        invite: [u8; 16],
        /// The record.
        record: Zeroizing<Vec<u8>>,
        /// What may leave afterwards, if anything.
        message: Option<ClientMessage>,
    },
    /// The keys of a group in assessor mode, now that it has ended. They go to the file that was named at the start, and
    /// without one nowhere. Before the engine stops.
    Disclose(Box<GroupDisclosure>),
    /// To the media engine.
    Media(MediaCommand),
    /// A moment that the report measures.
    Mark(Mark),
    /// Close the program.
    Quit,
}

/// What the media engine is asked.
#[derive(Debug)]
pub enum MediaCommand {
    /// Open the devices.
    Start {
        /// The call is to disclose its keys, by its invitation: keep those of the transport as well.
        assessor: bool,
    },
    /// Keys of a new epoch.
    InstallEpoch {
        /// The keys.
        keys: Box<MediaKeys>,
        /// Seal under them at once (somebody was removed, or nobody was there yet) or within 500 ms.
        at_once: bool,
    },
    /// The practice's relays, for associations that are made from now on.
    Relays(Vec<RelayServer>),
    /// Make an association.
    AddPeer(LeafIndex, TransportRole),
    /// Make an association anew; the member and its keys stay.
    RestartPeer(LeafIndex, TransportRole),
    /// End an association.
    RemovePeer(LeafIndex),
    /// What the member's transport said, checked.
    Signal(LeafIndex, Signal),
    /// Microphone on or off.
    Microphone(bool),
    /// Camera on or off.
    Camera(bool),
    /// Find out which windows could be shared.
    LookForWindows,
    /// Share this window, or none.
    Share(Option<u32>),
    /// Whether a member's shared window is shown.
    MayShare(LeafIndex, bool),
    /// Find out which devices there are, for the person to choose.
    LookForDevices,
    /// Another device; `None` is the system's choice. Kept for the next time.
    Use(Device, Option<String>),
    /// What others see behind the person; kept for the next time.
    Background(BackgroundChoice),
    /// Chime on the own speaker: somebody is at the door.
    Chime,
    /// A signed heartbeat, over every peer's own association.
    Heartbeat(Vec<u8>),
    /// Seal and send nothing, or go on.
    Hold(bool),
    /// Close everything; answered with [`Input::MediaStopped`], also when nothing ran.
    Stop,
}

/// A moment that the report measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// This side is the host.
    Host,
    /// Guest: the knock left. Host: a knock came.
    Knock,
    /// Guest: the host confirmed. Host: the card is on screen.
    Known,
    /// Host: the click on Admit. Guest: the admission came.
    Admit,
    /// A new epoch is in use.
    Epoch,
}

/// Where a server is and which key it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`.
    pub address: String,
    /// SHA-256 of its SPKI.
    pub pin: [u8; 32],
}

/// A job outside the session.
#[derive(Debug)]
pub enum Request {
    /// Open the keystore, then ask the server for a ticket.
    SignIn {
        /// Account.
        name: Private,
        /// As typed.
        passphrase: Private,
    },
    /// The second factor.
    SecondFactor {
        /// From the first step.
        ticket: Secret,
        /// Six digits.
        code: Private,
    },
    /// End the session at the server.
    SignOut {
        /// Session token.
        token: Private,
    },
    /// Today's list.
    Appointments {
        /// Session token.
        token: Private,
        /// The own certificate, to be laid out for colleagues, until that was done.
        lay_out: Option<Vec<u8>>,
    },
    /// Book.
    Book {
        /// Session token.
        token: Private,
        /// Practice's reference.
        label: String,
        /// Unix seconds.
        starts_at: u64,
    },
    /// Store a new invitation's record durably, then register it.
    RegisterInvitation {
        /// Session token.
        token: Private,
        /// Appointment.
        appointment: AppointmentId,
        /// The record.
        record: Zeroizing<Vec<u8>>,
        /// What the server may know.
        request: CreateInvitationRequest,
    },
    /// Withdraw an invitation.
    Revoke {
        /// Session token.
        token: Private,
        /// Which.
        invite: InviteId,
    },
    /// Guest: what became of the invitation.
    Lookup {
        /// Server of the link.
        endpoint: Endpoint,
        /// Invitation of the link.
        invite: InviteId,
    },
    /// Guest: a session for the lobby.
    Redeem {
        /// Server of the link.
        endpoint: Endpoint,
        /// Invitation of the link.
        invite: InviteId,
        /// Proves the link to the server, base64.
        lobby_token: Private,
    },
}

/// Answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// To `SignIn`.
    Ticket(Result<Box<Unlocked>, Refusal>),
    /// To `SecondFactor`.
    SignedIn(Result<Box<SessionResponse>, Refusal>),
    /// To `Appointments`.
    Appointments(Result<Day, Refusal>),
    /// To `Book`, `Revoke`, `SignOut`.
    Done(Result<(), Refusal>),
    /// To `RegisterInvitation`.
    Registered(Result<(), Refusal>),
    /// To `Lookup`.
    Lookup(Result<Box<JoinLookupResponse>, Refusal>),
    /// To `Redeem`.
    Redeemed(Result<JoinRedeemResponse, Refusal>),
    /// A record of an invitation could not be written; what should have left did not.
    NotStored(ErrorCode),
}

/// What a desk shows of the day.
#[derive(Debug, Default)]
pub struct Day {
    /// Own appointments, or those of all hosts.
    pub appointments: Vec<Appointment>,
    /// Rooms in which a colleague is.
    pub rooms: Vec<OpenRoom>,
    /// Certificates that staff laid out, as the server says.
    pub certificates: Vec<Opaque>,
    /// The own certificate lies there too.
    pub laid_out: bool,
}

/// What the passphrase opened.
#[derive(Debug)]
pub struct Unlocked {
    /// For the second factor.
    pub ticket: Secret,
    /// Server of this computer.
    pub endpoint: Endpoint,
    /// This device as a host, if it was certified.
    pub host: Option<HostIdentity>,
    /// Records of invitations made on this computer.
    pub invitations: Vec<OwnedInvitation>,
}

/// A certified device and the practice it speaks for.
#[derive(Debug)]
pub struct HostIdentity {
    /// The device's keys.
    pub device: DeviceKey,
    /// Its certificate, verified against the practice's key.
    pub certificate: DeviceCertificate,
    /// The practice's newest list of withdrawn certificates, verified.
    pub deny_list: Option<DenyList>,
    /// The practice's key.
    pub practice: PracticePublicKey,
    /// The practice's name.
    pub practice_name: String,
    /// The practice's phone.
    pub practice_phone: String,
    /// The practice key's signature over the phone.
    pub phone_signature: Vec<u8>,
}

impl HostIdentity {
    /// Whole days until the certificate ends, once it is time to renew it: fewer than 7.
    #[must_use]
    pub fn renewal_due(&self, now: u64) -> Option<u64> {
        renewal_due(self.certificate.not_after(), now)
    }
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Code for people.
    pub code: ErrorCode,
    /// Seconds after which trying again makes sense.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// A refusal with its notice.
    pub(super) fn notice(self) -> Notice {
        Notice { retry_after_s: self.retry_after_s, ..Notice::new(self.code) }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, retry_after_s: None }
    }
}

impl From<RestError> for Refusal {
    fn from(error: RestError) -> Self {
        Self { code: error.code(), retry_after_s: error.retry_after_s() }
    }
}
