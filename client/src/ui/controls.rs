//! Own microphone, camera and picture: buttons that say what a press does, beside an icon of how it is now.

use egui::Ui;

use super::button::Button;
use super::icon::Icon;
use super::message::text;

use crate::session::{Command, DeviceState, Devices};

/// Paints the microphone button; without a microphone it says so and is off.
pub(crate) fn microphone_ui(ui: &mut Ui, devices: &Devices, on: bool) -> Option<Command> {
    if missing(devices.microphone) {
        ui.add_enabled(false, Button::secondary(text("call-mic-none")).icon(Icon::MicrophoneOff));
        return None;
    }
    let (id, icon) = if on { ("call-mute", Icon::Microphone) } else { ("call-unmute", Icon::MicrophoneOff) };
    ui.add(Button::secondary(text(id)).icon(icon)).clicked().then_some(Command::Mute { muted: on })
}

/// Paints the camera button; without a camera it says so and is off.
pub(crate) fn camera_ui(ui: &mut Ui, devices: &Devices, on: bool) -> Option<Command> {
    if missing(devices.camera) {
        ui.add_enabled(false, Button::secondary(text("call-camera-none")).icon(Icon::CameraOff));
        return None;
    }
    let (id, icon) = if on { ("call-camera-stop", Icon::Camera) } else { ("call-camera-start", Icon::CameraOff) };
    ui.add(Button::secondary(text(id)).icon(icon)).clicked().then_some(Command::Camera { on: !on })
}

/// Paints the button that hides and shows the own picture; this changes nothing of what is sent.
pub(crate) fn self_view_button_ui(ui: &mut Ui, hidden: &mut bool) {
    let (id, icon) = if *hidden { ("call-self-show", Icon::Eye) } else { ("call-self-hide", Icon::EyeOff) };
    if ui.add(Button::secondary(text(id)).icon(icon)).clicked() {
        *hidden = !*hidden;
    }
}

/// Opens and closes the card with devices and background.
pub(crate) fn settings_button_ui(ui: &mut Ui, open: &mut bool) {
    let words = text(if *open { "settings-close" } else { "settings-open" });
    if ui.add(Button::secondary(words).icon(Icon::Person)).clicked() {
        *open = !*open;
    }
}

/// Whether there is no such device to switch.
pub(crate) const fn missing(state: DeviceState) -> bool {
    matches!(state, DeviceState::Failed(_) | DeviceState::Off)
}
