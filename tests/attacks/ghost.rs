//! Somebody at the door who exists for the server alone: the server lists it, and speaks to the host in its name.

use client::session::{Command, ErrorCode, Phase, View};
use crypto::{GuestInvitation, InvitationCode, InvitationLink};
use lab::hostile::operator::{guest, opaque};
use lab::hostile::{Honest, Line, Said, Way};
use serde_json::json;

use super::listed;
use super::rogue::{INVITE, Rogue, now};
use super::spy::Spy;
use crate::harness::{Card, Clinic, Invitation, Person, no_devices};

const GHOST: &str = "66666666666666666666666666666666";
/// First byte of a relayed refusal; its code follows as text.
const REFUSED: u8 = 0x20;

struct Ghost<'a> {
    clinic: &'a Clinic,
    host: Line,
    /// Answers that were read.
    read: usize,
}

impl<'a> Ghost<'a> {
    /// Lists the ghost with somebody's invitation, behind the true list, which would replace it.
    async fn at_the_door(clinic: &'a Clinic, spy: &mut Spy, link: &InvitationLink, answers: usize) -> Self {
        let host = spy.host().await;
        spy.nth(0, Way::Down, "waiting", |said| said.line == host).await;
        let invite: String = link.invite_id().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let listed = json!({"participant": GHOST, "visitor": guest(&invite.into()), "waited_ms": 0});
        let ghost = Self { clinic, host, read: answers };
        ghost.say(json!({"type": "waiting", "guests": [listed]}));
        ghost
    }

    /// Says something to the host and waits for the answer: its kind, and the rest.
    async fn ask(&mut self, spy: &mut Spy, number: u8, message: &[u8]) -> (u8, Vec<u8>) {
        self.say(json!({"type": "relay", "from": GHOST, "body": opaque(&[&[number], message].concat())}));
        let answer = spy.nth(self.read, Way::Up, "relay", |said| said.message["to"] == GHOST).await;
        self.read += 1;
        let bytes = answer.bytes("/body");
        (bytes[0], bytes[1..].to_vec())
    }

    fn say(&self, message: serde_json::Value) {
        self.clinic.hostile().say(Said::new(self.host, Way::Down, message));
    }
}

/// A practice whose server is watched, with an open room.
async fn open() -> (Clinic, Spy, Person, Invitation, InvitationLink) {
    let (spy, operator) = Spy::on(Box::new(Honest));
    let clinic = Clinic::open_with(operator).await;
    let (host, invitation) = clinic.open_room().await;
    let link = InvitationLink::parse(&invitation.link).unwrap();
    (clinic, spy, host, invitation, link)
}

fn refusal(code: ErrorCode) -> (u8, Vec<u8>) {
    (REFUSED, code.as_str().into())
}

/// The code of this invitation with one digit changed.
fn other_code(invitation: &Invitation, at: usize) -> InvitationCode {
    let mut digits: Vec<u8> = invitation.code.bytes().filter(u8::is_ascii_digit).collect();
    digits[at] = b'0' + (digits[at] - b'0' + 1) % 10;
    InvitationCode::parse(std::str::from_utf8(&digits).unwrap()).unwrap()
}

/// The host tries to admit the ghost, and then denies it.
async fn is_not_admitted(host: &Person, spy: &mut Spy) {
    host.tell(Command::Admit { participant: GHOST.to_owned(), identity_confirmed: true }).await;
    host.tell(Command::Deny { participant: GHOST.to_owned() }).await;
    spy.nth(0, Way::Up, "deny", |_| true).await;
    assert_eq!(spy.count(Way::Up, "admit"), 0, "the ghost was admitted");
}

