//! What a person chose on this computer, for the next time. No secret; in `preferences.json` of the data folder.

use std::path::Path;

use media::process::background::{Background, BlurStrength, PlainColour};
use media::source::VideoSourceSpec;
use media::{AudioSourceSpec, SpeakerSpec};
use serde::{Deserialize, Serialize};

use crate::keystore::{KeystoreError, make_folder, write_durably};
use crate::session::driver::MediaOptions;
use crate::session::{Device, MediaCommand};

/// What others see behind the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum BackgroundChoice {
    /// The room.
    #[default]
    Shown,
    /// The room, a little out of focus.
    Soft,
    /// The room, far out of focus.
    Strong,
    /// One colour: nothing of the room.
    Plain,
}

impl BackgroundChoice {
    /// As the media engine takes it.
    #[must_use]
    pub const fn as_media(self) -> Background {
        match self {
            Self::Shown => Background::Shown,
            Self::Soft => Background::Blurred(BlurStrength::Soft),
            Self::Strong => Background::Blurred(BlurStrength::Strong),
            Self::Plain => Background::Plain(PlainColour::CALM),
        }
    }
}

/// Choices of one data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// What others see behind the person.
    pub background: BackgroundChoice,
    /// Id of the camera; without one the first that works.
    pub camera: Option<String>,
    /// Id of the microphone; without one the system's.
    pub microphone: Option<String>,
    /// Id of the loudspeaker; without one the system's.
    pub speaker: Option<String>,
}

impl Preferences {
    /// Notes a choice, if this is one; says whether it was.
    pub(crate) fn take(&mut self, command: &MediaCommand) -> bool {
        match command {
            MediaCommand::Background(choice) => self.background = *choice,
            MediaCommand::Use(Device::Camera, id) => self.camera.clone_from(id),
            MediaCommand::Use(Device::Microphone, id) => self.microphone.clone_from(id),
            MediaCommand::Use(Device::Speaker, id) => self.speaker.clone_from(id),
            _ => return false,
        }
        true
    }

    /// The chosen devices in place of the system's. What was asked for by name, a file or a stand-in stays.
    pub(crate) fn applied_to(&self, mut options: MediaOptions) -> MediaOptions {
        if let (Some(VideoSourceSpec::Camera(id @ None)), Some(chosen)) = (&mut options.video, &self.camera) {
            *id = Some(chosen.clone());
        }
        if let (AudioSourceSpec::Microphone(id @ None), Some(chosen)) = (&mut options.audio, &self.microphone) {
            *id = Some(chosen.clone());
        }
        if let (SpeakerSpec::Device(id @ None), Some(chosen)) = (&mut options.speaker, &self.speaker) {
            *id = Some(chosen.clone());
        }
        options
    }

    /// Reads those of a folder; without a file they are the defaults. A file that cannot be read hides the room: perhaps
    /// that was chosen.
    #[must_use]
    pub fn load(folder: &Path) -> Self {
        let hidden = Self { background: BackgroundChoice::Plain, ..Self::default() };
        match std::fs::read(folder.join("preferences.json")) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "the preferences cannot be read");
                hidden
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                tracing::warn!(%error, "the preferences cannot be read");
                hidden
            }
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn save(&self, folder: &Path) -> Result<(), KeystoreError> {
        make_folder(folder)?;
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from)?;
        write_durably(&folder.join("preferences.json"), &text)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;
    use crate::session::driver::Aids;

    #[test]
    fn a_chosen_device_takes_the_systems_place_and_no_other() {
        let asked = |line: &[&str]| Cli::parse_from(line).driver(Aids::default()).media;
        let chosen = Preferences { camera: Some("c".into()), microphone: Some("m".into()), ..Preferences::default() };
        let options = chosen.applied_to(asked(&["quietroom"]));
        assert_eq!(options.video, Some(VideoSourceSpec::Camera(Some("c".into()))));
        assert_eq!(options.audio, AudioSourceSpec::Microphone(Some("m".into())));
        assert_eq!(options.speaker, SpeakerSpec::Device(None));
        let options = chosen.applied_to(asked(&["quietroom", "--no-camera", "--no-microphone"]));
        assert_eq!((options.video, options.audio), (None, AudioSourceSpec::None));
    }

    #[test]
    fn choices_survive_the_disk_and_a_damaged_file_hides_the_room() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Preferences::load(folder.path()), Preferences::default());
        let mut chosen = Preferences { background: BackgroundChoice::Strong, ..Preferences::default() };
        assert!(chosen.take(&MediaCommand::Use(Device::Microphone, Some("headset".into()))));
        assert!(!chosen.take(&MediaCommand::Chime));
        chosen.save(folder.path()).unwrap();
        assert_eq!(Preferences::load(folder.path()), chosen);
        std::fs::write(folder.path().join("preferences.json"), "{").unwrap();
        assert_eq!(Preferences::load(folder.path()).background, BackgroundChoice::Plain);
    }
}
