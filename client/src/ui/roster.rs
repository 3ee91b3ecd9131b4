//! Who holds keys: the members of the MLS tree, always on screen during a call.

use egui::{RichText, Role as Part, Sense, Ui, Vec2, WidgetInfo};

use super::button::Button;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Palette, Tone};
use super::widget::{Answer, badge_ui, muted_ui, question_ui, small_card_ui, subheading_ui};
use crate::session::{AdmittedBy, Command, Role, RosterRow, SourceState, VouchedBy};

/// What a host is asked about a member before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// To let this colleague run the call.
    HandOver(u32),
    /// To take this member out.
    Remove(u32),
}

/// Paints the members, the person's own row included; a host may take the others out and hand the call over to a
/// colleague, each after a question.
pub(crate) fn roster_ui(
    ui: &mut Ui,
    members: &[RosterRow],
    host: bool,
    asked: &mut Option<Question>,
) -> Option<Command> {
    let mut command = None;
    // With one clinician nobody asks who runs the call.
    let several = members.iter().filter(|member| member.vouched == VouchedBy::Practice).count() > 1;
    let count = fill("call-people-count", [("count", members.len().into())]);
    subheading_ui(ui, &format!("{} · {count}", text("call-people")));
    for member in members {
        small_card_ui(ui, |ui| {
            row_ui(ui, member, several);
            if host && !member.you && !member.removing {
                let wanted = question_for_ui(ui, member, asked);
                command = command.take().or(wanted);
            }
        });
    }
    command
}

/// What a host can do about a member, with a question before it.
fn question_for_ui(ui: &mut Ui, member: &RosterRow, asked: &mut Option<Question>) -> Option<Command> {
    let name = shown_name(member);
    let leaf = member.leaf;
    let named = |id: &str| fill(id, [("name", name.as_str().into())]);
    let (command, words, yes) = match *asked {
        Some(Question::Remove(about)) if about == leaf => {
            let words = ["roster-remove-sure", "roster-remove-what", "roster-remove-no"];
            (Command::Remove { leaf }, words, Button::danger(text("roster-remove-yes")))
        }
        Some(Question::HandOver(about)) if about == leaf => {
            let words = ["roster-hand-over-sure", "roster-hand-over-what", "roster-hand-over-no"];
            (Command::HandOver { leaf }, words, Button::primary(text("roster-hand-over-yes")))
        }
        _ => {
            ui.horizontal_wrapped(|ui| {
                let hand_over = Button::quiet(text("roster-hand-over")).icon(Icon::Forward);
                if member.deputy && ui.add(hand_over.spoken(named("roster-hand-over-spoken")).compact()).clicked() {
                    *asked = Some(Question::HandOver(leaf));
                }
                let remove = Button::quiet(text("roster-remove")).icon(Icon::Leave);
                if ui.add(remove.spoken(named("roster-remove-spoken")).compact()).clicked() {
                    *asked = Some(Question::Remove(leaf));
                }
            });
            return None;
        }
    };
    let [sure, what, no] = words;
    let answer = question_ui(ui, &named(sure), yes, Button::secondary(text(no)), |ui| {
        muted_ui(ui, &named(what));
        true
    })?;
    *asked = None;
    (answer == Answer::Yes).then_some(command)
}

