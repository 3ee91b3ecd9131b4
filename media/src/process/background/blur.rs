//! The room out of focus, without the person's colours in it: each blurred point is the mean of the points around it that show
//! no person, so no halo of skin and hair stands around the head.
//!
//! It is computed small and drawn large, a row at a time and only when it is asked for. A generic resizer costs more than all the
//! rest of it.

use super::BlurStrength;
use super::mask::{Mask, SIDE};

/// From this probability of a person on (of 255) a point's colour is left out.
const PERSON: u16 = 60;
/// Weights go up to this, so that four sums over [`MOST_RADIUS`] fit 32 bits: 15 * 255 * 25^4 < 2^32.
const MOST_WEIGHT: u16 = 15;
const MOST_RADIUS: usize = 12;

/// Working memory of one plane after the other.
#[derive(Default)]
pub(super) struct Blur {
    width: usize,
    height: usize,
    divisor: usize,
    colour: Vec<u32>,
    weight: Vec<u32>,
    turned: Vec<u32>,
    sums: Vec<u32>,
    small: Vec<u8>,
    between: Vec<u8>,
    row: Vec<u8>,
}

impl Blur {
    /// Blurs a plane of this size where the mask shows no person. [`Blur::row`] gives the result.
    pub(super) fn make(&mut self, plane: &[u8], (width, height): (usize, usize), mask: &Mask, strength: BlurStrength) {
        self.divisor = match height {
            0..=130 => 1,
            131..=260 => 2,
            261..=800 => 4,
            _ => 8,
        };
        (self.width, self.height) = (width.div_ceil(self.divisor), height.div_ceil(self.divisor));
        self.shrink(plane, width, mask);
        let share = match strength {
            BlurStrength::Soft => 45,
            BlurStrength::Strong => 15,
        };
        let radius = (self.height / share).clamp(1, MOST_RADIUS);
        for values in [&mut self.colour, &mut self.weight] {
            for _ in 0..2 {
                sum_rows(values, self.width, radius, &mut self.turned);
                sum_columns(values, self.width, radius, &mut self.turned, &mut self.sums);
            }
        }
        self.small.clear();
        // Far inside the person nothing of the room is near. It is not seen, and grey where the mask errs.
        let value = |(sum, weight): (&u32, &u32)| sum.checked_div(*weight).map_or(128, |mean| mean.min(255) as u8);
        self.small.extend(self.colour.iter().zip(&self.weight).map(value));
    }

    /// The means of squares, each with the weight that its point has by the mask.
    fn shrink(&mut self, plane: &[u8], width: usize, mask: &Mask) {
        let divisor = self.divisor;
        self.colour.clear();
        self.weight.clear();
        for (at, rows) in plane.chunks(width * divisor).enumerate() {
            self.sums.clear();
            self.sums.resize(self.width, 0);
            let deep = rows.len() / width;
            for row in rows.chunks_exact(width) {
                for (sum, square) in self.sums.iter_mut().zip(row.chunks(divisor)) {
                    *sum += square.iter().map(|value| u32::from(*value)).sum::<u32>();
                }
            }
            let points = mask.row(((2 * at + 1) * SIDE / (2 * self.height)).min(SIDE - 1));
            for (x, sum) in self.sums.iter().enumerate() {
                let wide = divisor.min(width - x * divisor);
                let person = u16::from(points[((2 * x + 1) * SIDE / (2 * self.width)).min(SIDE - 1)]);
                let weight = u32::from(PERSON.saturating_sub(person) * MOST_WEIGHT / PERSON);
                self.colour.push(sum / (deep * wide) as u32 * weight);
                self.weight.push(weight);
            }
        }
    }

    /// One row of the result, in the size of the plane that it was made of.
    pub(super) fn row(&mut self, row: usize) -> &[u8] {
        match self.divisor {
            2 => self.enlarge::<2>(row),
            4 => self.enlarge::<4>(row),
            8 => self.enlarge::<8>(row),
            _ => self.enlarge::<1>(row),
        }
        &self.row
    }

    /// Between the four points around each pixel.
    fn enlarge<const TIMES: usize>(&mut self, row: usize) {
        let line = |row: usize| {
            let row = row.min(self.height - 1);
            &self.small[row * self.width..(row + 1) * self.width]
        };
        let (first, second, share) = shares::<TIMES>(row % TIMES);
        let at = row / TIMES;
        let (above, below) = (line((at + first).saturating_sub(1)), line((at + second).saturating_sub(1)));
        self.between.clear();
        self.between.extend(above.iter().zip(below).map(|(above, below)| mix::<TIMES>(*above, *below, share)));
        self.row.resize(self.width * TIMES, 0);
        let last = self.between.len() - 1;
        for (x, pixels) in self.row.chunks_exact_mut(TIMES).enumerate() {
            let around = [self.between[x.saturating_sub(1)], self.between[x], self.between[(x + 1).min(last)]];
            for (step, pixel) in pixels.iter_mut().enumerate() {
                let (first, second, share) = shares::<TIMES>(step);
                *pixel = mix::<TIMES>(around[first], around[second], share);
            }
        }
    }
}

