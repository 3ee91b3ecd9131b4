//! Guest: waiting to be let in.

use egui::{RichText, Ui};

use super::assessor;
use super::button::Button;
use super::clock;
use super::icon::Icon;
use super::message::{fill, text};
use super::shell::name_of;
use super::theme::{self, Palette, Tone};
use super::widget::{
    Answer, badge_ui, banner_ui, body_ui, card_ui, heading_ui, hint_ui, icon_line, muted_ui, question_ui,
};
use crate::session::{Command, ConnectionState, KnockState, LobbyGuest, View};

/// Minutes after which the page offers the phone (PRODUCT 2b, step 7).
const LONG_WAIT_MINUTES: u64 = 30;

/// Paints the waiting room.
pub(crate) fn lobby_guest_ui(
    ui: &mut Ui,
    state: &LobbyGuest,
    view: &View,
    now: u64,
    leaving: &mut bool,
) -> Option<Command> {
    let practice = view.practice.as_ref();
    heading_ui(ui, &text("lobby-title"));
    body_ui(ui, &fill("lobby-with", [("practice", name_of(practice).into())]));
    if view.connection == ConnectionState::Reconnecting {
        banner_ui(ui, Tone::Caution, &text("lobby-reconnecting"), &[], |_| ());
    }
    if state.assessor {
        assessor::banner_ui(ui);
    }
    card_ui(ui, |ui| {
        progress_ui(ui, state);
        let host = match &state.host_name {
            Some(host) => fill("lobby-host", [("host", host.as_str().into())]),
            None => text("lobby-host-unknown"),
        };
        body_ui(ui, &host);
        if state.position > 0 {
            body_ui(ui, &fill("lobby-position", [("position", state.position.into())]));
        }
        let minutes = clock::minutes_since(state.waiting_since, now);
        muted_ui(ui, &fill("lobby-waited", [("minutes", minutes.into())]));
        if minutes >= LONG_WAIT_MINUTES {
            body_ui(ui, &fill("lobby-long", [("practice", name_of(practice).into())]));
        }
    });
    card_ui(ui, |ui| {
        muted_ui(ui, &text("lobby-phone"));
        let phone = practice.map(|practice| practice.phone.clone()).filter(|phone| !phone.is_empty());
        let phone = phone.unwrap_or_else(|| text("lobby-phone-none"));
        icon_line(ui, Icon::Phone, Palette::of(ui).primary, RichText::new(phone).font(theme::subheading()));
    });
    hint_ui(ui, Icon::EyeOff, &text("lobby-seen"));
    leave_ui(ui, leaving)
}

fn progress_ui(ui: &mut Ui, state: &LobbyGuest) {
    let (tone, icon, id) = match state.knock {
        KnockState::Connecting => (Tone::Info, Icon::Clock, "lobby-connecting"),
        KnockState::WaitingForHost => (Tone::Info, Icon::Clock, "lobby-waiting-host"),
        KnockState::Proving => (Tone::Info, Icon::Key, "lobby-proving"),
        // Who proves link and code now is known to nobody: the next host asks anew.
        KnockState::Proven if !state.host_present => (Tone::Info, Icon::Clock, "lobby-waiting-host"),
        KnockState::Proven => (Tone::Good, Icon::Check, "lobby-proven"),
        KnockState::Listed => (Tone::Good, Icon::Check, "lobby-listed"),
        KnockState::Entering => (Tone::Good, Icon::Door, "lobby-entering"),
    };
    badge_ui(ui, tone, icon, &text(id));
}

fn leave_ui(ui: &mut Ui, leaving: &mut bool) -> Option<Command> {
    if *leaving {
        let yes = Button::danger(text("lobby-leave"));
        let no = Button::secondary(text("call-stay"));
        let answer = question_ui(ui, &text("lobby-leave-sure"), yes, no, |ui| {
            muted_ui(ui, &text("lobby-leave-what"));
            true
        });
        *leaving = answer.is_none();
        return (answer == Some(Answer::Yes)).then_some(Command::Leave);
    }
    *leaving = ui.add(Button::secondary(text("lobby-leave")).icon(Icon::Leave)).clicked();
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: LobbyGuest, now: u64) -> Stage<'static, bool> {
        Stage::new(false, move |ui, leaving| lobby_guest_ui(ui, &state, &sample::view(), now, leaving))
    }

    #[test]
    fn the_guest_reads_that_it_is_right_here_and_whom_to_phone() {
        let stage = stage(sample::lobby_guest(), sample::NOW);
        assert!(stage.shows("You are in the right place"));
        assert!(stage.shows("07 3123 4567"));
        assert!(stage.shows("Nobody can see or hear you while you wait."));
    }

    #[test]
    fn a_guest_whose_host_is_away_is_not_told_that_it_is_seen() {
        let known = LobbyGuest { knock: KnockState::Proven, host_present: true, ..sample::lobby_guest() };
        assert!(stage(known.clone(), sample::NOW).shows("can see that you are waiting"));
        let alone = stage(LobbyGuest { host_present: false, ..known }, sample::NOW);
        assert!(!alone.shows("can see that you are waiting"));
        assert!(alone.shows("Your clinician isn’t here yet."));
    }

    #[test]
    fn a_long_wait_offers_the_phone() {
        assert!(!stage(sample::lobby_guest(), sample::NOW).shows("longer than usual"));
        assert!(stage(sample::lobby_guest(), sample::NOW + 1_860).shows("longer than usual"));
    }

    #[test]
    fn leaving_asks_once_more() {
        let mut stage = stage(sample::lobby_guest(), sample::NOW);
        stage.click("Leave the waiting room");
        assert!(stage.command().is_none());
        stage.click("Leave the waiting room");
        assert!(matches!(stage.command(), Some(Command::Leave)));
    }
}
