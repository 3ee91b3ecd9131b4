//! Where media comes from: devices, and files and synthetic stand-ins for them.

pub mod audio;
pub mod barcode;
mod camera;
mod file;
mod pace;
mod test_pattern;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};
use crate::slot::Slot;
use crate::time::MediaTime;

pub use camera::{CameraInfo, cameras};
pub(crate) use test_pattern::TestPattern;

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoSourceSpec {
    /// A camera by its [`CameraInfo::id`], or the first one that works.
    Camera(Option<String>),
    /// A Y4M file, 4:2:0, repeated without end.
    File(PathBuf),
    /// A calm moving picture with the frame's number in it; each variant looks different.
    TestPattern {
        /// Picks colours, shape and motion.
        variant: u8,
    },
}

/// How long a device may take to open before it counts as failed. USB cameras take up to 3 s.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// A running video source: one named thread that puts pictures into a slot until this is dropped.
///
/// Dropping it stops the thread, waits for it and so closes the device.
#[derive(Debug)]
pub struct VideoCapture {
    format: VideoFormat,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl VideoCapture {
    /// Opens the source and starts reading. Blocks until the source has opened or refused (a camera: up to seconds).
    ///
    /// `wanted` is a wish: a camera takes the nearest format that it has, a file comes in its own. Frames tell their size.
    /// A picture that nobody took from `slot` is replaced by the next. `on_error` is called on the capture thread, at
    /// most once, when a running source fails; the thread has then ended and the device is closed.
    ///
    /// # Errors
    ///
    /// The [`DeviceError`] of the camera or file.
    pub fn start(
        spec: VideoSourceSpec,
        wanted: VideoFormat,
        slot: Arc<Slot<VideoFrame>>,
        on_error: impl FnOnce(DeviceError) + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let kind = spec.kind();
        let failed = |attempt| DeviceError::Failed { kind, attempt };
        let stop = Arc::new(AtomicBool::new(false));
        // One message: the opened format or the refusal.
        let (opened, opening) = sync_channel(1);
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(spec.thread_name().to_owned())
            .spawn(move || {
                let mut source = match Source::open(spec, wanted) {
                    Ok(source) => source,
                    Err(error) => return drop(opened.send(Err(error))),
                };
                if opened.send(Ok(source.format())).is_err() {
                    return;
                }
                while !stopped.load(Ordering::Relaxed) {
                    match source.next() {
                        Ok(Step::Frame(frame)) => drop(slot.put(frame)),
                        Ok(Step::Wait(time)) => std::thread::park_timeout(time),
                        Err(error) => {
                            drop(source);
                            return on_error(error);
                        }
                    }
                }
            })
            .map_err(|_no_thread| failed("start the capture thread"))?;
        let mut capture = Self {
            format: wanted,
            stop,
            thread: Some(thread),
        };
        match opening.recv_timeout(OPEN_LIMIT) {
            Ok(Ok(format)) => {
                capture.format = format;
                Ok(capture)
            }
            Ok(Err(error)) => Err(error),
            Err(_no_answer) => {
                // Waiting for a hung driver would hang the caller too; the thread ends when the driver lets go.
                capture.stop.store(true, Ordering::Relaxed);
                drop(capture.thread.take());
                Err(failed("open the device in time"))
            }
        }
    }

    /// What the source really gives.
    #[must_use]
    pub const fn format(&self) -> VideoFormat {
        self.format
    }
}

impl Drop for VideoCapture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in the thread was reported by the panic hook; there is nothing left to close.
            drop(thread.join());
        }
    }
}

impl VideoSourceSpec {
    const fn kind(&self) -> DeviceKind {
        match self {
            Self::Camera(_) | Self::TestPattern { .. } => DeviceKind::Camera,
            Self::File(_) => DeviceKind::File,
        }
    }

    const fn thread_name(&self) -> &'static str {
        match self {
            Self::Camera(_) => "camera",
            Self::File(_) => "video-file",
            Self::TestPattern { .. } => "test-pattern",
        }
    }
}

/// An open source, owned by its thread.
enum Source {
    Camera(camera::Camera),
    File(file::Y4mFile),
    TestPattern(TestPattern),
}

/// What a source does next.
enum Step {
    Frame(VideoFrame),
    /// Nothing is due for this long.
    Wait(Duration),
}

impl Source {
    fn open(spec: VideoSourceSpec, wanted: VideoFormat) -> Result<Self, DeviceError> {
        Ok(match spec {
            VideoSourceSpec::Camera(id) => {
                Self::Camera(camera::Camera::open(id.as_deref(), wanted)?)
            }
            VideoSourceSpec::File(path) => Self::File(file::Y4mFile::open(&path)?),
            VideoSourceSpec::TestPattern { variant } => {
                Self::TestPattern(TestPattern::new(variant, wanted)?)
            }
        })
    }

    const fn format(&self) -> VideoFormat {
        match self {
            Self::Camera(camera) => camera.format(),
            Self::File(file) => file.format(),
            Self::TestPattern(pattern) => pattern.format(),
        }
    }

    fn next(&mut self) -> Result<Step, DeviceError> {
        match self {
            Self::Camera(camera) => camera.read().map(Step::Frame),
            Self::File(file) => file.next(MediaTime::now()),
            Self::TestPattern(pattern) => pattern.next(MediaTime::now()),
        }
    }
}