fn row_ui(ui: &mut Ui, member: &RosterRow, several: bool) {
    let palette = Palette::of(ui);
    let name = shown_name(member);
    let role = text(role_id(member.role));
    ui.spacing_mut().item_spacing.y = 6.0;
    ui.horizontal(|ui| {
        initials_ui(ui, &name);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let label = ui.add(egui::Label::new(RichText::new(&name).font(theme::strong())).wrap());
            ui.ctx().accesskit_node_builder(label.id, |node| {
                node.set_role(Part::ListItem);
                node.set_label(fill(
                    "roster-row-spoken",
                    [("name", name.as_str().into()), ("role", role.as_str().into())],
                ));
            });
            // A row is as high as a button unless it is told otherwise.
            ui.spacing_mut().interact_size.y = 20.0;
            ui.horizontal_wrapped(|ui| {
                let also = [(member.you, "roster-you"), (several && member.hosts, "roster-hosts")];
                let also = also.into_iter().filter(|(is_so, _)| *is_so).map(|(_, id)| text(id));
                let parts: Vec<String> = std::iter::once(role.clone()).chain(also).collect();
                ui.label(RichText::new(parts.join(" · ")).font(theme::small()).color(palette.muted));
                // What works is a sign; what does not gets its words below.
                sources(member).filter(|source| source.on).for_each(|source| sign_ui(ui, &source));
            });
        });
    });
    let vouched = match (member.vouched, &member.admitted_by) {
        (VouchedBy::Practice, _) => text("roster-vouched-practice"),
        (VouchedBy::Invitation, None) => text("roster-vouched-invitation"),
        (VouchedBy::Invitation, Some(AdmittedBy::You)) => text("roster-vouched-you"),
        (VouchedBy::Invitation, Some(AdmittedBy::Host(name))) => {
            fill("roster-vouched-host", [("name", name.as_str().into())])
        }
    };
    if member.removing {
        badge_ui(ui, Tone::Caution, Icon::Clock, &text("roster-removing"));
        return;
    }
    badge_ui(ui, Tone::Good, Icon::Shield, &vouched);
    if member.verified {
        badge_ui(ui, Tone::Good, Icon::Check, &text("roster-verified"));
    }
    if sources(member).any(|source| !source.on) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().interact_size.y = 20.0;
            sources(member).filter(|source| !source.on).for_each(|source| state_ui(ui, source.icon, source.words));
        });
    }
}

/// Microphone or camera of a member.
struct Source {
    on: bool,
    icon: Icon,
    words: &'static str,
}

fn sources(member: &RosterRow) -> impl Iterator<Item = Source> {
    let (icon, words) = match member.media.microphone {
        SourceState::On => (Icon::Microphone, "roster-mic-on"),
        SourceState::Off => (Icon::MicrophoneOff, "roster-mic-off"),
        SourceState::Missing => (Icon::MicrophoneOff, "roster-mic-missing"),
    };
    let microphone = Source { on: member.media.microphone == SourceState::On, icon, words };
    let (icon, words) = match member.media.camera {
        SourceState::On => (Icon::Camera, "roster-camera-on"),
        SourceState::Off => (Icon::CameraOff, "roster-camera-off"),
        SourceState::Missing => (Icon::CameraOff, "roster-camera-missing"),
    };
    let camera = Source { on: member.media.camera == SourceState::On, icon, words };
    [microphone, camera].into_iter()
}

/// An icon alone, with words for AccessKit.
fn sign_ui(ui: &mut Ui, source: &Source) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
    let words = text(source.words);
    response.widget_info(|| WidgetInfo::labeled(Part::Label, true, &words));
    source.icon.paint(ui.painter(), rect.center(), 17.0, Palette::of(ui).muted);
    response.on_hover_text(words);
}

/// Icon and words in one piece, so that a line breaks between two of them and not within.
fn state_ui(ui: &mut Ui, icon: Icon, id: &str) {
    const ICON: f32 = 17.0;
    let muted = Palette::of(ui).muted;
    let words = text(id);
    let galley = ui.painter().layout_no_wrap(words.clone(), theme::small(), muted);
    let size = galley.size() + Vec2::new(ICON + 6.0, 0.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Part::Label, true, &words));
    icon.paint(ui.painter(), egui::pos2(rect.left() + ICON / 2.0, rect.center().y), ICON, muted);
    ui.painter().galley(rect.min + Vec2::new(ICON + 6.0, 0.0), galley, muted);
}

fn initials_ui(ui: &mut Ui, name: &str) {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(40.0), Sense::hover());
    // Ornament: the name stands beside it.
    response.widget_info(|| WidgetInfo::new(Part::Unknown));
    ui.painter().circle_filled(rect.center(), 20.0, palette.primary);
    let initials: String =
        name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphabetic())).take(2).collect();
    let galley = ui.painter().layout_no_wrap(initials, theme::label(), palette.on_primary);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, palette.on_primary);
}

