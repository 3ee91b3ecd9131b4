//! The practice: server, owner, one clinician with a certified device.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use client::connection::{Server, ServerPin};
use client::keystore::{Item, Keystore, login_secret};
use client::settings::{Practice, Settings, encode};
use crypto::{CertificateTerms, DeviceKey, PracticeKey};
use lab::hostile::{Hostile, Operator};
use lab::totp;
use signaling::PasswordCost;
use signaling::protocol::{
    AuthStartRequest, BootstrapRequest, CodeRequest, CreateUserRequest, CreateUserResponse, Empty, EnrolRequest,
    EnrolResponse, Opaque, Secret, SessionResponse, StaffRole, TicketResponse,
};
use signaling::server::{Clock, Config, RunningServer, Tap, init, practice_reset};
use tempfile::TempDir;

use super::wire::{Notes, tapped};
use super::{Invitation, Person, logs, no_devices};

/// Passphrase of everybody on the staff.
pub(crate) const PASSPHRASE: &str = "correct horse battery";
const OWNER: &str = "owner";
const ADA: Account<'_> = Account { name: "ada", display: "Dr Ada Example", folder: "host", serial: 1 };
const SAM: Account<'_> = Account { name: "sam", display: "Dr Sam Example", folder: "colleague", serial: 2 };
const PHONE: &str = "+61 2 5550 0199";

/// A clinician's account and computer.
#[derive(Clone, Copy)]
struct Account<'a> {
    name: &'a str,
    display: &'a str,
    folder: &'a str,
    serial: u64,
}

/// A practice at work.
pub(crate) struct Clinic {
    server: RunningServer,
    clock: Arc<AtomicU64>,
    folder: TempDir,
    seen: Notes,
    wire: (SocketAddr, Notes),
    hostile: Option<Hostile>,
    /// What the clinician's authenticator holds.
    pub(crate) totp_secret: String,
}

impl Clinic {
    /// Opens a practice with one clinician, `ada`, whose device is certified.
    pub(crate) async fn open() -> Self {
        Self::open_behind(None).await
    }

    /// The same practice, whose server this operator runs.
    pub(crate) async fn open_with(operator: Box<dyn Operator>) -> Self {
        Self::open_behind(Some(operator)).await
    }

