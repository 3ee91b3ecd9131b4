//! The program `quietroom`: window, headless driver and set-up commands.
//!
//! It never compiles with the feature `lab`: measuring aids have no place where patients are.

#[cfg(feature = "lab")]
compile_error!("`quietroom` is built without the feature `lab`; build `--bin quietroom-lab` for measuring");

fn main() -> anyhow::Result<()> {
    client::start::main()
}
