//! Tests across the crates, in one binary.
//!
//! - `structure`: the shape of the house: who depends on whom, what pure code holds, licences, files named in README.

#![forbid(unsafe_code)]

mod structure;
