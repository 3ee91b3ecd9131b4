//! The design tokens of the window: colours, sizes, text styles, focus ring.
//!
//! No other file names a colour or loads a font.
//! Each foreground reaches 4.5:1 on each surface that it is used on, in the light and the dark set; a test holds that.
//! Texts are set in Atkinson Hyperlegible Next, which the Braille Institute drew for readers with low vision.

use std::sync::Arc;

use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style, TextStyle,
    Theme, ThemePreference, Ui, Vec2, Visuals,
};

/// Smallest side of a control that is clicked, in points (WCAG 2.5.5).
pub(crate) const TARGET: f32 = 44.0;
/// Height of the main buttons and fields, in points.
pub(crate) const CONTROL: f32 = 52.0;
/// Widest column of reading text, in points: about 65 characters.
pub(crate) const COLUMN: f32 = 560.0;
/// Widest column of pages that stand in two halves, in points.
pub(crate) const WIDE_COLUMN: f32 = 920.0;
/// From this width on two halves stand side by side, in points.
pub(crate) const TWO_HALVES: f32 = 700.0;
/// Space between two things that belong together, in points.
pub(crate) const GAP: f32 = 12.0;
/// Radius of buttons and fields, in points.
pub(crate) const RADIUS: u8 = 10;
/// Radius of cards and pictures, in points.
pub(crate) const CARD_RADIUS: u8 = 14;

/// The colours of one theme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    /// Behind everything.
    pub(crate) background: Color32,
    /// Cards, bars and fields.
    pub(crate) surface: Color32,
    /// Quiet fills: secondary buttons, code boxes.
    pub(crate) sunken: Color32,
    /// Hairlines and borders that carry no meaning.
    pub(crate) line: Color32,
    /// Borders of fields and secondary buttons, at least 3:1 on every surface.
    pub(crate) outline: Color32,
    /// Text.
    pub(crate) text: Color32,
    /// Secondary text.
    pub(crate) muted: Color32,
    /// The main action and the logo.
    pub(crate) primary: Color32,
    /// The main action under the pointer.
    pub(crate) primary_hover: Color32,
    /// Text on `primary`.
    pub(crate) on_primary: Color32,
    /// Leaving, refusing.
    pub(crate) danger: Color32,
    /// Leaving, under the pointer.
    pub(crate) danger_hover: Color32,
    /// Text on `danger`.
    pub(crate) on_danger: Color32,
    /// Focus ring, at least 3:1 on every surface.
    pub(crate) focus: Color32,
    /// Tones of badges and banners.
    pub(crate) tones: Tones,
}

/// Foreground and fill of the four tones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tones {
    /// Plain information.
    pub(crate) info: ToneColours,
    /// Something is as it should be.
    pub(crate) good: ToneColours,
    /// Look here; nothing is lost.
    pub(crate) caution: ToneColours,
    /// Stopped or refused.
    pub(crate) bad: ToneColours,
}

/// One tone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToneColours {
    /// Text, icon and border.
    pub(crate) text: Color32,
    /// Fill behind it.
    pub(crate) fill: Color32,
}

/// What a badge or banner says besides its words and its icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Plain information.
    Info,
    /// Something is as it should be.
    Good,
    /// Look here; nothing is lost.
    Caution,
    /// Stopped or refused.
    Bad,
}

/// By day.
pub(crate) const LIGHT: Palette = Palette {
    background: Color32::from_rgb(243, 245, 243),
    surface: Color32::from_rgb(255, 255, 255),
    sunken: Color32::from_rgb(233, 238, 236),
    line: Color32::from_rgb(217, 224, 221),
    outline: Color32::from_rgb(112, 128, 126),
    text: Color32::from_rgb(24, 38, 40),
    muted: Color32::from_rgb(75, 93, 95),
    primary: Color32::from_rgb(15, 92, 92),
    primary_hover: Color32::from_rgb(10, 74, 75),
    on_primary: Color32::from_rgb(255, 255, 255),
    danger: Color32::from_rgb(165, 42, 34),
    danger_hover: Color32::from_rgb(138, 31, 25),
    on_danger: Color32::from_rgb(255, 255, 255),
    focus: Color32::from_rgb(196, 92, 0),
    tones: Tones {
        info: ToneColours { text: Color32::from_rgb(29, 75, 130), fill: Color32::from_rgb(229, 238, 248) },
        good: ToneColours { text: Color32::from_rgb(21, 92, 54), fill: Color32::from_rgb(226, 242, 232) },
        caution: ToneColours { text: Color32::from_rgb(121, 72, 0), fill: Color32::from_rgb(253, 241, 217) },
        bad: ToneColours { text: Color32::from_rgb(150, 33, 26), fill: Color32::from_rgb(252, 233, 230) },
    },
};

