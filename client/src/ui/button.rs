//! Everything that is pressed: buttons, large choices, checkboxes.
//!
//! Each is at least [`theme::TARGET`] high, wraps its words instead of cutting them, shows a focus ring,
//! and has a label that AccessKit finds.

use egui::{CornerRadius, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, Widget, WidgetInfo};

use super::icon::Icon;
use super::message::text;
use super::theme::{self, Palette};
use super::widget::focus_ring;

/// How much a button asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The one main action of a screen.
    Primary,
    /// Another action.
    Secondary,
    /// An action that should not catch the eye.
    Quiet,
    /// Ends or refuses something.
    Danger,
}

/// A button with words, and perhaps an icon beside them.
#[derive(Debug)]
#[must_use = "a button is shown by `ui.add(button)`"]
pub(crate) struct Button {
    label: String,
    spoken: Option<String>,
    icon: Option<Icon>,
    weight: Weight,
    full_width: bool,
    height: f32,
    /// One of several, of which one is chosen.
    chosen: Option<bool>,
}

impl Button {
    /// A button of this weight.
    pub(crate) fn new(weight: Weight, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            spoken: None,
            icon: None,
            weight,
            full_width: false,
            height: theme::CONTROL,
            chosen: None,
        }
    }

    /// The main action of a screen.
    pub(crate) fn primary(label: impl Into<String>) -> Self {
        Self::new(Weight::Primary, label)
    }

    /// Another action.
    pub(crate) fn secondary(label: impl Into<String>) -> Self {
        Self::new(Weight::Secondary, label)
    }

    /// An action that should not catch the eye.
    pub(crate) fn quiet(label: impl Into<String>) -> Self {
        Self::new(Weight::Quiet, label)
    }

    /// Ends or refuses something.
    pub(crate) fn danger(label: impl Into<String>) -> Self {
        Self::new(Weight::Danger, label)
    }

    /// One of several, with a tick where it is the chosen one.
    pub(crate) fn choice(label: impl Into<String>, chosen: bool) -> Self {
        let icon = chosen.then_some(Icon::Check);
        Self { icon, chosen: Some(chosen), ..Self::new(Weight::Secondary, label) }
    }

    /// Puts an icon before the words.
    pub(crate) const fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Gives AccessKit more words than the screen shows, such as whom "Admit" is about.
    pub(crate) fn spoken(mut self, label: impl Into<String>) -> Self {
        self.spoken = Some(label.into());
        self
    }

    /// Fills the width of the column.
    pub(crate) const fn full_width(mut self) -> Self {
        self.full_width = true;
        self
    }

    /// Is only [`theme::TARGET`] high.
    pub(crate) const fn compact(mut self) -> Self {
        self.height = theme::TARGET;
        self
    }
}

impl Button {
    const ICON: f32 = 22.0;
    const PADDING: f32 = 18.0;

    /// Width on one line, in points.
    pub(crate) fn width(&self, ui: &Ui) -> f32 {
        let words = ui.painter().layout_no_wrap(self.label.clone(), theme::strong(), Palette::of(ui).text);
        let icon = if self.icon.is_some() { Self::ICON + 10.0 } else { 0.0 };
        words.size().x + icon + 2.0 * Self::PADDING
    }
}

impl Widget for Button {
    fn ui(self, ui: &mut Ui) -> Response {
        const ICON: f32 = Button::ICON;
        const PADDING: f32 = Button::PADDING;
        let palette = Palette::of(ui);
        let icon_width = if self.icon.is_some() { ICON + 10.0 } else { 0.0 };
        // In a row that wraps, a button that does not fit goes to the next line, and only there it breaks its words.
        let room = if ui.layout().main_wrap() { ui.max_rect().width() } else { ui.available_width() };
        let widest = (room - 2.0 * PADDING - icon_width).max(40.0);
        let galley = ui.painter().layout(self.label.clone(), theme::strong(), palette.text, widest);
        let content = galley.size().x + icon_width;
        let width = if self.full_width { ui.available_width() } else { content + 2.0 * PADDING };
        let size = Vec2::new(width.max(theme::TARGET), self.height.max(galley.size().y + 20.0));
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let spoken = self.spoken.unwrap_or(self.label);
        response.widget_info(|| match self.chosen {
            None => WidgetInfo::labeled(Role::Button, ui.is_enabled(), &spoken),
            Some(chosen) => WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, &spoken),
        });
        if ui.is_rect_visible(rect) {
            let pressed = response.hovered() || response.is_pointer_button_down_on();
            let (fill, ink, edge) = match self.weight {
                Weight::Primary if pressed => (palette.primary_hover, palette.on_primary, Stroke::NONE),
                Weight::Primary => (palette.primary, palette.on_primary, Stroke::NONE),
                Weight::Danger if pressed => (palette.danger_hover, palette.on_danger, Stroke::NONE),
                Weight::Danger => (palette.danger, palette.on_danger, Stroke::NONE),
                Weight::Secondary if self.chosen == Some(true) => {
                    (palette.sunken, palette.text, Stroke::new(2.0, palette.primary))
                }
                Weight::Secondary if pressed => (palette.sunken, palette.text, Stroke::new(1.0, palette.outline)),
                Weight::Secondary => (palette.surface, palette.text, Stroke::new(1.0, palette.outline)),
                Weight::Quiet if pressed => (palette.sunken, palette.primary, Stroke::NONE),
                Weight::Quiet => (egui::Color32::TRANSPARENT, palette.primary, Stroke::NONE),
            };
            let radius = CornerRadius::same(theme::RADIUS);
            ui.painter().rect(rect, radius, fill, edge, StrokeKind::Inside);
            focus_ring(ui, &response, rect);
            let left = rect.center().x - content / 2.0;
            if let Some(icon) = self.icon {
                icon.paint(ui.painter(), egui::pos2(left + ICON / 2.0, rect.center().y), ICON, ink);
            }
            let corner = egui::pos2(left + icon_width, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley_with_override_text_color(corner, galley, ink);
        }
        response.on_hover_cursor(egui::CursorIcon::PointingHand)
    }
}

