//! Flaws that are lines.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::canvas::{Canvas, Paint, ramp, turn};
use super::{Flaw, somewhere};

impl Flaw {
    /// A slightly bent line that thins out at its ends.
    pub(super) fn scratch(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let middle = somewhere(canvas, rng);
        let angle = self.angle(rng).sin_cos();
        let half = 0.5 * self.size * rng.random_range(0.5..1.3);
        let width = rng.random_range(0.005..0.013) * (1.0 + self.soft);
        let bend = rng.random_range(-0.2..0.2) * self.ragged / self.size.max(0.5);
        canvas.paint(middle, half + width, paint, |x, y| {
            let (u, v) = turn(angle, x - middle.0, y - middle.1);
            let off = v - bend * (u * u - half * half);
            let end = ramp(half, 0.7 * half, u.abs());
            end * ramp(width, 0.4 * width, off.abs())
        });
    }

    /// A line that changes its direction at every step.
    pub(super) fn crack(&self, canvas: &mut Canvas, paint: Paint, rng: &mut ChaCha8Rng) {
        let mut from = somewhere(canvas, rng);
        let mut heading = self.angle(rng);
        let length = self.size * rng.random_range(0.6..1.4);
        let width = rng.random_range(0.006..0.014) * (1.0 + self.soft);
        let step = 0.02 + 0.06 * rng.random::<f32>();
        let steps = (length / step).ceil() as usize;
        for i in 0..steps {
            heading += self.ragged * rng.random_range(-0.8..0.8);
            let (sin, cos) = heading.sin_cos();
            let thin = width * (1.0 - 0.7 * i as f32 / steps as f32);
            let middle = (from.0 + 0.5 * step * cos, from.1 + 0.5 * step * sin);
            canvas.paint(middle, 0.5 * step + thin, paint, |x, y| {
                let (u, v) = turn((sin, cos), x - middle.0, y - middle.1);
                ramp(0.55 * step, 0.5 * step, u.abs()) * ramp(thin, 0.4 * thin, v.abs())
            });
            from = (from.0 + step * cos, from.1 + step * sin);
        }
    }
}
