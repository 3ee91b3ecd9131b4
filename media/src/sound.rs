//! Sound devices: finding one by name, choosing its format, and what its errors mean.
//!
//! Each open stream has a thread that does nothing but keep it: opening may take seconds, which neither the window nor
//! the voices may wait for, and on some systems a stream must close on the thread that opened it.
//!
//! Everything runs with fixed buffers of 10 ms; the default buffer of a sound server is two seconds.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, SampleFormat, StreamConfig};

use crate::devices::DeviceInfo;
use crate::error::{DeviceError, DeviceKind};
use crate::frame::AudioFrame;

/// How long a sound server may take to open a stream.
pub(crate) const OPEN_LIMIT: Duration = Duration::from_secs(2);

/// Which way the sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Input,
    Output,
}

/// The sound inputs of this machine. May take up to two seconds when a sound server hangs.
///
/// # Errors
/// [`DeviceError::NotFound`] when there is no sound system at all.
pub fn microphones() -> Result<Vec<DeviceInfo>, DeviceError> {
    list(Direction::Input)
}

/// The sound outputs of this machine, as [`microphones`].
///
/// # Errors
/// [`DeviceError::NotFound`] when there is no sound system at all.
pub fn speakers() -> Result<Vec<DeviceInfo>, DeviceError> {
    list(Direction::Output)
}

impl Direction {
    const fn kind(self) -> DeviceKind {
        match self {
            Self::Input => DeviceKind::Microphone,
            Self::Output => DeviceKind::Speaker,
        }
    }
}

fn list(direction: Direction) -> Result<Vec<DeviceInfo>, DeviceError> {
    Ok(devices(direction)?.iter().filter_map(describe).collect())
}

fn devices(direction: Direction) -> Result<Vec<cpal::Device>, DeviceError> {
    let host = cpal::default_host();
    let devices: Result<Vec<_>, _> = match direction {
        Direction::Input => host.input_devices().map(Iterator::collect),
        Direction::Output => host.output_devices().map(Iterator::collect),
    };
    devices.map_err(|error| refused(direction.kind(), &error))
}

fn describe(device: &cpal::Device) -> Option<DeviceInfo> {
    // A device that cannot be described has just gone.
    let id = device.id().ok()?.id().to_owned();
    let name = device.description().ok()?.name().to_owned();
    Some(DeviceInfo { id, name })
}

/// The device with this id or name, or the system's default one.
pub(crate) fn find(direction: Direction, wanted: Option<&str>) -> Result<cpal::Device, DeviceError> {
    let found = match (wanted, direction) {
        (None, Direction::Input) => cpal::default_host().default_input_device(),
        (None, Direction::Output) => cpal::default_host().default_output_device(),
        (Some(wanted), _) => devices(direction)?
            .into_iter()
            .find(|device| describe(device).is_some_and(|device| device.id == wanted || device.name == wanted)),
    };
    found.ok_or_else(|| DeviceError::NotFound(direction.kind()))
}

/// Rates that are converted to and from ours, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// The format closest to ours, mono float at 48 kHz, that the device offers. Another rate is converted, which costs 10 ms.
pub(crate) fn config(device: &cpal::Device, direction: Direction) -> Result<(StreamConfig, SampleFormat), DeviceError> {
    let ranges: Result<Vec<_>, _> = match direction {
        Direction::Input => device.supported_input_configs().map(Iterator::collect),
        Direction::Output => device.supported_output_configs().map(Iterator::collect),
    };
    let ranges = ranges.map_err(|error| refused(direction.kind(), &error))?;
    let preference = |format| match format {
        SampleFormat::F32 => Some(0),
        SampleFormat::I16 => Some(1),
        SampleFormat::I32 => Some(2),
        _ => None,
    };
    let (channels, format, rate) = ranges
        .iter()
        .filter_map(|range| {
            let rate = nearest(range.min_sample_rate(), range.max_sample_rate())?;
            Some((range.channels(), range.sample_format(), preference(range.sample_format())?, rate))
        })
        .min_by_key(|(channels, _, preference, rate)| (rate.abs_diff(AudioFrame::RATE), *channels, *preference))
        .map(|(channels, format, _, rate)| (channels, format, rate))
        .ok_or_else(|| DeviceError::Failed { kind: direction.kind(), attempt: "find a format that we can convert" })?;
    let config = StreamConfig { channels, sample_rate: rate, buffer_size: BufferSize::Fixed(rate / 100) };
    Ok((config, format))
}

