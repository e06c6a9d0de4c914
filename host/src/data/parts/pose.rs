//! How a part lies before the camera.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{Point, Transform};

/// Where the part lies before the camera: turned, shifted, nearer or farther, slightly tilted.
///
/// A part is small against its distance, so that a tilt is a foreshortening (weak perspective).
pub(super) struct Pose {
    /// From part units (the part fills -1..=1) to canvas pixels.
    pub(super) to_canvas: Transform,
    from_canvas: Transform,
    /// Canvas pixels to one part unit.
    pub(super) scale: f32,
}

impl Pose {
    /// On a canvas with so wide a margin, which the part may reach into.
    pub(super) fn random(rng: &mut ChaCha8Rng, (width, height): (u32, u32), margin: u32) -> Self {
        let half = view((width, height), margin) / 2.0;
        let scale = half * rng.random_range(0.68..0.94);
        let shift = (0.98 * half - scale).max(0.0) + margin as f32;
        let (x, y) = (
            rng.random_range(-shift..=shift),
            rng.random_range(-shift..=shift),
        );
        let turn = rng.random_range(0.0..360.0);
        let tilt_axis = rng.random_range(0.0..360.0);
        let tilt = rng.random_range(0.0..0.35f32).cos();
        let to_canvas = Transform::from_rotate(turn)
            .post_rotate(-tilt_axis)
            .post_scale(1.0, tilt)
            .post_rotate(tilt_axis)
            .post_scale(scale, scale)
            .post_translate(width as f32 / 2.0 + x, height as f32 / 2.0 + y);
        Self {
            to_canvas,
            from_canvas: to_canvas.invert().unwrap_or_default(),
            scale,
        }
    }

    /// The part coordinates of a point on the canvas.
    pub(super) fn part_point(&self, x: f32, y: f32) -> (f32, f32) {
        let t = &self.from_canvas;
        (t.sx * x + t.kx * y + t.tx, t.ky * x + t.sy * y + t.ty)
    }
}

/// Shorter side of what a part fills, in pixels, at least 1: a canvas without its margin.
pub(super) fn view((width, height): (u32, u32), margin: u32) -> f32 {
    width.min(height).saturating_sub(2 * margin).max(1) as f32
}

/// A point at an angle and distance from another.
pub(super) fn polar(centre: Point, radius: f32, angle: f32) -> Point {
    Point::from_xy(
        centre.x + radius * angle.cos(),
        centre.y + radius * angle.sin(),
    )
}

/// `n` angles evenly around the circle.
pub(super) fn around(n: usize) -> impl Iterator<Item = f32> {
    (0..n).map(move |i| i as f32 * TAU / n as f32)
}
