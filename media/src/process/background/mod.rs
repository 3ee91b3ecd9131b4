//! Hides what is behind a person: blurred, a plain colour, or a picture of the person's choice. All on this machine.
//!
//! Blur is comfort: what is written on a wall may still be guessed. A colour or a picture is privacy: nothing of the room is
//! in the result but what the mask takes for a part of the person.
//!
//! ```text
//!  frame ─→ segment: where is a person? ─→ mask: steady in time ─→ blend: person's pixels over the other ones ─→ frame
//!    └───────────────────────────────→ blur of what is no person ───┘
//! ```

mod blend;
mod blur;
mod mask;
mod segment;

use std::fmt;

use self::blend::{Axis, Behind, compose};
use self::blur::Blur;
use self::mask::Mask;
use self::segment::Segmenter;
use super::scale::Scaler;
use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::pool::FramePool;

/// What others see behind the person.
#[derive(Clone, Default)]
pub enum Background {
    /// What is there.
    #[default]
    Shown,
    /// The room, out of focus. Comfort, not privacy.
    Blurred(BlurStrength),
    /// One colour.
    Plain(PlainColour),
    /// A picture, cut to the shape of the camera's pictures. Its pixels are shared.
    Picture(VideoFrame),
}

/// How far out of focus the room is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlurStrength {
    /// Shapes and colours remain.
    Soft,
    /// Large colours remain.
    #[default]
    Strong,
}

/// A colour as it lies in pictures (BT.601, limited range).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainColour {
    /// Luma, 16 to 235.
    pub y: u8,
    /// Blue against luma, 16 to 240.
    pub u: u8,
    /// Red against luma, 16 to 240.
    pub v: u8,
}

impl PlainColour {
    /// A quiet grey-blue.
    pub const CALM: Self = Self { y: 150, u: 134, v: 122 };
}

impl Background {
    /// Whether pictures pass as they are.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        matches!(self, Self::Shown)
    }

    /// Whether nothing of the room may be in a picture. Then every picture is looked at, and the mask lets go at once.
    const fn is_private(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Picture(_))
    }
}

/// A picture equals its clones only: pixels are not compared.
impl PartialEq for Background {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Shown, Self::Shown) => true,
            (Self::Blurred(one), Self::Blurred(other)) => one == other,
            (Self::Plain(one), Self::Plain(other)) => one == other,
            (Self::Picture(one), Self::Picture(other)) => one.shares_pixels(other),
            _ => false,
        }
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Effect")
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shown => "Shown",
            Self::Blurred(_) => "Blurred",
            Self::Plain(_) => "Plain",
            // Not its size: it is the person's own.
            Self::Picture(_) => "Picture",
        })
    }
}

/// Writes for each point of [`mask::SIDE`] x [`mask::SIDE`] how likely it shows a person, 0 to 1.
type Find = Box<dyn FnMut(&VideoFrame, &mut [f32]) -> Result<(), MediaError> + Send>;

/// The effect of one camera: keeps the model, the mask and its working memory. About 10 ms for 1280 x 720, 14 where the room is
/// private.
pub struct Effect {
    find: Find,
    likely: Vec<f32>,
    mask: Mask,
    /// Pictures since the last one that was looked at.
    since: u32,
    blur: Blur,
    scaler: Scaler,
    /// The chosen picture in the size of the camera's, with the one that it was made of.
    scenery: Option<(VideoFrame, VideoFrame)>,
    luma: Axis,
    chroma: Axis,
    pool: FramePool,
}

impl Effect {
    /// Loads the model: some 20 ms.
    ///
    /// # Errors
    /// [`MediaError::Background`] if the model does not load.
    pub fn new() -> Result<Self, MediaError> {
        let mut segmenter = Segmenter::new()?;
        Ok(Self::with(Box::new(move |frame, likely| segmenter.find(frame, likely))))
    }

    /// With another way to find people.
    pub(crate) fn with(find: Find) -> Self {
        Self {
            find,
            likely: vec![0.0; mask::SIDE * mask::SIDE],
            mask: Mask::new(),
            since: 0,
            blur: Blur::default(),
            scaler: Scaler::new(),
            scenery: None,
            luma: Axis::default(),
            chroma: Axis::default(),
            pool: FramePool::new(),
        }
    }

    /// The next picture is looked at, whatever was found before.
    pub(crate) fn forget(&mut self) {
        self.mask.forget();
    }

