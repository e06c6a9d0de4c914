//! Which scores the good parts of a line have: a histogram of those that were watched.

use serde::{Deserialize, Serialize};

use crate::decision::Rate;

/// Bins a deviation.
const FINE: f32 = 8.0;
/// Deviations below the average good frame from which the histogram starts.
const BELOW: f32 = 4.0;
const BINS: usize = 160;
/// Frames that the threshold from the taught frames counts for.
const BELIEF: f32 = 40.0;
/// Frames from which on watched ones count at all.
const FEWEST: u32 = 20;

/// The scores of good frames that were watched, in deviations of the taught ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commission {
    count: u32,
    bins: heapless::Vec<u16, BINS>,
}

impl Default for Commission {
    fn default() -> Self {
        Self::new()
    }
}

impl Commission {
    /// Without frames.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            count: 0,
            bins: heapless::Vec::new(),
        }
    }

    /// Frames that were watched.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.count
    }

    /// Takes in a good frame's score, in deviations.
    pub fn push(&mut self, deviations: f32) {
        if self.bins.is_empty() {
            self.bins = core::iter::repeat_n(0, BINS).collect();
        }
        // A conversion cuts what is out of range to the nearest, and what is no number to 0.
        let bin = (((deviations + BELOW) * FINE) as usize).min(BINS - 1);
        let Some(frames) = self.bins.get_mut(bin) else {
            return;
        };
        *frames += 1;
        self.count += 1;
        if *frames == u16::MAX {
            self.bins.iter_mut().for_each(|frames| *frames /= 2);
            self.count = self.bins.iter().map(|&frames| u32::from(frames)).sum();
        }
    }

    /// The score that a part `rate` of good frames exceeds, where the taught frames say `prior`.
    ///
    /// The tenth with the highest scores is taken for exponential, so that rare scores are told from
    /// few frames (Pickands 1975, with a shape of 0).
    #[must_use]
    pub fn threshold(&self, rate: Rate, prior: f32) -> f32 {
        if self.count < FEWEST {
            return prior;
        }
        let count = self.count as f32;
        let part = f32::from(rate.parts()) / 10_000.0;
        let tail = part.max(0.1);
        let start = self.exceeded_by(tail * count);
        let mean = self.mean_excess(start);
        let own = start + mean * super::number::ln(tail / part);
        (BELIEF * prior + count * own) / (BELIEF + count)
    }

    /// The score that so many frames exceed.
    fn exceeded_by(&self, frames: f32) -> f32 {
        let mut above = 0.0;
        for (bin, &inside) in self.bins.iter().enumerate().rev() {
            let inside = f32::from(inside);
            if above + inside >= frames && inside > 0.0 {
                let part = (frames - above) / inside;
                return (bin as f32 + 1.0 - part) / FINE - BELOW;
            }
            above += inside;
        }
        -BELOW
    }

    /// How far the frames beyond a score are beyond it on average.
    fn mean_excess(&self, start: f32) -> f32 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (bin, &inside) in self.bins.iter().enumerate() {
            let excess = (bin as f32 + 0.5) / FINE - BELOW - start;
            if excess > 0.0 {
                sum += excess * f32::from(inside);
                count += f32::from(inside);
            }
        }
        if count > 0.0 { sum / count } else { 0.5 / FINE }
    }

    /// Whether the count is that of the bins.
    pub(super) fn is_sound(&self) -> bool {
        let sum: u32 = self.bins.iter().map(|&frames| u32::from(frames)).sum();
        sum == self.count
            && (self.bins.is_empty() || self.bins.len() == BINS)
            && !self.bins.contains(&u16::MAX)
    }
}
