//! Mixing of the peers and the way to the speaker.

/// Where the mixed sound of all peers goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpeakerSpec {
    /// Decoded and dropped at the clock's pace, as if it were played: for tests and headless runs.
    #[default]
    Null,
    /// A sound output by its name, or the system's default one.
    Device(Option<String>),
}
