//! Flaws that lie in one place.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::canvas::{Canvas, Paint, ramp, turn};
use super::{Flaw, somewhere};
use crate::data::parts::noise::Noise;

impl Flaw {
    /// A spot with a ragged outline.
    pub(super) fn spot(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let size = self.size * rng.random_range(0.5..1.7);
        self.spot_at(canvas, paint, somewhere(canvas, rng), size, rng);
    }

    fn spot_at(
        &self,
        canvas: &mut Canvas,
        paint: Paint,
        middle: (f32, f32),
        size: f32,
        rng: &mut ChaCha8Rng,
    ) {
        let angle = self.angle(rng).sin_cos();
        let stretch = self.stretch * rng.random_range(0.7..1.4);
        let (long, short) = (size * stretch.sqrt(), size / stretch.sqrt());
        let (outline, inside) = (Noise(rng.random()), Noise(rng.random()));
        let cells = 2.5 / size;
        let edge = 0.15 + 0.8 * self.soft;
        canvas.paint(middle, 1.8 * long, paint, |x, y| {
            let (u, v) = turn(angle, x - middle.0, y - middle.1);
            let distance = ((u / long).powi(2) + (v / short).powi(2)).sqrt();
            let ragged = 0.7 * self.ragged * outline.at(cells * x, cells * y);
            let within =
                |size: f32| ramp(1.0 + edge * 0.5, 1.0 - edge * 0.5, distance / size + ragged);
            let hole = ramp(0.0, 0.3, inside.at(40.0 * x + 7.0, 40.0 * y));
            let mix = (2.5 * inside.at(28.0 * x, 28.0 * y + 5.0)).clamp(-1.0, 1.0);
            let kept = (1.0 - self.broken * hole) * (1.0 - self.mottled * (1.0 - mix));
            (within(1.0) - self.hollow * within(0.7)) * kept
        });
    }

    /// A drop, what ran from it and what splashed about it.
    pub(super) fn splash(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let middle = somewhere(canvas, rng);
        let size = self.size * rng.random_range(0.6..1.6);
        let round = Self {
            stretch: self.stretch.sqrt(),
            ..*self
        };
        round.spot_at(canvas, paint, middle, size, rng);

        let angle = self.angle(rng).sin_cos();
        let length = size * self.stretch * rng.random_range(0.6..1.5);
        let (narrow, wide) = (0.6 * size, size * (0.6 + 2.0 * self.soft));
        let grain = Noise(rng.random());
        let faint = Paint {
            tone: 0.5 * paint.tone,
            height: 0.0,
        };
        canvas.paint(middle, length + wide, faint, |x, y| {
            let (u, v) = turn(angle, x - middle.0, y - middle.1);
            let at = u / length;
            let width = narrow + (wide - narrow) * at.clamp(0.0, 1.0);
            let streaks = 1.0 + self.ragged * grain.at(3.0 * u, 30.0 * v);
            ramp(-0.05, 0.05, at) * ramp(1.0, 0.2, at) * ramp(width, 0.3 * width, v.abs()) * streaks
        });

        for _ in 0..(8.0 * self.broken) as usize + rng.random_range(0..4) {
            let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
            let away = size * rng.random_range(1.2..4.0);
            let droplet = size * rng.random_range(0.08..0.3);
            let at = (middle.0 + away * cos, middle.1 + away * sin);
            round.spot_at(canvas, paint, at, droplet, rng);
        }
    }
}
