//! Flows over real TLS on the loopback interface, with a hand-set time of day.

mod certificates;
mod colleague;
mod handover;
mod invitations;
mod pin;
mod practice;
mod reconnect;
mod replace;
mod rooms;
mod sign_in;
mod wire;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use rustls::ClientConfig;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{Clock, Config, RunningServer, Server, init, practice_reset};
use crate::{auth::PasswordCost, auth::TokenHash, protocol::*};

/// Time of day at which every test begins.
const NOON: u64 = 1_800_000_000;

/// A login secret as a client derives it.
const PASSPHRASE: &str = "bG9naW4gc2VjcmV0IG9mIGEgY2xpZW50";

/// A server with an empty practice.
struct House {
    server: RunningServer,
    clock: Arc<AtomicU64>,
    tls: TlsConnector,
    bootstrap_secret: Secret,
    data: tempfile::TempDir,
}

/// Someone with passphrase and second factor.
struct Account {
    name: String,
    totp: String,
}

/// A host at work with one appointment.
struct Practice {
    house: House,
    host: Account,
    session: String,
    appointment: AppointmentId,
    owner: Account,
}

/// One WebSocket.
struct Line(WebSocketStream<TlsStream<TcpStream>>);

impl House {
    async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let made = init(data.path()).await.unwrap();
        let clock = Arc::new(AtomicU64::new(NOON));
        let mut config = Config::new(data.path().to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        config.password_cost = PasswordCost::least();
        config.clock = Clock::manual(Arc::clone(&clock));
        let server = Server::start(config).await.unwrap();
        assert_eq!(server.spki_pin(), made.spki_pin);
        let certificate = std::fs::read(data.path().join("server.crt")).unwrap();
        let tls = connector(certificate);
        Self { server, clock, tls, bootstrap_secret: made.bootstrap_secret, data }
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        self.tls.connect("quietroom".try_into().unwrap(), stream).await.unwrap()
    }

    /// The server's own words for a raw body, with the status.
    async fn request(&self, method: &str, path: &str, session: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let stream = hyper_util::rt::TokioIo::new(self.connect().await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "quietroom")
            .header("authorization", format!("Bearer {session}"))
            .body(Full::new(bytes::Bytes::from(body)))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        session: &str,
        body: &impl Serialize,
    ) -> Result<T, ErrorCode> {
        let (status, answer) = self.request("POST", path, session, serde_json::to_vec(body).unwrap()).await;
        read(status, &answer)
    }

    async fn fetch<T: DeserializeOwned>(&self, path: &str, session: &str) -> Result<T, ErrorCode> {
        let (status, answer) = self.request("GET", path, session, Vec::new()).await;
        read(status, &answer)
    }

    fn code(&self, account: &Account) -> Secret {
        let secret = totp_rs::Secret::try_from_base32(&account.totp).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        Secret::new(totp.generate(self.now()).to_string())
    }

    fn bootstrap_request(&self, secret: &str) -> BootstrapRequest {
        BootstrapRequest {
            secret: secret.to_owned().into(),
            practice_name: "Practice on the Hill".to_owned(),
            practice_phone: "+61 2 5550 0100".to_owned(),
            practice_public_key: Opaque::new(vec![1; 32]),
            phone_signature: Opaque::new(vec![2; 64]),
            admin_name: "Owner".to_owned(),
            passphrase: PASSPHRASE.to_owned().into(),
        }
    }

    /// Confirms a second factor and comes back at a time when its next code is fresh.
    async fn confirm(&self, name: &str, enrolled: EnrolResponse) -> Account {
        let account = Account { name: name.to_owned(), totp: enrolled.totp_secret.expose().to_owned() };
        let request = CodeRequest { ticket: enrolled.ticket, code: self.code(&account) };
        self.post::<Empty>("/v1/enrol/confirm", "", &request).await.unwrap();
        self.pass(30);
        account
    }

    async fn bootstrap(&self) -> Account {
        let request = self.bootstrap_request(self.bootstrap_secret.expose());
        let enrolled = self.post("/v1/bootstrap", "", &request).await.unwrap();
        self.confirm("owner", enrolled).await
    }

    async fn start(&self, name: &str, passphrase: &str) -> Result<TicketResponse, ErrorCode> {
        let request = AuthStartRequest { name: name.to_owned(), passphrase: passphrase.to_owned().into() };
        self.post("/v1/auth/start", "", &request).await
    }

    async fn sign_in(&self, account: &Account) -> String {
        let ticket = self.start(&account.name, PASSPHRASE).await.unwrap().ticket;
        let request = CodeRequest { ticket, code: self.code(account) };
        let session: SessionResponse = self.post("/v1/auth/totp", "", &request).await.unwrap();
        self.pass(30);
        session.session.expose().to_owned()
    }

    async fn create(&self, admin: &str, name: &str, role: StaffRole) -> CreateUserResponse {
        let request = CreateUserRequest { name: name.to_owned(), display: name.to_uppercase(), role };
        self.post("/v1/users", admin, &request).await.unwrap()
    }

    async fn enrol(&self, name: &str, secret: Secret) -> Result<EnrolResponse, ErrorCode> {
        let request =
            EnrolRequest { name: name.to_owned(), enrolment_secret: secret, passphrase: PASSPHRASE.to_owned().into() };
        self.post("/v1/enrol", "", &request).await
    }

    /// A new colleague, enrolled.
    async fn hire(&self, admin: &str, name: &str, role: StaffRole) -> Account {
        let made = self.create(admin, name, role).await;
        let enrolled = self.enrol(name, made.enrolment_secret).await.unwrap();
        self.confirm(name, enrolled).await
    }

    async fn line(&self) -> Line {
        let stream = self.connect().await;
        Line(tokio_tungstenite::client_async("wss://quietroom/v1/socket", stream).await.unwrap().0)
    }

    /// A socket that said `Hello`.
    async fn greet(&self, session: &str) -> (Line, ParticipantId) {
        let mut line = self.line().await;
        line.say(&ClientMessage::Hello { version: PROTOCOL_VERSION, token: session.to_owned().into() }).await;
        match line.hear().await {
            Some(ServerMessage::Ready { participant, version: PROTOCOL_VERSION }) => (line, participant),
            other => panic!("{other:?} instead of Ready"),
        }
    }
}

fn token(invite: u8) -> [u8; 32] {
    [invite ^ 0x55; 32]
}

async fn book(house: &House, session: &str) -> AppointmentId {
    let request = BookRequest {
        label: "A-17".to_owned(),
        starts_at: UnixSeconds(house.now() + 600),
        duration_min: 20,
        host: None,
    };
    house.post::<Appointment>("/v1/appointments", session, &request).await.unwrap().id
}

fn read<T: DeserializeOwned>(status: u16, answer: &[u8]) -> Result<T, ErrorCode> {
    if status == 200 {
        return Ok(serde_json::from_slice(answer).unwrap());
    }
    Err(serde_json::from_slice::<ErrorBody>(answer).unwrap().code)
}

/// A client that trusts this certificate only.
fn connector(certificate: Vec<u8>) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin::ThisCertificate(certificate)))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(tls))
}
