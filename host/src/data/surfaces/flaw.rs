use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Paint, ramp, turn};
use crate::data::parts::noise::Noise;

/// A kind of flaw and its manner; where it lies differs from frame to frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flaw {
    pub(super) kind: Kind,
    paint: Paint,
    /// Usual size, in units.
    size: f32,
    /// Usual number in a frame.
    count: f32,
    /// Length to width.
    stretch: f32,
    /// Direction; none lies in any.
    direction: Option<f32>,
    /// Raggedness of the outline, 0..=1.
    ragged: f32,
    /// Softness of the outline, 0..=1.
    soft: f32,
    /// How much of the inside is broken up, 0..=1.
    broken: f32,
}

/// What a flaw is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Long fine lines.
    Scratches,
    /// Small round holes.
    Pits,
    /// Flakes of oxide pressed in: many ragged spots, drawn out.
    Scale,
    /// Slag drawn out into dark bars.
    Inclusions,
    /// Large areas of another tone and roughness.
    Patches,
    /// A net of fine cracks.
    Crazing,
    /// Soft-edged drops and runs.
    Stains,
    /// A print that comes back at equal distances.
    Ripples,
    /// Very many fine grains.
    Dust,
}

impl Kind {
    pub(super) const ALL: [Self; 9] = [
        Self::Scratches,
        Self::Pits,
        Self::Scale,
        Self::Inclusions,
        Self::Patches,
        Self::Crazing,
        Self::Stains,
        Self::Ripples,
        Self::Dust,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scratches => "scratches",
            Self::Pits => "pits",
            Self::Scale => "scale",
            Self::Inclusions => "inclusions",
            Self::Patches => "patches",
            Self::Crazing => "crazing",
            Self::Stains => "stains",
            Self::Ripples => "ripples",
            Self::Dust => "dust",
        }
    }
}

impl Flaw {
    /// A manner of this kind, on a material worked in a direction.
    pub(super) fn random(kind: Kind, along: f32, rng: &mut ChaCha8Rng) -> Self {
        let (size, count, stretch) = match kind {
            Kind::Scratches => (rng.random_range(0.3..1.2), rng.random_range(1.0..7.0), 1.0),
            Kind::Pits => (
                rng.random_range(0.012..0.05),
                rng.random_range(3.0..25.0),
                1.0,
            ),
            Kind::Scale => (
                rng.random_range(0.02..0.07),
                rng.random_range(15.0..60.0),
                rng.random_range(1.0..4.0),
            ),
            Kind::Inclusions => (
                rng.random_range(0.02..0.06),
                rng.random_range(1.0..6.0),
                rng.random_range(3.0..12.0),
            ),
            Kind::Patches => (
                rng.random_range(0.15..0.4),
                rng.random_range(1.0..4.0),
                rng.random_range(1.0..3.0),
            ),
            Kind::Crazing => (rng.random_range(0.06..0.2), 1.0, rng.random_range(1.0..2.0)),
            Kind::Stains => (
                rng.random_range(0.08..0.3),
                rng.random_range(1.0..6.0),
                rng.random_range(1.0..5.0),
            ),
            Kind::Ripples => (rng.random_range(0.06..0.3), 1.0, 1.0),
            Kind::Dust => (
                rng.random_range(0.006..0.014),
                rng.random_range(60.0..300.0),
                1.0,
            ),
        };
        let sign = if rng.random_bool(0.65) { -1.0 } else { 1.0 };
        let direction = match rng.random_range(0..4) {
            0 => None,
            1 => Some(along + PI / 2.0),
            _ => Some(along),
        };
        Self {
            kind,
            paint: Paint {
                // Faint ones are as frequent as strong ones.
                tone: sign * 0.05 * 8f32.powf(rng.random()),
                height: rng.random_range(-3.0..3.0),
            },
            size,
            count,
            stretch,
            direction,
            ragged: rng.random_range(0.1..0.8),
            soft: rng.random_range(0.1..0.9),
            broken: rng.random_range(-0.5..1.0f32).max(0.0),
        }
    }

    /// Draws it, as it is in one frame.
    pub(super) fn draw(&self, canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
        let severity = rng.random_range(0.6..1.4);
        let paint = Paint {
            tone: self.paint.tone * severity,
            height: self.paint.height * severity,
        };
        let count = (self.count * rng.random_range(0.5..1.6f32))
            .round()
            .max(1.0) as usize;
        match self.kind {
            Kind::Scratches => {
                for _ in 0..count {
                    self.scratch(canvas, paint, rng);
                }
            }
            Kind::Crazing => self.net(canvas, paint, rng),
            Kind::Ripples => self.ripples(canvas, paint, rng),
            _ => {
                for _ in 0..count {
                    self.spot(canvas, paint, rng);
                }
            }
        }
    }