/// 1. Whoever reads the link's channel knocks with a code that it guessed.
/// 2. The answer tells that the guess was wrong; a proof that is made up all the same is refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_link_alone_opens_nothing() {
    let (clinic, mut spy, mut host, invitation, link) = open().await;
    let mut ghost = Ghost::at_the_door(&clinic, &mut spy, &link, 0).await;
    let mut guest = GuestInvitation::new(InvitationLink::parse(&invitation.link).unwrap());
    let message1 = guest.knock(&other_code(&invitation, 0)).unwrap();
    let (number, message2) = ghost.ask(&mut spy, 1, &message1).await;
    assert_eq!(number, 2);
    assert!(guest.on_challenge(now(), &message2).is_err(), "the guess was right");

    let mut made_up = message2[..INVITE.end].to_vec();
    made_up[2] = 3;
    made_up.extend_from_slice(&1_u32.to_be_bytes());
    made_up.extend_from_slice(&[&[0, 64], &[7; 64][..], &[0, 0], &[7; 48]].concat());
    assert_eq!(ghost.ask(&mut spy, 3, &made_up).await, refusal(ErrorCode::Inv03));
    let knocker = listed(&mut host, "a wrong code", |knocker| knocker.badge.code_failed).await;
    assert!(knocker.badge.link_ok && !knocker.badge.code_ok && !knocker.ready);
    assert_eq!(knocker.badge.tries_left, 2);
    is_not_admitted(&host, &mut spy).await;
    host.quit().await;
    clinic.close().await;
}

/// Whoever reads the code's channel makes up a link, and names the invitation in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_code_alone_opens_nothing_and_costs_no_try() {
    let (clinic, mut spy, mut host, _, link) = open().await;
    let mut ghost = Ghost::at_the_door(&clinic, &mut spy, &link, 0).await;
    let mut message1 = Rogue::new().message1;
    message1[INVITE].copy_from_slice(link.invite_id().as_bytes());
    assert_eq!(ghost.ask(&mut spy, 1, &message1).await, refusal(ErrorCode::Inv01));
    let knocker = listed(&mut host, "the ghost", |_| true).await;
    assert!(!knocker.badge.link_ok && !knocker.badge.code_ok && !knocker.ready);
    assert_eq!(knocker.badge.tries_left, 3);
    is_not_admitted(&host, &mut spy).await;
    host.quit().await;
    clinic.close().await;
}

/// 1. Whoever holds the link knocks three times, each time with another code, and never finishes.
/// 2. The invitation is locked, for the true code too, and for the patient.
/// 3. It stays locked when the host's client starts anew.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_that_are_never_finished_lock_the_invitation_for_good() {
    let (clinic, mut spy, mut host, invitation, link) = open().await;
    let mut ghost = Ghost::at_the_door(&clinic, &mut spy, &link, 0).await;
    let knock = |code: &InvitationCode| {
        GuestInvitation::new(InvitationLink::parse(&invitation.link).unwrap()).knock(code).unwrap()
    };
    for at in 0..3 {
        assert_eq!(ghost.ask(&mut spy, 1, &knock(&other_code(&invitation, at))).await.0, 2);
    }
    let right = InvitationCode::parse(&invitation.code).unwrap();
    assert_eq!(ghost.ask(&mut spy, 1, &knock(&right)).await, refusal(ErrorCode::Inv04));
    listed(&mut host, "no tries left", |knocker| knocker.badge.tries_left == 0).await;
    let read = ghost.read;
    let first = ghost.host;
    host.quit().await;

    clinic.pass(lab::totp::STEP_S);
    let mut host = clinic.signed_in().await;
    let listed = |view: &View| match &view.phase {
        Phase::Today(today) => today.appointments.iter().any(|row| row.id == invitation.appointment).then_some(()),
        _ => None,
    };
    host.until("today's list with the appointment", listed).await;
    host.start(&invitation.appointment).await;
    spy.until("the room opened anew", |notes| notes.scene.host().filter(|line| *line != first)).await;
    let mut ghost = Ghost::at_the_door(&clinic, &mut spy, &link, read).await;
    assert_eq!(ghost.ask(&mut spy, 1, &knock(&right)).await, refusal(ErrorCode::Inv04));
    let mut patient = Person::guest(no_devices());
    patient.open_link(&invitation.link).await;
    patient.knock(&invitation.code, &Card::ROBIN).await;
    patient.told(ErrorCode::Inv04).await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}
