//! Views with plausible content, for the tests of the screens and for looking at each of them.

use media::{MediaTime, VideoFrame};

use super::video_tile::Tiles;
use crate::health::{Health, MemberHealth, Quality};
use crate::private::Private;
use crate::session::*;

/// The moment at which the sample views are looked at, Unix seconds.
pub const NOW: u64 = 1_795_424_400;

const BOTH: MemberMedia = MemberMedia {
    microphone: SourceState::On,
    camera: SourceState::On,
    screen: SourceState::Off,
    connected: true,
    undecryptable: false,
};
const READY: Devices = Devices {
    camera: DeviceState::Ready,
    microphone: DeviceState::Ready,
    speaker: DeviceState::Ready,
    ..Devices::CHECKING
};

/// A practice.
#[must_use]
pub fn practice() -> PracticeInfo {
    PracticeInfo { name: "Rosewood Clinic".into(), phone: "07 3123 4567".into() }
}

/// A view of the start screen, with practice and server known.
#[must_use]
pub fn view() -> View {
    View {
        phase: Phase::Start,
        notice: None,
        connection: ConnectionState::Online,
        practice: Some(practice()),
        server: Some(ServerInfo {
            address: "127.0.0.1:4433".into(),
            fingerprint: "9f2c 11aa 73be 0d45 c1e8 5a90 22f7 6b3d 8e14 f0a6 47c9 b2d1 305e 9c7f ad68 14eb".into(),
        }),
    }
}

/// Today's list with one guest waiting.
#[must_use]
pub fn today() -> Today {
    let row = |id: &str, label: &str, minutes: u64, invitation, waiting| AppointmentRow {
        id: id.into(),
        label: label.into(),
        starts_at: NOW + minutes * 60,
        invitation,
        assessor: false,
        waiting,
    };
    Today {
        display_name: "Dr Ada Byron".into(),
        may_host: true,
        renew_in_days: None,
        appointments: vec![
            row("a1", "R-1042", 0, InvitationState::Made, 1),
            row("a2", "R-1043", 30, InvitationState::None, 0),
            row("a3", "R-1044", 60, InvitationState::Elsewhere, 0),
            row("a4", "R-1038", 90, InvitationState::Revoked, 0),
        ],
        colleagues: Vec::new(),
        busy: false,
        updated_at: Some(NOW - 60),
    }
}

/// The invitation's first page.
#[must_use]
pub fn invite_link() -> Invite {
    Invite {
        appointment: "a1".into(),
        label: "R-1042".into(),
        starts_at: NOW + 600,
        expires_at: NOW + 7_800,
        assessor: false,
        by_server: false,
        page: InvitePage::Link { link: Private::new(format!("quietroom:{}", "AQz81kfT0vX9_b-pLw".repeat(14))) },
    }
}

/// The invitation's second page.
#[must_use]
pub fn invite_code() -> Invite {
    Invite { page: InvitePage::Code { code: Private::from("4711 0815") }, ..invite_link() }
}

/// A guest at the door with link and code proven.
#[must_use]
pub fn knocker() -> Knocker {
    Knocker {
        participant: "p1".into(),
        colleague: false,
        name: Some(Private::from("Mia Okafor")),
        birth_date: Some(Private::from("1984-03-07")),
        phone: Some(Private::from("0412 345 678")),
        with_them: Some(Private::from("my daughter Ruth")),
        badge: LinkBadge { link_ok: true, code_ok: true, code_failed: false, tries_left: 3 },
        link_by_server: false,
        waiting_since: NOW - 247,
        appointment_label: "R-1042".into(),
        ready: true,
        admitting: false,
    }
}

/// A colleague at the door.
#[must_use]
pub fn colleague() -> Knocker {
    let name = Some(Private::from("Dr Sam Lee"));
    Knocker { colleague: true, name, birth_date: None, phone: None, with_them: None, ..knocker() }
}

/// A room in which a colleague is.
#[must_use]
pub fn colleagues_room() -> ColleagueRoom {
    ColleagueRoom { id: "r1".into(), label: "R-2077".into(), host: "Dr Sam Lee".into() }
}

/// The host's open room with one guest at the door.
#[must_use]
pub fn lobby_host() -> LobbyHost {
    LobbyHost {
        label: "R-1042".into(),
        waiting: vec![knocker()],
        assessor: false,
        devices: READY,
        microphone_on: true,
        camera_on: true,
    }
}