/// A large choice: icon, words, and a sentence below them. The whole card is one button.
pub(crate) fn choice_ui(ui: &mut Ui, icon: Icon, label: &str, lead: &str) -> Response {
    const PADDING: f32 = 24.0;
    const ICON: f32 = 36.0;
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let indent = ICON + 20.0;
    let widest = (width - 2.0 * PADDING - indent - 24.0).max(80.0);
    let title = ui.painter().layout(label.to_owned(), theme::subheading(), palette.text, widest);
    let sentence = ui.painter().layout(lead.to_owned(), theme::small(), palette.muted, widest);
    let height = title.size().y + 6.0 + sentence.size().y + 2.0 * PADDING;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), label));
    let hovered = response.hovered();
    let edge = if hovered { Stroke::new(2.0, palette.primary) } else { Stroke::new(1.0, palette.line) };
    let radius = CornerRadius::same(theme::CARD_RADIUS);
    ui.painter().rect(rect, radius, palette.surface, edge, StrokeKind::Inside);
    focus_ring(ui, &response, rect);
    let badge = egui::pos2(rect.left() + PADDING + ICON / 2.0, rect.center().y);
    ui.painter().circle_filled(badge, ICON * 0.75, palette.sunken);
    icon.paint(ui.painter(), badge, ICON * 0.75, palette.primary);
    let corner = egui::pos2(rect.left() + PADDING + indent, rect.top() + PADDING);
    let below = corner + Vec2::new(0.0, title.size().y + 6.0);
    ui.painter().galley(corner, title, palette.text);
    ui.painter().galley(below, sentence, palette.muted);
    Icon::Forward.paint(ui.painter(), egui::pos2(rect.right() - PADDING, rect.center().y), 20.0, palette.muted);
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// A checkbox whose whole line is the target, and whose words wrap.
pub(crate) fn checkbox_ui(ui: &mut Ui, checked: &mut bool, words: &str) -> Response {
    const BOX: f32 = 26.0;
    let palette = Palette::of(ui);
    let widest = (ui.available_width() - BOX - 12.0).max(60.0);
    let galley = ui.painter().layout(words.to_owned(), theme::body(), palette.text, widest);
    let size = Vec2::new(BOX + 12.0 + galley.size().x, theme::TARGET.max(galley.size().y + 8.0));
    let (rect, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *checked = !*checked;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), *checked, words));
    let square = Rect::from_center_size(egui::pos2(rect.left() + BOX / 2.0, rect.center().y), Vec2::splat(BOX));
    let (fill, edge) = if *checked { (palette.primary, palette.primary) } else { (palette.surface, palette.outline) };
    ui.painter().rect(square, CornerRadius::same(6), fill, Stroke::new(1.5, edge), StrokeKind::Inside);
    if *checked {
        Icon::Check.paint(ui.painter(), square.center(), 22.0, palette.on_primary);
    }
    focus_ring(ui, &response, rect);
    let corner = egui::pos2(rect.left() + BOX + 12.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(corner, galley, palette.text);
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

/// A button that puts `content` on the clipboard and says so for as long as the screen stays.
pub(crate) fn copy_button_ui(ui: &mut Ui, label: &str, content: &str, copied: &mut bool) {
    let (words, icon) = if *copied { (text("action-copied"), Icon::Check) } else { (label.to_owned(), Icon::Copy) };
    if ui.add(Button::secondary(words).icon(icon).spoken(label)).clicked() {
        ui.ctx().copy_text(content.to_owned());
        *copied = true;
    }
}
