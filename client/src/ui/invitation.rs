//! Link and code of an invitation, on two pages for two channels; the view holds only one of them at a time.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, Frame, Id, Margin, Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo};
use qrcode::{Color, EcLevel, QrCode};

use super::assessor;
use super::button::{Button, checkbox_ui, copy_button_ui};
use super::clock;
use super::field::complaint_ui;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, LIGHT, Palette, Tone};
use super::widget::{badge_ui, body_ui, card_ui, halves_ui, heading_ui, hint_ui, muted_ui};
use super::{mail, shell};
use crate::invitation_file;
use crate::session::{Command, Invite, InvitePage, PracticeInfo};

/// Side of the QR code, in points.
const QR: f32 = 260.0;

/// Paints the page of the one channel that is up.
pub(crate) fn invitation_ui(
    ui: &mut Ui,
    state: &Invite,
    practice: Option<&PracticeInfo>,
    copied: &mut bool,
) -> Option<Command> {
    match &state.page {
        InvitePage::Link { link } => link_ui(ui, state, link, practice, copied),
        InvitePage::Code { code } => code_ui(ui, state, code, copied),
    }
}

fn link_ui(
    ui: &mut Ui,
    state: &Invite,
    link: &str,
    practice: Option<&PracticeInfo>,
    copied: &mut bool,
) -> Option<Command> {
    head_ui(ui, state, ("invite-title-link", "invite-step-link", Icon::Mail), 1);
    body_ui(ui, &text("invite-link-lead"));
    halves_ui(
        ui,
        copied,
        |ui, copied| {
            link_card_ui(ui, state, link, practice, copied);
            None
        },
        |ui, _| {
            qr_card_ui(ui, link);
            None
        },
    );
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        if ui.add(Button::primary(text("invite-next")).icon(Icon::Forward)).clicked() {
            *copied = false;
            command = Some(Command::InvitationNext);
        }
        if ui.add(Button::secondary(text("action-back")).icon(Icon::Back)).clicked() {
            command = Some(Command::Back);
        }
    });
    let marked = by_server_ui(ui, state);
    command.or(marked)
}

/// What the server has seen it has seen: the mark stays.
fn by_server_ui(ui: &mut Ui, state: &Invite) -> Option<Command> {
    if state.by_server {
        hint_ui(ui, Icon::Warning, &text("invite-by-server-marked"));
        return None;
    }
    let mut marked = false;
    checkbox_ui(ui, &mut marked, &text("invite-by-server"));
    marked.then_some(Command::LinkPassesServer)
}

fn link_card_ui(ui: &mut Ui, state: &Invite, link: &str, practice: Option<&PracticeInfo>, copied: &mut bool) {
    card_ui(ui, |ui| {
        muted_ui(ui, &text("invite-link"));
        // Its beginning, to be recognised by: nobody reads it, and whole it would push the way on out of the window.
        let mut words = LayoutJob::simple(link.to_owned(), theme::mono(), Palette::of(ui).text, f32::INFINITY);
        words.wrap = TextWrapping { max_rows: 3, break_anywhere: true, ..TextWrapping::default() };
        let response = ui.add(egui::Label::new(words).selectable(false));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Label);
            node.set_label(text("invite-link"));
            node.set_value(link);
        });
        ui.horizontal_wrapped(|ui| {
            copy_button_ui(ui, &text("invite-copy-link"), link, copied);
            save_ui(ui, &state.label, link);
            if ui.add(Button::secondary(text("invite-email")).icon(Icon::Mail)).clicked() {
                ui.ctx().copy_text(link.to_owned());
                *copied = true;
                ui.ctx().open_url(egui::OpenUrl::same_tab(mail_to(state, practice)));
            }
        });
        muted_ui(ui, &text("invite-email-how"));
        saved_ui(ui);
    });
}

/// Where the link was saved on this page, if it was; `None` when it could not be.
fn saved(ui: &Ui) -> Option<Option<String>> {
    ui.data(|data| data.get_temp(Id::unique("saved")))
}

fn save_ui(ui: &mut Ui, label: &str, link: &str) {
    if ui.add(Button::secondary(text("invite-save")).icon(Icon::Link)).clicked() {
        let path = invitation_file::save(label, link);
        if let Err(error) = &path {
            tracing::warn!(kind = ?error.kind(), "an invitation could not be saved");
        }
        let shown = path.ok().map(|path| path.display().to_string());
        ui.data_mut(|data| data.insert_temp(Id::unique("saved"), shown));
    }
}

fn saved_ui(ui: &mut Ui) {
    match saved(ui) {
        None => {}
        Some(Some(path)) => {
            hint_ui(ui, Icon::Check, &fill("invite-saved", [("path", path.as_str().into())]));
        }
        Some(None) => {
            complaint_ui(ui, &text("invite-not-saved"));
        }
    }
}

fn qr_card_ui(ui: &mut Ui, link: &str) {
    card_ui(ui, |ui| {
        qr_ui(ui, link);
        muted_ui(ui, &text("invite-qr-lead"));
    });
}

