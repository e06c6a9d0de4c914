//! Novelty of pictures for their own class, measured on base classes when a model was converted.

use bytemuck::{Pod, Zeroable};

use super::{Prior, Rate};

/// False-reject rates of the columns, in parts of 10,000.
pub const RATES: [u16; 10] = [10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000];
/// Numbers of shots that are measured, at most.
pub const ROWS: usize = 5;

/// The section of a model image that says how far pictures of a known class may lie from it.
///
/// Little-endian, 4-byte aligned, 248 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Calibration {
    /// Mean within-class variance of the base classes, in steps squared.
    pub variance: f32,
    /// See [`Prior::weight`].
    pub weight: f32,
    /// Rows in use, 1..=[`ROWS`].
    pub rows: u32,
    /// Base classes that were measured.
    pub classes: u32,
    /// Shots of each row, rising, 1 or more.
    pub shots: [u32; ROWS],
    /// `quantiles[row][column]`: the novelty that a part of [`RATES`] of the pictures exceeds;
    /// falling along a row.
    pub quantiles: [[f32; RATES.len()]; ROWS],
    /// Zeros.
    pub reserved: [u32; 3],
}

const _: () = assert!(size_of::<Calibration>() == 248);

impl Calibration {
    /// Whether every field is in its range, so that thresholds are positive numbers.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let rows = self.rows as usize;
        let (Some(shots), Some(quantiles)) = (self.shots.get(..rows), self.quantiles.get(..rows))
        else {
            return false;
        };
        rows > 0
            && positive(self.variance)
            && positive(self.weight)
            && shots.iter().all(|&shots| shots > 0)
            && shots.is_sorted_by(|a, b| a < b)
            && quantiles.iter().all(|row| {
                let [first, .., last] = *row;
                positive(first) && positive(last) && row.is_sorted_by(|a, b| a >= b)
            })
    }

    /// What the base classes say of the spread of any class.
    #[must_use]
    pub fn prior(&self) -> Prior {
        Prior {
            variance: self.variance,
            weight: self.weight,
        }
    }

    /// The novelty above which a picture is of no class, for a class of `shots` shots.
    ///
    /// Between columns it is linear in the rate, which rejects rather less than asked; between rows
    /// linear in one over the shots, and beyond them as in the last.
    #[must_use]
    pub fn threshold(&self, rate: Rate, shots: u8) -> f32 {
        let inverse = |shots: u32| 1.0 / shots.max(1) as f32;
        let rows = self.shots.get(..self.rows as usize).unwrap_or(&[]);
        let place = rows.partition_point(|&row| row < shots.into());
        let point = |row: usize| {
            let quantiles = self.quantiles.get(row)?;
            Some((inverse(*rows.get(row)?), at_rate(quantiles, rate)))
        };
        on_line(place, point, inverse(shots.into()))
    }
}

fn at_rate(row: &[f32; RATES.len()], rate: Rate) -> f32 {
    let place = RATES.partition_point(|&column| column < rate.parts());
    let point = |column: usize| Some((f32::from(*RATES.get(column)?), *row.get(column)?));
    on_line(place, point, rate.parts().into())
}

/// On the line through the point of a number and the one before; where there is but one, as high as that.
fn on_line(place: usize, point: impl Fn(usize) -> Option<(f32, f32)>, x: f32) -> f32 {
    match (place.checked_sub(1).and_then(&point), point(place)) {
        (Some((x0, y0)), Some((x1, y1))) => {
            let part = (x - x0) / (x1 - x0);
            y0 * (1.0 - part) + y1 * part
        }
        (Some((_, y)), None) | (None, Some((_, y))) => y,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let row = |top: f32| core::array::from_fn(|column| top - column as f32);
        let mut calibration = Calibration::zeroed();
        calibration.variance = 50.0;
        calibration.weight = 3.0;
        calibration.rows = 3;
        calibration.shots = [1, 2, 5, 0, 0];
        calibration.quantiles[..3].copy_from_slice(&[row(30.0), row(20.0), row(14.0)]);
        calibration
    }

    #[test]
    fn thresholds_are_those_of_the_table_and_between_them() {
        let calibration = calibration();
        assert!(calibration.is_sound());
        let at = |parts, shots| calibration.threshold(Rate::new(parts).unwrap(), shots);
        assert_eq!([at(10, 1), at(100, 1), at(2000, 1)], [30.0, 26.0, 21.0]);
        assert_eq!([at(10, 2), at(10, 5), at(10, 20)], [20.0, 14.0, 14.0]);
        assert_eq!(at(15, 1), 29.5);
        // A third is between a half and a fifth.
        let third = 20.0 - 6.0 * (0.5 - 1.0 / 3.0) / 0.3;
        assert!((at(10, 3) - third).abs() < 1e-4);
        assert_eq!(at(10, 0), 30.0);
    }

    #[test]
    fn what_is_out_of_range_is_seen() {
        let spoil: [fn(&mut Calibration); 8] = [
            |c| c.rows = 0,
            |c| c.rows = 6,
            |c| c.rows = u32::MAX,
            |c| c.variance = f32::NAN,
            |c| c.weight = 0.0,
            |c| c.shots[1] = 1,
            |c| c.quantiles[2][9] = f32::INFINITY,
            |c| c.quantiles[1][0] = 1.0,
        ];
        for (number, spoil) in spoil.into_iter().enumerate() {
            let mut calibration = calibration();
            spoil(&mut calibration);
            assert!(!calibration.is_sound(), "{number}");
        }
    }

    #[test]
    fn a_rate_outside_of_the_table_is_none() {
        assert_eq!(Rate::new(9), None);
        assert_eq!(Rate::new(2001), None);
        assert_eq!(Rate::default().parts(), 100);
        assert_eq!(RATES[0], Rate::LEAST.parts());
        assert_eq!(RATES[RATES.len() - 1], Rate::GREATEST.parts());
    }
}
