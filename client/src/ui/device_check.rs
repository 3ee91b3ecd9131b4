//! Guest: the three devices in plain words. Continue is always possible.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo};

use super::background::background_ui;
use super::button::Button;
use super::device_choice::choice_ui;
use super::icon::Icon;
use super::message::{fill, text};
use super::shell;
use super::theme::{self, Palette, Tone};
use super::video_tile::{Instead, Tiles, tile_ui};
use super::widget::{badge_ui, body_ui, card_ui, halves_ui, heading_ui, hint_ui, muted_ui};
use crate::session::{Command, Device, DeviceCheck, DeviceState, Devices, ErrorCode, Notice, Phase};

/// Below this the microphone counts as silent, dBov.
const SILENCE_DBOV: f32 = -60.0;

/// Paints self view, level meter and the three results.
pub(crate) fn device_check_ui(
    ui: &mut Ui,
    state: &DeviceCheck,
    tiles: &Tiles,
    choosing: &mut Option<Device>,
) -> Option<Command> {
    shell::steps_ui(ui, 4, 4);
    heading_ui(ui, &text("devices-title"));
    body_ui(ui, &text("devices-lead"));
    halves_ui(
        ui,
        choosing,
        |ui, _| {
            self_view_ui(ui, &state.devices, tiles);
            hint_ui(ui, Icon::EyeOff, &text("devices-seen"));
            muted_ui(ui, &text("devices-knock"));
            // Above what may be left as it is, so that the way on is in sight.
            let command = onward_ui(ui);
            ui.add_space(theme::GAP);
            let background = background_ui(ui, &state.devices);
            command.or(background)
        },
        |ui, choosing| devices_ui(ui, &state.devices, tiles, choosing),
    )
}

fn onward_ui(ui: &mut Ui) -> Option<Command> {
    ui.horizontal_wrapped(|ui| {
        let onward = ui.add(Button::primary(text("action-continue")).icon(Icon::Forward)).clicked();
        let back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
        match (onward, back) {
            (true, _) => Some(Command::DevicesOk),
            (false, true) => Some(Command::Back),
            (false, false) => None,
        }
    })
    .inner
}

/// Paints what the others would see.
pub(crate) fn self_view_ui(ui: &mut Ui, devices: &Devices, tiles: &Tiles) {
    let width = ui.available_width().min(460.0);
    let (_, rect) = ui.allocate_space(Vec2::new(width, width * 9.0 / 16.0));
    let icon = if devices.camera == DeviceState::Checking { Icon::Camera } else { Icon::CameraOff };
    let words = match devices.camera {
        DeviceState::Checking => text("devices-checking"),
        DeviceState::Ready => text("devices-checking"),
        DeviceState::Failed(_) | DeviceState::Off => text("devices-nopicture"),
    };
    let own = (!works_without(devices.camera)).then_some(&tiles.own);
    tile_ui(ui, rect, own, &text("devices-self"), Instead { icon, words: &words });
}

/// Paints the three results, with a way to another device each, and the meter of the microphone.
pub(crate) fn devices_ui(
    ui: &mut Ui,
    devices: &Devices,
    tiles: &Tiles,
    choosing: &mut Option<Device>,
) -> Option<Command> {
    let list = tiles.devices.as_deref();
    let command = card_ui(ui, |ui| {
        device_ui(ui, Icon::Camera, "devices-camera", devices.camera, text("devices-camera-ready"));
        let camera = choice_ui(ui, Device::Camera, list, choosing);
        ui.separator();
        let silent = tiles.level_dbov.is_none_or(|level| level < SILENCE_DBOV);
        let ready = if silent { text("devices-microphone-quiet") } else { text("devices-microphone-ready") };
        device_ui(ui, Icon::Microphone, "devices-microphone", devices.microphone, ready);
        if devices.microphone == DeviceState::Ready {
            meter_ui(ui, tiles.level_dbov.unwrap_or(-127.0));
        }
        let microphone = choice_ui(ui, Device::Microphone, list, choosing);
        ui.separator();
        device_ui(ui, Icon::Speaker, "devices-speaker", devices.speaker, text("devices-speaker-ready"));
        let speaker = choice_ui(ui, Device::Speaker, list, choosing);
        camera.or(microphone).or(speaker)
    });
    if works_without(devices.camera) && works_without(devices.microphone) {
        body_ui(ui, &text("devices-all-missing"));
    }
    command
}

