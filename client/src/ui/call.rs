//! The consultation: pictures, who is in it, how it is protected, and the controls.
//!
//! Nothing floats over anything: waiting banner, notices and questions take their own room,
//! so the Admit button and the Leave button are always free.

use egui::{CentralPanel, Frame, Margin, Panel, Rect, ScrollArea, Ui, Vec2, pos2};

use super::above_stage::above_stage_ui;
use super::assessor;
use super::button::Button;
use super::clock;
use super::controls;
use super::form::Forms;
use super::health;
use super::icon::Icon;
use super::message::{fill, text};
use super::roster::{self, roster_ui};
use super::safety::safety_ui;
use super::share;
use super::theme::{self, Palette, Tone};
use super::video_tile::{Instead, Tiles, grid, name_tag, tile_ui};
use super::widget::{Answer, badge_ui, muted_ui, question_ui};
use crate::session::{Call, Command, Path, RosterRow, SafetyState, SourceState, View};

/// Below this width everything stands in one column, in points.
const NARROW: f32 = 760.0;
/// Below this height the side panel is one column that scrolls, in points: words to be compared would fill it.
const LOW: f32 = 440.0;
/// Width of the side panel, in points.
const SIDE: f32 = 310.0;

/// Paints the call over the whole window below the bar.
pub(crate) fn call_ui(
    ui: &mut Ui,
    state: &Call,
    view: &View,
    now: u64,
    tiles: &Tiles,
    forms: &mut Forms,
) -> Option<Command> {
    let palette = Palette::of(ui);
    let bar = Frame::new().fill(palette.surface).inner_margin(Margin::symmetric(20, 10));
    let controls = Panel::bottom("controls").frame(bar).show(ui, |ui| controls_ui(ui, state, forms)).inner;
    if state.assessor {
        // Above everything else, outside of what scrolls, and without anything to press.
        Panel::top("assessor").frame(bar).show(ui, assessor::banner_ui);
    }
    let narrow = ui.available_width() < NARROW;
    if !narrow {
        Panel::top("protection").frame(bar).show(ui, |ui| protection_ui(ui, state, now, tiles));
    }
    let room = Frame::new().fill(palette.background).inner_margin(Margin::same(16));
    if narrow {
        // Large text or a small window: one column that scrolls, with the controls always below it.
        let page = CentralPanel::no_frame().frame(room).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| narrow_ui(ui, state, view, now, tiles, forms)).inner
        });
        return controls.or(page.inner);
    }
    let people = Panel::right("people").frame(room).resizable(false).exact_size(SIDE);
    let people = people.show(ui, |ui| side_ui(ui, state, forms));
    let stage = CentralPanel::no_frame().frame(room).show(ui, |ui| {
        let highest = ui.available_height() * 0.6;
        let above = ScrollArea::vertical().max_height(highest).auto_shrink([false, true]);
        let command = above.show(ui, |ui| above_stage_ui(ui, state, view, now, tiles, forms)).inner;
        let room = ui.available_rect_before_wrap();
        stage_ui(ui, room, state, tiles, forms.hide_self);
        command
    });
    controls.or(stage.inner).or(people.inner)
}

fn narrow_ui(ui: &mut Ui, state: &Call, view: &View, now: u64, tiles: &Tiles, forms: &mut Forms) -> Option<Command> {
    protection_ui(ui, state, now, tiles);
    let command = above_stage_ui(ui, state, view, now, tiles, forms);
    let width = ui.available_width();
    let (_, room) = ui.allocate_space(Vec2::new(width, width * 9.0 / 16.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(room), |ui| stage_ui(ui, room, state, tiles, forms.hide_self));
    let people = people_ui(ui, state, forms);
    command.or(people)
}

/// The list scrolls; the spoken check stands below it as high as it needs to be, in reach whatever the list's length.
fn side_ui(ui: &mut Ui, state: &Call, forms: &mut Forms) -> Option<Command> {
    if ui.available_height() < LOW {
        return ScrollArea::vertical().auto_shrink(false).show(ui, |ui| people_ui(ui, state, forms)).inner;
    }
    let check = Panel::bottom("check").frame(Frame::new()).resizable(false).show_separator_line(false).show(ui, |ui| {
        ui.add_space(theme::GAP);
        check_ui(ui, state)
    });
    let list = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| list_ui(ui, state, forms));
    check.inner.or(list.inner)
}

