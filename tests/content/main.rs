//! Makes the clip and the voice of a stand-in participant: `quietroom-content OUT.y4m OUT.wav`.
//!
//! 1280x720 at 30 pictures a second, 10 s that loop without a jump.
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
    let mut writer = y4m::Writer::create(&arguments.pictures, barcode::WIDTH, barcode::HEIGHT)?;
    for (number, loudness) in (0..barcode::COUNT).zip(sound::loudness(&sound)) {
        let [luma, u, v] = scene.paint(number, loudness);
        writer.picture(&[&luma, &u, &v])?;
    }
    writer.finish()
}
