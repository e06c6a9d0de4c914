//! Mean and covariance of vectors, and their principal components.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rayon::prelude::*;

use super::error::PatchesError;
use crate::nets::graph::Head;

/// Part of the first component's variance below which there is nothing but rounding.
const NOTHING: f64 = 1e-9;

/// Mean and covariance of the vectors of an inner value, in the making.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    sum: DVector<f64>,
    products: DMatrix<f64>,
}

impl Moments {
    /// Of no vector yet, each of which will be n values.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self {
            count: 0,
            sum: DVector::zeros(channels),
            products: DMatrix::zeros(channels, channels),
        }
    }

    /// Takes in maps of whole vectors, the channel fastest.
    pub fn add(&mut self, maps: &[Vec<f32>]) {
        let channels = self.sum.len();
        let of_map = |map: &Vec<f32>| {
            let values = map.iter().map(|&value| f64::from(value));
            let vectors = DMatrix::from_iterator(channels, map.len() / channels, values);
            (
                vectors.ncols(),
                vectors.column_sum(),
                &vectors * vectors.transpose(),
            )
        };
        // Joined in order: no sum depends on the number of threads.
        let parts: Vec<_> = maps.par_iter().map(of_map).collect();
        for (count, sum, products) in parts {
            self.count += count;
            self.sum += sum;
            self.products += products;
        }
    }
}

