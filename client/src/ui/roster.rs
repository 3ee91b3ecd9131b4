//! Who holds keys: the members of the MLS tree, always on screen during a call.

use egui::{RichText, Role as Part, Sense, Ui, Vec2, WidgetInfo};

use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Palette, Tone};
use super::widget::{badge_ui, card_ui, subheading_ui};
use crate::session::{Role, RosterRow, SourceState, VouchedBy};

/// Paints the members, the person's own row included.
pub(crate) fn roster_ui(ui: &mut Ui, members: &[RosterRow]) {
    let count = fill("call-people-count", [("count", members.len().into())]);
    subheading_ui(ui, &format!("{} · {count}", text("call-people")));
    for member in members {
        card_ui(ui, |ui| row_ui(ui, member));
    }
}

fn row_ui(ui: &mut Ui, member: &RosterRow) {
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
            let role = if member.you { format!("{role} · {}", text("roster-you")) } else { role.clone() };
            ui.label(RichText::new(role).font(theme::small()).color(palette.muted));
        });
    });
    let vouched = match member.vouched {
        VouchedBy::Practice => "roster-vouched-practice",
        VouchedBy::Invitation => "roster-vouched-invitation",
    };
    badge_ui(ui, Tone::Good, Icon::Shield, &text(vouched));
    if member.verified {
        badge_ui(ui, Tone::Good, Icon::Check, &text("roster-verified"));
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        let (icon, id) = match member.media.microphone {
            SourceState::On => (Icon::Microphone, "roster-mic-on"),
            SourceState::Off => (Icon::MicrophoneOff, "roster-mic-off"),
            SourceState::Missing => (Icon::MicrophoneOff, "roster-mic-missing"),
        };
        state_ui(ui, icon, id);
        let (icon, id) = match member.media.camera {
            SourceState::On => (Icon::Camera, "roster-camera-on"),
            SourceState::Off => (Icon::CameraOff, "roster-camera-off"),
            SourceState::Missing => (Icon::CameraOff, "roster-camera-missing"),
        };
        state_ui(ui, icon, id);
    });
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

    fn stage(members: Vec<RosterRow>) -> Stage<'static, ()> {
        Stage::new((), move |ui, ()| {
            roster_ui(ui, &members);
            None
        })
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
    fn a_nameless_member_is_shown_all_the_same() {
        let members = vec![RosterRow { name: None, role: Role::Carer, ..sample::members()[1].clone() }];
        stage(members).find(Part::ListItem, "Guest, Carer");
    }
}
