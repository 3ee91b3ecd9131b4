//! Which cameras, microphones and loudspeakers there are.

use crate::error::DeviceError;
use crate::sound::{microphones, speakers};
use crate::source::cameras;

/// A device as it can be offered for choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What [`crate::source::VideoSourceSpec::Camera`], [`crate::AudioSourceSpec::Microphone`] and
    /// [`crate::SpeakerSpec::Device`] take; stable while the device stays plugged in.
    pub id: String,
    /// What people know it by.
    pub name: String,
}

/// All devices of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList {
    /// Some may turn out to give no pictures when they are opened.
    pub cameras: Vec<DeviceInfo>,
    /// Sound inputs.
    pub microphones: Vec<DeviceInfo>,
    /// Sound outputs.
    pub speakers: Vec<DeviceInfo>,
}

impl DeviceList {
    /// Looks for them. What cannot be listed is left empty; opens nothing. May take some seconds when a sound server hangs: not for
    /// the window's thread.
    #[must_use]
    pub fn look() -> Self {
        let or_none = |found: Result<Vec<DeviceInfo>, DeviceError>| {
            found.unwrap_or_else(|error| {
                tracing::debug!(%error, "devices cannot be listed");
                Vec::new()
            })
        };
        Self { cameras: or_none(cameras()), microphones: or_none(microphones()), speakers: or_none(speakers()) }
    }
}
