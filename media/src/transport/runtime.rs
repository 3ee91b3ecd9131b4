//! The runtime that connections run on: tokio, with short naps while an association is being set up.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use webrtc::runtime::{AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime};

use super::relay::{Relay, TunnelSocket};
use super::shared::Shared;
use crate::time::MediaTime;

/// Longest sleep of the driver during set-up. The crate below sends its first handshake message, its last one, and the
/// checks of an added candidate only when a timer fires, and none is set for them: each waited for the next connectivity
/// check, 20 ms at most. Longer adds to set-up three times; shorter burns CPU for the 50 ms or round trips that it takes.
const NAP: Duration = Duration::from_millis(2);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Delegates to tokio; see [`NAP`]. Its sockets know the way to relays behind a stream.
#[derive(Debug)]
pub(crate) struct SetupRuntime {
    tokio: Arc<dyn Runtime>,
    shared: Arc<Shared>,
    relays: Arc<[Relay]>,
}

impl SetupRuntime {
    pub(crate) fn new(tokio: Arc<dyn Runtime>, shared: Arc<Shared>, relays: Arc<[Relay]>) -> Self {
        Self { tokio, shared, relays }
    }
}

impl Runtime for SetupRuntime {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = self.tokio.wrap_udp_socket(socket)?;
        if self.relays.is_empty() {
            return Ok(socket);
        }
        Ok(Arc::new(TunnelSocket::new(socket, Arc::clone(&self.relays))))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote_addr: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.tokio.connect_tcp(remote_addr)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.tokio.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let hurry = self.shared.is_setting_up(MediaTime::now());
        self.tokio.sleep(if hurry { duration.min(NAP) } else { duration })
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}