const fn works_without(state: DeviceState) -> bool {
    matches!(state, DeviceState::Failed(_) | DeviceState::Off)
}

fn device_ui(ui: &mut Ui, icon: Icon, name: &str, state: DeviceState, ready: String) {
    let name = text(name);
    let (tone, sign, words) = match state {
        DeviceState::Checking => (Tone::Info, Icon::Clock, text("devices-checking")),
        DeviceState::Ready => (Tone::Good, Icon::Check, ready),
        DeviceState::Failed(code) => (Tone::Caution, Icon::Warning, failure(code)),
        DeviceState::Off => (Tone::Info, Icon::Info, text("devices-off")),
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        ui.spacing_mut().interact_size.y = 24.0;
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(24.0), Sense::hover());
            icon.paint(ui.painter(), rect.center(), 22.0, Palette::of(ui).text);
            ui.label(egui::RichText::new(name).font(theme::strong()));
        });
        badge_ui(ui, tone, sign, &words);
        if let DeviceState::Failed(code) = state {
            muted_ui(ui, &fill("error-code", [("code", code.as_str().into())]));
        }
    });
}

/// What happened and what to do, in one line.
fn failure(code: ErrorCode) -> String {
    let devices = Phase::DeviceCheck(DeviceCheck { devices: Devices::CHECKING });
    let said = super::message::notice(&Notice::new(code), &devices);
    format!("{} {}", said.happened, said.next)
}

/// A bar from silence to full scale, with its value for AccessKit.
fn meter_ui(ui: &mut Ui, level_dbov: f32) {
    let palette = Palette::of(ui);
    let share = ((level_dbov + 60.0) / 60.0).clamp(0.0, 1.0);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 14.0), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, text("devices-level"));
        info.value = Some(f64::from(share));
        info
    });
    ui.painter().rect_filled(rect, 7.0, palette.sunken);
    let bar = Rect::from_min_size(rect.min, Vec2::new(rect.width() * share, rect.height()));
    ui.painter().rect_filled(bar, 7.0, palette.tones.good.text);
    ui.painter().rect_stroke(rect, 7.0, egui::Stroke::new(1.0, palette.outline), egui::StrokeKind::Inside);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preferences::BackgroundChoice;
    use crate::ui::testing::Stage;

    fn stage(devices: Devices) -> Stage<'static, Option<Device>> {
        let tiles = Tiles::default();
        Stage::new(None, move |ui, choosing| device_check_ui(ui, &DeviceCheck { devices }, &tiles, choosing))
    }

    const NOTHING: Devices = Devices {
        background: BackgroundChoice::Shown,
        background_failed: false,
        camera: DeviceState::Failed(ErrorCode::Dev01),
        microphone: DeviceState::Failed(ErrorCode::Dev02),
        speaker: DeviceState::Failed(ErrorCode::Dev04),
    };

    #[test]
    fn continue_works_in_every_state() {
        for devices in [Devices::CHECKING, NOTHING] {
            let mut stage = stage(devices);
            stage.click("Continue");
            assert!(matches!(stage.command(), Some(Command::DevicesOk)));
        }
    }

    #[test]
    fn a_missing_camera_is_told_with_its_code_and_what_to_do() {
        let stage = stage(NOTHING);
        assert!(stage.shows("You can continue with voice only"));
        assert!(stage.shows("DEV-01"));
        assert!(stage.shows("Without camera and microphone you can still join"));
    }

    #[test]
    fn a_working_microphone_has_a_meter() {
        let devices = Devices { microphone: DeviceState::Ready, ..NOTHING };
        stage(devices).find(Role::Meter, "Microphone level");
    }
}
