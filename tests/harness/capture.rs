//! Every packet on the loopback interface, taken outside of client and server.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// `ETH_P_ALL` of linux/if_ether.h, in network order: what goes out and what comes in.
const ALL: i32 = (3_u16.to_be()) as i32;
/// A longer capture stops taking packets; a call of some seconds takes a tenth of it.
const LONGEST: usize = 64 << 20;

/// A running capture.
pub(crate) struct Capture {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u8>>,
}

impl Capture {
    /// Starts one; `None` where this process may not listen to the network (it takes the right CAP_NET_RAW).
    pub(crate) fn start() -> Option<Self> {
        let mut socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(ALL))).ok()?;
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let listen = move || {
            let (mut taken, mut packet) = (Vec::new(), vec![0; 128 << 10]);
            while !told.load(Ordering::Acquire) && taken.len() < LONGEST {
                // A time-out, or a packet.
                if let Ok(length) = socket.read(&mut packet) {
                    taken.extend_from_slice(&packet[..length]);
                }
            }
            taken
        };
        let thread = std::thread::Builder::new().name("capture".to_owned()).spawn(listen).unwrap();
        Some(Self { stop, thread })
    }

    /// All packets, one behind the other.
    pub(crate) fn stop(self) -> Vec<u8> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap()
    }
}
