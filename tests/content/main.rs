//! Makes the clip and the voice of a stand-in participant: `quietroom-content OUT.y4m OUT.wav`.
//!
//! 1280x720, or half of each side, at 30 pictures a second, 10 s that loop without a jump.
//! Each picture carries its number ([`lab::barcode`]), so that a received one can be compared with its source.
//! Host and patient differ in picture, motion and voice, so that a side that sees or hears itself is found out.

#![forbid(unsafe_code)]

mod picture;
mod scene;
mod sound;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use lab::{barcode, wav, y4m};

/// Makes the clip and the voice of a stand-in participant.
#[derive(Debug, Parser)]
struct Arguments {
    /// Picture file to write.
    pictures: PathBuf,
    /// Sound file to write, 48 kHz mono.
    sound: PathBuf,
    /// Recorded or synthetic speech to use; without it a voice-like buzz is made.
    #[arg(long)]
    speech: Option<PathBuf>,
    /// Half of each side: 640x360.
    #[arg(long)]
    half: bool,
    /// Who it is.
    #[arg(long, value_enum, default_value = "host")]
    variant: Variant,
}

/// The two stand-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Variant {
    /// Warm room, lower voice.
    Host,
    /// Cool room, mirrored, other motion, higher voice.
    Patient,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let speech = arguments.speech.as_deref().map(wav::read).transpose()?;
    let sound = sound::ten_seconds(speech, arguments.variant);
    wav::write(&arguments.sound, &sound)?;

    let mut scene = scene::Scene::new(arguments.variant)?;
    let (width, height) = (barcode::WIDTH, barcode::HEIGHT);
    let divisor = if arguments.half { 2 } else { 1 };
    let mut writer = y4m::Writer::create(&arguments.pictures, width / divisor, height / divisor)?;
    for (number, loudness) in (0..barcode::COUNT).zip(sound::loudness(&sound)) {
        let mut planes = scene.paint(number, loudness);
        if arguments.half {
            let [luma, u, v] = planes;
            planes = [halved(&luma, width), halved(&u, width / 2), halved(&v, width / 2)];
        }
        let [luma, u, v] = &planes;
        writer.picture(&[luma, u, v])?;
    }
    writer.finish()
}

/// A plane of this width at half of each side: the mean of each four samples.
fn halved(plane: &[u8], width: usize) -> Vec<u8> {
    let rows: Vec<&[u8]> = plane.chunks_exact(width).collect();
    let mean = |pair: &[&[u8]], at: usize| {
        let sum: u16 = pair.iter().flat_map(|row| &row[at..at + 2]).map(|sample| u16::from(*sample)).sum();
        ((sum + 2) / 4) as u8
    };
    rows.chunks_exact(2).flat_map(|pair| (0..width - 1).step_by(2).map(|at| mean(pair, at))).collect()
}