    /// The picture with the background that was chosen; [`Background::Shown`] gives it back.
    ///
    /// # Errors
    /// [`MediaError::Background`] when no mask came that can be trusted. The picture must not be shown then, and the next one is
    /// looked at anew.
    pub fn apply(&mut self, frame: &VideoFrame, background: &Background) -> Result<VideoFrame, MediaError> {
        if background.is_shown() {
            return Ok(frame.clone());
        }
        // A mask of the picture before is right for a blur; where the room is private, a moving person would uncover it.
        let look = self.mask.is_stale() || background.is_private() || self.since >= 1;
        if look {
            let found = (self.find)(frame, &mut self.likely);
            if let Err(error) = found.and_then(|()| self.mask.update(&self.likely, background.is_private())) {
                self.mask.forget();
                return Err(error);
            }
            self.since = 0;
        } else {
            self.since += 1;
        }
        self.blend(frame, background)
    }

    fn blend(&mut self, frame: &VideoFrame, background: &Background) -> Result<VideoFrame, MediaError> {
        self.luma.fit(frame.width());
        self.chroma.fit(frame.chroma_width());
        let mut out = self.pool.frame(frame.width(), frame.height(), frame.captured, frame.number)?;
        let sizes = [
            (frame.width() as usize, frame.height() as usize),
            (frame.chroma_width() as usize, frame.chroma_height() as usize),
        ];
        let from = [frame.y(), frame.u(), frame.v()];
        let scenery = match background {
            Background::Picture(picture) => Some(self.scenery(picture, frame)?),
            _ => None,
        };
        let (y, u, v) = out.planes_mut();
        for (plane, to) in [y, u, v].into_iter().enumerate() {
            let (width, height) = sizes[plane.min(1)];
            let axis = if plane == 0 { &self.luma } else { &self.chroma };
            let room = from[plane];
            let behind = match background {
                Background::Shown => Behind::Plane(room),
                Background::Blurred(strength) => {
                    self.blur.make(room, (width, height), &self.mask, *strength);
                    Behind::Blur(&mut self.blur)
                }
                Background::Plain(colour) => Behind::Plain([colour.y, colour.u, colour.v][plane]),
                Background::Picture(_) => {
                    let Some(scenery) = &scenery else { return Err(MediaError::Background("no picture to show")) };
                    Behind::Plane([scenery.y(), scenery.u(), scenery.v()][plane])
                }
            };
            compose(to, room, (width, height), &self.mask, axis, behind);
        }
        Ok(out)
    }

    /// The chosen picture in the size of this one. A clone shares its pixels.
    fn scenery(&mut self, picture: &VideoFrame, frame: &VideoFrame) -> Result<VideoFrame, MediaError> {
        if let Some((made_of, scenery)) = &self.scenery
            && made_of.shares_pixels(picture)
            && (scenery.width(), scenery.height()) == (frame.width(), frame.height())
        {
            return Ok(scenery.clone());
        }
        let cut = cut(picture, frame.width(), frame.height())?;
        let scenery = self.scaler.scale(&cut, frame.width(), frame.height())?;
        self.scenery = Some((picture.clone(), scenery.clone()));
        Ok(scenery)
    }
}

/// The middle of a picture in the shape of this size.
fn cut(picture: &VideoFrame, width: u32, height: u32) -> Result<VideoFrame, MediaError> {
    let (have_w, have_h) = (u64::from(picture.width()), u64::from(picture.height()));
    let (want_w, want_h) = (u64::from(width), u64::from(height));
    let even = |side: u64, most: u32| u32::try_from(side).unwrap_or(most).clamp(2.min(most), most) & !1;
    let (cut_w, cut_h) = if have_w * want_h > have_h * want_w {
        (even(have_h * want_w / want_h, picture.width()), picture.height() & !1)
    } else {
        (picture.width() & !1, even(have_w * want_h / want_w, picture.height()))
    };
    let (left, top) = (((picture.width() - cut_w) / 2) & !1, ((picture.height() - cut_h) / 2) & !1);
    let mut data = Vec::with_capacity(VideoFrame::data_len(cut_w, cut_h)?);
    let planes = [
        (picture.y(), picture.width(), [left, top, cut_w, cut_h]),
        (picture.u(), picture.chroma_width(), [left / 2, top / 2, cut_w / 2, cut_h / 2]),
        (picture.v(), picture.chroma_width(), [left / 2, top / 2, cut_w / 2, cut_h / 2]),
    ];
    for (plane, stride, [left, top, width, height]) in planes {
        for row in plane.chunks_exact(stride as usize).skip(top as usize).take(height as usize) {
            data.extend_from_slice(&row[left as usize..(left + width) as usize]);
        }
    }
    VideoFrame::new(cut_w, cut_h, picture.captured, picture.number, data)
}

#[cfg(test)]
mod tests;
