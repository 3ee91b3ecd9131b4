//! A head that sways, nods, blinks and speaks before a blurred room, with a hand passing now and then.

use std::f32::consts::TAU;

use anyhow::Result;
use lab::barcode::{self, COUNT, HEIGHT, WIDTH};
use lab::noise::Noise;

use crate::Variant;
use crate::picture::{self, Plane, Planes};

/// Size of the portrait before it is moved, in pixels.
const PORTRAIT: (usize, usize) = (720, 796);
/// Deviation of the camera's noise, in luma steps.
const GRAIN: f32 = 1.6;

/// Everything that stays the same from picture to picture.
pub(crate) struct Scene {
    variant: Variant,
    person: Planes,
    mask: Plane,
    room: Planes,
    grain: Vec<f32>,
    noise: Noise,
    face_x: f32,
}

impl Scene {
    /// Loads the pictures of `variant`.
    pub(crate) fn new(variant: Variant) -> Result<Self> {
        let mut person = picture::decode(include_bytes!("../assets/portrait.jpg"))?
            .map(|plane| plane.scaled(PORTRAIT.0, PORTRAIT.1));
        let mut room = picture::decode(include_bytes!("../assets/room.jpg"))?
            .map(|plane| plane.scaled(WIDTH / 2, HEIGHT / 2).blurred(2));
        room[0] = room[0].scaled(WIDTH, HEIGHT);
        let oval = |x: f32, y: f32, middle: (f32, f32), radii: (f32, f32)| {
            ((x - middle.0) / radii.0).powi(2) + ((y - middle.1) / radii.1).powi(2) <= 1.0
        };
        let mut mask = Plane::from_fn(PORTRAIT.0, PORTRAIT.1, |x, y| {
            let head = oval(x, y, (330.0, 250.0), (215.0, 260.0));
            let shoulders = oval(x, y, (350.0, 760.0), (350.0, 330.0));
            f32::from(u8::from(head || shoulders))
        })
        .blurred(6);
        let mut face_x = 330.0;
        if variant == Variant::Patient {
            person = person.map(|plane| plane.mirrored());
            mask = mask.mirrored();
            face_x = PORTRAIT.0 as f32 - 1.0 - face_x;
            let [y, u, v] = room;
            room = [y.mirrored(), v.mirrored(), u.mirrored()];
        }
        let mut noise = Noise::new(7 + variant as u64);
        let grain = (0..1 << 16).map(|_| noise.normal() * GRAIN).collect();
        Ok(Self { variant, person, mask, room, grain, noise, face_x })
    }

    /// Paints picture `number` with the mouth opened by `loudness` (0 to 1): luma, U and V.
    pub(crate) fn paint(&mut self, number: u16, loudness: f32) -> [Vec<u8>; 3] {
        let pose = Pose::new(self.variant, number, loudness, self.face_x);
        let mut luma = vec![0; WIDTH * HEIGHT];
        for (y, row) in luma.chunks_exact_mut(WIDTH).enumerate() {
            // A row's grain starts anywhere in the table, so that no pattern shows.
            let start = self.noise.bits() as usize;
            for (x, sample) in row.iter_mut().enumerate() {
                let grain = self.grain[(start + x) & 0xFFFF];
                *sample = (self.sample(&pose, 0, x as f32, y as f32) + grain) as u8;
            }
        }
        barcode::draw(&mut luma, number);
        let chroma = |plane: usize| -> Vec<u8> {
            let places = (0..HEIGHT / 2).flat_map(|y| (0..WIDTH / 2).map(move |x| (x, y)));
            places.map(|(x, y)| self.sample(&pose, plane, 2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5) as u8).collect()
        };
        let (u, v) = (chroma(1), chroma(2));
        [luma, u, v]
    }

    fn sample(&self, pose: &Pose, plane: usize, x: f32, y: f32) -> f32 {
        if pose.on_hand(x, y) {
            return [162.0, 118.0, 152.0][plane];
        }
        let half = if plane == 0 { 1.0 } else { 0.5 };
        let behind = self.room[plane].at(x * half, y * half);
        let (px, py) = pose.portrait_place(x, y);
        if px < 0.0 || py < 0.0 || px >= PORTRAIT.0 as f32 || py >= PORTRAIT.1 as f32 {
            return behind;
        }
        let cover = self.mask.at(px, py);
        if cover <= 0.0 {
            return behind;
        }
        let person = self.person[plane].at(px, py - pose.stretch(px, py));
        behind + (person - behind) * cover
    }
}

