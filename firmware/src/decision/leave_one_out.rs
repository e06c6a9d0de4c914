//! Whether enrolled classes are told apart: each shot is left out of its class in turn, and asked
//! about as a new picture.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::{NoveltyModel, Outcome};
use crate::heads::{Class, Distance, MAX_SHOTS, Ranking, rank};

/// What became of the shots of a class, each left out in turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeaveOneOut {
    /// Shots that were asked about: all of the class, or none where it has fewer than two.
    pub shots: u8,
    /// Those that would be of no class.
    pub unknown: u8,
    /// Those that would be of another class, or about as near to it.
    pub confused: Vec<Confused, MAX_SHOTS>,
    /// The variance of the class's shots over that of pictures of a class in general, by which 1 is
    /// usual; none for fewer than two shots or without a calibration.
    pub variety: Option<f32>,
}

/// Shots of one class that would be taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confused {
    /// Id of the other class.
    pub class: u8,
    /// How many.
    pub shots: u8,
}

impl LeaveOneOut {
    /// Of a class among others, by the nearest mean.
    #[must_use]
    pub fn of<'c>(
        class: &Class,
        others: impl Iterator<Item = &'c Class> + Clone,
        novelty_model: &NoveltyModel<'_>,
    ) -> Self {
        let mut result = Self {
            variety: novelty_model.variety(class),
            ..Self::default()
        };
        if class.shots() < 2 {
            return result;
        }
        for (place, shot) in class.support().enumerate() {
            let Some(rest) = class.without(place) else {
                continue;
            };
            result.shots += 1;
            // The class itself comes first, then the others.
            let others = others.clone().map(|class| -> &Class { class });
            let mut all = core::iter::once(&rest).chain(others);
            let distances = all
                .clone()
                .map(|class| Distance::between(shot, class.prototype()));
            let Some(Ranking { first, second }) = rank(distances) else {
                continue;
            };
            let second = second.and_then(|second| all.clone().nth(second));
            let Some(first) = all.nth(first) else {
                continue;
            };
            let own = first.id == class.id;
            match novelty_model.outcome(shot, first, second) {
                Outcome::Unknown => result.unknown += 1,
                Outcome::Unclear if own => result.confuse(second.map(|class| class.id)),
                _ if own => {}
                _ => result.confuse(Some(first.id)),
            }
        }
        result
    }

    /// Counts a shot that would be taken for a class.
    fn confuse(&mut self, class: Option<u8>) {
        let Some(class) = class else { return };
        if let Some(other) = self.confused.iter_mut().find(|c| c.class == class) {
            other.shots += 1;
        } else {
            // As many as there are shots, at most.
            let _ = self.confused.push(Confused { class, shots: 1 });
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::super::Rate;
    use super::*;

    fn class(id: u8, shots: &[[i8; 2]]) -> Class {
        let mut class = Class::of(shots.iter().map(|shot| &shot[..])).unwrap();
        class.id = id;
        class
    }

    /// Shots, those taken for unknown, and how many were taken for which other class.
    type Row = (u8, u8, Vec<(u8, u8)>);

    fn left_out(classes: &[Class]) -> Vec<Row> {
        let novelty_model = NoveltyModel::new(None, classes.iter(), Rate::default());
        let of = |class: &Class| {
            let others = classes.iter().filter(|other| other.id != class.id);
            let LeaveOneOut {
                shots,
                unknown,
                confused,
                ..
            } = LeaveOneOut::of(class, others, &novelty_model);
            let confused = confused.iter().map(|c| (c.class, c.shots)).collect();
            (shots, unknown, confused)
        };
        classes.iter().map(of).collect()
    }

    #[test]
    fn classes_that_lie_apart_are_told_apart() {
        let classes = [
            class(0, &[[0, 0], [3, 0], [0, 3]]),
            class(1, &[[50, 50], [53, 50], [50, 53]]),
        ];
        let all = left_out(&classes);
        assert_eq!(all[0], (3, 0, Vec::new()));
        assert_eq!(all[1], (3, 0, Vec::new()));
    }

    #[test]
    fn a_shot_that_lies_with_another_class_is_counted_for_it() {
        let classes = [
            class(3, &[[0, 0], [3, 0], [0, 3], [50, 51]]),
            class(7, &[[50, 50], [53, 50], [50, 53]]),
            class(9, &[[-50, 0]]),
        ];
        let all = left_out(&classes);
        assert_eq!(all[0].2, [(7, 1)]);
        // With that shot in it, the first class may lose others; of one shot nothing is left.
        assert_eq!(all[2], (0, 0, Vec::new()));
    }

    #[test]
    fn classes_of_the_same_pictures_are_not_told_apart() {
        let shots = [[0, 0], [3, 0], [0, 3], [3, 3], [1, 2]];
        for (shots, _, confused) in left_out(&[class(0, &shots), class(1, &shots)]) {
            assert_eq!(confused.iter().map(|c| c.1).sum::<u8>(), shots);
        }
    }
}
