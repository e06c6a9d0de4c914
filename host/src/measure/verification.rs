//! Whether two pictures are of one class: rates of error over pairs, as Koch et al. (2015) train
//! and judge a Siamese network.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Embeddings;

/// Rates at one threshold, both 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Pairs whose score is at least this are taken for one class.
    pub threshold: f32,
    /// Part of the pairs of different classes that are taken for one.
    pub false_accept: f64,
    /// Part of the pairs of one class that are taken for one.
    pub true_accept: f64,
}

/// A receiver operating characteristic: the rates at every threshold that makes a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Roc {
    points: Vec<Rates>,
}

/// Why there is no such curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// One kind of pair is missing.
    #[error(
        "rates of error need pairs of one class and of different classes; there are {same} and {different}"
    )]
    NoPairs {
        /// Pairs of one class.
        same: usize,
        /// Pairs of different classes.
        different: usize,
    },
    /// A score is not a number.
    #[error("the score of a pair is not a number (NaN): check the model's outputs")]
    NoNumber,
    /// The data has no two classes, or no class with two pictures.
    #[error("pairs need two classes, and a class with two pictures")]
    TooFewPictures,
}

impl Roc {
    /// From the scores of pairs of one class and of pairs of different classes; the greater a
    /// score, the more similar are the two.
    ///
    /// # Errors
    /// When there are no pairs of a kind, or a score is not a number.
    pub fn of(same: &[f32], different: &[f32]) -> Result<Self, VerificationError> {
        if same.is_empty() || different.is_empty() {
            return Err(VerificationError::NoPairs {
                same: same.len(),
                different: different.len(),
            });
        }
        let of = |scores: &[f32], kind: bool| scores.iter().map(|&s| (s, kind)).collect::<Vec<_>>();
        let mut scores = of(same, true);
        scores.extend(of(different, false));
        if scores.iter().any(|(score, _)| score.is_nan()) {
            return Err(VerificationError::NoNumber);
        }
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut points = vec![Rates {
            threshold: f32::INFINITY,
            false_accept: 0.0,
            true_accept: 0.0,
        }];
        let (mut right, mut wrong) = (0usize, 0usize);
        // Pairs of equal scores are accepted together.
        for equal in scores.chunk_by(|a, b| a.0 == b.0) {
            let accepted = equal.iter().filter(|(_, same)| *same).count();
            right += accepted;
            wrong += equal.len() - accepted;
            points.push(Rates {
                threshold: equal[0].0,
                false_accept: wrong as f64 / different.len() as f64,
                true_accept: right as f64 / same.len() as f64,
            });
        }
        Ok(Self { points })
    }

    /// From no pair accepted to all accepted.
    pub fn points(&self) -> &[Rates] {
        &self.points
    }

    /// The rate at which false accepts and false rejects are equally frequent, 0..=1, on the
    /// straight line between the two nearest thresholds.
    pub fn equal_error_rate(&self) -> f64 {
        // False accepts less false rejects: -1 at the start, 1 at the end, never falling.
        let gap = |p: &Rates| p.false_accept - (1.0 - p.true_accept);
        let after = self.points.partition_point(|p| gap(p) < 0.0);
        let (a, b) = (&self.points[after - 1], &self.points[after]);
        let part = -gap(a) / (gap(b) - gap(a));
        a.false_accept + part * (b.false_accept - a.false_accept)
    }

    /// Area below the curve, 0..=1: the chance that a pair of one class scores above a pair of
    /// different classes, equal scores counted half.
    pub fn area(&self) -> f64 {
        let step = |w: &[Rates]| {
            (w[1].false_accept - w[0].false_accept) * (w[1].true_accept + w[0].true_accept) / 2.0
        };
        self.points.windows(2).map(step).sum()
    }
}

