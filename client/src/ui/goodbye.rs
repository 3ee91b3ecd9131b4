//! After the consultation: what was closed, and where to go.

use egui::{RichText, Ui};

use super::button::Button;
use super::icon::Icon;
use super::message::text;
use super::shell::phone_line;
use super::theme::{self, Palette, Tone};
use super::widget::{body_ui, card_ui, heading_ui, icon_line};
use crate::session::{CallKeys, Command, Goodbye, GoodbyeReason, PracticeInfo};

/// Paints why it ended, and that the devices are off.
pub(crate) fn goodbye_ui(ui: &mut Ui, state: &Goodbye, practice: Option<&PracticeInfo>) -> Option<Command> {
    let title = match state.reason {
        GoodbyeReason::Left => "goodbye-left",
        GoodbyeReason::Ended => "goodbye-ended",
        GoodbyeReason::Denied => "goodbye-denied",
        GoodbyeReason::Removed => "goodbye-removed",
        GoodbyeReason::Failed => "goodbye-failed",
    };
    heading_ui(ui, &text(title));
    if state.reason == GoodbyeReason::Denied {
        body_ui(ui, &text("goodbye-denied-lead"));
    }
    card_ui(ui, |ui| {
        let palette = Palette::of(ui);
        let good = palette.tone(Tone::Good).text;
        let (icon, ink, id) = if state.devices_closed {
            (Icon::Check, good, "goodbye-devices")
        } else {
            (Icon::Clock, palette.tone(Tone::Caution).text, "goodbye-devices-open")
        };
        let line = |id: &str| RichText::new(text(id)).font(theme::body());
        icon_line(ui, icon, ink, line(id));
        let keys = match state.keys {
            CallKeys::None => None,
            CallKeys::Destroyed => Some((Icon::Check, good, "goodbye-keys")),
            CallKeys::Disclosed => Some((Icon::Warning, palette.tone(Tone::Bad).text, "goodbye-keys-disclosed")),
        };
        if let Some((icon, ink, id)) = keys {
            icon_line(ui, icon, ink, line(id));
        }
        icon_line(ui, Icon::Check, good, line("goodbye-recorded"));
    });
    if !state.host {
        card_ui(ui, |ui| {
            let words = RichText::new(phone_line(practice)).font(theme::body());
            icon_line(ui, Icon::Phone, Palette::of(ui).primary, words);
        });
    }
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        let label = if state.host { text("goodbye-today") } else { text("goodbye-done") };
        if ui.add(Button::primary(label)).clicked() {
            command = Some(Command::Done);
        }
        if ui.add(Button::secondary(text("goodbye-close")).icon(Icon::Cross)).clicked() {
            command = Some(Command::Quit);
        }
    });
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(state: Goodbye) -> Stage<'static, ()> {
        Stage::new((), move |ui, ()| goodbye_ui(ui, &state, Some(&sample::practice())))
    }

    #[test]
    fn devices_are_off_only_when_they_are() {
        let keys = CallKeys::Destroyed;
        let state = Goodbye { reason: GoodbyeReason::Left, devices_closed: true, host: false, keys };
        assert!(stage(state).shows("Camera and microphone are off."));
        let open = stage(Goodbye { devices_closed: false, ..state });
        assert!(!open.shows("Camera and microphone are off."));
        assert!(open.shows("Closing camera and microphone"));
    }

    #[test]
    fn after_an_assessor_call_nobody_is_told_that_its_keys_are_gone() {
        let keys = CallKeys::Disclosed;
        let state = Goodbye { reason: GoodbyeReason::Ended, devices_closed: true, host: true, keys };
        let stage = stage(state);
        assert!(stage.shows("This was an assessor call: its keys were handed out."));
        assert!(!stage.shows("The keys of this call are destroyed."));
    }

    #[test]
    fn a_denied_guest_reads_neutral_words_and_the_phone() {
        let keys = CallKeys::None;
        let stage = stage(Goodbye { reason: GoodbyeReason::Denied, devices_closed: true, host: false, keys });
        assert!(stage.shows("You were not admitted this time"));
        assert!(stage.shows("07 3123 4567"));
        assert!(!stage.shows("The keys of this call"), "there was no call");
    }
}
