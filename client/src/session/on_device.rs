//! What becomes of the own devices, and of the picture of the camera, in every stage.

use media::{DeviceError, DeviceKind, EngineEvent};

use super::effect::{Device, MediaCommand};
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::message::Sources;
use super::view::{DeviceState, SourceState};
use super::{Session, Stage};
use crate::private::Private;

impl Session {
    /// Takes what is about the own devices; gives back what is not.
    pub(super) fn on_device_event(&mut self, event: EngineEvent, fx: &mut Effects) -> Option<EngineEvent> {
        match event {
            EngineEvent::Device(error) => self.on_device_error(&error, fx),
            EngineEvent::BackgroundFailed => {
                self.devices.background_failed = true;
                fx.tell(ErrorCode::Fx01);
            }
            EngineEvent::BackgroundWorks => {
                self.devices.background_failed = false;
                fx.settled = Some(ErrorCode::Fx01);
            }
            EngineEvent::ScreenEnded(error) => {
                // Nothing is shared any more if the person was faster.
                if self.sharing.is_some() {
                    let closed = matches!(error, DeviceError::NotFound(_));
                    fx.tell(if closed { ErrorCode::Shr02 } else { ErrorCode::Shr01 });
                    // Also where it was about the window before this one: better none than one that nobody is told of.
                    self.share(None, fx);
                }
            }
            event => return Some(event),
        }
        None
    }

    fn on_device_error(&mut self, error: &DeviceError, fx: &mut Effects) {
        let (device, missing) = match error.kind() {
            DeviceKind::Camera | DeviceKind::File | DeviceKind::Window => (Device::Camera, ErrorCode::Dev01),
            DeviceKind::Microphone => (Device::Microphone, ErrorCode::Dev02),
            DeviceKind::Speaker => (Device::Speaker, ErrorCode::Dev04),
        };
        let code = if matches!(error, DeviceError::Busy(_)) { ErrorCode::Dev03 } else { missing };
        fx.tell(code);
        self.on_device(device, DeviceState::Failed(code), fx);
    }

    pub(super) fn on_device(&mut self, device: Device, state: DeviceState, fx: &mut Effects) {
        let slot = match device {
            Device::Camera => &mut self.devices.camera,
            Device::Microphone => &mut self.devices.microphone,
            Device::Speaker => &mut self.devices.speaker,
        };
        if *slot != state {
            *slot = state;
            self.tell_sources(fx);
        }
    }

    /// Shares a window, or none. Only who hosts may, since the others show no other's, and only on the page that says so.
    pub(super) fn share(&mut self, window: Option<(u32, Private)>, fx: &mut Effects) {
        let may = matches!(&self.stage, Stage::Host(hosting) if hosting.called && hosting.room.is_host());
        let window = window.filter(|_| may);
        fx.media(MediaCommand::Share(window.as_ref().map(|(id, _)| *id)));
        self.sharing = window.map(|(_, title)| title);
        self.tell_sources(fx);
    }

    /// Whose windows are shown follows who hosts; who hosts no more shares no more.
    pub(super) fn follow_sharing(&mut self, fx: &mut Effects) {
        let Some(room) = self.room() else { return };
        room.follow_sharers(fx);
        let hosts = room.is_host();
        if self.sharing.is_some() && !hosts {
            self.share(None, fx);
        }
    }

    /// What the others are told about the own sources.
    pub(super) fn sources(&self) -> Sources {
        let source = |state: DeviceState, on: bool| match state {
            DeviceState::Failed(_) | DeviceState::Off => SourceState::Missing,
            DeviceState::Checking | DeviceState::Ready if on => SourceState::On,
            DeviceState::Checking | DeviceState::Ready => SourceState::Off,
        };
        Sources {
            microphone: source(self.devices.microphone, self.microphone_on),
            camera: source(self.devices.camera, self.camera_on),
            screen: if self.sharing.is_some() { SourceState::On } else { SourceState::Off },
        }
    }

    pub(super) fn tell_sources(&mut self, fx: &mut Effects) {
        let sources = self.sources();
        match &mut self.stage {
            Stage::Host(hosting) => hosting.room.set_sources(sources, fx),
            Stage::Guest(visiting) => visiting.room.set_sources(sources, fx),
            Stage::Colleague(colleague) => {
                if let Some(room) = &mut colleague.room {
                    room.set_sources(sources, fx);
                }
            }
            _ => {}
        }
    }
}
