//! What distances are measured by: the spread of each class, and the thresholds.

use serde::{Deserialize, Serialize};

use super::{Calibration, Outcome, Prior, Rate, Spread, Tail, spread};
use crate::heads::{Class, Distance, Role};

/// Two classes are equally near where their squared distances differ by less than this part of the
/// variance of their pictures.
const MARGIN: f32 = 0.15;
/// Two pictures are all but the same where their squared distance is at most this part of the variance
/// of a class in general. Two pictures of a class are twice its variance apart on average.
const SAME: f32 = 0.03;

/// What a threshold rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Basis {
    /// The base classes on which the model image was calibrated.
    Calibration,
    /// The enrolled shots alone, which say little of rare pictures: the image has no calibration.
    Shots,
    /// Nothing: there is no threshold before more shots are enrolled.
    Nothing,
}

/// Measures novelty among the classes of one model.
#[derive(Debug, Clone, Copy)]
pub struct NoveltyModel<'m> {
    prior: Option<Prior>,
    calibration: Option<&'m Calibration>,
    tail: Option<Tail>,
    rate: Rate,
}

impl<'m> NoveltyModel<'m> {
    /// By the image's calibration; without one, by the shots of the classes.
    #[must_use]
    pub fn new<'c>(
        calibration: Option<&'m Calibration>,
        classes: impl Iterator<Item = &'c Class> + Clone,
        rate: Rate,
    ) -> Self {
        let tail = match calibration {
            Some(_) => None,
            None => Tail::fit(classes.clone()),
        };
        Self {
            prior: calibration
                .map(Calibration::prior)
                .or_else(|| spread::pooled(classes)),
            calibration,
            tail,
            rate,
        }
    }

    /// How far pictures of a class are from its mean; `None` while nothing tells.
    #[must_use]
    pub fn spread(&self, class: &Class) -> Option<Spread> {
        self.prior.map(|prior| Spread::of(class, prior))
    }

    /// The variance of a class's shots over that of classes in general, as far as a calibration says;
    /// `None` for fewer than two shots.
    #[must_use]
    pub fn variety(&self, class: &Class) -> Option<f32> {
        let usual = self.calibration?.variance;
        spread::own_variance(class).map(|own| own / usual)
    }

    /// The novelty of a query for a class.
    #[must_use]
    pub fn novelty(&self, query: &[i8], class: &Class) -> Option<f32> {
        self.spread(class)
            .map(|spread| super::novelty(query, class, spread))
    }

    /// Whether a class has a shot of all but the same picture. While nothing tells how far pictures of
    /// a class are apart, only exactly the same.
    #[must_use]
    pub fn has(&self, class: &Class, picture: &[i8]) -> bool {
        let limit = self.prior.map_or(0.0, |prior| SAME * prior.variance);
        let mut shots = class.support();
        shots.any(|shot| Distance::to_point(picture, shot).to_real(1.0) <= limit)
    }

    /// The novelty above which a picture is not of a class with n shots.
    #[must_use]
    pub fn threshold(&self, shots: u8) -> Option<f32> {
        match (self.calibration, self.tail) {
            (Some(calibration), _) => Some(calibration.threshold(self.rate, shots)),
            (None, Some(tail)) => Some(tail.threshold(self.rate)),
            (None, None) => None,
        }
    }

    /// What the threshold rests on.
    #[must_use]
    pub fn basis(&self) -> Basis {
        match (self.calibration, self.tail) {
            (Some(_), _) => Basis::Calibration,
            (None, Some(_)) => Basis::Shots,
            (None, None) => Basis::Nothing,
        }
    }

    /// Whether a class accepts a query. It does while nothing tells.
    #[must_use]
    pub fn accepts(&self, query: &[i8], class: &Class) -> bool {
        match (self.novelty(query, class), self.threshold(class.shots())) {
            (Some(novelty), Some(threshold)) => novelty <= threshold,
            _ => true,
        }
    }

    /// What is said of a query that a head gives to `first` before `second`.
    #[must_use]
    pub fn outcome(&self, query: &[i8], first: &Class, second: Option<&Class>) -> Outcome {
        if self.accepts(query, first) {
            self.accepted(query, first, second)
        } else {
            Outcome::Unknown
        }
    }

    /// The same of a query that the first class accepts, whatever the rate.
    #[must_use]
    pub fn accepted(&self, query: &[i8], first: &Class, second: Option<&Class>) -> Outcome {
        match second {
            Some(second) if differ(first, second) && self.is_close(query, first, second) => {
                Outcome::Unclear
            }
            _ => Outcome::of(first),
        }
    }

    /// Whether two classes are equally near to a query, as far as pictures of a class vary; while
    /// nothing tells how far, only exactly.
    fn is_close(&self, query: &[i8], first: &Class, second: &Class) -> bool {
        let [one, other] = [first, second].map(|class| Distance::between(query, class.prototype()));
        match (self.spread(first), self.spread(second)) {
            (Some(first), Some(second)) => {
                let variance = 0.5 * (first.variance() + second.variance());
                (one.to_real(1.0) - other.to_real(1.0)).abs() < MARGIN * variance
            }
            _ => one == other,
        }
    }
}

