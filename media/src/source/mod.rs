//! Where media comes from: devices, and files and synthetic stand-ins for them.

pub mod audio;
pub(crate) mod audio_file;
pub mod barcode;
mod camera;
mod file;
pub(crate) mod microphone;
mod pace;
mod test_pattern;
pub mod voice;
mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};
use crate::slot::Slot;
use crate::time::MediaTime;

pub use camera::cameras;
pub(crate) use test_pattern::TestPattern;
pub use window::{WindowInfo, small_picture, windows};

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoSourceSpec {
    /// A camera by its [`crate::DeviceInfo::id`], or the first one that works.
    Camera(Option<String>),
    /// A Y4M file, 4:2:0, repeated without end.
    File(PathBuf),
    /// A window of another program, by its [`WindowInfo::id`].
    Window(u32),
    /// A calm moving picture with the frame's number in it; each variant looks different.
    TestPattern {
        /// Picks colours, shape and motion.
        variant: u8,
    },
}

/// How long a device may take to open before it counts as failed. USB cameras take up to 3 s.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// How long dropping waits for the thread. A camera's read returns with the next picture, unless its driver hangs.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A running video source: one named thread that puts pictures into a slot until this is dropped.
///
/// Dropping it stops the thread, waits for it and so closes the device. Only a driver that hangs keeps its device longer.
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
        let mut capture = Self { format: wanted, stop, thread: Some(thread) };
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
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        let deadline = Instant::now() + CLOSE_LIMIT;
        while !thread.is_finished() {
            if Instant::now() > deadline {
                // Waiting on would hang the caller with the driver; the thread ends when the driver lets go.
                tracing::error!("a capture device does not close");
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // A panic in the thread was reported by the panic hook; there is nothing left to close.
        drop(thread.join());
    }
}

impl VideoSourceSpec {
    const fn kind(&self) -> DeviceKind {
        match self {
            Self::Camera(_) | Self::TestPattern { .. } => DeviceKind::Camera,
            Self::File(_) => DeviceKind::File,
            Self::Window(_) => DeviceKind::Window,
        }
    }

    const fn thread_name(&self) -> &'static str {
        match self {
            Self::Camera(_) => "camera",
            Self::File(_) => "video-file",
            Self::Window(_) => "window",
            Self::TestPattern { .. } => "test-pattern",
        }
    }
}

/// An open source, owned by its thread.
enum Source {
    Camera(camera::Camera),
    File(file::Y4mFile),
    Window(Box<window::WindowCapture>),
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
            VideoSourceSpec::Camera(id) => Self::Camera(camera::Camera::open(id.as_deref(), wanted)?),
            VideoSourceSpec::File(path) => Self::File(file::Y4mFile::open(&path)?),
            VideoSourceSpec::Window(id) => Self::Window(Box::new(window::WindowCapture::open(id)?)),
            VideoSourceSpec::TestPattern { variant } => Self::TestPattern(TestPattern::new(variant, wanted)?),
        })
    }

    fn format(&self) -> VideoFormat {
        match self {
            Self::Camera(camera) => camera.format(),
            Self::File(file) => file.format(),
            Self::Window(window) => window.format(),
            Self::TestPattern(pattern) => pattern.format(),
        }
    }

    fn next(&mut self) -> Result<Step, DeviceError> {
        match self {
            Self::Camera(camera) => camera.read().map(Step::Frame),
            Self::File(file) => file.next(MediaTime::now()),
            Self::Window(window) => window.next(MediaTime::now()),
            Self::TestPattern(pattern) => pattern.next(MediaTime::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: VideoFormat = VideoFormat { width: 64, height: 48, fps: 200 };
    const PATIENCE: Duration = Duration::from_secs(20);

    fn start(spec: VideoSourceSpec, slot: &Arc<Slot<VideoFrame>>) -> Result<VideoCapture, DeviceError> {
        VideoCapture::start(spec, WANTED, Arc::clone(slot), |error| panic!("source failed: {error}"))
    }

    #[test]
    fn a_source_delivers_until_it_is_dropped() {
        let slot = Arc::new(Slot::new());
        let capture = start(VideoSourceSpec::TestPattern { variant: 0 }, &slot).unwrap();
        assert_eq!(capture.format(), WANTED);
        let first = slot.take_timeout(PATIENCE).unwrap();
        let second = slot.take_timeout(PATIENCE).unwrap();
        assert!(second.number > first.number && second.captured > first.captured);
        drop(capture);
        let version = slot.version();
        // The thread has ended, so nothing can come any more.
        assert_eq!((slot.version(), Arc::strong_count(&slot)), (version, 1));
    }

    #[test]
    fn a_refusal_comes_back_from_start() {
        let slot = Arc::new(Slot::new());
        let missing = VideoSourceSpec::File(PathBuf::from("/nonexistent/clip.y4m"));
        assert_eq!(start(missing, &slot).err().unwrap().code(), "DEV-01");
        let absent = VideoSourceSpec::Camera(Some("4711".to_owned()));
        assert_eq!(start(absent, &slot).err().unwrap().code(), "DEV-01");
    }

    #[test]
    fn a_failing_source_reports_once_and_ends() {
        let path = std::env::temp_dir().join(format!("quietroom-cut-{}.y4m", std::process::id()));
        std::fs::write(&path, b"YUV4MPEG2 W4 H2 F100:1\nFRAME\n123456789012FRAME\n123").unwrap();
        let slot = Arc::new(Slot::new());
        let (report, reports) = sync_channel(4);
        let on_error = move |error: DeviceError| report.send(error).unwrap();
        let capture = VideoCapture::start(VideoSourceSpec::File(path.clone()), WANTED, slot, on_error).unwrap();
        assert_eq!(reports.recv_timeout(PATIENCE).unwrap().code(), "DEV-04");
        drop(capture);
        assert!(reports.recv_timeout(PATIENCE).is_err(), "one report, then the sender is gone");
        std::fs::remove_file(path).unwrap();
    }
}
