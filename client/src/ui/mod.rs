//! The window's screens: each paints its phase and returns what the person asked for, nothing else changes.
//!
//! Colours, sizes and fonts come from `theme`, words from `message`, small parts from `widget` and `field`.
//! What is being typed lives in [`Forms`] and goes with the phase.

mod about_you;
mod above_stage;
mod assessor;
#[cfg(feature = "lab")]
pub mod auto;
mod background;
mod booking;
mod button;
mod call;
pub(crate) mod clock;
mod controls;
mod device_check;
mod device_choice;
mod field;
mod form;
mod goodbye;
mod health;
mod icon;
mod invitation;
mod join_code;
mod join_link;
mod lobby_guest;
mod lobby_host;
mod mail;
mod message;
mod roster;
mod safety;
#[cfg(any(test, feature = "lab"))]
pub mod sample;
mod share;
mod shell;
mod sign_in;
mod start;
#[cfg(test)]
mod testing;
mod theme;
mod today;
mod video_tile;
mod waiting;
mod widget;

pub use form::Forms;
pub use theme::install as install_theme;
pub use video_tile::Tiles;

use egui::Ui;

use crate::session::{Command, Phase, View};

/// Paints the whole window for this view; `now` is Unix seconds.
pub fn window_ui(ui: &mut Ui, view: &View, now: u64, tiles: &Tiles, forms: &mut Forms) -> Option<Command> {
    shell::bar_ui(ui, view, &mut forms.help);
    if let Phase::Call(state) = &view.phase {
        return call::call_ui(ui, state, view, now, tiles, forms);
    }
    let width = match view.phase {
        Phase::Today(_) | Phase::LobbyHost(_) | Phase::Invite(_) | Phase::DeviceCheck(_) => theme::WIDE_COLUMN,
        _ => theme::COLUMN,
    };
    shell::page_ui(ui, view, forms.help, width, |ui| {
        ui.push_id(std::mem::discriminant(&view.phase), |ui| screen_ui(ui, view, now, tiles, forms)).inner
    })
}

fn screen_ui(ui: &mut Ui, view: &View, now: u64, tiles: &Tiles, forms: &mut Forms) -> Option<Command> {
    match &view.phase {
        Phase::Start => start::start_ui(ui),
        Phase::SignIn(state) => sign_in::sign_in_ui(ui, state, view.server.as_ref(), &mut forms.sign_in),
        Phase::Today(state) => today::today_ui(ui, state, view.connection, &mut forms.today),
        Phase::Booking(state) => booking::booking_ui(ui, state, now, &mut forms.booking),
        Phase::Invite(state) => invitation::invitation_ui(ui, state, view.practice.as_ref(), &mut forms.copied),
        Phase::LobbyHost(state) => lobby_host::lobby_host_ui(ui, state, now, tiles, forms),
        Phase::JoinLink(state) => join_link::join_link_ui(ui, state, &mut forms.link),
        Phase::JoinCode(state) => join_code::join_code_ui(ui, state, now, &mut forms.code),
        Phase::AboutYou(state) => about_you::about_you_ui(ui, state, &mut forms.about),
        Phase::DeviceCheck(state) => device_check::device_check_ui(ui, state, tiles, &mut forms.choosing),
        Phase::Assessor(state) => assessor::question_page_ui(ui, state),
        Phase::LobbyGuest(state) => lobby_guest::lobby_guest_ui(ui, state, view, now, &mut forms.leaving),
        Phase::Call(_) => None,
        Phase::Goodbye(state) => goodbye::goodbye_ui(ui, state, view.practice.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use egui::Role;
    use egui_kittest::Harness;
    use egui_kittest::kittest::{NodeT as _, Queryable as _};

    use super::*;

    /// Paints a screen in a window of this size, in points; the harness itself fails on a control without a name.
    fn painted(view: View, size: [f32; 2]) -> Harness<'static, Forms> {
        let mut installed = false;
        let mut harness = Harness::builder().with_size(size).build_ui_state(
            move |ui, forms: &mut Forms| {
                if !std::mem::replace(&mut installed, true) {
                    install_theme(ui.ctx());
                    return;
                }
                drop(window_ui(ui, &view, sample::NOW, &Tiles::default(), forms));
            },
            Forms::default(),
        );
        harness.run_steps(4);
        harness
    }

    #[test]
    fn every_control_of_every_screen_has_a_name_and_room_for_a_finger() {
        // The last size is 1100 × 760 with text at twice its size.
        for size in [[1100.0, 760.0], [900.0, 640.0], [550.0, 380.0]] {
            for (name, view) in sample::screens() {
                let harness = painted(view, size);
                for button in harness.query_all_by_role(Role::Button) {
                    let label = button.accesskit_node().label().unwrap_or_default();
                    assert!(!label.is_empty(), "a button without a name on {name}");
                    let rect = button.rect();
                    assert!(rect.height() >= theme::TARGET - 0.5, "{label} on {name} is {} high", rect.height());
                    assert!(rect.left() >= -0.5 && rect.right() <= size[0] + 0.5, "{label} on {name} is cut off");
                }
            }
        }
    }

    #[test]
    fn help_is_everywhere_and_the_practices_phone_on_every_guest_screen() {
        for (name, view) in sample::screens().into_iter().filter(|(_, view)| view.practice.is_some()) {
            let guest = !shell::is_staff(&view.phase);
            let harness = painted(view, [900.0, 640.0]);
            assert!(harness.query_by_role_and_label(Role::Button, "Help").is_some(), "no help on {name}");
            let phone = harness.query_all_by_label_contains("07 3123 4567").next().is_some();
            assert!(phone || !guest, "no phone on {name}");
        }
    }

    #[test]
    fn every_notice_on_a_guest_screen_says_code_next_step_and_phone() {
        for code in crate::session::ErrorCode::ALL {
            let view = View { notice: Some(crate::session::Notice::new(*code)), ..sample::view() };
            let harness = painted(view, [900.0, 900.0]);
            let shows = |part: &str| harness.query_all_by_label_contains(part).next().is_some();
            assert!(shows(code.as_str()), "{code:?} is not shown");
            assert!(shows("Call Rosewood Clinic on"), "no phone with {code:?}");
        }
    }
}
