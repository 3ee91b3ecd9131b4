//! What stands above the pictures of a call: who waits, what went wrong, what must be done, what the others cannot do.

use egui::Ui;

use super::background::background_ui;
use super::button::Button;
use super::controls;
use super::device_check::devices_ui;
use super::form::Forms;
use super::health;
use super::icon::Icon;
use super::message::{self, fill, text};
use super::roster;
use super::share;
use super::shell;
use super::theme::{self, Tone};
use super::video_tile::Tiles;
use super::waiting::waiting_banner_ui;
use super::widget::{badge_ui, banner_ui, halves_ui};
use crate::session::{Call, Command, ErrorCode, Held, Notice, RosterRow, SourceState, View};

/// Who waits, what went wrong, and what the others cannot do, in this order.
pub(crate) fn above_stage_ui(
    ui: &mut Ui,
    state: &Call,
    view: &View,
    now: u64,
    tiles: &Tiles,
    forms: &mut Forms,
) -> Option<Command> {
    let door = waiting_banner_ui(ui, &state.waiting, now, &mut forms.door);
    if let Some(code) = state.held.map(Held::code) {
        // Stays as long as it is so: unlike a notice it cannot be closed.
        let said = message::notice(&Notice::new(code), &view.phase);
        banner_ui(ui, Tone::Bad, &said.happened, &[&said.seen, &said.next, &said.code], |_| ());
        ui.add_space(theme::GAP);
    }
    let stepping_in = if state.may_step_in { step_in_ui(ui, state) } else { None };
    if state.must_compare {
        // The words stand beside it; it goes when they match.
        banner_ui(ui, Tone::Caution, &text("call-must-compare"), &[&text("call-must-compare-what")], |_| ());
        ui.add_space(theme::GAP);
    }
    let notice = shell::notice_ui(ui, view);
    if forms.health {
        health::card_of(ui, tiles.health.as_deref(), &state.members);
    }
    let sharing = match &state.sharing {
        Some(title) => share::bar_ui(ui, title, tiles),
        None if forms.sharing && state.host => share::picker_ui(ui, tiles, &mut forms.sharing),
        None => None,
    };
    let settings = if forms.settings { settings_ui(ui, state, tiles, forms) } else { None };
    if forms.help {
        shell::help_ui(ui, view.practice.as_ref());
    }
    // A notice that says the same in more words stands above it.
    let told = |member: &RosterRow| member.media.undecryptable && view.notice.as_ref().is_some_and(is_unverified);
    for member in state.members.iter().filter(|member| !member.you && !told(member)) {
        if let Some((tone, id)) = hindrance(member) {
            let name = roster::shown_name(member);
            banner_ui(ui, tone, &fill(id, [("name", name.as_str().into())]), &[], |_| ());
        }
    }
    if !state.microphone_on && !controls::missing(state.devices.microphone) {
        badge_ui(ui, Tone::Caution, Icon::MicrophoneOff, &text("call-muted-self"));
    }
    door.or(stepping_in).or(notice).or(sharing).or(settings)
}

/// Devices and background, side by side where there is room.
fn settings_ui(ui: &mut Ui, state: &Call, tiles: &Tiles, forms: &mut Forms) -> Option<Command> {
    let command = halves_ui(
        ui,
        forms,
        |ui, forms| {
            let command = background_ui(ui, &state.devices);
            controls::self_view_button_ui(ui, &mut forms.hide_self);
            command
        },
        |ui, forms| devices_ui(ui, &state.devices, tiles, &mut forms.choosing),
    );
    ui.add_space(theme::GAP);
    command
}

/// The host is gone, and this person may run the call.
fn step_in_ui(ui: &mut Ui, state: &Call) -> Option<Command> {
    let host = state.members.iter().find(|member| member.hosts).map(roster::shown_name);
    let title = fill("call-step-in", [("name", host.unwrap_or_default().into())]);
    let command = banner_ui(ui, Tone::Caution, &title, &[&text("call-step-in-what")], |ui| {
        ui.add(Button::primary(text("call-step-in-yes")).icon(Icon::Person)).clicked().then_some(Command::StepIn)
    });
    ui.add_space(theme::GAP);
    command
}

fn is_unverified(notice: &Notice) -> bool {
    notice.code == ErrorCode::E2e01
}

/// What the person should know about a member's sound and picture, the weightiest first.
fn hindrance(member: &RosterRow) -> Option<(Tone, &'static str)> {
    use SourceState::{Missing, Off};
    match member.media {
        media if media.undecryptable => Some((Tone::Caution, "call-undecryptable")),
        media if media.microphone == Missing && media.camera == Missing => Some((Tone::Info, "call-no-devices")),
        media if media.microphone == Missing => Some((Tone::Caution, "call-no-microphone")),
        media if media.camera == Missing => Some((Tone::Info, "call-no-camera")),
        media if media.microphone == Off => Some((Tone::Info, "call-muted")),
        _ => None,
    }
}
