//! Which scores the good parts of a line have: a histogram of those that were watched.

use serde::{Deserialize, Serialize};

use super::number::ln;
use super::witness::{Moments, deviations};
use crate::decision::Rate;

/// Bins a deviation.
const FINE: f32 = 8.0;
/// Deviations below the average good frame from which the histogram starts.
const BELOW: f32 = 4.0;
const BINS: usize = 160;
/// Watched frames that weigh as much as what the taught frames say, and soon far more.
const BELIEF: f32 = 20.0;
/// The part of the frames whose scores are taken for the tail.
const TAIL: f32 = 0.05;
/// The weights of three estimates of a rare score: the frames' own quantile, an exponential tail and a normal
/// distribution. Each errs in another way.
const QUANTILE: f32 = 0.3;
const EXPONENTIAL: f32 = 0.5;
const NORMAL: f32 = 0.2;

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
    /// Frames from which on watched ones count at all.
    pub const FEWEST: u32 = 20;

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

    /// The score that a part `rate` of good frames exceeds, where the taught frames say `taught`.
    ///
    /// It is a mean of three estimates: the score that n of the watched frames exceed, what follows
    /// from a twentieth with the highest scores if they are exponential (Pickands 1975, with a shape of 0),
    /// and what follows from all if they are normal.
    #[must_use]
    pub fn threshold(&self, rate: Rate, taught: f32) -> f32 {
        if self.count < Self::FEWEST {
            return taught;
        }
        let count = self.count as f32;
        let part = f32::from(rate.parts()) / 10_000.0;
        let tail = part.max(TAIL);
        let start = self.exceeded_by(tail * count);
        let exponential = start + self.mean_excess(start) * ln(tail / part);
        let quantile = self.exceeded_by(part * (count + 1.0));
        let watched = QUANTILE * quantile + EXPONENTIAL * exponential + NORMAL * self.normal(part);
        let belief = BELIEF / (BELIEF + count);
        taught * belief * belief + watched * (1.0 - belief * belief)
    }

    /// The score that a part of normal scores of the frames' mean and deviation exceeds.
    fn normal(&self, part: f32) -> f32 {
        let mut moments = Moments::NONE;
        for (bin, &inside) in self.bins.iter().enumerate() {
            moments.push_several(middle(bin), inside.into());
        }
        moments.mean() + deviations(part) * moments.deviation()
    }

    /// The score that n frames exceed.
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
            let excess = middle(bin) - start;
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

/// The score in the middle of a bin.
fn middle(bin: usize) -> f32 {
    (bin as f32 + 0.5) / FINE - BELOW
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::super::tests::Random;
    use super::super::witness::beyond;
    use super::*;

    /// The part of normal scores that exceeds the threshold for 1 % after n were watched.
    fn realised(seed: u32, frames: usize, mean: f32, deviation: f32) -> f32 {
        let mut random = Random(seed);
        let mut commission = Commission::new();
        for _ in 0..frames {
            commission.push(mean + deviation * random.normal());
        }
        let threshold = commission.threshold(Rate::default(), 2.326);
        beyond((threshold - mean) / deviation)
    }

    #[test]
    fn after_two_hundred_frames_the_chosen_rate_holds_on_the_line() {
        // The taught frames said too little, too much or what is so.
        for (mean, deviation) in [(0.0, 1.0), (1.0, 1.5), (-1.0, 0.7)] {
            let each = (1..=40).map(|seed| realised(seed * 7919, 200, mean, deviation));
            let each: Vec<f32> = each.collect();
            let held = each
                .iter()
                .filter(|rate| (0.003..0.02).contains(*rate))
                .count();
            assert!(held >= 32, "{held} of 40 at {mean} {deviation}: {each:?}");
            // Neither too quiet, with which flaws are missed, nor too loud.
            let quiet = each.iter().filter(|&&rate| rate < 0.003).count();
            let average = each.iter().sum::<f32>() / 40.0;
            assert!(quiet <= 3, "{quiet} of 40 at {mean} {deviation}: {each:?}");
            assert!((0.008..0.014).contains(&average), "{average}");
        }
        // Without watching it would not.
        assert!(beyond((2.326 - 1.0) / 1.5) > 0.15);
    }

    #[test]
    fn few_frames_leave_the_taught_threshold() {
        let mut commission = Commission::new();
        for _ in 0..Commission::FEWEST - 1 {
            commission.push(3.0);
        }
        assert_eq!(commission.threshold(Rate::default(), 2.0), 2.0);
        commission.push(3.0);
        assert!(commission.threshold(Rate::default(), 2.0) > 2.0);
    }

    #[test]
    fn a_higher_rate_has_a_lower_threshold_and_anything_is_counted() {
        let mut commission = Commission::new();
        for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30] {
            commission.push(score);
        }
        let mut random = Random(3);
        (0..100).for_each(|_| commission.push(random.normal()));
        assert_eq!(commission.frames(), 105);
        let at = |parts| commission.threshold(Rate::new(parts).unwrap(), 2.0);
        assert!(at(10) > at(100) && at(100) > at(1000) && at(1000) > at(2000));
        assert!(at(10).is_finite());
    }

    #[test]
    fn it_never_overflows() {
        let mut commission = Commission::new();
        (0..300_000).for_each(|i| commission.push(if i % 3 == 0 { 1.0 } else { 0.0 }));
        assert!(commission.is_sound() && commission.frames() > 30_000);
        let third = commission
            .bins
            .iter()
            .copied()
            .filter(|&frames| frames > 0)
            .min();
        let share = f32::from(third.unwrap()) / commission.frames() as f32;
        assert!((share - 1.0 / 3.0).abs() < 0.01, "{share}");
    }
}
