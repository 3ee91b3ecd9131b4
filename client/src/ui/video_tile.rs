//! Newest picture → texture → tile on the screen.
//!
//! A picture is converted once, when it is new, however often the window repaints.
//! Per new picture: no allocation (pixels are reused as soon as the renderer has uploaded them), one conversion.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{
    Color32, ColorImage, Context, CornerRadius, FontId, Rect, Response, Role, Sense, TextureHandle, TextureOptions, Ui,
    Vec2, WidgetInfo, pos2,
};
use media::process::convert::i420_to_rgba;
use media::{DeviceList, Slot, VideoFrame};

use super::icon::Icon;
use super::theme::{self, DARK};
use crate::health::Health;
use crate::pictures::{Pictures, Windows};

/// One texture that follows a slot. Dropping it frees the texture.
#[derive(Default)]
pub(crate) struct Tile {
    texture: Option<TextureHandle>,
    picture: Arc<ColorImage>,
    rgba: Vec<u8>,
    version: u64,
}

impl Tile {
    /// Takes the newest picture over, if it is new; says whether it was.
    pub(crate) fn refresh(&mut self, ctx: &Context, slot: &Slot<VideoFrame>) -> bool {
        let version = slot.version();
        if version == self.version {
            return false;
        }
        self.version = version;
        match slot.latest() {
            Some(frame) => self.show(ctx, &frame),
            // Cleared: a camera that was switched off leaves no picture behind.
            None => self.clear(),
        }
        true
    }

    /// Puts a picture on the texture.
    pub(crate) fn show(&mut self, ctx: &Context, frame: &VideoFrame) {
        let size = [frame.width() as usize, frame.height() as usize];
        i420_to_rgba(frame, &mut self.rgba);
        if self.picture.size != size || Arc::get_mut(&mut self.picture).is_none() {
            // First picture, another size, or the renderer still holds the last one.
            self.picture = Arc::new(ColorImage::filled(size, Color32::BLACK));
        }
        let picture = Arc::make_mut(&mut self.picture);
        if picture.as_raw().len() != self.rgba.len() {
            return;
        }
        picture.as_raw_mut().copy_from_slice(&self.rgba);
        let picture = Arc::clone(&self.picture);
        match &mut self.texture {
            // A full `set` would allocate a new texture on the graphics side for each picture.
            Some(texture) if texture.size() == size => texture.set_partial([0, 0], picture, TextureOptions::LINEAR),
            _ => self.texture = Some(ctx.load_texture("picture", picture, TextureOptions::LINEAR)),
        }
    }

    /// Forgets the picture.
    pub(crate) fn clear(&mut self) {
        *self = Self { version: self.version, ..Self::default() };
    }

    /// The texture, once there is a picture.
    #[must_use]
    pub(crate) const fn texture(&self) -> Option<&TextureHandle> {
        self.texture.as_ref()
    }
}

impl std::fmt::Debug for Tile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tile").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The tiles of the current phase.
#[derive(Debug, Default)]
pub struct Tiles {
    /// Own camera.
    pub(crate) own: Tile,
    /// Members by leaf.
    pub(crate) remote: BTreeMap<u32, Tile>,
    /// Level of the own microphone, -127 (silence) to 0 dBov.
    pub(crate) level_dbov: Option<f32>,
    /// How the call goes over the network.
    pub(crate) health: Option<Arc<Health>>,
    /// Windows that members share, by leaf.
    pub(crate) screens: BTreeMap<u32, Tile>,
    /// The own shared window as the others see it.
    pub(crate) screen: Tile,
    /// Windows that could be shared, and their small pictures by id.
    pub(crate) windows: Option<Windows>,
    pub(crate) previews: BTreeMap<u32, Tile>,
    /// The devices to choose from.
    pub(crate) devices: Option<Arc<DeviceList>>,
}

