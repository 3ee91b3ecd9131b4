//! Sockets, TLS and tasks around the pure parts.
//!
//! One task accepts, one serves each connection, one each room; mailboxes are bounded and a full outbox disconnects the
//! slow peer. [`Server::start`] is the library entry; [`init`] makes the data folder that it needs.

mod clock;
mod hub;
mod identity;
mod line;
mod relay;
mod rest;
mod room_task;
mod socket;
#[cfg(feature = "lab")]
mod tap;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    http::{Request, Response, StatusCode},
};
use hyper::{body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
    time::{interval, timeout},
};
use tokio_rustls::TlsAcceptor;

use self::hub::Hub;
#[cfg(feature = "lab")]
pub use self::tap::Tap;
pub use self::{
    clock::Clock,
    identity::{Initialised, init, practice_reset},
    relay::Relays,
};
use crate::{
    auth::{PasswordCost, Passwords, SecretSeal},
    error::Error,
    protocol::{ErrorBody, ErrorCode},
    store::Store,
};

/// Connections that did not say who they are. Lower lets a few strangers keep others out, higher lets them hold memory.
const MAX_UNAUTHENTICATED: usize = 256;

/// Connections altogether.
const MAX_CONNECTIONS: usize = 4096;

/// Time for the TLS handshake, for a request's head (also between requests), and for a whole request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(15);
const REQUEST: Duration = Duration::from_secs(20);

/// How often what is over is deleted.
const SWEEP: Duration = Duration::from_secs(60);

/// How long a shutdown waits for sockets and rooms.
const DRAIN: Duration = Duration::from_secs(5);

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder that [`init`] made.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What one guess at a passphrase costs.
    pub password_cost: PasswordCost,
    /// Time of day.
    pub clock: Clock,
    /// Relays of the practice, if it has any.
    pub relays: Option<Relays>,
    /// Sees everything after TLS, in clear: for the confidentiality test.
    #[cfg(feature = "lab")]
    pub tap: Option<Tap>,
}

impl Config {
    /// Production settings.
    #[must_use]
    pub const fn new(data: PathBuf, listen: SocketAddr) -> Self {
        Self {
            data,
            listen,
            password_cost: PasswordCost::PRODUCTION,
            clock: Clock::system(),
            relays: None,
            #[cfg(feature = "lab")]
            tap: None,
        }
    }
}

/// The signaling server.
#[derive(Debug)]
pub struct Server;

/// A server at work; dropping it without [`RunningServer::shutdown`] stops accepting and leaves the rest to the runtime.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    spki_pin: [u8; 32],
    shared: Arc<Shared>,
    acceptor: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Store,
    passwords: Passwords,
    seal: SecretSeal,
    hub: Hub,
    clock: Clock,
    relays: Option<Relays>,
    shutdown: watch::Sender<bool>,
    /// Number of socket and room tasks.
    live: watch::Sender<usize>,
    #[cfg(feature = "lab")]
    tap: Option<Tap>,
}

/// Counts a task as long as it lives.
pub(crate) struct Live(Arc<Shared>);

/// The place of one connection; a socket that outlives its HTTP connection keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    stranger: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Server {
    /// Starts listening. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the address is not usable, otherwise what failed in it.
    pub async fn start(config: Config) -> Result<RunningServer, Error> {
        let (tls, spki_pin) = identity::tls(&config.data)?;
        let shared = Arc::new(Shared {
            store: identity::open_store(&config.data, false).await?,
            passwords: Passwords::new(config.password_cost)?,
            seal: identity::seal(&config.data)?,
            hub: Hub::default(),
            clock: config.clock,
            relays: config.relays,
            shutdown: watch::Sender::new(false),
            live: watch::Sender::new(0),
            #[cfg(feature = "lab")]
            tap: config.tap,
        });
        let listener = TcpListener::bind(config.listen).await.map_err(Error::io("listening"))?;
        let address = listener.local_addr().map_err(Error::io("listening"))?;
        let started = crate::audit::Event::ok("system.start", String::new(), "", String::new());
        shared.store.record(&[started]).await?;
        let acceptor = tokio::spawn(accept(Arc::clone(&shared), listener, TlsAcceptor::from(tls)));
        Ok(RunningServer { address, spki_pin, shared, acceptor })
    }
}

