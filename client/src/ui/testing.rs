//! A stage for the screens' tests: one screen, its form, and the last command it gave; driven by role and label.

use egui::{Role, Ui};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};

use crate::session::Command;
use crate::ui::theme;

pub(crate) struct Props<F> {
    pub(crate) form: F,
    pub(crate) command: Option<Command>,
}

pub(crate) struct Stage<'a, F> {
    pub(crate) harness: Harness<'a, Props<F>>,
}

impl<'a, F: 'a> Stage<'a, F> {
    pub(crate) fn new(form: F, mut screen: impl FnMut(&mut Ui, &mut F) -> Option<Command> + 'a) -> Self {
        let mut installed = false;
        let harness = Harness::builder().with_size([900.0, 1400.0]).build_ui_state(
            move |ui, props: &mut Props<F>| {
                if !installed {
                    theme::install(ui.ctx());
                    installed = true;
                    return;
                }
                if let Some(command) = screen(ui, &mut props.form) {
                    props.command = Some(command);
                }
            },
            Props { form, command: None },
        );
        let mut stage = Self { harness };
        stage.harness.run();
        stage
    }

    pub(crate) fn find<'n>(&'n self, role: Role, label: &'n str) -> Node<'n> {
        self.harness.get_by_role_and_label(role, label)
    }

    pub(crate) fn disabled(&self, button: &str) -> bool {
        self.find(Role::Button, button).accesskit_node().is_disabled()
    }

    pub(crate) fn shows(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
            || self.harness.query_all_by(|node| node.value().is_some_and(|value| value.contains(part))).next().is_some()
    }

    pub(crate) fn click(&mut self, label: &str) {
        self.find(Role::Button, label).click();
        self.harness.run();
    }

    pub(crate) fn tick(&mut self, label: &str) {
        self.find(Role::CheckBox, label).click();
        self.harness.run();
    }

    /// Passphrase fields have a role of their own, so fields are found by label alone.
    pub(crate) fn type_into(&mut self, label: &str, text: &str) {
        self.harness.get_by_label(label).focus();
        self.harness.run();
        self.harness.get_by_label(label).type_text(text);
        self.harness.run();
    }

    pub(crate) fn command(&mut self) -> Option<Command> {
        self.harness.state_mut().command.take()
    }
}
