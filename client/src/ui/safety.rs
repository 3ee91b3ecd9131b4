//! The spoken check: four words and the same as digits, compared aloud.

use egui::{RichText, Role, Ui};

use super::button::Button;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Tone};
use super::widget::{badge_ui, banner_ui, body_ui, card_ui, muted_ui, subheading_ui};
use crate::session::{Command, SafetyState};

/// Paints the panel in the state of the check. `ready` is false while there is nobody to compare with.
pub(crate) fn safety_ui(ui: &mut Ui, state: &SafetyState, ready: bool) -> Option<Command> {
    card_ui(ui, |ui| {
        subheading_ui(ui, &text("safety-title"));
        match state {
            SafetyState::Idle => {
                muted_ui(ui, &text("safety-lead"));
                start_ui(ui, ready)
            }
            SafetyState::Waiting => {
                badge_ui(ui, Tone::Info, Icon::Clock, &text("safety-waiting"));
                None
            }
            SafetyState::Compare { words, digits } => compare_ui(ui, words, digits),
            SafetyState::Verified => {
                badge_ui(ui, Tone::Good, Icon::Shield, &text("safety-verified"));
                None
            }
            SafetyState::Mismatch => {
                banner_ui(ui, Tone::Bad, &text("safety-mismatch"), &[], |_| ());
                None
            }
            SafetyState::RosterChanged => {
                badge_ui(ui, Tone::Caution, Icon::Warning, &text("safety-changed"));
                start_ui(ui, ready)
            }
        }
    })
}

fn start_ui(ui: &mut Ui, ready: bool) -> Option<Command> {
    let start = Button::secondary(text("safety-start")).icon(Icon::Shield).full_width();
    ui.add_enabled(ready, start).clicked().then_some(Command::SafetyStart)
}

fn compare_ui(ui: &mut Ui, words: &[String], digits: &str) -> Option<Command> {
    body_ui(ui, &text("safety-read"));
    let joined = words.join(" ");
    let shown = RichText::new(words.join("\n")).font(theme::subheading());
    let label = ui.add(egui::Label::new(shown).wrap().selectable(true));
    ui.ctx().accesskit_node_builder(label.id, |node| {
        node.set_role(Role::Label);
        node.set_value(fill("safety-words-spoken", [("words", joined.as_str().into())]));
    });
    muted_ui(ui, &text("safety-digits"));
    ui.label(RichText::new(digits).font(theme::subheading()));
    let matches = ui.add(Button::primary(text("safety-match")).icon(Icon::Check).full_width()).clicked();
    let differ = ui.add(Button::secondary(text("safety-differ")).icon(Icon::Cross).full_width()).clicked();
    (matches || differ).then_some(Command::SafetyAnswer { matches })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: SafetyState) -> Stage<'static, ()> {
        Stage::new((), move |ui, ()| safety_ui(ui, &state, true))
    }

    #[test]
    fn words_and_digits_are_compared_by_people() {
        let mut match_stage = stage(sample::compare());
        assert!(match_stage.shows("Safety words: harbour velvet ladder comet"));
        assert!(match_stage.shows("4821 0937"));
        match_stage.click("They match");
        assert!(matches!(match_stage.command(), Some(Command::SafetyAnswer { matches: true })));
        let mut differ = stage(sample::compare());
        differ.click("They don’t match");
        assert!(matches!(differ.command(), Some(Command::SafetyAnswer { matches: false })));
    }

    #[test]
    fn a_mismatch_says_what_to_do() {
        assert!(stage(SafetyState::Mismatch).shows("Leave this call and phone each other."));
    }

    #[test]
    fn a_changed_roster_offers_a_new_check() {
        let mut stage = stage(SafetyState::RosterChanged);
        stage.click("Compare words");
        assert!(matches!(stage.command(), Some(Command::SafetyStart)));
    }
}