/// A guest whose link and code are proven.
#[must_use]
pub fn lobby_guest() -> LobbyGuest {
    LobbyGuest {
        knock: KnockState::Proven,
        host_present: true,
        position: 1,
        waiting_since: NOW - 247,
        host_name: Some("Dr Ada Byron".into()),
        assessor: false,
        devices: READY,
    }
}

/// Host and patient; `you_host` says which of them sits here.
#[must_use]
pub fn members_for(you_host: bool) -> Vec<RosterRow> {
    let row = |leaf, name: &str, role, vouched, you| RosterRow {
        removing: false,
        hosts: role == Role::Host,
        deputy: false,
        leaf,
        name: Some(Private::from(name)),
        role,
        vouched,
        admitted_by: None,
        verified: false,
        you,
        media: BOTH,
    };
    vec![
        row(0, "Dr Ada Byron", Role::Host, VouchedBy::Practice, you_host),
        row(1, "Mia Okafor", Role::Patient, VouchedBy::Invitation, !you_host),
    ]
}

/// Host and patient, as the host sees them.
#[must_use]
pub fn members() -> Vec<RosterRow> {
    members_for(true)
}

/// Safety words on the screen.
#[must_use]
pub fn compare() -> SafetyState {
    let words = ["harbour", "velvet", "ladder", "comet"].map(str::to_owned).to_vec();
    SafetyState::Compare { words, digits: "4821 0937".into() }
}

/// A running call of four minutes.
#[must_use]
pub fn call(host: bool) -> Call {
    Call {
        host,
        label: if host { "R-1042".into() } else { String::new() },
        members: members_for(host),
        waiting: Vec::new(),
        path: Path::Direct,
        epoch: 1,
        encrypted: true,
        assessor: false,
        held: None,
        may_step_in: false,
        must_compare: false,
        safety: SafetyState::Idle,
        microphone_on: true,
        camera_on: true,
        sharing: None,
        devices: READY,
        started_at: NOW - 247,
    }
}

/// The same with a colleague, who could run the call.
#[must_use]
pub fn with_colleague(you_host: bool) -> Vec<RosterRow> {
    let mut members = members_for(you_host);
    let [ada, mia] = [members[0].clone(), members[1].clone()];
    let name = Some(Private::from("Dr Sam Lee"));
    members = vec![ada.clone(), mia, RosterRow { leaf: 2, name, hosts: false, deputy: true, you: false, ..ada }];
    members
}

/// What the colleague sees when the host's connection is lost.
#[must_use]
pub fn step_in() -> Call {
    let mut members = with_colleague(false);
    members[1].you = false;
    members[2].you = true;
    members[0].media.connected = false;
    Call { members, may_step_in: true, label: "R-1042".into(), ..call(false) }
}

