//! The light on a part.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{drawing::Planes, finish::Finish, pose::Pose};

/// One lamp and what the room scatters.
pub(super) struct Light {
    /// Unit vector to the lamp: right, down, toward the camera.
    direction: [f32; 3],
    ambient: f32,
    diffuse: f32,
    /// Change of the light over half the picture, right and down.
    gradient: (f32, f32),
    shadow: f32,
}

/// The light of a pixel, without the lamp's, and by how much that is stronger here than in the middle.
pub(super) struct Lit {
    around: f32,
    part: f32,
    lamp: f32,
}

impl Lit {
    /// Without colours.
    pub(super) fn grey(&self) -> f32 {
        (self.around + self.part) * self.lamp
    }

    /// In one of the colours, of which so much comes from what is around and from the part.
    pub(super) fn color(&self, around: f32, part: f32) -> f32 {
        (self.around * around + self.part * part) * self.lamp
    }
}

impl Light {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        let around = rng.random_range(0.0..TAU);
        let (up, flat) = rng.random_range(0.6..1.2f32).sin_cos();
        let fall = rng.random_range(0.0..0.25);
        let ambient = rng.random_range(0.25..0.5);
        Self {
            direction: [flat * around.cos(), flat * around.sin(), up],
            ambient,
            diffuse: rng.random_range(0.95..1.2) - ambient,
            gradient: (fall * around.cos(), fall * around.sin()),
            shadow: rng.random_range(0.2..0.6),
        }
    }

    /// The lit scene: of each pixel the light from what is around the part and from the part, brightness about 0..=1 in
    /// all.
    pub(super) fn shade(
        &self,
        planes: &Planes,
        pose: &Pose,
        finish: &Finish,
        background: &[f32],
    ) -> Vec<Lit> {
        let (width, height) = (planes.0.width() as usize, planes.0.height() as usize);
        let pixels = planes.0.pixels();
        let plane = |f: fn(&tiny_skia::PremultipliedColorU8) -> u8| -> Vec<f32> {
            pixels.iter().map(|p| f32::from(f(p)) / 255.0).collect()
        };
        let cover = plane(|p| p.alpha());
        let mut relief = plane(|p| p.red());
        smooth(&mut relief, width, height, 1);
        let mut shadow = cover.clone();
        smooth(&mut shadow, width, height, 2);

        let [lx, ly, lz] = self.direction;
        // Halfway between the lamp and the camera, which looks straight down.
        let half = (lx * lx + ly * ly + (lz + 1.0) * (lz + 1.0)).sqrt();
        let (hx, hy, hz) = (lx / half, ly / half, (lz + 1.0) / half);
        // Heights are in units of a tenth of the part.
        let slope = 0.13 * pose.scale * 0.5;
        let throw = 0.12 * pose.scale;
        let (sx, sy) = ((-lx * throw) as isize, (-ly * throw) as isize);

        let mut scene = Vec::with_capacity(width * height);
        for y in 0..height {
            let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
            let v = 2.0 * y as f32 / height as f32 - 1.0;
            for x in 0..width {
                let i = y * width + x;
                let u = 2.0 * x as f32 / width as f32 - 1.0;
                let lamp = 1.0 + self.gradient.0 * u + self.gradient.1 * v;
                let (mut around, mut part) = (0.0, 0.0);
                if cover[i] < 1.0 {
                    // The shadow falls away from the lamp.
                    let (fx, fy) = (x as isize - sx, y as isize - sy);
                    let inside =
                        (0..width as isize).contains(&fx) && (0..height as isize).contains(&fy);
                    let dark = if inside {
                        shadow[fy as usize * width + fx as usize]
                    } else {
                        0.0
                    };
                    around = (1.0 - cover[i]) * background[i] * (1.0 - self.shadow * dark);
                }
                if cover[i] > 0.0 {
                    let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                    let dx = slope * (relief[y * width + right] - relief[y * width + left]);
                    let dy = slope * (relief[below * width + x] - relief[above * width + x]);
                    let norm = 1.0 / (1.0 + dx * dx + dy * dy).sqrt();
                    let facing = ((lz - lx * dx - ly * dy) * norm).max(0.0);
                    let mirror = ((hz - hx * dx - hy * dy) * norm).max(0.0);
                    let mirror = mirror.powi(24);
                    let (px, py) = pose.part_point(x as f32, y as f32);
                    let tone = 2.0 * f32::from(pixels[i].green()) / 255.0;
                    let albedo = finish.albedo * tone * finish.texture(px, py);
                    part = albedo * (self.ambient + self.diffuse * facing)
                        + cover[i] * 0.5 * finish.gloss * mirror;
                }
                scene.push(Lit { around, part, lamp });
            }
        }
        scene
    }
}

/// Smooths a plane with a 1-2-1 kernel in both directions, a number of times.
fn smooth(plane: &mut [f32], width: usize, height: usize, times: usize) {
    let mut other = vec![0.0; plane.len()];
    for _ in 0..times {
        for (from, to) in plane.chunks_exact(width).zip(other.chunks_exact_mut(width)) {
            to[0] = from[0];
            to[width - 1] = from[width - 1];
            for x in 1..width.saturating_sub(1) {
                to[x] = 0.25 * (from[x - 1] + from[x + 1]) + 0.5 * from[x];
            }
        }
        for y in 0..height {
            let row = |y: usize| &other[y * width..][..width];
            let (above, here, below) = (
                row(y.saturating_sub(1)),
                row(y),
                row((y + 1).min(height - 1)),
            );
            for (x, to) in plane[y * width..][..width].iter_mut().enumerate() {
                *to = 0.25 * (above[x] + below[x]) + 0.5 * here[x];
            }
        }
    }
}
