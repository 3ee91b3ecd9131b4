//! Who waits at the door, for the host: the panel of the lobby and the banner of the call.

use egui::{RichText, Ui};

use super::button::{Button, checkbox_ui};
use super::clock;
use super::form::DoorQuestion;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Tone};
use super::widget::{Answer, badge_ui, banner_ui, body_ui, card_ui, muted_ui, question_ui, subheading_ui};
use crate::session::{Command, Knocker};

/// Paints a card for each knocker, with the question that is open about it.
pub(crate) fn waiting_ui(
    ui: &mut Ui,
    waiting: &[Knocker],
    now: u64,
    door: &mut Option<DoorQuestion>,
) -> Option<Command> {
    subheading_ui(ui, &text("waiting-title"));
    if waiting.is_empty() {
        card_ui(ui, |ui| {
            body_ui(ui, &text("waiting-nobody"));
            muted_ui(ui, &text("waiting-nobody-lead"));
        });
    }
    let mut command = None;
    for knocker in waiting {
        let answer = card_ui(ui, |ui| knocker_ui(ui, knocker, now, door, Size::Card));
        command = command.or(answer);
    }
    command
}

/// Paints the banner of a running call: the first knocker with its Admit button, and how many more there are.
pub(crate) fn waiting_banner_ui(
    ui: &mut Ui,
    waiting: &[Knocker],
    now: u64,
    door: &mut Option<DoorQuestion>,
) -> Option<Command> {
    let first = waiting.first()?;
    let mut title = fill("call-waiting-banner", [("name", name_of(first).into())]);
    if waiting.len() > 1 {
        title = format!("{title} {}", fill("call-waiting-more", [("count", (waiting.len() - 1).into())]));
    }
    banner_ui(ui, Tone::Info, &title, &[], |ui| knocker_ui(ui, first, now, door, Size::Banner))
}

/// How much room a knocker gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// In the lobby: a line for each thing.
    Card,
    /// Above the stage of a call, below a title with the name: as few lines as can be.
    Banner,
}

fn knocker_ui(
    ui: &mut Ui,
    knocker: &Knocker,
    now: u64,
    door: &mut Option<DoorQuestion>,
    size: Size,
) -> Option<Command> {
    let name = name_of(knocker);
    if size == Size::Card {
        ui.label(RichText::new(&name).font(theme::subheading()));
    }
    card_of(ui, knocker, now, size);
    badges_ui(ui, knocker);
    if knocker.link_by_server {
        badge_ui(ui, Tone::Caution, Icon::Warning, &text("waiting-by-server"));
    }
    if knocker.admitting {
        badge_ui(ui, Tone::Good, Icon::Door, &text("waiting-admitting"));
        return None;
    }
    match door {
        Some(DoorQuestion::Admit { participant, .. }) if *participant == knocker.participant => {
            admit_ui(ui, knocker, &name, door)
        }
        Some(DoorQuestion::Deny { participant }) if *participant == knocker.participant => {
            deny_ui(ui, knocker, &name, door)
        }
        _ => {
            buttons_ui(ui, knocker, &name, door);
            None
        }
    }
}

fn card_of(ui: &mut Ui, knocker: &Knocker, now: u64, size: Size) {
    if knocker.name.is_none() {
        muted_ui(ui, &text(if knocker.colleague { "waiting-unverified" } else { "waiting-unsealed" }));
    }
    let lines = [
        (&knocker.birth_date, "waiting-birth", "date"),
        (&knocker.phone, "waiting-phone", "phone"),
        (&knocker.with_them, "waiting-with", "who"),
    ];
    let mut words: Vec<String> = lines
        .into_iter()
        .filter_map(|(value, id, key)| Some((value.as_ref().filter(|value| !value.is_empty())?, id, key)))
        .map(|(value, id, key)| fill(id, [(key, value.as_str().into())]))
        .collect();
    let minutes = clock::minutes_since(knocker.waiting_since, now);
    let waited = fill("waiting-since", [("minutes", minutes.into())]);
    if size == Size::Banner {
        words.push(waited);
        body_ui(ui, &words.join(" · "));
        return;
    }
    for line in words {
        body_ui(ui, &line);
    }
    muted_ui(ui, &waited);
}

fn badges_ui(ui: &mut Ui, knocker: &Knocker) {
    if knocker.colleague {
        if knocker.name.is_some() {
            badge_ui(ui, Tone::Good, Icon::Shield, &text("roster-vouched-practice"));
        }
        return;
    }
    let badge = knocker.badge;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        let mut proof = |ok: bool, yes: &str, no: &str| {
            let (tone, icon, id) = if ok { (Tone::Good, Icon::Check, yes) } else { (Tone::Caution, Icon::Cross, no) };
            badge_ui(ui, tone, icon, &text(id));
        };
        proof(badge.link_ok, "badge-link-ok", "badge-link-no");
        proof(badge.code_ok, "badge-code-ok", "badge-code-no");
    });
    if badge.code_failed {
        let words = fill("badge-code-failed", [("tries", badge.tries_left.into())]);
        badge_ui(ui, Tone::Caution, Icon::Warning, &words);
    }
}

