//! A call whose keys are disclosed afterwards, so that an assessor can open a recording of it: nobody gets into one, or makes
//! one, without reading this.

use egui::Ui;

use super::button::Button;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Tone};
use super::widget::{self, body_ui, heading_ui};
use crate::session::{AssessorQuestion, Command};

/// Paints the red strip. Nothing in it can be pressed, so it stays for as long as its screen.
pub(crate) fn banner_ui(ui: &mut Ui) {
    widget::banner_ui(ui, Tone::Bad, &text("assessor-title"), &[&text("assessor-what")], |_| ());
    ui.add_space(theme::GAP);
}

/// Paints the guest's question. The button that stands out, and has the focus, leaves.
pub(crate) fn question_page_ui(ui: &mut Ui, state: &AssessorQuestion) -> Option<Command> {
    heading_ui(ui, &text("assessor-question"));
    banner_ui(ui);
    if let Some(host) = &state.host_name {
        body_ui(ui, &fill("assessor-host", [("host", host.as_str().into())]));
    }
    body_ui(ui, &text("assessor-patient"));
    ui.horizontal_wrapped(|ui| {
        let leave = ui.add(Button::primary(text("assessor-leave")).icon(Icon::Leave));
        if ui.memory(|memory| memory.focused().is_none()) {
            leave.request_focus();
        }
        let accept = ui.add(Button::secondary(text("assessor-accept")));
        match (leave.clicked(), accept.clicked()) {
            (true, _) => Some(Command::Leave),
            (false, true) => Some(Command::AcceptAssessor),
            (false, false) => None,
        }
    })
    .inner
}

#[cfg(test)]
mod tests {
    use egui::{Key, Role};

    use super::*;
    use crate::ui::testing::Stage;

    fn stage() -> Stage<'static, ()> {
        Stage::new((), |ui, ()| question_page_ui(ui, &AssessorQuestion { host_name: Some("Dr Ada Byron".into()) }))
    }

    #[test]
    fn the_page_says_what_it_means_and_each_button_does_what_it_says() {
        let mut stage = stage();
        assert!(stage.shows("Everything said and shown in this call can be opened afterwards"));
        assert!(stage.shows("Dr Ada Byron"));
        stage.click("Take part");
        assert!(matches!(stage.command(), Some(Command::AcceptAssessor)));
        stage.click("Leave");
        assert!(matches!(stage.command(), Some(Command::Leave)));
    }

    #[test]
    fn whoever_just_presses_enter_leaves() {
        let mut stage = stage();
        assert!(stage.command().is_none());
        assert!(stage.find(Role::Button, "Leave").is_focused());
        stage.harness.key_press(Key::Enter);
        stage.harness.run();
        assert!(matches!(stage.command(), Some(Command::Leave)));
    }
}
