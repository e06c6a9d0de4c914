//! What is wrong with a surface.

mod field;
mod kind;
mod line;
mod spot;

use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) use kind::Kind;

use super::canvas::{Canvas, Paint};

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
    /// How much of the inside is missing, 0..=1.
    broken: f32,
    /// How much of the inside is mixed of dark and bright, 0..=1.
    mottled: f32,
    /// How much of the inside is left out, so that a rim remains, 0..=1.
    hollow: f32,
}

impl Flaw {
    /// A manner of this kind, on a material worked in a direction.
    pub(super) fn random(kind: Kind, along: f32, rng: &mut ChaCha8Rng) -> Self {
        let (size, count, stretch) = kind.extent(rng);
        let sign = if rng.random_bool(0.65) { -1.0 } else { 1.0 };
        let direction = match rng.random_range(0..6) {
            0 => None,
            1 => Some(along + PI / 2.0),
            2 => Some(rng.random_range(0.0..TAU)),
            _ => Some(along),
        };
        // Faint ones are as frequent as strong ones.
        let tone = sign * 0.04 * 12f32.powf(rng.random());
        let mut often = |share: f64, most: f32| match rng.random_bool(share) {
            true => rng.random_range(0.0..most),
            false => 0.0,
        };
        let (broken, mottled, hollow) = (often(0.4, 1.0), often(0.35, 1.0), often(0.25, 1.0));
        Self {
            kind,
            paint: match kind {
                Kind::Dents => Paint {
                    tone: 0.1 * tone,
                    height: 20.0 * size * sign * rng.random_range(0.4..1.2),
                },
                _ => Paint {
                    tone,
                    height: rng.random_range(-3.0..3.0),
                },
            },
            size,
            count,
            stretch,
            direction,
            ragged: rng.random_range(0.1..0.9),
            soft: rng.random_range(0.05..0.9),
            broken,
            mottled,
            hollow,
        }
    }

    /// Draws it, as it is in one frame.
    pub(super) fn draw(&self, canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
        let severity = rng.random_range(0.5..1.5);
        let paint = Paint {
            tone: self.paint.tone * severity,
            height: self.paint.height * severity,
        };
        let count = self.count * rng.random_range(-1.0..0.8f32).exp();
        let count = count.round().max(1.0) as usize;
        match self.kind {
            Kind::Crazing => self.net(canvas, paint, rng),
            Kind::Ripples => self.ripples(canvas, paint, rng),
            Kind::Blotches => self.blotches(canvas, paint, rng),
            Kind::Scratches => (0..count).for_each(|_| self.scratch(canvas, paint, rng)),
            Kind::Cracks => (0..count).for_each(|_| self.crack(canvas, paint, rng)),
            Kind::Splashes => (0..count).for_each(|_| self.splash(canvas, paint, rng)),
            _ => (0..count).for_each(|_| self.spot(canvas, paint, rng)),
        }
    }

    fn angle(&self, rng: &mut ChaCha8Rng) -> f32 {
        match self.direction {
            Some(direction) => direction + rng.random_range(-0.15..0.15),
            None => rng.random_range(0.0..TAU),
        }
    }
}

/// A random point, in units.
fn somewhere(canvas: &Canvas, rng: &mut ChaCha8Rng) -> (f32, f32) {
    let (width, height) = canvas.extent();
    (
        rng.random_range(0.02..0.98) * width,
        rng.random_range(0.02..0.98) * height,
    )
}
