//! How unusual a number is among those of a few good frames.

use serde::{Deserialize, Serialize};

use super::number::{exp, ln};
use crate::decision::root;

/// The moments of one number over the good frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    count: f32,
    mean: f32,
    /// Sum of squared differences from the mean.
    spread: f32,
}

/// What is known of a number before any frame is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    /// Its standard deviation among good frames.
    pub(super) deviation: f32,
    /// How many frames that counts for.
    pub(super) weight: f32,
    /// The variance of the mean over that of a number, times the frames: 1 where they are independent.
    pub(super) error: f32,
}

/// The distribution of a number of the next good frame, as far as it is known: Student's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f32,
    pub(super) deviation: f32,
    freedom: f32,
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
        self.push_several(value, 1.0);
    }

    /// Takes in n equal numbers.
    pub(super) fn push_several(&mut self, value: f32, times: f32) {
        if times > 0.0 {
            let difference = value - self.mean;
            self.count += times;
            self.mean += difference * times / self.count;
            self.spread += difference * (value - self.mean) * times;
        }
    }

    pub(super) fn mean(&self) -> f32 {
        self.mean
    }

    /// The standard deviation; 0 of fewer than two.
    pub(super) fn deviation(&self) -> f32 {
        root(self.spread / (self.count - 1.0).max(1.0))
    }

    /// The next frame's number, with the frames' own variance shrunk towards the prior's (empirical
    /// Bayes, Efron & Morris 1975). Of no frames it is anything.
    pub(super) fn next(&self, prior: Prior) -> Spread {
        let count = self.count.max(1.0);
        let freedom = prior.weight + count - 1.0;
        let spread = prior.weight * prior.deviation * prior.deviation + self.spread;
        Spread {
            mean: self.mean,
            deviation: root(spread / freedom * (1.0 + prior.error / count)),
            freedom,
        }
    }

    /// Whether all is a number, and no spread below 0.
    pub(super) fn is_sound(&self) -> bool {
        let finite = self.count.is_finite() && self.mean.is_finite() && self.spread.is_finite();
        finite && self.count >= 0.0 && self.spread >= 0.0
    }
}

impl Spread {
    /// A distribution of a known deviation.
    pub(super) fn new(mean: f32, deviation: f32, freedom: f32) -> Self {
        Self {
            mean,
            deviation,
            freedom,
        }
    }

    /// The deviations of a normal distribution that are as rare as a number this far above the mean
    /// (Wallace 1959).
    #[inline(never)]
    pub(super) fn unusual(&self, value: f32) -> f32 {
        let (t, n) = ((value - self.mean) / self.deviation.max(1e-6), self.freedom);
        let normal = root(n * ln(1.0 + t * t / n)) * (8.0 * n + 1.0) / (8.0 * n + 3.0);
        if t < 0.0 { -normal } else { normal }
    }

    /// The number that is as far above the mean as n deviations of a normal distribution.
    pub(super) fn at(&self, normal: f32) -> f32 {
        let n = self.freedom;
        let z = normal * (8.0 * n + 3.0) / (8.0 * n + 1.0);
        let t = root(n * (exp(z * z / n) - 1.0));
        self.mean + self.deviation * if z < 0.0 { -t } else { t }
    }
}

const TAIL: [f32; 2] = [0.717, 0.416];

/// The part of a normal distribution beyond n deviations, to a hundredth of itself (Lin 1989).
pub(super) fn beyond(deviations: f32) -> f32 {
    let z = deviations.abs();
    let tail = 0.5 * exp(-z * (TAIL[0] + TAIL[1] * z));
    if deviations < 0.0 { 1.0 - tail } else { tail }
}

/// The deviations beyond which there is such a part.
#[inline(never)]
pub(super) fn deviations(part: f32) -> f32 {
    let tail = if part > 0.5 { 1.0 - part } else { part };
    let log = -ln(2.0 * tail);
    let z = (root(TAIL[0] * TAIL[0] + 4.0 * TAIL[1] * log.max(0.0)) - TAIL[0]) / (2.0 * TAIL[1]);
    if part > 0.5 { -z } else { z }
}

/// The harmonic mean of parts, with their weights (Wilson 2019, "The harmonic mean p-value"): about
/// the least of them over its weight, whatever they have to do with each other. So one witness is
/// enough, and those that see nothing cost little.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Together {
    weights: f32,
    sum: f32,
}

impl Together {
    pub(super) fn push(&mut self, weight: f32, part: f32) {
        self.weights += weight;
        self.sum += weight / part.max(1e-30);
    }

    pub(super) fn part(&self) -> f32 {
        if self.weights > 0.0 {
            self.weights / self.sum
        } else {
            0.5
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Prior = Prior {
        deviation: 2.0,
        weight: 4.0,
        error: 1.0,
    };

    #[test]
    fn own_frames_outweigh_the_prior_as_they_become_more() {
        let of = |count: i32| {
            let mut moments = Moments::NONE;
            // Mean 10, deviation 1 but for the divisor.
            (0..count).for_each(|i| moments.push(if i % 2 == 0 { 9.0 } else { 11.0 }));
            moments.next(PRIOR)
        };
        assert_eq!(of(1).mean, 9.0);
        assert!((of(1).deviation - 8_f32.sqrt()).abs() < 1e-3);
        assert!(of(2).deviation > of(8).deviation && of(8).deviation > of(100).deviation);
        assert!((of(1000).deviation - 1.0).abs() < 0.01);
        assert!((of(1000).mean - 10.0).abs() < 1e-3);
    }

    #[test]
    fn few_frames_make_a_number_less_unusual() {
        let unusual = |freedom| Spread::new(0.0, 1.0, freedom).unusual(3.365);
        // The 1 % of Student's distribution with 5 degrees of freedom.
        assert!((unusual(5.0) - 2.326).abs() < 0.02, "{}", unusual(5.0));
        assert!((unusual(1e6) - 3.365).abs() < 0.02);
        assert!((Spread::new(7.0, 2.0, 5.0).unusual(7.0 - 6.73) + 2.326).abs() < 0.02);
    }

    #[test]
    fn there_and_back() {
        let spread = Spread::new(3.0, 0.5, 6.0);
        for step in -40..60 {
            let z = step as f32 / 10.0;
            assert!((spread.unusual(spread.at(z)) - z).abs() < 0.01, "{z}");
            // Towards 1 a part has few digits left.
            let error = (deviations(beyond(z)) - z).abs();
            assert!(error < if z < -3.0 { 0.2 } else { 0.01 }, "{z}");
        }
        assert!((beyond(1.645) / 0.05 - 1.0).abs() < 0.02);
        assert!((beyond(2.326) / 0.01 - 1.0).abs() < 0.02);
    }

    #[test]
    fn one_witness_is_enough_and_no_two_make_a_usual_frame_unusual() {
        let of = |parts: [f32; 2]| {
            let mut together = Together::default();
            together.push(0.9, parts[0]);
            together.push(0.1, parts[1]);
            together.part()
        };
        assert!((of([0.5, 0.5]) - 0.5).abs() < 1e-6);
        assert!(of([1e-4, 0.9]) < 1.2e-4);
        assert!(of([0.9, 1e-6]) < 1.1e-5);
        assert!(of([0.0, 1.0]) >= 0.0 && of([0.0, 0.0]).is_finite());
        assert_eq!(Together::default().part(), 0.5);
    }
}
