//! What keystore and REST answer in these tests.

use crypto::{CertificateTerms, DeviceKey, OwnedInvitation, PracticeKey, StaffRole as Certified};
use signaling::protocol::{
    Appointment, AppointmentId, AppointmentState, GuestRole, InvitationState, InvitationSummary, JoinLookupResponse,
    JoinRedeemResponse, Opaque, OpenRoom, PracticeInfo as ServerPractice, Secret, SessionResponse, StaffRole,
    UnixSeconds, UserId,
};

use super::{APPOINTMENT, Client, START, Side, World};
use crate::session::{Command, Day, Endpoint, HostIdentity, Reply, Request, Session, Unlocked};

impl World {
    /// Answers a request at once.
    pub(super) fn answer(&mut self, side: Side, request: Request) -> Reply {
        match request {
            Request::SignIn { .. } => Reply::Ticket(Ok(Box::new(Unlocked {
                ticket: Secret::new("ticket".into()),
                endpoint: Endpoint { address: "127.0.0.1:1".into(), pin: [9; 32] },
                host: Some(self.identity(side)),
                invitations: self.on_disk.iter().map(|record| OwnedInvitation::decode(record).unwrap()).collect(),
            }))),
            Request::SecondFactor { .. } => Reply::SignedIn(Ok(Box::new(SessionResponse {
                session: Secret::new("token".into()),
                user: UserId::from_bytes([3; 16]),
                display: "Dr Ada".into(),
                roles: vec![StaffRole::Host],
                practice: None,
                expires_at: UnixSeconds(START + 1_000),
            }))),
            Request::Appointments { .. } if side == Side::Guest => {
                let (appointment, host) = (AppointmentId::from_bytes(APPOINTMENT), "Dr Ada".to_owned());
                let room = OpenRoom { appointment, label: "10:20".into(), host, starts_at: UnixSeconds(START) };
                Reply::Appointments(Ok(Day { rooms: vec![room], ..self.day() }))
            }
            Request::Appointments { .. } => {
                Reply::Appointments(Ok(Day { appointments: self.appointments(), ..self.day() }))
            }
            Request::RegisterInvitation { request, record, .. } => {
                self.stored.insert(*request.invite_id.as_bytes(), record.to_vec());
                self.invite = Some(request.invite_id);
                Reply::Registered(Ok(()))
            }
            Request::Lookup { .. } => Reply::Lookup(Ok(Box::new(JoinLookupResponse {
                refusal: None,
                starts_at: UnixSeconds(START),
                practice: ServerPractice {
                    name: "Practice".into(),
                    phone: "not the signed one".into(),
                    public_key: Opaque::default(),
                    phone_signature: Opaque::default(),
                },
            }))),
            Request::Redeem { .. } => Reply::Redeemed(Ok(JoinRedeemResponse {
                guest_session: Secret::new("guest".into()),
                expires_at: UnixSeconds(START + 1_000),
            })),
            Request::SignOut { .. } | Request::Book { .. } | Request::Revoke { .. } => Reply::Done(Ok(())),
        }
    }

    /// The host's program ends without a word and is started again, signed in, with what was on disk.
    pub(in crate::session::tests) fn crash_host(&mut self) {
        let records = std::mem::take(&mut self.stored);
        let disclosed = Vec::new();
        self.host =
            Client { session: Session::new("".into()), media: Vec::new(), trace: Vec::new(), disclosed, online: false };
        (self.room_open, self.admitted, self.epoch, self.seq) = (false, false, 0, 0);
        self.on_disk = records.into_values().collect();
        self.command(Side::Host, Command::ChooseStaff);
        self.command(Side::Host, Command::SignIn { name: "ada".into(), passphrase: "correct horse".into() });
        self.command(Side::Host, Command::SecondFactor { code: "123456".into() });
    }

    /// The host's day at the server.
    pub(in crate::session::tests) fn appointments(&self) -> Vec<Appointment> {
        let invitations = self.invite.map(|invite_id| InvitationSummary {
            invite_id,
            role: GuestRole::Patient,
            state: InvitationState::Made,
            not_before: UnixSeconds(START),
            expires_at: UnixSeconds(START + 1_000),
        });
        vec![Appointment {
            id: AppointmentId::from_bytes(APPOINTMENT),
            label: "10:20".into(),
            starts_at: UnixSeconds(START),
            duration_min: 30,
            host: UserId::from_bytes([3; 16]),
            state: AppointmentState::Planned,
            waiting: 0,
            invitations: invitations.into_iter().collect(),
        }]
    }

    /// What every member of staff finds at the server: both certificates, one of another practice, and noise.
    fn day(&self) -> Day {
        let certificates = [Side::Host, Side::Guest].map(|side| self.identity(side).certificate.encode());
        let device = DeviceKey::generate().unwrap().request().unwrap();
        let strangers = PracticeKey::generate().unwrap().0.certify(&device, terms("Dr Eve", 1)).unwrap().encode();
        let certificates = certificates.into_iter().chain([strangers, vec![7; 90]]).map(Opaque::new).collect();
        Day { certificates, laid_out: true, ..Day::default() }
    }

    fn identity(&self, side: Side) -> HostIdentity {
        let (key, name) = match side {
            Side::Host => (&self.device, "Dr Ada"),
            Side::Guest => (&self.colleagues_device, "Dr Sam"),
        };
        let device = DeviceKey::from_bytes(&key.to_bytes()).unwrap();
        let terms = terms(name, if side == Side::Host { 1 } else { 2 });
        HostIdentity {
            certificate: self.practice.certify(&device.request().unwrap(), terms).unwrap(),
            device,
            deny_list: self.deny_list.clone(),
            practice: self.practice.public(),
            practice_name: "Practice".into(),
            practice_phone: "02 5550 0000".into(),
            phone_signature: self.practice.sign_phone("02 5550 0000").unwrap(),
        }
    }
}

fn terms(name: &str, serial: u64) -> CertificateTerms {
    CertificateTerms {
        display_name: name.into(),
        roles: vec![Certified::Clinician],
        registration: None,
        serial,
        not_before: START - 1_000,
        not_after: START + 86_400,
    }
}