/// The rate of a range that is nearest to ours; none outside of what is converted.
fn nearest(least: u32, most: u32) -> Option<u32> {
    (least <= most).then(|| AudioFrame::RATE.clamp(least, most)).filter(|rate| RATES.contains(rate))
}

/// What an error of the sound system means for the person.
pub(crate) fn refused(kind: DeviceKind, error: &cpal::Error) -> DeviceError {
    match error.kind() {
        ErrorKind::DeviceBusy => DeviceError::Busy(kind),
        ErrorKind::PermissionDenied => DeviceError::Refused(kind),
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => DeviceError::NotFound(kind),
        _ => DeviceError::Failed { kind, attempt: "open the stream" },
    }
}

/// Whether a running stream will deliver nothing more.
pub(crate) fn is_fatal(error: &cpal::Error) -> bool {
    !matches!(error.kind(), ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied)
}

/// A stream with its thread; closed on drop, which waits for the device to let go.
pub(crate) struct KeptStream {
    outcome: Receiver<Result<(), DeviceError>>,
    opened: bool,
    close: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeptStream {
    /// Opens and starts a stream on a thread named after the device.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] when there is no thread to be had.
    pub(crate) fn open(
        direction: Direction,
        open: impl FnOnce() -> Result<cpal::Stream, DeviceError> + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let (told, outcome) = sync_channel(1);
        let (close, closing) = sync_channel::<()>(0);
        let kind = direction.kind();
        let thread = std::thread::Builder::new()
            .name(kind.to_string())
            .spawn(move || {
                let opened = open().and_then(|stream| match stream.play() {
                    Ok(()) => Ok(stream),
                    Err(error) => Err(refused(kind, &error)),
                });
                let (stream, outcome) = match opened {
                    Ok(stream) => (Some(stream), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // Nobody listens any more when the engine stopped meanwhile.
                told.send(outcome).ok();
                if let Some(stream) = stream {
                    // It fails when the other end is dropped, which is the sign to close.
                    closing.recv().ok();
                    drop(stream);
                }
            })
            .map_err(|_no_thread| DeviceError::Failed { kind, attempt: "start its thread" })?;
        Ok(Self { outcome, opened: false, close: Some(close), thread: Some(thread) })
    }

    /// Whether the stream runs by now.
    ///
    /// # Errors
    /// Once, the [`DeviceError`] for which it did not open.
    pub(crate) fn is_open(&mut self) -> Result<bool, DeviceError> {
        if !self.opened {
            match self.outcome.try_recv() {
                Ok(outcome) => {
                    outcome?;
                    self.opened = true;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
        }
        Ok(self.opened)
    }
}

impl Drop for KeptStream {
    fn drop(&mut self) {
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported on its own.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_rate_is_taken_where_it_is_and_the_nearest_one_else() {
        assert_eq!(nearest(8_000, 192_000), Some(48_000));
        assert_eq!(nearest(44_100, 44_100), Some(44_100));
        assert_eq!(nearest(88_200, 192_000), Some(88_200));
        assert_eq!(nearest(1, 4_000), None);
        assert_eq!(nearest(9, 1), None);
    }

    #[test]
    fn a_stream_that_does_not_open_says_why_and_its_thread_ends() {
        let missing = DeviceError::NotFound(DeviceKind::Speaker);
        let error = missing.clone();
        let mut kept = KeptStream::open(Direction::Output, move || Err(error)).unwrap();
        let told = loop {
            match kept.is_open() {
                Ok(open) => assert!(!open),
                Err(error) => break error,
            }
            std::thread::yield_now();
        };
        assert_eq!(told, missing);
        drop(kept);
    }
}
