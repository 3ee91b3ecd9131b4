//! The fuzzer for every parser: libFuzzer, on the function that the variable `FUZZ_TARGET` names.
//!
//! `crypto`, `signaling` and `media` are linked, with all that they take in from outside through crates. Of `client` only the
//! files with the parsers are compiled, by their paths: the crate would bring a window.
#![no_main]
#![allow(dead_code, unreachable_pub, reason = "files of other crates, of which only the parsers are used")]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../../client/src/session/fuzz.rs"]
mod client_fuzz;
#[path = "../../../client/src/session/message.rs"]
mod message;
#[path = "../../../client/src/private.rs"]
mod private;
#[path = "../targets.rs"]
mod targets;

/// As in `client::session`.
mod view {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SourceState {
        On,
        Off,
        Missing,
    }
}

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fn choose() -> fn(&[u8]) {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let mut all = targets::targets();
    all.extend(media::transport::FUZZ_TARGETS.iter().chain(client_fuzz::FUZZ_TARGETS));
    if name == "list" {
        all.iter().for_each(|(name, _)| println!("{name}"));
        std::process::exit(0);
    }
    let found = all.into_iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET names no parser: '{name}'")).1
}

fuzz_target!(init: { TARGET.get_or_init(choose); }, |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        target(bytes);
    }
});
