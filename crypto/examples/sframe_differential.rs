//! A long differential run of our SFrame against the `sframe` crate.
//!
//! `cargo run -p crypto --release --features lab --example sframe_differential -- [FRAMES] [SEED]`
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its report")]

#[path = "../src/sframe/differential.rs"]
mod differential;

// The compared file lies in the crate and names the key by the crate's path.
use crypto::lab;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let frames = numbers.next().unwrap_or(1_000_000);
    let seed = numbers.next().unwrap_or(9605);
    let compared = differential::compare(frames, seed);
    println!(
        "seed {seed}: {} frames of {} keys and {} bytes sealed alike and opened both ways; {} altered frames refused by both",
        compared.agreed, compared.keys, compared.bytes, compared.refused
    );
}
