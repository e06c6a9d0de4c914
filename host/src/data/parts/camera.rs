//! A cheap camera.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::data::{Colors, Raster};

/// What a cheap camera does to a scene.
pub(in crate::data) struct Camera {
    /// Exposure: brightness of the scene to that of the picture.
    gain: f32,
    /// Standard deviation of the blur, in pixels.
    blur: f32,
    /// Darkening of the corners, 0..=1.
    vignette: f32,
    /// Standard deviation of the noise of a black and of a white pixel, on the scale 0..=1.
    noise: (f32, f32),
}

impl Camera {
    pub(in crate::data) fn random(rng: &mut ChaCha8Rng) -> Self {
        let read = rng.random_range(0.002..0.015);
        Self {
            gain: rng.random_range(0.7..1.05),
            blur: rng.random_range(0.2..0.8),
            vignette: rng.random_range(0.0..0.25),
            noise: (read, read + rng.random_range(0.0..0.02)),
        }
    }

    /// Takes a picture of a scene that is `sampling` times as large in each direction.
    pub(in crate::data) fn expose(
        &self,
        scene: &[f32],
        size: (u32, u32),
        sampling: usize,
        rng: &mut ChaCha8Rng,
    ) -> Raster {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let mut picture = shrink(scene, width, height, sampling);
        blur(&mut picture, width, height, self.blur);
        let mut pixels = Vec::with_capacity(width * height);
        for (i, value) in picture.iter().enumerate() {
            let u = 2.0 * (i % width) as f32 / width as f32 - 1.0;
            let v = 2.0 * (i / width) as f32 / height as f32 - 1.0;
            let seen = value * self.gain * (1.0 - self.vignette * 0.5 * (u * u + v * v));
            let deviation = self.noise.0 + (self.noise.1 - self.noise.0) * seen.clamp(0.0, 1.0);
            let noisy = seen + deviation * bell(rng.next_u32());
            pixels.push((255.0 * noisy.clamp(0.0, 1.0)).round() as u8);
        }
        Raster {
            width: size.0,
            height: size.1,
            colors: Colors::Grey,
            pixels,
        }
    }

    /// The same of a scene in three colours.
    pub(in crate::data) fn expose_colors(
        &self,
        scenes: &[Vec<f32>; 3],
        size: (u32, u32),
        sampling: usize,
        rng: &mut ChaCha8Rng,
    ) -> Raster {
        let planes = scenes
            .each_ref()
            .map(|scene| self.expose(scene, size, sampling, rng).pixels);
        let [red, green, blue] = &planes;
        let pixels = red.iter().zip(green).zip(blue);
        Raster {
            width: size.0,
            height: size.1,
            colors: Colors::Rgb,
            pixels: pixels.flat_map(|((&r, &g), &b)| [r, g, b]).collect(),
        }
    }
}

/// About a standard normal deviate, from the sum of four bytes.
fn bell(bits: u32) -> f32 {
    let sum: u32 = bits.to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.0) / 147.8
}

/// Averages squares of pixels.
fn shrink(scene: &[f32], width: usize, height: usize, by: usize) -> Vec<f32> {
    let share = 1.0 / (by * by) as f32;
    let mut picture = vec![0.0; width * height];
    for (y, row) in scene.chunks_exact(width * by).enumerate() {
        let to = &mut picture[y / by * width..][..width];
        for (to, from) in to.iter_mut().zip(row.chunks_exact(by)) {
            *to += share * from.iter().sum::<f32>();
        }
    }
    picture
}

/// Gaussian blur by a kernel of five in both directions, for a deviation of up to one pixel.
fn blur(picture: &mut [f32], width: usize, height: usize, deviation: f32) {
    let weight = |d: f32| (-d * d / (2.0 * deviation * deviation)).exp();
    let (near, far) = (weight(1.0), weight(2.0));
    let whole = 1.0 + 2.0 * near + 2.0 * far;
    let mut line = vec![0.0; width.max(height)];
    let mut pass = |start: usize, step: usize, length: usize| {
        for (i, to) in line[..length].iter_mut().enumerate() {
            *to = picture[start + i * step];
        }
        let last = length - 1;
        for i in 0..length {
            let at = |i: usize| line[i.min(last)];
            picture[start + i * step] = (line[i]
                + near * (line[i.saturating_sub(1)] + at(i + 1))
                + far * (line[i.saturating_sub(2)] + at(i + 2)))
                / whole;
        }
    };
    (0..height).for_each(|y| pass(y * width, 1, width));
    (0..width).for_each(|x| pass(x, width, height));
}
