//! The person's pixels over others, plane by plane, in one pass. Where the mask is plain, which is nearly everywhere, rows are
//! copied; only edges are computed.

use super::blur::Blur;
use super::mask::{Mask, SIDE};

/// Which points of the mask's row a pixel of a picture's row lies between.
#[derive(Default)]
pub(super) struct Axis {
    width: u32,
    /// First pixel of each of the cells between two points, and the end of the last one.
    first: Vec<usize>,
    /// Share of the right point, of 256, for each pixel.
    right: Vec<u16>,
}

impl Axis {
    /// Fits rows of that many pixels.
    pub(super) fn fit(&mut self, width: u32) {
        if std::mem::replace(&mut self.width, width) == width {
            return;
        }
        (self.first, self.right) = (vec![0; SIDE], Vec::with_capacity(width as usize));
        let mut next_cell = 1;
        for pixel in 0..width as usize {
            let (cell, right) = place(pixel, width as usize);
            while next_cell <= cell {
                self.first[next_cell] = pixel;
                next_cell += 1;
            }
            self.right.push(right);
        }
        self.first[next_cell..].fill(width as usize);
    }
}

/// The point of the mask before a pixel's centre, and the share of the next one of 256.
fn place(pixel: usize, pixels: usize) -> (usize, u16) {
    let pixels = pixels.max(1);
    // In 1/256 of the distance between points; the outer half of an outer point belongs to it alone.
    let position = ((2 * pixel + 1) * SIDE * 128 / pixels).saturating_sub(128).min((SIDE - 1) * 256);
    let cell = (position / 256).min(SIDE - 2);
    (cell, u16::try_from(position - cell * 256).unwrap_or(256))
}

/// What becomes of pixels in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Person,
    Behind,
    Edge,
}

/// The pixels behind the person.
pub(super) enum Behind<'a> {
    /// The same value everywhere.
    Plain(u8),
    /// A plane of the same size.
    Plane(&'a [u8]),
    /// What was made of the room.
    Blur(&'a mut Blur),
}

/// Fills the plane `to` with the person's pixels of `from` and those behind.
pub(super) fn compose(
    to: &mut [u8],
    from: &[u8],
    (width, height): (usize, usize),
    mask: &Mask,
    axis: &Axis,
    mut behind: Behind<'_>,
) {
    let plain = if let Behind::Plain(value) = behind { vec![value; width] } else { Vec::new() };
    let mut points = [0; SIDE];
    for (row, (to, from)) in to.chunks_exact_mut(width).zip(from.chunks_exact(width)).enumerate() {
        let (above, share) = place(row, height);
        mix_points(&mut points, mask.row(above), mask.row(above + 1), share);
        let behind = match &mut behind {
            Behind::Plain(_) => plain.as_slice(),
            Behind::Plane(plane) => &plane[row * width..(row + 1) * width],
            Behind::Blur(blur) => blur.row(row),
        };
        mix_row(to, from, behind, &points, axis);
    }
}

/// The mask's row between two of its rows.
fn mix_points(points: &mut [u8; SIDE], above: &[u8], below: &[u8], share: u16) {
    for ((point, above), below) in points.iter_mut().zip(above).zip(below) {
        *point = mix(*above, *below, share);
    }
}

/// Between two values, `share` of 256 of the second.
fn mix(first: u8, second: u8, share: u16) -> u8 {
    ((u16::from(first) * (256 - share) + u16::from(second) * share) >> 8) as u8
}

fn mix_row(to: &mut [u8], from: &[u8], behind: &[u8], points: &[u8; SIDE], axis: &Axis) {
    let part = |cell: usize| match (points[cell], points[cell + 1]) {
        (255, 255) => Part::Person,
        (0, 0) => Part::Behind,
        _ => Part::Edge,
    };
    let mut cell = 0;
    while cell < SIDE - 1 {
        let (begin, kind) = (cell, part(cell));
        while cell < SIDE - 1 && part(cell) == kind {
            cell += 1;
            if kind == Part::Edge {
                break;
            }
        }
        let pixels = axis.first[begin]..axis.first[cell];
        match kind {
            Part::Person => to[pixels.clone()].copy_from_slice(&from[pixels]),
            Part::Behind => to[pixels.clone()].copy_from_slice(&behind[pixels]),
            Part::Edge => {
                for pixel in pixels {
                    let person = u16::from(mix(points[begin], points[begin + 1], axis.right[pixel]));
                    let sum = u16::from(from[pixel]) * person + u16::from(behind[pixel]) * (255 - person);
                    // Division by 255, rounded, for sums up to 255 * 255.
                    to[pixel] = ((sum + 128 + ((sum + 128) >> 8)) >> 8) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    /// A mask that is a person in these columns.
    fn mask(of: Range<usize>) -> Mask {
        let likely: Vec<_> = (0..SIDE * SIDE).map(|at| if of.contains(&(at % SIDE)) { 1.0 } else { 0.0 }).collect();
        let mut mask = Mask::new();
        mask.update(&likely, true).unwrap();
        mask
    }

    fn composed(width: usize, height: usize, of: Range<usize>) -> Vec<u8> {
        let mut axis = Axis::default();
        axis.fit(width as u32);
        let mut to = vec![1; width * height];
        compose(&mut to, &vec![200; width * height], (width, height), &mask(of), &axis, Behind::Plain(50));
        to
    }

    #[test]
    fn the_person_stays_and_the_rest_is_behind_in_every_size() {
        for (width, height) in [(1_280, 720), (640, 361), (333, 7), (256, 256), (80, 60), (2, 2), (1, 1)] {
            let to = composed(width, height, 64..192);
            for (at, value) in to.iter().enumerate() {
                let place = ((at % width) * 2 + 1) as f64 / (2 * width) as f64 * SIDE as f64;
                if (66.0..190.0).contains(&place) {
                    assert_eq!(*value, 200, "{width} x {height}, pixel {at}");
                } else if !(62.0..194.0).contains(&place) {
                    assert_eq!(*value, 50, "{width} x {height}, pixel {at}");
                }
            }
        }
    }

    #[test]
    fn an_edge_goes_over_in_steps_from_one_to_the_other() {
        let row = composed(1_280, 1, 128..SIDE);
        assert!(row.windows(2).all(|pair| pair[0] <= pair[1]), "it rises");
        assert!(row.iter().any(|value| (80..170).contains(value)), "and it is soft");
    }

    #[test]
    fn without_a_person_nothing_of_the_room_is_left() {
        assert!(composed(640, 360, 0..0).iter().all(|value| *value == 50));
    }
}