/// By night, and in every theme behind the pictures of a call.
pub(crate) const DARK: Palette = Palette {
    background: Color32::from_rgb(16, 23, 25),
    surface: Color32::from_rgb(25, 34, 37),
    sunken: Color32::from_rgb(35, 46, 49),
    line: Color32::from_rgb(49, 62, 65),
    outline: Color32::from_rgb(126, 144, 146),
    text: Color32::from_rgb(233, 240, 239),
    muted: Color32::from_rgb(172, 189, 190),
    primary: Color32::from_rgb(122, 208, 198),
    primary_hover: Color32::from_rgb(156, 224, 216),
    on_primary: Color32::from_rgb(5, 41, 41),
    danger: Color32::from_rgb(255, 161, 150),
    danger_hover: Color32::from_rgb(255, 190, 182),
    on_danger: Color32::from_rgb(66, 8, 4),
    focus: Color32::from_rgb(255, 190, 92),
    tones: Tones {
        info: ToneColours { text: Color32::from_rgb(158, 200, 246), fill: Color32::from_rgb(29, 47, 68) },
        good: ToneColours { text: Color32::from_rgb(142, 217, 168), fill: Color32::from_rgb(24, 53, 38) },
        caution: ToneColours { text: Color32::from_rgb(247, 203, 122), fill: Color32::from_rgb(60, 46, 18) },
        bad: ToneColours { text: Color32::from_rgb(255, 172, 162), fill: Color32::from_rgb(70, 29, 25) },
    },
};

impl Palette {
    /// The palette of the theme that `ui` is painted in.
    #[must_use]
    pub(crate) fn of(ui: &Ui) -> &'static Self {
        if ui.visuals().dark_mode { &DARK } else { &LIGHT }
    }

    /// Text and fill of a tone.
    #[must_use]
    pub(crate) const fn tone(&self, tone: Tone) -> ToneColours {
        match tone {
            Tone::Info => self.tones.info,
            Tone::Good => self.tones.good,
            Tone::Caution => self.tones.caution,
            Tone::Bad => self.tones.bad,
        }
    }
}

/// Sets fonts, sizes and both colour sets; the system chooses between light and dark.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    for (theme, palette) in [(Theme::Light, &LIGHT), (Theme::Dark, &DARK)] {
        ctx.set_style_of(theme, style(palette, theme));
    }
    // A system that does not say gets the light one.
    ctx.options_mut(|options| options.fallback_theme = Theme::Light);
    ctx.set_theme(ThemePreference::System);
}

/// Body text, 17 pt.
#[must_use]
pub(crate) fn body() -> FontId {
    FontId::proportional(17.0)
}

/// Secondary text, 15 pt.
#[must_use]
pub(crate) fn small() -> FontId {
    FontId::proportional(15.0)
}

/// Emphasised text and button labels, 17 pt semibold.
#[must_use]
pub(crate) fn strong() -> FontId {
    FontId::new(17.0, semibold())
}

/// Badges and field labels, 15 pt semibold.
#[must_use]
pub(crate) fn label() -> FontId {
    FontId::new(15.0, semibold())
}

/// Card headings, 20 pt semibold.
#[must_use]
pub(crate) fn subheading() -> FontId {
    FontId::new(20.0, semibold())
}

/// The heading of a screen, 30 pt semibold.
#[must_use]
pub(crate) fn heading() -> FontId {
    FontId::new(30.0, semibold())
}

/// Codes that are read aloud, in points.
#[must_use]
pub(crate) fn digits(size: f32) -> FontId {
    FontId::new(size, semibold())
}

/// Fingerprints and links.
#[must_use]
pub(crate) fn mono() -> FontId {
    FontId::monospace(15.0)
}