/// The scores of `pairs` random pairs of one class and of as many of different classes, in this
/// order; `score` gets the embeddings of both.
///
/// # Errors
/// When the data has no two classes, or no class with two pictures.
pub fn scores(
    embeddings: &Embeddings,
    pairs: usize,
    seed: u64,
    score: impl Fn(&[f32], &[f32]) -> f32,
) -> Result<(Vec<f32>, Vec<f32>), VerificationError> {
    let sizes = embeddings.class_sizes();
    let with =
        |least: usize| -> Vec<usize> { (0..sizes.len()).filter(|&c| sizes[c] >= least).collect() };
    let (any, several) = (with(1), with(2));
    if any.len() < 2 || several.is_empty() {
        return Err(VerificationError::TooFewPictures);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        let class = several[rng.random_range(0..several.len())];
        let (a, b) = two(&mut rng, sizes[class]);
        same.push(score(embeddings.get(class, a), embeddings.get(class, b)));
        let (c, d) = two(&mut rng, any.len());
        let mut picture = |place: usize| {
            let class = any[place];
            embeddings.get(class, rng.random_range(0..sizes[class]))
        };
        let (left, right) = (picture(c), picture(d));
        different.push(score(left, right));
    }
    Ok((same, different))
}

/// Two different numbers below `n`, which is at least 2.
fn two(rng: &mut impl Rng, n: usize) -> (usize, usize) {
    let a = rng.random_range(0..n);
    let b = rng.random_range(0..n - 1);
    (a, if b < a { b } else { b + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_a_case_made_by_hand() {
        let roc = Roc::of(&[0.9, 0.8, 0.7, 0.4], &[0.6, 0.3, 0.2, 0.1]).unwrap();
        let rates: Vec<(f64, f64)> = roc
            .points()
            .iter()
            .map(|p| (p.false_accept, p.true_accept))
            .collect();
        let expected = [
            (0.0, 0.0),
            (0.0, 0.25),
            (0.0, 0.5),
            (0.0, 0.75),
            (0.25, 0.75),
            (0.25, 1.0),
            (0.5, 1.0),
            (0.75, 1.0),
            (1.0, 1.0),
        ];
        assert_eq!(rates, expected);
        assert!((roc.equal_error_rate() - 0.25).abs() < 1e-12);
        // 15 of 16 comparisons are right.
        assert!((roc.area() - 15.0 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn equal_errors_between_two_thresholds() {
        // One threshold: 1/3 falsely accepted, 1/2 falsely rejected; at the next 1 and 0. The
        // difference goes from -1/6 to 1, through zero after a seventh of the way.
        let roc = Roc::of(&[0.9, 0.1], &[0.9, 0.1, 0.1]).unwrap();
        let expected = 1.0 / 3.0 + (2.0 / 3.0) / 7.0;
        assert!((roc.equal_error_rate() - expected).abs() < 1e-12);
    }

    #[test]
    fn separated_mixed_and_reversed_scores() {
        let rates = |same: &[f32], different: &[f32]| {
            let roc = Roc::of(same, different).unwrap();
            (roc.equal_error_rate(), roc.area())
        };
        assert_eq!(rates(&[2.0, 3.0], &[0.0, 1.0]), (0.0, 1.0));
        assert_eq!(rates(&[1.0; 5], &[1.0; 3]), (0.5, 0.5));
        assert_eq!(rates(&[0.0], &[1.0]), (1.0, 0.0));
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let error = Roc::of(&[], &[1.0]).unwrap_err();
        assert_eq!(
            error,
            VerificationError::NoPairs {
                same: 0,
                different: 1
            }
        );
        let error = Roc::of(&[f32::NAN], &[1.0]).unwrap_err();
        assert_eq!(error, VerificationError::NoNumber);
        let one = Embeddings::new(1, &[5], vec![0.0; 5]);
        let refused = scores(&one, 3, 0, |a, b| a[0] - b[0]);
        assert_eq!(refused, Err(VerificationError::TooFewPictures));
    }

    #[test]
    fn pairs_are_what_they_are_called() {
        let sizes = [3, 1, 4, 2];
        let values: Vec<f32> = sizes
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| (0..n).map(move |i| (10 * class + i) as f32))
            .collect();
        let embeddings = Embeddings::new(1, &sizes, values);
        let class = |v: f32| (v / 10.0).floor();
        let score = |a: &[f32], b: &[f32]| {
            assert_ne!(a, b);
            f32::from(class(a[0]) == class(b[0]))
        };
        let (same, different) = scores(&embeddings, 500, 3, score).unwrap();
        assert_eq!((same.len(), different.len()), (500, 500));
        assert!(same.iter().all(|s| *s == 1.0) && different.iter().all(|s| *s == 0.0));
    }
}
