//! How surfaces take the light.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::noise::Noise;

/// How a part's surface takes the light.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    /// Part of the light that is scattered back, 0..=1.
    pub(super) albedo: f32,
    /// Strength of the highlights, 0..=1.
    pub(super) gloss: f32,
    texture: Texture,
    /// Depth of the texture, 0..=1.
    depth: f32,
    noise: Noise,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Texture {
    Smooth,
    /// Fine lines in one direction, from grinding.
    Brushed,
    /// Rings around the middle, from turning.
    Turned,
    /// Grainy, from casting or sand blasting.
    Cast,
    /// Crossed ridges.
    Knurled,
}

impl Finish {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        use Texture::{Brushed, Cast, Knurled, Smooth, Turned};
        let textures = [
            Smooth, Smooth, Brushed, Brushed, Turned, Cast, Cast, Knurled,
        ];
        Self {
            albedo: rng.random_range(0.28..0.85),
            gloss: rng.random_range(0.0..0.7),
            texture: textures[rng.random_range(0..textures.len())],
            depth: rng.random_range(0.12..0.3),
            noise: Noise(rng.random()),
        }
    }

    /// A finish that is clearly darker or brighter, with another texture.
    pub(super) fn other(self, rng: &mut ChaCha8Rng) -> Self {
        loop {
            let other = Self::random(rng);
            if other.texture != self.texture && (other.albedo - self.albedo).abs() > 0.2 {
                return other;
            }
        }
    }

    /// The factor of the tone at a point of the part, about 1.
    pub(super) fn texture(&self, x: f32, y: f32) -> f32 {
        let value = match self.texture {
            Texture::Smooth => return 1.0,
            Texture::Brushed => self.noise.at(2.0 * x, 26.0 * y),
            Texture::Turned => self.noise.at(22.0 * (x * x + y * y).sqrt(), 0.0),
            Texture::Cast => self.noise.at(15.0 * x, 15.0 * y),
            Texture::Knurled => {
                let ridge = |t: f32| (t - t.floor() - 0.5).abs() * 4.0 - 1.0;
                ridge(5.0 * (x + y)).min(ridge(5.0 * (x - y)))
            }
        };
        1.0 + self.depth * value
    }
}