fn list_ui(ui: &mut Ui, state: &Call, forms: &mut Forms) -> Option<Command> {
    roster_ui(ui, &state.members, state.host, &mut forms.asked)
}

fn check_ui(ui: &mut Ui, state: &Call) -> Option<Command> {
    safety_ui(ui, &state.safety, state.members.len() > 1 && state.encrypted)
}

/// In one column, words to be read aloud, or a warning, come before the list; at rest the list comes first.
fn people_ui(ui: &mut Ui, state: &Call, forms: &mut Forms) -> Option<Command> {
    if matches!(state.safety, SafetyState::Compare { .. } | SafetyState::Mismatch) {
        let command = check_ui(ui, state);
        let listed = list_ui(ui, state, forms);
        return command.or(listed);
    }
    let listed = list_ui(ui, state, forms);
    let command = check_ui(ui, state);
    listed.or(command)
}

/// Encryption, path and time, always on screen.
fn protection_ui(ui: &mut Ui, state: &Call, now: u64, tiles: &Tiles) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        if state.encrypted {
            badge_ui(ui, Tone::Good, Icon::Lock, &text("call-encrypted"));
        } else {
            badge_ui(ui, Tone::Caution, Icon::Clock, &text("call-not-encrypted"));
        }
        let (tone, icon, id) = match state.path {
            Path::None => (Tone::Caution, Icon::Warning, "call-path-none"),
            Path::Direct => (Tone::Good, Icon::Link, "call-path-direct"),
            Path::Relay => (Tone::Good, Icon::Link, "call-path-relay"),
        };
        if state.members.len() > 1 {
            badge_ui(ui, tone, icon, &text(id));
        }
        health::warning_ui(ui, tiles.health.as_deref());
        let time = clock::elapsed(now.saturating_sub(state.started_at));
        badge_ui(ui, Tone::Info, Icon::Clock, &fill("call-elapsed", [("time", time.into())]));
        if !state.label.is_empty() {
            muted_ui(ui, &state.label);
        }
    });
}

fn controls_ui(ui: &mut Ui, state: &Call, forms: &mut Forms) -> Option<Command> {
    if forms.leaving {
        let (title, what, yes) = if state.host {
            let what = if state.assessor { "call-end-what-assessor" } else { "call-end-what" };
            ("call-end-sure", what, "call-end-yes")
        } else {
            ("call-leave-sure", "call-leave-what", "call-leave-yes")
        };
        let yes = Button::danger(text(yes)).icon(Icon::Leave);
        let answer = question_ui(ui, &text(title), yes, Button::secondary(text("call-stay")), |ui| {
            muted_ui(ui, &text(what));
            true
        });
        forms.leaving = answer.is_none();
        if answer == Some(Answer::Yes) {
            return Some(if state.host { Command::EndForAll } else { Command::Leave });
        }
        return None;
    }
    ui.horizontal_wrapped(|ui| {
        let microphone = controls::microphone_ui(ui, &state.devices, state.microphone_on);
        let camera = controls::camera_ui(ui, &state.devices, state.camera_on);
        let share = if state.host { share::button_ui(ui, state, &mut forms.sharing) } else { None };
        controls::settings_button_ui(ui, &mut forms.settings);
        health::button_ui(ui, &mut forms.health);
        let words = text(if state.host { "call-end" } else { "call-leave" });
        let leave = Button::danger(words).icon(Icon::Leave);
        // At the far right, away from what is pressed often; on a line of its own where that is too tight.
        let right = ui.available_size_before_wrap().x - leave.width(ui);
        if right > 0.0 {
            ui.add_space(right);
        }
        forms.leaving |= ui.add(leave).clicked();
        microphone.or(camera).or(share)
    })
    .inner
}

fn stage_ui(ui: &mut Ui, room: Rect, state: &Call, tiles: &Tiles, hide_self: bool) {
    let others: Vec<&RosterRow> = state.members.iter().filter(|member| !member.you).collect();
    if others.is_empty() {
        let words = format!("{}\n{}", text("call-alone"), text("call-alone-lead"));
        tile_ui(ui, room, None, &words, Instead { icon: Icon::Door, words: &words });
    } else {
        let room = screen_ui(ui, room, &others, tiles);
        for (member, rect) in others.iter().zip(grid(room, others.len())) {
            member_ui(ui, member, rect, tiles);
        }
    }
    if !hide_self {
        self_ui(ui, room, state, tiles);
    }
}

