//! Tests across the crates, in one binary.
//!
//! - [`harness`]: a practice on the loopback interface and the people in it.
//! - [`admission`], [`authentication`], [`invitation`], [`devices`]: the journey, and where it is refused.
//! - [`colleague`], [`handover`]: a second clinician in a consultation, and one who runs it from then on.
//! - [`identity`]: the practice key and the devices it certifies, over the years.
//! - [`attacks`]: the server's operator as the enemy.
//! - [`confidentiality`]: what wire, server, database and logs hold of it.
//! - [`model`]: every interleaving of a few messages, with a hostile server, on paper.
//! - [`fuzz`]: every parser over the corpus that the fuzzer kept.
//! - [`structure`]: who depends on whom, what pure code holds, licences, files named in README.

#![forbid(unsafe_code)]

#[cfg(test)]
mod admission;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod colleague;
#[cfg(test)]
mod confidentiality;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod invitation;
#[cfg(test)]
mod model;
#[cfg(test)]
mod structure;
