//! Today's list: who waits, then the appointments with their invitations.
//!
//! An assessor call takes two presses, with plain words between them.

use egui::{Align, Layout, RichText, Ui};

use super::button::Button;
use super::clock;
use super::form::TodayQuestion;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Tone};
use super::widget::{Answer, badge_ui, banner_ui, card_ui, heading_ui, muted_ui, question_ui, subheading_ui};
use crate::session::{AppointmentRow, Command, ConnectionState, InvitationState, Today};

/// Paints the list. `question` is what was pressed and is asked once more.
pub(crate) fn today_ui(
    ui: &mut Ui,
    state: &Today,
    connection: ConnectionState,
    question: &mut Option<TodayQuestion>,
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
    // Above the own list: who is called into a colleague's room is called now.
    let visit = colleagues_ui(ui, state);
    command = command.or(visit);
    if state.appointments.is_empty() {
        card_ui(ui, |ui| {
            ui.label(RichText::new(text("today-empty")).font(theme::strong()));
            muted_ui(ui, &text("today-empty-lead"));
        });
    }
    for row in &state.appointments {
        let row = row_ui(ui, row, state, question);
        command = command.or(row);
    }
    command
}

/// Rooms in which colleagues are now, for who may host.
fn colleagues_ui(ui: &mut Ui, state: &Today) -> Option<Command> {
    if state.colleagues.is_empty() || !state.may_host {
        return None;
    }
    let mut command = None;
    subheading_ui(ui, &text("today-colleagues"));
    for room in &state.colleagues {
        card_ui(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&room.host).font(theme::subheading()));
                muted_ui(ui, &room.label);
            });
            let spoken = fill("today-visit-spoken", [("name", room.host.as_str().into())]);
            let visit = Button::secondary(text("today-visit")).icon(Icon::Door).compact().spoken(spoken);
            if ui.add_enabled(!state.busy, visit).clicked() {
                command = Some(Command::VisitRoom { appointment: room.id.clone() });
            }
        });
    }
    subheading_ui(ui, &text("today-own"));
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

fn row_ui(ui: &mut Ui, row: &AppointmentRow, state: &Today, question: &mut Option<TodayQuestion>) -> Option<Command> {
    let mut command = None;
    card_ui(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(clock::day_and_time(row.starts_at)).font(theme::strong()));
            ui.label(RichText::new(&row.label).font(theme::subheading()));
            let (tone, icon, id) = invitation(row.invitation);
            badge_ui(ui, tone, icon, &text(id));
            if row.assessor {
                badge_ui(ui, Tone::Bad, Icon::Warning, &text("assessor-title"));
            }
            if row.waiting > 0 {
                badge_ui(ui, Tone::Info, Icon::Door, &fill("today-waiting", [("count", row.waiting.into())]));
            }
        });
        if !state.may_host {
            return;
        }
        match question {
            Some(TodayQuestion::Revoke(id)) if *id == row.id => command = revoke_ui(ui, row, question),
            Some(TodayQuestion::Assessor(id)) if *id == row.id => command = assessor_ui(ui, row, question),
            _ => {
                ui.horizontal_wrapped(|ui| command = actions_ui(ui, row, state.busy, question));
            }
        }
    });
    command
}

fn actions_ui(ui: &mut Ui, row: &AppointmentRow, busy: bool, question: &mut Option<TodayQuestion>) -> Option<Command> {
    let named = |words: String| format!("{words}, {}", row.label);
    let appointment = || row.id.clone();
    let mut command = None;
    let invite = match row.invitation {
        InvitationState::None => Some(("today-invite", true)),
        InvitationState::Locked | InvitationState::Revoked | InvitationState::Expired => {
            Some(("today-invite-again", true))
        }
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
                *question = Some(TodayQuestion::Revoke(row.id.clone()));
            }
        });
    }
    if invite.is_some() {
        let words = text("today-assessor");
        let button = Button::quiet(&words).icon(Icon::Warning).compact().spoken(named(words));
        if ui.add_enabled(!busy, button).clicked() {
            *question = Some(TodayQuestion::Assessor(appointment()));
        }
    }
    command
}

