//! How unusual a number is among those of a few good frames.

use serde::{Deserialize, Serialize};

/// The moments of one number over the good frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    count: f32,
    mean: f32,
    /// Sum of squared differences from the mean.
    spread: f32,
}

/// What is known of a number's deviation before any frame is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    /// The deviation.
    pub(super) deviation: f32,
    /// How many frames it counts for.
    pub(super) weight: f32,
}

/// A number's distribution over good frames, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f32,
    /// Of the next frame's number: what the mean's own error adds is in it.
    pub(super) deviation: f32,
    /// Degrees of freedom of the deviation.
    pub(super) freedom: f32,
}

impl Moments {
    /// Of no frames.
    pub(super) const NONE: Self = Self {
        count: 0.0,
        mean: 0.0,
        spread: 0.0,
    };

    /// Takes in a frame's number (Welford 1962).
    pub(super) fn push(&mut self, value: f32) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.spread += difference * (value - self.mean);
    }

    /// Shrinks the frames' own variance towards the prior's (empirical Bayes). `None` of no frames.
    pub(super) fn shrunk(&self, prior: Prior) -> Option<Spread> {
        if self.count < 1.0 {
            return None;
        }
        let freedom = prior.weight + self.count - 1.0;
        let spread = prior.weight * prior.deviation * prior.deviation + self.spread;
        let variance = spread / freedom * (1.0 + 1.0 / self.count);
        Some(Spread {
            mean: self.mean,
            deviation: crate::decision::root(variance),
            freedom,
        })
    }

    /// Whether all is a number, and no spread below 0.
    pub(super) fn is_sound(&self) -> bool {
        let finite = self.count.is_finite() && self.mean.is_finite() && self.spread.is_finite();
        finite && self.count >= 0.0 && self.spread >= 0.0
    }
}

impl Spread {
    /// Before anything is known: all is as usual.
    pub(super) const UNKNOWN: Self = Self {
        mean: 0.0,
        deviation: 1.0,
        freedom: 1.0,
    };

    /// How many deviations a number is above the mean.
    pub(super) fn above(&self, value: f32) -> f32 {
        (value - self.mean) / self.deviation.max(1e-6)
    }
}
