//! Where the own voice comes from: one type over microphone, WAV file and synthetic voice.

use std::path::PathBuf;

/// What to capture sound from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AudioSourceSpec {
    /// No sound is sent.
    #[default]
    None,
    /// A sound input by its name, or the system's default one.
    Microphone(Option<String>),
    /// A WAV file that loops: 16-bit or float samples, any rate and channel count.
    File(PathBuf),
    /// A synthetic voice-like sound; `variant` chooses the pitch so that two parties differ.
    Voice {
        /// Pitch and rhythm, 0 to 255.
        variant: u8,
    },
}
