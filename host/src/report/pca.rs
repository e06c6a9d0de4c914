//! Principal components.

use nalgebra::{DMatrix, SymmetricEigen};

/// Rows seen along their two directions of greatest variance (Pearson 1901).
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// The rows' places along the first and the second direction.
    pub places: Vec<(f64, f64)>,
    /// Part of the whole variance that lies in each direction, 0..=1.
    pub share: [f64; 2],
}

/// Principal components of `rows`, all of one length.
///
/// # Panics
/// When a row has another length than the first.
pub fn components(rows: &[&[f32]]) -> Components {
    let (n, dim) = (rows.len(), rows.first().map_or(0, |r| r.len()));
    if n == 0 || dim == 0 {
        return Components {
            places: vec![(0.0, 0.0); n],
            share: [0.0; 2],
        };
    }
    assert!(rows.iter().all(|r| r.len() == dim), "rows of one length");
    let mut x = DMatrix::from_fn(n, dim, |i, j| f64::from(rows[i][j]));
    for mut column in x.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let eigen = SymmetricEigen::new(x.transpose() * &x);
    let mut order: Vec<usize> = (0..dim).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let total: f64 = eigen.eigenvalues.iter().map(|v| v.max(0.0)).sum();
    let along = |place: usize| {
        let Some(&which) = order.get(place) else {
            return (vec![0.0; n], 0.0);
        };
        let direction = eigen.eigenvectors.column(which);
        // A direction and its opposite are the same: the greatest entry points up.
        let sign = direction[direction.icamax()].signum();
        let values = (&x * direction * sign).iter().copied().collect();
        let share = eigen.eigenvalues[which].max(0.0) / total.max(f64::MIN_POSITIVE);
        (values, share)
    };
    let ((first, one), (second, two)) = (along(0), along(1));
    Components {
        places: first.into_iter().zip(second).collect(),
        share: [one, two],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_of_greatest_variance_comes_first() {
        // Along (3, 4) / 5 with deviations -2, -1, 1, 2; across it, +-0.1.
        let rows: Vec<Vec<f32>> = [(-2.0, 0.1), (-1.0, -0.1), (1.0, -0.1), (2.0, 0.1)]
            .iter()
            .map(|(a, b): &(f32, f32)| vec![7.0 + 0.6 * a - 0.8 * b, -3.0 + 0.8 * a + 0.6 * b])
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let found = components(&rows);
        for ((a, b), (x, y)) in
            found
                .places
                .iter()
                .zip([(-2.0, 0.1), (-1.0, -0.1), (1.0, -0.1), (2.0, 0.1)])
        {
            assert!(
                (a - x).abs() < 1e-5 && (b.abs() - f64::abs(y)).abs() < 1e-5,
                "{a} {b}"
            );
        }
        assert!((found.share[0] - 10.0 / 10.04).abs() < 1e-5);
        assert!((found.share[0] + found.share[1] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_point_or_one_dimension_is_fine() {
        assert_eq!(components(&[]).places, []);
        assert_eq!(components(&[&[4.0, 5.0]]).places, [(0.0, 0.0)]);
        let line = components(&[&[1.0], &[3.0]]);
        assert_eq!(line.places, [(-1.0, 0.0), (1.0, 0.0)]);
    }
}
