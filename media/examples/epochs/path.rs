//! A bad network between two members: a relay of two UDP sockets, put into their candidates, with delay, loss and
//! overtaking. What is lost follows from a seed and the order of the packets.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use media::transport::Signal;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Packets under way in one direction; one more is lost. A second of the densest call here.
const UNDER_WAY: usize = 1_024;

/// How much longer an overtaken packet takes at most: two voice frames and a bit.
const OVERTAKEN_MICROS: u64 = 45_000;

/// What the network does to a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    /// Half of the round trip.
    pub(crate) one_way: Duration,
    /// Packets that are lost, in a thousand.
    pub(crate) loss: u64,
    /// Packets that take up to 45 ms longer, so that later ones overtake them, in a thousand.
    pub(crate) overtaken: u64,
}

/// The path between two members, 0 and 1.
pub(crate) struct Link {
    /// The port that each of them takes for the other's.
    faces: [u16; 2],
    /// The port at which each of them listens, zero until its candidate came by.
    ports: [Arc<AtomicU16>; 2],
    _tasks: JoinSet<()>,
}

impl Link {
    pub(crate) async fn new(network: Network, seed: u64) -> io::Result<Self> {
        let first = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let second = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let faces = [first.local_addr()?.port(), second.local_addr()?.port()];
        let ports: [Arc<AtomicU16>; 2] = Default::default();
        let mut tasks = JoinSet::new();
        let (there, back) = (Arc::clone(&ports[1]), Arc::clone(&ports[0]));
        tasks.spawn(carry(Arc::clone(&first), Arc::clone(&second), there, network, seed * 2 + 1));
        tasks.spawn(carry(second, first, back, network, seed * 2 + 2));
        Ok(Self { faces, ports, _tasks: tasks })
    }

    /// What the other side gets of a signal: the relay's port in the place of this side's. Nothing for a candidate that
    /// would lead past the relay.
    pub(crate) fn pass(&self, from: usize, signal: Signal) -> Option<Signal> {
        match signal {
            Signal::Candidate { candidate, mid, index } => {
                // RFC 8839 section 5.1: foundation, component, transport, priority, address, port.
                let mut words: Vec<String> = candidate.split(' ').map(ToOwned::to_owned).collect();
                let port = words.get_mut(5)?;
                self.ports[from].store(port.parse().ok()?, Ordering::Release);
                *port = self.faces[1 - from].to_string();
                Some(Signal::Candidate { candidate: words.join(" "), mid, index })
            }
            Signal::Offer { sdp } | Signal::Answer { sdp } if sdp.contains("a=candidate") => None,
            description => Some(description),
        }
    }
}

/// One direction: what arrives at `from` leaves by `to`, later, or not at all.
async fn carry(from: Arc<UdpSocket>, to: Arc<UdpSocket>, port: Arc<AtomicU16>, network: Network, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut under_way: BTreeMap<(Instant, u64), Vec<u8>> = BTreeMap::new();
    let mut count = 0;
    let mut buffer = [0; 2_048];
    loop {
        let due = under_way.first_key_value().map(|((due, _), _)| *due);
        tokio::select! {
            // A port that was just closed answers by ICMP: the packet is lost, the path is not.
            received = from.recv_from(&mut buffer) => if let Ok((length, _)) = received {
                count += 1;
                if dice.hits(network.loss) || under_way.len() >= UNDER_WAY {
                    continue;
                }
                let late = if dice.hits(network.overtaken) { dice.next() % OVERTAKEN_MICROS } else { 0 };
                let due = Instant::now() + network.one_way + Duration::from_micros(late);
                under_way.insert((due, count), buffer[..length].to_vec());
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((_, packet)) = under_way.pop_first() {
                    to.send_to(&packet, (Ipv4Addr::LOCALHOST, port.load(Ordering::Acquire))).await.ok();
                }
            }
        }
    }
}

/// Xorshift: enough to decide which packets are lost.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn hits(&mut self, of_thousand: u64) -> bool {
        self.next() % 1_000 < of_thousand
    }
}
