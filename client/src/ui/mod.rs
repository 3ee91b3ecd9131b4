//! The window's screens: each paints its phase and returns what the person asked for, nothing else changes.
//!
//! Colours, sizes and fonts come from `theme`, words from `message`, small parts from `widget` and `field`.
//! What is being typed lives in [`Forms`] and goes with the phase.

mod about_you;
#[cfg(feature = "lab")]
pub mod auto;
mod booking;
mod button;
mod call;
mod clock;
mod controls;
mod device_check;
mod field;
mod form;
mod goodbye;
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
        Phase::Today(state) => today::today_ui(ui, state, view.connection, &mut forms.revoke),
        Phase::Booking(state) => booking::booking_ui(ui, state, now, &mut forms.booking),
        Phase::Invite(state) => invitation::invitation_ui(ui, state, view.practice.as_ref(), &mut forms.copied),
        Phase::LobbyHost(state) => lobby_host::lobby_host_ui(ui, state, now, tiles, forms),
        Phase::JoinLink(state) => join_link::join_link_ui(ui, state, &mut forms.link),
        Phase::JoinCode(state) => join_code::join_code_ui(ui, state, now, &mut forms.code),
        Phase::AboutYou(state) => about_you::about_you_ui(ui, state, &mut forms.about),
        Phase::DeviceCheck(state) => device_check::device_check_ui(ui, state, tiles),
        Phase::LobbyGuest(state) => lobby_guest::lobby_guest_ui(ui, state, view, now, &mut forms.leaving),
        Phase::Call(_) => None,
        Phase::Goodbye(state) => goodbye::goodbye_ui(ui, state, view.practice.as_ref()),
    }
}