impl Tiles {
    /// Takes over what is new for these members, and drops the tiles of all others. Says whether anything changed.
    pub(crate) fn refresh(&mut self, ctx: &Context, pictures: &Pictures, leaves: &[u32]) -> bool {
        let mut changed = match pictures.own() {
            Some(slot) => self.own.refresh(ctx, &slot),
            None => {
                let had = self.own.texture.is_some();
                self.own.clear();
                had
            }
        };
        self.remote.retain(|leaf, _| leaves.contains(leaf));
        for leaf in leaves {
            if let Some(slot) = pictures.of(*leaf) {
                changed |= self.remote.entry(*leaf).or_default().refresh(ctx, &slot);
            } else {
                self.remote.remove(leaf);
            }
        }
        self.level_dbov = pictures.level_dbov();
        self.health = pictures.health();
        self.devices = pictures.devices();
        changed |= match pictures.screen() {
            Some(slot) => self.screen.refresh(ctx, &slot),
            None => {
                self.screen.clear();
                false
            }
        };
        for leaf in leaves {
            match pictures.screen_of(*leaf) {
                Some(slot) => changed |= self.screens.entry(*leaf).or_default().refresh(ctx, &slot),
                None => drop(self.screens.remove(leaf)),
            }
        }
        self.screens.retain(|leaf, _| leaves.contains(leaf));
        self.take_windows(ctx, pictures.windows());
        changed
    }
}

impl Tiles {
    /// Small pictures become textures once, when they are new.
    fn take_windows(&mut self, ctx: &Context, windows: Option<Windows>) {
        let same = match (&self.windows, &windows) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if same {
            return;
        }
        self.previews.clear();
        for (window, picture) in windows.iter().flat_map(|windows| windows.iter()) {
            if let Some(picture) = picture {
                self.previews.entry(window.id).or_default().show(ctx, picture);
            }
        }
        self.windows = windows;
    }
}

/// What a tile shows instead of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instead<'a> {
    /// Icon in the middle.
    pub(crate) icon: Icon,
    /// Sentence below it.
    pub(crate) words: &'a str,
}

/// Paints a tile into `rect`: the whole picture, never cut, on a dark ground; or what stands instead of it.
///
/// `label` is what AccessKit says of the picture.
pub(crate) fn tile_ui(ui: &mut Ui, rect: Rect, tile: Option<&Tile>, label: &str, instead: Instead<'_>) -> Response {
    let response = ui.allocate_rect(rect, Sense::hover());
    let radius = CornerRadius::same(theme::CARD_RADIUS);
    let texture = tile.and_then(Tile::texture);
    let spoken = if texture.is_some() { label } else { instead.words };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spoken));
    ui.painter().rect_filled(rect, radius, DARK.background);
    if let Some(texture) = texture {
        let size = fitted(texture.size_vec2(), rect.size());
        let picture = Rect::from_center_size(rect.center(), size);
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        let rounded = if picture.width() > rect.width() - 2.0 || picture.height() > rect.height() - 2.0 {
            radius
        } else {
            CornerRadius::ZERO
        };
        ui.painter()
            .add(egui::epaint::RectShape::filled(picture, rounded, Color32::WHITE).with_texture(texture.id(), uv));
    } else {
        placeholder(ui, rect, instead);
    }
    response
}

/// Writes a name into the lower left corner of a tile.
pub(crate) fn name_tag(ui: &Ui, rect: Rect, name: &str) {
    let galley = ui.painter().layout(name.to_owned(), theme::label(), DARK.text, rect.width() - 40.0);
    let size = galley.size() + Vec2::new(20.0, 10.0);
    let corner = pos2(rect.left() + 12.0, rect.bottom() - 12.0 - size.y);
    let tag = Rect::from_min_size(corner, size);
    ui.painter().rect_filled(tag, CornerRadius::same(8), DARK.background.gamma_multiply(0.85));
    ui.painter().galley(tag.min + Vec2::new(10.0, 5.0), galley, DARK.text);
}

