//! Whether a client still holds a device once it has said goodbye: seen from outside, while its program still runs.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::programs::say;

/// Threads of the media engine that hold a device or work for one (at most 15 bytes of their names are seen).
const THREADS: [&str; 8] =
    ["camera", "video-file", "test-pattern", "window", "microphone", "speaker", "audio", "video-send"];
/// Devices of the kernel.
const DEVICES: [&str; 2] = ["/dev/video", "/dev/snd/"];

/// What a client holds.
#[derive(Debug)]
struct Held {
    threads: Vec<String>,
    devices: Vec<String>,
    /// Its connections to the sound server, if there is one.
    streams: usize,
}

impl Held {
    fn of(process: u32, sound: Option<&str>) -> Result<Self> {
        let mut threads = Vec::new();
        for thread in fs::read_dir(format!("/proc/{process}/task")).context("a client has ended")? {
            // A thread may end while it is looked at.
            if let Ok(name) = fs::read_to_string(thread?.path().join("comm"))
                && THREADS.contains(&name.trim())
            {
                threads.push(name.trim().to_owned());
            }
        }
        let mut devices = Vec::new();
        // Of a program that refuses to be looked into, root alone sees the files.
        let files = fs::read_dir(format!("/proc/{process}/fd"));
        if files.is_err() {
            say("which files a client holds can be seen by root alone: left out");
        }
        for file in files.into_iter().flatten() {
            if let Ok(target) = fs::read_link(file?.path())
                && let Some(target) = target.to_str()
                && DEVICES.iter().any(|device| target.starts_with(device))
            {
                devices.push(target.to_owned());
            }
        }
        let streams = sound.map_or(Ok(0), |server| streams(process, server))?;
        Ok(Self { threads, devices, streams })
    }
}

/// Connections of a process that a sound server counts.
fn streams(process: u32, server: &str) -> Result<usize> {
    let listed = Command::new("pactl").env("PULSE_SERVER", server).args(["list", "clients"]).output();
    let listed = listed.context("pactl is missing")?;
    ensure!(listed.status.success(), "the sound server lists no clients");
    let its = format!("application.process.id = \"{process}\"");
    Ok(String::from_utf8_lossy(&listed.stdout).lines().filter(|line| line.trim() == its).count())
}

/// A client in the call: what is looked for afterwards must be there now, or the look would be blind.
///
/// # Errors
/// When it is not.
pub(crate) fn held(process: u32, sound: Option<&str>) -> Result<()> {
    let held = Held::of(process, sound)?;
    ensure!(
        held.threads.iter().any(|thread| thread == "audio"),
        "no thread of a client's media is to be seen: {held:?}"
    );
    ensure!(sound.is_none() || held.streams > 0, "the sound server does not list a client that uses it");
    Ok(())
}

/// A client that has said goodbye holds no device any more.
///
/// # Errors
/// When it does.
pub(crate) fn released(process: u32, sound: Option<&str>) -> Result<()> {
    let held = Held::of(process, sound)?;
    ensure!(
        held.threads.is_empty() && held.devices.is_empty() && held.streams == 0,
        "a client that says that its devices are closed still holds some: {held:?}"
    );
    Ok(())
}

/// Says what was found of both.
pub(crate) fn say_released() {
    say("camera and microphone are off: neither client holds a device, a media thread or a sound stream");
}
