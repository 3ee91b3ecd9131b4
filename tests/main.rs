//! Tests across the crates, in one binary.
//!
//! - [`harness`]: a practice on the loopback interface and the people in it.
//! - [`admission`], [`authentication`], [`invitation`], [`devices`]: the journey, and where it is refused.
//! - [`confidentiality`]: what wire, server, database and logs hold of it.
//! - [`structure`]: who depends on whom, what pure code holds, licences, files named in README.

#![forbid(unsafe_code)]

mod admission;
mod authentication;
mod confidentiality;
mod devices;
mod harness;
mod invitation;
mod structure;
