//! Where the person is, steady from picture to picture.

use crate::error::MediaError;

/// Points of each side of the mask.
pub(super) const SIDE: usize = 256;
/// Surely no person below, surely one above (of 255). Between them the edge is soft.
const EDGE: (u16, u16) = (90, 180);
/// The same where the room is private: what may be room is room.
const STRICT_EDGE: (u16, u16) = (140, 210);
/// How far an unmoved point follows its new value, and from which change on it follows wholly.
const FOLLOW: f32 = 0.35;
const MOVED: f32 = 0.5;
/// A mask that takes more than this for a person shows the room: it is not trusted.
const MOST_PERSON: f32 = 0.97;

/// How much of each point belongs to the person, 0 to 255, row by row.
pub(super) struct Mask {
    smooth: Vec<f32>,
    shaped: Vec<u8>,
    stale: bool,
}

impl Mask {
    pub(super) fn new() -> Self {
        Self { smooth: vec![0.0; SIDE * SIDE], shaped: vec![0; SIDE * SIDE], stale: true }
    }

    /// Whether there is none to be used.
    pub(super) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.stale = true;
    }

    /// One row of it.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        &self.shaped[row * SIDE..(row + 1) * SIDE]
    }

    /// Takes over what was found in the newest picture. `private` lets go of points at once.
    ///
    /// # Errors
    /// [`MediaError::Background`] if it is no mask.
    pub(super) fn update(&mut self, likely: &[f32], private: bool) -> Result<(), MediaError> {
        if likely.len() != SIDE * SIDE || likely.iter().any(|value| !(-0.01..=1.01).contains(value)) {
            return Err(MediaError::Background("the mask is damaged"));
        }
        let person = likely.iter().filter(|value| **value > 0.5).count();
        if person as f32 > MOST_PERSON * likely.len() as f32 {
            return Err(MediaError::Background("the mask takes everything for a person"));
        }
        let (low, high) = if private { STRICT_EDGE } else { EDGE };
        let stale = std::mem::replace(&mut self.stale, false);
        for ((smooth, shaped), new) in self.smooth.iter_mut().zip(&mut self.shaped).zip(likely) {
            let change = new - *smooth;
            let follow = FOLLOW + (1.0 - FOLLOW) * (change.abs() / MOVED).min(1.0);
            let steady = if stale { *new } else { *smooth + change * follow };
            *smooth = if private { steady.min(*new) } else { steady };
            let level = (smooth.clamp(0.0, 1.0) * 255.0) as u16;
            *shaped = ((level.clamp(low, high) - low) * 255 / (high - low)) as u8;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask whose left part is a person.
    fn half(of_left: f32) -> Vec<f32> {
        (0..SIDE * SIDE).map(|at| if at % SIDE < SIDE / 2 { of_left } else { 0.0 }).collect()
    }

    #[test]
    fn the_first_mask_counts_wholly_and_noise_is_smoothed_later() {
        let mut mask = Mask::new();
        assert!(mask.is_stale());
        mask.update(&half(1.0), false).unwrap();
        assert_eq!((mask.row(9)[0], mask.row(9)[SIDE - 1], mask.is_stale()), (255, 0, false));
        mask.update(&half(0.8), false).unwrap();
        assert_eq!(mask.row(9)[0], 255, "a little doubt changes nothing");
    }

    #[test]
    fn a_private_mask_lets_go_at_once() {
        let (mut private, mut comfortable) = (Mask::new(), Mask::new());
        for (mask, strict) in [(&mut private, true), (&mut comfortable, false)] {
            mask.update(&half(1.0), strict).unwrap();
            mask.update(&half(0.52), strict).unwrap();
        }
        assert_eq!(private.row(0)[0], 0);
        assert!(comfortable.row(0)[0] > 0);
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        let mut mask = Mask::new();
        let mut broken = half(1.0);
        broken[77] = f32::NAN;
        assert!(mask.update(&broken, true).is_err());
        assert!(mask.update(&half(1.0)[1..], true).is_err());
        assert!(mask.update(&[7.0; SIDE * SIDE], true).is_err());
        assert!(mask.update(&[1.0; SIDE * SIDE], true).is_err(), "everything a person: the room would be seen");
        assert!(mask.is_stale());
        mask.update(&[0.0; SIDE * SIDE], true).unwrap();
    }
}
