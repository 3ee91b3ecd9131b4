//! Headings, badges, banners, cards and questions: the small parts that every screen is made of.

use egui::{
    Align, CornerRadius, Frame, Layout, Margin, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo,
};

use super::button::Button;
use super::icon::Icon;
use super::theme::{self, Palette, Tone};
use crate::session::Command;

/// Draws the focus ring around a focused control.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let radius = CornerRadius::same(theme::RADIUS + 3);
        ui.painter().rect_stroke(rect.expand(3.0), radius, theme::focus_ring(Palette::of(ui)), StrokeKind::Middle);
    }
}

/// The heading of a screen, announced as one.
pub(crate) fn heading_ui(ui: &mut Ui, words: &str) -> Response {
    titled(ui, RichText::new(words).font(theme::heading()))
}

/// The heading of a card or panel, announced as one.
pub(crate) fn subheading_ui(ui: &mut Ui, words: &str) -> Response {
    titled(ui, RichText::new(words).font(theme::subheading()))
}

fn titled(ui: &mut Ui, words: RichText) -> Response {
    let plain = words.text().to_owned();
    let response = ui.label(words);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.set_label(plain);
    });
    response
}

/// Body text.
pub(crate) fn body_ui(ui: &mut Ui, words: &str) -> Response {
    ui.label(RichText::new(words).font(theme::body()))
}

/// Secondary text.
pub(crate) fn muted_ui(ui: &mut Ui, words: &str) -> Response {
    ui.label(RichText::new(words).font(theme::small()).color(Palette::of(ui).muted))
}

/// Secondary text with an icon before it.
pub(crate) fn hint_ui(ui: &mut Ui, icon: Icon, words: &str) -> Response {
    let palette = Palette::of(ui);
    icon_line(ui, icon, palette.primary, RichText::new(words).font(theme::small()).color(palette.muted))
}

/// A line of text behind an icon; the text wraps beside the icon, not under it.
pub(crate) fn icon_line(ui: &mut Ui, icon: Icon, ink: egui::Color32, words: RichText) -> Response {
    ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
        icon.paint(ui.painter(), rect.center(), 19.0, ink);
        ui.add(egui::Label::new(words).wrap())
    })
    .inner
}

/// A pill with icon and words.
pub(crate) fn badge_ui(ui: &mut Ui, tone: Tone, icon: Icon, words: &str) -> Response {
    const ICON: f32 = 17.0;
    const PADDING: Vec2 = Vec2::new(11.0, 6.0);
    let colours = Palette::of(ui).tone(tone);
    let widest = (ui.available_width() - 2.0 * PADDING.x - ICON - 7.0).max(40.0);
    let galley = ui.painter().layout(words.to_owned(), theme::label(), colours.text, widest);
    let size = Vec2::new(galley.size().x + ICON + 7.0, galley.size().y.max(ICON)) + 2.0 * PADDING;
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    let radius = CornerRadius::same(if size.y > 40.0 { theme::RADIUS } else { 15 });
    ui.painter().rect_filled(rect, radius, colours.fill);
    let centre = egui::pos2(rect.left() + PADDING.x + ICON / 2.0, rect.center().y);
    icon.paint(ui.painter(), centre, ICON, colours.text);
    let corner = egui::pos2(rect.left() + PADDING.x + ICON + 7.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(corner, galley, colours.text);
    response
}

/// The icon that stands for a tone.
#[must_use]
pub(crate) const fn tone_icon(tone: Tone) -> Icon {
    match tone {
        Tone::Info => Icon::Info,
        Tone::Good => Icon::Check,
        Tone::Caution | Tone::Bad => Icon::Warning,
    }
}

/// A strip across the page: icon, a title, sentences, and what `actions` adds below them.
pub(crate) fn banner_ui<R>(
    ui: &mut Ui,
    tone: Tone,
    title: &str,
    sentences: &[&str],
    actions: impl FnOnce(&mut Ui) -> R,
) -> R {
    let colours = Palette::of(ui).tone(tone);
    Frame::new()
        .fill(colours.fill)
        .stroke(Stroke::new(1.0, colours.text))
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .inner_margin(Margin::symmetric(16, 12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 6.0;
            icon_line(
                ui,
                tone_icon(tone),
                colours.text,
                RichText::new(title).font(theme::strong()).color(colours.text),
            );
            for sentence in sentences.iter().filter(|sentence| !sentence.is_empty()) {
                body_ui(ui, sentence);
            }
            actions(ui)
        })
        .inner
}

/// A white card.
pub(crate) fn card_ui<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    framed_ui(ui, Margin::same(20), contents)
}

/// A card of a list that has little room.
pub(crate) fn small_card_ui<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    framed_ui(ui, Margin::symmetric(16, 12), contents)
}

fn framed_ui<R>(ui: &mut Ui, margin: Margin, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = Palette::of(ui);
    Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(theme::CARD_RADIUS))
        .inner_margin(margin)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// What the person answered to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go on.
    Yes,
    /// Don't; also Escape.
    No,
}

/// A question that stands in the page where it arose, and covers nothing: no Admit banner, no Leave button.
///
/// `contents` says whether yes may be pressed.
pub(crate) fn question_ui(
    ui: &mut Ui,
    title: &str,
    yes: Button,
    no: Button,
    contents: impl FnOnce(&mut Ui) -> bool,
) -> Option<Answer> {
    let palette = Palette::of(ui);
    let shown = Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(2.0, palette.primary))
        .corner_radius(CornerRadius::same(theme::CARD_RADIUS))
        .inner_margin(Margin::same(18))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            subheading_ui(ui, title);
            let allowed = contents(ui);
            ui.horizontal_wrapped(|ui| {
                let yes = ui.add_enabled(allowed, yes).clicked();
                let no = ui.add(no).clicked() || ui.input(|input| input.key_pressed(egui::Key::Escape));
                if yes { Some(Answer::Yes) } else { no.then_some(Answer::No) }
            })
            .inner
        });
    if is_new(ui, title) {
        // What was pressed may stand at the lower edge, and the answers below it.
        shown.response.scroll_to_me(None);
    }
    shown.inner
}

/// Whether this was not on screen in the pass before.
fn is_new(ui: &Ui, title: &str) -> bool {
    let (id, pass) = (ui.scope_id().with(title), ui.ctx().cumulative_pass_nr());
    let before = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, 0_u64), pass));
    before + 1 < pass
}

/// Two halves side by side where there is room for both, else one under the other.
///
/// Both give a command; the first one counts.
pub(crate) fn halves_ui<S: ?Sized>(
    ui: &mut Ui,
    state: &mut S,
    first: impl FnOnce(&mut Ui, &mut S) -> Option<Command>,
    second: impl FnOnce(&mut Ui, &mut S) -> Option<Command>,
) -> Option<Command> {
    if ui.available_width() < theme::TWO_HALVES {
        let command = first(ui, state);
        let other = second(ui, state);
        return command.or(other);
    }
    let half = (ui.available_width() - theme::GAP) / 2.0;
    let column = Layout::top_down(Align::Min);
    ui.with_layout(Layout::left_to_right(Align::TOP), |ui| {
        ui.spacing_mut().item_spacing.x = theme::GAP;
        let command = ui.allocate_ui_with_layout(Vec2::new(half, 0.0), column, |ui| {
            ui.set_width(half);
            first(ui, state)
        });
        let other = ui.allocate_ui_with_layout(Vec2::new(half, 0.0), column, |ui| {
            ui.set_width(half);
            second(ui, state)
        });
        command.inner.or(other.inner)
    })
    .inner
}
