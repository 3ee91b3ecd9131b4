//! Line icons, drawn as strokes on a grid of 24 × 24.
//!
//! Drawn rather than taken from a font: they keep one weight at every scale and take the colour of their text.
//! An icon never stands alone; the words beside it carry the meaning.

use std::f32::consts::{PI, TAU};

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2};

/// A pictogram beside words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Go back.
    Back,
    /// An appointment.
    Calendar,
    /// Camera on.
    Camera,
    /// Camera off.
    CameraOff,
    /// It is so.
    Check,
    /// Time.
    Clock,
    /// Copy or paste.
    Copy,
    /// It is not so.
    Cross,
    /// Waiting room, room.
    Door,
    /// Show.
    Eye,
    /// Hide.
    EyeOff,
    /// Go on.
    Forward,
    /// Help.
    Help,
    /// Plain information.
    Info,
    /// A secret, a code.
    Key,
    /// End or leave a call.
    Leave,
    /// An invitation link.
    Link,
    /// Sealed.
    Lock,
    /// E-mail.
    Mail,
    /// Microphone on.
    Microphone,
    /// Microphone off.
    MicrophoneOff,
    /// One person.
    Person,
    /// Telephone.
    Phone,
    /// Add.
    Plus,
    /// Again.
    Refresh,
    /// Verified.
    Shield,
    /// How well a connection goes.
    Signal,
    /// Speaker, headphones.
    Speaker,
    /// Look here.
    Warning,
    /// A window of a program.
    Window,
}