    async fn open_behind(operator: Option<Box<dyn Operator>>) -> Self {
        logs::start();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let made = init(&data).await.unwrap();
        let clock = Arc::new(AtomicU64::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()));
        let seen = Notes::default();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config::new(data.clone(), anywhere);
        config.password_cost = PasswordCost::least();
        config.clock = Clock::manual(Arc::clone(&clock));
        let sees = Arc::clone(&seen);
        config.tap = Some(Tap::new(move |bytes| sees.lock().unwrap().extend_from_slice(bytes)));
        let server = signaling::server::Server::start(config).await.unwrap();
        let hostile = match operator {
            Some(operator) => Some(Hostile::start(&data, anywhere, server.address(), operator).await.unwrap()),
            None => None,
        };
        let behind_the_wire = hostile.as_ref().map_or_else(|| server.address(), Hostile::address);
        let notes = Notes::default();
        let wire = (tapped(behind_the_wire, Arc::clone(&notes)).await, notes);
        let mut clinic = Self { server, clock, folder, seen, wire, hostile, totp_secret: String::new() };
        clinic.totp_secret = clinic.set_up(made.bootstrap_secret).await;
        clinic
    }

    /// The way to the server, over the wire that is written down.
    pub(crate) fn connection(&self) -> Server {
        Server::new(self.wire.0.to_string().parse().unwrap(), ServerPin(self.server.spki_pin()))
    }

    /// Whoever runs the server, of a practice that was opened with one.
    pub(crate) fn hostile(&self) -> &Hostile {
        self.hostile.as_ref().unwrap()
    }

    /// Where clients connect: the wire that everything is written down on.
    pub(crate) fn wire_address(&self) -> SocketAddr {
        self.wire.0
    }

    /// Everything that went over the wire.
    pub(crate) fn wire(&self) -> Vec<u8> {
        self.wire.1.lock().unwrap().clone()
    }

    /// Data folder of the clinician's computer.
    pub(crate) fn desk(&self) -> std::path::PathBuf {
        self.place(ADA.folder)
    }

    /// Data folder of the owner's computer, with the practice key.
    pub(crate) fn office(&self) -> std::path::PathBuf {
        self.folder.path().join("owner")
    }

    /// A place for files that people carry, and for more computers.
    pub(crate) fn place(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The console's one-time secret for another practice key.
    pub(crate) async fn practice_reset(&self) -> String {
        let clock = Clock::manual(Arc::clone(&self.clock));
        practice_reset(&self.server_folder(), &clock).await.unwrap().expose().to_owned()
    }

    /// Data folder of the server.
    pub(crate) fn server_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("server")
    }

    /// Everything the server saw after TLS.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }

    /// Lets the server's time of day pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The code of the time step `ahead` steps from the server's.
    pub(crate) fn code(&self, ahead: u64) -> String {
        totp::code(&self.totp_secret, self.now() + ahead * totp::STEP_S).unwrap()
    }

    /// The clinician's client, before the sign-in.
    pub(crate) fn clinician(&self) -> Person {
        Person::at(&self.desk(), no_devices())
    }

    /// The clinician, signed in.
    pub(crate) async fn signed_in(&self) -> Person {
        let mut host = self.clinician();
        host.sign_in(ADA.name, PASSPHRASE).await;
        host.second_factor(&self.code(0)).await;
        host
    }

    /// The clinician in an open room, with an invitation for its appointment.
    pub(crate) async fn open_room(&self) -> (Person, Invitation) {
        let mut host = self.signed_in().await;
        let invitation = host.invite("First visit").await;
        host.start(&invitation.appointment).await;
        (host, invitation)
    }

    /// A session of the clinician beside the one in the window, for what a client does not offer.
    pub(crate) async fn session(&self) -> String {
        self.session_of(ADA.name, &self.code(1)).await
    }

    /// Makes an account that was never enrolled to the end: its second factor is not confirmed.
    pub(crate) async fn half_enrolled(&self, name: &str) {
        let session = self.owner_session().await;
        self.enrol(&session, Account { name, ..ADA }).await;
    }

    /// A second clinician, `sam`, with a computer and a certificate of its own, signed in.
    pub(crate) async fn colleague(&self) -> Person {
        let session = self.owner_session().await;
        let enrolled = self.enrol(&session, SAM).await;
        let secret = self.confirm(enrolled).await;
        let office = Keystore::open(&self.office(), PASSPHRASE).unwrap();
        let key = PracticeKey::from_pkcs8(&office.load(Item::PracticeKey).unwrap()).unwrap();
        let practice = Settings::load(&self.office()).unwrap().practice.unwrap();
        self.certify(&key, practice, SAM);
        let mut colleague = Person::at(&self.place(SAM.folder), no_devices());
        colleague.sign_in(SAM.name, PASSPHRASE).await;
        colleague.second_factor(&totp::code(&secret, self.now()).unwrap()).await;
        colleague
    }

    /// Stops the server.
    pub(crate) async fn close(self) -> TempDir {
        if let Some(hostile) = self.hostile {
            hostile.close().await;
        }
        self.server.shutdown().await;
        self.folder
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    async fn set_up(&self, bootstrap_secret: Secret) -> String {
        let (key, pkcs8) = PracticeKey::generate().unwrap();
        let signature = key.sign_phone(PHONE).unwrap();
        let body = BootstrapRequest {
            secret: bootstrap_secret,
            practice_name: "Banksia Street Practice".to_owned(),
            practice_phone: PHONE.to_owned(),
            practice_public_key: Opaque::new(key.public().as_bytes().to_vec()),
            phone_signature: Opaque::new(signature.clone()),
            admin_name: OWNER.to_owned(),
            passphrase: login(OWNER),
        };
        let enrolled: EnrolResponse = self.connection().post("/v1/bootstrap", None, &body).await.unwrap();
        let owners = self.confirm(enrolled).await;
        std::fs::write(self.folder.path().join("owner.totp"), &owners).unwrap();
        let session = self.owner_session().await;
        let enrolled = self.enrol(&session, ADA).await;
        let secret = self.confirm(enrolled).await;
        let practice = Practice {
            name: "Banksia Street Practice".to_owned(),
            phone: PHONE.to_owned(),
            public_key: encode(key.public().as_bytes()),
            phone_signature: encode(&signature),
        };
        let keystore = Keystore::create(&self.office(), PASSPHRASE).unwrap();
        keystore.store(Item::PracticeKey, &pkcs8).unwrap();
        let settings = Settings { practice: Some(practice.clone()), last_serial: 1, ..self.settings(OWNER) };
        settings.save(&self.office()).unwrap();
        self.certify(&key, practice, ADA);
        secret
    }

    async fn owner_session(&self) -> String {
        let secret = std::fs::read_to_string(self.folder.path().join("owner.totp")).unwrap();
        // Each step counts once.
        self.pass(totp::STEP_S);
        self.session_of(OWNER, &totp::code(&secret, self.now()).unwrap()).await
    }

    /// Makes an account and sets its passphrase; the second factor is still to be confirmed.
    async fn enrol(&self, session: &str, account: Account<'_>) -> EnrolResponse {
        let Account { name, display, .. } = account;
        let body = CreateUserRequest { name: name.to_owned(), display: display.to_owned(), role: StaffRole::Host };
        let created: CreateUserResponse = self.connection().post("/v1/users", Some(session), &body).await.unwrap();
        let body =
            EnrolRequest { name: name.to_owned(), enrolment_secret: created.enrolment_secret, passphrase: login(name) };
        self.connection().post("/v1/enrol", None, &body).await.unwrap()
    }

    /// Confirms a second factor with the code of now, and lets that time step pass.
    async fn confirm(&self, enrolled: EnrolResponse) -> String {
        let secret = enrolled.totp_secret.expose().to_owned();
        let code = totp::code(&secret, self.now()).unwrap();
        let body = CodeRequest { ticket: enrolled.ticket, code: Secret::new(code) };
        let _: Empty = self.connection().post("/v1/enrol/confirm", None, &body).await.unwrap();
        self.pass(totp::STEP_S);
        secret
    }

    async fn session_of(&self, name: &str, code: &str) -> String {
        let body = AuthStartRequest { name: name.to_owned(), passphrase: login(name) };
        let TicketResponse { ticket } = self.connection().post("/v1/auth/start", None, &body).await.unwrap();
        let body = CodeRequest { ticket, code: Secret::new(code.to_owned()) };
        let session: SessionResponse = self.connection().post("/v1/auth/totp", None, &body).await.unwrap();
        session.session.expose().to_owned()
    }

    /// Sets a clinician's computer up, as the subcommands of the client do.
    fn certify(&self, practice_key: &PracticeKey, practice: Practice, account: Account<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let device = DeviceKey::generate().unwrap();
        let terms = CertificateTerms {
            display_name: account.display.to_owned(),
            roles: vec![crypto::StaffRole::Clinician],
            registration: None,
            serial: account.serial,
            not_before: now - 60,
            not_after: now + 86_400,
        };
        let certificate = practice_key.certify(&device.request().unwrap(), terms).unwrap();
        let folder = self.place(account.folder);
        let keystore = Keystore::create(&folder, PASSPHRASE).unwrap();
        keystore.store(Item::DeviceKey, &device.to_bytes()).unwrap();
        let settings = Settings {
            practice: Some(practice),
            certificate: Some(encode(&certificate.encode())),
            ..self.settings(account.name)
        };
        settings.save(&folder).unwrap();
    }

    /// A computer that knows the server and nothing else.
    pub(crate) fn bare_desk(&self, account: &str) -> std::path::PathBuf {
        let folder = self.folder.path().join(account);
        client::keystore::make_folder(&folder).unwrap();
        self.settings(account).save(&folder).unwrap();
        folder
    }

    fn settings(&self, account: &str) -> Settings {
        let connection = self.connection();
        Settings {
            server: Some(connection.address().to_string()),
            pin: Some(connection.pin().to_string()),
            account: Some(account.to_owned()),
            ..Settings::default()
        }
    }
}

fn login(name: &str) -> Secret {
    Secret::new(login_secret(name, PASSPHRASE).unwrap().as_str().to_owned())
}

/// Every file below a folder, with its content.
pub(crate) fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}
