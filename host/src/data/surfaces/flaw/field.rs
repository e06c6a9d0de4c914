//! Flaws that lie all over.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::canvas::{Canvas, Paint, ramp, turn};
use super::Flaw;
use crate::data::parts::noise::Noise;

impl Flaw {
    /// Cracks along the borders of cells.
    pub(super) fn net(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
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
    pub(super) fn ripples(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
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

    /// Where a rough field is high.
    pub(super) fn blotches(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let angle = self.angle(rng).sin_cos();
        let [coarse, fine, clouds] = std::array::from_fn(|_| Noise(rng.random()));
        let cells = rng.random_range(0.8..1.25) / self.size;
        // Fewer or more of them from frame to frame.
        let level = 0.35 - 0.5 * self.hollow + rng.random_range(-0.25..0.25);
        let edge = 0.05 + 0.4 * self.soft;
        canvas.paint_all(paint, |x, y| {
            let (u, v) = turn(angle, x, y);
            let (p, q) = (cells * u / self.stretch, cells * v);
            let rough = 0.5 * self.ragged * fine.at(4.0 * p, 4.0 * q);
            let uneven = 0.4 * clouds.at(2.0 * x, 2.0 * y);
            let height = coarse.at(p, q) + rough + uneven;
            let mix = 1.0 - self.mottled * (0.5 + 0.5 * fine.at(30.0 * x, 30.0 * y));
            mix * ramp(level, level + edge, height)
        });
    }
}
