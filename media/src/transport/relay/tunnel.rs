//! A socket of the crate below whose packets for a relay behind a stream go through a TCP or TLS connection.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::frame::{Framer, put};
use super::{Relay, RelayLine, behind, server_name};

/// Packets on their way to a relay, some 50 ms of a picture: what waits longer is better lost than late.
const OUTBOX: usize = 64;
/// Packets that came from relays and were not taken yet.
const INBOX: usize = 256;
/// A relay that does not answer within this is not there.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Least time between two tries to reach a relay.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes read at a time.
const READ: usize = 2_048;

/// See the module.
#[derive(Debug)]
pub(crate) struct TunnelSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    relays: Arc<[Relay]>,
    tunnels: Mutex<HashMap<SocketAddr, Tunnel>>,
    came: Mutex<mpsc::Receiver<(SocketAddr, Bytes)>>,
    coming: mpsc::Sender<(SocketAddr, Bytes)>,
}

/// The way to one relay. It ends with the connection: an allocation does not outlive it (RFC 8656 section 3.2).
#[derive(Debug)]
struct Tunnel {
    outbox: mpsc::Sender<Bytes>,
    begun: Instant,
}

impl TunnelSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, relays: Arc<[Relay]>) -> Self {
        let (coming, came) = mpsc::channel(INBOX);
        Self { inner, relays, tunnels: Mutex::default(), came: Mutex::new(came), coming }
    }

    /// Queues a packet for a relay; without room it is lost, as on a network.
    fn send(&self, relay: &Relay, to: SocketAddr, packet: &[u8]) {
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        let usable =
            tunnels.get(&to).is_some_and(|tunnel| !tunnel.outbox.is_closed() || tunnel.begun.elapsed() < PAUSE);
        if !usable {
            let (outbox, packets) = mpsc::channel(OUTBOX);
            let own = self.inner.local_addr().ok();
            tokio::spawn(run(relay.clone(), own, to, packets, self.coming.clone()));
            tunnels.insert(to, Tunnel { outbox, begun: Instant::now() });
        }
        if let Some(tunnel) = tunnels.get(&to) {
            tunnel.outbox.try_send(Bytes::copy_from_slice(packet)).ok();
        }
    }
}

impl AsyncUdpSocket for TunnelSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let Some(relay) = behind(&self.relays, transmit.destination) else { return self.inner.poll_send(cx, transmit) };
        let size = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for packet in transmit.contents.chunks(size) {
            self.send(relay, transmit.destination, packet);
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner).poll_recv(cx);
        if let (Poll::Ready(Some((from, packet))), Some(buf), Some(meta)) = (came, bufs.first_mut(), meta.first_mut()) {
            let len = packet.len().min(buf.len());
            if let (Some(to), Some(from)) = (buf.get_mut(..len), packet.get(..len)) {
                to.copy_from_slice(from);
            }
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride) = (from, len, len.max(1));
            return Poll::Ready(Ok(1));
        }
        self.inner.poll_recv(cx, bufs, meta)
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// One connection to a relay, until it or the socket ends.
async fn run(
    relay: Relay,
    own: Option<SocketAddr>,
    stands_for: SocketAddr,
    packets: mpsc::Receiver<Bytes>,
    coming: mpsc::Sender<(SocketAddr, Bytes)>,
) {
    let connected = match timeout(CONNECT_TIME, connect(&relay, own)).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) => return tracing::info!(%error, "a relay is not to be reached by a stream"),
        Err(_) => return tracing::info!("a relay does not answer by a stream"),
    };
    let ended = match (&relay.line, server_name(&relay.host)) {
        (RelayLine::Tls(trust), Some(name)) => {
            let handshake = TlsConnector::from(Arc::clone(trust)).connect(name, connected);
            match timeout(CONNECT_TIME, handshake).await {
                Ok(Ok(stream)) => carry(stream, stands_for, packets, coming).await,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        }
        (RelayLine::Tls(_), None) => Err(io::ErrorKind::InvalidInput.into()),
        (RelayLine::Tcp | RelayLine::Udp, _) => carry(connected, stands_for, packets, coming).await,
    };
    if let Err(error) = ended {
        tracing::info!(%error, "the stream to a relay ended");
    }
}

