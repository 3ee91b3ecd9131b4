//! How the call goes over the network: a word in the bar when it goes badly, and a card with a sentence and figures for each member.

use egui::{Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo, pos2};

use super::button::Button;
use super::icon::Icon;
use super::message::{fill, text};
use super::roster;
use super::theme::{self, Palette, Tone};
use super::widget::{badge_ui, body_ui, card_ui, muted_ui, subheading_ui};
use crate::health::{Health, MemberHealth, Quality};
use crate::session::RosterRow;

/// Says in the bar that the connection is weak or poor; nothing while it is good.
pub(crate) fn warning_ui(ui: &mut Ui, health: Option<&Health>) {
    let (tone, id) = match health.and_then(Health::quality) {
        Some(Quality::Poor) => (Tone::Bad, "health-poor"),
        Some(Quality::Fair) => (Tone::Caution, "health-fair"),
        Some(Quality::Good) | None => return,
    };
    badge_ui(ui, tone, Icon::Signal, &text(id));
}

/// Opens and closes the card.
pub(crate) fn button_ui(ui: &mut Ui, open: &mut bool) {
    let words = text(if *open { "health-close" } else { "health-open" });
    if ui.add(Button::secondary(words).icon(Icon::Signal)).clicked() {
        *open = !*open;
    }
}

/// Paints the card: each member, worst first what can be done.
pub(crate) fn card_of(ui: &mut Ui, health: Option<&Health>, members: &[RosterRow]) {
    card_ui(ui, |ui| {
        subheading_ui(ui, &text("health-title"));
        let known = health.map(|health| health.members.as_slice()).unwrap_or_default();
        if known.is_empty() {
            muted_ui(ui, &text("health-nobody"));
        }
        for member in known {
            let name = members.iter().find(|row| row.leaf == member.leaf).map(roster::shown_name);
            member_ui(ui, &name.unwrap_or_default(), member);
        }
        if health.and_then(Health::quality).is_some_and(|quality| quality > Quality::Good) {
            body_ui(ui, &text("health-what-to-do"));
        }
    });
    ui.add_space(theme::GAP);
}

fn member_ui(ui: &mut Ui, name: &str, member: &MemberHealth) {
    let (tone, id) = match member.quality {
        Quality::Good => (Tone::Good, "health-member-good"),
        Quality::Fair => (Tone::Caution, "health-member-fair"),
        Quality::Poor => (Tone::Bad, "health-member-poor"),
    };
    ui.horizontal(|ui| {
        bars_ui(ui, member.quality, tone);
        ui.add(egui::Label::new(RichText::new(fill(id, [("name", name.into())])).font(theme::strong())).wrap());
    });
    ui.spacing_mut().item_spacing.y = 4.0;
    muted_ui(ui, &sentence(member));
}

/// The figures, each with its name: what has none is left out.
fn sentence(member: &MemberHealth) -> String {
    let figure = |id: &str, value: String| fill(id, [("value", value.into())]);
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let rate =
        |kbps: f64| if kbps < 1_000.0 { format!("{kbps:.0} kbit/s") } else { format!("{:.1} Mbit/s", kbps / 1e3) };
    let mut figures = Vec::new();
    figures.extend(member.round_trip_ms.map(|ms| figure("health-round-trip", format!("{ms:.0}"))));
    figures.push(figure("health-jitter", format!("{:.0}", member.jitter_ms)));
    figures.push(figure("health-lost", percent(member.loss)));
    figures.push(figure("health-made-up", percent(member.made_up)));
    figures.push(match member.picture {
        Some((width, height, fps)) => figure("health-picture", format!("{width} × {height}, {fps:.0}")),
        None => text("health-no-picture"),
    });
    figures.push(figure("health-coming", rate(member.coming_kbps)));
    if member.can_send_kbps > 0.0 {
        figures.push(figure("health-can-send", rate(member.can_send_kbps)));
    }
    figures.push(figure("health-queue", format!("{:.0}", member.queue_ms)));
    figures.push(figure("health-freezes", member.freezes.to_string()));
    figures.join(" · ")
}

/// Three bars, as many of them filled as it deserves; the words beside say the same.
fn bars_ui(ui: &mut Ui, quality: Quality, tone: Tone) {
    const WIDTH: f32 = 6.0;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(28.0, 24.0), Sense::hover());
    response.widget_info(|| WidgetInfo::new(Role::Unknown));
    let filled = match quality {
        Quality::Good => 3,
        Quality::Fair => 2,
        Quality::Poor => 1,
    };
    let palette = Palette::of(ui);
    for bar in 0..3_u8 {
        let left = rect.left() + f32::from(bar) * (WIDTH + 3.0);
        let top = rect.bottom() - 8.0 * f32::from(bar + 1);
        let place = Rect::from_min_max(pos2(left, top), pos2(left + WIDTH, rect.bottom()));
        let colour = if bar < filled { palette.tone(tone).text } else { palette.line };
        ui.painter().rect_filled(place, 2.0, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;
    use crate::ui::testing::Stage;

    fn stage(quality: Quality) -> Stage<'static, bool> {
        Stage::new(false, move |ui, open| {
            let health = sample::health(quality);
            warning_ui(ui, Some(&health));
            button_ui(ui, open);
            if *open {
                card_of(ui, Some(&health), &sample::members());
            }
            None
        })
    }

    #[test]
    fn a_good_connection_says_nothing_until_it_is_asked() {
        let mut stage = stage(Quality::Good);
        assert!(!stage.shows("connection is"));
        stage.click("Connection");
        assert!(stage.shows("Mia Okafor: good"));
        assert!(stage.shows("there and back 48 ms"));
        assert!(stage.shows("uneven by 4 ms"));
        assert!(stage.shows("picture 1280 × 720, 30 a second"));
        assert!(!stage.shows("Wi-Fi"));
        stage.click("Hide connection");
        assert!(!stage.shows("Mia Okafor"));
    }

    #[test]
    fn a_poor_one_says_so_by_itself_and_what_to_do() {
        let mut stage = stage(Quality::Poor);
        assert!(stage.shows("Poor connection"));
        stage.click("Connection");
        assert!(stage.shows("Mia Okafor: poor"));
        assert!(stage.shows("Wi-Fi"));
    }

    #[test]
    fn alone_there_is_nobody_to_measure() {
        let stage = Stage::new((), |ui, ()| {
            card_of(ui, None, &sample::members());
            None
        });
        assert!(stage.shows("Nobody else is connected"));
    }
}
