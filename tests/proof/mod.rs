//! Reading a capture that was made outside of the client (E2EE 9.9): packets from a file, what each of them is, and SRTP
//! opened with the keys of a call in assessor mode. Pure, but for the reader that is handed in.

pub mod classify;
pub mod pcap;
pub mod srtp;
