use serde::{Deserialize, Serialize};

use super::{Calibration, Prior, Rate, Spread, Tail, spread};
use crate::heads::Class;

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
pub struct Yardstick<'m> {
    prior: Option<Prior>,
    calibration: Option<&'m Calibration>,
    tail: Option<Tail>,
    rate: Rate,
}

impl<'m> Yardstick<'m> {
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

    /// The novelty of a query for a class.
    #[must_use]
    pub fn novelty(&self, query: &[i8], class: &Class) -> Option<f32> {
        self.spread(class)
            .map(|spread| super::novelty(query, class, spread))
    }

    /// The novelty above which a picture is not of a class with so many shots.
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
}
