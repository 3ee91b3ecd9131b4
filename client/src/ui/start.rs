//! First screen: two big choices.

use egui::Ui;

use super::button::choice_ui;
use super::icon::Icon;
use super::message::text;
use super::theme;
use super::widget::{body_ui, heading_ui, hint_ui};
use crate::session::Command;

/// Paints the choice between an invitation and signing in.
pub(crate) fn start_ui(ui: &mut Ui) -> Option<Command> {
    heading_ui(ui, &text("start-title"));
    body_ui(ui, &text("start-lead"));
    ui.add_space(theme::GAP);
    let guest = choice_ui(ui, Icon::Mail, &text("start-guest"), &text("start-guest-lead")).clicked();
    let staff = choice_ui(ui, Icon::Person, &text("start-staff"), &text("start-staff-lead")).clicked();
    ui.add_space(theme::GAP);
    hint_ui(ui, Icon::Lock, &text("start-promise"));
    if guest { Some(Command::ChooseGuest) } else { staff.then_some(Command::ChooseStaff) }
}
