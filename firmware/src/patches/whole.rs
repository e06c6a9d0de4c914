//! The witness that looks at the whole embedding.

use serde::{Deserialize, Serialize};

use super::number::ln;
use super::witness::Spread;
use crate::heads::MAX_DIM;

/// The deviation of the logarithm of a good frame's novelty, on drawn surfaces and parts.
const DEVIATION: f32 = 0.35;
/// How far its mean is below 0, for the same.
const BELOW: f32 = 0.06;
/// How many frames these count for.
const WEIGHT: f32 = 8.0;

/// The sums of the good frames' embeddings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Whole {
    count: u32,
    squares: i64,
    sum: heapless::Vec<i32, MAX_DIM>,
}

impl Whole {
    pub(super) const fn new() -> Self {
        Self {
            count: 0,
            squares: 0,
            sum: heapless::Vec::new(),
        }
    }

    /// Takes in a good frame's embedding. The first says how long all are.
    pub(super) fn push(&mut self, embedding: &[i8]) {
        if self.count == 0 {
            let zeros = core::iter::repeat_n(0, embedding.len().min(MAX_DIM));
            self.sum = zeros.collect();
        }
        self.count = self.count.saturating_add(1);
        for (sum, &value) in self.sum.iter_mut().zip(embedding) {
            *sum = sum.saturating_add(value.into());
            self.squares = self
                .squares
                .saturating_add(i64::from(value) * i64::from(value));
        }
    }

    /// How unusual an embedding is: the logarithm of its squared distance to the mean over the one that
    /// good frames have, in deviations. `None` while fewer than two frames tell.
    pub(super) fn unusual(&self, embedding: &[i8]) -> Option<f32> {
        if self.count < 2 || embedding.is_empty() || embedding.len() != self.sum.len() {
            return None;
        }
        let count = i64::from(self.count);
        let (mut sums, mut distance) = (0_i64, 0_i64);
        for (&sum, &value) in self.sum.iter().zip(embedding) {
            let sum = i64::from(sum);
            sums = sums.saturating_add(sum.saturating_mul(sum));
            let difference = count * i64::from(value) - sum;
            distance = distance.saturating_add(difference.saturating_mul(difference));
        }
        // Both in steps squared; never below what rounding to steps causes.
        let count = count as f32;
        let variance = (self.squares as f32 - sums as f32 / count) / (count - 1.0);
        let variance = variance.max(self.sum.len() as f32 / 12.0);
        let distance = distance as f32 / (count * count);
        let novelty = ln(distance / (variance * (1.0 + 1.0 / count)));
        // What a few frames say of the variance is itself uncertain.
        let error = crate::decision::root(1.0 + 2.0 / (count - 1.0));
        Some(Spread::new(-BELOW, DEVIATION * error, WEIGHT + count).unusual(novelty))
    }

    /// Whether it can be of embeddings.
    pub(super) fn is_sound(&self) -> bool {
        let most = i64::from(self.count) * 128;
        let fits = |&sum: &i32| i64::from(sum).abs() <= most;
        self.squares >= 0 && self.sum.iter().all(fits)
    }
}
