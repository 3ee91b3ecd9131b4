//! What the measuring tools and the tests share: numbered pictures, sound files, one-time codes.
//!
//! - [`barcode`]: the number that a test picture carries, drawn and read.
//! - [`proof`]: a capture of a call, taken apart and opened.
//! - [`y4m`], [`wav`]: the two file formats of test content.
//! - [`search`], [`memory`], [`keys`]: secrets in bytes, in a running process, and such that nobody named.
//! - [`noise`]: repeatable randomness for content; never for secrets.
//! - [`totp`]: the second factor's codes, as an authenticator shows them.
//! - [`hostile`]: the server gone bad.
//!
//! It links none of the house's other crates: a tool that judges them must not share their mistakes.

#![forbid(unsafe_code)]

pub mod barcode;
#[path = "../hostile/mod.rs"]
pub mod hostile;
pub mod keys;
pub mod memory;
pub mod noise;
#[path = "../proof/mod.rs"]
pub mod proof;
pub mod search;
pub mod totp;
pub mod wav;
pub mod y4m;
