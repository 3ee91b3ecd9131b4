//! Accepts clients, and hands every message to the operator.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::client;

use super::operator::{Answer, Line, Operator, Said, Way};
use super::{live, rest, tls};

/// Connections at once; more are turned away.
const CONNECTIONS: usize = 256;
/// Messages that may wait for one side of one connection. A side that does not read is disconnected.
const WAITING: usize = 1024;
/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A hostile server at work. Dropping it stops it.
pub struct Hostile {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: JoinHandle<()>,
}

/// What all connections share.
pub(super) struct Shared {
    server: SocketAddr,
    tls: tls::Tls,
    desk: Mutex<Desk>,
    pub(super) stop: watch::Sender<bool>,
}

struct Desk {
    operator: Box<dyn Operator>,
    lines: BTreeMap<Line, Ends>,
    next: u64,
}

/// Both queues of one connection, and its own count of the log.
struct Ends {
    up: mpsc::Sender<Value>,
    down: mpsc::Sender<Value>,
    /// Entries that were slipped in: later ones are counted on by as many.
    slipped_in: u64,
    /// Last entry that the client was given.
    last_seq: u64,
}

/// What the queues of one connection hold.
pub(super) struct Queues {
    pub(super) line: Line,
    pub(super) up: mpsc::Receiver<Value>,
    pub(super) down: mpsc::Receiver<Value>,
}

impl Hostile {
    /// Stands in front of the server at `server`, with the key of its data folder. Must be called within a runtime.
    ///
    /// # Errors
    /// When key, certificate or address cannot be used.
    pub async fn start(
        data: &Path,
        listen: SocketAddr,
        server: SocketAddr,
        operator: Box<dyn Operator>,
    ) -> Result<Self> {
        Self::open(tls::open(data, false)?, listen, server, operator).await
    }

    /// The same under a key that nobody pinned.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with_other_key(data: &Path, listen: SocketAddr, server: SocketAddr) -> Result<Self> {
        Self::open(tls::open(data, true)?, listen, server, Box::new(super::Honest)).await
    }

    async fn open(tls: tls::Tls, listen: SocketAddr, server: SocketAddr, operator: Box<dyn Operator>) -> Result<Self> {
        let listener = TcpListener::bind(listen).await.context("listening")?;
        let address = listener.local_addr().context("listening")?;
        let desk = Mutex::new(Desk { operator, lines: BTreeMap::new(), next: 0 });
        let shared = Arc::new(Shared { server, tls, desk, stop: watch::Sender::new(false) });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, acceptor })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets another operator take over.
    pub fn hand_over(&self, operator: Box<dyn Operator>) {
        self.shared.desk().operator = operator;
    }

    /// Says something that nobody sent.
    pub fn say(&self, said: Said) {
        self.shared.deliver(said);
    }

    /// Slips an entry into one client's log; whatever the real server sends it later is counted on.
    pub fn slip_in(&self, line: Line, epoch: u64, from: &str, entry: &Value) {
        let message = json!({"type": "entry", "epoch": epoch, "from": from, "entry": entry});
        self.shared.deliver(Said::new(line, Way::Down, message));
    }

    /// Stops accepting and ends every connection.
    pub async fn close(mut self) {
        self.shared.stop.send_replace(true);
        // Only a panic in it makes this fail, and then there is nothing left to stop.
        (&mut self.acceptor).await.ok();
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hostile({})", self.address)
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection.
    pub(super) fn enter(&self) -> Queues {
        let mut desk = self.desk();
        let line = Line(desk.next);
        desk.next += 1;
        let ((up, up_end), (down, down_end)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        desk.lines.insert(line, Ends { up, down, slipped_in: 0, last_seq: 0 });
        Queues { line, up: up_end, down: down_end }
    }

    /// A connection is gone.
    pub(super) fn leave(&self, line: Line) {
        self.desk().lines.remove(&line);
    }

    /// A message came; the operator says what becomes of it.
    pub(super) fn heard(self: &Arc<Self>, line: Line, way: Way, message: Value) {
        let mut desk = self.desk();
        for said in desk.operator.live(Said::new(line, way, message)) {
            if said.after.is_zero() {
                desk.deliver(said);
            } else {
                let shared = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(said.after).await;
                    shared.deliver(said);
                });
            }
        }
    }

    pub(super) fn answered(&self, answer: Answer) -> Answer {
        self.desk().operator.answer(answer)
    }

    fn deliver(&self, said: Said) {
        self.desk().deliver(said);
    }

    /// A connection to the real server.
    pub(super) async fn upstream(&self) -> Result<client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.server).await.context("connecting to the real server")?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("quietroom").context("naming the real server")?;
        let connect = self.tls.connector.connect(name, stream);
        tokio::time::timeout(HANDSHAKE, connect).await?.context("TLS with the real server")
    }
}

impl Desk {
    /// Counts entries as this client has seen them; one without a number is slipped into its log.
    fn deliver(&mut self, said: Said) {
        let Said { line, way, mut message, .. } = said;
        let Some(ends) = self.lines.get_mut(&line) else { return };
        let field = match (way, message["type"].as_str()) {
            // Made up by the operator.
            (Way::Down, Some("entry")) if message.get("seq").is_none() => {
                ends.slipped_in += 1;
                ends.last_seq += 1;
                message["seq"] = ends.last_seq.into();
                return self.put(line, way, message);
            }
            (Way::Down, Some("entry" | "admitted")) => "seq",
            (Way::Up, Some("replay")) => "after",
            _ => return self.put(line, way, message),
        };
        let number = message[field].as_u64().unwrap_or(0);
        let number = if way == Way::Down {
            let counted = number.saturating_add(ends.slipped_in);
            ends.last_seq = ends.last_seq.max(counted);
            counted
        } else {
            number.saturating_sub(ends.slipped_in)
        };
        message[field] = number.into();
        self.put(line, way, message);
    }

    fn put(&mut self, line: Line, way: Way, message: Value) {
        let Some(ends) = self.lines.get(&line) else { return };
        let queue = if way == Way::Up { &ends.up } else { &ends.down };
        if queue.try_send(message).is_err() {
            // Full: both queues go with it, and the connection ends.
            self.lines.remove(&line);
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = shared.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut stop = shared.stop.subscribe();
            tokio::select! {
                served = serve(&shared, stream) => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended");
                    }
                }
                _ = stop.wait_for(|stop| *stop) => {}
            }
            drop(place);
        });
    }
}

async fn serve(shared: &Arc<Shared>, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE, shared.tls.acceptor.accept(stream)).await?.context("TLS")?;
    let (mut stream, request) = rest::read_request(stream).await?;
    if request.is_upgrade() {
        live::serve(shared, stream, &request).await
    } else {
        rest::serve(shared, &mut stream, request).await
    }
}
