//! How far the pictures of a class lie from its mean.

use serde::{Deserialize, Serialize};

use crate::heads::Class;

/// What is known of the spread of a class before its shots are seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Mean within-class variance, summed over the embedding's values, in steps squared.
    pub variance: f32,
    /// How many pairs of shots it counts for: the variance of one pair's estimate over the variance
    /// between classes (Bühlmann's credibility).
    pub weight: f32,
}

/// The within-class variance of an enrolled class, summed over the embedding's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    variance: f32,
    shots: f32,
}

impl Spread {
    /// Of a class with at least one shot: the variance of its shots, shrunk towards the prior
    /// (empirical Bayes, Efron & Morris 1975) and never below what rounding to int8 causes.
    #[must_use]
    #[inline(never)]
    pub fn of(class: &Class, prior: Prior) -> Self {
        let shots = f32::from(class.shots().max(1));
        let pairs = shots - 1.0;
        let own = own_variance(class).unwrap_or(0.0);
        let shrunk =
            (prior.weight * prior.variance + pairs * own) / (prior.weight + pairs).max(1e-6);
        Self {
            variance: shrunk.max(rounding(class)),
            shots,
        }
    }

    /// The variance, in steps squared.
    #[must_use]
    pub fn variance(&self) -> f32 {
        self.variance
    }

    /// Shots of the class.
    pub(super) fn shots(&self) -> f32 {
        self.shots
    }

    /// Mean squared distance from a new picture of the class to the mean of `shots` others.
    #[must_use]
    pub fn expected(&self) -> f32 {
        self.variance * (1.0 + 1.0 / self.shots)
    }
}

/// The unbiased variance of a class's shots, in exact integers but for the last division. It is the
/// mean squared leave-one-out distance less the share of the mean's own error. `None` for fewer than
/// two shots.
#[inline(never)]
pub(super) fn own_variance(class: &Class) -> Option<f32> {
    let shots = i64::from(class.shots());
    if shots < 2 {
        return None;
    }
    let square = |value: i64| value * value;
    let values: i64 = class.values().iter().map(|&v| square(v.into())).sum();
    let sums: i64 = class
        .prototype()
        .sum
        .iter()
        .map(|&s| square(s.into()))
        .sum();
    Some((shots * values - sums) as f32 / (shots * (shots - 1)) as f32)
}

/// The prior that all these classes' shots give: their pooled variance. `None` if none has two shots.
pub(super) fn pooled<'c>(classes: impl Iterator<Item = &'c Class>) -> Option<Prior> {
    /// Where nothing tells how classes differ: as much as that many pairs.
    const WEIGHT: f32 = 4.0;
    let (mut sum, mut pairs) = (0.0, 0.0);
    for class in classes {
        if let Some(variance) = own_variance(class) {
            let count = f32::from(class.shots()) - 1.0;
            sum += count * variance;
            pairs += count;
        }
    }
    (pairs > 0.0).then_some(Prior {
        variance: sum / pairs,
        weight: WEIGHT,
    })
}

/// The variance of rounding to steps: a twelfth for each value.
fn rounding(class: &Class) -> f32 {
    class.dim() as f32 / 12.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(shots: &[[i8; 2]]) -> Class {
        let mut class = Class::new(0, "a", 0, 2).unwrap();
        for shot in shots {
            class.push(shot).unwrap();
        }
        class
    }

    const PRIOR: Prior = Prior {
        variance: 100.0,
        weight: 2.0,
    };

    #[test]
    fn the_variance_is_that_of_the_textbook() {
        // Columns 1, 3, 8 and 0, 0, 6: variances 13 and 12.
        let class = class(&[[1, 0], [3, 0], [8, 6]]);
        assert_eq!(own_variance(&class), Some(25.0));
        // Two pairs of its own and two of the prior.
        assert_eq!(Spread::of(&class, PRIOR).variance(), 62.5);
        assert_eq!(
            Spread::of(&class, PRIOR).expected(),
            62.5 * (1.0 + 1.0 / 3.0)
        );
    }

    #[test]
    fn one_shot_says_what_the_prior_says_and_equal_shots_do_not_divide_by_zero() {
        assert_eq!(own_variance(&class(&[[5, 5]])), None);
        assert_eq!(Spread::of(&class(&[[5, 5]]), PRIOR).variance(), 100.0);
        let none = Prior {
            variance: 0.0,
            weight: 0.0,
        };
        let spread = Spread::of(&class(&[[5, 5]; 3]), none);
        assert_eq!(spread.variance(), 2.0 / 12.0);
    }

    #[test]
    fn the_extremes_fit() {
        let mut class = Class::new(0, "a", 0, 128).unwrap();
        for shot in 0..20 {
            class
                .push(&[if shot % 2 == 0 { -128 } else { 127 }; 128])
                .unwrap();
        }
        let variance = own_variance(&class).unwrap();
        assert!((variance / (127.5 * 127.5 * 128.0 * 20.0 / 19.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_pooled_prior_weighs_by_pairs() {
        let classes = [
            class(&[[0, 0], [2, 0]]),
            class(&[[9, 9]]),
            class(&[[0, 0], [0, 0], [6, 0]]),
        ];
        // Variances 2 with one pair and 12 with two.
        let prior = pooled(classes.iter()).unwrap();
        assert!((prior.variance - 26.0 / 3.0).abs() < 1e-5);
        assert_eq!(pooled(classes[1..2].iter()), None);
    }
}