impl Icon {
    /// Paints the icon into a square of `size` points around `centre`.
    pub(crate) fn paint(self, painter: &Painter, centre: Pos2, size: f32, colour: Color32) {
        let pen = Pen {
            painter,
            origin: centre - Vec2::splat(size / 2.0),
            scale: size / 24.0,
            stroke: Stroke::new((size / 24.0 * 2.0).max(1.4), colour),
        };
        match self {
            Self::Back => pen.lines(&[(14.5, 5.0), (7.5, 12.0), (14.5, 19.0)]),
            Self::Forward => pen.lines(&[(9.5, 5.0), (16.5, 12.0), (9.5, 19.0)]),
            Self::Check => pen.lines(&[(5.0, 12.5), (10.0, 17.5), (19.5, 7.0)]),
            Self::Cross => pen.cross(6.5, 17.5),
            Self::Plus => {
                pen.lines(&[(12.0, 5.0), (12.0, 19.0)]);
                pen.lines(&[(5.0, 12.0), (19.0, 12.0)]);
            }
            Self::Signal => {
                pen.lines(&[(5.0, 19.0), (5.0, 14.5)]);
                pen.lines(&[(12.0, 19.0), (12.0, 9.5)]);
                pen.lines(&[(19.0, 19.0), (19.0, 4.5)]);
            }
            Self::Info => {
                pen.circle(12.0, 12.0, 9.0);
                pen.lines(&[(12.0, 11.0), (12.0, 16.5)]);
                pen.dot(12.0, 7.6);
            }
            Self::Help => {
                pen.circle(12.0, 12.0, 9.0);
                pen.arc((12.0, 9.6), 2.7, -PI, PI * 0.35);
                pen.lines(&[(13.2, 12.0), (12.0, 13.2), (12.0, 14.2)]);
                pen.dot(12.0, 17.0);
            }
            Self::Warning => {
                pen.closed(&[(12.0, 3.5), (21.5, 20.0), (2.5, 20.0)]);
                pen.lines(&[(12.0, 9.5), (12.0, 14.0)]);
                pen.dot(12.0, 17.0);
            }
            Self::Clock => {
                pen.circle(12.0, 12.0, 9.0);
                pen.lines(&[(12.0, 6.8), (12.0, 12.0), (15.6, 14.2)]);
            }
            Self::Calendar => {
                pen.rounded(3.5, 5.5, 20.5, 20.5, 2.5);
                pen.lines(&[(3.5, 10.0), (20.5, 10.0)]);
                pen.lines(&[(8.0, 3.0), (8.0, 7.0)]);
                pen.lines(&[(16.0, 3.0), (16.0, 7.0)]);
            }
            Self::Window => {
                pen.lines(&[(3.0, 5.0), (21.0, 5.0), (21.0, 19.0), (3.0, 19.0), (3.0, 5.0)]);
                pen.lines(&[(3.0, 9.0), (21.0, 9.0)]);
            }
            Self::Camera => pen.camera(),
            Self::CameraOff => {
                pen.camera();
                pen.lines(&[(3.0, 3.0), (21.0, 21.0)]);
            }
            Self::Microphone => pen.microphone(),
            Self::MicrophoneOff => {
                pen.microphone();
                pen.lines(&[(3.5, 3.5), (20.5, 20.5)]);
            }
            Self::Copy => {
                pen.rounded(8.5, 8.5, 20.5, 20.5, 2.5);
                pen.lines(&[(15.5, 5.0), (14.5, 3.5), (5.0, 3.5), (3.5, 5.0), (3.5, 14.5), (5.0, 15.5)]);
            }
            Self::Door => {
                pen.lines(&[(6.0, 21.0), (6.0, 3.5), (18.0, 3.5), (18.0, 21.0)]);
                pen.lines(&[(3.0, 21.0), (21.0, 21.0)]);
                pen.dot(14.6, 12.5);
            }
            Self::Eye => pen.eye(),
            Self::EyeOff => {
                pen.eye();
                pen.lines(&[(4.0, 4.0), (20.0, 20.0)]);
            }
            Self::Key => {
                pen.circle(8.0, 15.5, 4.5);
                pen.lines(&[(11.2, 12.3), (20.0, 3.5)]);
                pen.lines(&[(16.0, 7.5), (19.0, 10.5)]);
            }
            Self::Leave => {
                pen.arc((12.0, 19.5), 10.0, PI * 1.14, PI * 1.86);
                pen.lines(&[(2.9, 15.4), (3.6, 18.6), (7.6, 17.4), (7.4, 12.0)]);
                pen.lines(&[(21.1, 15.4), (20.4, 18.6), (16.4, 17.4), (16.6, 12.0)]);
            }
            Self::Link => {
                pen.arc((8.4, 15.6), 4.4, PI * 0.06, PI * 1.44);
                pen.arc((15.6, 8.4), 4.4, PI * 1.06, PI * 2.44);
                pen.lines(&[(8.9, 15.1), (15.1, 8.9)]);
            }
            Self::Lock => {
                pen.rounded(4.5, 10.5, 19.5, 21.0, 2.5);
                pen.arc((12.0, 8.2), 4.5, PI, TAU);
                pen.lines(&[(7.5, 8.2), (7.5, 10.5)]);
                pen.lines(&[(16.5, 8.2), (16.5, 10.5)]);
                pen.dot(12.0, 15.6);
            }
            Self::Mail => {
                pen.rounded(3.0, 5.5, 21.0, 18.5, 2.0);
                pen.lines(&[(3.5, 7.0), (12.0, 13.5), (20.5, 7.0)]);
            }
            Self::Person => pen.person(12.0),
            Self::Phone => pen.closed(&[
                (5.0, 3.5),
                (8.6, 3.2),
                (10.2, 7.8),
                (8.2, 9.8),
                (10.6, 13.2),
                (14.2, 15.8),
                (16.2, 13.8),
                (20.8, 15.4),
                (20.5, 19.0),
                (18.6, 20.8),
                (12.0, 18.6),
                (5.4, 12.0),
                (3.2, 5.4),
            ]),
            Self::Refresh => {
                pen.arc((12.0, 12.0), 8.0, -PI * 0.1, PI * 1.55);
                pen.lines(&[(20.8, 5.4), (19.8, 9.8), (15.4, 8.8)]);
            }
            Self::Shield => {
                pen.closed(&[
                    (12.0, 3.0),
                    (20.0, 6.0),
                    (19.4, 13.5),
                    (16.5, 18.0),
                    (12.0, 21.0),
                    (7.5, 18.0),
                    (4.6, 13.5),
                    (4.0, 6.0),
                ]);
                pen.lines(&[(8.2, 12.0), (11.2, 15.0), (16.0, 9.2)]);
            }
            Self::Speaker => {
                pen.closed(&[(3.5, 9.5), (7.0, 9.5), (12.0, 5.0), (12.0, 19.0), (7.0, 14.5), (3.5, 14.5)]);
                pen.arc((12.0, 12.0), 4.5, -PI * 0.28, PI * 0.28);
                pen.arc((12.0, 12.0), 8.5, -PI * 0.28, PI * 0.28);
            }
        }
    }
}

