//! Whether the embeddings have moved since the classes were enrolled, as they do when the light or
//! the camera changes: the running mean of what separates queries from their class's prototype.
//!
//! Only queries that were given a class count: wrong parts, too, lie off the prototypes. Nor does a
//! frame like the last one: a part that lies still is one part. So a change that makes everything
//! unknown at once is not told by this; one that comes slowly is, long before.

use super::Spread;
use crate::heads::{Class, MAX_DIM};

/// Frames before anything is said.
pub const MIN_FRAMES: u16 = 16;
/// Frames that the mean looks back on.
const WINDOW: u16 = 64;
/// Two pictures of a class are twice its variance apart on average; below this many times, they are
/// the same part lying still.
const SAME: f32 = 0.25;

/// Running statistics of the queries since they were [restarted](Self::restart).
#[derive(Debug, Clone)]
pub struct Drift {
    frames: u16,
    dim: usize,
    mean: [f32; MAX_DIM],
    last: [i8; MAX_DIM],
    variance: f32,
    inverse_shots: f32,
    threshold: f32,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            frames: 0,
            dim: 0,
            mean: [0.0; MAX_DIM],
            last: [0; MAX_DIM],
            variance: 0.0,
            inverse_shots: 0.0,
            threshold: 0.0,
        }
    }
}

impl Drift {
    /// Forgets all queries.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Takes a query that was given this class.
    pub fn push(&mut self, query: &[i8], class: &Class, spread: Spread, threshold: f32) {
        if self.dim != query.len() || self.dim > MAX_DIM {
            self.restart();
            self.dim = query.len().min(MAX_DIM);
        }
        let variance = spread.variance();
        if self.frames > 0 && self.distance_to_last(query) < SAME * variance {
            return;
        }
        for (last, &value) in self.last.iter_mut().zip(query) {
            *last = value;
        }
        self.frames = self.frames.saturating_add(1);
        let step = 1.0 / f32::from(self.frames.min(WINDOW));
        let shots = spread.shots();
        let toward = |mean: &mut f32, value: f32| *mean += (value - *mean) * step;
        let sums = class.prototype().sum;
        for ((mean, &value), &sum) in self.mean.iter_mut().zip(query).zip(sums) {
            toward(mean, f32::from(value) - f32::from(sum) / shots);
        }
        toward(&mut self.variance, variance);
        toward(&mut self.inverse_shots, 1.0 / shots);
        toward(&mut self.threshold, threshold);
    }

    /// Queries that counted.
    #[must_use]
    pub fn frames(&self) -> u16 {
        self.frames
    }

    /// The novelty of the mean query: its squared displacement over what chance alone gives.
    /// `None` before there are [`MIN_FRAMES`].
    #[must_use]
    pub fn score(&self) -> Option<f32> {
        if self.frames < MIN_FRAMES {
            return None;
        }
        let square: f32 = self.mean[..self.dim.min(MAX_DIM)]
            .iter()
            .map(|m| m * m)
            .sum();
        let count = f32::from(self.frames.min(WINDOW));
        Some(square / (self.variance * (self.inverse_shots + 1.0 / count)).max(1e-6))
    }

    /// Whether the mean query is further off than a picture may be.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.score().is_some_and(|score| score > self.threshold)
    }

    /// The displacement in whole steps, for a re-centring. `None` before there are [`MIN_FRAMES`].
    pub fn displacement(&self) -> Option<impl Iterator<Item = i8>> {
        let mean = self.mean.iter().take(self.dim);
        let nearest = |value: &f32| (value + if *value < 0.0 { -0.5 } else { 0.5 }) as i8;
        (self.frames >= MIN_FRAMES).then(|| mean.map(nearest))
    }

    fn distance_to_last(&self, query: &[i8]) -> f32 {
        let squares = self.last.iter().zip(query).map(|(&last, &value)| {
            let difference = i32::from(last) - i32::from(value);
            difference * difference
        });
        squares.sum::<i32>() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Prior, novelty};
    use super::*;

    const DIM: usize = 32;
    const THRESHOLD: f32 = 1.8;

    /// Steps of a picture of the class, of variance about 100 a value.
    fn noise(seed: &mut u32) -> [i8; DIM] {
        core::array::from_fn(|_| {
            let mut sum = 0;
            for _ in 0..12 {
                *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum += (*seed >> 16) as i32 % 21 - 10;
            }
            (sum / 2) as i8
        })
    }

    fn watch(shift: i8, frames: usize, seed: u32) -> Drift {
        let mut seed = seed;
        let mut class = Class::new(0, "a", 0, DIM).unwrap();
        for _ in 0..5 {
            class.push(&noise(&mut seed)).unwrap();
        }
        let prior = Prior {
            variance: 110.0 * DIM as f32,
            weight: 5.0,
        };
        let spread = Spread::of(&class, prior);
        let mut drift = Drift::default();
        for _ in 0..frames {
            let query = noise(&mut seed).map(|value| value.saturating_add(shift));
            if novelty(&query, &class, spread) <= THRESHOLD {
                drift.push(&query, &class, spread, THRESHOLD);
            }
        }
        drift
    }

    #[test]
    fn the_same_light_gives_no_warning_and_another_does() {
        for seed in 0..20 {
            assert!(!watch(0, 100, seed).is_warning(), "{seed}");
            assert!(watch(9, 100, seed).is_warning(), "{seed}");
            // So strong that no frame is accepted: other parts would look like that, too.
            assert_eq!(watch(60, 100, seed).frames(), 0, "{seed}");
        }
    }

    #[test]
    fn nothing_is_said_of_few_frames() {
        assert_eq!(watch(0, 15, 1).score(), None);
        assert!(watch(0, 15, 1).displacement().is_none());
        assert!(watch(0, 16, 1).score().is_some());
    }

    #[test]
    fn the_displacement_is_about_the_shift() {
        let drift = watch(9, 64, 3);
        let mean = drift.displacement().unwrap().map(i32::from).sum::<i32>() / DIM as i32;
        assert!((6..=11).contains(&mean), "{mean}");
    }

    #[test]
    fn a_part_that_lies_still_counts_once() {
        let mut class = Class::new(0, "a", 0, 2).unwrap();
        class.push(&[0, 0]).unwrap();
        let prior = Prior {
            variance: 1000.0,
            weight: 1.0,
        };
        let spread = Spread::of(&class, prior);
        let mut drift = Drift::default();
        for frame in 0..100 {
            let query = [40, 40 + (frame % 3)];
            drift.push(&query, &class, spread, 1.8);
        }
        assert_eq!(drift.frames(), 1);
    }
}
