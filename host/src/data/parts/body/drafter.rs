//! What draws a design.

use rand::{RngExt, distr::uniform::SampleRange};
use rand_chacha::ChaCha8Rng;

use super::super::drawing::Drawing;

/// Draws the random numbers of a design and collects its layers.
pub(super) struct Drafter<'r> {
    pub(super) rng: &'r mut ChaCha8Rng,
    pub(super) twist: bool,
    pub(super) drawing: Drawing,
}

impl Drafter<'_> {
    /// A length in part units, or another real number.
    pub(super) fn size(&mut self, range: impl SampleRange<f32>) -> f32 {
        self.rng.random_range(range)
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    /// A number of features; the first one of a design is another if it is twisted, by a sixth.
    pub(super) fn count(&mut self, least: usize, most: usize) -> usize {
        let count = self.rng.random_range(least..=most);
        if !std::mem::take(&mut self.twist) {
            return count;
        }
        let step = (count / 6).max(1);
        if count + step <= most {
            count + step
        } else {
            count - step
        }
    }
}