    fn angle(&self, rng: &mut ChaCha8Rng) -> f32 {
        match self.direction {
            Some(direction) => direction + rng.random_range(-0.15..0.15),
            None => rng.random_range(0.0..TAU),
        }
    }

    /// A slightly bent line that thins out at its ends.
    fn scratch(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let middle = somewhere(canvas, rng);
        let angle = self.angle(rng).sin_cos();
        let half = 0.5 * self.size * rng.random_range(0.5..1.3);
        let width = rng.random_range(0.006..0.014) * (1.0 + self.soft);
        let bend = rng.random_range(-0.3..0.3) * self.ragged;
        canvas.paint(middle, half + width, paint, |x, y| {
            let (u, v) = turn(angle, x - middle.0, y - middle.1);
            let off = v - bend * (u * u - half * half);
            let end = ramp(half, 0.7 * half, u.abs());
            end * ramp(width, 0.4 * width, off.abs())
        });
    }

    /// A spot with a ragged outline.
    fn spot(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let middle = somewhere(canvas, rng);
        let angle = self.angle(rng).sin_cos();
        let size = self.size * rng.random_range(0.5..1.5);
        let stretch = self.stretch * rng.random_range(0.8..1.25);
        let (long, short) = (size * stretch.sqrt(), size / stretch.sqrt());
        let noise = Noise(rng.random());
        let cells = 2.5 / size;
        let edge = 0.15 + 0.8 * self.soft;
        canvas.paint(middle, 1.8 * long, paint, |x, y| {
            let (u, v) = turn(angle, x - middle.0, y - middle.1);
            let distance = ((u / long).powi(2) + (v / short).powi(2)).sqrt();
            let ragged = self.ragged * noise.at(cells * x, cells * y);
            let inside = ramp(1.0 + edge * 0.5, 1.0 - edge * 0.5, distance + 0.7 * ragged);
            let hole = ramp(0.0, 0.3, noise.at(40.0 * x + 7.0, 40.0 * y));
            inside * (1.0 - self.broken * hole)
        });
    }

    /// Cracks along the borders of cells.
    fn net(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let angle = self.angle(rng).sin_cos();
        let seed: u32 = rng.random();
        let (jitter_u, jitter_v) = (Noise(seed), Noise(seed ^ 0x9E37_79B9));
        let size = self.size * rng.random_range(0.8..1.25);
        let width = rng.random_range(0.05..0.1) * (1.0 + self.soft);
        let faint = Noise(rng.random());
        // Value noise at whole numbers is a table of random numbers.
        let point = |i: f32, j: f32| (i + 0.4 * jitter_u.at(i, j), j + 0.4 * jitter_v.at(i, j));
        canvas.paint_all(paint, |x, y| {
            let (u, v) = turn(angle, x, y);
            let (p, q) = (u / (size * self.stretch), v / size);
            let (mut first, mut second) = (f32::MAX, f32::MAX);
            for i in -1..=1 {
                for j in -1..=1 {
                    let (a, b) = point(p.round() + i as f32, q.round() + j as f32);
                    let distance = ((p - a).powi(2) + (q - b).powi(2)).sqrt();
                    if distance < first {
                        (first, second) = (distance, first);
                    } else if distance < second {
                        second = distance;
                    }
                }
            }
            let there = ramp(-0.6, 0.2, faint.at(2.5 * x, 2.5 * y));
            there * ramp(width, 0.3 * width, second - first)
        });
    }

    /// Bars at equal distances, in a part of the picture.
    fn ripples(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let angle = self.angle(rng).sin_cos();
        let phase = rng.random_range(0.0..TAU);
        let noise = Noise(rng.random());
        let pitch = self.size * rng.random_range(0.85..1.2);
        canvas.paint_all(paint, |x, y| {
            let (u, v) = turn(angle, x, y);
            let wobble = self.ragged * noise.at(4.0 * u, 4.0 * v);
            let wave = (TAU * u / pitch + phase + wobble).sin();
            let there = ramp(-0.5, 0.5, noise.at(1.5 * x + 9.0, 1.5 * y));
            there * ramp(-self.soft, self.soft.max(0.1), wave - 0.3)
        });
    }
}

/// A random point, in units.
fn somewhere(canvas: &Canvas, rng: &mut ChaCha8Rng) -> (f32, f32) {
    let (width, height) = canvas.extent();
    (
        rng.random_range(0.05..0.95) * width,
        rng.random_range(0.05..0.95) * height,
    )
}