impl RunningServer {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of the server key's SubjectPublicKeyInfo, which clients pin.
    #[must_use]
    pub const fn spki_pin(&self) -> [u8; 32] {
        self.spki_pin
    }

    /// Stops accepting, closes sockets and rooms, and closes the database.
    pub async fn shutdown(mut self) {
        self.shared.shutdown.send_replace(true);
        // Only a panic in the acceptor makes this fail, and then there is nothing left to stop.
        (&mut self.acceptor).await.ok();
        let mut live = self.shared.live.subscribe();
        if timeout(DRAIN, live.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!("tasks were still running at the end");
        }
        self.shared.store.close().await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.shared.shutdown.send_replace(true);
    }
}

impl Shared {
    pub(crate) fn live(self: &Arc<Self>) -> Live {
        self.live.send_modify(|count| *count += 1);
        Live(Arc::clone(self))
    }

    #[cfg(feature = "lab")]
    fn tap(&self, bytes: &[u8]) {
        if let Some(tap) = &self.tap {
            tap.see(bytes);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.send_modify(|count| *count -= 1);
    }
}

impl Admission {
    /// It said who it is: a stranger may have its place.
    pub(crate) fn release(&self) {
        self.stranger.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tls: TlsAcceptor) {
    let mut shutdown = shared.shutdown.subscribe();
    let unauthenticated = Arc::new(Semaphore::new(MAX_UNAUTHENTICATED));
    let all = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let router = rest::router(Arc::clone(&shared));
    let mut sweep = interval(SWEEP);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = sweep.tick() => {
                if let Err(error) = shared.store.sweep(shared.clock.now()).await {
                    tracing::error!(error = &error as &dyn std::error::Error, "sweeping failed");
                }
                continue;
            }
            () = stopped(&mut shutdown) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, usually; a moment later some are free again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Full: the stranger is turned away before it costs a handshake.
        let permits = (Arc::clone(&unauthenticated).try_acquire_owned(), Arc::clone(&all).try_acquire_owned());
        if let (Ok(stranger), Ok(place)) = permits {
            let admission = Admission { stranger: Arc::new(Mutex::new(Some(stranger))), _place: Arc::new(place) };
            tokio::spawn(connection(Arc::clone(&shared), router.clone(), tls.clone(), stream, admission));
        }
    }
}

async fn connection(shared: Arc<Shared>, router: Router, tls: TlsAcceptor, stream: TcpStream, admission: Admission) {
    let mut shutdown = shared.shutdown.subscribe();
    // Small messages must not wait for each other.
    stream.set_nodelay(true).ok();
    let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else {
        return;
    };
    #[cfg(feature = "lab")]
    let stream = tap::TapStream::new(stream, shared.tap.clone());
    let inner = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(admission.clone());
        let answer = inner.call(request);
        async move {
            let answer = timeout(REQUEST, answer).await.unwrap_or_else(|_| {
                let mut late = Response::new(axum::body::Body::empty());
                *late.status_mut() = StatusCode::REQUEST_TIMEOUT;
                Ok(late)
            });
            Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    let serving = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // What goes wrong here is the peer's: it left, or spoke no HTTP.
        _ = serving.as_mut() => return,
        () = stopped(&mut shutdown) => {}
    }
    serving.as_mut().graceful_shutdown();
    timeout(DRAIN, serving).await.ok();
}

/// Resolves once the server stops.
pub(crate) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the server is gone altogether.
    drop(shutdown.wait_for(|stop| *stop).await);
}

/// What the other side is told of an error; what is not its business is logged here and called `SRV-01`.
pub(crate) fn told(error: Error) -> ErrorBody {
    match error {
        Error::Refused(body) => body,
        error => {
            tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
            ErrorBody { code: ErrorCode::ServerFailed, retry_after_s: None }
        }
    }
}