fn code_ui(ui: &mut Ui, state: &Invite, code: &str, copied: &mut bool) -> Option<Command> {
    head_ui(ui, state, ("invite-title-code", "invite-step-code", Icon::Phone), 2);
    body_ui(ui, &text("invite-code-lead"));
    card_ui(ui, |ui| {
        muted_ui(ui, &text("invite-code"));
        let response = ui.add(egui::Label::new(RichText::new(code).font(theme::digits(56.0))).wrap());
        // Read out digit by digit, or a screen reader says "twelve million".
        let digits = code.chars().filter(char::is_ascii_digit).map(String::from).collect::<Vec<_>>().join(" ");
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Label);
            node.set_label(text("invite-code"));
            node.set_value(fill("invite-code-spoken", [("digits", digits.as_str().into())]));
        });
        copy_button_ui(ui, &text("invite-copy-code"), code, copied);
    });
    hint_ui(ui, Icon::Lock, &text("invite-code-secret"));
    ui.add(Button::primary(text("invite-done")).icon(Icon::Check)).clicked().then_some(Command::InvitationSent)
}

fn head_ui(ui: &mut Ui, state: &Invite, (title, channel, icon): (&str, &str, Icon), step: u8) {
    shell::steps_ui(ui, step, 2);
    heading_ui(ui, &text(title));
    ui.horizontal_wrapped(|ui| {
        badge_ui(ui, Tone::Info, icon, &text(channel));
        let starts = clock::day_and_time(state.starts_at);
        muted_ui(ui, &fill("invite-for", [("label", state.label.as_str().into()), ("time", starts.into())]));
        let expires = clock::day_and_time(state.expires_at);
        muted_ui(ui, &fill("invite-expires", [("time", expires.into())]));
    });
    if state.assessor {
        assessor::banner_ui(ui);
    }
}

/// The practice's own mail program sends it; our server never sees the link.
///
/// The link itself is pasted: opening a program passes the address as an argument, which every process can read.
fn mail_to(state: &Invite, practice: Option<&PracticeInfo>) -> String {
    let name = shell::name_of(practice);
    let phone = practice.map(|practice| practice.phone.as_str()).unwrap_or_default();
    let subject = fill("invite-mail-subject", [("practice", name.as_str().into())]);
    let body = fill(
        "invite-mail-body",
        [
            ("time", clock::day_and_time(state.starts_at).into()),
            ("practice", name.as_str().into()),
            ("phone", phone.into()),
        ],
    );
    mail::address("", &subject, &body)
}

/// Black on white in both themes, with the quiet zone of four modules that scanners need (ISO/IEC 18004).
fn qr_ui(ui: &mut Ui, link: &str) {
    const QUIET: usize = 4;
    let Ok(code) = QrCode::with_error_correction_level(link, EcLevel::L) else { return };
    let modules = code.width() + 2 * QUIET;
    let side = ui.available_width().min(QR);
    Frame::new().fill(LIGHT.surface).inner_margin(Margin::ZERO).show(ui, |ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text("invite-qr")));
        let module = side / modules as f32;
        ui.painter().rect_filled(rect, 8.0, LIGHT.surface);
        for (place, colour) in code.to_colors().into_iter().enumerate() {
            if colour == Color::Dark {
                let (x, y) = (place % code.width() + QUIET, place / code.width() + QUIET);
                let corner = rect.min + Vec2::new(x as f32, y as f32) * module;
                ui.painter().rect_filled(Rect::from_min_size(corner, Vec2::splat(module)), 0.0, Color32::BLACK);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(page: InvitePage) -> Stage<'static, bool> {
        let state = Invite { page, ..sample::invite_link() };
        Stage::new(false, move |ui, copied| invitation_ui(ui, &state, Some(&sample::practice()), copied))
    }

    #[test]
    fn link_and_code_never_share_a_page() {
        let link = stage(sample::invite_link().page);
        assert!(link.shows("quietroom:"));
        assert!(!link.shows("4711"));
        let code = stage(sample::invite_code().page);
        assert!(code.shows("4 7 1 1"));
        assert!(!code.shows("quietroom:"));
        assert!(code.harness.query_by_label("QR code of the invitation link").is_none());
    }

    #[test]
    fn a_link_that_goes_through_the_server_is_marked_once_and_for_good() {
        let mut link = stage(sample::invite_link().page);
        link.tick("This link goes out through the server’s own e-mail or web page");
        assert!(matches!(link.command(), Some(Command::LinkPassesServer)));
        let marked = Invite { by_server: true, ..sample::invite_link() };
        let stage = Stage::new(false, move |ui, copied| invitation_ui(ui, &marked, None, copied));
        assert!(stage.shows("Noted: whoever runs the server knows this link."));
        assert!(!stage.shows("This link goes out through"));
    }

    #[test]
    fn the_mail_draft_holds_neither_link_nor_code() {
        let mail = mail_to(&sample::invite_link(), Some(&sample::practice()));
        assert!(mail.starts_with("mailto:?subject="));
        assert!(!mail.contains("quietroom%3A"));
        assert!(!mail.contains("4711"));
    }

    #[test]
    fn next_page_then_done() {
        let mut link = stage(sample::invite_link().page);
        link.click("The link is sent. Show the code");
        assert!(matches!(link.command(), Some(Command::InvitationNext)));
        let mut code = stage(sample::invite_code().page);
        code.click("The code is passed on. Done");
        assert!(matches!(code.command(), Some(Command::InvitationSent)));
    }
}