/// A window that a member shares takes most of the room; what is left of it is for the pictures.
fn screen_ui(ui: &mut Ui, room: Rect, others: &[&RosterRow], tiles: &Tiles) -> Rect {
    let shared = others.iter().find(|member| member.hosts && member.media.screen == SourceState::On);
    let Some((member, tile)) = shared.and_then(|member| Some((member, tiles.screens.get(&member.leaf)?))) else {
        return room;
    };
    let words = fill("call-screen", [("name", roster::shown_name(member).as_str().into())]);
    let strip = (room.width() * 0.22).clamp(120.0, 260.0);
    let (screen, rest) = room.split_left_right_at_x(room.right() - strip);
    tile_ui(ui, screen.shrink2(Vec2::new(4.0, 0.0)), Some(tile), &words, Instead { icon: Icon::Clock, words: &words });
    name_tag(ui, screen, &words);
    rest
}

fn member_ui(ui: &mut Ui, member: &RosterRow, rect: Rect, tiles: &Tiles) {
    let name = roster::shown_name(member);
    let named = |id: &str| fill(id, [("name", name.as_str().into())]);
    let (icon, words) = match member.media {
        _ if member.removing => (Icon::Clock, text("roster-removing")),
        media if !media.connected => (Icon::Clock, named("call-disconnected")),
        media if media.camera == SourceState::Missing => (Icon::CameraOff, named("call-no-camera")),
        media if media.camera == SourceState::Off => (Icon::CameraOff, named("call-camera-off")),
        _ => (Icon::Clock, named("call-waiting-picture")),
    };
    // A camera that is off or gone shows its sentence, never a picture of minutes ago.
    let tile = tiles.remote.get(&member.leaf).filter(|_| member.media.camera == SourceState::On);
    tile_ui(ui, rect, tile, &named("call-stage"), Instead { icon, words: &words });
    name_tag(ui, rect, &name);
}

/// The own picture, small, in the lower right corner of the stage.
fn self_ui(ui: &mut Ui, stage: Rect, state: &Call, tiles: &Tiles) {
    let width = (stage.width() * 0.3).min(stage.height() * 0.6).min(220.0);
    let size = Vec2::new(width, width * 9.0 / 16.0);
    let corner = pos2(stage.right() - size.x - 12.0, stage.bottom() - size.y - 12.0);
    let rect = Rect::from_min_size(corner, size);
    let tile = state.camera_on.then_some(&tiles.own);
    let words = text("devices-nopicture");
    ui.painter().rect_filled(rect.expand(2.0), theme::CARD_RADIUS + 2, theme::DARK.line);
    tile_ui(ui, rect, tile, &text("call-self"), Instead { icon: Icon::CameraOff, words: &words });
}

#[cfg(test)]
mod tests {
    use egui::Role;

