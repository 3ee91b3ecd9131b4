//! Today's list: who waits, then the appointments with their invitations.

use egui::{Align, Layout, RichText, Ui};

use super::button::Button;
use super::clock;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Tone};
use super::widget::{Answer, badge_ui, banner_ui, card_ui, heading_ui, muted_ui, question_ui};
use crate::session::{AppointmentRow, Command, ConnectionState, InvitationState, Today};

/// Paints the list. `revoke` is the appointment whose invitation is about to be withdrawn.
pub(crate) fn today_ui(
    ui: &mut Ui,
    state: &Today,
    connection: ConnectionState,
    revoke: &mut Option<String>,
) -> Option<Command> {
    let mut command = head_ui(ui, state);
    if connection == ConnectionState::Reconnecting {
        let time = state.updated_at.map(clock::time_of_day).unwrap_or_default();
        banner_ui(ui, Tone::Caution, &fill("today-offline", [("time", time.into())]), &[], |_| ());
    }
    if let Some(days) = state.renew_in_days {
        banner_ui(ui, Tone::Caution, &fill("today-renew", [("days", days.into())]), &[], |_| ());
    }
    for row in state.appointments.iter().filter(|row| row.waiting > 0) {
        let waiting = waiting_ui(ui, row, state);
        command = command.or(waiting);
    }
    if state.appointments.is_empty() {
        card_ui(ui, |ui| {
            ui.label(RichText::new(text("today-empty")).font(theme::strong()));
            muted_ui(ui, &text("today-empty-lead"));
        });
    }
    for row in &state.appointments {
        let row = row_ui(ui, row, state, revoke);
        command = command.or(row);
    }
    command
}

fn head_ui(ui: &mut Ui, state: &Today) -> Option<Command> {
    let mut command = None;
    heading_ui(ui, &text("today-title"));
    let mut line = fill("today-greeting", [("name", state.display_name.as_str().into())]);
    if let Some(updated) = state.updated_at {
        line = format!("{line} · {}", fill("today-updated", [("time", clock::time_of_day(updated).into())]));
    }
    muted_ui(ui, &line);
    ui.horizontal_wrapped(|ui| {
        if ui.add(Button::primary(text("today-book")).icon(Icon::Plus)).clicked() {
            command = Some(Command::OpenBooking);
        }
        if ui.add_enabled(!state.busy, Button::secondary(text("today-refresh")).icon(Icon::Refresh)).clicked() {
            command = Some(Command::Refresh);
        }
        if ui.add(Button::secondary(text("today-signout")).icon(Icon::Door)).clicked() {
            command = Some(Command::SignOut);
        }
    });
    ui.add_space(4.0);
    command
}

fn waiting_ui(ui: &mut Ui, row: &AppointmentRow, state: &Today) -> Option<Command> {
    let title = fill("today-waiting-for", [("count", row.waiting.into()), ("label", row.label.as_str().into())]);
    banner_ui(ui, Tone::Info, &title, &[], |ui| {
        let admit = Button::primary(text("today-admit")).icon(Icon::Door);
        (state.may_host && ui.add(admit).clicked()).then(|| Command::StartConsultation { appointment: row.id.clone() })
    })
}

fn row_ui(ui: &mut Ui, row: &AppointmentRow, state: &Today, revoke: &mut Option<String>) -> Option<Command> {
    let mut command = None;
    card_ui(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(clock::day_and_time(row.starts_at)).font(theme::strong()));
            ui.label(RichText::new(&row.label).font(theme::subheading()));
            let (tone, icon, id) = invitation(row.invitation);
            badge_ui(ui, tone, icon, &text(id));
            if row.waiting > 0 {
                badge_ui(ui, Tone::Info, Icon::Door, &fill("today-waiting", [("count", row.waiting.into())]));
            }
        });
        if !state.may_host {
            return;
        }
        if revoke.as_deref() == Some(&row.id) {
            command = revoke_ui(ui, row, revoke);
            return;
        }
        ui.horizontal_wrapped(|ui| command = actions_ui(ui, row, state.busy, revoke));
    });
    command
}