/// For a pixel within its point: the two of (before, itself, after) that it lies between, and the second one's share of 2 * TIMES.
const fn shares<const TIMES: usize>(step: usize) -> (usize, usize, u16) {
    let (right, half) = (2 * step + 1, TIMES);
    if right < half { (0, 1, (right + half) as u16) } else { (1, 2, (right - half) as u16) }
}

const fn mix<const TIMES: usize>(first: u8, second: u8, share: u16) -> u8 {
    let whole = 2 * TIMES as u16;
    ((first as u16 * (whole - share) + second as u16 * share) / whole) as u8
}

/// Each value becomes the sum of those within `radius` in its row. Outside there is nothing.
fn sum_rows(values: &mut [u32], width: usize, radius: usize, line: &mut Vec<u32>) {
    for row in values.chunks_exact_mut(width) {
        line.clear();
        line.extend_from_slice(row);
        let mut sum: u32 = line.iter().take(radius).sum();
        for (x, value) in row.iter_mut().enumerate() {
            sum += line.get(x + radius).copied().unwrap_or(0);
            *value = sum;
            sum -= x.checked_sub(radius).map_or(0, |left| line[left]);
        }
    }
}

/// The same in each column; all columns of a row at once.
fn sum_columns(values: &mut [u32], width: usize, radius: usize, before: &mut Vec<u32>, sums: &mut Vec<u32>) {
    before.clear();
    before.extend_from_slice(values);
    sums.clear();
    sums.resize(width, 0);
    let add = |sums: &mut [u32], row: &[u32]| sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    for row in before.chunks_exact(width).take(radius) {
        add(sums, row);
    }
    let height = before.len() / width;
    for (y, row) in values.chunks_exact_mut(width).enumerate() {
        if y + radius < height {
            add(sums, &before[(y + radius) * width..(y + radius + 1) * width]);
        }
        row.copy_from_slice(sums);
        if let Some(left) = y.checked_sub(radius) {
            let row = &before[left * width..(left + 1) * width];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum -= value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Mask {
        let mut mask = Mask::new();
        mask.update(&[0.0; SIDE * SIDE], false).unwrap();
        mask
    }

    fn blurred(plane: &[u8], size: (usize, usize), mask: &Mask) -> Vec<u8> {
        let mut blur = Blur::default();
        blur.make(plane, size, mask, BlurStrength::Strong);
        (0..size.1).flat_map(|row| blur.row(row)[..size.0].to_vec()).collect()
    }

    #[test]
    fn a_plain_wall_stays_as_it_is_in_every_size() {
        for size in [(1_280, 720), (1_920, 1_080), (641, 361), (320, 180), (33, 17), (1, 1)] {
            let out = blurred(&vec![77; size.0 * size.1], size, &nobody());
            assert!(out.iter().all(|value| value.abs_diff(77) <= 1), "{size:?}");
        }
    }

    #[test]
    fn letters_on_a_wall_are_not_to_be_read() {
        let size = (1_280, 720);
        let letters = |at: usize| if (at % size.0 / 12).is_multiple_of(2) { 30 } else { 220 };
        let plane: Vec<u8> = (0..size.0 * size.1).map(letters).collect();
        let out = blurred(&plane, size, &nobody());
        let middle = &out[360 * size.0 + 200..360 * size.0 + 1_080];
        let (least, most) = (middle.iter().min().unwrap(), middle.iter().max().unwrap());
        assert!(most - least < 12, "{least} to {most}");
    }

    #[test]
    fn no_colour_of_the_person_gets_into_the_room() {
        let size = (1_280, 720);
        let is_person = |x: usize| (500..780).contains(&x);
        let plane: Vec<u8> = (0..size.0 * size.1).map(|at| if is_person(at % size.0) { 255 } else { 60 }).collect();
        let likely: Vec<f32> =
            (0..SIDE * SIDE).map(|at| if (98..158).contains(&(at % SIDE)) { 1.0 } else { 0.0 }).collect();
        let mut mask = Mask::new();
        mask.update(&likely, false).unwrap();
        let out = blurred(&plane, size, &mask);
        let row = &out[300 * size.0..301 * size.0];
        let outside = row.iter().enumerate().filter(|(x, _)| !(480..800).contains(x));
        assert!(outside.into_iter().all(|(_, value)| value.abs_diff(60) <= 2), "{row:?}");
    }
}
