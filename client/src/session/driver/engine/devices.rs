//! The devices of the engine: chosen, failed, told to work.

use std::sync::Arc;
use std::time::Instant;

use media::source::{VideoSourceSpec, small_picture, windows};
use media::{AudioSourceSpec, DeviceError, DeviceKind, DeviceList, SpeakerSpec};
use tokio::sync::mpsc;

use super::super::Done;
use super::{MediaHand, SETTLED};
use crate::pictures::Windows;
use crate::session::{Device, DeviceState};

impl MediaHand {
    /// Devices whose state is known now.
    pub(in super::super) fn poll(&mut self) -> Vec<(Device, DeviceState)> {
        self.look_at_health();
        let Some(engine) = &self.engine else { return Vec::new() };
        self.pictures.set_level(Some(engine.levels().microphone_dbov));
        let works = [engine.self_view().latest().is_some(), true, true];
        let mut told = Vec::new();
        for ((untold, works), device) in
            self.untold.iter_mut().zip(works).zip([Device::Camera, Device::Microphone, Device::Speaker])
        {
            if untold.is_some_and(|from| Instant::now() >= from) && works {
                *untold = None;
                told.push((device, DeviceState::Ready));
            }
        }
        told
    }

    /// A device failed. Where a chosen one is gone, the system's takes its place, and nobody needs to be told.
    pub(super) fn failed(&mut self, error: &DeviceError) -> bool {
        let device = match error.kind() {
            DeviceKind::Camera | DeviceKind::File | DeviceKind::Window => Device::Camera,
            DeviceKind::Microphone => Device::Microphone,
            DeviceKind::Speaker => Device::Speaker,
        };
        let worked = self.untold[device as usize].take().is_none();
        // Another camera than the one that showed the person a moment ago may show what it should not.
        let may = self.chosen[device as usize] && !(worked && device == Device::Camera);
        let replaced = may && matches!(error, DeviceError::NotFound(_));
        if replaced {
            self.use_device(device, None);
        }
        replaced
    }

    /// Takes another device, at once where the engine runs.
    pub(super) fn use_device(&mut self, device: Device, id: Option<String>) {
        self.chosen[device as usize] = id.is_some();
        match device {
            Device::Camera => self.options.video = Some(VideoSourceSpec::Camera(id)),
            Device::Microphone => self.options.audio = AudioSourceSpec::Microphone(id),
            Device::Speaker => self.options.speaker = SpeakerSpec::Device(id),
        }
        let Some(engine) = &self.engine else { return };
        self.untold[device as usize] = Some(Instant::now() + SETTLED);
        match device {
            Device::Camera => {
                engine.set_video_source(self.options.video.clone());
                self.pictures.set_own(Some(engine.self_view()));
            }
            Device::Microphone => engine.set_audio_source(self.options.audio.clone()),
            Device::Speaker => engine.set_speaker(self.options.speaker.clone()),
        }
    }

    /// Finds out which devices there are, on a thread of its own.
    pub(super) fn look_for_devices(&self, done: &mpsc::Sender<Done>) {
        let done = done.clone();
        self.runtime.spawn_blocking(move || {
            // Without a driver nobody waits for it.
            done.blocking_send(Done::Devices(Arc::new(DeviceList::look()))).ok();
        });
    }

    /// What was found.
    pub(in super::super) fn show_devices(&self, devices: Arc<DeviceList>) {
        if self.engine.is_some() {
            self.pictures.set_devices(devices);
            self.wake.wake();
        }
    }

    /// Finds out which windows could be shared, and how they look, on a thread of its own.
    pub(super) fn look_for_windows(&self, done: &mpsc::Sender<Done>) {
        let done = done.clone();
        self.runtime.spawn_blocking(move || {
            let windows = windows().unwrap_or_else(|error| {
                tracing::debug!(%error, "windows cannot be listed");
                Vec::new()
            });
            // One that closes meanwhile, or is minimised, has no picture.
            let windows = windows.into_iter().map(|window| {
                let picture = small_picture(window.id).ok().flatten();
                (window, picture)
            });
            // Without a driver nobody waits for it.
            done.blocking_send(Done::Windows(Arc::new(windows.collect()))).ok();
        });
    }

    /// What was found.
    pub(in super::super) fn show_windows(&self, windows: Windows) {
        if self.engine.is_some() {
            self.pictures.set_windows(windows);
            self.wake.wake();
        }
    }
}
