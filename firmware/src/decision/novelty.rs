//! How new a picture is to a class.

use super::Spread;
use crate::heads::{Class, Distance};

/// How new a picture is to a class: its squared distance to the class's prototype (Snell et al. 2017)
/// over the one that pictures of the class have on average.
///
/// So 1 is what can be expected of the class's own pictures, whatever the class and its number of
/// shots, which makes it comparable between classes.
#[must_use]
pub fn novelty(query: &[i8], class: &Class, spread: Spread) -> f32 {
    Distance::between(query, class.prototype()).to_real(1.0) / spread.expected()
}

#[cfg(test)]
mod tests {
    use super::super::Prior;
    use super::*;

    #[test]
    fn it_does_not_change_with_the_scale_of_the_class() {
        let prior = |variance| Prior {
            variance,
            weight: 3.0,
        };
        let of = |factor: i8| {
            let mut class = Class::new(0, "a", 0, 2).unwrap();
            class.push(&[factor, 0]).unwrap();
            class.push(&[0, 3 * factor]).unwrap();
            let square = f32::from(factor) * f32::from(factor);
            let spread = Spread::of(&class, prior(7.0 * square));
            novelty(&[5 * factor, factor], &class, spread)
        };
        assert!(of(1) > 0.0);
        assert!((of(4) / of(1) - 1.0).abs() < 1e-6);
        assert!((of(20) / of(1) - 1.0).abs() < 1e-6);
    }
}