fn placeholder(ui: &Ui, rect: Rect, instead: Instead<'_>) {
    let small = rect.height() < 200.0;
    let (icon, font): (f32, FontId) = if small { (26.0, theme::small()) } else { (46.0, theme::body()) };
    let galley = ui.painter().layout(instead.words.to_owned(), font, DARK.muted, rect.width() - 32.0);
    let height = icon + 12.0 + galley.size().y;
    let top = rect.center().y - height / 2.0;
    instead.icon.paint(ui.painter(), pos2(rect.center().x, top + icon / 2.0), icon, DARK.muted);
    let corner = pos2(rect.center().x - galley.size().x / 2.0, top + icon + 12.0);
    ui.painter().with_clip_rect(rect).galley(corner, galley, DARK.muted);
}

/// The largest size with the picture's proportions that fits.
pub(crate) fn fitted(picture: Vec2, room: Vec2) -> Vec2 {
    if picture.x <= 0.0 || picture.y <= 0.0 {
        return Vec2::ZERO;
    }
    picture * (room.x / picture.x).min(room.y / picture.y)
}

/// Equal cells, as square as the count allows.
pub(crate) fn grid(room: Rect, count: usize) -> Vec<Rect> {
    let columns = (1..=count).find(|columns| columns * columns >= count).unwrap_or(1);
    let rows = count.div_ceil(columns);
    let gap = theme::GAP;
    let cell = Vec2::new(
        (room.width() - gap * (columns - 1) as f32) / columns as f32,
        (room.height() - gap * (rows - 1) as f32) / rows as f32,
    );
    (0..count)
        .map(|place| {
            let (column, row) = (place % columns, place / columns);
            let corner = room.min + Vec2::new(column as f32 * (cell.x + gap), row as f32 * (cell.y + gap));
            Rect::from_min_size(corner, cell)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::MediaTime;

    fn frame(width: u32, height: u32) -> VideoFrame {
        let len = VideoFrame::data_len(width, height).unwrap();
        VideoFrame::new(width, height, MediaTime::default(), 0, vec![128; len]).unwrap()
    }

    #[test]
    fn a_picture_is_taken_once() {
        let ctx = Context::default();
        let slot = Slot::new();
        let mut tile = Tile::default();
        slot.put(frame(4, 2));
        assert!(tile.refresh(&ctx, &slot));
        assert!(!tile.refresh(&ctx, &slot));
        assert_eq!(tile.texture().unwrap().size(), [4, 2]);
    }

    #[test]
    fn the_texture_stays_the_same_for_the_same_size() {
        let ctx = Context::default();
        let mut tile = Tile::default();
        tile.show(&ctx, &frame(4, 2));
        let first = tile.texture().unwrap().id();
        tile.show(&ctx, &frame(4, 2));
        assert_eq!(tile.texture().unwrap().id(), first);
        tile.show(&ctx, &frame(6, 2));
        assert_eq!(tile.texture().unwrap().size(), [6, 2]);
    }

    #[test]
    fn a_cleared_slot_leaves_no_picture() {
        let ctx = Context::default();
        let slot = Slot::new();
        let mut tile = Tile::default();
        slot.put(frame(4, 2));
        tile.refresh(&ctx, &slot);
        slot.clear();
        assert!(tile.refresh(&ctx, &slot));
        assert!(tile.texture().is_none());
    }

    #[test]
    fn pictures_keep_their_proportions() {
        assert_eq!(fitted(Vec2::new(1280.0, 720.0), Vec2::new(640.0, 640.0)), Vec2::new(640.0, 360.0));
        assert_eq!(fitted(Vec2::new(0.0, 720.0), Vec2::new(640.0, 640.0)), Vec2::ZERO);
    }

    #[test]
    fn a_grid_fills_the_room_without_overlap() {
        let room = Rect::from_min_size(pos2(0.0, 0.0), Vec2::new(800.0, 600.0));
        for count in 1..=9 {
            let cells = grid(room, count);
            assert_eq!(cells.len(), count);
            for (place, cell) in cells.iter().enumerate() {
                assert!(room.expand(0.5).contains_rect(*cell));
                assert!(cells[..place].iter().all(|other| !other.shrink(0.5).intersects(*cell)));
            }
        }
    }
}
