//! Sharing one window: a picker with a small picture of each, and a bar that says what the others see.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2};
use media::source::WindowInfo;

use super::button::Button;
use super::icon::Icon;
use super::message::{fill, text};
use super::theme::{self, Palette, Tone};
use super::video_tile::{Instead, Tile, Tiles, fitted, tile_ui};
use super::widget::{badge_ui, banner_ui, body_ui, card_ui, focus_ring, muted_ui, subheading_ui};
use crate::private::Private;
use crate::session::{Call, Command};

/// Size of a window's place in the picker, in points.
const PLACE: Vec2 = Vec2::new(220.0, 190.0);

/// Opens and closes the picker, or ends the sharing.
pub(crate) fn button_ui(ui: &mut Ui, state: &Call, open: &mut bool) -> Option<Command> {
    if state.sharing.is_some() {
        let stop = Button::secondary(text("share-stop")).icon(Icon::Cross);
        return ui.add(stop).clicked().then_some(Command::StopSharing);
    }
    let words = text(if *open { "share-close" } else { "share-open" });
    if ui.add(Button::secondary(words).icon(Icon::Window)).clicked() {
        *open = !*open;
        return (*open).then_some(Command::LookForWindows);
    }
    None
}

/// Says what the others see, with a picture of it.
pub(crate) fn bar_ui(ui: &mut Ui, title: &Private, tiles: &Tiles) -> Option<Command> {
    let heading = fill("share-sharing", [("title", title.as_str().into())]);
    let command = banner_ui(ui, Tone::Caution, &heading, &[&text("share-sharing-what")], |ui| {
        let (_, place) = ui.allocate_space(Vec2::new(240.0, 135.0));
        let words = text("share-preview");
        tile_ui(ui, place, Some(&tiles.screen), &words, Instead { icon: Icon::Clock, words: &words });
        let stop = Button::danger(text("share-stop")).icon(Icon::Cross);
        ui.add(stop).clicked().then_some(Command::StopSharing)
    });
    ui.add_space(theme::GAP);
    command
}

/// Paints the windows to choose from.
pub(crate) fn picker_ui(ui: &mut Ui, tiles: &Tiles, open: &mut bool) -> Option<Command> {
    let command = card_ui(ui, |ui| {
        subheading_ui(ui, &text("share-title"));
        muted_ui(ui, &text("share-what"));
        let Some(windows) = &tiles.windows else {
            badge_ui(ui, Tone::Info, Icon::Clock, &text("share-looking"));
            return None;
        };
        if windows.is_empty() {
            body_ui(ui, &text("share-none"));
        }
        let mut command = None;
        ui.horizontal_wrapped(|ui| {
            for (window, _) in windows.iter() {
                if place_ui(ui, window, tiles) {
                    let title = window.title.as_str().into();
                    command = Some(Command::ShareWindow { window: window.id, title });
                }
            }
        });
        if ui.add(Button::quiet(text("share-again")).icon(Icon::Eye)).clicked() {
            command = Some(Command::LookForWindows);
        }
        command
    });
    ui.add_space(theme::GAP);
    *open &= !matches!(command, Some(Command::ShareWindow { .. }));
    command
}

