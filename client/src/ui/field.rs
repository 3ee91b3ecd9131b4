//! Text fields: a label above, room to type, a hint or a complaint below.

use egui::{
    Align, Align2, CornerRadius, FontId, FontSelection, Margin, Response, RichText, Stroke, TextEdit, Ui, Vec2,
};

use super::button::Button;
use super::icon::Icon;
use super::message::text;
use super::theme::{self, Palette, Tone};
use super::widget::{focus_ring, icon_line, muted_ui};

/// Longest text that a field takes, in characters: an invitation link is a tenth of it.
const LONGEST: usize = 4_096;

/// One line to type into.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    label: &'a str,
    hint: Option<&'a str>,
    complaint: Option<&'a str>,
    secret: bool,
    focus: bool,
}

impl<'a> Field<'a> {
    /// A field with this label.
    #[must_use]
    pub(crate) const fn new(label: &'a str) -> Self {
        Self { label, hint: None, complaint: None, secret: false, focus: false }
    }

    /// A sentence below the field.
    #[must_use]
    pub(crate) const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What is wrong with the text, if something is.
    #[must_use]
    pub(crate) const fn complaint(mut self, complaint: Option<&'a str>) -> Self {
        self.complaint = complaint;
        self
    }

    /// Shows dots.
    #[must_use]
    pub(crate) const fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// Takes the keyboard when the page is new.
    #[must_use]
    pub(crate) const fn focus(mut self) -> Self {
        self.focus = true;
        self
    }

    /// Shows the field over `value`.
    pub(crate) fn show(self, ui: &mut Ui, value: &mut String) -> Response {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            let label = ui.label(RichText::new(self.label).font(theme::label()));
            let edit = styled(ui, value, theme::body(), self.complaint.is_some())
                .password(self.secret)
                .desired_width(f32::INFINITY);
            let response = ui.add(edit).labelled_by(label.id);
            focus_ring(ui, &response, response.rect);
            if self.focus {
                take_focus(ui, &response);
            }
            if let Some(complaint) = self.complaint {
                complaint_ui(ui, complaint);
            } else if let Some(hint) = self.hint {
                muted_ui(ui, hint);
            }
            response
        })
        .inner
    }
}

/// A field for digits that are read off a message or a screen: large, grouped in fours or threes, with a paste button.
///
/// Returns `true` when all digits stand there and Enter was pressed. `value` holds digits and single spaces only.
pub(crate) fn digits_ui(ui: &mut Ui, label: &str, value: &mut String, count: usize, complaint: bool) -> bool {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        let label = ui.label(RichText::new(label).font(theme::label()));
        let (nothing, response) = ui
            .horizontal_wrapped(|ui| {
                let edit = styled(ui, value, theme::digits(38.0), complaint)
                    .desired_width(if count > 6 { 250.0 } else { 190.0 })
                    .cursor_at_end(true);
                let response = ui.add(edit).labelled_by(label.id);
                focus_ring(ui, &response, response.rect);
                (paste_ui(ui, &response, value), response)
            })
            .inner;
        nothing_pasted_ui(ui, nothing);
        take_focus(ui, &response);
        if response.changed() {
            *value = grouped(value, count);
            cursor_to_end(ui, &response, value);
        }
        response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) && digits_in(value) == count
    })
    .inner
}

/// A button that pastes over what stands in a field. Gives whether it was pressed and nothing came.
pub(crate) fn paste_ui(ui: &mut Ui, field: &Response, value: &mut String) -> bool {
    /// Until then a clipboard has answered, in seconds.
    const ANSWERED: f64 = 0.4;
    let (pressed_at, now) = (field.id.with("pasted"), ui.input(|input| input.time));
    if ui.add(Button::secondary(text("action-paste")).icon(Icon::Copy)).clicked() {
        value.clear();
        field.request_focus();
        ui.ctx().send_viewport_cmd(egui::ViewportCommand::RequestPaste);
        ui.ctx().request_repaint_after_secs(ANSWERED as f32 + 0.05);
        ui.data_mut(|data| data.insert_temp(pressed_at, now));
    }
    if !value.is_empty() {
        ui.data_mut(|data| data.remove_temp::<f64>(pressed_at));
    }
    ui.data(|data| data.get_temp::<f64>(pressed_at)).is_some_and(|pressed| now - pressed > ANSWERED)
}

/// Says that the clipboard was empty.
pub(crate) fn nothing_pasted_ui(ui: &mut Ui, nothing: bool) {
    if nothing {
        complaint_ui(ui, &text("action-paste-nothing"));
    }
}

/// How many digits stand in a text.
#[must_use]
pub(crate) fn digits_in(value: &str) -> usize {
    value.chars().filter(char::is_ascii_digit).count()
}

/// Whether Enter was pressed in this field.
#[must_use]
pub(crate) fn entered(ui: &Ui, response: &Response) -> bool {
    response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}

/// A complaint about a field, in words behind a sign.
pub(crate) fn complaint_ui(ui: &mut Ui, words: &str) -> Response {
    let colours = Palette::of(ui).tone(Tone::Bad);
    icon_line(ui, Icon::Warning, colours.text, RichText::new(words).font(theme::label()).color(colours.text))
}

fn styled<'a>(ui: &Ui, value: &'a mut String, font: FontId, complaint: bool) -> TextEdit<'a> {
    let palette = Palette::of(ui);
    let edge =
        if complaint { Stroke::new(2.0, palette.tone(Tone::Bad).text) } else { Stroke::new(1.0, palette.outline) };
    let frame = egui::Frame::new()
        .fill(palette.surface)
        .stroke(edge)
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .inner_margin(Margin::symmetric(14, 8));
    TextEdit::singleline(value)
        .font(FontSelection::FontId(font))
        .char_limit(LONGEST)
        .frame(frame)
        .min_size(Vec2::new(0.0, theme::CONTROL))
        .align(Align2([Align::Min, Align::Center]))
}

/// Gives the field the keyboard once, when its page is new; after that the person decides.
fn take_focus(ui: &Ui, response: &Response) {
    let taken = response.id.with("took the focus");
    if !ui.data(|data| data.get_temp(taken).unwrap_or(false)) {
        ui.data_mut(|data| data.insert_temp(taken, true));
        response.request_focus();
    }
}

/// "12345678" → "1234 5678", "123456" → "123 456"; everything but digits goes, and so does what is too much.
fn grouped(value: &str, count: usize) -> String {
    let group = count.div_ceil(2);
    let mut out = String::with_capacity(count + 1);
    for (place, digit) in value.chars().filter(char::is_ascii_digit).take(count).enumerate() {
        if place == group {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The group's space moves the end of the text, and the cursor with it.
fn cursor_to_end(ui: &Ui, response: &Response, value: &str) {
    if let Some(mut state) = TextEdit::load_state(ui.ctx(), response.id) {
        let end = egui::text::CCursor::new(value.chars().count());
        state.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
        state.store(ui.ctx(), response.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_and_everything_else_goes() {
        assert_eq!(grouped("12345678", 8), "1234 5678");
        assert_eq!(grouped("12 34-56.78 thanks", 8), "1234 5678");
        assert_eq!(grouped("1234", 8), "1234");
        assert_eq!(grouped("123456", 6), "123 456");
    }

    #[test]
    fn too_many_digits_are_cut() {
        assert_eq!(grouped("1234567890", 8), "1234 5678");
        assert_eq!(digits_in("1234 5678"), 8);
    }
}
