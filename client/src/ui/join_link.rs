//! Guest: the link, pasted.

use egui::Ui;

use super::button::Button;
use super::field::{self, Field};
use super::form::Typed;
use super::icon::Icon;
use super::message::text;
use super::shell;
use super::widget::{body_ui, heading_ui, hint_ui};
use crate::private::Private;
use crate::session::{Command, JoinLink};

/// Paints the field for the link.
pub(crate) fn join_link_ui(ui: &mut Ui, state: &JoinLink, link: &mut Typed) -> Option<Command> {
    shell::steps_ui(ui, 1, 4);
    heading_ui(ui, &text("joinlink-title"));
    body_ui(ui, &text("joinlink-lead"));
    let response = Field::new(&text("joinlink-field")).hint(&text("joinlink-hint")).focus().show(ui, link.buffer());
    let mut go = field::entered(ui, &response);
    let (mut back, mut nothing) = (false, false);
    let ready = !state.busy && !link.is_blank();
    ui.horizontal_wrapped(|ui| {
        let label = if state.busy { text("joinlink-busy") } else { text("action-continue") };
        go |= ui.add_enabled(ready, Button::primary(label).icon(Icon::Forward)).clicked();
        nothing = field::paste_ui(ui, &response, link.buffer());
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    field::nothing_pasted_ui(ui, nothing);
    hint_ui(ui, Icon::EyeOff, &text("joinlink-seen"));
    if back {
        return Some(Command::Back);
    }
    (go && ready).then(|| Command::PasteLink { text: Private::new(link.trimmed()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::Stage;

    #[test]
    fn the_link_goes_to_the_session_as_it_was_pasted() {
        let mut stage = Stage::new(Typed::default(), |ui, link| join_link_ui(ui, &JoinLink { busy: false }, link));
        stage.type_into("Invitation link", " quietroom:abc ");
        stage.click("Continue");
        assert!(matches!(stage.command(), Some(Command::PasteLink { text }) if text.as_str() == "quietroom:abc"));
    }

    #[test]
    fn an_empty_clipboard_is_told() {
        let mut stage = Stage::new(Typed::default(), |ui, link| join_link_ui(ui, &JoinLink { busy: false }, link));
        stage.click("Paste");
        for _ in 0..60 {
            stage.harness.step();
        }
        assert!(stage.shows("There is nothing to paste yet."));
        stage.type_into("Invitation link", "quietroom:abc");
        assert!(!stage.shows("There is nothing to paste yet."));
    }

    #[test]
    fn back_is_always_possible() {
        let mut stage = Stage::new(Typed::default(), |ui, link| join_link_ui(ui, &JoinLink { busy: true }, link));
        stage.click("Back");
        assert!(matches!(stage.command(), Some(Command::Back)));
    }
}
