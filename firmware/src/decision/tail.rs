//! The threshold that the enrolled shots alone give, for a model without calibration.

use super::root::root;
use super::spread::pooled;
use super::{Prior, RATES, Rate, Spread};
use crate::heads::Class;

/// Standard normal quantiles: what a part of [`RATES`] exceeds.
const NORMAL: [f32; RATES.len()] = [
    3.0902, 2.8782, 2.7478, 2.5758, 2.3263, 2.0537, 1.8808, 1.6449, 1.2816, 0.8416,
];
/// Fewest shots that tell anything of a tail.
const MIN_SHOTS: f32 = 3.0;

/// A Gaussian tail fitted to the square roots of the shots' leave-one-out novelties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    prior: Prior,
    mean: f32,
    deviation: f32,
}

impl Tail {
    /// Fits it to the shots of all classes of a model. `None` while there are fewer than three shots
    /// in classes of two or more.
    #[must_use]
    pub fn fit<'c>(classes: impl Iterator<Item = &'c Class> + Clone) -> Option<Self> {
        let prior = pooled(classes.clone())?;
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for class in classes.filter(|class| class.shots() > 1) {
            let shots = f32::from(class.shots());
            // Of a class of one shot less.
            let expected = Spread::of(class, prior).variance() * (shots / (shots - 1.0));
            for shot in class.support() {
                let novelty = leave_one_out(shot, class) / expected;
                count += 1.0;
                sum += root(novelty);
                squares += novelty;
            }
        }
        if count < MIN_SHOTS {
            return None;
        }
        let mean = sum / count;
        let variance = ((squares - sum * mean) / (count - 1.0)).max(0.0);
        Some(Self {
            prior,
            mean,
            // Of the next picture, with what the mean's own error adds.
            deviation: root(variance * (1.0 + 1.0 / count)),
        })
    }

    /// What the shots say of the spread of any class.
    #[must_use]
    pub fn prior(&self) -> Prior {
        self.prior
    }

    /// The novelty above which a picture is of no class.
    #[must_use]
    pub fn threshold(&self, rate: Rate) -> f32 {
        let column = RATES.iter().position(|&parts| parts >= rate.parts());
        let normal = column.and_then(|column| NORMAL.get(column));
        let bound = self.mean + normal.unwrap_or(&NORMAL[0]) * self.deviation;
        bound * bound
    }
}

/// Squared distance of a shot to the mean of the others of its class, at least two in all, in steps
/// squared.
pub(super) fn leave_one_out(shot: &[i8], class: &Class) -> f32 {
    let prototype = class.prototype();
    let shots = f32::from(prototype.shots);
    let distance = crate::heads::Distance::between(shot, prototype).to_real(1.0);
    // The mean of all is nearer than that of the others, by one shot's share.
    let factor = shots / (shots - 1.0).max(1.0);
    distance * factor * factor
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

    #[test]
    fn leaving_one_out_is_the_distance_to_the_mean_of_the_others() {
        let class = class(&[[9, 1], [0, 0], [2, 4]]);
        // (9, 1) to (1, 2).
        assert!((leave_one_out(&[9, 1], &class) - 65.0).abs() < 1e-4);
    }

    #[test]
    fn fewer_rejected_means_a_wider_threshold_and_few_shots_mean_none() {
        let shots = [[10, 0], [0, 12], [-9, 3], [4, -7]];
        let tail = Tail::fit([class(&shots)].iter()).unwrap();
        let at = |parts| tail.threshold(Rate::new(parts).unwrap());
        assert!(at(10) > at(100) && at(100) > at(2000) && at(2000) > 1.0);
        assert!(Tail::fit([class(&shots[..1]), class(&shots[1..2])].iter()).is_none());
        assert!(Tail::fit([class(&shots[..2])].iter()).is_none());
        assert!(Tail::fit([class(&shots[..2]), class(&shots[2..])].iter()).is_some());
        assert!(Tail::fit([].iter()).is_none());
    }

    #[test]
    fn equal_shots_have_a_threshold_all_the_same() {
        let tail = Tail::fit([class(&[[3, 3]; 4])].iter()).unwrap();
        assert!(tail.threshold(Rate::default()) >= 0.0);
    }
}
