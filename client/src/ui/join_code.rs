//! Guest: the 8 digits of the other channel, and the countdown of those who are early.

use egui::Ui;

use super::button::Button;
use super::clock;
use super::field;
use super::form::Typed;
use super::icon::Icon;
use super::message::{fill, text};
use super::shell;
use super::theme::Tone;
use super::widget::{banner_ui, body_ui, heading_ui, hint_ui};
use crate::private::Private;
use crate::session::{Command, JoinCode};

/// Digits of an invitation code (E2EE 3).
const DIGITS: usize = 8;

/// Paints the large field for the code.
pub(crate) fn join_code_ui(ui: &mut Ui, state: &JoinCode, now: u64, code: &mut Typed) -> Option<Command> {
    shell::steps_ui(ui, 2, 4);
    heading_ui(ui, &text("joincode-title"));
    if let Some(opens_at) = state.opens_at.filter(|opens_at| *opens_at > now) {
        let time = clock::day_and_time(opens_at);
        let title = fill("joincode-early", [("time", time.into()), ("left", left(opens_at - now).into())]);
        banner_ui(ui, Tone::Info, &title, &[&text("joincode-early-lead")], |_| ());
    }
    body_ui(ui, &text("joincode-lead"));
    let wrong = state.tries_left.is_some();
    let mut go = field::digits_ui(ui, &text("joincode-field"), code.buffer(), DIGITS, wrong);
    if let Some(tries) = state.tries_left {
        field::complaint_ui(ui, &fill("joincode-tries", [("tries", tries.into())]));
    }
    let ready = field::digits_in(code.as_str()) == DIGITS;
    let mut back = false;
    ui.horizontal_wrapped(|ui| {
        go |= ui.add_enabled(ready, Button::primary(text("action-continue")).icon(Icon::Forward)).clicked();
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    hint_ui(ui, Icon::EyeOff, &text("joinlink-seen"));
    if back {
        return Some(Command::Back);
    }
    (go && ready).then(|| Command::EnterCode { code: Private::new(code.trimmed()) })
}

fn left(seconds: u64) -> String {
    match seconds / 60 {
        minutes @ 0..90 => fill("joincode-in-minutes", [("minutes", minutes.into())]),
        minutes => fill("joincode-in-hours", [("hours", (minutes / 60).into())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::Stage;

    fn stage(state: JoinCode) -> Stage<'static, Typed> {
        Stage::new(Typed::default(), move |ui, code| join_code_ui(ui, &state, 1_000, code))
    }

    #[test]
    fn eight_digits_are_grouped_and_sent() {
        let mut stage = stage(JoinCode { tries_left: None, opens_at: None });
        stage.type_into("Code of 8 digits", "12345678");
        stage.click("Continue");
        assert!(matches!(stage.command(), Some(Command::EnterCode { code }) if code.as_str() == "1234 5678"));
    }

    #[test]
    fn the_field_has_the_keyboard_when_the_page_is_new() {
        let mut stage = stage(JoinCode { tries_left: None, opens_at: None });
        stage.harness.event(egui::Event::Text("12345678".into()));
        stage.harness.run();
        stage.harness.key_press(egui::Key::Enter);
        stage.harness.run();
        assert!(matches!(stage.command(), Some(Command::EnterCode { code }) if code.as_str() == "1234 5678"));
    }

    #[test]
    fn seven_digits_are_not_enough() {
        let mut stage = stage(JoinCode { tries_left: None, opens_at: None });
        stage.type_into("Code of 8 digits", "1234567");
        assert!(stage.disabled("Continue"));
    }

    #[test]
    fn a_wrong_code_shows_how_many_tries_are_left() {
        assert!(stage(JoinCode { tries_left: Some(2), opens_at: None }).shows("2 tries left"));
        assert!(stage(JoinCode { tries_left: Some(1), opens_at: None }).shows("1 try left"));
    }

    #[test]
    fn early_guests_read_when_the_door_opens() {
        let stage = stage(JoinCode { tries_left: None, opens_at: Some(1_000 + 600) });
        assert!(stage.shows("in 10 minutes"));
    }
}
