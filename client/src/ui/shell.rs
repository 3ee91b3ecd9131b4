//! What stands around every screen: the bar with help and the practice's phone, the notice, the reading column.

use egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, RichText, ScrollArea, Sense, Ui, Vec2};

use super::button::Button;
use super::icon::{self, Icon};
use super::message::{self, fill, text};
use super::theme::{self, Palette, Tone};
use super::widget::{badge_ui, banner_ui, card_ui, icon_line, subheading_ui};
use crate::session::{Command, ConnectionState, ErrorCode, Phase, PracticeInfo, View};

/// Paints the bar on top. Guests have help and phone in its right corner on every screen.
pub(crate) fn bar_ui(ui: &mut Ui, view: &View, help: &mut bool) {
    let palette = Palette::of(ui);
    let frame = Frame::new().fill(palette.surface).inner_margin(Margin::symmetric(24, 10));
    Panel::top("bar").frame(frame).show_separator_line(true).show(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(34.0), Sense::hover());
            icon::mark(ui.painter(), rect, palette.primary, palette.on_primary);
            ui.label(RichText::new(text("app-name")).font(theme::subheading()));
            if view.connection == ConnectionState::Reconnecting {
                badge_ui(ui, Tone::Caution, Icon::Refresh, &text("connection-reconnecting"));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let label = if *help { text("corner-help-close") } else { text("corner-help") };
                if ui.add(Button::secondary(label).icon(Icon::Help).compact()).clicked() {
                    *help = !*help;
                }
                if !is_staff(&view.phase) {
                    let words = phone_line(view.practice.as_ref());
                    ui.add_space(4.0);
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.add(egui::Label::new(RichText::new(words).font(theme::label())).wrap());
                        let (rect, _) = ui.allocate_exact_size(Vec2::splat(22.0), Sense::hover());
                        Icon::Phone.paint(ui.painter(), rect.center(), 20.0, palette.primary);
                    });
                }
            });
        });
    });
}

/// Paints a page: the notice on top, then the screen, in one column of at most `width` points that scrolls.
pub(crate) fn page_ui(
    ui: &mut Ui,
    view: &View,
    help: bool,
    width: f32,
    screen: impl FnOnce(&mut Ui) -> Option<Command>,
) -> Option<Command> {
    let palette = Palette::of(ui);
    let frame = Frame::new().fill(palette.background);
    CentralPanel::no_frame()
        .frame(frame)
        .show(ui, |ui| {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    let side = ((ui.available_width() - width) / 2.0).max(24.0);
                    column(ui, side, |ui| {
                        ui.add_space(24.0);
                        if help {
                            help_ui(ui, view.practice.as_ref());
                        }
                        let notice = notice_ui(ui, view);
                        let command = screen(ui);
                        ui.add_space(40.0);
                        command.or(notice)
                    })
                })
                .inner
        })
        .inner
}

fn column<R>(ui: &mut Ui, side: f32, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let mut rect = ui.available_rect_before_wrap();
    rect.min.x += side;
    rect.max.x -= side;
    let response =
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::Min)), contents);
    response.inner
}

/// Paints the notice, if there is one, and what may be done about it.
pub(crate) fn notice_ui(ui: &mut Ui, view: &View) -> Option<Command> {
    let notice = view.notice.as_ref()?;
    let said = message::notice(notice, &view.phase);
    let phone = if is_staff(&view.phase) { String::new() } else { phone_line(view.practice.as_ref()) };
    let command = banner_ui(ui, tone_of(notice.code), &said.happened, &[&said.seen, &said.next, &phone], |ui| {
        ui.horizontal_wrapped(|ui| {
            let close = Button::secondary(text("notice-dismiss")).icon(Icon::Cross).compact();
            let closed = ui.add(close).clicked();
            ui.label(RichText::new(&said.code).font(theme::small()).color(Palette::of(ui).muted));
            closed.then_some(Command::Dismiss)
        })
        .inner
    });
    ui.add_space(theme::GAP);
    command
}