/// How the head is held in one picture.
struct Pose {
    cos: f32,
    sin: f32,
    shift: (f32, f32),
    mouth: f32,
    lids: f32,
    hand: Option<(f32, f32)>,
    face_x: f32,
}

impl Pose {
    fn new(variant: Variant, number: u16, loudness: f32, face_x: f32) -> Self {
        let t = TAU * f32::from(number) / f32::from(COUNT);
        // Whole numbers of swings in ten seconds, so that the end meets the beginning.
        let (tilt, sway, nod, first_hand) = match variant {
            Variant::Host => (3.0 * (2.0 * t).sin(), 24.0 * (3.0 * t).sin(), 10.0 * (5.0 * t).sin(), 180),
            Variant::Patient => (2.5 * (3.0 * t).cos(), 30.0 * (2.0 * t).cos(), 8.0 * (4.0 * t).sin(), 60),
        };
        let scale = 0.86 + 0.02 * t.sin();
        let angle: f32 = tilt.to_radians();
        let (cos, sin) = (scale * angle.cos(), scale * angle.sin());
        // Turns and scales around the neck (360, 500), then moves it to the middle of the picture.
        let shift = ((1.0 - cos) * 360.0 - sin * 500.0 + 280.0 + sway, sin * 360.0 + (1.0 - cos) * 500.0 + nod);
        let hand = (first_hand..first_hand + 45).contains(&number).then(|| {
            let k = f32::from(number - first_hand) / 45.0;
            let across = if variant == Variant::Host { k } else { 1.0 - k };
            (120.0 + 900.0 * across, 600.0 - 250.0 * (k * TAU / 2.0).sin())
        });
        let lids = if number % 97 < 4 { 14.0 } else { 0.0 };
        Self { cos, sin, shift, mouth: 22.0 * loudness, lids, hand, face_x }
    }

    /// Where a place of the picture lies on the portrait.
    fn portrait_place(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.shift.0, y - self.shift.1);
        let area = self.cos * self.cos + self.sin * self.sin;
        ((self.cos * x - self.sin * y) / area, (self.sin * x + self.cos * y) / area)
    }

    /// How far the portrait is pulled apart there by mouth and eyelids, in rows.
    fn stretch(&self, px: f32, py: f32) -> f32 {
        if !(80.0..460.0).contains(&py) {
            return 0.0;
        }
        let bump = |middle: (f32, f32), radii: (f32, f32)| {
            (-((px - middle.0) / radii.0).powi(2) - ((py - middle.1) / radii.1).powi(2)).exp()
        };
        let mouth = bump((self.face_x, 330.0), (70.0, 38.0)) * self.mouth * (py - 330.0).signum();
        let lids = if self.lids > 0.0 {
            bump((self.face_x, 205.0), (120.0, 16.0)) * self.lids * (py - 205.0).signum()
        } else {
            0.0
        };
        mouth + lids
    }

    fn on_hand(&self, x: f32, y: f32) -> bool {
        self.hand.is_some_and(|(hand_x, hand_y)| ((x - hand_x) / 70.0).powi(2) + ((y - hand_y) / 95.0).powi(2) <= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_patient_look_different_and_carry_their_number() {
        let mut pictures = [Variant::Host, Variant::Patient].map(|variant| {
            let mut scene = Scene::new(variant).unwrap();
            scene.paint(42, 0.5)
        });
        let [host, patient] = &mut pictures;
        assert_eq!(barcode::read(&host[0], WIDTH, HEIGHT), Some(42));
        assert_eq!(barcode::read(&patient[0], WIDTH, HEIGHT), Some(42));
        let far = host[0].iter().zip(&patient[0]).filter(|(a, b)| a.abs_diff(**b) > 16).count();
        assert!(far > WIDTH * HEIGHT / 4, "only {far} samples differ");
    }

    #[test]
    fn the_last_pose_meets_the_first() {
        let (last, first) = (Pose::new(Variant::Host, 299, 0.0, 330.0), Pose::new(Variant::Host, 0, 0.0, 330.0));
        assert!((last.shift.0 - first.shift.0).abs() < 4.0 && (last.shift.1 - first.shift.1).abs() < 4.0);
    }
}
