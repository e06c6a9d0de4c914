//! Squared Euclidean distance to a prototype (Snell, Swersky & Zemel, "Prototypical Networks for
//! Few-shot Learning", 2017) or a single embedding, in exact integers.
//!
//! The prototype of a class is the mean of its support embeddings, `S / n`. It is never divided:
//! for a query `q` the distance is `|n q - S|^2 / n^2`, whose numerator fits 64 bits, and two such
//! fractions are compared by cross-multiplication. The zero point of the embedding cancels.

use core::cmp::Ordering;

/// The sum of a class's support embeddings.
#[derive(Debug, Clone, Copy)]
pub struct Prototype<'a> {
    /// Sum over the shots, one value per dimension.
    pub sum: &'a [i16],
    /// How many shots were summed, at least 1.
    pub shots: u8,
}

/// A squared distance in quantised units: `numerator / shots^2`.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    numerator: u64,
    shots: u8,
}

impl Distance {
    /// From the query to the prototype. Dimensions that only one of them has are ignored.
    #[must_use]
    pub fn between(query: &[i8], prototype: Prototype<'_>) -> Self {
        let shots = i32::from(prototype.shots.max(1));
        let numerator = query
            .iter()
            .zip(prototype.sum)
            .map(|(&q, &s)| {
                let difference = shots * i32::from(q) - i32::from(s);
                u64::from(difference.unsigned_abs()).pow(2)
            })
            .sum();
        Self {
            numerator,
            shots: shots as u8,
        }
    }

    /// From the query to another embedding. Values that only one of them has are ignored.
    #[must_use]
    pub fn to_point(query: &[i8], point: &[i8]) -> Self {
        let squares = query.iter().zip(point).map(|(&q, &p)| {
            let difference = i32::from(q) - i32::from(p);
            (difference * difference) as u32
        });
        Self {
            // Below 2^24 for 256 values.
            numerator: u64::from(squares.sum::<u32>()),
            shots: 1,
        }
    }

    /// In the units of the float embedding: the quantised distance times `scale` squared.
    #[must_use]
    pub fn to_real(self, scale: f32) -> f32 {
        let shots = f32::from(self.shots);
        self.numerator as f32 / (shots * shots) * (scale * scale)
    }

    fn square(shots: u8) -> u64 {
        u64::from(shots).pow(2)
    }
}

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> Ordering {
        // A numerator is below 2^40 for any embedding of up to 256 values, a square below 2^16.
        (self.numerator * Self::square(other.shots))
            .cmp(&(other.numerator * Self::square(self.shots)))
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Distance {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Distance {}

/// The nearest class and the runner-up, as positions in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranking {
    /// Position of the smallest distance.
    pub first: usize,
    /// Position of the second smallest, if there are two.
    pub second: Option<usize>,
}

/// Ranks distances or scores; of equal ones the first in the list wins. `None` for an empty list.
pub fn rank<T: PartialOrd + Copy>(list: impl IntoIterator<Item = T>) -> Option<Ranking> {
    let mut best: Option<(usize, T)> = None;
    let mut runner_up: Option<(usize, T)> = None;
    for candidate in list.into_iter().enumerate() {
        if best.is_none_or(|(_, value)| candidate.1 < value) {
            runner_up = best.replace(candidate);
        } else if runner_up.is_none_or(|(_, value)| candidate.1 < value) {
            runner_up = Some(candidate);
        }
    }
    best.map(|(first, _)| Ranking {
        first,
        second: runner_up.map(|(second, _)| second),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(query: &[i8], sum: &[i16], shots: u8) -> Distance {
        Distance::between(query, Prototype { sum, shots })
    }

    #[test]
    fn distance_is_to_the_mean() {
        // Mean of (1, 2) and (4, 2) is (2.5, 2); to (0, 0) that is 6.25 + 4.
        let d = distance(&[0, 0], &[5, 4], 2);
        assert_eq!(d.to_real(1.0), 10.25);
        assert_eq!(d.to_real(0.5), 2.5625);
    }

    #[test]
    fn fractions_compare_exactly() {
        // 1/9 of 100 against 11: 11.11 > 11.
        let third = distance(&[0], &[10], 3);
        assert!(third > distance(&[0, 0, 0], &[3, 1, 1], 1));
        assert!(third < distance(&[0, 0, 0], &[2, 2, 2], 1));
        assert_eq!(distance(&[0], &[6], 2), distance(&[0], &[3], 1));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let d = distance(&[-128; 256], &[127 * 255; 256], 255);
        assert_eq!(d.to_real(1.0), 255.0 * 255.0 * 256.0);
        assert_eq!(d.cmp(&d), Ordering::Equal);
    }

    #[test]
    fn a_point_is_a_prototype_of_one_shot() {
        let (query, point) = ([-128, 127, 5], [127, -128, 5]);
        let sum = point.map(i16::from);
        assert_eq!(
            Distance::to_point(&query, &point),
            distance(&query, &sum, 1)
        );
    }

    #[test]
    fn ranks_with_ties_to_the_first() {
        let list = [9, 4, 7, 4].map(|n| distance(&[0], &[n], 1));
        assert_eq!(
            rank(list),
            Some(Ranking {
                first: 1,
                second: Some(3)
            })
        );
        assert_eq!(rank::<f32>([]), None);
        assert_eq!(rank(list[..1].iter().copied()).unwrap().second, None);
    }
}