fn buttons_ui(ui: &mut Ui, knocker: &Knocker, name: &str, door: &mut Option<DoorQuestion>) {
    let participant = || knocker.participant.clone();
    ui.horizontal_wrapped(|ui| {
        let spoken = fill("waiting-admit", [("name", name.into())]);
        let admit = Button::primary(text("waiting-admit-short")).icon(Icon::Door).spoken(spoken);
        if ui.add_enabled(knocker.ready, admit).clicked() {
            *door = Some(DoorQuestion::Admit { participant: participant(), compared: false });
        }
        let spoken = fill("waiting-deny-name", [("name", name.into())]);
        if ui.add(Button::secondary(text("waiting-deny")).spoken(spoken)).clicked() {
            *door = Some(DoorQuestion::Deny { participant: participant() });
        }
    });
    if !knocker.ready {
        muted_ui(ui, &text(if knocker.colleague { "waiting-notverified" } else { "waiting-notready" }));
    }
}

fn admit_ui(ui: &mut Ui, knocker: &Knocker, name: &str, door: &mut Option<DoorQuestion>) -> Option<Command> {
    let title = fill("admit-title", [("name", name.into())]);
    let yes = Button::primary(text("admit-yes")).icon(Icon::Door);
    let no = Button::secondary(text("admit-no"));
    let answer = question_ui(ui, &title, yes, no, |ui| {
        muted_ui(ui, &fill("admit-lead", [("label", knocker.appointment_label.as_str().into())]));
        let (why, tick) = if knocker.colleague {
            ("admit-colleague", "admit-colleague-check")
        } else {
            ("admit-compare", "admit-check")
        };
        body_ui(ui, &text(why));
        let Some(DoorQuestion::Admit { compared, .. }) = door.as_mut() else { return false };
        checkbox_ui(ui, compared, &text(tick));
        *compared && knocker.ready
    })?;
    *door = None;
    (answer == Answer::Yes)
        .then(|| Command::Admit { participant: knocker.participant.clone(), identity_confirmed: true })
}

fn deny_ui(ui: &mut Ui, knocker: &Knocker, name: &str, door: &mut Option<DoorQuestion>) -> Option<Command> {
    let title = fill("deny-title", [("name", name.into())]);
    let yes = Button::danger(text("deny-yes"));
    let no = Button::secondary(text("deny-no"));
    let answer = question_ui(ui, &title, yes, no, |ui| {
        body_ui(ui, &text("deny-lead"));
        true
    })?;
    *door = None;
    (answer == Answer::Yes).then(|| Command::Deny { participant: knocker.participant.clone() })
}

fn name_of(knocker: &Knocker) -> String {
    knocker.name.as_ref().map_or_else(|| text("waiting-nameless"), |name| name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::LinkBadge;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(knocker: Knocker) -> Stage<'static, Option<DoorQuestion>> {
        Stage::new(None, move |ui, door| waiting_ui(ui, std::slice::from_ref(&knocker), sample::NOW, door))
    }

    #[test]
    fn a_colleague_stands_with_its_certificate_and_comes_in_when_the_patient_was_told() {
        let mut stage = stage(sample::colleague());
        assert!(stage.shows("Signed by the practice") && !stage.shows("Link proven"));
        stage.click("Admit Dr Sam Lee");
        stage.tick("The others in this call know who is joining.");
        stage.click("Admit");
        assert!(matches!(stage.command(), Some(Command::Admit { .. })));
    }

    #[test]
    fn nobody_is_admitted_before_the_identity_is_confirmed() {
        let mut stage = stage(sample::knocker());
        stage.click("Admit Mia Okafor");
        assert!(stage.disabled("Admit"));
        stage.tick("I have compared name and birth date. This is the person I expect.");
        stage.click("Admit");
        let Some(Command::Admit { participant, identity_confirmed }) = stage.command() else { panic!("not admitted") };
        assert_eq!(participant, "p1");
        assert!(identity_confirmed);
    }

    #[test]
    fn turning_away_asks_once_more() {
        let mut stage = stage(sample::knocker());
        stage.click("Not now, Mia Okafor");
        assert!(stage.command().is_none());
        stage.click("Turn away");
        assert!(matches!(stage.command(), Some(Command::Deny { .. })));
    }

    #[test]
    fn an_unproven_guest_cannot_be_admitted_and_has_no_name() {
        let badge = LinkBadge { link_ok: true, code_ok: false, code_failed: true, tries_left: 2 };
        let stage =
            stage(Knocker { name: None, birth_date: None, phone: None, ready: false, badge, ..sample::knocker() });
        assert!(stage.disabled("Admit Somebody"));
        assert!(stage.shows("Code not proven"));
        assert!(stage.shows("A wrong code was tried. 2 tries left."));
    }

    #[test]
    fn escape_closes_the_question() {
        let mut stage = stage(sample::knocker());
        stage.click("Admit Mia Okafor");
        stage.harness.key_press(egui::Key::Escape);
        stage.harness.run();
        assert!(stage.harness.state().form.is_none());
    }
}
