//! Staff sign-in: name and passphrase, then the second factor.

use egui::{RichText, Ui};

use super::button::Button;
use super::field::{self, Field};
use super::form::SignInForm;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Palette};
use super::widget::{body_ui, card_ui, heading_ui, icon_line, muted_ui};
use crate::private::Private;
use crate::session::{Command, ServerInfo, SignIn, SignInStep};

/// Paints the step that is asked for, and which server it goes to.
pub(crate) fn sign_in_ui(
    ui: &mut Ui,
    state: &SignIn,
    server: Option<&ServerInfo>,
    form: &mut SignInForm,
) -> Option<Command> {
    let command = match state.step {
        SignInStep::Passphrase => passphrase_ui(ui, state, form),
        SignInStep::SecondFactor => second_factor_ui(ui, state, form),
    };
    if let Some(server) = server {
        ui.add_space(theme::GAP);
        server_ui(ui, server);
    }
    command
}

fn passphrase_ui(ui: &mut Ui, state: &SignIn, form: &mut SignInForm) -> Option<Command> {
    if !form.prefilled {
        form.prefilled = true;
        if form.name.is_blank() {
            form.name = state.name.as_str().into();
        }
    }
    heading_ui(ui, &text("signin-title"));
    body_ui(ui, &text("signin-lead"));
    ui.add_space(4.0);
    Field::new(&text("signin-name")).focus().show(ui, form.name.buffer());
    let passphrase = Field::new(&text("signin-passphrase")).secret(!form.show).show(ui, form.passphrase.buffer());
    let mut go = field::entered(ui, &passphrase);
    let (label, icon) = if form.show { ("signin-hide", Icon::EyeOff) } else { ("signin-show", Icon::Eye) };
    if ui.add(Button::quiet(text(label)).icon(icon).compact()).clicked() {
        form.show = !form.show;
    }
    let ready = !state.busy && !form.name.is_blank() && !form.passphrase.as_str().is_empty();
    let mut back = false;
    ui.horizontal_wrapped(|ui| {
        let label = if state.busy { text("signin-busy") } else { text("signin-go") };
        go |= ui.add_enabled(ready, Button::primary(label)).clicked();
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    if back {
        return Some(Command::Back);
    }
    (go && ready).then(|| Command::SignIn {
        name: Private::new(form.name.trimmed()),
        passphrase: Private::new(form.passphrase.as_str()),
    })
}

fn second_factor_ui(ui: &mut Ui, state: &SignIn, form: &mut SignInForm) -> Option<Command> {
    heading_ui(ui, &text("factor-title"));
    body_ui(ui, &text("factor-lead"));
    ui.add_space(4.0);
    let mut go = field::digits_ui(ui, &text("factor-code"), form.code.buffer(), 6, false);
    let ready = !state.busy && field::digits_in(form.code.as_str()) == 6;
    let mut back = false;
    ui.horizontal_wrapped(|ui| {
        let label = if state.busy { text("signin-busy") } else { text("factor-go") };
        go |= ui.add_enabled(ready, Button::primary(label)).clicked();
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    if back {
        return Some(Command::Back);
    }
    (go && ready).then(|| Command::SecondFactor { code: Private::new(form.code.trimmed()) })
}

fn server_ui(ui: &mut Ui, server: &ServerInfo) {
    card_ui(ui, |ui| {
        let words = fill("signin-server", [("address", server.address.as_str().into())]);
        icon_line(ui, Icon::Lock, Palette::of(ui).primary, RichText::new(words).font(theme::label()));
        muted_ui(ui, &text("signin-fingerprint"));
        ui.add(egui::Label::new(RichText::new(&server.fingerprint).font(theme::mono())).wrap());
        muted_ui(ui, &text("signin-server-why"));
    });
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::testing::Stage;

    fn state(step: SignInStep) -> SignIn {
        SignIn { step, name: Private::from("ada"), busy: false }
    }

    #[test]
    fn name_and_passphrase_become_one_command() {
        let state = state(SignInStep::Passphrase);
        let mut stage = Stage::new(SignInForm::default(), move |ui, form| sign_in_ui(ui, &state, None, form));
        stage.type_into("Passphrase", "correct horse");
        stage.click("Sign in");
        let Some(Command::SignIn { name, passphrase }) = stage.command() else { panic!("no sign-in") };
        assert_eq!((name.as_str(), passphrase.as_str()), ("ada", "correct horse"));
    }

    #[test]
    fn six_digits_are_needed_before_the_button_works() {
        let state = state(SignInStep::SecondFactor);
        let mut stage = Stage::new(SignInForm::default(), move |ui, form| sign_in_ui(ui, &state, None, form));
        stage.type_into("Authenticator code", "12345");
        assert!(stage.disabled("Confirm"));
        stage.type_into("Authenticator code", "6");
        stage.click("Confirm");
        assert!(matches!(stage.command(), Some(Command::SecondFactor { code }) if code.as_str() == "123 456"));
    }

    #[test]
    fn the_servers_fingerprint_is_shown() {
        let server = ServerInfo { address: "127.0.0.1:4400".into(), fingerprint: "9f2c 11aa".into() };
        let state = state(SignInStep::Passphrase);
        let stage = Stage::new(SignInForm::default(), move |ui, form| sign_in_ui(ui, &state, Some(&server), form));
        stage.harness.get_by_label("9f2c 11aa");
    }
}
