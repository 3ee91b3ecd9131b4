//! The program `quietroom`: window, headless driver and set-up commands.
//!
//! It never compiles with the feature `lab`: measuring aids have no place where patients are.

#[cfg(feature = "lab")]
compile_error!("`quietroom` is built without the feature `lab`; build `--bin quietroom-lab` for measuring");

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes what is freed: the copies that libraries make of keys, names and passphrases end with them.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> anyhow::Result<()> {
    client::start::main()
}
