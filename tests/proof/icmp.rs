//! Whether an ICMP message tells nothing but the beginning of a datagram that was seen: "nobody listens at this port any
//! more", as at the end of a call (RFC 792, RFC 4443 section 3.1).

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::pcap::Ends;

/// Datagrams that are remembered.
const RECENT: usize = 256;
/// Headers of the link in front of IP, by the link types that are read.
const LINKS: [usize; 5] = [0, 4, 14, 16, 20];
/// IP, ICMP and IP again, of both versions, up to the quoted datagram.
const QUOTED_AT: [usize; 2] = [20 + 8 + 20, 40 + 8 + 40];
const UDP_HEADER: usize = 8;

/// The datagrams of late.
#[derive(Debug, Default)]
pub struct Recent(VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>);

impl Recent {
    /// Remembers a datagram.
    pub fn add(&mut self, ends: &Ends, payload: &[u8]) {
        if self.0.len() == RECENT {
            self.0.pop_front();
        }
        self.0.push_back((ends.source, ends.destination, payload.to_vec()));
    }

    /// Whether this frame with an ICMP message ends with the beginning of one of them, and has only headers in front.
    #[must_use]
    pub fn quoted_by(&self, frame: &[u8]) -> bool {
        self.0.iter().rev().any(|(source, destination, payload)| {
            let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
            let starts = LINKS.iter().flat_map(|link| QUOTED_AT.map(|at| link + at));
            starts.into_iter().any(|at| {
                let quoted = frame.get(at + UDP_HEADER..).filter(|quoted| !quoted.is_empty() || payload.is_empty());
                frame.get(at..at + ports.len()) == Some(&ports)
                    && quoted.is_some_and(|quoted| payload.starts_with(quoted))
            })
        })
    }
}