/// Places grid points on the screen.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    scale: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + Vec2::new(x, y) * self.scale
    }

    fn lines(&self, points: &[(f32, f32)]) {
        self.round_ends(points);
        self.painter.add(Shape::line(points.iter().map(|point| self.at(*point)).collect(), self.stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::closed_line(points.iter().map(|point| self.at(*point)).collect(), self.stroke));
    }

    /// egui's lines end flat; a dot of the stroke's width on each end makes them round.
    fn round_ends(&self, points: &[(f32, f32)]) {
        for point in [points.first(), points.last()].into_iter().flatten() {
            self.painter.circle_filled(self.at(*point), self.stroke.width / 2.0, self.stroke.color);
        }
    }

    fn cross(&self, low: f32, high: f32) {
        self.lines(&[(low, low), (high, high)]);
        self.lines(&[(high, low), (low, high)]);
    }

    fn circle(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_stroke(self.at((x, y)), radius * self.scale, self.stroke);
    }

    fn dot(&self, x: f32, y: f32) {
        self.painter.circle_filled(self.at((x, y)), self.stroke.width * 0.65, self.stroke.color);
    }

    /// Angles in radians, clockwise from three o'clock.
    fn arc(&self, (x, y): (f32, f32), radius: f32, from: f32, to: f32) {
        const STEPS: u8 = 20;
        let points: Vec<(f32, f32)> = (0..=STEPS)
            .map(|step| {
                let angle = from + (to - from) * f32::from(step) / f32::from(STEPS);
                (x + radius * angle.cos(), y + radius * angle.sin())
            })
            .collect();
        self.lines(&points);
    }

    fn rounded(&self, left: f32, top: f32, right: f32, bottom: f32, radius: f32) {
        let rect = Rect::from_min_max(self.at((left, top)), self.at((right, bottom)));
        self.painter.rect_stroke(rect, radius * self.scale, self.stroke, egui::StrokeKind::Middle);
    }

    fn camera(&self) {
        self.rounded(2.5, 6.5, 15.5, 17.5, 2.5);
        self.closed(&[(15.5, 11.0), (21.5, 7.5), (21.5, 16.5), (15.5, 13.0)]);
    }

    fn microphone(&self) {
        self.rounded(8.8, 2.5, 15.2, 14.0, 3.2);
        self.arc((12.0, 11.0), 6.8, 0.0, PI);
        self.lines(&[(12.0, 17.8), (12.0, 21.5)]);
        self.lines(&[(8.5, 21.5), (15.5, 21.5)]);
    }

    fn eye(&self) {
        self.arc((12.0, 18.0), 11.0, -PI * 0.83, -PI * 0.17);
        self.arc((12.0, 6.0), 11.0, PI * 0.17, PI * 0.83);
        self.painter.add(Shape::circle_stroke(self.at((12.0, 12.0)), 3.0 * self.scale, self.stroke));
    }

    fn person(&self, x: f32) {
        self.circle(x, 8.0, 4.0);
        self.arc((x, 21.0), 7.5, PI, TAU);
    }
}

/// The mark of the product: a quiet room, a rounded doorway with a person-sized opening.
pub(crate) fn mark(painter: &Painter, rect: Rect, fill: Color32, line: Color32) {
    let unit = rect.width() / 24.0;
    painter.rect_filled(rect, 7.0 * unit, fill);
    let at = |x: f32, y: f32| pos2(rect.left() + x * unit, rect.top() + y * unit);
    let stroke = Stroke::new(2.0 * unit, line);
    let arch: Vec<Pos2> = (0..=16u8)
        .map(|step| {
            let angle = PI + PI * f32::from(step) / 16.0;
            at(12.0 + 5.5 * angle.cos(), 11.0 + 5.5 * angle.sin())
        })
        .chain([at(17.5, 18.5), at(6.5, 18.5)])
        .collect();
    painter.add(Shape::closed_line(arch, stroke));
    painter.circle_filled(at(14.4, 13.0), 1.3 * unit, line);
}
