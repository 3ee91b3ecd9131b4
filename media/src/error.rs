//! Errors of the crate's edge, sorted by who must act.

use std::fmt;

/// Which device (or stand-in for one) an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A video camera.
    Camera,
    /// A sound input.
    Microphone,
    /// A sound output.
    Speaker,
    /// A window that is shared.
    Window,
    /// A Y4M or WAV file that stands in for a device.
    File,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Window => "shared window",
            Self::File => "media file",
        })
    }
}

/// Why a device gives or takes no media. Each variant has a code that the person sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is none, or the named one is gone: `DEV-01`.
    #[error("no {0} found")]
    NotFound(DeviceKind),
    /// The system or the person refuses access: `DEV-02`.
    #[error("access to the {0} refused")]
    Refused(DeviceKind),
    /// Another program holds it: `DEV-03`.
    #[error("the {0} is in use")]
    Busy(DeviceKind),
    /// It was found but does not work: `DEV-04`. The phrase says what was attempted.
    #[error("the {kind} failed: {attempt}")]
    Failed {
        /// The device.
        kind: DeviceKind,
        /// What was attempted, a fixed phrase.
        attempt: &'static str,
    },
}

impl DeviceError {
    /// The code that the screens show, `DEV-01` to `DEV-04`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "DEV-01",
            Self::Refused(_) => "DEV-02",
            Self::Busy(_) => "DEV-03",
            Self::Failed { .. } => "DEV-04",
        }
    }

    /// The device concerned.
    #[must_use]
    pub const fn kind(&self) -> DeviceKind {
        match self {
            Self::NotFound(kind) | Self::Refused(kind) | Self::Busy(kind) | Self::Failed { kind, .. } => *kind,
        }
    }
}

/// Why a picture or a piece of sound could not be processed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    // The caller.
    /// Width or height is zero, above the limit, or does not fit the data's length.
    #[error("picture of {width} x {height} refused")]
    FrameSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The codec is not part of this build.
    #[error("codec not built in")]
    CodecMissing,

    // The peer.
    /// The bytes are no valid stream of this codec, or refer to frames that never came. Ask for a key frame.
    #[error("encoded data cannot be decoded")]
    Undecodable,
    /// The encoded frame or the picture in it is larger than this client accepts.
    #[error("encoded data beyond the limits")]
    TooLarge,

    // The library underneath.
    /// The background could not be told from the person; the phrase says why.
    #[error("the background cannot be hidden: {0}")]
    Background(&'static str),
    /// A codec library refused an operation that should work.
    #[error("codec failed: {0}")]
    Codec(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_error_has_its_code_and_kind() {
        let kind = DeviceKind::Camera;
        let errors = [
            DeviceError::NotFound(kind),
            DeviceError::Refused(kind),
            DeviceError::Busy(kind),
            DeviceError::Failed { kind, attempt: "read a frame" },
        ];
        let codes: Vec<_> = errors.iter().map(DeviceError::code).collect();
        assert_eq!(codes, ["DEV-01", "DEV-02", "DEV-03", "DEV-04"]);
        assert!(errors.iter().all(|error| error.kind() == kind));
    }
}
