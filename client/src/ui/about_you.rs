//! Guest: the lobby card, sealed to the clinician.

use egui::Ui;

use super::button::{Button, checkbox_ui};
use super::clock;
use super::field::{self, Field};
use super::form::AboutForm;
use super::icon::Icon;
use super::message::text;
use super::shell;
use super::theme::Tone;
use super::widget::{badge_ui, body_ui, heading_ui};
use crate::private::Private;
use crate::session::{AboutYou, CardField, Command};

/// Paints the card's fields.
pub(crate) fn about_you_ui(ui: &mut Ui, state: &AboutYou, form: &mut AboutForm) -> Option<Command> {
    shell::steps_ui(ui, 3, 4);
    heading_ui(ui, &text("about-title"));
    body_ui(ui, &text("about-lead"));
    badge_ui(ui, Tone::Good, Icon::Lock, &text("about-sealed"));
    let missing = missing(form);
    // What the session found missing, or the form itself once the person pressed the button.
    let wrong = |field: CardField| {
        ((form.tried && missing.contains(&field)) || (!form.tried && state.missing.contains(&field))).then(|| {
            text(match field {
                CardField::Name => "about-missing-name",
                CardField::BirthDate => "about-missing-birth",
                CardField::Consent => "about-missing-consent",
            })
        })
    };
    let (name, birth, consent) = (wrong(CardField::Name), wrong(CardField::BirthDate), wrong(CardField::Consent));
    Field::new(&text("about-name")).complaint(name.as_deref()).focus().show(ui, form.name.buffer());
    Field::new(&text("about-birth"))
        .hint(&text("about-birth-hint"))
        .complaint(birth.as_deref())
        .show(ui, form.birth_date.buffer());
    Field::new(&text("about-phone")).hint(&text("about-phone-hint")).show(ui, form.phone.buffer());
    if form.more {
        Field::new(&text("about-with")).hint(&text("about-with-hint")).show(ui, form.with_them.buffer());
    } else if ui.add(Button::quiet(text("about-more")).icon(Icon::Plus).compact()).clicked() {
        form.more = true;
    }
    checkbox_ui(ui, &mut form.consent, &text("about-consent"));
    if let Some(consent) = consent {
        field::complaint_ui(ui, &consent);
    }
    let (mut go, mut back) = (false, false);
    ui.horizontal_wrapped(|ui| {
        go = ui.add(Button::primary(text("action-continue")).icon(Icon::Forward)).clicked();
        back = ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked();
    });
    if back {
        return Some(Command::Back);
    }
    form.tried |= go;
    (go && missing.is_empty()).then(|| command(form))
}

fn missing(form: &AboutForm) -> Vec<CardField> {
    let mut missing = Vec::new();
    if form.name.is_blank() {
        missing.push(CardField::Name);
    }
    if clock::parse_date(form.birth_date.as_str()).is_none() {
        missing.push(CardField::BirthDate);
    }
    if !form.consent {
        missing.push(CardField::Consent);
    }
    missing
}

fn command(form: &AboutForm) -> Command {
    let with_them = form.more && !form.with_them.is_blank();
    // "1984-3-7" was accepted; the clinician compares "1984-03-07".
    let birth_date = clock::parse_date(form.birth_date.as_str()).map_or_else(String::new, |date| date.to_string());
    Command::AboutYou {
        name: Private::new(form.name.trimmed()),
        birth_date: Private::new(birth_date),
        phone: Private::new(form.phone.trimmed()),
        with_them: with_them.then(|| Private::new(form.with_them.trimmed())),
        consent: form.consent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::Stage;

    fn stage() -> Stage<'static, AboutForm> {
        Stage::new(AboutForm::default(), |ui, form| about_you_ui(ui, &AboutYou::default(), form))
    }

    #[test]
    fn name_birth_date_and_consent_make_a_card() {
        let mut stage = stage();
        stage.type_into("Full name", "Mia Okafor");
        stage.type_into("Birth date", "1984-3-7");
        stage.tick("I agree to a consultation by video. It is not recorded.");
        stage.click("Continue");
        let Some(Command::AboutYou { name, birth_date, phone, with_them, consent }) = stage.command() else {
            panic!("no card")
        };
        assert_eq!((name.as_str(), birth_date.as_str(), phone.as_str()), ("Mia Okafor", "1984-03-07", ""));
        assert!(consent && with_them.is_none());
    }

    #[test]
    fn each_missing_field_is_named() {
        let mut stage = stage();
        stage.click("Continue");
        assert!(stage.command().is_none());
        for part in ["Type your full name", "Type your birth date", "Tick the box"] {
            assert!(stage.shows(part), "{part}");
        }
    }

    #[test]
    fn the_card_says_to_whom_it_is_sealed() {
        assert!(stage().shows("Sealed to your clinician"));
    }
}