/// Connects from the address of the socket that it stands in for, so that each address has a path of its own.
async fn connect(relay: &Relay, own: Option<SocketAddr>) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup_host((relay.host.as_str(), relay.port)).await? {
        let Some(own) = own.filter(|own| own.is_ipv4() == address.is_ipv4()) else { continue };
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind((own.ip(), 0).into())?;
        match socket.connect(address).await {
            Ok(stream) => {
                // A voice packet must not wait for the next one.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Carries packets both ways.
async fn carry(
    stream: impl AsyncRead + AsyncWrite,
    stands_for: SocketAddr,
    mut packets: mpsc::Receiver<Bytes>,
    coming: mpsc::Sender<(SocketAddr, Bytes)>,
) -> io::Result<()> {
    let (mut read, mut write) = tokio::io::split(stream);
    let out = async {
        let mut bytes = Vec::new();
        while let Some(packet) = packets.recv().await {
            bytes.clear();
            put(&packet, &mut bytes);
            while let Ok(packet) = packets.try_recv() {
                put(&packet, &mut bytes);
            }
            write.write_all(&bytes).await?;
            write.flush().await?;
        }
        // The socket is gone: the connection ends with it.
        Ok::<(), io::Error>(())
    };
    let back = async {
        let (mut framer, mut bytes) = (Framer::default(), [0; READ]);
        loop {
            let length = read.read(&mut bytes).await?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            framer.push(bytes.get(..length).unwrap_or_default());
            while let Some(packet) = framer.next().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
                // Nobody took what came before: it is lost, as on a network.
                coming.try_send((stands_for, packet)).ok();
            }
        }
    };
    tokio::select! {
        ended = out => ended,
        ended = back => ended,
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::TcpListener;
    use webrtc::runtime::{Runtime, TokioRuntime};
    use zeroize::Zeroizing;

    use super::*;

    fn socket(port: u16) -> TunnelSocket {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.set_nonblocking(true).unwrap();
        let relay = Relay {
            host: "127.0.0.1".into(),
            port,
            line: RelayLine::Tcp,
            username: String::new(),
            password: Zeroizing::default(),
        };
        TunnelSocket::new(TokioRuntime.wrap_udp_socket(udp).unwrap(), Arc::from([relay]))
    }

    async fn say(socket: &TunnelSocket, to: SocketAddr, packet: &[u8]) {
        socket.send_to(packet, to).await.unwrap();
    }

    async fn hear(socket: &TunnelSocket) -> (SocketAddr, Vec<u8>) {
        let mut bytes = [0; 2_000];
        let mut meta = [RecvMeta::default()];
        poll_fn(|cx| socket.poll_recv(cx, &mut [IoSliceMut::new(&mut bytes)], &mut meta)).await.unwrap();
        (meta[0].addr, bytes[..meta[0].len].to_vec())
    }

    #[tokio::test]
    async fn packets_for_the_relay_go_through_the_stream_and_others_by_themselves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = socket(listener.local_addr().unwrap().port());
        let relay: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let request = [[0, 3, 0, 4].as_slice(), &[9; 20]].concat();
        say(&socket, relay, &request).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = [0; 24];
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(read.as_slice(), request);
        // Channel data of three bytes, padded on the stream.
        stream.write_all(&[0x40, 1, 0, 3, 7, 8, 9, 0]).await.unwrap();
        assert_eq!(hear(&socket).await, (relay, vec![0x40, 1, 0, 3, 7, 8, 9]));

        let other = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        say(&socket, other.local_addr().unwrap(), b"direct").await;
        let mut bytes = [0; 16];
        let (length, from) = other.recv_from(&mut bytes).await.unwrap();
        assert_eq!(&bytes[..length], b"direct");
        other.send_to(b"back", from).await.unwrap();
        assert_eq!(hear(&socket).await.1, b"back");
    }

    #[tokio::test]
    async fn a_relay_that_sends_garbage_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = socket(listener.local_addr().unwrap().port());
        say(&socket, "192.0.2.1:1".parse().unwrap(), &[0; 20]).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&[0xFF; 64]).await.unwrap();
        let mut rest = Vec::new();
        // The socket's end closes: first what it sent, then nothing more.
        stream.read_to_end(&mut rest).await.ok();
        assert!(rest.len() <= 20);
    }

    #[tokio::test]
    async fn a_relay_that_is_not_there_costs_nothing_but_its_packets() {
        let socket = socket(1);
        for _ in 0..OUTBOX * 2 {
            say(&socket, "192.0.2.1:1".parse().unwrap(), &[0; 20]).await;
        }
    }
}