/// Whether it matters which of two classes a part is of: not where both are good, or both defects.
fn differ(first: &Class, second: &Class) -> bool {
    first.role != second.role || first.role == Role::Plain
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    /// A class about a point.
    fn class(id: u8, x: i8, role: Role) -> Class {
        let shots = [[x - 2, 0], [x + 2, 0], [x, -2], [x, 2]];
        let mut class = Class::of(shots.iter().map(|shot| &shot[..])).unwrap();
        (class.id, class.role) = (id, role);
        class
    }

    fn calibration() -> Calibration {
        let mut calibration = Calibration::zeroed();
        (calibration.variance, calibration.weight) = (5.0, 3.0);
        (calibration.rows, calibration.shots[0]) = (1, 4);
        calibration.quantiles[0] = [4.0; 10];
        calibration
    }

    #[test]
    fn between_two_classes_it_is_too_close_to_call_where_that_matters() {
        use Role::{Defect, Good, Plain};
        let calibration = calibration();
        let outcome = |x: i8, one, other| {
            let classes = [class(0, 0, one), class(1, 8, other)];
            let novelty_model =
                NoveltyModel::new(Some(&calibration), classes.iter(), Rate::default());
            novelty_model.outcome(&[x, 0], &classes[0], Some(&classes[1]))
        };
        for (one, other) in [(Plain, Plain), (Good, Defect), (Plain, Good)] {
            let middle = outcome(4, one, other);
            assert_eq!((middle, middle.is_ok()), (Outcome::Unclear, false));
            assert_eq!(outcome(3, one, other), Outcome::of(&class(0, 0, one)));
        }
        assert_eq!(outcome(4, Good, Good), Outcome::Good(0));
        assert_eq!(outcome(4, Defect, Defect), Outcome::Defect(0));
        // What is of neither is unknown, however near both are.
        let far = [4, 20];
        let classes = [class(0, 0, Plain), class(1, 8, Plain)];
        let novelty_model = NoveltyModel::new(Some(&calibration), classes.iter(), Rate::default());
        let [one, other] = &classes;
        assert_eq!(
            novelty_model.outcome(&far, one, Some(other)),
            Outcome::Unknown
        );
        assert_eq!(novelty_model.outcome(&[1, 0], one, None), Outcome::Class(0));
    }

    #[test]
    fn while_nothing_tells_how_far_pictures_vary_only_a_tie_is_too_close() {
        let one_shot = |id, x: i8| {
            let mut class = Class::of([&[x, 0][..]]).unwrap();
            class.id = id;
            class
        };
        let classes = [one_shot(0, 0), one_shot(1, 8)];
        let novelty_model = NoveltyModel::new(None, classes.iter(), Rate::default());
        let [one, other] = &classes;
        assert_eq!(
            novelty_model.outcome(&[4, 0], one, Some(other)),
            Outcome::Unclear
        );
        assert_eq!(
            novelty_model.outcome(&[3, 0], one, Some(other)),
            Outcome::Class(0)
        );
    }
}
