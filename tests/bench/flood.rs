//! The competing download: TCP that takes whatever it gets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// Sends without pause until the other end, or this program, is ended.
pub(crate) fn flood(to: &str) -> Result<()> {
    let mut tries = 0;
    let mut stream = loop {
        match TcpStream::connect(to) {
            Ok(stream) => break stream,
            Err(error) if tries >= 50 => return Err(error).context("nobody takes the download"),
            Err(_) => tries += 1,
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let bytes = vec![0; 65_536];
    while stream.write_all(&bytes).is_ok() {}
    Ok(())
}

/// Takes one download to its end.
pub(crate) fn sink(at: &str) -> Result<()> {
    let (mut stream, _) = TcpListener::bind(at)?.accept()?;
    let mut bytes = vec![0; 65_536];
    while stream.read(&mut bytes)? > 0 {}
    Ok(())
}