/// The member's name, or what it is when it has told none.
#[must_use]
pub(crate) fn shown_name(member: &RosterRow) -> String {
    match (&member.name, member.role) {
        (Some(name), _) if !name.is_empty() => name.as_str().to_owned(),
        (_, Role::Host) => text("roster-nameless-host"),
        (_, Role::Patient) => text("roster-nameless-patient"),
        _ => text("roster-nameless-other"),
    }
}

const fn role_id(role: Role) -> &'static str {
    match role {
        Role::Host => "role-host",
        Role::Patient => "role-patient",
        Role::Carer => "role-carer",
        Role::Interpreter => "role-interpreter",
        Role::Other => "role-other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(members: Vec<RosterRow>) -> Stage<'static, Option<Question>> {
        seen_by(true, members)
    }

    fn seen_by(host: bool, members: Vec<RosterRow>) -> Stage<'static, Option<Question>> {
        Stage::new(None, move |ui, asked| roster_ui(ui, &members, host, asked))
    }

    #[test]
    fn a_host_takes_a_member_out_after_a_question() {
        let mut stage = seen_by(true, sample::members());
        stage.click("Remove Mia Okafor from the call");
        assert!(stage.shows("They stop seeing and hearing you at once."));
        stage.click("Keep");
        assert!(stage.command().is_none());
        stage.click("Remove Mia Okafor from the call");
        stage.click("Remove now");
        let leaf = sample::members()[1].leaf;
        assert!(matches!(stage.command(), Some(Command::Remove { leaf: asked }) if asked == leaf));
    }

    #[test]
    fn a_host_hands_over_to_a_colleague_after_a_question_and_to_nobody_else() {
        let mut stage = seen_by(true, sample::with_colleague(true));
        assert!(!stage.shows("Hand the consultation over to Mia Okafor"));
        stage.click("Hand the consultation over to Dr Sam Lee");
        assert!(stage.shows("The patient stays in the call."));
        stage.click("Hand over now");
        assert!(matches!(stage.command(), Some(Command::HandOver { leaf: 2 })));
        assert!(!seen_by(false, sample::with_colleague(false)).shows("Hand over"));
    }

    #[test]
    fn who_runs_the_call_is_said_where_two_clinicians_are_in_it() {
        assert!(!stage(sample::members()).shows("runs this call"));
        assert!(stage(sample::with_colleague(true)).shows("runs this call"));
    }

    #[test]
    fn nobody_else_is_offered_that_and_nobody_twice() {
        assert!(!seen_by(false, sample::members()).shows("Remove"));
        let mut members = sample::members();
        members[1].removing = true;
        let stage = seen_by(true, members);
        assert!(stage.shows("Cut off, being removed"));
        assert!(!stage.shows("Remove Mia Okafor from the call"));
    }

    #[test]
    fn each_member_stands_with_name_role_and_who_vouches() {
        let stage = stage(sample::members());
        stage.find(Part::ListItem, "Dr Ada Byron, Clinician");
        stage.find(Part::ListItem, "Mia Okafor, Patient");
        assert!(stage.shows("Signed by the practice"));
        assert!(stage.shows("Link and code checked"));
    }

    #[test]
    fn a_guest_stands_with_who_let_it_in() {
        let mut members = sample::members();
        members[1].admitted_by = Some(AdmittedBy::You);
        assert!(stage(members.clone()).shows("Admitted by you"));
        members[1].admitted_by = Some(AdmittedBy::Host("Dr Ada Byron".into()));
        assert!(stage(members).shows("Admitted by Dr Ada Byron"));
    }

    #[test]
    fn a_nameless_member_is_shown_all_the_same() {
        let members = vec![RosterRow { name: None, role: Role::Carer, ..sample::members()[1].clone() }];
        stage(members).find(Part::ListItem, "Guest, Carer");
    }
}
