//! The host's open room before anybody was admitted.

use egui::Ui;

use super::assessor;
use super::background::background_ui;
use super::button::Button;
use super::controls;
use super::device_check::{devices_ui, self_view_ui};
use super::form::Forms;
use super::icon::Icon;
use super::message::{fill, text};
use super::video_tile::Tiles;
use super::waiting::waiting_ui;
use super::widget::{Answer, body_ui, halves_ui, heading_ui, muted_ui, question_ui};
use crate::session::{Command, Device, LobbyHost};

/// Paints the waiting room beside the own picture.
pub(crate) fn lobby_host_ui(
    ui: &mut Ui,
    state: &LobbyHost,
    now: u64,
    tiles: &Tiles,
    forms: &mut Forms,
) -> Option<Command> {
    heading_ui(ui, &text("hostlobby-title"));
    body_ui(ui, &fill("hostlobby-lead", [("label", state.label.as_str().into())]));
    if state.assessor {
        assessor::banner_ui(ui);
    }
    let command = halves_ui(
        ui,
        forms,
        |ui, forms| waiting_ui(ui, &state.waiting, now, &mut forms.door),
        |ui, forms| own_ui(ui, state, tiles, &mut forms.choosing),
    );
    let leave = leave_ui(ui, &mut forms.leaving);
    command.or(leave)
}

fn own_ui(ui: &mut Ui, state: &LobbyHost, tiles: &Tiles, choosing: &mut Option<Device>) -> Option<Command> {
    self_view_ui(ui, &state.devices, tiles);
    let command = ui.horizontal_wrapped(|ui| {
        let microphone = controls::microphone_ui(ui, &state.devices, state.microphone_on);
        let camera = controls::camera_ui(ui, &state.devices, state.camera_on);
        microphone.or(camera)
    });
    let background = background_ui(ui, &state.devices);
    let device = devices_ui(ui, &state.devices, tiles, choosing);
    command.inner.or(background).or(device)
}

fn leave_ui(ui: &mut Ui, leaving: &mut bool) -> Option<Command> {
    if !*leaving {
        *leaving = ui.add(Button::secondary(text("hostlobby-close")).icon(Icon::Leave)).clicked();
        return None;
    }
    let yes = Button::danger(text("hostlobby-close-yes"));
    let no = Button::secondary(text("call-stay"));
    let answer = question_ui(ui, &text("hostlobby-close-sure"), yes, no, |ui| {
        muted_ui(ui, &text("hostlobby-close-what"));
        true
    })?;
    *leaving = false;
    (answer == Answer::Yes).then_some(Command::Leave)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    #[test]
    fn an_empty_room_says_that_nobody_can_see_or_hear() {
        let state = LobbyHost { waiting: Vec::new(), ..sample::lobby_host() };
        let stage = Stage::new(Forms::default(), move |ui, forms| {
            lobby_host_ui(ui, &state, sample::NOW, &Tiles::default(), forms)
        });
        assert!(stage.shows("Nobody can see or hear you until you admit them."));
        assert!(stage.shows("Nobody is waiting yet."));
    }

    #[test]
    fn a_knocker_stands_with_card_and_badges() {
        let state = sample::lobby_host();
        let stage = Stage::new(Forms::default(), move |ui, forms| {
            lobby_host_ui(ui, &state, sample::NOW, &Tiles::default(), forms)
        });
        for part in ["Mia Okafor", "Born 1984-03-07", "Link proven", "Code proven", "Waiting for 4 minutes"] {
            assert!(stage.shows(part), "{part}");
        }
    }
}