/// Where vectors lie, and how they spread.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Spread {
    /// Of all sets together, each counting the same; `None` if that is no number.
    pub(super) fn of(sets: &[Moments]) -> Option<Self> {
        let channels = sets.first()?.sum.len();
        let mut mean = DVector::zeros(channels);
        let mut products = DMatrix::zeros(channels, channels);
        for set in sets {
            let vectors = (sets.len() * set.count) as f64;
            mean += &set.sum / vectors;
            products += &set.products / vectors;
        }
        let covariance = products - &mean * mean.transpose();
        let finite = mean
            .iter()
            .chain(covariance.iter())
            .all(|value| value.is_finite());
        finite.then_some(Self { mean, covariance })
    }

    /// What each value is multiplied with, so that parts of n values count the same: one over the
    /// root of the variances of its part together. One part counts as it is.
    fn factors(&self, parts: &[usize]) -> DVector<f64> {
        let mut factors = DVector::from_element(self.mean.len(), 1.0);
        let mut start = 0;
        for &part in parts.iter().filter(|_| parts.len() > 1) {
            let variance: f64 = self.covariance.diagonal().rows(start, part).sum();
            if variance > 0.0 {
                factors.rows_mut(start, part).fill(variance.sqrt().recip());
            }
            start += part;
        }
        factors
    }

    /// What brings a joined vector of parts of n values to its half-whitened principal components.
    pub(super) fn basis(&self, channels: usize, parts: &[usize]) -> Result<Head, PatchesError> {
        let factors = self.factors(parts);
        let mean = self.mean.component_mul(&factors);
        let covariance = self
            .covariance
            .component_mul(&(&factors * factors.transpose()));
        let SymmetricEigen {
            eigenvalues,
            eigenvectors,
        } = covariance.symmetric_eigen();
        let mut order: Vec<usize> = (0..eigenvalues.len()).collect();
        order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
        let greatest = order.first().map_or(0.0, |&first| eigenvalues[first]);
        let differs = |&&index: &&usize| eigenvalues[index] > NOTHING * greatest;
        let have = order.iter().take_while(differs).count();
        if channels == 0 || channels > have {
            return Err(PatchesError::Channels {
                asked: channels,
                have,
            });
        }
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for &index in &order[..channels] {
            let vector = eigenvectors.column(index);
            // Of a vector and its opposite always the same, so that nothing depends on the solver.
            let largest = vector.iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            let factor =
                eigenvalues[index].powf(-0.25) * largest.map_or(1.0, |value| value.signum());
            let row = vector * factor;
            bias.push(-row.dot(&mean) as f32);
            let row = row.component_mul(&factors);
            weight.extend(row.iter().map(|&value| value as f32));
        }
        Ok(Head { weight, bias })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors that differ along two directions, one of them four times as far as the other, and not along
    /// the third.
    fn maps() -> Vec<Vec<f32>> {
        let vector = |step: usize| {
            let turn = step as f32 * std::f32::consts::FRAC_PI_4;
            [3.0 + turn.cos(), -2.0 + 4.0 * turn.sin(), 7.0]
        };
        (0..4)
            .map(|map| (map..map + 8).flat_map(vector).collect())
            .collect()
    }

    fn of(maps: &[Vec<f32>]) -> Moments {
        let mut moments = Moments::new(3);
        moments.add(maps);
        moments
    }

    fn apply(Head { weight, bias }: &Head, x: [f32; 3]) -> Vec<f32> {
        let rows = weight.chunks(3).zip(bias);
        rows.map(|(row, bias)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias)
            .collect()
    }

    #[test]
    fn components_are_centred_and_divided_by_the_root_of_their_deviation() {
        let basis = Spread::of(&[of(&maps())]).unwrap().basis(2, &[3]).unwrap();
        assert!(
            apply(&basis, [3.0, -2.0, 7.0])
                .iter()
                .all(|value| value.abs() < 1e-4)
        );
        // Deviations of 4 and 1, over the root of 2 both.
        let far = apply(&basis, [3.0, 2.0, 7.0]);
        let near = apply(&basis, [4.0, -2.0, 7.0]);
        let root = |deviation: f32| (deviation / std::f32::consts::SQRT_2).sqrt();
        assert!((far[0].abs() - 4.0 / root(4.0)).abs() < 1e-3, "{far:?}");
        assert!((near[1].abs() - 1.0 / root(1.0)).abs() < 1e-3, "{near:?}");
        assert!(far[1].abs() < 1e-3 && near[0].abs() < 1e-3);
    }

    #[test]
    fn directions_in_which_nothing_differs_are_refused() {
        let spread = Spread::of(&[of(&maps())]).unwrap();
        for asked in [0, 3] {
            let error = spread.basis(asked, &[3]).unwrap_err();
            assert!(
                matches!(error, PatchesError::Channels { have: 2, .. }),
                "{error}"
            );
        }
        assert!(Spread::of(&[of(&maps()), of(&[])]).is_none());
        assert!(Spread::of(&[]).is_none());
    }

    #[test]
    fn sets_count_the_same_whatever_their_size() {
        let shifted: Vec<Vec<f32>> = maps()
            .iter()
            .map(|map| {
                map.chunks(3)
                    .flat_map(|x| [x[0] + 2.0, x[1], x[2]])
                    .collect()
            })
            .collect();
        let spread = Spread::of(&[of(&maps()[..1]), of(&shifted)]).unwrap();
        assert!((spread.mean[0] - 4.0).abs() < 1e-6, "{spread:?}");
        // Half the square of the circle's radius, and the variance between the two means.
        assert!((spread.covariance[(0, 0)] - 1.5).abs() < 1e-6, "{spread:?}");
    }

    #[test]
    fn parts_count_the_same_whatever_their_size() {
        // The second value of each vector is the larger one, and by itself the second part.
        let spread = Spread::of(&[of(&maps())]).unwrap();
        let factors = spread.factors(&[1, 1, 1]);
        let deviations = spread.covariance.diagonal().map(f64::sqrt);
        for part in 0..2 {
            assert!(
                (factors[part] * deviations[part] - 1.0).abs() < 1e-9,
                "{factors}"
            );
        }
        // Nothing differs in the third.
        assert_eq!(factors[2], 1.0);
        let together = spread.factors(&[2, 1]);
        assert_eq!(together[0], together[1]);
        assert_eq!(spread.factors(&[3]), DVector::from_element(3, 1.0));

        // What is between parts is the same as before, but with one weight.
        let far = apply(&spread.basis(2, &[1, 2]).unwrap(), [3.0, 2.0, 7.0]);
        let near = apply(&spread.basis(2, &[1, 2]).unwrap(), [4.0, -2.0, 7.0]);
        let length = |x: &[f32]| x.iter().map(|v| v * v).sum::<f32>();
        assert!(
            (length(&far) / length(&near) - 1.0).abs() < 1e-3,
            "{far:?} {near:?}"
        );
    }
}