fn actions_ui(ui: &mut Ui, row: &AppointmentRow, busy: bool, revoke: &mut Option<String>) -> Option<Command> {
    let named = |words: String| format!("{words}, {}", row.label);
    let appointment = || row.id.clone();
    let mut command = None;
    let invite = match row.invitation {
        InvitationState::None => Some(("today-invite", true)),
        InvitationState::Revoked | InvitationState::Expired => Some(("today-invite-again", true)),
        InvitationState::Elsewhere => Some(("today-invite-again", false)),
        InvitationState::Made | InvitationState::Used => None,
    };
    if let Some((id, main)) = invite {
        let words = text(id);
        let button = if main { Button::primary(&words) } else { Button::secondary(&words) };
        if ui.add_enabled(!busy, button.icon(Icon::Mail).compact().spoken(named(words))).clicked() {
            command = Some(Command::MakeInvitation { appointment: appointment() });
        }
    }
    if matches!(row.invitation, InvitationState::Made | InvitationState::Used) {
        let words = text("today-start");
        let button = Button::primary(&words).icon(Icon::Door).compact().spoken(named(words));
        if ui.add_enabled(!busy, button).clicked() {
            command = Some(Command::StartConsultation { appointment: appointment() });
        }
    }
    if matches!(row.invitation, InvitationState::Made | InvitationState::Elsewhere) {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let words = text("today-revoke");
            let button = Button::quiet(&words).icon(Icon::Cross).compact().spoken(named(words));
            if ui.add_enabled(!busy, button).clicked() {
                *revoke = Some(row.id.clone());
            }
        });
    }
    command
}

fn revoke_ui(ui: &mut Ui, row: &AppointmentRow, revoke: &mut Option<String>) -> Option<Command> {
    let title = fill("today-revoke-sure", [("label", row.label.as_str().into())]);
    let yes = Button::danger(text("today-revoke-yes"));
    let no = Button::secondary(text("today-revoke-no"));
    let answer = question_ui(ui, &title, yes, no, |ui| {
        muted_ui(ui, &text("today-revoke-what"));
        true
    })?;
    *revoke = None;
    (answer == Answer::Yes).then(|| Command::RevokeInvitation { appointment: row.id.clone() })
}

const fn invitation(state: InvitationState) -> (Tone, Icon, &'static str) {
    match state {
        InvitationState::None => (Tone::Info, Icon::Mail, "invitation-none"),
        InvitationState::Made => (Tone::Good, Icon::Mail, "invitation-made"),
        InvitationState::Elsewhere => (Tone::Caution, Icon::Warning, "invitation-elsewhere"),
        InvitationState::Used => (Tone::Good, Icon::Check, "invitation-used"),
        InvitationState::Revoked => (Tone::Bad, Icon::Cross, "invitation-revoked"),
        InvitationState::Expired => (Tone::Caution, Icon::Clock, "invitation-expired"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: Today) -> Stage<'static, Option<String>> {
        Stage::new(None, move |ui, revoke| today_ui(ui, &state, ConnectionState::Online, revoke))
    }

    #[test]
    fn admit_is_reachable_when_somebody_waits() {
        let mut stage = stage(sample::today());
        stage.click("Open the room and admit");
        assert!(matches!(stage.command(), Some(Command::StartConsultation { appointment }) if appointment == "a1"));
    }

    #[test]
    fn withdrawing_asks_once_more() {
        let mut stage = stage(sample::today());
        stage.click("Withdraw invitation, R-1042");
        assert!(stage.command().is_none());
        stage.click("Withdraw");
        assert!(matches!(stage.command(), Some(Command::RevokeInvitation { .. })));
    }

    #[test]
    fn front_desk_sees_the_list_but_no_host_actions() {
        let stage = stage(Today { may_host: false, ..sample::today() });
        assert!(stage.shows("R-1042"));
        assert!(!stage.shows("Make invitation"));
        assert!(!stage.shows("Open the room"));
    }

    #[test]
    fn the_end_of_the_devices_certificate_is_said_in_its_last_week() {
        assert!(!stage(sample::today()).shows("certificate"));
        let stage_of = |days| stage(Today { renew_in_days: Some(days), ..sample::today() });
        assert!(stage_of(6).shows("certificate ends in 6 days"));
        assert!(stage_of(1).shows("certificate ends in 1 day"));
        assert!(stage_of(0).shows("certificate ends today"));
    }

    #[test]
    fn offline_says_how_old_the_list_is() {
        let state = sample::today();
        let stage = Stage::new(None, move |ui, revoke| today_ui(ui, &state, ConnectionState::Reconnecting, revoke));
        assert!(stage.shows("may be out of date"));
    }
}