/// Paints the help card.
pub(crate) fn help_ui(ui: &mut Ui, practice: Option<&PracticeInfo>) {
    card_ui(ui, |ui| {
        subheading_ui(ui, &text("help-title"));
        let phone = match known(practice) {
            Some(practice) => fill(
                "help-phone",
                [("practice", name_of(Some(practice)).into()), ("phone", practice.phone.as_str().into())],
            ),
            None => text("help-phone-unknown"),
        };
        let ink = Palette::of(ui).primary;
        let body = |words: String| RichText::new(words).font(theme::body());
        icon_line(ui, Icon::Phone, ink, body(phone));
        icon_line(ui, Icon::Warning, Palette::of(ui).tone(Tone::Caution).text, body(text("help-emergency")));
        icon_line(ui, Icon::Key, ink, body(text("help-two-messages")));
        icon_line(ui, Icon::Lock, ink, body(text("help-seen")));
        icon_line(ui, Icon::Camera, ink, body(text("help-devices")));
        icon_line(ui, Icon::Info, ink, body(text("help-keyboard")));
    });
    ui.add_space(theme::GAP);
}

/// Paints "Step 2 of 5" with a bar for each step.
pub(crate) fn steps_ui(ui: &mut Ui, step: u8, steps: u8) {
    let palette = Palette::of(ui);
    ui.allocate_ui_with_layout(Vec2::new(ui.available_width(), 20.0), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for place in 1..=steps {
            let (rect, _) = ui.allocate_exact_size(Vec2::new(28.0, 20.0), Sense::hover());
            let bar = egui::Rect::from_center_size(rect.center(), Vec2::new(28.0, 5.0));
            let fill = if place <= step { palette.primary } else { palette.line };
            ui.painter().rect_filled(bar, 2.5, fill);
        }
        ui.add_space(6.0);
        let words = fill("step-of", [("step", step.into()), ("steps", steps.into())]);
        ui.label(RichText::new(words).font(theme::small()).color(palette.muted));
    });
}

/// "Call Rosewood Clinic on 07 3123 4567", as far as it is known.
#[must_use]
pub(crate) fn phone_line(practice: Option<&PracticeInfo>) -> String {
    match known(practice) {
        Some(practice) => fill(
            "corner-phone",
            [("practice", name_of(Some(practice)).into()), ("phone", practice.phone.as_str().into())],
        ),
        None => text("corner-phone-unknown"),
    }
}

/// The practice's name, or a stand-in.
#[must_use]
pub(crate) fn name_of(practice: Option<&PracticeInfo>) -> String {
    match practice {
        Some(practice) if !practice.name.is_empty() => practice.name.clone(),
        _ => text("practice-unknown"),
    }
}

fn known(practice: Option<&PracticeInfo>) -> Option<&PracticeInfo> {
    practice.filter(|practice| !practice.phone.is_empty())
}

/// Whether this screen belongs to somebody who works in the practice.
#[must_use]
pub(crate) fn is_staff(phase: &Phase) -> bool {
    match phase {
        Phase::SignIn(_) | Phase::Today(_) | Phase::Booking(_) | Phase::Invite(_) | Phase::LobbyHost(_) => true,
        Phase::Call(call) => call.host,
        Phase::Goodbye(goodbye) => goodbye.host,
        Phase::Start
        | Phase::JoinLink(_)
        | Phase::JoinCode(_)
        | Phase::AboutYou(_)
        | Phase::DeviceCheck(_)
        | Phase::Assessor(_)
        | Phase::LobbyGuest(_) => false,
    }
}

/// How loud a notice is. Waiting and retrying are information; what the person can mend is a caution; the rest is bad.
#[must_use]
pub(crate) const fn tone_of(code: ErrorCode) -> Tone {
    match code {
        ErrorCode::Lob01 | ErrorCode::Lob05 | ErrorCode::Inv07 | ErrorCode::E2e03 => Tone::Info,
        ErrorCode::Auth05
        | ErrorCode::E2e02
        | ErrorCode::E2e04
        | ErrorCode::E2e05
        | ErrorCode::E2e09
        | ErrorCode::Inv04
        | ErrorCode::Inv12 => Tone::Bad,
        _ => Tone::Caution,
    }
}
