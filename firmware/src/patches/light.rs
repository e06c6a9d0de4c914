//! How bright a picture is.

use serde::{Deserialize, Serialize};

/// What is known of a picture's brightness, which the model does not see: every picture is brought to
/// one mean and contrast before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Light {
    /// Of the pixels, in levels, 0 to 255.
    pub mean: f32,
    /// Their standard deviation, in levels.
    pub deviation: f32,
    /// The least of them.
    pub darkest: u8,
    /// The greatest.
    pub brightest: u8,
}

impl Light {
    /// Of a grey picture before its contrast is changed; of none, one that is black.
    #[must_use]
    pub fn of(picture: &[u8]) -> Self {
        let (mut sum, mut squares) = (0_u64, 0_u64);
        let (mut darkest, mut brightest) = (u8::MAX, 0);
        for &level in picture {
            sum += u64::from(level);
            squares += u64::from(level).pow(2);
            darkest = darkest.min(level);
            brightest = brightest.max(level);
        }
        let count = (picture.len() as u64).max(1);
        // In 256ths of a level, and of a level squared.
        let mean = sum * 256 / count;
        let variance = (squares * 65_536 / count).saturating_sub(mean * mean);
        Self {
            mean: mean as f32 / 256.0,
            deviation: variance.isqrt() as f32 / 256.0,
            darkest: darkest.min(brightest),
            brightest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_deviation_and_extremes_are_those_of_the_pixels() {
        let light = Light::of(&[10, 20, 30, 40]);
        assert_eq!((light.mean, light.darkest, light.brightest), (25.0, 10, 40));
        assert!((light.deviation - 125_f32.sqrt()).abs() < 0.01);
        let even = Light::of(&[255; 1000]);
        assert_eq!((even.mean, even.deviation), (255.0, 0.0));
        let none = Light::of(&[]);
        assert_eq!((none.mean, none.darkest, none.brightest), (0.0, 0, 0));
    }
}