    use super::*;
    use crate::session::{Held, MemberMedia};
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: Call) -> Stage<'static, Forms> {
        let view = sample::view();
        Stage::new(Forms::default(), move |ui, forms| call_ui(ui, &state, &view, sample::NOW, &Tiles::default(), forms))
    }

    /// The window as it opens, without the bar above.
    fn at_first_size(state: Call) -> Stage<'static, Forms> {
        let mut stage = stage(state);
        stage.harness.set_size(Vec2::new(1100.0, 688.0));
        stage.harness.run();
        stage
    }

    #[test]
    fn two_people_stand_whole_in_the_list_without_scrolling() {
        let stage = at_first_size(sample::call(true));
        let last = stage.find(Role::Button, "Remove Mia Okafor from the call").rect();
        let below = stage.find(Role::Heading, "Safety words").rect();
        assert!(last.max.y < below.min.y, "{last:?} runs under {below:?}");
    }

    #[test]
    fn admit_stays_in_reach_while_a_call_runs() {
        let mut stage = stage(Call { waiting: vec![sample::knocker()], ..sample::call(true) });
        assert!(stage.shows("Mia Okafor is waiting"));
        stage.click("Admit Mia Okafor");
        stage.find(Role::Button, "End for all");
        stage.tick("I have compared name and birth date. This is the person I expect.");
        stage.click("Admit");
        assert!(matches!(stage.command(), Some(Command::Admit { .. })));
    }

    #[test]
    fn leaving_asks_once_more_and_admit_stays_free() {
        let mut stage = stage(Call { waiting: vec![sample::knocker()], ..sample::call(true) });
        stage.click("End for all");
        stage.find(Role::Button, "Admit Mia Okafor");
        stage.click("End for all now");
        assert!(matches!(stage.command(), Some(Command::EndForAll)));
    }

    #[test]
    fn a_split_call_says_so_and_cannot_be_waved_away() {
        let stage = stage(Call { held: Some(Held::Split), ..sample::call(false) });
        assert!(stage.shows("This call was split: not everybody is in the same one."));
        assert!(stage.shows("Nothing is sent any more."));
        assert!(!stage.shows("Close this notice"));
    }

    #[test]
    fn a_call_whose_link_the_server_knows_asks_for_the_words_and_cannot_be_waved_away() {
        let stage = stage(Call { must_compare: true, ..sample::call(false) });
        assert!(stage.shows("Compare the safety words before anything private is said."));
        assert!(!stage.shows("Close this notice"));
        assert!(!self::stage(sample::call(false)).shows("Compare the safety words before"));
    }

    #[test]
    fn a_colleague_is_asked_to_run_the_call_when_its_host_is_lost() {
        let mut stage = stage(sample::step_in());
        assert!(stage.shows("Dr Ada Byron seems to have lost the connection."));
        stage.click("Run this call");
        assert!(matches!(stage.command(), Some(Command::StepIn)));
    }

    #[test]
    fn a_removal_that_the_server_holds_back_says_that_nobody_hears_the_host() {
        let stage = stage(Call { held: Some(Held::Removing), ..sample::call(true) });
        assert!(stage.shows("A change of this call is being held back"));
    }

    #[test]
    fn an_assessor_call_says_so_to_everybody_and_cannot_be_waved_away() {
        for host in [true, false] {
            let stage = stage(Call { assessor: true, ..sample::call(host) });
            assert!(stage.shows("Assessor call: not private"));
            assert!(stage.shows("can be opened afterwards by whoever holds the key file"));
            assert!(!stage.shows("Close this notice"));
        }
        assert!(!stage(sample::call(true)).shows("Assessor call"));
    }

    #[test]
    fn the_words_and_their_buttons_are_on_screen_without_scrolling() {
        let stage = at_first_size(Call { safety: sample::compare(), ..sample::call(true) });
        let controls = stage.find(Role::Button, "End for all").rect();
        for label in ["They match", "They don’t match"] {
            let button = stage.find(Role::Button, label).rect();
            assert!(button.max.y < controls.min.y, "{label}: {button:?} runs under {controls:?}");
        }
    }

    #[test]
    fn a_guest_leaves_alone() {
        let mut stage = stage(sample::call(false));
        stage.click("Leave");
        stage.click("Leave now");
        assert!(matches!(stage.command(), Some(Command::Leave)));
    }

    #[test]
    fn encryption_path_time_and_roster_are_on_screen() {
        let stage = stage(sample::call(true));
        for part in ["End-to-end encrypted", "Direct connection", "Elapsed 4:07", "2 people"] {
            assert!(stage.shows(part), "{part}");
        }
        stage.find(Role::ListItem, "Mia Okafor, Patient");
    }

    #[test]
    fn the_other_side_is_told_of_a_missing_camera() {
        let mut state = sample::call(true);
        let media = MemberMedia { camera: SourceState::Missing, ..state.members[1].media };
        state.members[1].media = media;
        assert!(stage(state).shows("Mia Okafor has no camera. You can hear each other."));
    }

    #[test]
    fn devices_background_and_the_own_picture_are_in_the_settings() {
        let mut stage = stage(sample::call(false));
        stage.click("Settings");
        assert!(stage.shows("What the others see behind you"));
        stage.find(Role::Button, "Change the camera");
        stage.click("Hide my picture");
        stage.find(Role::Button, "Show my picture");
    }

    #[test]
    fn mute_says_what_a_press_does() {
        let mut on = stage(sample::call(false));
        on.click("Mute");
        assert!(matches!(on.command(), Some(Command::Mute { muted: true })));
        let mut off = stage(Call { microphone_on: false, ..sample::call(false) });
        assert!(off.shows("You are muted"));
        off.click("Unmute");
        assert!(matches!(off.command(), Some(Command::Mute { muted: false })));
    }
}
