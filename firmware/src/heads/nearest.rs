//! Nearest support picture: the distance of a query to a class is that to the nearest of its shots,
//! as a Siamese network classifies (Koch, Zemel & Salakhutdinov, "Siamese Neural Networks for
//! One-shot Image Recognition", 2015), in exact integers.

use super::{Class, Distance};

/// To the nearest shot of a class; `None` for a class without shots.
#[must_use]
pub fn distance(query: &[i8], class: &Class) -> Option<Distance> {
    let shots = class.support();
    shots.map(|shot| Distance::to_point(query, shot)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_shot_counts_and_not_the_mean() {
        let mut class = Class::new(0, "a", 0, 2).unwrap();
        assert!(distance(&[0, 0], &class).is_none());
        class.push(&[100, 100]).unwrap();
        class.push(&[-100, -100]).unwrap();
        class.push(&[3, -4]).unwrap();
        assert_eq!(distance(&[0, 0], &class).unwrap().to_real(1.0), 25.0);
        assert_eq!(distance(&[127, 127], &class).unwrap().to_real(0.5), 364.5);
    }
}