/// The cold edge around a focused control, drawn by every widget of ours.
#[must_use]
pub(crate) fn focus_ring(palette: &Palette) -> Stroke {
    Stroke::new(3.0, palette.focus)
}

fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let ours = [
        ("regular", &include_bytes!("../../assets/fonts/AtkinsonHyperlegibleNext-Regular.ttf")[..]),
        ("semibold", &include_bytes!("../../assets/fonts/AtkinsonHyperlegibleNext-SemiBold.ttf")[..]),
    ];
    for (name, bytes) in ours {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // egui's own fonts stay behind ours for the characters that ours lack.
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let family = |first: &str| [vec![first.to_owned()], fallback.clone()].concat();
    fonts.families.insert(FontFamily::Proportional, family("regular"));
    fonts.families.insert(semibold(), family("semibold"));
    fonts
}

fn style(palette: &Palette, theme: Theme) -> Style {
    let mut style = Style { visuals: visuals(palette, theme), ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, strong()),
        (TextStyle::Heading, heading()),
        (TextStyle::Monospace, mono()),
    ]
    .into();
    style.spacing.item_spacing = Vec2::new(GAP, GAP);
    style.spacing.interact_size = Vec2::new(TARGET, TARGET);
    style.spacing.button_padding = Vec2::new(18.0, 10.0);
    style.spacing.icon_width = 26.0;
    style.spacing.icon_width_inner = 16.0;
    style.spacing.icon_spacing = 10.0;
    style.spacing.window_margin = Margin::same(24);
    // Movement distracts, and each animated frame costs a repaint in software.
    style.animation_time = 0.0;
    style
}

fn visuals(palette: &Palette, theme: Theme) -> Visuals {
    let mut visuals = theme.default_visuals();
    visuals.override_text_color = Some(palette.text);
    visuals.weak_text_color = Some(palette.muted);
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.surface;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CornerRadius::same(CARD_RADIUS);
    visuals.extreme_bg_color = palette.surface;
    visuals.faint_bg_color = palette.sunken;
    visuals.hyperlink_color = palette.primary;
    visuals.selection.bg_fill = palette.tones.info.fill;
    visuals.selection.stroke = Stroke::new(2.0, palette.focus);
    // A blinking cursor repaints the window twice a second for as long as a field has the focus.
    visuals.text_cursor.blink = false;
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.primary);
    let radius = CornerRadius::same(RADIUS);
    for widget in [
        &mut visuals.widgets.noninteractive,
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = radius;
        widget.expansion = 0.0;
        widget.bg_fill = palette.sunken;
        widget.weak_bg_fill = palette.sunken;
        widget.bg_stroke = Stroke::new(1.0, palette.outline);
        widget.fg_stroke = Stroke::new(2.0, palette.text);
    }
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, palette.line);
    visuals.widgets.active.bg_stroke = focus_ring(palette);
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(colour: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(one: Color32, other: Color32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_reaches_four_and_a_half_to_one() {
        for palette in [&LIGHT, &DARK] {
            let grounds = [palette.background, palette.surface, palette.sunken];
            for ground in grounds {
                for text in [palette.text, palette.muted] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}");
                }
            }
            for tone in [Tone::Info, Tone::Good, Tone::Caution, Tone::Bad] {
                let ToneColours { text, fill } = palette.tone(tone);
                for ground in [fill, palette.surface, palette.background] {
                    assert!(contrast(text, ground) >= 4.5, "{tone:?} {text:?} on {ground:?}");
                }
                assert!(contrast(palette.text, fill) >= 4.5, "body text on {tone:?}");
            }
            for fill in [palette.primary, palette.primary_hover] {
                assert!(contrast(palette.on_primary, fill) >= 4.5);
            }
            for fill in [palette.danger, palette.danger_hover] {
                assert!(contrast(palette.on_danger, fill) >= 4.5);
            }
        }
    }

    #[test]
    fn focus_and_outlines_reach_three_to_one() {
        for palette in [&LIGHT, &DARK] {
            for ground in [palette.background, palette.surface, palette.sunken] {
                assert!(contrast(palette.focus, ground) >= 3.0, "focus on {ground:?}");
                assert!(contrast(palette.outline, ground) >= 3.0, "outline on {ground:?}");
            }
        }
    }
}
