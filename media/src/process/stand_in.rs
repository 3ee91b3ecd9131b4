//! The picture that stands for a person who is there and not to be seen: the outline of head and shoulders.

use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::process::background::PlainColour;

/// A quiet wall, and a person a little lighter before it.
const WALL: PlainColour = PlainColour { y: 120, u: 132, v: 122 };
const PERSON: PlainColour = PlainColour { y: 190, u: 131, v: 124 };

/// Keeps the outline in the size that was drawn last.
#[derive(Default)]
pub(crate) struct StandIn {
    drawn: Option<VideoFrame>,
}

impl StandIn {
    /// The outline in the size, and with the moment and the number, of this picture; none of its pixels.
    ///
    /// # Errors
    /// [`MediaError::FrameSize`], which a frame that exists excludes.
    pub(crate) fn of(&mut self, frame: &VideoFrame) -> Result<VideoFrame, MediaError> {
        let size = (frame.width(), frame.height());
        let fits = self.drawn.as_ref().is_some_and(|drawn| (drawn.width(), drawn.height()) == size);
        if !fits {
            self.drawn = Some(draw(size.0, size.1)?);
        }
        let mut outline = self.drawn.clone().ok_or(MediaError::FrameSize { width: size.0, height: size.1 })?;
        (outline.captured, outline.number) = (frame.captured, frame.number);
        Ok(outline)
    }
}

fn draw(width: u32, height: u32) -> Result<VideoFrame, MediaError> {
    let chroma = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
    let mut data = Vec::with_capacity(VideoFrame::data_len(width, height)?);
    let planes = [
        (width as usize, height as usize, WALL.y, PERSON.y),
        (chroma.0, chroma.1, WALL.u, PERSON.u),
        (chroma.0, chroma.1, WALL.v, PERSON.v),
    ];
    for (width, height, wall, person) in planes {
        for y in 0..height {
            // In units of the picture's height, from the middle of its upper edge.
            let down = (y as f32 + 0.5) / height as f32;
            for x in 0..width {
                let right = ((x as f32 + 0.5) / width as f32 - 0.5) * width as f32 / height as f32;
                let head = ellipse(right, down - 0.40, 0.15, 0.19);
                let shoulders = ellipse(right, down - 1.06, 0.36, 0.40);
                data.push(if head || shoulders { person } else { wall });
            }
        }
    }
    VideoFrame::new(width, height, crate::time::MediaTime::default(), 0, data)
}

fn ellipse(x: f32, y: f32, wide: f32, high: f32) -> bool {
    (x / wide).powi(2) + (y / high).powi(2) < 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MediaTime;

    #[test]
    fn it_holds_nothing_of_the_picture_but_size_moment_and_number() {
        let mut stand_in = StandIn::default();
        for (width, height) in [(1_280, 720), (640, 480), (1, 1), (3, 5)] {
            let of = |value| {
                let data = vec![value; VideoFrame::data_len(width, height).unwrap()];
                VideoFrame::new(width, height, MediaTime::from_micros(7), 9, data).unwrap()
            };
            let (one, other) = (stand_in.of(&of(3)).unwrap(), stand_in.of(&of(250)).unwrap());
            assert_eq!((one.width(), one.height()), (width, height));
            assert_eq!((one.captured, one.number), (MediaTime::from_micros(7), 9));
            assert_eq!(one.data(), other.data());
        }
    }

    #[test]
    fn it_shows_head_and_shoulders_on_a_wall() {
        let drawn = draw(1_280, 720).unwrap();
        let at = |x: usize, y: usize| drawn.y()[y * 1_280 + x];
        assert_eq!([at(640, 290), at(640, 700), at(60, 60), at(60, 700)], [PERSON.y, PERSON.y, WALL.y, WALL.y]);
    }
}
