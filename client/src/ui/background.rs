//! What others see behind the person: four choices, with a sentence on what each of them hides.

use egui::Ui;

use super::button::Button;
use super::icon::Icon;
use super::message::text;
use super::theme::{self, Tone};
use super::widget::{badge_ui, card_ui, muted_ui, subheading_ui};
use crate::preferences::BackgroundChoice;
use crate::session::{Command, Devices};

const CHOICES: [(BackgroundChoice, &str); 4] = [
    (BackgroundChoice::Shown, "background-shown"),
    (BackgroundChoice::Soft, "background-soft"),
    (BackgroundChoice::Strong, "background-strong"),
    (BackgroundChoice::Plain, "background-plain"),
];

/// Paints the choices.
pub(crate) fn background_ui(ui: &mut Ui, devices: &Devices) -> Option<Command> {
    let command = card_ui(ui, |ui| {
        subheading_ui(ui, &text("background-title"));
        let command = choices_ui(ui, devices.background);
        if devices.background_failed {
            badge_ui(ui, Tone::Caution, Icon::Warning, &text("background-failed"));
        }
        let what = match devices.background {
            BackgroundChoice::Shown => "background-shown-what",
            BackgroundChoice::Soft | BackgroundChoice::Strong => "background-blur-what",
            BackgroundChoice::Plain => "background-plain-what",
        };
        muted_ui(ui, &text(what));
        command
    });
    ui.add_space(theme::GAP);
    command
}

fn choices_ui(ui: &mut Ui, chosen: BackgroundChoice) -> Option<Command> {
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        for (choice, words) in CHOICES {
            if ui.add(Button::choice(text(words), choice == chosen)).clicked() && choice != chosen {
                command = Some(Command::Background { choice });
            }
        }
    });
    command
}

#[cfg(test)]
mod tests {
    use egui::Role;
    use egui_kittest::kittest::{NodeT as _, Queryable as _};

    use super::*;
    use crate::ui::testing::Stage;

    fn stage(devices: Devices) -> Stage<'static, ()> {
        Stage::new((), move |ui, ()| background_ui(ui, &devices))
    }

    #[test]
    fn each_choice_says_what_it_hides() {
        let with = |background| stage(Devices { background, ..Devices::CHECKING });
        assert!(with(BackgroundChoice::Shown).shows("The others see your room"));
        assert!(with(BackgroundChoice::Strong).shows("for comfort"));
        assert!(with(BackgroundChoice::Plain).shows("Nothing of your room is sent"));
    }

    #[test]
    fn another_choice_is_a_press_away_and_the_present_one_is_marked() {
        let mut stage = stage(Devices { background: BackgroundChoice::Soft, ..Devices::CHECKING });
        let chosen = stage.find(Role::RadioButton, "Soft blur");
        assert_eq!(chosen.accesskit_node().toggled(), Some(egui::accesskit::Toggled::True));
        stage.harness.get_by_role_and_label(Role::RadioButton, "Plain colour").click();
        stage.harness.run();
        assert!(matches!(stage.command(), Some(Command::Background { choice: BackgroundChoice::Plain })));
    }

    #[test]
    fn a_background_that_does_not_work_says_what_the_others_see() {
        let devices = Devices { background: BackgroundChoice::Plain, background_failed: true, ..Devices::CHECKING };
        assert!(stage(devices).shows("The others see an outline of a person"));
    }
}
