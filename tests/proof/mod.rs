//! Judging a capture that was made outside of the client (E2EE 9.9). Pure, but for the reader that is handed in.
//!
//! - [`pcap`], [`classify`]: packets from a file, and what each of them is.
//! - [`keys`]: the key files of a call in assessor mode.
//! - [`srtp`], [`frame`]: opening what they open.
//! - [`audit`], [`report`]: every packet accounted for, in a table.
//! - [`real`]: what a capture shows without any key.

pub mod audit;
pub mod classify;
pub mod frame;
pub mod icmp;
pub mod keys;
pub mod pcap;
pub mod real;
pub mod report;
#[cfg(test)]
mod sample;
pub mod srtp;
mod stream;
pub mod stun;
pub mod tls;