fn revoke_ui(ui: &mut Ui, row: &AppointmentRow, question: &mut Option<TodayQuestion>) -> Option<Command> {
    let title = fill("today-revoke-sure", [("label", row.label.as_str().into())]);
    let yes = Button::danger(text("today-revoke-yes"));
    let no = Button::secondary(text("today-revoke-no"));
    let answer = question_ui(ui, &title, yes, no, |ui| {
        muted_ui(ui, &text("today-revoke-what"));
        true
    })?;
    *question = None;
    (answer == Answer::Yes).then(|| Command::RevokeInvitation { appointment: row.id.clone() })
}

/// The second press, after what it means.
fn assessor_ui(ui: &mut Ui, row: &AppointmentRow, question: &mut Option<TodayQuestion>) -> Option<Command> {
    let title = fill("today-assessor-sure", [("label", row.label.as_str().into())]);
    let yes = Button::danger(text("today-assessor-yes"));
    let no = Button::secondary(text("today-assessor-no"));
    let answer = question_ui(ui, &title, yes, no, |ui| {
        banner_ui(ui, Tone::Bad, &text("assessor-title"), &[&text("assessor-what")], |_| ());
        muted_ui(ui, &text("today-assessor-what"));
        true
    })?;
    *question = None;
    (answer == Answer::Yes).then(|| Command::MakeAssessorInvitation { appointment: row.id.clone() })
}

const fn invitation(state: InvitationState) -> (Tone, Icon, &'static str) {
    match state {
        InvitationState::None => (Tone::Info, Icon::Mail, "invitation-none"),
        InvitationState::Made => (Tone::Good, Icon::Mail, "invitation-made"),
        InvitationState::Elsewhere => (Tone::Caution, Icon::Warning, "invitation-elsewhere"),
        InvitationState::Used => (Tone::Good, Icon::Check, "invitation-used"),
        InvitationState::Locked => (Tone::Bad, Icon::Lock, "invitation-locked"),
        InvitationState::Revoked => (Tone::Bad, Icon::Cross, "invitation-revoked"),
        InvitationState::Expired => (Tone::Caution, Icon::Clock, "invitation-expired"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: Today) -> Stage<'static, Option<TodayQuestion>> {
        Stage::new(None, move |ui, question| today_ui(ui, &state, ConnectionState::Online, question))
    }

    #[test]
    fn a_colleagues_open_room_can_be_visited_by_who_may_host() {
        let today = Today { colleagues: vec![sample::colleagues_room()], ..sample::today() };
        let mut host = stage(today.clone());
        host.click("Ask Dr Sam Lee to let you in");
        assert!(matches!(host.command(), Some(Command::VisitRoom { appointment }) if appointment == "r1"));
        assert!(!stage(Today { may_host: false, ..today }).shows("Dr Sam Lee"));
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
    fn a_locked_invitation_says_so_and_offers_a_new_one() {
        let mut today = sample::today();
        today.appointments[0].invitation = InvitationState::Locked;
        let mut stage = stage(today);
        assert!(stage.shows("the code was wrong three times"));
        stage.click("Make a new invitation, R-1042");
        assert!(matches!(stage.command(), Some(Command::MakeInvitation { .. })));
    }

    #[test]
    fn an_assessor_call_takes_a_second_press_behind_plain_words() {
        let mut stage = stage(sample::today());
        assert!(!stage.shows("can be opened afterwards"));
        stage.click("Assessor call…, R-1043");
        assert!(stage.command().is_none(), "the first press only asks");
        assert!(stage.shows("Everything said and shown in this call can be opened afterwards"));
        stage.click("Keep it private");
        assert!(stage.command().is_none());
        stage.click("Assessor call…, R-1043");
        stage.click("Make an assessor invitation");
        assert!(
            matches!(stage.command(), Some(Command::MakeAssessorInvitation { appointment }) if appointment == "a2")
        );
    }

    #[test]
    fn the_usual_button_never_makes_an_assessor_call() {
        let mut stage = stage(sample::today());
        stage.click("Make invitation, R-1043");
        assert!(matches!(stage.command(), Some(Command::MakeInvitation { .. })));
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
        let stage = Stage::new(None, move |ui, asked| today_ui(ui, &state, ConnectionState::Reconnecting, asked));
        assert!(stage.shows("may be out of date"));
    }
}