/// One window: its picture, its title, its program. The whole place is one button. A minimised one cannot be pressed.
fn place_ui(ui: &mut Ui, window: &WindowInfo, tiles: &Tiles) -> bool {
    let palette = Palette::of(ui);
    let sense = if window.minimised { Sense::hover() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(PLACE, sense);
    let names = [("title", window.title.as_str().into()), ("program", window.program.as_str().into())];
    let spoken = fill("share-window", names);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, !window.minimised, &spoken));
    let fill_colour = if response.hovered() { palette.sunken } else { palette.surface };
    let edge = egui::Stroke::new(1.0, palette.outline);
    ui.painter().rect(rect, theme::RADIUS, fill_colour, edge, egui::StrokeKind::Inside);
    focus_ring(ui, &response, rect);
    let picture = Rect::from_min_size(rect.min + Vec2::splat(10.0), Vec2::new(PLACE.x - 20.0, 112.0));
    match tiles.previews.get(&window.id).and_then(Tile::texture) {
        Some(texture) => {
            let size = fitted(texture.size_vec2(), picture.size());
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            let place = Rect::from_center_size(picture.center(), size);
            ui.painter().image(texture.id(), place, uv, egui::Color32::WHITE);
        }
        None => {
            let words = text(if window.minimised { "share-minimised" } else { "share-no-picture" });
            let galley = ui.painter().layout(words, theme::small(), palette.muted, picture.width());
            ui.painter().galley(picture.center() - galley.size() / 2.0, galley, palette.muted);
        }
    }
    let line = |words: &str, font| {
        let mut job = egui::text::LayoutJob::simple_singleline(words.to_owned(), font, palette.text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(PLACE.x - 20.0);
        ui.painter().layout_job(job)
    };
    let below = pos2(picture.left(), picture.bottom() + 8.0);
    ui.painter().galley(below, line(&window.title, theme::strong()), palette.text);
    ui.painter().galley(below + Vec2::new(0.0, 26.0), line(&window.program, theme::small()), palette.muted);
    !window.minimised && response.clicked()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::SourceState;
    use crate::ui::call::call_ui;
    use crate::ui::testing::Stage;
    use crate::ui::{Forms, sample};

    fn window(id: u32, title: &str, minimised: bool) -> WindowInfo {
        WindowInfo { id, title: title.into(), program: "viewer".into(), minimised }
    }

    fn stage(windows: Vec<WindowInfo>) -> Stage<'static, bool> {
        let windows = windows.into_iter().map(|window| (window, None)).collect();
        let tiles = Tiles { windows: Some(Arc::new(windows)), ..Tiles::default() };
        Stage::new(true, move |ui, open| picker_ui(ui, &tiles, open))
    }

    fn in_call(state: Call, tiles: Tiles) -> Stage<'static, Forms> {
        let view = sample::view();
        Stage::new(Forms::default(), move |ui, forms| call_ui(ui, &state, &view, sample::NOW, &tiles, forms))
    }

    #[test]
    fn who_hosts_can_share_a_window_and_nobody_else() {
        let mut host = in_call(sample::call(true), Tiles::default());
        host.click("Share a window");
        assert!(matches!(host.command(), Some(Command::LookForWindows)));
        assert!(host.shows("Looking for windows…"));
        host.click("Hide windows");
        assert!(!host.shows("Looking for windows…"));
        assert!(!in_call(sample::call(false), Tiles::default()).shows("Share a window"));
    }

    #[test]
    fn the_window_of_who_hosts_is_shown_and_no_other() {
        for (sharer, shown) in [(0, true), (1, false)] {
            let mut state = sample::call(sharer == 1);
            state.members[sharer].media.screen = SourceState::On;
            let screens = [(0_u32, Tile::default()), (1, Tile::default())].into();
            let stage = in_call(state, Tiles { screens, ..Tiles::default() });
            assert_eq!(stage.shows("Window of"), shown, "{sharer}");
        }
    }

    #[test]
    fn a_window_is_chosen_by_its_title() {
        let mut stage = stage(vec![window(7, "X-ray", false), window(8, "Letter", false)]);
        stage.click("Share X-ray, viewer");
        assert!(matches!(stage.command(), Some(Command::ShareWindow { window: 7, .. })));
        assert!(!stage.harness.state().form, "the picker closes");
    }

    #[test]
    fn one_can_look_again_and_the_picker_stays_open() {
        let mut stage = stage(vec![window(7, "X-ray", false)]);
        stage.click("Look again");
        assert!(matches!(stage.command(), Some(Command::LookForWindows)));
        assert!(stage.harness.state().form);
    }

    #[test]
    fn a_minimised_window_cannot_be_shared_and_nothing_to_share_is_said() {
        let mut picker = stage(vec![window(7, "X-ray", true)]);
        picker.click("Share X-ray, viewer");
        assert!(picker.command().is_none());
        assert!(stage(Vec::new()).shows("No other window is open."));
    }

    #[test]
    fn who_shares_sees_what_the_others_see_and_can_stop() {
        let state = Call { sharing: Some("X-ray".into()), ..sample::call(true) };
        let mut stage = Stage::new((), move |ui, ()| {
            let title = state.sharing.clone()?;
            bar_ui(ui, &title, &Tiles::default())
        });
        assert!(stage.shows("The others see the window “X-ray”"));
        stage.click("Stop sharing");
        assert!(matches!(stage.command(), Some(Command::StopSharing)));
    }
}
