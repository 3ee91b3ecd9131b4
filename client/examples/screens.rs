//! Shows one screen with sample content, to look at it: `screens NAME [dark] [SCALE]`, or `screens --list`.

use std::io::Write as _;

use client::ui::{Forms, Tiles, install_theme, sample, window_ui};

struct Preview {
    view: client::session::View,
    forms: Forms,
    tiles: Tiles,
}

impl eframe::App for Preview {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        // Commands lead nowhere here: there is no session.
        drop(window_ui(ui, &self.view, sample::NOW, &self.tiles, &mut self.forms));
    }
}

fn main() -> eframe::Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let screens = sample::screens();
    let wanted = arguments.first().cloned().unwrap_or_default();
    let Some((_, view)) = screens.iter().find(|(name, _)| *name == wanted).cloned() else {
        let names: Vec<&str> = screens.iter().map(|(name, _)| *name).collect();
        writeln!(std::io::stdout(), "{}", names.join("\n")).ok();
        return Ok(());
    };
    let dark = arguments.iter().any(|argument| argument == "dark");
    let scale = arguments.iter().find_map(|argument| argument.parse::<f32>().ok()).unwrap_or(1.0);
    let small = arguments.iter().any(|argument| argument == "small");
    let size = if small { [900.0, 640.0] } else { [1100.0, 760.0] };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size(size).with_position([0.0, 0.0]),
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "screens",
        options,
        Box::new(move |context| {
            let ctx = &context.egui_ctx;
            install_theme(ctx);
            ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
            ctx.set_zoom_factor(scale);
            let tiles = sample::tiles(ctx);
            Ok(Box::new(Preview { view, forms: Forms::default(), tiles }))
        }),
    )
}
