//! A UDP socket that says a handshake flight again while an association is being set up.
//!
//! The crate below drops a DTLS message that comes before its own side has a path, and its first repetition comes after a
//! whole second. A flight that nobody answered therefore goes out again after [`REPEAT`], at most [`REPEATS`] times.
//! Repetitions are byte for byte the same, so a side that had taken the first one drops them by its replay window
//! (RFC 6347 section 4.1.2.6).

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::shared::Shared;
use crate::time::MediaTime;

/// Silence after which a flight is said again. Shorter repeats needlessly at long round trips, where it costs a few
/// hundred bytes each; longer adds to the set-up wherever a first message was too early.
const REPEAT: Duration = Duration::from_millis(40);

/// Repetitions of one flight; the crate's own timer goes on from there.
const REPEATS: u8 = 12;

/// Datagrams of one flight: a certificate of ours fits into two. More are not repeated.
const FLIGHT: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct SetupSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    shared: Arc<Shared>,
    flight: Mutex<Flight>,
}

/// What was sent since the other side was last heard.
#[derive(Debug, Default)]
struct Flight {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    repeats: u8,
}

impl SetupSocket {
    /// Wraps a socket; the returned future repeats its flights and ends with the set-up or the socket.
    pub(super) fn wrap(
        inner: Arc<dyn AsyncUdpSocket>,
        shared: Arc<Shared>,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + 'static) {
        let socket = Arc::new(Self { inner, shared, flight: Mutex::default() });
        let weak = Arc::downgrade(&socket);
        let repeat = async move {
            loop {
                tokio::time::sleep(REPEAT).await;
                let Some(socket) = weak.upgrade() else { return };
                if socket.shared.was_connected() {
                    return;
                }
                socket.repeat();
            }
        };
        (socket, repeat)
    }

    fn repeat(&self) {
        let mut flight = self.flight();
        if flight.repeats >= REPEATS {
            return;
        }
        flight.repeats += 1;
        for (destination, contents) in &flight.datagrams {
            let transmit =
                Transmit { destination: *destination, ecn: None, contents, segment_size: None, src_ip: None };
            // A full socket or an unreachable peer: the next repetition, or the crate's timer, tries again.
            if let Poll::Ready(Err(error)) = self.inner.poll_send(&mut Context::from_waker(Waker::noop()), &transmit) {
                tracing::debug!(kind = ?error.kind(), "a handshake flight was not repeated");
            }
        }
    }

    fn flight(&self) -> std::sync::MutexGuard<'_, Flight> {
        // Plain data that no panic can leave half written.
        self.flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl AsyncUdpSocket for SetupSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(cx, transmit);
        if matches!(sent, Poll::Ready(Ok(_)))
            && is_dtls(transmit.contents)
            && self.shared.is_setting_up(MediaTime::now())
        {
            let mut flight = self.flight();
            flight.repeats = 0;
            if flight.datagrams.len() < FLIGHT {
                flight.datagrams.push((transmit.destination, transmit.contents.to_vec()));
            }
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.inner.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(count)) = received
            && !self.shared.was_connected()
            && bufs.iter().take(count).any(|buf| is_dtls(buf))
        {
            // The other side answered, or began itself: what was said before has arrived or is void.
            *self.flight() = Flight::default();
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// First byte of a DTLS record beside STUN, TURN and RTP (RFC 7983 section 7).
fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..=63).contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what was sent; hears nothing.
    #[derive(Debug, Default)]
    struct Recorder(Mutex<Vec<Vec<u8>>>);

    impl AsyncUdpSocket for Recorder {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(address())
        }

        fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(transmit.contents.to_vec());
            Poll::Ready(Ok(transmit.contents.len()))
        }

        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            bufs: &mut [IoSliceMut<'_>],
            meta: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            bufs[0][0] = 22;
            meta[0].len = 1;
            Poll::Ready(Ok(1))
        }
    }

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    fn send(socket: &SetupSocket, contents: &[u8]) {
        let transmit = Transmit { destination: address(), ecn: None, contents, segment_size: None, src_ip: None };
        assert!(socket.poll_send(&mut Context::from_waker(Waker::noop()), &transmit).is_ready());
    }

    fn setting_up() -> (Arc<Recorder>, Arc<SetupSocket>) {
        let recorder = Arc::new(Recorder::default());
        let shared = Arc::new(Shared::default());
        shared.set_described(MediaTime::now());
        let (socket, _) = SetupSocket::wrap(Arc::clone(&recorder) as Arc<dyn AsyncUdpSocket>, shared);
        (recorder, socket)
    }

    #[test]
    fn an_unanswered_flight_is_said_again_and_not_for_ever() {
        let (recorder, socket) = setting_up();
        send(&socket, &[22, 1]);
        send(&socket, &[0, 1]);
        for _ in 0..100 {
            socket.repeat();
        }
        let sent = recorder.0.lock().unwrap();
        assert_eq!(sent.len(), 2 + usize::from(REPEATS));
        assert!(sent[2..].iter().all(|datagram| datagram == &[22, 1]));
    }

    #[test]
    fn an_answer_ends_the_repetition() {
        let (recorder, socket) = setting_up();
        send(&socket, &[22, 1]);
        let mut buf = [0; 4];
        let mut meta = [RecvMeta::default()];
        let mut bufs = [IoSliceMut::new(&mut buf)];
        assert!(socket.poll_recv(&mut Context::from_waker(Waker::noop()), &mut bufs, &mut meta).is_ready());
        socket.repeat();
        assert_eq!(recorder.0.lock().unwrap().len(), 1);
    }
}