/// Every screen of the journey by name, in order.
#[must_use]
pub fn screens() -> Vec<(&'static str, View)> {
    let with = |phase| View { phase, ..view() };
    let noticed = |phase, notice| View { phase, notice: Some(notice), ..view() };
    let sign_in = |step| SignIn { step, name: Private::from("ada"), busy: false };
    let failed = Devices {
        camera: DeviceState::Failed(ErrorCode::Dev01),
        microphone: DeviceState::Failed(ErrorCode::Dev02),
        ..READY
    };
    let goodbye = |reason, host| Goodbye { reason, devices_closed: true, host, keys: CallKeys::Destroyed };
    let interpreter = Knocker {
        participant: "p2".into(),
        name: Some(Private::from("Ines Duarte")),
        birth_date: None,
        with_them: None,
        waiting_since: NOW - 20,
        ..knocker()
    };
    let mut no_camera = call(true);
    for member in no_camera.members.iter_mut().filter(|member| !member.you) {
        member.media.camera = SourceState::Missing;
    }
    vec![
        ("start", View { practice: None, server: None, connection: ConnectionState::Idle, ..view() }),
        ("sign-in", with(Phase::SignIn(sign_in(SignInStep::Passphrase)))),
        ("second-factor", with(Phase::SignIn(sign_in(SignInStep::SecondFactor)))),
        ("sign-in-wrong", noticed(Phase::SignIn(sign_in(SignInStep::SecondFactor)), Notice::new(ErrorCode::Auth06))),
        ("today", with(Phase::Today(today()))),
        ("booking", with(Phase::Booking(Booking { busy: false }))),
        ("invite-link", with(Phase::Invite(invite_link()))),
        ("invite-code", with(Phase::Invite(invite_code()))),
        ("today-colleagues", with(Phase::Today(Today { colleagues: vec![colleagues_room()], ..today() }))),
        ("lobby-host-colleague", with(Phase::LobbyHost(LobbyHost { waiting: vec![colleague()], ..lobby_host() }))),
        ("lobby-host", with(Phase::LobbyHost(lobby_host()))),
        ("join-link", with(Phase::JoinLink(JoinLink { busy: false }))),
        ("join-code", with(Phase::JoinCode(JoinCode { tries_left: None, opens_at: None }))),
        (
            "join-code-wrong",
            noticed(
                Phase::JoinCode(JoinCode { tries_left: Some(2), opens_at: None }),
                Notice { tries_left: Some(2), ..Notice::new(ErrorCode::Inv03) },
            ),
        ),
        ("about-you", with(Phase::AboutYou(AboutYou::default()))),
        ("device-check", with(Phase::DeviceCheck(DeviceCheck { devices: READY }))),
        ("device-check-none", with(Phase::DeviceCheck(DeviceCheck { devices: failed }))),
        ("assessor-question", with(Phase::Assessor(AssessorQuestion { host_name: Some("Dr Ada Byron".into()) }))),
        ("invite-assessor", with(Phase::Invite(Invite { assessor: true, ..invite_link() }))),
        ("lobby-host-assessor", with(Phase::LobbyHost(LobbyHost { assessor: true, ..lobby_host() }))),
        ("call-assessor", with(Phase::Call(Call { assessor: true, ..call(false) }))),
        ("lobby-guest", with(Phase::LobbyGuest(lobby_guest()))),
        ("call-host", with(Phase::Call(call(true)))),
        ("call-patient", with(Phase::Call(call(false)))),
        ("call-colleague", with(Phase::Call(Call { members: with_colleague(true), ..call(true) }))),
        ("call-step-in", with(Phase::Call(step_in()))),
        ("call-must-compare", with(Phase::Call(Call { must_compare: true, ..call(false) }))),
        ("call-words", with(Phase::Call(Call { safety: compare(), ..call(true) }))),
        ("call-waiting", with(Phase::Call(Call { waiting: vec![interpreter], ..call(true) }))),
        ("call-no-camera", with(Phase::Call(no_camera))),
        ("call-sharing", with(Phase::Call(Call { sharing: Some(Private::from("X-ray")), ..call(true) }))),
        (
            "call-lost",
            View {
                connection: ConnectionState::Reconnecting,
                ..noticed(Phase::Call(call(false)), Notice::new(ErrorCode::Net04))
            },
        ),
        ("goodbye", with(Phase::Goodbye(goodbye(GoodbyeReason::Left, false)))),
        ("goodbye-denied", with(Phase::Goodbye(goodbye(GoodbyeReason::Denied, false)))),
    ]
}

/// Tiles with a wash of colour for the own camera and the two sample members.
#[must_use]
pub fn tiles(ctx: &egui::Context) -> Tiles {
    let mut tiles = Tiles { level_dbov: Some(-22.0), ..Tiles::default() };
    tiles.own.show(ctx, &wash(60, 118));
    for leaf in [0, 1] {
        tiles.remote.entry(leaf).or_default().show(ctx, &wash(80, 132));
    }
    tiles
}

/// A soft wash of two colours, 1280 × 720.
fn wash(base: usize, blue: usize) -> VideoFrame {
    const WIDTH: usize = 1280;
    const HEIGHT: usize = 720;
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    let luma = (0..WIDTH * HEIGHT).map(|place| byte(base + place / WIDTH / 12 + place % WIDTH / 40));
    let plane = |centre: usize| (0..WIDTH * HEIGHT / 4).map(move |place| byte(centre + place / (WIDTH / 2) / 16));
    let data: Vec<u8> = luma.chain(plane(blue)).chain(plane(108)).collect();
    VideoFrame::new(1280, 720, MediaTime::default(), 0, data)
        .unwrap_or_else(|error| unreachable!("a plain 720p picture: {error}"))
}

/// A connection to the patient that goes like this.
pub fn health(quality: Quality) -> Health {
    let (loss, made_up, kbps) = match quality {
        Quality::Good => (0.003, 0.0, 2_500.0),
        Quality::Fair => (0.06, 0.02, 380.0),
        Quality::Poor => (0.18, 0.08, 96.0),
    };
    let member = MemberHealth {
        leaf: members()[1].leaf,
        quality,
        round_trip_ms: Some(48.0),
        jitter_ms: 4.0,
        loss,
        made_up,
        picture: Some((1_280, 720, 30.0)),
        coming_kbps: 1_570.0,
        can_send_kbps: kbps,
        queue_ms: 3.0,
        freezes: 0,
    };
    Health { members: vec![member] }
}
