//! Colours of drawn things.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What the brightness of a colour is made of (BT.601).
pub(super) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// How much of each colour a thing gives back, beside a grey one that is as bright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tint(pub(super) [f32; 3]);

impl Tint {
    /// None.
    pub(super) const GREY: Self = Self([1.0; 3]);

    /// Of a hue, in turns from red by green and blue, and a saturation of 0..=1.
    pub(super) fn of(hue: f32, saturation: f32) -> Self {
        let channel = |turn: f32| 1.0 + saturation * (TAU * (hue - turn)).cos();
        let colors = [0.0, 1.0 / 3.0, 2.0 / 3.0].map(channel);
        let bright: f32 = colors
            .iter()
            .zip(LUMA)
            .map(|(color, luma)| color * luma)
            .sum();
        Self(colors.map(|color| color / bright))
    }

    /// Of any hue, and a saturation up to the greatest.
    pub(super) fn random(rng: &mut ChaCha8Rng, greatest: f32) -> Self {
        Self::of(rng.random(), rng.random_range(0.0..greatest))
    }

    /// A thing of this colour in a light of another.
    pub(super) fn in_light(self, light: Self) -> Self {
        let Self([r, g, b]) = light;
        Self([self.0[0] * r, self.0[1] * g, self.0[2] * b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hue_is_as_bright_as_grey() {
        assert_eq!(Tint::of(0.3, 0.0), Tint::GREY);
        for step in 0..12 {
            let Tint(colors) = Tint::of(step as f32 / 12.0, 0.9);
            let bright: f32 = colors
                .iter()
                .zip(LUMA)
                .map(|(color, luma)| color * luma)
                .sum();
            assert!((bright - 1.0).abs() < 1e-5 && colors.iter().all(|&color| color >= 0.0));
        }
        let Tint([red, green, blue]) = Tint::of(0.0, 0.8);
        assert!(red > 2.0 * green && (green - blue).abs() < 1e-5);
    }
}
